#include "tests/unit/proxy/session/playbook.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/session/playbook_expect.h"

enum { SEND_MAX = 64 * 1024 * 1024, SIDES = 2 };

static const char *const side_names[] = {"client", "server"};

static const struct {
    const char *name;
    int errnum;
} errnums[] = {
    {"ECONNRESET", ECONNRESET},
    {"ECONNREFUSED", ECONNREFUSED},
    {"ETIMEDOUT", ETIMEDOUT},
    {"EPIPE", EPIPE},
    {"EHOSTUNREACH", EHOSTUNREACH},
    {"ENETUNREACH", ENETUNREACH},
    {"EMFILE", EMFILE},
    {"ECANCELED", ECANCELED},
    {"EACCES", EACCES},
    {"0", 0},
};

static int errnum_of(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(errnums); i++) {
        if (strcmp(errnums[i].name, name) == 0) {
            return errnums[i].errnum;
        }
    }
    CHECK(*name == '\0');
    return ECONNRESET;
}

// ---- >> SIDE …

static void side_bytes(struct play *play, enum side side, const char *arg) {
    uint8_t *bytes = xmalloc(2 * strlen(arg) + 1);
    size_t len = unescape(bytes, arg);
    play_bytes(play, side, bytes, len);
    free(bytes);
}

static void side_tls(struct play *play, enum side side, const char *arg) {
    (void)arg;
    struct play_side *s = &play->sides[side];
    bool client = side == SIDE_CLIENT;
    peer_free(s->peer);
    s->peer = peer_new(client, client ? &play->setup->client : &play->setup->server);
    if (client) {
        peer_start(s->peer);
    }
    if (s->got.len != 0) {
        peer_feed(s->peer, buf_data(&s->got), s->got.len);
        buf_cleanup(&s->got);
    }
}

static void side_hello(struct play *play, enum side side, const char *arg) {
    (void)arg;
    struct peer *peer = peer_new(true, &play->setup->client);
    peer_start(peer);
    peer_take(peer, &play->sides[side].send);
    peer_free(peer);
}

static void side_says(struct play *play, enum side side, const char *arg) {
    uint8_t *bytes = xmalloc(2 * strlen(arg) + 1);
    size_t len = unescape(bytes, arg);
    peer_say(play->sides[side].peer, bytes, len);
    free(bytes);
}

static void side_fills(struct play *play, enum side side, const char *arg) {
    struct play_side *s = &play->sides[side];
    size_t len = strtoul(arg, NULL, 10);
    uint8_t *bytes = xmalloc(len);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = pattern_at(s->filled + i);
    }
    s->filled += len;
    if (s->peer != NULL) {
        peer_say(s->peer, bytes, len);
    } else {
        CHECK(buf_append(&s->send, bytes, len));
    }
    free(bytes);
}

static void side_queues(struct play *play, enum side side, const char *arg) {
    side_fills(play, side, arg);
    play->holds = true;
}

static void side_notify(struct play *play, enum side side, const char *arg) {
    (void)arg;
    SSL_shutdown(play->sides[side].peer->ssl);
}

static void side_alert(struct play *play, enum side side, const char *arg) {
    SSL_send_fatal_alert(play->sides[side].peer->ssl, (uint8_t)atoi(arg));
}

static void side_key_update(struct play *play, enum side side, const char *arg) {
    (void)arg;
    CHECK(SSL_key_update(play->sides[side].peer->ssl, SSL_KEY_UPDATE_REQUESTED));
}

static void side_hello_request(struct play *play, enum side side, const char *arg) {
    (void)arg;
    peer_hello_request(play->sides[side].peer);
}

static void side_eof(struct play *play, enum side side, const char *arg) {
    (void)arg;
    play->sides[side].eof = true;
}

static void side_broken(struct play *play, enum side side, const char *arg) {
    play_event(play, (struct event){.kind = EVENT_BROKEN, .side = side, .errnum = errnum_of(arg)});
}

static void side_stops(struct play *play, enum side side, const char *arg) {
    (void)arg;
    play->sides[side].stopped = true;
}

static void side_takes(struct play *play, enum side side, const char *arg) {
    (void)arg;
    play->sides[side].stopped = false;
}

typedef void side_verb(struct play *play, enum side side, const char *arg);

static const struct side_row {
    const char *word;
    side_verb *run;
} side_events[] = {
    {"bytes", side_bytes},
    {"tls", side_tls},
    {"says", side_says},
    {"fills", side_fills},
    {"queues", side_queues},
    {"notify", side_notify},
    {"alert", side_alert},
    {"eof", side_eof},
    {"key-update", side_key_update},
    {"stops", side_stops},
    {"takes", side_takes},
    {"broken", side_broken},
    {"hello", side_hello},
    {"hello-request", side_hello_request},
};

// ---- >> of the dial and of time

static const struct address server_address = {.ip = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1},
                                              .port = 443};

static void on_resolved(struct play *play, const char *arg) {
    (void)arg;
    struct event event = {.kind = EVENT_RESOLVED, .side = SIDE_SERVER};
    event.resolved.addresses = &server_address;
    event.resolved.num = 1;
    play_event(play, event);
}

static void on_unresolved(struct play *play, const char *arg) {
    static const char *const names[] = {"not-found", "no-data", "server-failure",
                                        "refused",   "timeout", "other"};
    struct event event = {.kind = EVENT_UNRESOLVED, .side = SIDE_SERVER};
    size_t i = 0;
    while (strcmp(names[i], arg) != 0) {
        CHECK(++i < ARRAY_LEN(names));
    }
    event.dns_error = (enum dns_error)i;
    play_event(play, event);
}

static void tried(struct play *play, enum event_kind kind, int errnum) {
    struct event event = {.kind = kind, .side = SIDE_SERVER};
    event.tried.address = server_address;
    event.tried.errnum = errnum;
    event.tried.us = 1500;
    play_event(play, event);
}

static void on_tried(struct play *play, const char *arg) {
    tried(play, EVENT_TRIED, errnum_of(arg));
}

static void on_connected(struct play *play, const char *arg) {
    (void)arg;
    tried(play, EVENT_CONNECTED, 0);
}

static void on_dial_failed(struct play *play, const char *arg) {
    play_event(play, (struct event){
                         .kind = EVENT_DIAL_FAILED, .side = SIDE_SERVER, .errnum = errnum_of(arg)});
}

static void on_timer(struct play *play, const char *arg) {
    play_timer(play, *arg == '\0' ? -1 : strtoll(arg, NULL, 10) * 1000000);
}

static void on_stop(struct play *play, const char *arg) {
    (void)arg;
    play_event(play, (struct event){.kind = EVENT_STOP});
}

static const struct row {
    const char *word;
    void (*run)(struct play *play, const char *arg);
} events[] = {
    {"resolved", on_resolved},   {"unresolved", on_unresolved},   {"tried", on_tried},
    {"connected", on_connected}, {"dial-failed", on_dial_failed}, {"timer", on_timer},
    {"stop", on_stop},
};

// ---- the script

// word cuts the first word off `*at`.
static char *word(char **at) {
    char *from = *at;
    char *end = from + strcspn(from, " ");
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return from;
}

static bool event_of_side(struct play *play, enum side side, const char *verb, const char *arg) {
    for (size_t i = 0; i < ARRAY_LEN(side_events); i++) {
        if (strcmp(side_events[i].word, verb) == 0) {
            side_events[i].run(play, side, arg);
            return true;
        }
    }
    return false;
}

static bool event_of_session(struct play *play, const char *first, const char *arg) {
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        if (strcmp(events[i].word, first) == 0) {
            events[i].run(play, arg);
            return true;
        }
    }
    return false;
}

static bool run_words(struct play *play, bool event, char *rest) {
    const char *first = word(&rest);
    for (int side = 0; side < SIDES; side++) {
        if (strcmp(first, side_names[side]) != 0) {
            continue;
        }
        const char *verb = word(&rest);
        if (event) {
            return event_of_side(play, (enum side)side, verb, rest);
        }
        expect_side(play, (enum side)side, verb, rest);
        return true;
    }
    return event ? event_of_session(play, first, rest) : expect_session(play, first, rest);
}

static void take_peers(struct play *play) {
    for (int side = 0; side < SIDES; side++) {
        if (play->sides[side].peer != NULL) {
            peer_take(play->sides[side].peer, &play->sides[side].send);
        }
    }
}

static void run_line(struct play *play, char *line) {
    snprintf(play->line, sizeof(play->line), "%s", line);
    CHECK(strlen(line) > 3);
    char *rest = line + 3;
    bool known = true;
    unsigned before = CU_get_number_of_failure_records();
    if (strncmp(line, "== ", 3) == 0) {
        const char *path = word(&rest);
        expect_field(play, path, rest);
    } else if (strncmp(line, "<< ", 3) == 0) {
        known = run_words(play, false, rest);
    } else {
        CHECK(strncmp(line, ">> ", 3) == 0);
        play->holds = false;
        known = run_words(play, true, rest);
        take_peers(play);
        play_settle(play);
    }
    if (!known) {
        play_fail(play, "the script has a word that nobody knows");
    } else if (CU_get_number_of_failure_records() == before) {
        CU_PASS(line);
    }
}

void play_run(struct play *play, const char *script) {
    while (*script != '\0') {
        size_t len = strcspn(script, "\n");
        char *line = xmemdup(script, len);
        run_line(play, line);
        free(line);
        script += len + (script[len] == '\n');
    }
}

// What a kernel might say.
static void sample(void *ctx, enum side side, struct transport *out) {
    (void)ctx;
    *out = (struct transport){side == SIDE_CLIENT ? 100 : 200, 50, 0, 0, 0};
}

struct play *play_new(const struct setup *setup) {
    static const struct setup nothing;
    struct play *play = xcalloc(1, sizeof(*play));
    play->setup = setup != NULL ? setup : &nothing;
    play->shared = play->setup->shared != NULL
                       ? shared_ref(play->setup->shared)
                       : world_shared_with(&(struct world_options){.policy = play->setup->policy,
                                                                   .limits = play->setup->limits,
                                                                   .parent = play->setup->parent,
                                                                   .as = play->setup->as});
    play->now_us = 1000000;
    for (int side = 0; side < SIDES; side++) {
        buf_init(&play->sides[side].got, SEND_MAX);
        buf_init(&play->sides[side].send, SEND_MAX);
        buf_init(&play->sides[side].spliced, SEND_MAX);
    }
    const struct address client = {.ip = {[15] = 1}, .port = 50000};
    const struct address local = {.ip = {[15] = 1}, .port = 8080};
    play->session = session_new(play->shared, &client, &local, play->now_us,
                                PKI_NOW * 1000 + play->now_us / 1000, sample, NULL);
    play->sides[SIDE_CLIENT].open = true;
    if (play->setup->aim != NULL) {
        session_aim(play->session, "fixed", play->setup->aim, 443);
    }
    seed_open(play);
    play_settle(play);
    return play;
}

// end breaks both connections: with no peer left there is nothing to wait for.
static void end(struct play *play) {
    snprintf(play->line, sizeof(play->line), "the end");
    for (int side = 0; side < SIDES; side++) {
        play->sides[side].stopped = false;
        if (play->sides[side].open && !play->wishes.done) {
            play_event(play, (struct event){.kind = EVENT_BROKEN,
                                            .side = (enum side)side,
                                            .errnum = ECONNRESET});
        }
    }
    if (!play->wishes.done) {
        play_fail(play, "both sides are gone and the session goes on");
    }
    for (size_t i = 0; i < play->num_records; i++) {
        const struct obj *verdict = obj_get(play->records[i].record->root, F_RECORD_VERDICT);
        if (!obj_has(verdict, F_VERDICT_PARTY) || !obj_has(verdict, F_VERDICT_CAUSE) ||
            !obj_has(verdict, F_VERDICT_CONFIDENCE)) {
            play_fail(play, "record %zu has no verdict", i);
        }
    }
}

void play_free(struct play *play) {
    end(play);
    session_free(play->session);
    shared_unref(play->shared);
    for (int side = 0; side < SIDES; side++) {
        peer_free(play->sides[side].peer);
        buf_cleanup(&play->sides[side].got);
        buf_cleanup(&play->sides[side].send);
        buf_cleanup(&play->sides[side].spliced);
    }
    for (size_t i = 0; i < play->num_records; i++) {
        record_free(play->records[i].record);
    }
    if (play->seed != NULL) {
        fclose(play->seed);
    }
    free(play);
}

void play(const struct setup *setup, const char *script) {
    struct play *p = play_new(setup);
    play_run(p, script);
    play_free(p);
}

void playf(const struct setup *setup, const char *fmt, ...) {
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    CHECK(len > 0 && (size_t)len < sizeof(text));
    play(setup, text);
}

void play_bytes(struct play *play, enum side side, const void *p, size_t p_len) {
    CHECK(buf_append(&play->sides[side].send, p, p_len));
    play_settle(play);
}

struct span play_got(const struct play *play, enum side side) {
    const struct buf *got_so_far = &play->sides[side].got;
    return (struct span){buf_data(got_so_far), got_so_far->len};
}

struct session_shared *play_shared(const struct play *play) {
    return play->shared;
}

struct peer *play_peer(struct play *play, enum side side) {
    return play->sides[side].peer;
}

size_t play_most(const struct play *play, enum side side) { return play->sides[side].most; }

size_t play_spliced(const struct play *play) { return play->num_spliced; }

const struct obj *play_record(const struct play *play) {
    return play->next_record == 0 ? NULL : play->records[play->next_record - 1].record->root;
}
