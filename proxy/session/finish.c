// The beginning and the end of a record.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "logs/record/difference.h"
#include "policy/config/network.h"
#include "policy/verdict/verdict.h"
#include "proxy/session/internal.h"
#include "proxy/session/trial.h"

const char *ip_text(char out[IP_TEXT_MAX], const struct address *address) {
    struct network network = {.bits = 128};
    memcpy(network.address, address->ip, sizeof(network.address));
    network_text(out, &network);
    return out;
}

void leg_set_ends(struct obj *leg, const struct address *peer, const struct address *local) {
    char text[IP_TEXT_MAX];
    obj_set_str(leg, F_LEG_ADDRESS, ip_text(text, peer));
    obj_set_int(leg, F_LEG_PORT, peer->port);
    if (local->port != 0) {
        obj_set_str(leg, F_LEG_LOCAL_ADDRESS, ip_text(text, local));
        obj_set_int(leg, F_LEG_LOCAL_PORT, local->port);
    }
}

// failure_word is what attempts to connect and ends of legs call `errnum` alike, or NULL.
static const char *failure_word(int errnum) {
    switch (errnum) {
    case ECONNREFUSED:
        return "refused";
    case ETIMEDOUT:
        return "timeout";
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
        return "unreachable";
    default:
        return NULL;
    }
}

static const char *tried_result(int errnum) {
    const char *word = failure_word(errnum);
    if (word != NULL) {
        return word;
    }
    return errnum == 0 ? "connected" : errnum == ECANCELED ? "abandoned" : "other";
}

void tried_add(struct obj *leg, const struct event *event) {
    char text[IP_TEXT_MAX];
    int errnum = event->tried.errnum;
    struct obj *tried = obj_add(leg, F_LEG_TRIED);
    obj_set_str(tried, F_TRIED_ADDRESS, ip_text(text, &event->tried.address));
    obj_set_str(tried, F_TRIED_RESULT, tried_result(errnum));
    if (errnum != 0 && errnum != ECANCELED) {
        obj_set_str(tried, F_TRIED_ERROR, strerror(errnum));
    }
    obj_set_int(tried, F_TRIED_MS, event->tried.us);
}

const char *end_how_errno(int errnum) {
    const char *word = failure_word(errnum);
    if (word != NULL) {
        return word;
    }
    return errnum == ECONNRESET || errnum == EPIPE ? "rst" : "error";
}

static void id_make(struct session *s) {
    uint64_t id;
    RAND_bytes((uint8_t *)&id, sizeof(id));
    obj_set_strf(s->record->root, F_RECORD_ID, "%016llx", (unsigned long long)id);
}

void record_begin(struct session *s, const char *mode) {
    s->record = record_new();
    struct obj *root = s->record->root;
    obj_set_int(root, F_RECORD_TIMESTAMP, s->wall_ms);
    if (s->shared->clock_known) {
        obj_set_int(root, F_RECORD_CLOCK_KEPT, s->shared->clock_kept);
    }
    id_make(s);
    obj_set_str(root, F_RECORD_MODE, mode);
    struct observe *client = &s->lanes[SIDE_CLIENT].observe;
    s->start_us = s->now_us;
    s->interim_us = s->now_us + s->shared->limits.interim_us;
    observe_init(client, root, false, s->start_us);
    leg_set_ends(client->leg, &s->client, &s->local);
    if (s->syn.seen) {
        syn_record(obj_sub(client->leg, F_LEG_SYN), &s->syn);
    }
    observe_step(client, STEP_FRONT, s->now_us);
}

void leg_begin_server(struct session *s) {
    observe_init(&s->lanes[SIDE_SERVER].observe, s->record->root, true, s->start_us);
    s->lanes[SIDE_SERVER].sampled = STEP_DNS;
}

// struct fact is one number of a sample, and its places in the record: in the sample, and in the
// leg, where the last one stands.
struct fact {
    enum field sample, leg;
    int64_t value;
};

// sample asks the kernel about a side and adds what it says under the name `at`.
static void sample(struct session *s, enum side side, const char *at) {
    const struct observe *observe = &s->lanes[side].observe;
    struct obj *leg = observe->leg;
    int64_t hello_us;
    if (s->sample == NULL || leg == NULL) {
        return;
    }
    struct transport t = {-1, -1, -1, -1, -1};
    s->sample(s->sample_ctx, side, &t);
    const struct fact facts[] = {
        {F_SAMPLE_RTT, F_LEG_RTT, t.rtt_us},
        {F_SAMPLE_MIN_RTT, F_LEG_MIN_RTT, t.min_rtt_us},
        {F_SAMPLE_RETRANSMITS, F_LEG_RETRANSMITS, t.retransmits},
        {F_SAMPLE_UNACKED, F_LEG_UNACKED, t.unacked},
        {F_SAMPLE_OUTQ, F_LEG_OUTQ, t.outq},
    };
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        any = any || facts[i].value >= 0;
    }
    if (!any) {
        return; // there is no connection
    }
    struct obj *row = obj_add(leg, F_LEG_SAMPLES);
    int64_t ms = s->now_us - observe->start_us;
    obj_set_str(row, F_SAMPLE_AT, at);
    obj_set_int(row, F_SAMPLE_MS, ms);
    if (obj_int(leg, F_LEG_MS_HELLO, &hello_us) && ms >= hello_us) {
        obj_set_int(row, F_SAMPLE_SINCE_HELLO, ms - hello_us);
    }
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        if (facts[i].value >= 0) {
            obj_set_int(row, facts[i].sample, facts[i].value);
            obj_set_int(leg, facts[i].leg, facts[i].value);
        }
    }
}

void legs_sample(struct session *s) {
    for (int side = 0; side < 2; side++) {
        struct lane *lane = &s->lanes[side];
        enum step step = lane->observe.step;
        const char *at = NULL;
        if (lane->observe.leg == NULL || step <= lane->sampled ||
            obj_has(lane->observe.leg, F_LEG_END_BY)) {
            continue;
        }
        if (step >= STEP_FINISHED) {
            at = lane->sampled < STEP_FINISHED ? "finished" : NULL;
        } else if (step >= STEP_ANSWER) {
            at = lane->sampled < STEP_ANSWER ? "answer" : NULL;
        } else if (step == STEP_HELLO && lane->observe.client_hello) {
            at = "hello";
        }
        if (at != NULL) {
            lane->sampled = step;
            sample(s, (enum side)side, at);
        }
    }
}

void end_set(struct session *s, enum side side, const char *by, const char *how,
             const char *detail) {
    struct observe *observe = &s->lanes[side].observe;
    if (s->record == NULL || observe->leg == NULL || obj_has(observe->leg, F_LEG_END_BY)) {
        return;
    }
    obj_set_str(observe->leg, F_LEG_END_BY, by);
    obj_set_str(observe->leg, F_LEG_END_HOW, how);
    obj_set_str(observe->leg, F_LEG_END_AT, step_name(observe->step));
    if (detail != NULL && *detail != '\0') {
        obj_set_str(observe->leg, F_LEG_END_DETAIL, detail);
    }
    observe_time(observe, F_LEG_MS_END, s->now_us);
    sample(s, side, "end");
}

void end_both(struct session *s, const char *by, const char *how, const char *detail) {
    end_set(s, SIDE_CLIENT, by, how, detail);
    end_set(s, SIDE_SERVER, by, how, detail);
}

void record_note(struct session *s) {
    if (s->shared->history != NULL) {
        history_note(s->shared->history, s->record->root);
    }
}

// record_count fills in what has been counted.
static void record_count(struct session *s) {
    for (int side = 0; side < 2; side++) {
        const struct lane *lane = &s->lanes[side];
        int64_t sent = lane->sent + (int64_t)lane_unsent(lane);
        if (lane->observe.leg == NULL || lane->received + sent == 0) {
            continue;
        }
        obj_set_int(lane->observe.leg, F_LEG_BYTES_RECEIVED, lane->received);
        obj_set_int(lane->observe.leg, F_LEG_BYTES_SENT, sent);
        if (lane_tls(lane)) {
            obj_set_int(lane->observe.leg, F_LEG_DATA_RECEIVED, lane->data_received);
            obj_set_int(lane->observe.leg, F_LEG_DATA_SENT, lane->data_sent);
        }
    }
    if (s->tap != NULL && s->lanes[SIDE_CLIENT].observe.client_hello) {
        wire_tap_finish(s->tap);
    }
}

void record_judge(struct session *s) {
    record_count(s);
    difference_record(s->record->root);
    verdict_decide_within(s->record->root, s->shared->history);
    record_note(s);
}

const struct record_policy *record_policy(const struct session *s) {
    size_t defaults = policy_num_rules(s->shared->policy) - 1;
    return s->rule != NULL ? &s->rule->record : &policy_rule(s->shared->policy, defaults)->record;
}

static struct wire_log_leg wire_leg(struct session *s, enum side side) {
    return (struct wire_log_leg){.leg = s->lanes[side].observe.leg,
                                 .policy = record_policy(s),
                                 .server_leg = side == SIDE_SERVER,
                                 .start_us = s->start_us};
}

void wires_settle(struct session *s) {
    for (int side = 0; side < 2; side++) {
        const struct wire_log_leg to = wire_leg(s, (enum side)side);
        if (to.leg != NULL) {
            wire_log_settle(&s->lanes[side].wire, &to);
        }
    }
}

static void wires_write(struct session *s, bool final) {
    for (int side = 0; side < 2; side++) {
        const struct wire_log_leg to = wire_leg(s, (enum side)side);
        if (to.leg != NULL) {
            wire_log_write(&s->lanes[side].wire, &to, final);
        }
    }
}

static void record_leave(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT], *server = &s->lanes[SIDE_SERVER];
    wire_log_cleanup(&client->wire);
    wire_log_cleanup(&server->wire);
    s->record = NULL;
    s->interim = false;
    client->observe.leg = server->observe.leg = NULL;
    client->sampled = server->sampled = STEP_DNS;
    client->received = client->data_received = client->data_sent = 0;
    client->sent = -(int64_t)lane_unsent(client); // this record has counted what waits
}

void record_discard(struct session *s) {
    record_free(s->record);
    record_leave(s);
}

// finish_again judges the record of an earlier connection once more.
static void finish_again(struct session *s, struct record *record) {
    if (record == NULL || s->num_finished == ARRAY_LEN(s->finished)) {
        record_free(record);
        return;
    }
    verdict_decide_within(record->root, s->shared->history);
    if (!trial_news(s, record)) {
        record_free(record);
        return;
    }
    s->finished[s->num_finished++] = record;
}

void record_finish(struct session *s) {
    if (s->record == NULL) {
        return;
    }
    if (s->lanes[SIDE_CLIENT].received == 0 && s->host[0] == '\0') {
        // Nothing was said: a preconnect, a health check or a port scan, and nothing to judge.
        record_discard(s);
        return;
    }
    end_both(s, "proxy", "fin", NULL);
    wires_write(s, true);
    record_count(s);
    struct record *again = trial_settle(s);
    record_judge(s);
    trial_note(s);
    CHECK(s->num_finished < ARRAY_LEN(s->finished));
    s->finished[s->num_finished++] = s->record;
    finish_again(s, again);
    record_leave(s);
}

void record_interim(struct session *s) {
    s->interim_us = INT64_MAX;
    if (s->record != NULL && s->lanes[SIDE_CLIENT].received != 0) {
        wires_write(s, false);
        record_judge(s);
        s->interim = true;
    }
}
