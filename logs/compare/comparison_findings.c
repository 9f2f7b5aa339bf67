// What the differences mean: the table of the two vantage points.
#include "logs/compare/internal.h"

#include <string.h>

static bool answered(const struct obj *leg) { return obj_has(leg, F_LEG_ANSWER_VERSION); }

static bool has_alert(const struct obj *leg, const struct obj *alert) {
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        const struct obj *other = obj_at(leg, F_LEG_ALERTS, i);
        int64_t code = -1;
        if (obj_int(alert, F_ALERT_CODE, &code) && obj_is(other, F_ALERT_CODE, code) &&
            obj_str_is(other, F_ALERT_FROM, obj_str(alert, F_ALERT_FROM))) {
            return true;
        }
    }
    return false;
}

// alerts_from tells of alerts of `party` that arrived at `there` and were not sent at `here`.
static void alerts_from(struct obj *out, const char *party, const struct obj *here,
                        const struct obj *there, const char *places) {
    for (size_t i = 0; i < obj_num(there, F_LEG_ALERTS); i++) {
        const struct obj *alert = obj_at(there, F_LEG_ALERTS, i);
        if (obj_str_is(alert, F_ALERT_FROM, party) && !has_alert(here, alert)) {
            comparison_find(out, "alert-not-passed-on",
                            arena_printf(obj_arena(out), "An alert of the %s, %s, was seen %s.",
                                         party, obj_str(alert, F_ALERT_NAME), places));
        }
    }
}

static void answers(struct obj *out, const struct obj *a, const struct obj *b) {
    struct span x = obj_span(a, F_LEG_ANSWER_RAW), y = obj_span(b, F_LEG_ANSWER_RAW);
    if (answered(b) && !answered(a)) {
        comparison_find(
            out, "answer-lost",
            "The ServerHello that B saw never came to A: it was dropped on the way back.");
    } else if (answered(a) && !answered(b)) {
        comparison_find(out, "answer-not-from-server",
                        "A saw a ServerHello that did not pass B: somebody in between answered.");
    } else if (x.len != 0 && y.len != 0 && (x.len != y.len || memcmp(x.p, y.p, x.len) != 0)) {
        comparison_find(out, "answer-edited",
                        "The ServerHello at A is not the one at B: it was changed on the way back, "
                        "or somebody in between answered.");
    }
}

static bool ended(const struct obj *leg, const char *how, const char *by) {
    return obj_str_is(leg, F_LEG_END_HOW, how) && obj_str_is(leg, F_LEG_END_BY, by);
}

// versions tells where somebody who ended TLS speaks another version on either side.
static void versions(struct obj *out, const struct obj *a, const struct obj *b) {
    int64_t x = 0, y = 0;
    bool known = obj_int(a, F_LEG_ANSWER_VERSION, &x) && obj_int(b, F_LEG_ANSWER_VERSION, &y);
    if (known && x != y) {
        char names[2][CODEPOINT_NAME_MAX];
        comparison_find(out, x > y ? "version-laundered" : "version-capped",
                        arena_printf(obj_arena(out), "%s is spoken at A, %s at B.",
                                     codepoint_name(REGISTRY_VERSION, (uint16_t)x, names[0]),
                                     codepoint_name(REGISTRY_VERSION, (uint16_t)y, names[1])));
    }
}

void comparison_findings(struct obj *out, const struct comparison_side *a,
                         const struct comparison_side *b) {
    bool identical = obj_str_is(out, F_COMPARISON_HELLO, "identical");
    if (identical || obj_str_is(out, F_COMPARISON_HELLO, "edited")) {
        answers(out, a->leg, b->leg);
        alerts_from(out, "server", b->leg, a->leg, "at A alone: somebody in between sent it");
        alerts_from(out, "server", a->leg, b->leg, "at B alone: it never came to A");
        alerts_from(out, "client", b->leg, a->leg, "at A alone: it never came to B");
        alerts_from(out, "client", a->leg, b->leg, "at B alone: somebody in between sent it");
    }
    if (identical && ended(a->leg, "rst", "server") && ended(b->leg, "rst", "client")) {
        comparison_find(out, "reset-injected",
                        "Each side was reset by the other, which sent no reset: somebody in "
                        "between reset both.");
    }
    versions(out, a->leg, b->leg);
}
