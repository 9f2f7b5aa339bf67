#include <string.h>

#include "policy/verdict/predicate_fn.h"

enum { SECONDS_A_DAY = 24 * 60 * 60 };

// When the tables of this program were written, the first of 2025: no clock that is right says
// less, and what had ended by then has ended for certain.
static const int64_t written = 1735689600;

static bool now_seconds(const struct view *view, int64_t *out) {
    if (!obj_int(view->root, F_RECORD_TIMESTAMP, out)) {
        return false;
    }
    *out /= 1000;
    return true;
}

// staple_time returns when a staple whose signature is good was signed, or 0.
static int64_t staple_time(const struct view *view) {
    const struct obj *staple = obj_get(view->up, F_LEG_STAPLE);
    int64_t at;
    bool good = obj_str_is(staple, F_STAPLE_SIGNATURE, "good");
    return good && obj_int(staple, F_STAPLE_PRODUCED_AT, &at) ? at : 0;
}

// least_time returns the latest of the times that are known to have passed.
static int64_t least_time(const struct view *view) {
    int64_t least = written, after, staple = staple_time(view);
    if (obj_int(view->history, F_HISTORY_CLOCK_AFTER, &after) && after > least) {
        least = after;
    }
    return staple > least ? staple : least;
}

ASK(leaf_untimely) {
    (void)row;
    return answer_or(predicate_ask(view, P_EXPIRED), predicate_ask(view, P_EARLY));
}

ASK(end_proven) {
    (void)row;
    int64_t end;
    if (!obj_int(view->up, F_LEG_NOT_AFTER, &end)) {
        return UNKNOWN;
    }
    return least_time(view) > end ? YES : view->history != NULL ? NO : UNKNOWN;
}

ASK(signed_later) {
    (void)row;
    int64_t now, at;
    if (!now_seconds(view, &now)) {
        return UNKNOWN;
    }
    int64_t latest = staple_time(view) > written ? staple_time(view) : written;
    for (size_t i = 0; i < obj_num(view->up, F_LEG_SCTS); i++) {
        if (obj_int(obj_at(view->up, F_LEG_SCTS, i), F_SCT_TIME, &at) && at / 1000 > latest) {
            latest = at / 1000;
        }
    }
    return answer_from(latest - now > SECONDS_A_DAY);
}

ASK(dates_far) {
    int64_t now, begin, end, far = (int64_t)row->codes[0] * SECONDS_A_DAY;
    if (!now_seconds(view, &now) || !obj_int(view->up, F_LEG_NOT_BEFORE, &begin) ||
        !obj_int(view->up, F_LEG_NOT_AFTER, &end)) {
        return UNKNOWN;
    }
    return answer_from(now - end > far || begin - now > far);
}

ASK(clock_kept) {
    (void)row;
    int64_t kept;
    return obj_int(view->root, F_RECORD_CLOCK_KEPT, &kept) ? answer_from(kept != 0) : UNKNOWN;
}

// client_elsewhere is NO for a client on the proxy's machine, which has the proxy's clock.
static enum answer client_elsewhere(const struct view *view) {
    const char *address = obj_str(view->client, F_LEG_ADDRESS);
    const char *own = obj_str(view->client, F_LEG_LOCAL_ADDRESS);
    if (address == NULL) {
        return UNKNOWN;
    }
    return answer_from(!address_loopback(address) && (own == NULL || strcmp(own, address) != 0));
}

ASK(client_dates_alike) { return answer_and(client_elsewhere(view), ask_down_alert(view, row)); }

// try_alerted returns whether the client ended a try named as the row says with one of its codes.
static enum answer try_alerted(const struct view *view, const struct predicate_row *row) {
    enum answer any = NO;
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *run = obj_at(view->root, F_RECORD_EXPERIMENTS, i);
        const struct obj *leg = obj_get(run, F_EXPERIMENT_LEG);
        if (!obj_str_is(run, F_EXPERIMENT_PROBE, row->word) ||
            !obj_str_is(run, F_EXPERIMENT_RESULT, "alert")) {
            continue;
        }
        int64_t code;
        const struct obj *alert =
            obj_num(leg, F_LEG_ALERTS) != 0 ? obj_at(leg, F_LEG_ALERTS, 0) : NULL;
        bool told = obj_int(alert, F_ALERT_CODE, &code);
        any = answer_or(any, told ? answer_from(code == row->codes[0]) : UNKNOWN);
    }
    return any;
}

ASK(refused_not_untrusted) {
    enum answer code = answer_or(ask_down_alert(view, row), try_alerted(view, row));
    return answer_and(code, predicate_ask(view, P_OFFER_SAYS_48));
}
