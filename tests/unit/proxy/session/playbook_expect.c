#include "tests/unit/proxy/session/playbook_expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/text.h"

enum { TEXT_MAX = 64 * 1024 };

uint8_t pattern_at(uint64_t i) { return (uint8_t)(i * 7 + (i >> 8)); }

// ---- texts

size_t unescape(uint8_t *out, const char *text) {
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

static const struct {
    const char *word;
    void (*run)(struct play *play, enum side side, const char *arg);
} side_rows[] = {
    {"gets", gets_raw},           {"got", got},         {"hears", hears},
    {"established", established}, {"alerted", alerted}, {"rejects", rejects},
};

void expect_side(struct play *play, enum side side, const char *verb, const char *arg) {
    for (size_t i = 0; i < ARRAY_LEN(side_rows); i++) {
        if (strcmp(side_rows[i].word, verb) == 0) {
            side_rows[i].run(play, side, arg);
            return;
        }
    }
    if (!flag(play, side, verb)) {
        play_fail(play, "it is not so");
    }
}

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

static const struct {
    const char *word;
    void (*run)(struct play *play, const char *arg);
} rows[] = {
    {"dial", expect_dial},
    {"record", expect_record},
    {"done", expect_done},
    {"going", expect_going},
};

bool expect_session(struct play *play, const char *word, const char *arg) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].word, word) == 0) {
            rows[i].run(play, arg);
            return true;
        }
    }
    return false;
}

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

void expect_field(struct play *play, const char *path, const char *arg) {
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
