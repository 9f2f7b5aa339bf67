#include "tests/unit/proxy/net/fake_session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "logs/base/buf.h"

enum { MAX_NOTES = 1 << 16, WAIT_S = 20 };

struct session {
    unsigned number;
    void (*sample)(void *ctx, enum side side, struct transport *out);
    void *sample_ctx;
    char line[512];
    size_t line_len;
    char host[256];
    struct buf out[2];
    struct wishes wishes;
    size_t spliced[2]; // wait for that side elsewhere
    bool splices, eof[2], said_last[2], greeted, connected, ended_by_close, record_taken;
    struct record *record;
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct fake_note notes[MAX_NOTES];
    size_t num;
    unsigned sessions, alive;
    size_t most_held;
} all = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

// ---- notes

void fake_reset(void) {
    pthread_mutex_lock(&all.mutex);
    all.num = all.sessions = 0;
    all.most_held = 0;
    pthread_mutex_unlock(&all.mutex);
}

static void note_add(const struct fake_note *note) {
    pthread_mutex_lock(&all.mutex);
    if (all.num < MAX_NOTES) {
        all.notes[all.num++] = *note;
    }
    pthread_cond_broadcast(&all.changed);
    pthread_mutex_unlock(&all.mutex);
}

static const struct fake_note *find(unsigned session, enum event_kind kind, unsigned nth) {
    for (size_t i = 0; i < all.num; i++) {
        const struct fake_note *note = &all.notes[i];
        if (note->kind == kind && (session == 0 || note->session == session) && --nth == 0) {
            return note;
        }
    }
    return NULL;
}

static struct timespec deadline(void) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec += WAIT_S;
    return ts;
}

bool fake_wait(struct fake_note *out, unsigned session, enum event_kind kind, unsigned nth) {
    struct timespec until = deadline();
    const struct fake_note *note;
    int late = 0;
    pthread_mutex_lock(&all.mutex);
    while ((note = find(session, kind, nth)) == NULL && late == 0) {
        late = pthread_cond_timedwait(&all.changed, &all.mutex, &until);
    }
    *out = note != NULL ? *note : (struct fake_note){0};
    pthread_mutex_unlock(&all.mutex);
    return note != NULL;
}

bool fake_wait_gone(void) {
    struct timespec until = deadline();
    int late = 0;
    pthread_mutex_lock(&all.mutex);
    while (all.alive != 0 && late == 0) {
        late = pthread_cond_timedwait(&all.changed, &all.mutex, &until);
    }
    bool gone = all.alive == 0;
    pthread_mutex_unlock(&all.mutex);
    return gone;
}

unsigned fake_count(enum event_kind kind) {
    unsigned n = 0;
    pthread_mutex_lock(&all.mutex);
    while (find(0, kind, n + 1) != NULL) {
        n++;
    }
    pthread_mutex_unlock(&all.mutex);
    return n;
}

size_t fake_most_held(void) {
    pthread_mutex_lock(&all.mutex);
    size_t most = all.most_held;
    pthread_mutex_unlock(&all.mutex);
    return most;
}

void fake_forget_most_held(void) {
    pthread_mutex_lock(&all.mutex);
    all.most_held = 0;
    pthread_mutex_unlock(&all.mutex);
}

unsigned fake_alive(void) {
    pthread_mutex_lock(&all.mutex);
    unsigned alive = all.alive;
    pthread_mutex_unlock(&all.mutex);
    return alive;
}

// ---- the session

static void add(struct session *s, enum side side, const void *p, size_t len) {
    CHECK(buf_append(&s->out[side], p, len));
    size_t held = s->out[0].len + s->out[1].len;
    pthread_mutex_lock(&all.mutex);
    all.most_held = held > all.most_held ? held : all.most_held;
    pthread_mutex_unlock(&all.mutex);
}

struct session *session_new(struct session_shared *shared, const struct address *client,
                            const struct address *local, int64_t now_us, int64_t wall_ms,
                            void (*sample)(void *ctx, enum side side, struct transport *out),
                            void *sample_ctx) {
    (void)shared;
    CHECK(client->port != 0 && local->port != 0 && now_us > 0 && wall_ms > 1600000000000);
    struct session *s = xcalloc(1, sizeof(*s));
    s->sample = sample;
    s->sample_ctx = sample_ctx;
    s->wishes.deadline_us = INT64_MAX;
    s->record = record_new();
    buf_init(&s->out[0], 1 << 20);
    buf_init(&s->out[1], 1 << 20);
    pthread_mutex_lock(&all.mutex);
    s->number = ++all.sessions;
    all.alive++;
    pthread_mutex_unlock(&all.mutex);
    return s;
}

void session_syn(struct session *s, const uint8_t *p, size_t p_len) {
    CHECK(s != NULL && p != NULL && p_len <= 120);
}

void session_aim(struct session *s, const char *front, const char *host, uint16_t port) {
    CHECK(*front != '\0');
    snprintf(s->host, sizeof(s->host), "%s", host);
    s->wishes.dial = (struct dial_wish){.serial = 1, .host = s->host, .port = port};
    s->greeted = true;
}

void session_free(struct session *s) {
    CHECK(s != NULL && s->record_taken);
    buf_cleanup(&s->out[0]);
    buf_cleanup(&s->out[1]);
    record_free(s->record);
    free(s);
    pthread_mutex_lock(&all.mutex);
    all.alive--;
    pthread_cond_broadcast(&all.changed);
    pthread_mutex_unlock(&all.mutex);
}

static void say_and_close(struct session *s, const char *text) {
    add(s, SIDE_CLIENT, text, strlen(text));
    s->wishes.close[SIDE_CLIENT] = s->wishes.close[SIDE_SERVER] = true;
    s->ended_by_close = true;
}

static void obey(struct session *s, int64_t now_us) {
    unsigned number;
    s->splices = strncmp(s->line, "SPLICE ", 7) == 0;
    if (sscanf(s->line, "CONNECT %255s %u", s->host, &number) == 2 ||
        sscanf(s->line, "SPLICE %255s %u", s->host, &number) == 2) {
        s->wishes.dial.serial++;
        s->wishes.dial.host = s->host;
        s->wishes.dial.port = (uint16_t)number;
    } else if (sscanf(s->line, "TIMER %u", &number) == 1) {
        s->wishes.deadline_us = now_us + (int64_t)number * 1000;
    } else if (strcmp(s->line, "CLOSE") == 0) {
        say_and_close(s, FAKE_GOODBYE);
    } else if (strcmp(s->line, "RESET") == 0) {
        s->wishes.reset[SIDE_CLIENT] = s->wishes.done = true;
    } else {
        CHECK(strcmp(s->line, "HOLD") == 0);
    }
    s->greeted = true;
}

static void take_bytes(struct session *s, const struct event *event) {
    const uint8_t *p = event->bytes.p;
    size_t len = event->bytes.len;
    const size_t last = strlen(FAKE_LAST);
    s->said_last[event->side] = len >= last && memcmp(p + len - last, FAKE_LAST, last) == 0;
    for (; !s->greeted && len != 0; p++, len--) {
        CHECK(s->line_len + 1 < sizeof(s->line));
        if (*p == '\n') {
            obey(s, event->now_us);
        } else {
            s->line[s->line_len++] = (char)*p;
        }
    }
    if (len != 0 && s->wishes.dial.serial != 0 && !s->ended_by_close) {
        add(s, event->side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT, p, len);
    }
}

static void end(struct session *s) {
    s->wishes.reset[SIDE_CLIENT] = s->wishes.reset[SIDE_SERVER] = s->wishes.done = true;
}

static void note_event(const struct session *s, const struct event *event) {
    struct fake_note note = {.session = s->number, .kind = event->kind, .side = event->side};
    switch (event->kind) {
    case EVENT_BYTES:
        note.num = event->bytes.len;
        s->sample(s->sample_ctx, event->side, &note.transport);
        break;
    case EVENT_SPLICED:
        note.num = event->spliced.taken;
        break;
    case EVENT_BROKEN:
    case EVENT_DIAL_FAILED:
        note.errnum = event->errnum;
        break;
    case EVENT_RESOLVED:
        note.num = event->resolved.num;
        note.address = event->resolved.addresses[0];
        break;
    case EVENT_UNRESOLVED:
        note.dns_error = event->dns_error;
        break;
    case EVENT_TRIED:
        note.errnum = event->tried.errnum;
        note.us = event->tried.us;
        note.address = event->tried.address;
        break;
    default:
        break;
    }
    note_add(&note);
}

void session_input(struct session *s, const struct event *event) {
    CHECK(!s->wishes.done && event->now_us > 0);
    note_event(s, event);
    enum side other = event->side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
    switch (event->kind) {
    case EVENT_BYTES:
        CHECK(!s->eof[event->side]);
        take_bytes(s, event);
        break;
    case EVENT_SPLICED:
        CHECK(s->splices && (event->spliced.taken == 0 || !s->eof[event->side]));
        CHECK(event->spliced.written <= s->spliced[other] + event->spliced.taken);
        s->spliced[other] += event->spliced.taken - event->spliced.written;
        break;
    case EVENT_EOF:
        CHECK(!s->eof[event->side] && s->spliced[other] == 0);
        s->eof[event->side] = true;
        s->wishes.shutdown[other] = true;
        break;
    case EVENT_CONNECTED:
        s->connected = true;
        add(s, SIDE_CLIENT, "OK\n", 3);
        break;
    case EVENT_UNRESOLVED:
    case EVENT_DIAL_FAILED:
        say_and_close(s, "FAIL\n");
        break;
    case EVENT_TIMER:
        CHECK(event->now_us >= s->wishes.deadline_us);
        s->wishes.deadline_us = INT64_MAX;
        add(s, SIDE_CLIENT, "TICK\n", 5);
        break;
    case EVENT_BROKEN:
    case EVENT_STOP:
        end(s);
        break;
    default:
        break;
    }
}

struct span session_output(const struct session *s, enum side side) {
    return (struct span){buf_data(&s->out[side]), s->out[side].len};
}

void session_output_done(struct session *s, enum side side, size_t len, int64_t now_us) {
    CHECK(now_us > 0);
    buf_consume(&s->out[side], len);
}

bool session_expects_end(const struct session *s, enum side side) {
    return s->said_last[side] && !s->eof[side];
}

void session_wishes(const struct session *s, struct wishes *out) {
    *out = s->wishes;
    bool hold = s->greeted && strcmp(s->line, "HOLD") == 0;
    out->read[SIDE_CLIENT] = !hold && !s->ended_by_close && s->out[SIDE_SERVER].len < FAKE_BACKLOG;
    out->read[SIDE_SERVER] = !s->ended_by_close && s->out[SIDE_CLIENT].len < FAKE_BACKLOG;
    for (int side = 0; side < 2; side++) {
        out->read[side] = out->read[side] && s->spliced[!side] == 0;
        out->splice[side] = s->splices && s->connected && s->out[!side].len == 0;
    }
    bool empty = s->out[SIDE_CLIENT].len == 0 && s->out[SIDE_SERVER].len == 0 &&
                 s->spliced[SIDE_CLIENT] + s->spliced[SIDE_SERVER] == 0;
    bool closed = s->ended_by_close && s->out[SIDE_CLIENT].len == 0;
    // A client that leaves before it asked for anything, or while nothing is connected, is over.
    bool left = s->eof[SIDE_CLIENT] && (s->eof[SIDE_SERVER] || !s->connected);
    out->done |= closed || (left && empty) || (s->eof[SIDE_CLIENT] && !s->connected);
}

const struct obj *session_record(const struct session *s, bool *final) {
    struct wishes wishes;
    session_wishes(s, &wishes);
    *final = true;
    return wishes.done && !s->record_taken ? s->record->root : NULL;
}

void session_record_done(struct session *s) { s->record_taken = true; }
