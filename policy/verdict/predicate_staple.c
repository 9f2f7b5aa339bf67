#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

static const char *result(const struct view *view) {
    return obj_str(obj_get(view->up, F_LEG_STAPLE), F_STAPLE_RESULT);
}

// seen_none returns whether the handshake went past the place of a staple without one.
static enum answer seen_none(const struct view *view) {
    if (obj_is(view->up, F_LEG_ANSWER_STAPLE, true)) {
        return NO;
    }
    bool signature = obj_has(view->up, F_LEG_ANSWER_SIGNATURE);
    bool past = signature || view_reached(view->up, view->up_step, LEG_FINISHED) == YES;
    // TLS 1.3 on the wire hides its certificates, and a resumption has none.
    return past && obj_num(view->up, F_LEG_CHAIN) != 0 ? YES : UNKNOWN;
}

ASK(staple_is) {
    const char *found = result(view);
    if (found != NULL) {
        return answer_from(strcmp(found, row->word) == 0);
    }
    return seen_none(view) == YES ? NO : UNKNOWN;
}

ASK(staple_bad) {
    static const char *const others[] = {"good", "revoked", "missing"};
    (void)row;
    const char *found = result(view);
    if (found == NULL) {
        return seen_none(view) == YES ? NO : UNKNOWN;
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(found, others[i]) == 0) {
            return NO;
        }
    }
    return YES;
}

ASK(staple_none) {
    (void)row;
    return seen_none(view);
}

// is_borrowed: a hello with NPN and no ALPN is not curl's, whatever the User-Agent says: Squid,
// which asks for staples by habit, hands on that of its client.
static bool is_borrowed(const struct obj *offer) {
    enum { ALPN = 16, NPN = 13172 };
    return obj_has_code(offer, F_LEG_OFFER_EXTENSIONS, NPN) &&
           !obj_has_code(offer, F_LEG_OFFER_EXTENSIONS, ALPN);
}

ASK(staple_insisted) {
    (void)row;
    const char *agent = obj_str(view->root, F_RECORD_USER_AGENT);
    if (view->offer != NULL && obj_has(view->offer, F_LEG_OFFER_EXTENSIONS) &&
        !obj_is(view->offer, F_LEG_OFFER_STATUS_REQUEST, true)) {
        return NO;
    }
    // Browsers, and the libraries of systems, ask by habit; OpenSSL's clients only when told to.
    if (agent == NULL || !obj_is(view->offer, F_LEG_OFFER_STATUS_REQUEST, true) ||
        is_borrowed(view->offer)) {
        return UNKNOWN;
    }
    return strncmp(agent, "curl/", 5) == 0 ? YES : strstr(agent, "Mozilla") != NULL ? NO : UNKNOWN;
}

ASK(completed) {
    (void)row;
    const struct obj *verification = obj_get(view->up, F_LEG_VERIFICATION);
    if (obj_num(verification, F_VERIFICATION_COMPLETED_BY) != 0) {
        return YES;
    }
    return obj_has(verification, F_VERIFICATION_COMPLETED_SAYS) ? NO : UNKNOWN;
}
