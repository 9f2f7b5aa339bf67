#include <string.h>
#include <strings.h>

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

// Parts of the issuer, in lower case, are separated by |.
ASK(issuer_named) { return mentions(obj_str(view->up, F_LEG_ISSUER), row->word, "|"); }

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

// leaf_speaks_for returns whether a leaf names `host`, itself or by a wildcard for one label.
static bool leaf_speaks_for(const struct obj *leaf, const char *host) {
    char wildcard[260] = "*";
    const char *dot = strchr(host, '.');
    if (dot != NULL && strlen(dot) < sizeof(wildcard) - 1) {
        memcpy(wildcard + 1, dot, strlen(dot) + 1);
    }
    return obj_has_str(leaf, F_CERT_SANS, host) || obj_has_str(leaf, F_CERT_SANS, wildcard);
}

ASK(misdirected) {
    (void)row;
    const char *host = obj_str(view->root, F_RECORD_HOST);
    const char *name = obj_str(obj_get(view->up, F_LEG_VERIFICATION), F_VERIFICATION_NAME);
    if (predicate_ask(view, P_CN_ONLY) == YES) {
        return NO;
    }
    if (host == NULL || name == NULL || obj_num(view->up, F_LEG_CHAIN) == 0) {
        return UNKNOWN;
    }
    const struct obj *leaf = obj_at(view->up, F_LEG_CHAIN, 0);
    if (strcasecmp(host, name) == 0 || obj_num(leaf, F_CERT_SANS) == 0) {
        return strcasecmp(host, name) == 0 ? NO : UNKNOWN;
    }
    return answer_from(leaf_speaks_for(leaf, host));
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
