#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

enum { SUITE_FALLBACK_SCSV = 0x5600, SUITE_RENEGOTIATION_SCSV = 0x00ff };
enum { EXTENSION_SERVER_NAME = 0, EXTENSION_PRE_SHARED_KEY = 41 };

// version_normal maps drafts of TLS 1.3 to it and everything that orders no version to 0.
static int version_normal(uint16_t code) {
    if (code >> 8 == 0x7f || code >> 8 == 0xfb) {
        return 0x0304;
    }
    return code >= 0x0002 && code <= 0x0304 && !(code >> 8 == 1) ? code : 0;
}

// version_bounds finds the oldest and the newest version that `leg` offers.
static bool version_bounds(const struct obj *leg, int *out_min, int *out_max) {
    *out_min = 0x10000;
    *out_max = 0;
    for (size_t i = 0; i < obj_num(leg, F_LEG_OFFER_VERSIONS); i++) {
        int version = version_normal(obj_code(leg, F_LEG_OFFER_VERSIONS, i));
        if (version != 0) {
            *out_min = version < *out_min ? version : *out_min;
            *out_max = version > *out_max ? version : *out_max;
        }
    }
    return *out_max != 0;
}

ASK(offer_below) {
    int min, max;
    return version_bounds(view->offer, &min, &max) ? answer_from(max < row->codes[0]) : UNKNOWN;
}

ASK(offer_above) {
    int min, max;
    return version_bounds(view->offer, &min, &max) ? answer_from(min > row->codes[0]) : UNKNOWN;
}

static enum answer offers_version(const struct obj *leg, int version) {
    int min, max;
    if (!version_bounds(leg, &min, &max)) {
        return UNKNOWN;
    }
    for (size_t i = 0; i < obj_num(leg, F_LEG_OFFER_VERSIONS); i++) {
        if (version_normal(obj_code(leg, F_LEG_OFFER_VERSIONS, i)) == version) {
            return YES;
        }
    }
    return NO;
}

ASK(offer_has_version) { return offers_version(view->offer, row->codes[0]); }

ASK(sent_version) { return offers_version(view->up, row->codes[0]); }

// hello_known returns whether a hello was seen so far that what it lacks was not sent.
static bool hello_known(const struct obj *leg) {
    return obj_has(leg, F_LEG_OFFER_CIPHERS) && obj_has(leg, F_LEG_OFFER_EXTENSIONS);
}

ASK(offer_flag) {
    int64_t value;
    if (obj_int(view->offer, row->fields[0], &value)) {
        return answer_from(value > 0);
    }
    // The lists of the hello tell what the flag would have been made of.
    bool psk = obj_has_code(view->offer, F_LEG_OFFER_EXTENSIONS, EXTENSION_PRE_SHARED_KEY);
    bool scsv = obj_has_code(view->offer, F_LEG_OFFER_CIPHERS, SUITE_FALLBACK_SCSV);
    bool listed = row->fields[0] == F_LEG_OFFER_PSK ? psk : scsv;
    return hello_known(view->offer) && !listed ? NO : UNKNOWN;
}

ASK(offer_group) {
    if (!obj_has(view->offer, F_LEG_OFFER_GROUPS)) {
        return hello_known(view->offer) ? NO : UNKNOWN;
    }
    for (size_t i = 0; row->codes[i] != -1; i++) {
        if (obj_has_code(view->offer, F_LEG_OFFER_GROUPS, (uint16_t)row->codes[i])) {
            return YES;
        }
    }
    return NO;
}

ASK(offer_size) {
    int64_t size;
    return obj_int(view->up, F_LEG_OFFER_SIZE, &size) ? answer_from(size > row->codes[0]) : UNKNOWN;
}

static bool is_signal(uint16_t suite) {
    return suite == SUITE_FALLBACK_SCSV || suite == SUITE_RENEGOTIATION_SCSV;
}

static bool named(const struct codepoint *row, const char *part) {
    return row != NULL && strstr(row->name, part) != NULL;
}

static bool suite_modern(const struct codepoint *row) {
    bool aead = named(row, "GCM") || named(row, "POLY1305") || named(row, "CCM");
    bool fresh = named(row, "DHE_") || (row != NULL && row->code >> 8 == 0x13);
    return aead && fresh;
}

ASK(offer_suites_old) {
    (void)row;
    size_t num = obj_num(view->offer, F_LEG_OFFER_CIPHERS);
    for (size_t i = 0; i < num; i++) {
        uint16_t suite = obj_code(view->offer, F_LEG_OFFER_CIPHERS, i);
        if (suite_modern(codepoint_find(REGISTRY_CIPHER, suite))) {
            return NO;
        }
    }
    return num > 0 ? YES : UNKNOWN;
}

ASK(offer_standard) {
    (void)row;
    static const uint16_t suites[] = {0x1301, 0xc02f, 0xc02b}, schemes[] = {0x0401, 0x0804, 0x0403};
    enum answer all = offers_version(view->up, 0x0304);
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        bool suite = obj_has_code(view->up, F_LEG_OFFER_CIPHERS, suites[i]);
        bool scheme = obj_has_code(view->up, F_LEG_OFFER_SIGALGS, schemes[i]);
        all = answer_and(all, answer_from(suite && scheme));
    }
    all = answer_and(all, answer_from(obj_has_code(view->up, F_LEG_OFFER_GROUPS, 0x0017)));
    return all == YES || hello_known(view->up) ? all : UNKNOWN;
}

// groups_count counts the groups that are no GREASE and tells of the two that every server has.
static size_t groups_count(const struct obj *leg, bool *out_usual) {
    size_t num = 0;
    *out_usual = false;
    for (size_t i = 0; i < obj_num(leg, F_LEG_OFFER_GROUPS); i++) {
        uint16_t group = obj_code(leg, F_LEG_OFFER_GROUPS, i);
        num += !codepoint_is_grease(REGISTRY_GROUP, group);
        *out_usual = *out_usual || group == 0x0017 || group == 0x001d;
    }
    return num;
}

ASK(offer_groups_odd) {
    (void)row;
    bool usual;
    return groups_count(view->offer, &usual) == 0 ? UNKNOWN : answer_from(!usual);
}

ASK(offer_one_group) {
    (void)row;
    bool usual;
    size_t num = groups_count(view->offer, &usual);
    return num == 0 ? UNKNOWN : answer_from(num == 1);
}

// The kinds of certificate that a suite or signature scheme needs.
enum { AUTH_RSA = 1, AUTH_ECDSA = 2 };

static unsigned scheme_kind(uint16_t scheme) {
    bool rsa = (scheme & 0xff) == 1 || (scheme >= 0x0804 && scheme <= 0x0806) ||
               (scheme >= 0x0809 && scheme <= 0x080b);
    bool ec = (scheme & 0xff) == 3 || scheme == 0x0807 || scheme == 0x0808;
    return (rsa ? AUTH_RSA : 0u) | (ec ? AUTH_ECDSA : 0u);
}

static unsigned suite_kind(uint16_t suite) {
    const struct codepoint *row = codepoint_find(REGISTRY_CIPHER, suite);
    bool ecdsa = named(row, "_ECDSA_"), rsa = named(row, "_RSA_");
    return ecdsa ? AUTH_ECDSA : rsa ? AUTH_RSA : 0u;
}

ASK(offer_auth_one_kind) {
    (void)row;
    unsigned schemes = 0, suites = 0;
    size_t num = obj_num(view->offer, F_LEG_OFFER_CIPHERS);
    if (!hello_known(view->offer)) {
        return UNKNOWN;
    }
    for (size_t i = 0; i < obj_num(view->offer, F_LEG_OFFER_SIGALGS); i++) {
        schemes |= scheme_kind(obj_code(view->offer, F_LEG_OFFER_SIGALGS, i));
    }
    for (size_t i = 0; i < num; i++) {
        suites |= suite_kind(obj_code(view->offer, F_LEG_OFFER_CIPHERS, i));
    }
    bool one_scheme = schemes == AUTH_RSA || schemes == AUTH_ECDSA;
    bool one_suite = offers_version(view->offer, 0x0304) == NO && num >= 4 &&
                     (suites == AUTH_RSA || suites == AUTH_ECDSA);
    return answer_from(one_scheme || one_suite);
}

ASK(offer_sigalgs_odd) {
    (void)row;
    static const uint16_t usual[] = {0x0804, 0x0805, 0x0806, 0x0403};
    if (!obj_has(view->offer, F_LEG_OFFER_SIGALGS)) {
        return UNKNOWN;
    }
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        if (obj_has_code(view->offer, F_LEG_OFFER_SIGALGS, usual[i])) {
            return NO;
        }
    }
    return offers_version(view->offer, 0x0304);
}

ASK(offer_says_48) {
    (void)row;
    enum { ENCRYPT_THEN_MAC = 22, RECORD_SIZE_LIMIT = 28 };
    if (!obj_has(view->offer, F_LEG_OFFER_EXTENSIONS)) {
        return UNKNOWN;
    }
    return answer_from(obj_has_code(view->offer, F_LEG_OFFER_EXTENSIONS, ENCRYPT_THEN_MAC) &&
                       !obj_has_code(view->offer, F_LEG_OFFER_EXTENSIONS, RECORD_SIZE_LIMIT));
}

ASK(offer_no_name) {
    (void)row;
    if (obj_has(view->offer, F_LEG_SERVER_NAME)) {
        return NO;
    }
    if (!hello_known(view->offer)) {
        return UNKNOWN;
    }
    return answer_from(!obj_has_code(view->offer, F_LEG_OFFER_EXTENSIONS, EXTENSION_SERVER_NAME));
}

ASK(offer_alpn_http) {
    (void)row;
    if (!obj_has(view->offer, F_LEG_OFFER_ALPN)) {
        return UNKNOWN;
    }
    return answer_from(obj_has_str(view->offer, F_LEG_OFFER_ALPN, "http/1.1"));
}

static bool spans_has(const struct obj *leg, enum field field, struct span span) {
    for (size_t i = 0; i < obj_num(leg, field); i++) {
        struct span item = obj_item(leg, field, i);
        if (item.len == span.len && (span.len == 0 || memcmp(item.p, span.p, span.len) == 0)) {
            return true;
        }
    }
    return false;
}

// left_out returns whether item `i` of the client's list is one that the proxy did not pass on.
// GREASE and the signalling suites stand for nothing that a server could choose.
static bool left_out(const struct view *view, enum field field, size_t i) {
    const struct field_row *row = field_row(field);
    if (row->type == TYPE_STRS) {
        struct span item = obj_item(view->client, field, i);
        bool grease = item.len == 2 && item.p[0] == item.p[1] && (item.p[0] & 0x0f) == 0x0a;
        return !grease && !spans_has(view->server, field, item);
    }
    uint16_t code = obj_code(view->client, field, i);
    if (codepoint_is_grease(row->extra, code) ||
        (row->extra == REGISTRY_CIPHER && is_signal(code))) {
        return false;
    }
    return !obj_has_code(view->server, field, code);
}

// list_sent returns whether `leg` offered a list in `field`; the extensions of the hello tell when
// the list itself does not.
static enum answer list_sent(const struct obj *leg, enum field field) {
    static const struct {
        enum field field;
        uint16_t extension;
    } rows[] = {{F_LEG_OFFER_GROUPS, 10}, {F_LEG_OFFER_SIGALGS, 13}, {F_LEG_OFFER_ALPN, 16}};
    if (obj_has(leg, field)) {
        return YES;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows) && hello_known(leg); i++) {
        if (rows[i].field == field) {
            return obj_has_code(leg, F_LEG_OFFER_EXTENSIONS, rows[i].extension) ? UNKNOWN : NO;
        }
    }
    return UNKNOWN;
}

ASK(cut) {
    enum field field = row->fields[0];
    if (view->mode != MODE_INTERCEPT) {
        // On the wire and in probes the hello that counts is the one that the server got.
        return view->mode == MODE_UNKNOWN ? UNKNOWN : NO;
    }
    enum answer offered = list_sent(view->client, field);
    if (offered != YES) {
        return offered;
    }
    if (list_sent(view->server, field) == UNKNOWN) {
        return UNKNOWN;
    }
    for (size_t i = 0; i < obj_num(view->client, field); i++) {
        if (left_out(view, field, i)) {
            return YES;
        }
    }
    return NO;
}

ASK(answer_version_old) {
    int64_t version;
    if (!obj_int(view->up, F_LEG_ANSWER_VERSION, &version)) {
        return view_reached(view->up, view->up_step, LEG_ANSWER) == NO ? NO : UNKNOWN;
    }
    return answer_from(version <= row->codes[0]);
}

ASK(answer_version_unoffered) {
    (void)row;
    int64_t version;
    if (!obj_int(view->up, F_LEG_ANSWER_VERSION, &version)) {
        return UNKNOWN;
    }
    return answer_not(offers_version(view->offer, (int)version));
}

ASK(choice_offered) {
    int64_t choice;
    enum answer offered = list_sent(view->client, row->fields[1]);
    if (offered != YES || !obj_int(view->up, row->fields[0], &choice)) {
        return UNKNOWN;
    }
    return answer_from(obj_has_code(view->client, row->fields[1], (uint16_t)choice));
}

ASK(answer_sentinel) {
    (void)row;
    const char *sentinel = obj_str(view->up, F_LEG_ANSWER_SENTINEL);
    if (sentinel != NULL) {
        return answer_from(strcmp(sentinel, "tls1.2") == 0 || strcmp(sentinel, "tls1.1") == 0);
    }
    return obj_has(view->up, F_LEG_ANSWER_VERSION) ? NO : UNKNOWN;
}

ASK(answer_suite_weak) {
    (void)row;
    static const char *const weak[] = {"RC4", "3DES", "_DES_", "DES40", "EXPORT", "NULL", "RC2"};
    int64_t suite;
    if (!obj_int(view->up, F_LEG_TLS_CIPHER, &suite)) {
        return UNKNOWN;
    }
    const struct codepoint *cipher = codepoint_find(REGISTRY_CIPHER, (uint16_t)suite);
    for (size_t i = 0; i < ARRAY_LEN(weak); i++) {
        if (named(cipher, weak[i])) {
            return YES;
        }
    }
    return NO;
}

ASK(answer_dh_below) {
    int64_t bits, suite;
    if (!obj_int(view->up, F_LEG_ANSWER_DH_BITS, &bits)) {
        // Suites that transport the secret by RSA have no such prime.
        bool rsa = obj_int(view->up, F_LEG_TLS_CIPHER, &suite) &&
                   named(codepoint_find(REGISTRY_CIPHER, (uint16_t)suite), "TLS_RSA_");
        return rsa ? NO : UNKNOWN;
    }
    return answer_from(bits < row->codes[0]);
}

ASK(answer_flag) {
    int64_t value;
    if (obj_int(view->up, row->fields[0], &value)) {
        return answer_from(value > 0);
    }
    // The proxy has no client certificate to send.
    bool ours = view->mode == MODE_INTERCEPT || view->mode == MODE_PROBE;
    return ours && row->fields[0] == F_LEG_ANSWER_CLIENT_CERT ? NO : UNKNOWN;
}

ASK(answer_no_renegotiation) {
    (void)row;
    enum { EXTENSION_RENEGOTIATION_INFO = 0xff01 };
    int64_t version;
    if (!obj_int(view->up, F_LEG_ANSWER_VERSION, &version) ||
        !obj_has(view->up, F_LEG_ANSWER_EXTENSIONS)) {
        return UNKNOWN;
    }
    bool confirmed = obj_has_code(view->up, F_LEG_ANSWER_EXTENSIONS, EXTENSION_RENEGOTIATION_INFO);
    return answer_from(version_normal((uint16_t)version) < 0x0304 && !confirmed);
}
