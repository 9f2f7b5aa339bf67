#include "proxy/session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/session/emulate.h"
#include "proxy/session/trial.h"
#include "proxy/session/upstream.h"

static const int64_t never = INT64_MAX;

struct session *session_new(struct session_shared *shared, const struct address *client,
                            const struct address *local, int64_t now_us, int64_t wall_ms,
                            void (*sample)(void *ctx, enum side side, struct transport *out),
                            void *sample_ctx) {
    struct session *s = xcalloc(1, sizeof(*s));
    s->shared = shared_ref(shared);
    s->client = *client;
    s->local = *local;
    s->sample = sample;
    s->sample_ctx = sample_ctx;
    s->start_us = s->now_us = now_us;
    s->wall_ms = wall_ms;
    for (int side = 0; side < 2; side++) {
        lane_init(&s->lanes[side], &s->now_us);
    }
    s->lanes[SIDE_CLIENT].open = true;
    record_begin(s, "plain");
    front_begin(s);
    return s;
}

void session_syn(struct session *s, const uint8_t *p, size_t p_len) {
    if (syn_parse(&s->syn, p, p_len)) {
        syn_record(obj_sub(s->lanes[SIDE_CLIENT].observe.leg, F_LEG_SYN), &s->syn);
    }
}

void session_free(struct session *s) {
    if (s == NULL) {
        return;
    }
    front_free(s->front);
    plain_free(s->plain);
    upstream_free(s->upstream);
    parent_free(s->parent);
    tls_layer_free(s->outer);
    free(s->valves);
    if (s->tap != NULL) {
        wire_tap_cleanup(s->tap);
        free(s->tap);
    }
    lane_cleanup(&s->lanes[SIDE_CLIENT]);
    lane_cleanup(&s->lanes[SIDE_SERVER]);
    record_free(s->record);
    for (size_t i = 0; i < s->num_finished; i++) {
        record_free(s->finished[i]);
    }
    local_free(s->local_site);
    shared_unref(s->shared);
    free(s);
}

void session_enter(struct session *s, enum state state, int64_t timeout_us) {
    CHECK(s->state != STATE_DONE);
    s->state = state;
    s->deadline_us = timeout_us == never ? never : s->now_us + timeout_us;
}

void session_dial(struct session *s, const char *host, uint16_t port) {
    bool is_address = s->host_is_address;
    parent_free(s->parent);
    tls_layer_free(s->outer);
    s->parent = NULL;
    s->outer = NULL;
    if (parent_wanted(s)) {
        parent_use(s, &host, &port, &is_address);
    }
    s->dial = (struct dial_wish){.serial = s->dial.serial + 1, .host = host, .port = port};
    s->lanes[SIDE_SERVER].closed = false;
    observe_step(&s->lanes[SIDE_SERVER].observe, is_address ? STEP_CONNECT : STEP_DNS, s->now_us);
}

void session_secret(struct session *s, enum side side, const char *line) {
    wire_log_secret(&s->lanes[side].wire, record_policy(s), line);
}

void session_reset(struct session *s, enum side side) {
    struct lane *lane = &s->lanes[side];
    lane->reset = lane->open;
    lane->open = false;
    lane_drop_unsent(lane);
}

// unsent is what a side still has to write.
static size_t unsent(const struct session *s, enum side side) {
    size_t sealed = side == SIDE_SERVER && s->outer != NULL ? tls_layer_output(s->outer).len : 0;
    return lane_unsent(&s->lanes[side]) + sealed;
}

struct valve *session_valves(struct session *s) {
    if (s->valves == NULL) {
        s->valves = xcalloc(2, sizeof(*s->valves));
        valve_init(&s->valves[SIDE_CLIENT]);
        valve_init(&s->valves[SIDE_SERVER]);
    }
    return s->valves;
}

// valves_swallow drops what a closed valve lets vanish.
static void valves_swallow(struct session *s) {
    for (int side = 0; s->valves != NULL && side < 2; side++) {
        if (valve_swallows(&s->valves[side])) {
            buf_consume(&s->lanes[side].out, s->lanes[side].out.len);
        }
    }
}

// closing_wait gives a side that still reads what waits for it the time of a slow reader, from each
// byte on, and then a short one to close.
static void closing_wait(struct session *s) {
    bool waits = unsent(s, SIDE_CLIENT) + unsent(s, SIDE_SERVER) != 0;
    const struct limits *limits = &s->shared->limits;
    s->deadline_us = s->now_us + (waits ? limits->linger_us : limits->closing_us);
}

void session_close(struct session *s) {
    if (s->state == STATE_CLOSING || s->state == STATE_DONE) {
        return;
    }
    record_finish(s);
    for (int side = 0; side < 2; side++) {
        s->lanes[side].shut = s->lanes[side].open;
    }
    s->state = STATE_CLOSING;
    closing_wait(s);
}

// closing_step ends each side whose output is written and whose peer has closed too. The server's
// side does not wait for the server.
static void closing_step(struct session *s) {
    for (int side = 0; side < 2; side++) {
        struct lane *lane = &s->lanes[side];
        lane_drop(lane, lane_waiting(lane));
        if (lane->open && unsent(s, (enum side)side) == 0 && (lane->eof || side == SIDE_SERVER)) {
            lane->closed = true;
            lane->open = false;
        }
    }
    if (!s->lanes[SIDE_CLIENT].open && !s->lanes[SIDE_SERVER].open) {
        s->state = STATE_DONE;
        s->deadline_us = never;
    }
}

// The dial's events only tell; what to do about them is the state's affair.
static void dial_observe(struct session *s, const struct event *event) {
    struct observe *observe = &s->lanes[SIDE_SERVER].observe;
    if (observe->leg == NULL) {
        return;
    }
    switch (event->kind) {
    case EVENT_RESOLVED:
        for (size_t i = 0; i < event->resolved.num; i++) {
            char text[IP_TEXT_MAX];
            const char *ip = ip_text(text, &event->resolved.addresses[i]);
            obj_add_str(observe->leg, F_LEG_DNS_ANSWERS, ip, strlen(ip));
        }
        observe_time(observe, F_LEG_MS_DNS, s->now_us);
        observe_step(observe, STEP_CONNECT, s->now_us);
        return;
    case EVENT_TRIED:
        tried_add(observe->leg, event);
        return;
    case EVENT_CONNECTED:
        leg_set_ends(observe->leg, &event->tried.address, &event->tried.local);
        s->server = event->tried.address;
        observe_time(observe, F_LEG_MS_CONNECT, s->now_us);
        s->lanes[SIDE_SERVER].open = true;
        if (s->parent != NULL && s->shared->parent.tls) {
            outer_begin(s);
        }
        return;
    default:
        return;
    }
}

static void on_bytes(struct session *s, const struct event *event) {
    struct lane *lane = &s->lanes[event->side];
    lane->received += (int64_t)event->bytes.len;
    lane->num_reads++;
    lane->fresh = event->bytes;
    if (event->side == SIDE_SERVER && s->outer == NULL) {
        observe_segment(&lane->observe, event->bytes.len);
    }
    wire_log_bytes(&lane->wire, WIRE_FROM_PEER, event->bytes.p, event->bytes.len, s->now_us);
    size_t room = sizeof(lane->head) - lane->head_len;
    size_t n = event->bytes.len < room ? event->bytes.len : room;
    if (n != 0) {
        memcpy(lane->head + lane->head_len, event->bytes.p, n);
        lane->head_len += n;
    }
}

// on_spliced counts what the other side's peer was sent without a look. A side that is gone since
// has nothing left that waits.
static void on_spliced(struct session *s, const struct event *event) {
    struct lane *from = &s->lanes[event->side], *to = &s->lanes[!event->side];
    size_t taken = event->spliced.taken, written = event->spliced.written;
    if (taken != 0) {
        from->received += (int64_t)taken;
        from->num_reads++;
        tunnel_spliced(s, event->side, taken);
    }
    if (to->open) {
        CHECK(written <= to->spliced + taken);
        to->spliced += taken - written;
        to->sent += (int64_t)written;
    }
    if (s->state == STATE_CLOSING && written != 0) {
        closing_wait(s);
    }
}

static void on_broken(struct session *s, const struct event *event) {
    struct lane *lane = &s->lanes[event->side];
    lane->open = false;
    lane->closed = true;
    lane->eof = true;
    lane->errnum = event->errnum;
    if (event->errnum == ELOOP) {
        end_both(s, "proxy", "error", strerror(ELOOP)); // it had connected to itself
    }
    lane_drop_unsent(lane);
}

static void stop(struct session *s) {
    end_both(s, "proxy", "fin", "the proxy was stopped");
    record_finish(s);
    for (int side = 0; side < 2; side++) {
        s->lanes[side].closed = s->lanes[side].open;
        s->lanes[side].open = false;
        lane_drop_unsent(&s->lanes[side]);
    }
    s->state = STATE_DONE;
    s->deadline_us = never;
}

static void closing_input(struct session *s, const struct event *event) {
    if (event->kind == EVENT_TIMER) {
        session_reset(s, SIDE_CLIENT);
        session_reset(s, SIDE_SERVER);
    }
}

static void silent_input(struct session *s, const struct event *event) {
    lane_drop(&s->lanes[SIDE_CLIENT], lane_waiting(&s->lanes[SIDE_CLIENT]));
    if (event->kind == EVENT_TIMER || event->kind == EVENT_EOF || event->kind == EVENT_BROKEN) {
        session_close(s);
    }
}

static void front_event(struct session *s, const struct event *event) {
    if (event->kind == EVENT_TIMER) {
        front_timeout(s);
    } else {
        front_input(s);
    }
}

// What each state does with an event, after the counters have been kept.
static void (*const handlers[STATE_COUNT])(struct session *s, const struct event *event) = {
    [STATE_FRONT] = front_event,       [STATE_DIALLING] = front_dialled,
    [STATE_PARENT] = parent_input,     [STATE_SNIFF] = sniff_input,
    [STATE_UPSTREAM] = upstream_input, [STATE_DOWNSTREAM] = downstream_input,
    [STATE_RELAY] = relay_input,       [STATE_TUNNEL] = tunnel_input,
    [STATE_PLAIN] = plain_input,       [STATE_LOCAL] = local_input,
    [STATE_SILENT] = silent_input,     [STATE_HELD] = emulate_held,
    [STATE_CANARY] = trial_input,      [STATE_CLOSING] = closing_input,
};

// stale returns whether an event is about a connection that the session has let go.
static bool stale(const struct session *s, const struct event *event) {
    bool of_side =
        event->kind == EVENT_BYTES || event->kind == EVENT_EOF || event->kind == EVENT_BROKEN;
    return s->state == STATE_DONE || (of_side && !s->lanes[event->side].open);
}

void session_aim(struct session *s, const char *front, const char *host, uint16_t port) {
    struct obj *root = s->record->root;
    s->greeting = GREETING_NONE;
    obj_set_str(root, F_RECORD_FRONT, front);
    if (!front_set_target(s, host, strlen(host), port)) {
        s->host[0] = '\0';
        session_close(s);
        closing_step(s);
        return;
    }
    obj_set_str(root, F_RECORD_HOST, s->host);
    obj_set_int(root, F_RECORD_PORT, s->port);
    front_go(s);
    if (s->state == STATE_CLOSING) {
        closing_step(s);
    }
}

static void input(struct session *s, const struct event *event) {
    s->now_us = event->now_us;
    s->wall_ms = event->wall_ms;
    switch (event->kind) {
    case EVENT_BYTES:
        on_bytes(s, event);
        break;
    case EVENT_SPLICED:
        on_spliced(s, event);
        break;
    case EVENT_EOF:
        s->lanes[event->side].eof = true;
        break;
    case EVENT_BROKEN:
        on_broken(s, event);
        break;
    case EVENT_STOP:
        stop(s);
        return;
    case EVENT_TIMER:
        if (s->now_us >= s->interim_us) {
            record_interim(s);
        }
        if (s->now_us < s->deadline_us) {
            return;
        }
        break;
    default:
        dial_observe(s, event);
    }
    handlers[s->state](s, event);
    legs_sample(s);
    if (s->state == STATE_CLOSING) {
        closing_step(s);
    }
    if (event->kind == EVENT_BYTES && !lane_keep(&s->lanes[event->side])) {
        end_both(s, "proxy", "error", "more was received than could be held");
        session_close(s);
    }
}

void session_input(struct session *s, const struct event *event) {
    if (stale(s, event)) {
        return;
    }
    struct event opened;
    if (s->outer != NULL && event->kind == EVENT_BYTES && event->side == SIDE_SERVER) {
        outer_open(s, &opened, event);
        event = &opened;
    }
    if (s->valves != NULL && event->kind == EVENT_BYTES) {
        valve_other_spoke(&s->valves[event->side]);
    }
    input(s, event);
    if (event == &opened && outer_ended(s)) {
        opened.kind = EVENT_EOF;
        if (!stale(s, &opened)) {
            input(s, &opened);
        }
    }
    valves_swallow(s);
    outer_seal(s);
}

struct span session_output(const struct session *s, enum side side) {
    if (side == SIDE_SERVER && s->outer != NULL) {
        return tls_layer_output(s->outer);
    }
    if (side == SIDE_SERVER && upstream_holds(s)) {
        return (struct span){NULL, 0};
    }
    const struct buf *out = &s->lanes[side].out;
    if (s->valves != NULL) {
        size_t room = valve_room(&s->valves[side], out->len, s->now_us);
        return (struct span){room == 0 ? NULL : buf_data(out), room};
    }
    return (struct span){out->len == 0 ? NULL : buf_data(out), out->len};
}

void session_output_done(struct session *s, enum side side, size_t len, int64_t now_us) {
    struct lane *lane = &s->lanes[side];
    s->now_us = now_us;
    if (side == SIDE_SERVER && s->outer != NULL) {
        tls_layer_written(s->outer, len);
    } else {
        buf_consume(&lane->out, len);
        if (s->valves != NULL) {
            valve_passed(&s->valves[side], len, now_us);
            valves_swallow(s);
        }
    }
    lane->sent += (int64_t)len;
    if (s->state == STATE_RELAY) {
        relay_pump(s);
    }
    outer_seal(s);
    if (s->state == STATE_CLOSING) {
        closing_wait(s);
        closing_step(s);
    }
}

bool session_expects_end(const struct session *s, enum side side) {
    const struct lane *lane = &s->lanes[side];
    return lane->open && lane->tls_eof && !lane->eof;
}

static bool wants_bytes(const struct session *s, enum side side) {
    const struct lane *lane = &s->lanes[side], *other = &s->lanes[!side];
    if (!lane->open || lane->eof) {
        return false;
    }
    switch (s->state) {
    case STATE_RELAY:
    case STATE_TUNNEL:
    case STATE_PLAIN:
        return lane_unsent(other) < RELAY_HIGH && other->spliced == 0 && lane->in.len < RELAY_HIGH;
    case STATE_CLOSING:
    case STATE_SILENT:
        return true;
    default:
        return lane->in.len < RELAY_HIGH;
    }
}

void session_wishes(const struct session *s, struct wishes *out) {
    *out = (struct wishes){.dial = s->dial};
    int64_t interim_us = s->record != NULL ? s->interim_us : never;
    out->deadline_us = s->deadline_us < interim_us ? s->deadline_us : interim_us;
    for (int side = 0; side < 2; side++) {
        const struct lane *lane = &s->lanes[side];
        size_t waiting = s->valves != NULL ? lane->out.len : 0; // which a valve holds
        out->read[side] = wants_bytes(s, (enum side)side);
        out->splice[side] = out->read[side] && tunnel_splices(s, (enum side)side);
        out->shutdown[side] = lane->shut && waiting == 0;
        out->close[side] = lane->closed && waiting == 0;
        out->reset[side] = lane->reset;
        if (waiting != 0) {
            int64_t open_us = valve_deadline(&s->valves[side], waiting, s->now_us);
            out->deadline_us = open_us < out->deadline_us ? open_us : out->deadline_us;
        }
    }
    if (upstream_holds(s) && s->upstream->held_until_us < out->deadline_us) {
        out->deadline_us = s->upstream->held_until_us;
    }
    out->done = s->state == STATE_DONE && s->num_finished == 0;
}

const struct obj *session_record(const struct session *s, bool *final) {
    *final = s->num_finished != 0;
    if (*final) {
        return s->finished[0]->root;
    }
    return s->interim ? s->record->root : NULL;
}

void session_record_done(struct session *s) {
    if (s->num_finished == 0) {
        s->interim = false;
        return;
    }
    record_free(s->finished[0]);
    s->num_finished--;
    memmove(s->finished, s->finished + 1, s->num_finished * sizeof(s->finished[0]));
}
