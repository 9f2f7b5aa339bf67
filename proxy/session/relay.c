// Both legs are established: what one says is told to the other.
#include "proxy/session/http.h"
#include "proxy/session/internal.h"

enum { PIECE = 16 * 1024 };

// data_ended passes the end of the peer's data on: its close_notify as ours, TLS's own half-close
// (RFC 8446 section 6.1), and a FIN without one as such.
static void data_ended(struct session *s, enum side from, bool notified) {
    struct lane *to = &s->lanes[!from];
    s->lanes[from].tls_eof = true;
    end_both(s, from == SIDE_CLIENT ? "client" : "server", "fin",
             notified ? NULL : "without close_notify");
    if (notified && to->open) {
        lane_say_closed(to);
    }
    s->deadline_us = s->now_us + s->shared->limits.linger_us;
}

// leg_failed ends both legs after an alert, a broken record or a broken connection, and lets the
// other side feel the same.
static void leg_failed(struct session *s, enum side from) {
    struct lane *lane = &s->lanes[from], *to = &s->lanes[!from];
    const char *by = from == SIDE_CLIENT ? "client" : "server";
    char reason[128];
    lane_reason(lane, reason, sizeof(reason));
    if (lane->peer_alert > 0) {
        end_both(s, by, "alert", reason);
        lane_alert(to, (uint8_t)lane->peer_alert);
    } else if (lane->closed) {
        end_both(s, by, end_how_errno(lane->errnum), NULL);
        record_finish(s);
        session_reset(s, (enum side) !from);
    } else {
        end_both(s, "proxy", "alert", reason);
        lane_alert(to, SSL_AD_INTERNAL_ERROR);
    }
    session_close(s);
}

// agent_take keeps the User-Agent of the client's first request, where the CONNECT had none, and
// nothing else of it. A head that does not come in one piece, or is HTTP/2, is passed by.
static void agent_take(struct session *s, const uint8_t *p, size_t p_len) {
    char agent[USER_AGENT_MAX];
    struct http http;
    if (obj_has(s->record->root, F_RECORD_USER_AGENT)) {
        return;
    }
    http_init(&http, HTTP_REQUEST, false);
    if (http_feed(&http, p, &p_len) == MESSAGE_HEAD &&
        http_header(&http, "User-Agent", agent, sizeof(agent))) {
        obj_set_str(s->record->root, F_RECORD_USER_AGENT, agent);
    }
    http_cleanup(&http);
}

static void piece_pass(struct session *s, enum side from, const uint8_t *p, int len) {
    struct lane *lane = &s->lanes[from], *to = &s->lanes[!from];
    observe_step(&lane->observe, STEP_DATA, s->now_us);
    if (from == SIDE_CLIENT && lane->data_received == len) {
        agent_take(s, p, (size_t)len);
        record_note(s); // a spare connection that ends now finds its sibling
    }
    if (to->open) {
        (void)lane_write(to, p, (size_t)len);
    }
    if (lane->data_received == len && to->data_received != 0) {
        wires_settle(s); // what opens the data of both is not kept
    }
}

// pump_from moves plaintext until there is no more, or until the other side has enough to write.
static void pump_from(struct session *s, enum side from) {
    struct lane *lane = &s->lanes[from], *to = &s->lanes[!from];
    uint8_t piece[PIECE];
    if (s->state == STATE_RELAY && !lane->tls_eof && to->out.len < RELAY_HIGH) {
        // What comes out is about as long as what came in, and the end of a piece that was here
        // before: room for it is made once.
        size_t waiting = lane_waiting(lane);
        if (waiting != 0) {
            (void)!buf_reserve(&to->out, waiting > PIECE ? waiting + PIECE : waiting);
        }
    }
    while (s->state == STATE_RELAY && !lane->tls_eof && to->out.len < RELAY_HIGH &&
           lane_may_read(lane)) {
        int n = lane_read(lane, piece, sizeof(piece));
        if (n > 0) {
            piece_pass(s, from, piece, n);
            continue;
        }
        switch (lane_read_state(lane, n)) {
        case LANE_READ_MORE:
            return;
        case LANE_READ_CLOSED:
            data_ended(s, from, true);
            return;
        case LANE_READ_FAILED:
            if (lane->eof && !lane->closed && lane->peer_alert < 0) {
                data_ended(s, from, false);
                return;
            }
            leg_failed(s, from);
            return;
        }
    }
}

void relay_pump(struct session *s) {
    pump_from(s, SIDE_CLIENT);
    pump_from(s, SIDE_SERVER);
    if (s->state != STATE_RELAY) {
        return;
    }
    for (int side = 0; side < 2; side++) {
        const struct lane *lane = &s->lanes[side];
        if (lane->eof && lane->tls_eof) {
            s->lanes[!side].shut = true;
        }
    }
    if (s->lanes[SIDE_CLIENT].tls_eof && s->lanes[SIDE_SERVER].tls_eof) {
        session_close(s);
    }
}

void relay_begin(struct session *s) {
    session_enter(s, STATE_RELAY, INT64_MAX);
    if (s->profile == NULL) {
        front_free(s->front); // only a box's reactions may still ask for it
        s->front = NULL;
    }
    relay_pump(s);
    if (s->state == STATE_RELAY) {
        wires_settle(s);
    }
}

void relay_input(struct session *s, const struct event *event) {
    if (event->kind == EVENT_TIMER) {
        session_close(s);
        return;
    }
    if (s->deadline_us != INT64_MAX) {
        s->deadline_us = s->now_us + s->shared->limits.linger_us;
    }
    relay_pump(s);
}
