// The tunnel: the same bytes go on, and are watched as they pass.
#include <stdlib.h>

#include "proxy/session/emulate.h"

// Bytes of one direction after which nothing more is expected of a look at them: whoever objects to
// a handshake has done so by then.
enum { LOOKED_AT = 64 * 1024 };

static void watch(struct session *s, enum side side) {
    const struct lane *lane = &s->lanes[side];
    bool client = side == SIDE_CLIENT;
    if (s->tap == NULL) {
        return; // after a 101
    }
    if (lane->unseen) {
        wire_tap_pass(s->tap, client, lane_waiting(lane));
        return;
    }
    wire_tap_bytes(s->tap, client, buf_data(&lane->in), lane->in.len, s->now_us);
    wire_tap_bytes(s->tap, client, lane->fresh.p, lane->fresh.len, s->now_us);
}

// wire_follow tells the log of the client leg, whose wire is that of both, how far the handshake
// goes.
static void wire_follow(struct session *s) {
    struct wire_log *log = &s->lanes[SIDE_CLIENT].wire;
    for (int i = 0; i < 2 && s->tap != NULL; i++) {
        enum wire_direction direction = i == 0 ? WIRE_FROM_PEER : WIRE_TO_PEER;
        uint64_t len = s->tap->handshake_len[i];
        wire_log_sure(log, direction, len < log->total[direction] ? len : log->total[direction]);
        if (len != UINT64_MAX) {
            wire_log_data(log, direction);
        }
    }
}

// forward passes on all that waits at `from`.
static bool forward(struct session *s, enum side from) {
    if (lane_waiting(&s->lanes[from]) == 0) {
        return true;
    }
    watch(s, from);
    bool done = from == SIDE_SERVER ? emulate_answer(s) : emulate_second_hello(s);
    bool ok = done || lane_move(&s->lanes[!from], &s->lanes[from]);
    wire_follow(s);
    return ok;
}

bool tunnel_splices(const struct session *s, enum side from) {
    const struct lane *lane = &s->lanes[from], *to = &s->lanes[!from];
    if (s->valves != NULL || s->outer != NULL || s->state != STATE_TUNNEL || !to->open ||
        to->shut || lane->in.len + to->out.len != 0 ||
        wire_log_wants(&s->lanes[SIDE_CLIENT].wire)) {
        return false;
    }
    bool data = s->tap == NULL || s->lanes[SIDE_CLIENT].observe.step >= STEP_DATA;
    return lane->unseen || (data && lane->received >= LOOKED_AT);
}

void tunnel_spliced(struct session *s, enum side from, size_t n) {
    bool client = from == SIDE_CLIENT;
    s->lanes[from].unseen = true;
    wire_log_pass(&s->lanes[SIDE_CLIENT].wire, client ? WIRE_FROM_PEER : WIRE_TO_PEER, n);
    if (s->tap != NULL) {
        wire_tap_pass(s->tap, client, n);
    }
}

// tunnel_prepare makes the record that of a tunnel, and the tap that watches it.
static void tunnel_prepare(struct session *s, const char *application) {
    struct obj *root = s->record->root;
    obj_set_str(root, F_RECORD_MODE, "tunnel");
    if (application != NULL) {
        obj_set_str(root, F_RECORD_APPLICATION, application);
        observe_step(&s->lanes[SIDE_CLIENT].observe, STEP_DATA, s->now_us);
        observe_step(&s->lanes[SIDE_SERVER].observe, STEP_DATA, s->now_us);
        wire_log_data(&s->lanes[SIDE_CLIENT].wire, WIRE_FROM_PEER);
        wire_log_data(&s->lanes[SIDE_CLIENT].wire, WIRE_TO_PEER);
    }
    // Where the server spoke first, the client may still say a ClientHello, in vain.
    s->tap = xcalloc(1, sizeof(*s->tap));
    wire_tap_init(s->tap, &s->lanes[SIDE_CLIENT].observe);
}

void tunnel_begin(struct session *s, const char *application) {
    tunnel_prepare(s, application);
    tunnel_enter(s);
}

void tunnel_replace(struct session *s, size_t len, const uint8_t *p, size_t p_len) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    struct span span = lane_peek(client);
    tunnel_prepare(s, NULL);
    wire_tap_bytes(s->tap, true, span.p, len, s->now_us);
    lane_drop(client, len);
    CHECK(lane_put(&s->lanes[SIDE_SERVER], p, p_len));
    tunnel_enter(s);
}

void tunnel_go_on(struct session *s) { tunnel_enter(s); }

void tunnel_enter(struct session *s) {
    session_enter(s, STATE_TUNNEL, INT64_MAX);
    tunnel_input(s, NULL);
}

// one_ended passes the end of one direction on. A reset goes on as a reset.
static void one_ended(struct session *s, enum side side) {
    struct lane *lane = &s->lanes[side], *other = &s->lanes[!side];
    if (!lane->eof || other->shut) {
        return;
    }
    const char *by = side == SIDE_CLIENT ? "client" : "server";
    end_both(s, by, lane->closed ? "rst" : "fin", NULL);
    if (lane->closed) {
        record_finish(s);
        session_reset(s, (enum side) !side);
        session_close(s);
        return;
    }
    other->shut = true;
    s->deadline_us = s->now_us + s->shared->limits.linger_us;
}

void tunnel_input(struct session *s, const struct event *event) {
    struct lane *client = &s->lanes[SIDE_CLIENT], *server = &s->lanes[SIDE_SERVER];
    if (!forward(s, SIDE_CLIENT) || !forward(s, SIDE_SERVER)) {
        end_both(s, "proxy", "error", "more was received than could be held");
        session_close(s);
        return;
    }
    if (s->state != STATE_TUNNEL) {
        return; // an emulated box has taken over
    }
    if (event != NULL && event->kind == EVENT_TIMER) {
        session_close(s);
        return;
    }
    if (s->deadline_us != INT64_MAX) {
        s->deadline_us = s->now_us + s->shared->limits.linger_us;
    }
    one_ended(s, SIDE_CLIENT);
    if (s->state == STATE_TUNNEL) {
        one_ended(s, SIDE_SERVER);
    }
    if (s->state == STATE_TUNNEL && client->eof && server->eof) {
        session_close(s);
    }
}
