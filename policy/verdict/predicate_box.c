#include <string.h>
#include <strings.h>

#include "logs/base/check.h"
#include "policy/verdict/known_name.h"
#include "policy/verdict/predicate_fn.h"

ASK(issuer_unknown) {
    (void)row;
    static const enum predicate ways[] = {P_UNTRUSTED, P_UNKNOWN_ISSUER, P_MISSING_LINK,
                                          P_SELF_SIGNED};
    enum answer any = NO;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        any = answer_or(any, predicate_ask(view, ways[i]));
    }
    return any;
}

const char *inspector_of(const struct view *view) {
    const char *issuer = obj_str(view->up, F_LEG_ISSUER);
    return issuer != NULL ? known_name_inspector(issuer) : NULL;
}

ASK(inspector) {
    (void)row;
    return obj_has(view->up, F_LEG_ISSUER) ? answer_from(inspector_of(view) != NULL) : UNKNOWN;
}

// Names of CAs that mean "do not trust this": FortiGate's, Avast's and its kin's, Squid's, whose
// quotation mark has a backslash in a record (RFC 4514, section 2.4).
ASK(issuer_untrusted) {
    (void)row;
    static const char *const parts[] = {"fortigate untrusted ca", "shield untrusted root",
                                        "shield self-signed root", "not trusted by \\\""};
    const char *issuer = obj_str(view->up, F_LEG_ISSUER);
    for (size_t i = 0; issuer != NULL && i < ARRAY_LEN(parts); i++) {
        if (strcasestr(issuer, parts[i]) != NULL) {
            return YES;
        }
    }
    return issuer == NULL ? UNKNOWN : NO;
}

ASK(public_name) {
    (void)row;
    const char *host = obj_str(view->root, F_RECORD_HOST);
    return host == NULL ? UNKNOWN : answer_from(known_name_public_domain(host) != NULL);
}

ASK(test_defect_name) {
    (void)row;
    static const char *const hosts[] = {"expired.badssl.com", "wrong.host.badssl.com",
                                        "self-signed.badssl.com", "untrusted-root.badssl.com"};
    const char *host = obj_str(view->root, F_RECORD_HOST);
    for (size_t i = 0; host != NULL && i < ARRAY_LEN(hosts); i++) {
        if (strcasecmp(host, hosts[i]) == 0) {
            return YES;
        }
    }
    return host == NULL ? UNKNOWN : NO;
}
