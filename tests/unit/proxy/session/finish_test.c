// The beginning and the end of a record.
#include <errno.h>
#include <string.h>

#include "proxy/session/internal.h"
#include "tests/unit/proxy/session/playbook.h"

static void ends_have_words(void) {
    static const struct {
        int errnum;
        const char *how;
    } rows[] = {
        {ECONNRESET, "rst"},
        {EPIPE, "rst"},
        {ECONNREFUSED, "refused"},
        {ETIMEDOUT, "timeout"},
        {EHOSTUNREACH, "unreachable"},
        {ENETUNREACH, "unreachable"},
        {EMFILE, "error"},
        {0, "error"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT_STRING_EQUAL(end_how_errno(rows[i].errnum), rows[i].how);
    }
}

static void addresses_have_texts(void) {
    char text[IP_TEXT_MAX];
    const struct address v4 = {.ip = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}};
    const struct address v6 = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    CU_ASSERT_STRING_EQUAL(ip_text(text, &v4), "192.0.2.1");
    CU_ASSERT_STRING_EQUAL(ip_text(text, &v6), "2001:db8::1");
}

static void a_record_says_who_when_and_how_much(void) {
    play(NULL, OPEN ">> client bytes SSH-2.0-x|\n"
                    ">> server bytes SSH-2.0-y|hello\n"
                    ">> client eof\n"
                    ">> server eof\n"
                    "<< record final\n"
                    "== id *\n"
                    "== schema 1.0\n"
                    "== @timestamp 2026-11-18T11:06:41*Z\n"
                    "== legs.client.bytes.received 68\n"
                    "== legs.client.bytes.sent 55\n"
                    "== legs.server.bytes.received 16\n"
                    "== legs.server.bytes.sent 11\n"
                    "== legs.client.bytes.data_received -\n"
                    "== legs.client.timing_ms.end *\n"
                    "== legs.server.timing_ms.end *\n"
                    "== verdict.party *\n"
                    "== verdict.cause *\n"
                    "== verdict.confidence *\n"
                    "<< record none\n");
}

static void each_record_has_an_id_of_its_own(void) {
    char ids[2][64];
    for (size_t i = 0; i < 2; i++) {
        struct play *p = play_new(NULL);
        play_run(p, OPEN ">> stop\n<< record final\n");
        snprintf(ids[i], sizeof(ids[i]), "%s", obj_str(play_record(p), F_RECORD_ID));
        CU_ASSERT_EQUAL(strlen(ids[i]), 16);
        play_free(p);
    }
    CU_ASSERT_STRING_NOT_EQUAL(ids[0], ids[1]);
}

static void an_interim_record_has_the_final_ones_id(void) {
    struct play *p = play_new(NULL);
    char id[64];
    play_run(p, OPEN ">> client bytes SSH-2.0-x|\n"
                     ">> timer 31\n"
                     "<< record interim\n"
                     "== legs.client.end.by -\n");
    snprintf(id, sizeof(id), "%s", obj_str(play_record(p), F_RECORD_ID));
    play_run(p, ">> stop\n"
                "<< record final\n"
                "== legs.client.end.by proxy\n");
    CU_ASSERT_STRING_EQUAL(id, obj_str(play_record(p), F_RECORD_ID));
    play_free(p);
}

// What the kernel knows of a side is asked when its leg ends.
static void sample(void *ctx, enum side side, struct transport *out) {
    (*(int *)ctx)++;
    *out = (struct transport){side == SIDE_CLIENT ? 100 : 200, 50, 3, 2, -1};
}

static void transport_facts_are_sampled_at_the_end(void) {
    struct session_shared *shared = world_shared(NULL, NULL);
    const struct address address = {.port = 1};
    int asked = 0;
    bool final;
    struct session *s = session_new(shared, &address, &address, 0, 0, sample, &asked);
    struct event event = {.kind = EVENT_BYTES, .side = SIDE_CLIENT, .now_us = 1};
    event.bytes = (struct span){(const uint8_t *)"CONN", 4};
    session_input(s, &event);
    CU_ASSERT_EQUAL(asked, 0);
    session_input(s, &(struct event){.kind = EVENT_EOF, .side = SIDE_CLIENT, .now_us = 2});
    CU_ASSERT_EQUAL(asked, 1);
    const struct obj *root = session_record(s, &final);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    const struct obj *leg = record_leg(root, false);
    CU_ASSERT(final);
    CU_ASSERT(obj_is(leg, F_LEG_RTT, 100));
    CU_ASSERT(obj_is(leg, F_LEG_MIN_RTT, 50));
    CU_ASSERT(obj_is(leg, F_LEG_RETRANSMITS, 3));
    CU_ASSERT(obj_is(leg, F_LEG_UNACKED, 2));
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_OUTQ));
    CU_ASSERT_EQUAL_FATAL(obj_num(leg, F_LEG_SAMPLES), 1);
    const struct obj *end = obj_at(leg, F_LEG_SAMPLES, 0);
    CU_ASSERT(obj_str_is(end, F_SAMPLE_AT, "end"));
    CU_ASSERT(obj_is(end, F_SAMPLE_RTT, 100));
    CU_ASSERT_FALSE(obj_has(end, F_SAMPLE_SINCE_HELLO));
    session_free(s);
    shared_unref(shared);
}

// And at each step that decides, on both legs.
static void transport_facts_at_each_step(void) {
    struct setup setup = {SETUP_TLS};
    playf(&setup, OPEN ">> server tls\n"
                       ">> client tls\n"
                       ">> client says x\n"
                       ">> client notify\n>> server notify\n"
                       "<< record final\n"
                       "== legs.client.transport.samples hello * finished * end *\n"
                       "== legs.server.transport.samples hello * finished * end *\n");
}

// The client's SYN stands in every record of its connection.
static void the_syn_is_told(void) {
    struct session_shared *shared = world_shared(NULL, NULL);
    const struct address address = {.port = 1};
    static const uint8_t syn[40] = {0x45, [8] = 57, [9] = 6, [32] = 0x50, [33] = 2};
    bool final;
    struct session *s = session_new(shared, &address, &address, 0, 0, NULL, NULL);
    session_syn(s, syn, sizeof(syn));
    struct event event = {.kind = EVENT_BYTES, .side = SIDE_CLIENT, .now_us = 1};
    event.bytes = (struct span){(const uint8_t *)"CONN", 4};
    session_input(s, &event);
    session_input(s, &(struct event){.kind = EVENT_EOF, .side = SIDE_CLIENT, .now_us = 2});
    const struct obj *leg = record_leg(session_record(s, &final), false);
    CU_ASSERT(obj_is(obj_get(leg, F_LEG_SYN), F_SYN_TTL, 57));
    CU_ASSERT(obj_is(obj_get(leg, F_LEG_SYN), F_SYN_HOPS, 7));
    session_free(s);
    shared_unref(shared);
}

#define FAILS OPEN ">> server tls\n>> client tls\n"

static void plain_cases_have_their_verdict(void) {
    const struct world *w = world_get();
    const struct {
        const char *script;
        const struct pki_cert *cert; // of the server; NULL: the good one
        uint8_t reject;              // alert of the client; 0: it trusts our CA
        const char *party, *cause;
    } rows[] = {
        {HANDSHAKE ">> client says ping\n>> server says pong\n>> client notify\n>> server notify\n",
         NULL, 0, "none", "healthy"},
        {">> client bytes CONNECT a.test:443 HTTP/1.1||\n>> unresolved not-found\n", NULL, 0,
         "network", "dns-failure"},
        {">> client bytes CONNECT a.test:443 HTTP/1.1||\n>> resolved\n>> tried ECONNREFUSED\n"
         ">> dial-failed ECONNREFUSED\n",
         NULL, 0, "undetermined", "tcp-refused"},
        {">> client tls\n", NULL, 0, "client", "connect-misuse"},
        {OPEN ">> client hello\n>> server bytes HTTP/1.1 400 Bad Request||\n", NULL, 0, "server",
         "plain-http-on-tls-port"},
        {FAILS, w->expired, 0, "server", "server-cert-expired"},
        {FAILS, w->early, 0, "server", "server-cert-not-yet-valid"},
        {FAILS, w->self_signed, 0, "server", "server-self-signed"},
        {FAILS, w->unknown, 0, "server", "server-unknown-ca"},
        {FAILS, w->wrong_name, 0, "server", "server-hostname-mismatch"},
        {FAILS, NULL, SSL_AD_UNKNOWN_CA, "client", "proxy-ca-not-installed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct setup setup = {SETUP_TLS};
        setup.server.chain[0] = rows[i].cert != NULL ? rows[i].cert : w->leaf;
        setup.client.reject = rows[i].reject;
        setup.client.ca = rows[i].reject != 0 ? NULL : w->ca;
        playf(&setup, "%s<< record final\n== verdict.party %s\n== verdict.cause %s\n",
              rows[i].script, rows[i].party, rows[i].cause);
    }
}

const struct unit_case unit_cases[] = {
    {"ends have words", ends_have_words},
    {"addresses have texts", addresses_have_texts},
    {"a record says who, when and how much", a_record_says_who_when_and_how_much},
    {"each record has an id of its own", each_record_has_an_id_of_its_own},
    {"an interim record has the final one's id", an_interim_record_has_the_final_ones_id},
    {"plain cases have their verdict", plain_cases_have_their_verdict},
    {"transport facts are sampled at the end", transport_facts_are_sampled_at_the_end},
    {"transport facts at each step", transport_facts_at_each_step},
    {"the SYN is told", the_syn_is_told},
    {NULL, NULL},
};
