#include "tests/unit/proxy/session/playbook.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/text.h"
#include "tests/unit/proxy/session/playbook_driver.h"

enum { TEXT_MAX = 64 * 1024, SEND_MAX = 64 * 1024 * 1024, SIDES = 2 };

static const char *const side_names[] = {"client", "server"};

// ---- texts

// unescape turns `|` and `\xHH` into bytes and returns how many; `out` has room for the text.
static size_t unescape(uint8_t *out, const char *text) {
    size_t len = 0;
    for (; *text != '\0'; text++) {
        unsigned byte;
        if (*text == '|') {
            out[len++] = '\r';
            out[len++] = '\n';
        } else if (text[0] == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &byte) == 1) {
            out[len++] = (uint8_t)byte;
            text += 3;
        } else {
            out[len++] = (uint8_t)*text;
        }
    }
    return len;
}

// matches compares with a pattern in which `*` stands for any bytes.
static bool matches(const uint8_t *pattern, size_t pattern_len, const uint8_t *p, size_t p_len) {
    size_t i = 0, k = 0, star = SIZE_MAX, from = 0;
    while (k < p_len) {
        if (i < pattern_len && pattern[i] == '*') {
            star = i++;
            from = k;
        } else if (i < pattern_len && pattern[i] == p[k]) {
            i++;
            k++;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            k = ++from;
        } else {
            return false;
        }
    }
    while (i < pattern_len && pattern[i] == '*') {
        i++;
    }
    return i == pattern_len;
}

static bool text_matches(const char *pattern, const uint8_t *p, size_t p_len) {
    uint8_t *wanted = xmalloc(2 * strlen(pattern) + 1);
    size_t len = unescape(wanted, pattern);
    bool ok = matches(wanted, len, p, p_len);
    free(wanted);
    return ok;
}

// expect_bytes holds what came against the pattern and forgets it.
static void expect_bytes(struct play *play, struct buf *got, const char *pattern) {
    if (!text_matches(pattern, buf_data(got), got->len)) {
        play_fail(play, "got %zu bytes: %.*s", got->len, (int)got->len,
                  got->len == 0 ? "" : (const char *)buf_data(got));
    }
    buf_cleanup(got);
}

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

static uint8_t pattern_at(uint64_t i) { return (uint8_t)(i * 7 + (i >> 8)); }

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

// ---- << SIDE …

static void gets_raw(struct play *play, enum side side, const char *arg) {
    expect_bytes(play, &play->sides[side].got, arg);
}

static void hears(struct play *play, enum side side, const char *arg) {
    struct peer *peer = play->sides[side].peer;
    CHECK(peer != NULL);
    expect_bytes(play, &peer->heard, arg);
}

static void got(struct play *play, enum side side, const char *arg) {
    struct play_side *s = &play->sides[side];
    struct buf *bytes = s->peer != NULL ? &s->peer->heard : &s->got;
    const uint8_t *p = buf_data(bytes);
    size_t i = 0;
    while (i < bytes->len && p[i] == pattern_at(s->checked + i)) {
        i++;
    }
    if (i < bytes->len || bytes->len != strtoul(arg, NULL, 10)) {
        play_fail(play, "%zu bytes came, the first %zu of them right", bytes->len, i);
    }
    s->checked += bytes->len;
    buf_cleanup(bytes);
}

static void established(struct play *play, enum side side, const char *arg) {
    const struct peer *peer = play->sides[side].peer;
    if (peer == NULL || !peer->established) {
        play_fail(play, "no TLS is established: alert %d, own %d, %s", peer ? peer->alert : 0,
                  peer ? peer->sent_alert : 0,
                  peer ? X509_verify_cert_error_string(peer->rejected) : "");
        return;
    }
    char text[256];
    const uint8_t *alpn;
    unsigned alpn_len;
    SSL_get0_alpn_selected(peer->ssl, &alpn, &alpn_len);
    snprintf(text, sizeof(text), "%s %s %.*s", SSL_get_version(peer->ssl),
             SSL_CIPHER_standard_name(SSL_get_current_cipher(peer->ssl)),
             alpn_len == 0 ? 1 : (int)alpn_len, alpn_len == 0 ? "-" : (const char *)alpn);
    if (!text_matches(arg, (const uint8_t *)text, strlen(text))) {
        play_fail(play, "it is %s", text);
    }
}

static void alerted(struct play *play, enum side side, const char *arg) {
    const struct peer *peer = play->sides[side].peer;
    int wanted = strcmp(arg, "-") == 0 ? -1 : atoi(arg);
    if (peer == NULL || peer->alert != wanted) {
        play_fail(play, "alert %d", peer == NULL ? -2 : peer->alert);
    }
}

static void rejects(struct play *play, enum side side, const char *arg) {
    const struct peer *peer = play->sides[side].peer;
    const char *says = peer == NULL ? "no TLS" : X509_verify_cert_error_string(peer->rejected);
    if (strcmp(says, arg) != 0) {
        play_fail(play, "it says: %s", says);
    }
}

static bool flag(struct play *play, enum side side, const char *word) {
    const struct play_side *s = &play->sides[side];
    return strcmp(word, "open") == 0       ? s->open && !s->fin
           : strcmp(word, "fin") == 0      ? s->fin
           : strcmp(word, "closed") == 0   ? s->closed && !s->reset
           : strcmp(word, "reset") == 0    ? s->reset
           : strcmp(word, "read") == 0     ? s->open && play->wishes.read[side]
           : strcmp(word, "unread") == 0   ? s->open && !play->wishes.read[side]
           : strcmp(word, "notified") == 0 ? s->peer != NULL && s->peer->notified
                                           : (play_fail(play, "there is no such word"), false);
}

static const struct side_row side_expectations[] = {
    {"gets", gets_raw},           {"got", got},         {"hears", hears},
    {"established", established}, {"alerted", alerted}, {"rejects", rejects},
};

// ---- << of the session

static void expect_dial(struct play *play, const char *arg) {
    char text[300];
    const struct dial_wish *dial = &play->wishes.dial;
    if (dial->serial == play->dial_seen) {
        play_fail(play, "no new dial is wished for");
        return;
    }
    play->dial_seen = dial->serial;
    snprintf(text, sizeof(text), "%s:%d", dial->host, dial->port);
    if (strcmp(text, arg) != 0) {
        play_fail(play, "the dial is %s", text);
    }
}

static void expect_record(struct play *play, const char *arg) {
    bool there = play->next_record < play->num_records;
    const char *kind = !there                                   ? "none"
                       : play->records[play->next_record].final ? "final"
                                                                : "interim";
    play->next_record += there;
    if (strcmp(kind, arg) != 0) {
        play_fail(play, "it is %s", kind);
    }
}

static void expect_done(struct play *play, const char *arg) {
    (void)arg;
    if (!play->wishes.done) {
        play_fail(play, "it goes on");
    }
}

static void expect_going(struct play *play, const char *arg) {
    (void)arg;
    if (play->wishes.done) {
        play_fail(play, "it is over");
    }
}

static const struct row {
    const char *word;
    void (*run)(struct play *play, const char *arg);
} events[] =
    {
        {"resolved", on_resolved},   {"unresolved", on_unresolved},   {"tried", on_tried},
        {"connected", on_connected}, {"dial-failed", on_dial_failed}, {"timer", on_timer},
        {"stop", on_stop},
},
  expectations[] = {
      {"dial", expect_dial},
      {"record", expect_record},
      {"done", expect_done},
      {"going", expect_going},
};

// ---- == PATH TEXT

// find walks a JSON path through the objects of a record.
static const struct obj *find(const struct obj *obj, const char *path, enum field *out) {
    enum kind kind = obj_kind(obj);
    *out = field_find(kind, path);
    if (*out != FIELD_COUNT) {
        return obj;
    }
    for (enum field f = kind_row(kind)->first; f < kind_row(kind)->end; f++) {
        const struct field_row *row = field_row(f);
        size_t len = strlen(row->path);
        if (row->type == TYPE_OBJ && strncmp(path, row->path, len) == 0 && path[len] == '.') {
            const struct obj *sub = obj_get(obj, f);
            return sub == NULL ? NULL : find(sub, path + len + 1, out);
        }
    }
    return NULL;
}

static void expect_field(struct play *play, const char *path, const char *arg) {
    enum field field;
    struct buf text;
    const struct obj *root = play_record(play);
    const struct obj *obj = root == NULL ? NULL : find(root, path, &field);
    buf_init(&text, TEXT_MAX);
    if (obj != NULL) {
        text_write(&text, obj, field);
    }
    bool absent = obj == NULL || !obj_has(obj, field);
    bool ok =
        strcmp(arg, "-") == 0 ? absent : !absent && text_matches(arg, buf_data(&text), text.len);
    if (!ok) {
        play_fail(play, "%s is %.*s", path, absent ? 6 : (int)text.len,
                  absent ? "absent" : (const char *)buf_data(&text));
    }
    buf_cleanup(&text);
}

// ---- the script

// word cuts the first word off `*at`.
static char *word(char **at) {
    char *from = *at;
    char *end = from + strcspn(from, " ");
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return from;
}

static bool run_side(struct play *play, enum side side, bool event, char *rest) {
    const char *verb = word(&rest);
    const struct side_row *rows = event ? side_events : side_expectations;
    size_t num = event ? ARRAY_LEN(side_events) : ARRAY_LEN(side_expectations);
    for (size_t i = 0; i < num; i++) {
        if (strcmp(rows[i].word, verb) == 0) {
            rows[i].run(play, side, rest);
            return true;
        }
    }
    if (!event && !flag(play, side, verb)) {
        play_fail(play, "it is not so");
    }
    return !event;
}

static bool run_words(struct play *play, bool event, char *rest) {
    const char *first = word(&rest);
    for (int side = 0; side < SIDES; side++) {
        if (strcmp(first, side_names[side]) == 0) {
            return run_side(play, (enum side)side, event, rest);
        }
    }
    const struct row *rows = event ? events : expectations;
    size_t num = event ? ARRAY_LEN(events) : ARRAY_LEN(expectations);
    for (size_t i = 0; i < num; i++) {
        if (strcmp(rows[i].word, first) == 0) {
            rows[i].run(play, rest);
            return true;
        }
    }
    return false;
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

struct play *play_new(const struct setup *setup) {
    static const struct setup nothing;
    struct play *play = xcalloc(1, sizeof(*play));
    play->setup = setup != NULL ? setup : &nothing;
    play->shared = play->setup->shared != NULL
                       ? shared_ref(play->setup->shared)
                       : world_shared(play->setup->policy, play->setup->limits);
    play->now_us = 1000000;
    for (int side = 0; side < SIDES; side++) {
        buf_init(&play->sides[side].got, SEND_MAX);
        buf_init(&play->sides[side].send, SEND_MAX);
    }
    const struct address client = {.ip = {[15] = 1}, .port = 50000};
    const struct address local = {.ip = {[15] = 1}, .port = 8080};
    play->session = session_new(play->shared, &client, &local, play->now_us,
                                PKI_NOW * 1000 + play->now_us / 1000, NULL, NULL);
    play->sides[SIDE_CLIENT].open = true;
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

struct peer *play_peer(struct play *play, enum side side) {
    return play->sides[side].peer;
}

size_t play_most(const struct play *play, enum side side) { return play->sides[side].most; }

const struct obj *play_record(const struct play *play) {
    return play->next_record == 0 ? NULL : play->records[play->next_record - 1].record->root;
}
