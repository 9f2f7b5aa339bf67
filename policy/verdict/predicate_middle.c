#include <stdio.h>
#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/client_alert.h"
#include "policy/verdict/predicate_fn.h"

// The observer keeps no more headers of a direction than these.
enum { RECORDS_KEPT = 12, RECORD_HEADER = 5 };

// record_read reads one item of LEG.records: "type, version, length".
static bool record_read(const struct obj *leg, enum field field, size_t i, char type[static 24],
                        int *out_len) {
    struct span item = obj_item(leg, field, i);
    char text[96];
    if (item.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, item.p, item.len);
    text[item.len] = '\0';
    return sscanf(text, "%23[^,], %*[^,], %d", type, out_len) == 2;
}

// A watched leg counts the bytes of the CONNECT as well, and one through a parent proxy those of
// the parent.
ASK(up_torn) {
    (void)row;
    bool ours = view->mode == MODE_INTERCEPT || view->mode == MODE_PROBE;
    size_t num = obj_num(view->up, F_LEG_RECORDS_SERVER);
    int64_t received, whole = 0;
    if (!ours || num == 0 || num >= RECORDS_KEPT || obj_has(view->root, F_RECORD_PARENT_HOST) ||
        !obj_int(view->up, F_LEG_BYTES_RECEIVED, &received)) {
        return UNKNOWN;
    }
    for (size_t i = 0; i < num; i++) {
        char type[24];
        int len;
        if (!record_read(view->up, F_LEG_RECORDS_SERVER, i, type, &len)) {
            return UNKNOWN;
        }
        whole += RECORD_HEADER + len;
    }
    return answer_from(received != whole);
}

static enum answer clear(const struct obj *leg) {
    int64_t version;
    return obj_int(leg, F_LEG_ANSWER_VERSION, &version) ? answer_from(version < 0x0304) : UNKNOWN;
}

ASK(up_clear) {
    (void)row;
    return clear(view->up);
}

ASK(down_clear) {
    (void)row;
    return clear(view->down);
}

ASK(up_resent) {
    (void)row;
    int64_t resent;
    return obj_int(view->up, F_LEG_RETRANSMITS, &resent) ? answer_from(resent > 0) : UNKNOWN;
}

// A capture has the TTL of the SYN of either end and of the reset.
ASK(rst_ttl_odd) {
    (void)row;
    const struct obj *leg = view->up;
    const char *by = obj_str(leg, F_LEG_END_BY);
    int64_t syn, rst;
    if (by == NULL || !obj_str_is(leg, F_LEG_END_HOW, "rst")) {
        return UNKNOWN;
    }
    const struct obj *end = obj_get(leg, strcmp(by, "server") == 0 ? F_LEG_SYN_ACK : F_LEG_SYN);
    if (!obj_int(leg, F_LEG_RST_TTL, &rst) || !obj_int(end, F_SYN_TTL, &syn)) {
        return UNKNOWN;
    }
    return answer_from(rst != syn);
}

// mac_late returns whether an alert bad_record_mac on `leg` came when data had flowed.
static enum answer mac_late(const struct obj *leg) {
    int64_t code;
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        const struct obj *alert = obj_at(leg, F_LEG_ALERTS, i);
        if (obj_int(alert, F_ALERT_CODE, &code) && code == 20 &&
            obj_str_is(alert, F_ALERT_AFTER, "data")) {
            return YES;
        }
    }
    return obj_has(leg, F_LEG_END_HOW) ? NO : UNKNOWN;
}

ASK(mac_in_data) {
    (void)row;
    enum answer up = mac_late(view->up), down = mac_late(view->down);
    return view->up == NULL ? down : view->down == NULL ? up : answer_or(up, down);
}

// An alert is two bytes, one for its type and sixteen for the tag: no Finished is so short.
ASK(hidden_alert) {
    (void)row;
    enum { ALERT_RECORD = 2 + 1 + 16 };
    enum answer old = clear(view->up);
    if (view->mode != MODE_WIRE || old != NO) {
        return view->mode == MODE_UNKNOWN || old == UNKNOWN ? UNKNOWN : NO;
    }
    for (size_t i = 0; i < obj_num(view->client, F_LEG_RECORDS_CLIENT); i++) {
        char type[24];
        int len;
        if (!record_read(view->client, F_LEG_RECORDS_CLIENT, i, type, &len)) {
            return UNKNOWN;
        }
        if (strcmp(type, "application_data") == 0) {
            return answer_from(len == ALERT_RECORD);
        }
    }
    return obj_has(view->client, F_LEG_RECORDS_CLIENT) ? NO : UNKNOWN;
}

// is_among returns whether `value` is one of the words of `words`, which are separated by spaces.
static bool is_among(const char *words, const char *value) {
    size_t len = strlen(value);
    for (const char *p = words; (p = strstr(p, value)) != NULL; p += len) {
        if ((p == words || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0')) {
            return true;
        }
    }
    return false;
}

// A watcher counts the hidden part of a TLS 1.3 handshake as data; the observer knew better.
ASK(ended_at) {
    const char *at = obj_str(view->down, F_LEG_END_AT);
    return at == NULL ? UNKNOWN : answer_from(is_among(row->word, at));
}

ASK(noted) {
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_NOTES); i++) {
        const struct obj *note = obj_at(view->root, F_RECORD_NOTES, i);
        const char *id = obj_str(note, F_NOTE_ID);
        if (id != NULL && is_among(row->word, id) && obj_str_is(note, F_NOTE_LEG, "client")) {
            return YES;
        }
    }
    return obj_has(view->down, F_LEG_END_AT) ? NO : UNKNOWN;
}

ASK(left_unused) {
    enum answer shown = view_reached(view->down, view->down_step, LEG_ANSWER);
    enum answer unused = answer_not(ask_client_data(view, row));
    return answer_and(ask_down_left(view, row), answer_and(shown, unused));
}

ASK(client_quiet) {
    (void)row;
    enum client_stack stack;
    if (!client_stack_of(&stack, obj_str(view->root, F_RECORD_USER_AGENT))) {
        return UNKNOWN;
    }
    const struct client_alert *alert = client_alert(stack, CLIENT_VERDICT_UNTRUSTED);
    bool quiet = alert->codes[0] == CLIENT_CLOSES, either = alert->codes[1] == CLIENT_CLOSES;
    return alert->source == SOURCE_UNKNOWN || quiet != either ? UNKNOWN : answer_from(quiet);
}
