#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

// Windows sends its first segment with a TTL of 128, all others that browsers run on with 64.
ASK(syn_misfit) {
    (void)row;
    const char *agent = obj_str(view->root, F_RECORD_USER_AGENT);
    int64_t ttl;
    if (agent == NULL || !obj_int(obj_get(view->client, F_LEG_SYN), F_SYN_INITIAL_TTL, &ttl) ||
        (ttl != 64 && ttl != 128)) {
        return UNKNOWN;
    }
    if (strcasestr(agent, "windows nt") != NULL) {
        return answer_from(ttl != 128);
    }
    static const char *const others[] = {"mac os x", "iphone", "ipad", "android", "x11; linux"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcasestr(agent, others[i]) != NULL) {
            return answer_from(ttl == 128);
        }
    }
    return UNKNOWN;
}

const char *via_inspector_of(const struct view *view) {
    static const struct {
        const char *part, *product;
    } inspectors[] = {
#define VIA_INSPECTOR(part, product) {part, product},
#include "policy/verdict/via_inspectors.inc"
#undef VIA_INSPECTOR
    };
    const char *via = obj_str(view->root, F_RECORD_VIA);
    for (size_t i = 0; via != NULL && i < ARRAY_LEN(inspectors); i++) {
        if (strcasestr(via, inspectors[i].part) != NULL) {
            return inspectors[i].product;
        }
    }
    return NULL;
}

ASK(via_inspector) {
    (void)row;
    return obj_has(view->root, F_RECORD_VIA) ? answer_from(via_inspector_of(view) != NULL)
                                             : UNKNOWN;
}

// Boxes backdate by whole days, for clocks that are behind.
ASK(leaf_minted) {
    (void)row;
    enum { DAY = 86400, DAYS_MAX = 2, AROUND = 120, WEEK = 7, MONTH = 30, CLOSE = 10 };
    int64_t now_ms, begins;
    if (!obj_int(view->root, F_RECORD_TIMESTAMP, &now_ms) ||
        !obj_int(view->up, F_LEG_NOT_BEFORE, &begins)) {
        return UNKNOWN;
    }
    int64_t age = now_ms / 1000 - begins;
    for (int days = 0; days <= DAYS_MAX; days++) {
        if (llabs((long long)(age - (int64_t)days * DAY)) <= AROUND) {
            return YES;
        }
    }
    // Further back, where many certificates begin, only to the second: Privoxy's, 30 days ago.
    bool exact = llabs((long long)(age - (int64_t)WEEK * DAY)) <= CLOSE ||
                 llabs((long long)(age - (int64_t)MONTH * DAY)) <= CLOSE;
    return answer_from(exact);
}

ASK(serial_short) {
    (void)row;
    enum { SHORT_DIGITS = 8 };
    const struct obj *leaf =
        obj_num(view->up, F_LEG_CHAIN) != 0 ? obj_at(view->up, F_LEG_CHAIN, 0) : NULL;
    const char *serial = obj_str(leaf, F_CERT_SERIAL);
    if (serial == NULL) {
        return UNKNOWN;
    }
    return answer_from(strlen(serial + strspn(serial, "0")) <= SHORT_DIGITS);
}

// Below some milliseconds the machine's own work counts for more than the way.
ASK(answer_slow) {
    (void)row;
    enum { ROUND_TRIPS = 10, LEAST_US = 50000 };
    int64_t hello, answer, rtt;
    if (!obj_int(view->up, F_LEG_MS_HELLO, &hello) ||
        !obj_int(view->up, F_LEG_MS_ANSWER, &answer) || !obj_int(view->up, F_LEG_MIN_RTT, &rtt)) {
        return UNKNOWN;
    }
    return answer_from(answer - hello >= LEAST_US && answer - hello >= ROUND_TRIPS * rtt);
}

ASK(alpn_unanswered) {
    const struct obj *leg = view->up;
    if (!obj_has(leg, F_LEG_OFFER_ALPN) || ask_established(view, row) != YES) {
        return UNKNOWN;
    }
    bool both =
        obj_has_str(leg, F_LEG_OFFER_ALPN, "h2") && obj_has_str(leg, F_LEG_OFFER_ALPN, "http/1.1");
    return answer_from(both && !obj_has(leg, F_LEG_TLS_NEXT_PROTOCOL));
}

// offers_modern returns whether a hello holds what every server of today would choose from.
static bool offers_modern(const struct obj *leg) {
    return obj_has_code(leg, F_LEG_OFFER_VERSIONS, 0x0303) &&
           obj_has_code(leg, F_LEG_OFFER_CIPHERS, 0xc02f) &&
           obj_has_code(leg, F_LEG_OFFER_CIPHERS, 0xc02b) &&
           obj_has_code(leg, F_LEG_OFFER_GROUPS, 0x0017);
}

ASK(answer_retired) {
    (void)row;
    int64_t version, suite;
    const struct obj *leg = view->up;
    if (!obj_int(leg, F_LEG_ANSWER_VERSION, &version) || !obj_int(leg, F_LEG_TLS_CIPHER, &suite) ||
        !obj_has(leg, F_LEG_OFFER_VERSIONS)) {
        return UNKNOWN;
    }
    char name[CODEPOINT_NAME_MAX];
    const char *words = codepoint_name(REGISTRY_CIPHER, (uint16_t)suite, name);
    bool secret = version >= 0x0304 || strstr(words, "DHE_") != NULL;
    return answer_from(offers_modern(leg) && (version < 0x0303 || !secret));
}

// issuer_drawn returns the issuer of the first certificate that a probe drew, or NULL.
static const char *issuer_drawn(const struct view *view, const char *probe) {
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *experiment = obj_at(view->root, F_RECORD_EXPERIMENTS, i);
        const char *issuer = obj_str(obj_get(experiment, F_EXPERIMENT_LEG), F_LEG_ISSUER);
        if (issuer != NULL && obj_str_is(experiment, F_EXPERIMENT_PROBE, probe)) {
            return issuer;
        }
    }
    return NULL;
}

ASK(replay_issuer_differs) {
    (void)row;
    const char *replay = issuer_drawn(view, "replay"), *base = issuer_drawn(view, "base");
    base = base != NULL ? base : obj_str(view->up, F_LEG_ISSUER);
    return replay == NULL || base == NULL ? UNKNOWN : answer_from(strcmp(replay, base) != 0);
}
