// The session as a whole: every state, and every way to leave it.
#include "proxy/session/session.h"

#include <string.h>

#include "proxy/session/internal.h"
#include "tests/unit/proxy/session/playbook.h"
#include "tests/unit/proxy/session/playbook_driver.h"

static const struct row {
    const char *policy, *script;
    enum state state;
} states[] = {
    {NULL, ">> client bytes CONN\n", STATE_FRONT},
    {NULL, ">> client bytes CONNECT example.test:443 HTTP/1.1||\n", STATE_DIALLING},
    {NULL, OPEN, STATE_SNIFF},
    {NULL, OPEN ">> client bytes \\x16\\x03\\x01\\x02\\x00\\x01\n", STATE_SNIFF},
    {NULL, OPEN ">> client hello\n", STATE_UPSTREAM},
    {NULL, OPEN ">> server tls\n>> client hello\n", STATE_DOWNSTREAM},
    {NULL, HANDSHAKE, STATE_RELAY},
    {NULL, HANDSHAKE ">> client stops\n>> server fills 500000\n", STATE_RELAY},
    {NULL, HANDSHAKE ">> client notify\n", STATE_RELAY},
    {NULL, HANDSHAKE ">> server eof\n", STATE_RELAY},
    {NULL, OPEN ">> client bytes SSH-2.0-x|\n", STATE_TUNNEL},
    {NULL, OPEN ">> server bytes SSH-2.0-x|\n>> server eof\n", STATE_TUNNEL},
    {NULL, OPEN ">> client stops\n>> server fills 500000\n", STATE_TUNNEL},
    {"{\"default\": {\"action\": \"tunnel\"}}", OPEN ">> client hello\n", STATE_TUNNEL},
    {NULL, ">> client bytes PUT http://example.test/ HTTP/1.1|Content-Length: 3||\n", STATE_PLAIN},
    {NULL, ">> client bytes GET http://example.test/ HTTP/1.1||\n>> connected\n", STATE_PLAIN},
    {NULL,
     ">> client bytes GET http://example.test/ HTTP/1.1||\n>> connected\n"
     ">> server bytes HTTP/1.1 200 OK|Content-Length: 9||ab\n",
     STATE_PLAIN},
    {NULL,
     ">> client bytes GET http://example.test/ HTTP/1.1||\n>> connected\n"
     ">> server bytes HTTP/1.1 200 OK|Content-Length: 2||ab\n",
     STATE_PLAIN},
    {NULL,
     ">> client bytes GET http://example.test/ HTTP/1.1||\n>> connected\n"
     ">> server bytes HTTP/1.1 101 X|Upgrade: x|Connection: upgrade||\n",
     STATE_TUNNEL},
    {"{\"default\": {\"on_server_failure\": \"page\"}}", OPEN ">> client tls\n>> server eof\n",
     STATE_LOCAL},
    {NULL, OPEN ">> client hello\n>> timer 31\n", STATE_SILENT},
    {NULL, OPEN ">> client hello\n>> server eof\n", STATE_CLOSING},
    {NULL, ">> client stops\n>> client bytes GET / HTTP/1.1||\n", STATE_CLOSING},
};

static void each_state(const char *events) {
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct setup setup = {SETUP_TLS, .policy = states[i].policy};
        struct play *p = play_new(&setup);
        play_run(p, states[i].script);
        if (p->session->state != states[i].state) {
            printf("\n    row %zu is in state %d\n", i, p->session->state);
        }
        CU_ASSERT_EQUAL(p->session->state, states[i].state);
        play_run(p, events);
        play_free(p);
    }
}

static void stopping_ends_every_state(void) { each_state(">> stop\n<< done\n"); }

static void every_state_ends_when_both_sides_break(void) {
    each_state(">> client broken\n>> server broken\n<< done\n");
    each_state(">> server broken\n>> client broken\n<< done\n");
    each_state(">> client broken ETIMEDOUT\n");
    each_state(">> server broken EPIPE\n");
}

static void every_state_ends_when_both_sides_close(void) {
    each_state(">> client takes\n>> client eof\n>> server eof\n<< done\n");
    each_state(">> client takes\n>> server eof\n>> client eof\n");
}

// ring lets deadlines pass until there are none.
static void time_ends_what_it_should(void) {
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct setup setup = {SETUP_TLS, .policy = states[i].policy};
        struct play *p = play_new(&setup);
        play_run(p, states[i].script);
        for (int rings = 0; rings < 10 && p->wishes.deadline_us != INT64_MAX; rings++) {
            play_timer(p, -1);
        }
        CU_ASSERT_EQUAL(p->wishes.deadline_us, INT64_MAX);
        play_free(p);
    }
}

// Events of the dial that nobody waits for any more, or not yet.
static void stray_events_change_nothing(void) {
    static const enum event_kind kinds[] = {EVENT_RESOLVED, EVENT_TRIED, EVENT_UNRESOLVED,
                                            EVENT_DIAL_FAILED, EVENT_TIMER};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t i = 0; i < ARRAY_LEN(states); i++) {
            struct setup setup = {SETUP_TLS, .policy = states[i].policy};
            struct play *p = play_new(&setup);
            play_run(p, states[i].script);
            play_event(p, (struct event){.kind = kinds[k], .side = SIDE_SERVER});
            play_free(p);
        }
    }
}

static void nothing_is_heard_after_the_end(void) {
    struct play *p = play_new(NULL);
    play_run(p, OPEN ">> stop\n<< done\n<< record final\n");
    static const uint8_t bytes[] = "GET / HTTP/1.1\r\n\r\n";
    for (int kind = EVENT_BYTES; kind <= EVENT_STOP; kind++) {
        for (int side = 0; side < 2; side++) {
            struct event event = {.kind = (enum event_kind)kind, .side = (enum side)side};
            if (kind == EVENT_BYTES) {
                event.bytes = (struct span){bytes, sizeof(bytes) - 1};
            }
            play_event(p, event);
        }
    }
    play_run(p, "<< done\n<< record none\n<< client gets \n<< server gets \n");
    play_free(p);
}

static void a_session_can_be_freed_in_every_state(void) {
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct setup setup = {SETUP_TLS, .policy = states[i].policy};
        struct play *p = play_new(&setup);
        play_run(p, states[i].script);
        session_free(p->session);
        const struct address nobody = {.port = 1};
        p->session = session_new(p->shared, &nobody, &nobody, 0, 0, NULL, NULL);
        p->sides[SIDE_SERVER].open = false;
        p->sides[SIDE_CLIENT].open = true;
        play_free(p);
    }
    session_free(NULL);
}

// A caller that reads on in spite of the wishes loses the connection, not memory.
static void input_has_a_ceiling(void) {
    struct play *p = play_new(NULL);
    play_run(p, ">> client bytes CONNECT example.test:443 HTTP/1.1||\n");
    uint8_t piece[16 * 1024] = {0};
    for (int i = 0; i < 200 && !p->wishes.close[SIDE_CLIENT] && p->sides[SIDE_CLIENT].open; i++) {
        struct event event = {.kind = EVENT_BYTES, .side = SIDE_CLIENT};
        event.bytes = (struct span){piece, sizeof(piece)};
        play_event(p, event);
        CU_ASSERT(p->session->lanes[SIDE_CLIENT].in.len <= LANE_IN_MAX);
        if (p->session->state == STATE_CLOSING) {
            break;
        }
    }
    CU_ASSERT_EQUAL(p->session->state, STATE_CLOSING);
    play_run(p, "<< record final\n"
                "== legs.client.end.detail more was received than could be held\n");
    play_free(p);
}

// Whatever one byte turns into on its way, in either direction, the session ends with its peers.
static void tampered_bytes_do_no_harm(void) {
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (int side = 0; side < 2; side++) {
            for (size_t at = side == SIDE_CLIENT ? 64 : 0; at < 1300; at += at < 100 ? 23 : 97) {
                struct setup setup = {SETUP_TLS};
                setup.client.max_version = version;
                setup.flip_side = (enum side)side;
                setup.flip_at = at;
                setup.flip = (uint8_t)(1 << at % 8);
                struct play *p = play_new(&setup);
                play_run(p, OPEN ">> server tls\n>> client tls\n");
                if (play_peer(p, SIDE_CLIENT)->established) {
                    play_run(p, ">> client fills 300\n");
                }
                if (play_peer(p, SIDE_SERVER)->established) {
                    play_run(p, ">> server fills 300\n");
                }
                play_run(p, ">> client eof\n>> server eof\n");
                play_free(p);
            }
        }
    }
}

// random_line writes one event that the peers can cause now.
static void random_line(struct play *p, uint32_t random, char line[64]) {
    static const char *const events[] = {
        "fills 1",    "fills 20000", "queues 100000", "notify",    "eof",      "stops", "takes",
        "key-update", "fills 7000",  "takes",         "queues 10", "alert 80", "broken"};
    enum side side = random & 1 ? SIDE_SERVER : SIDE_CLIENT;
    // What ends a side comes once in a while.
    size_t num = random % 97 == 0   ? ARRAY_LEN(events)
                 : random % 11 == 0 ? ARRAY_LEN(events) - 2
                                    : 3;
    const char *event = events[(random >> 8) % num];
    const struct peer *peer = p->sides[side].peer;
    bool ended = !p->sides[side].open || p->sides[side].eof || peer->failed ||
                 (SSL_get_shutdown(peer->ssl) & SSL_SENT_SHUTDOWN) != 0;
    bool talks = strncmp(event, "takes", 5) != 0 && strncmp(event, "stops", 5) != 0;
    bool too_new = strcmp(event, "key-update") == 0 && SSL_version(peer->ssl) != TLS1_3_VERSION;
    if ((ended && talks) || too_new) {
        snprintf(line, 64, ">> timer 1\n");
    } else {
        snprintf(line, 64, ">> %s %s\n", side == SIDE_CLIENT ? "client" : "server", event);
    }
}

// heard_is_right: what a peer has heard is what the other has said, from its beginning.
static bool heard_is_right(const struct play *p, enum side side) {
    const struct buf *heard = &p->sides[side].peer->heard;
    const uint8_t *bytes = buf_data(heard);
    for (size_t i = 0; i < heard->len; i++) {
        if (bytes[i] != (uint8_t)(i * 7 + (i >> 8))) {
            return false;
        }
    }
    return heard->len <= p->sides[!side].filled;
}

static void whatever_peers_do_with_an_established_session(void) {
    uint32_t random = 1;
    for (int run = 0; run < 16; run++) {
        struct setup setup = {SETUP_TLS};
        setup.client.max_version = run % 3 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        setup.piece = run % 4 == 0 ? 1000 : 0;
        struct play *p = play_new(&setup);
        play_run(p, HANDSHAKE);
        for (int i = 0; i < 40 && !p->wishes.done; i++) {
            char line[64];
            random = random * 1664525 + 1013904223;
            random_line(p, random >> 4, line);
            play_run(p, line);
        }
        CU_ASSERT(heard_is_right(p, SIDE_CLIENT));
        CU_ASSERT(heard_is_right(p, SIDE_SERVER));
        CU_ASSERT(play_most(p, SIDE_CLIENT) <= 512 * 1024);
        CU_ASSERT(play_most(p, SIDE_SERVER) <= 512 * 1024);
        play_free(p);
    }
}

static void deadlines_come_from_the_limits(void) {
    struct limits limits = limits_default;
    limits.front_us = 1000000;
    limits.sniff_us = 2000000;
    limits.handshake_us = 3000000;
    struct setup setup = {.limits = &limits};
    play(&setup, ">> client bytes GET\n>> timer 1\n<< client gets HTTP/1.1 408 *\n");
    play(&setup, OPEN ">> timer 1\n<< going\n<< record none\n>> timer 1\n<< record final\n");
    play(&setup, OPEN ">> client hello\n"
                      ">> timer 2\n"
                      "<< record none\n"
                      ">> timer 2\n"
                      "<< record final\n"
                      "== legs.server.end.how timeout\n");
}

// Between a request and the next a session holds its record and nothing that is of no more use.
static void an_idle_session_holds_little(void) {
    struct setup setup = {SETUP_TLS};
    setup.server.max_version = TLS1_3_VERSION;
    struct play *p = play_new(&setup);
    play_run(p, HANDSHAKE ">> client says ping\n"
                          "<< server hears ping\n"
                          ">> server says pong\n"
                          "<< client hears pong\n");
    CU_ASSERT_PTR_NULL(p->session->front);
    for (int side = 0; side < 2; side++) {
        const struct lane *lane = &p->session->lanes[side];
        const struct wire_log *log = &lane->wire;
        CU_ASSERT(lane->in.cap == 0 && lane->out.cap == 0);
        CU_ASSERT(log->bytes[0].cap == 0 && log->bytes[1].cap == 0 && log->pieces == NULL);
        CU_ASSERT(log->secrets.len != 0 && log->secrets.cap == log->secrets.len);
        CU_ASSERT_PTR_NOT_NULL(memmem(log->secrets.data, log->secrets.len, "_HANDSHAKE_", 11));
        CU_ASSERT_PTR_NULL(memmem(log->secrets.data, log->secrets.len, "_TRAFFIC_SECRET_0", 17));
    }
    play_free(p);
}

const struct unit_case unit_cases[] = {
    {"stopping ends every state", stopping_ends_every_state},
    {"every state ends when both sides break", every_state_ends_when_both_sides_break},
    {"every state ends when both sides close", every_state_ends_when_both_sides_close},
    {"time ends what it should", time_ends_what_it_should},
    {"stray events change nothing", stray_events_change_nothing},
    {"nothing is heard after the end", nothing_is_heard_after_the_end},
    {"an idle session holds little", an_idle_session_holds_little},
    {"a session can be freed in every state", a_session_can_be_freed_in_every_state},
    {"input has a ceiling", input_has_a_ceiling},
    {"tampered bytes do no harm", tampered_bytes_do_no_harm},
    {"whatever peers do with an established session",
     whatever_peers_do_with_an_established_session},
    {"deadlines come from the limits", deadlines_come_from_the_limits},
    {NULL, NULL},
};
