#include "tests/unit/proxy/session/playbook_driver.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/json.h"
#include "logs/store/record_read.h"

enum { PIECE = 16 * 1024, JSON_MAX = 8 * 1024 * 1024, RINGS_MAX = 16 };

void play_fail(struct play *play, const char *fmt, ...) {
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    char all[sizeof(text) + sizeof(play->line) + 16];
    snprintf(all, sizeof(all), "%s: %s", play->line, text);
    printf("\n    %s\n", all);
    CU_assertImplementation(CU_FALSE, 0, all, "playbook", "", CU_FALSE);
}

// Every record crosses JSON and back, as it does on its way to `tlsblame show`.
static void keep_record(struct play *play, const struct obj *root, bool final) {
    struct buf json;
    struct err err;
    buf_init(&json, JSON_MAX);
    CHECK(play->num_records < RECORDS_MAX && json_write(&json, root));
    struct record *record = record_read((const char *)buf_data(&json), json.len, &err);
    if (record == NULL) {
        play_fail(play, "the record cannot be read: %s", err.msg);
    } else {
        play->records[play->num_records].final = final;
        play->records[play->num_records++].record = record;
    }
    buf_cleanup(&json);
}

static void take_records(struct play *play) {
    bool final;
    for (const struct obj *root; (root = session_record(play->session, &final)) != NULL;) {
        keep_record(play, root, final);
        session_record_done(play->session);
    }
}

static void deliver(struct play_side *to, const uint8_t *p, size_t p_len) {
    if (to->peer != NULL) {
        peer_feed(to->peer, p, p_len);
        peer_take(to->peer, &to->send);
    } else {
        CHECK(buf_append(&to->got, p, p_len));
    }
}

// take_spliced writes what was passed on unseen and waits for a side.
static bool take_spliced(struct play *play, enum side side) {
    struct play_side *to = &play->sides[side];
    size_t len = to->spliced.len;
    if (len == 0 || !to->open || to->stopped) {
        return false;
    }
    struct event event = {.kind = EVENT_SPLICED, .side = (enum side) !side};
    event.now_us = play->now_us;
    event.wall_ms = PKI_NOW * 1000 + play->now_us / 1000;
    event.spliced.written = len;
    deliver(to, buf_data(&to->spliced), len);
    buf_consume(&to->spliced, len);
    session_input(play->session, &event);
    return true;
}

// take_output writes what waits for a side, and returns whether there was anything.
static bool take_output(struct play *play, enum side side) {
    struct play_side *to = &play->sides[side];
    struct span out = session_output(play->session, side);
    to->most = out.len > to->most ? out.len : to->most;
    if (out.len == 0 || !to->open || to->stopped) {
        return false;
    }
    if (to->fin) {
        play_fail(play, "%zu bytes come after FIN", out.len);
        return false;
    }
    if (to->spliced.len != 0) {
        play_fail(play, "%zu bytes come before those that were spliced", out.len);
        return false;
    }
    deliver(to, out.p, out.len);
    session_output_done(play->session, side, out.len, play->now_us);
    return true;
}

static void apply(struct play *play, enum side side) {
    struct play_side *to = &play->sides[side];
    if (!to->open) {
        return;
    }
    bool pending = session_output(play->session, side).len + to->spliced.len != 0;
    if (play->wishes.reset[side]) {
        to->reset = true;
        to->open = false;
    } else if (play->wishes.close[side] && !pending) {
        to->closed = true;
        to->open = false;
    } else if (play->wishes.shutdown[side] && !pending && !to->fin) {
        to->fin = true;
    }
    if (to->peer != NULL && (!to->open || to->fin)) {
        peer_eof(to->peer);
        peer_take(to->peer, &to->send);
    }
}

// A new dial replaces the old connection of that side.
static void apply_dial(struct play *play) {
    struct play_side *server = &play->sides[SIDE_SERVER];
    if (play->wishes.dial.serial != play->dial_done) {
        play->dial_done = play->wishes.dial.serial;
        server->open = server->eof = server->eof_told = false;
        buf_cleanup(&server->send);
    }
}

static void wish(struct play *play) {
    bool moved;
    do {
        moved = take_spliced(play, SIDE_CLIENT);
        moved = take_spliced(play, SIDE_SERVER) || moved;
        moved = take_output(play, SIDE_CLIENT) || moved;
        moved = take_output(play, SIDE_SERVER) || moved;
    } while (moved);
    take_records(play);
    session_wishes(play->session, &play->wishes);
    apply_dial(play);
    apply(play, SIDE_CLIENT);
    apply(play, SIDE_SERVER);
}

// seed_write keeps an event as tests/fuzz/session_fuzz.c reads it.
static void seed_write(struct play *play, const struct event *event) {
    if (play->seed == NULL) {
        return;
    }
    fputc((int)event->kind | (int)event->side << 7, play->seed);
    switch (event->kind) {
    case EVENT_BYTES:
        fputc((int)(event->bytes.len >> 8), play->seed);
        fputc((int)(event->bytes.len & 0xff), play->seed);
        fwrite(event->bytes.p, 1, event->bytes.len, play->seed);
        return;
    case EVENT_UNRESOLVED:
        fputc((int)event->dns_error, play->seed);
        return;
    case EVENT_BROKEN:
    case EVENT_DIAL_FAILED:
        fputc(event->errnum, play->seed);
        return;
    case EVENT_TRIED:
        fputc(event->tried.errnum, play->seed);
        return;
    default:
        fputc(event->kind == EVENT_RESOLVED, play->seed);
    }
}

// seed_open begins a seed where PLAYBOOK_SEEDS names the beginning of their paths.
void seed_open(struct play *play) {
    static const char *const words[] = {"", "tunnel", "alert", "page", "refuse"};
    static int num;
    const char *seeds = getenv("PLAYBOOK_SEEDS");
    char path[512];
    if (seeds == NULL) {
        return;
    }
    snprintf(path, sizeof(path), "%s-%03d", seeds, num++);
    play->seed = fopen(path, "wb");
    CHECK(play->seed != NULL);
    size_t policy = play->setup->policy == NULL ? 0 : ARRAY_LEN(words) - 1;
    while (policy != 0 && strstr(play->setup->policy, words[policy]) == NULL) {
        policy--;
    }
    fputc((int)policy, play->seed);
}

void play_event(struct play *play, struct event event) {
    play->now_us += 1000;
    event.now_us = play->now_us;
    event.wall_ms = PKI_NOW * 1000 + play->now_us / 1000;
    seed_write(play, &event);
    session_input(play->session, &event);
    if (event.kind == EVENT_BROKEN) {
        play->sides[event.side].open = false;
    } else if (event.kind == EVENT_CONNECTED) {
        struct play_side *server = &play->sides[SIDE_SERVER];
        server->open = true;
        server->fin = server->closed = server->reset = false;
    }
    wish(play);
}

// splice_piece passes a piece on without showing it.
static void splice_piece(struct play *play, enum side side, const uint8_t *p, size_t p_len) {
    struct event event = {.kind = EVENT_SPLICED, .side = side};
    event.spliced.taken = p_len;
    CHECK(buf_append(&play->sides[!side].spliced, p, p_len));
    play->num_spliced += p_len;
    play_event(play, event);
}

// give lets a piece of what a peer has said arrive, or its FIN, and returns whether it did.
static bool give(struct play *play, enum side side) {
    struct play_side *from = &play->sides[side];
    size_t piece = play->setup->piece != 0 ? play->setup->piece : PIECE;
    if (!from->open || !play->wishes.read[side] || from->eof_told) {
        return false;
    }
    struct event event = {.kind = EVENT_BYTES, .side = side};
    uint8_t *bytes = NULL;
    if (from->send.len != 0) {
        size_t len = from->send.len < piece ? from->send.len : piece;
        // As large as the event says, so that a sanitizer sees a read past its end.
        bytes = xmalloc(len);
        memcpy(bytes, buf_data(&from->send), len);
        event.bytes = (struct span){bytes, len};
        if (side == play->setup->flip_side && play->setup->flip_at - from->given < len) {
            bytes[play->setup->flip_at - from->given] ^= play->setup->flip;
        }
        from->given += len;
        buf_consume(&from->send, len);
    } else if (from->eof) {
        event.kind = EVENT_EOF;
        from->eof_told = true;
    } else {
        return false;
    }
    if (bytes != NULL && play->wishes.splice[side]) {
        splice_piece(play, side, bytes, event.bytes.len);
    } else {
        play_event(play, event);
    }
    free(bytes);
    return true;
}

void play_settle(struct play *play) {
    bool moved;
    wish(play);
    if (play->holds) {
        return;
    }
    do {
        moved = give(play, SIDE_CLIENT);
        moved = give(play, SIDE_SERVER) || moved;
    } while (moved);
}

void play_timer(struct play *play, int64_t us) {
    int64_t until = us >= 0 ? play->now_us + us : play->wishes.deadline_us;
    if (until == INT64_MAX) {
        play_fail(play, "there is no deadline");
        return;
    }
    for (int rings = 0; play->wishes.deadline_us <= until; rings++) {
        if (rings == RINGS_MAX) {
            play_fail(play, "the timer rings for ever");
            return;
        }
        if (play->wishes.deadline_us > play->now_us) {
            play->now_us = play->wishes.deadline_us;
        }
        play_event(play, (struct event){.kind = EVENT_TIMER});
    }
    play->now_us = until > play->now_us ? until : play->now_us;
    play_settle(play);
}
