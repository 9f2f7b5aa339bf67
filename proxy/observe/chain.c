// The server's certificates.
#include <string.h>

#include "policy/ca/cert_memo.h"
#include "proxy/observe/internal.h"

enum {
    CHAIN_FACTS_MAX = 100,        // certificates whose facts are kept
    CHAIN_BYTES_MAX = 256 * 1024, // DER kept of a chain
    SANS_MAX = 100,               // names kept of a certificate
    SEEN_ROOTS = 64,
};

static void set_hex(struct obj *obj, enum field field, const uint8_t *p, size_t p_len) {
    static const char digits[] = "0123456789abcdef";
    char text[2 * SHA256_DIGEST_LENGTH];
    CHECK(p_len <= SHA256_DIGEST_LENGTH);
    for (size_t i = 0; i < p_len; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    obj_set_strn(obj, field, text, 2 * p_len);
}

static void set_strings(struct obj *obj, enum field field, const struct cert_strings *strings) {
    for (size_t i = 0; i < strings->num && i < SANS_MAX; i++) {
        obj_add_str(obj, field, strings->items[i], strlen(strings->items[i]));
    }
}

static void set_names(struct obj *cert, const struct cert_facts *facts) {
    obj_set_str(cert, F_CERT_SUBJECT, facts->subject);
    obj_set_str(cert, F_CERT_ISSUER, facts->issuer);
    set_strings(cert, F_CERT_SANS, &facts->dns);
    set_strings(cert, F_CERT_SANS, &facts->ip);
    size_t num_names = facts->dns.total + facts->ip.total;
    if (num_names > obj_num(cert, F_CERT_SANS)) {
        obj_set_int(cert, F_CERT_SANS_TOTAL, (int64_t)num_names);
    }
    obj_set_str(cert, F_CERT_SERIAL, facts->serial);
    if (facts->has_not_before) {
        obj_set_int(cert, F_CERT_NOT_BEFORE, facts->not_before);
    }
    if (facts->has_not_after) {
        obj_set_int(cert, F_CERT_NOT_AFTER, facts->not_after);
    }
}

static void set_extensions(struct obj *cert, const struct cert_facts *facts) {
    if (facts->has_basic_constraints) {
        obj_set_int(cert, F_CERT_IS_CA, facts->ca);
        obj_set_int(cert, F_CERT_BC_CRITICAL, facts->basic_constraints_critical);
        if (facts->path_len >= 0) {
            obj_set_int(cert, F_CERT_PATHLEN, facts->path_len);
        }
    }
    if (facts->name_constraints) {
        obj_set_int(cert, F_CERT_NAME_CONSTRAINTS, true);
    }
    set_strings(cert, F_CERT_UNKNOWN_CRITICAL, &facts->unknown_critical);
    set_strings(cert, F_CERT_KEY_USAGE, &facts->key_usages);
    set_strings(cert, F_CERT_EXT_KEY_USAGE, &facts->ext_key_usages);
    obj_set_str(cert, F_CERT_SKI, facts->ski);
    obj_set_str(cert, F_CERT_AKI, facts->aki);
    set_strings(cert, F_CERT_POLICIES, &facts->policies);
    if (facts->has_scts) {
        obj_set_int(cert, F_CERT_SCTS, (int64_t)facts->num_scts);
    }
    if (facts->must_staple) {
        obj_set_int(cert, F_CERT_MUST_STAPLE, true);
    }
    set_strings(cert, F_CERT_AIA_OCSP, &facts->ocsp);
    set_strings(cert, F_CERT_AIA_ISSUERS, &facts->ca_issuers);
    set_strings(cert, F_CERT_CRL, &facts->crl_points);
}

// self_signed remembers its answers: the same few roots are sent over and over, and a signature
// costs more than all the rest of a certificate.
static bool self_signed(const struct cert_facts *facts) {
    static _Thread_local struct {
        uint8_t sha256[SHA256_DIGEST_LENGTH];
        bool known, answer;
    } seen[SEEN_ROOTS];
    size_t i = facts->sha256[0] % SEEN_ROOTS;
    if (!seen[i].known || memcmp(seen[i].sha256, facts->sha256, SHA256_DIGEST_LENGTH) != 0) {
        memcpy(seen[i].sha256, facts->sha256, SHA256_DIGEST_LENGTH);
        seen[i].known = true;
        seen[i].answer = cert_facts_self_signed(facts);
    }
    return seen[i].answer;
}

static void set_facts(struct obj *cert, const struct cert_facts *facts) {
    if (facts->version != 0) {
        obj_set_int(cert, F_CERT_VERSION, facts->version);
    }
    set_names(cert, facts);
    obj_set_str(cert, F_CERT_KEY_TYPE, facts->key_type);
    if (facts->key_bits != 0) {
        obj_set_int(cert, F_CERT_KEY_BITS, facts->key_bits);
    }
    obj_set_str(cert, F_CERT_KEY_CURVE, facts->curve);
    obj_set_str(cert, F_CERT_SIGNATURE, facts->signature_algorithm);
    set_extensions(cert, facts);
    if (facts->self_issued) {
        obj_set_int(cert, F_CERT_SELF_SIGNED, self_signed(facts));
    }
    set_hex(cert, F_CERT_SHA256, facts->sha256, sizeof(facts->sha256));
    set_hex(cert, F_CERT_SPKI_SHA256, facts->spki_sha256, sizeof(facts->spki_sha256));
    obj_set_str(cert, F_CERT_MALFORMED, facts->problem);
}

static void set_leaf(struct obj *leg, const struct cert_facts *facts) {
    obj_set_str(leg, F_LEG_SUBJECT, facts->subject);
    obj_set_str(leg, F_LEG_ISSUER, facts->issuer);
    if (facts->has_not_before) {
        obj_set_int(leg, F_LEG_NOT_BEFORE, facts->not_before);
    }
    if (facts->has_not_after) {
        obj_set_int(leg, F_LEG_NOT_AFTER, facts->not_after);
    }
    set_hex(leg, F_LEG_LEAF_SHA256, facts->sha256, sizeof(facts->sha256));
}

// names_issuer goes by names, and by key identifiers where both are given.
static bool names_issuer(const struct obj *cert, const struct obj *issuer) {
    const char *name = obj_str(cert, F_CERT_ISSUER), *aki = obj_str(cert, F_CERT_AKI);
    const char *ski = obj_str(issuer, F_CERT_SKI);
    return name != NULL && obj_str_is(issuer, F_CERT_SUBJECT, name) &&
           (aki == NULL || ski == NULL || strcmp(aki, ski) == 0);
}

void chain_link(struct observe *observe) {
    struct obj *leg = observe->leg;
    size_t num = obj_num(leg, F_LEG_CHAIN);
    for (size_t i = 0; i < num; i++) {
        struct obj *cert = obj_at(leg, F_LEG_CHAIN, i);
        for (size_t k = 1; k <= num && !obj_has(cert, F_CERT_ISSUED_BY); k++) {
            size_t at = (i + k) % num; // the next one first, as it should be
            if (names_issuer(cert, obj_at(leg, F_LEG_CHAIN, at))) {
                obj_set_int(cert, F_CERT_ISSUED_BY, (int64_t)at);
            }
        }
    }
}

void chain_begin(struct observe *observe) {
    observe->chain_bytes = 0;
    obj_touch(observe->leg, F_LEG_CHAIN);
}

void chain_add(struct observe *observe, CBS der) {
    struct obj *leg = observe->leg;
    struct note_sink notes = {0};
    size_t num = obj_num(leg, F_LEG_CHAIN);
    if (num >= CHAIN_FACTS_MAX) {
        return;
    }
    const struct cert_facts *facts = cert_memo_facts(der);
    set_facts(obj_add(leg, F_LEG_CHAIN), facts);
    if (num == 0) {
        set_leaf(leg, facts);
        scts_add(leg, "certificate", facts->raw.scts);
    }
    observe->chain_bytes += CBS_len(&der);
    if (observe->chain_bytes <= CHAIN_BYTES_MAX) {
        obj_add_bytes(leg, F_LEG_CERTIFICATE_CHAIN, CBS_data(&der), CBS_len(&der));
    } else if (!observe->chain_cut) {
        observe->chain_cut = true;
        note_sink_add(&notes, NOTE_CERT_TOO_LARGE, 0);
        observe_notes(observe, &notes);
    }
}

void observe_certificates(struct observe *observe, const CBS *ders, size_t num_ders,
                          int64_t now_us) {
    if (observe->leg == NULL || obj_has(observe->leg, F_LEG_CHAIN)) {
        return;
    }
    observe_time(observe, F_LEG_MS_CERTIFICATE, now_us);
    observe_step(observe, STEP_CERTIFICATE, now_us);
    chain_begin(observe);
    for (size_t i = 0; i < num_ders; i++) {
        chain_add(observe, ders[i]);
    }
    chain_link(observe);
}
