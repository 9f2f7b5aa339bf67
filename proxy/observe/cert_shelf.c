#include "proxy/observe/cert_shelf.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/thread_own.h"
#include "policy/ca/cert_memo.h"

enum {
    SANS_MAX = 100, // names kept of a certificate
    SHELF_LEN = 256,
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
    set_strings(cert, F_CERT_SANS, &facts->other_names);
    size_t num_names = facts->dns.total + facts->ip.total + facts->other_names.total;
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
    set_strings(cert, F_CERT_PERMITTED_NAMES, &facts->permitted_names);
    set_strings(cert, F_CERT_EXCLUDED_NAMES, &facts->excluded_names);
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
        obj_set_int(cert, F_CERT_SELF_SIGNED, cert_facts_self_signed(facts));
    }
    set_hex(cert, F_CERT_SHA256, facts->sha256, sizeof(facts->sha256));
    set_hex(cert, F_CERT_SPKI_SHA256, facts->spki_sha256, sizeof(facts->spki_sha256));
    obj_set_str(cert, F_CERT_MALFORMED, facts->problem);
}

// struct slot holds one certificate; its DER lies in the object's arena.
struct slot {
    struct shared_obj *cert;
    struct span der;
};

// struct shelf is one thread's.
struct shelf {
    struct slot slots[SHELF_LEN];
};

static void shelf_free(void *value) {
    struct shelf *shelf = value;
    for (size_t i = 0; i < SHELF_LEN; i++) {
        shared_obj_unref(shelf->slots[i].cert);
    }
    free(shelf);
}

static struct thread_own shelves = THREAD_OWN(sizeof(struct shelf), shelf_free);

// slot_of finds the place of `der` by its last bytes, which are those of a signature. A certificate
// that is too long or too short for one has none.
static struct slot *slot_of(struct shelf *shelf, CBS der) {
    uint16_t last;
    size_t len = CBS_len(&der);
    if (len < sizeof(last) || len > CERT_MEMO_DER_MAX) {
        return NULL;
    }
    memcpy(&last, CBS_data(&der) + len - sizeof(last), sizeof(last));
    return &shelf->slots[last % SHELF_LEN];
}

static struct slot slot_make(CBS der) {
    struct shared_obj *cert = shared_obj_new(KIND_CERT);
    const uint8_t *copy = arena_dup(&cert->arena, CBS_data(&der), CBS_len(&der));
    set_facts(cert->obj, cert_memo_facts(der));
    shared_obj_finish(cert);
    return (struct slot){cert, {copy, CBS_len(&der)}};
}

struct shared_obj *cert_shelf_get(struct span *out_der, CBS der) {
    struct slot *slot = slot_of(thread_own_get(&shelves), der);
    if (slot == NULL) {
        struct slot once = slot_make(der);
        *out_der = once.der;
        return once.cert;
    }
    // Nothing here is secret: no need for a comparison in constant time.
    if (slot->cert == NULL || slot->der.len != CBS_len(&der) ||
        memcmp(slot->der.p, CBS_data(&der), slot->der.len) != 0) {
        shared_obj_unref(slot->cert);
        *slot = slot_make(der);
    }
    *out_der = slot->der;
    return shared_obj_ref(slot->cert);
}
