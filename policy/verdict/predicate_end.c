#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

static bool has_code(const struct predicate_row *row, int64_t code) {
    for (size_t i = 0; row->codes[i] != -1; i++) {
        if (row->codes[i] == code) {
            return true;
        }
    }
    return false;
}

// coded returns whether the first alert of a peer has one of the codes of `row`.
static enum answer coded(const struct alert_seen *seen, const struct predicate_row *row) {
    int64_t code;
    if (seen->obj == NULL) {
        return seen->sent == NO ? NO : UNKNOWN;
    }
    enum answer codes = UNKNOWN;
    if (obj_int(seen->obj, F_ALERT_CODE, &code)) {
        codes = answer_from(has_code(row, code));
    }
    return seen->doubt && codes == YES ? UNKNOWN : codes;
}

// alert_early returns whether the server's alert came before its ServerHello.
static enum answer alert_early(const struct view *view) {
    if (view->server_alert.after != LEG_UNKNOWN) {
        return answer_from(view->server_alert.after < LEG_ANSWER);
    }
    return answer_not(view_reached(view->up, view->up_step, LEG_ANSWER));
}

ASK(up_alert) {
    enum answer code = coded(&view->server_alert, row);
    return code == NO ? NO : answer_and(code, alert_early(view));
}

ASK(up_alert_ever) { return coded(&view->server_alert, row); }

ASK(up_alert_unasked) {
    (void)row;
    if (view->server_alert.sent != YES) {
        return view->server_alert.sent;
    }
    return view->mode != MODE_INTERCEPT || view->server_alert.after == LEG_UNKNOWN
               ? UNKNOWN
               : answer_from(view->server_alert.after < LEG_HELLO);
}

// silent_after_data answers for an alert that came when data had flowed: it still belongs to the
// handshake when none of the data came from the alert's sender.
static enum answer silent_after_data(const struct obj *leg, enum field field) {
    int64_t bytes;
    return obj_int(leg, field, &bytes) ? answer_from(bytes == 0) : UNKNOWN;
}

ASK(up_alert_late) {
    enum answer code = coded(&view->server_alert, row);
    if (code != YES) {
        return code;
    }
    if (view->server_alert.after == LEG_DATA && !has_code(row, 116)) {
        bool wire = view->mode == MODE_WIRE;
        return silent_after_data(view->up, wire ? F_LEG_DATA_SENT : F_LEG_DATA_RECEIVED);
    }
    return answer_not(alert_early(view));
}

ASK(down_alert) {
    enum answer code = coded(&view->client_alert, row);
    if (code != YES) {
        return code;
    }
    switch (view->client_alert.after) {
    case LEG_ANSWER:
    case LEG_CERTIFICATE:
    case LEG_FINISHED:
        return YES;
    case LEG_DATA:
        return silent_after_data(view->down, F_LEG_DATA_RECEIVED);
    case LEG_UNKNOWN:
        return answer_and(view_reached(view->down, view->down_step, LEG_ANSWER),
                          answer_not(ask_client_data(view, row)));
    default:
        return NO;
    }
}

ASK(up_alerted) {
    (void)row;
    return view->server_alert.sent;
}

ASK(down_alerted) {
    (void)row;
    return view->client_alert.sent;
}

// leg_alerted returns whether there was any error alert on `leg`, whoever sent it.
static enum answer leg_alerted(const struct obj *leg, const struct alert_seen *a,
                               const struct alert_seen *b) {
    if (leg == NULL) {
        return NO;
    }
    if (a->obj != NULL || b->obj != NULL || a->doubt || b->doubt) {
        return YES;
    }
    const char *how = obj_str(leg, F_LEG_END_HOW);
    return how == NULL ? UNKNOWN : answer_from(strcmp(how, "alert") == 0);
}

ASK(any_alert) {
    (void)row;
    if (view->up == NULL && view->down == NULL) {
        return UNKNOWN;
    }
    return answer_or(leg_alerted(view->up, &view->server_alert, &view->proxy_alert_up),
                     leg_alerted(view->down, &view->client_alert, &view->proxy_alert_down));
}

static enum answer detail(const struct obj *leg, const char *words) {
    const char *text = obj_str(leg, F_LEG_END_DETAIL);
    enum answer any = text == NULL ? UNKNOWN : NO;
    for (const char *w = words; text != NULL && *w != '\0'; w += strspn(w, " ")) {
        char word[48];
        size_t len = strcspn(w, " ");
        CHECK(len < sizeof(word));
        memcpy(word, w, len);
        word[len] = '\0';
        any = answer_or(any, answer_from(word_in(text, word)));
        w += len;
    }
    return any;
}

ASK(up_detail) { return detail(view->up, row->word); }

ASK(down_detail) { return detail(view->down, row->word); }

// ended compares who ended a leg and how with "who how".
static enum answer ended(const struct obj *leg, const char *word) {
    const char *by = obj_str(leg, F_LEG_END_BY), *how = obj_str(leg, F_LEG_END_HOW);
    size_t who_len = strcspn(word, " ");
    if (how != NULL && strcmp(how, word + who_len + 1) != 0) {
        return NO;
    }
    if (by != NULL && (strlen(by) != who_len || memcmp(by, word, who_len) != 0)) {
        return NO;
    }
    return by == NULL || how == NULL ? UNKNOWN : YES;
}

ASK(up_ended) { return ended(view->up, row->word); }

ASK(down_ended) { return ended(view->down, row->word); }

ASK(up_left) {
    (void)row;
    return answer_or(ended(view->up, "server fin"), ended(view->up, "server rst"));
}

ASK(down_gone) {
    (void)row;
    return answer_or(ended(view->down, "client fin"), ended(view->down, "client rst"));
}

ASK(down_left) {
    enum answer alert = ask_down_alerted(view, row);
    return answer_and(ask_down_gone(view, row), answer_not(alert));
}

ASK(down_reached) {
    return view_reached(view->down, view->down_step, (enum leg_step)row->codes[0]);
}

ASK(up_reached) { return view_reached(view->up, view->up_step, (enum leg_step)row->codes[0]); }

// stopped_at returns whether the last step of an ended leg is one of the codes of `row`.
static enum answer stopped_at(const struct obj *leg, enum leg_step step,
                              const struct predicate_row *row) {
    return obj_has(leg, F_LEG_END_AT) ? answer_from(has_code(row, step)) : UNKNOWN;
}

ASK(up_stopped_at) { return stopped_at(view->up, view->up_step, row); }

ASK(down_stopped_at) { return stopped_at(view->down, view->down_step, row); }

ASK(answered) {
    (void)row;
    if (obj_has(view->up, F_LEG_ANSWER_FIRST_KIND)) {
        return NO;
    }
    if (view->mode == MODE_INTERCEPT && view->server == NULL) {
        return obj_has(view->client, F_LEG_END_AT) ? NO : UNKNOWN;
    }
    return view_reached(view->up, view->up_step, LEG_ANSWER);
}

ASK(retried) {
    (void)row;
    if (obj_has(view->up, F_LEG_ANSWER_RETRY) || obj_has(view->up, F_LEG_OFFER_RAW_2)) {
        return YES;
    }
    return obj_has(view->up, F_LEG_END_AT) ? NO : UNKNOWN;
}

ASK(hello_cut) {
    (void)row;
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_NOTES); i++) {
        const struct obj *note = obj_at(view->root, F_RECORD_NOTES, i);
        bool cut = obj_str_is(note, F_NOTE_ID, "ch-truncated") ||
                   obj_str_is(note, F_NOTE_ID, "hs-truncated") ||
                   obj_str_is(note, F_NOTE_ID, "rec-truncated");
        if (cut && obj_str_is(note, F_NOTE_LEG, "client")) {
            return view_reached(view->down, view->down_step, LEG_ANSWER) == YES ? NO : YES;
        }
    }
    // A hello with its list of extensions came to its end.
    return obj_has(view->down, F_LEG_OFFER_EXTENSIONS) || obj_has(view->down, F_LEG_END_AT)
               ? NO
               : UNKNOWN;
}

ASK(hello_seen) {
    (void)row;
    static const enum field traces[] = {F_LEG_OFFER_CIPHERS,    F_LEG_OFFER_RAW,
                                        F_LEG_OFFER_VERSIONS,   F_LEG_MS_HELLO,
                                        F_LEG_OFFER_EXTENSIONS, F_LEG_OFFER_SIZE};
    for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
        if (obj_has(view->down, traces[i])) {
            return YES;
        }
    }
    if (view->down_step > LEG_HELLO) {
        return YES;
    }
    // A leg that still waits for its ClientHello stands at the hello, too.
    return obj_has(view->down, F_LEG_END_AT) ? NO : UNKNOWN;
}

// server_moment returns when the server's leg came to its end or met its alert, in microseconds.
static bool server_moment(const struct view *view, int64_t *out) {
    return obj_int(view->server_alert.obj, F_ALERT_MS, out) || obj_int(view->up, F_LEG_MS_END, out);
}

ASK(client_left_first) {
    (void)row;
    if (view->mode != MODE_INTERCEPT) {
        return view->mode == MODE_UNKNOWN ? UNKNOWN : NO;
    }
    enum answer waiting = answer_not(view_reached(view->down, view->down_step, LEG_ANSWER));
    const char *by = obj_str(view->down, F_LEG_END_BY);
    if (waiting == NO || (by != NULL && strcmp(by, "client") != 0)) {
        return NO;
    }
    if (by == NULL || waiting == UNKNOWN) {
        return UNKNOWN;
    }
    if (obj_str_is(view->up, F_LEG_END_BY, "client")) {
        return YES; // the server's leg ended because the client was gone
    }
    int64_t left, failed;
    if (!obj_int(view->down, F_LEG_MS_END, &left) || !server_moment(view, &failed)) {
        return UNKNOWN;
    }
    return answer_from(left < failed);
}

// waited returns whether `leg` went on for `ms` milliseconds after `from`.
static enum answer waited(const struct obj *leg, enum field from, int64_t ms) {
    int64_t began, left;
    if (!obj_int(leg, from, &began) || !obj_int(leg, F_LEG_MS_END, &left)) {
        return UNKNOWN;
    }
    return answer_from(left - began >= ms * 1000);
}

ASK(client_waited) { return waited(view->down, F_LEG_MS_HELLO, row->codes[0]); }

ASK(server_waited) { return waited(view->up, F_LEG_MS_CONNECT, row->codes[0]); }

static enum answer acknowledged(const struct obj *leg) {
    int64_t outq;
    return obj_int(leg, F_LEG_OUTQ, &outq) ? answer_from(outq == 0) : UNKNOWN;
}

ASK(hello_acknowledged) {
    (void)row;
    return acknowledged(view->up);
}

ASK(down_acknowledged) {
    (void)row;
    return acknowledged(view->down);
}

// left_early returns whether the client went before it sent data, which it does at what it
// dislikes.
static bool left_early(const struct view *view) {
    const char *by = obj_str(view->down, F_LEG_END_BY), *at = obj_str(view->down, F_LEG_END_AT);
    return by != NULL && at != NULL && strcmp(by, "client") == 0 &&
           (strcmp(at, "answer") == 0 || strcmp(at, "certificate") == 0 ||
            (strcmp(at, "hello") == 0 && obj_has(view->root, F_RECORD_EMULATION_ACTION)));
}

ASK(emulation_shows) {
    (void)row;
    if (!obj_has(view->root, F_RECORD_EMULATION_PROFILE)) {
        return UNKNOWN;
    }
    return answer_from(view->client_alert.obj != NULL || view->server_alert.obj != NULL ||
                       left_early(view));
}
