#include "policy/ca/crl.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/cert_oid.h"
#include "policy/ca/cert_pem.h"
#include "policy/ca/cert_signature.h"
#include "policy/ca/cert_time.h"
#include "policy/ca/ocsp.h"

#define CONTEXT_OF(n) (CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | (n))

// struct entry is a revoked certificate: where its serial number stands in the list's DER.
struct entry {
    uint32_t at;
    uint8_t len, reason; // NO_REASON: not given
    int64_t when;
};

enum { NO_REASON = 255, SERIAL_MAX = 64 };

struct crl {
    uint8_t *der;
    CBS tbs, algorithm, signature, issuer; // inside; the first two and the last with header
    int64_t this_update, next_update;
    bool has_next_update;
    struct entry *entries; // by serial number
    size_t num_entries, cap_entries;
    // Whether the key with this hash signed it; the answer of the last key that was asked for.
    bool asked, signature_ok;
    uint8_t spki_sha256[SHA256_DIGEST_LENGTH];
};

struct crl_set {
    struct crl *lists[CRL_MAX_LISTS];
    size_t num;
    pthread_mutex_t lock; // guards what is remembered of signatures
};

static void crl_free(struct crl *crl) {
    free(crl->der);
    free(crl->entries);
    free(crl);
}

struct crl_set *crl_set_new(void) {
    struct crl_set *set = xcalloc(1, sizeof(*set));
    CHECK(pthread_mutex_init(&set->lock, NULL) == 0);
    return set;
}

void crl_set_free(struct crl_set *set) {
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < set->num; i++) {
        crl_free(set->lists[i]);
    }
    pthread_mutex_destroy(&set->lock);
    free(set);
}

size_t crl_set_num(const struct crl_set *set) { return set != NULL ? set->num : 0; }

static bool read_time(CBS *in, int64_t *out) {
    CBS text;
    unsigned tag;
    bool der;
    return CBS_get_any_asn1(in, &text, &tag) && cert_time_parse(text, tag, out, &der);
}

static bool is_time(const CBS *in) {
    return CBS_peek_asn1_tag(in, CBS_ASN1_UTCTIME) ||
           CBS_peek_asn1_tag(in, CBS_ASN1_GENERALIZEDTIME);
}

// Takes the next extension. Returns false where it is malformed.
static bool next_extension(CBS *extensions, CBS *out_oid, CBS *out_value, int *out_critical) {
    CBS extension;
    *out_critical = 0;
    return CBS_get_asn1(extensions, &extension, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&extension, out_oid, CBS_ASN1_OBJECT) &&
           (!CBS_peek_asn1_tag(&extension, CBS_ASN1_BOOLEAN) ||
            CBS_get_asn1_bool(&extension, out_critical)) &&
           CBS_get_asn1(&extension, out_value, CBS_ASN1_OCTETSTRING);
}

// Reads why a certificate was revoked. Returns false for an entry that is not the list's issuer's
// own, or that is malformed.
static bool read_entry_extensions(CBS extensions, uint8_t *out_reason) {
    static const uint8_t reason_oid[] = {0x55, 0x1d, 0x15}, issuer_oid[] = {0x55, 0x1d, 0x1d};
    CBS oid, value, code;
    int critical;
    while (CBS_len(&extensions) != 0) {
        if (!next_extension(&extensions, &oid, &value, &critical) ||
            CBS_mem_equal(&oid, issuer_oid, sizeof(issuer_oid))) {
            return false;
        }
        if (CBS_mem_equal(&oid, reason_oid, sizeof(reason_oid)) &&
            (!CBS_get_asn1(&value, &code, CBS_ASN1_ENUMERATED) || !CBS_get_u8(&code, out_reason))) {
            return false;
        }
    }
    return true;
}

static bool add_entry(struct crl *crl, CBS *list) {
    CBS row, serial, extensions;
    struct entry entry = {.reason = NO_REASON};
    if (!CBS_get_asn1(list, &row, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&row, &serial, CBS_ASN1_INTEGER) || CBS_len(&serial) == 0 ||
        CBS_len(&serial) > SERIAL_MAX || !read_time(&row, &entry.when)) {
        return false;
    }
    if (CBS_len(&row) != 0 && (!CBS_get_asn1(&row, &extensions, CBS_ASN1_SEQUENCE) ||
                               !read_entry_extensions(extensions, &entry.reason))) {
        return false;
    }
    if (crl->num_entries == crl->cap_entries) {
        crl->cap_entries = crl->cap_entries == 0 ? 64 : crl->cap_entries * 2;
        crl->entries = xrealloc(crl->entries, crl->cap_entries * sizeof(*crl->entries));
    }
    entry.at = (uint32_t)(CBS_data(&serial) - crl->der);
    entry.len = (uint8_t)CBS_len(&serial);
    crl->entries[crl->num_entries++] = entry;
    return true;
}

// Extensions of a list that change what it means, or that nobody may pass over.
static const char *list_problem(CBS extensions) {
    static const struct cert_oid known[] = {
        {3, {0x55, 0x1d, 0x14}, "cRLNumber", 0},
        {3, {0x55, 0x1d, 0x1b}, "a delta list, which says nothing by itself", 1},
        {3, {0x55, 0x1d, 0x1c}, "issuingDistributionPoint", 0},
        {3, {0x55, 0x1d, 0x23}, "authorityKeyIdentifier", 0},
        {0, {0}, NULL, 0},
    };
    CBS oid, value;
    int critical;
    while (CBS_len(&extensions) != 0) {
        if (!next_extension(&extensions, &oid, &value, &critical)) {
            return "malformed extensions";
        }
        const struct cert_oid *row = cert_oid_find(known, oid);
        if (row != NULL && row->value != 0) {
            return row->name;
        }
        if (row == NULL && critical) {
            return "a critical extension that is not known";
        }
    }
    return NULL;
}

// Reads a TBSCertList. Returns what is wrong with it, or NULL.
static const char *read_tbs(struct crl *crl, CBS tbs) {
    CBS list, wrapped, extensions;
    if (!CBS_get_optional_asn1(&tbs, NULL, NULL, CBS_ASN1_INTEGER) ||
        !CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1_element(&tbs, &crl->issuer, CBS_ASN1_SEQUENCE) ||
        !read_time(&tbs, &crl->this_update)) {
        return "malformed";
    }
    if (is_time(&tbs)) {
        crl->has_next_update = true;
        if (!read_time(&tbs, &crl->next_update)) {
            return "a malformed nextUpdate";
        }
    }
    int present;
    if (!CBS_get_optional_asn1(&tbs, &list, &present, CBS_ASN1_SEQUENCE)) {
        return "malformed";
    }
    while (present && CBS_len(&list) != 0) {
        if (!add_entry(crl, &list)) {
            return "a malformed entry, or one of another issuer";
        }
    }
    if (CBS_len(&tbs) == 0) {
        return NULL;
    }
    if (!CBS_get_asn1(&tbs, &wrapped, CONTEXT_OF(0)) ||
        !CBS_get_asn1(&wrapped, &extensions, CBS_ASN1_SEQUENCE) || CBS_len(&tbs) != 0) {
        return "malformed";
    }
    return list_problem(extensions);
}

static const char *read_list(struct crl *crl, size_t der_len) {
    CBS in, list, tbs;
    uint8_t unused_bits;
    CBS_init(&in, crl->der, der_len);
    if (!CBS_get_asn1(&in, &list, CBS_ASN1_SEQUENCE) || CBS_len(&in) != 0 ||
        !CBS_get_asn1_element(&list, &crl->tbs, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1_element(&list, &crl->algorithm, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&list, &crl->signature, CBS_ASN1_BITSTRING) ||
        !CBS_get_u8(&crl->signature, &unused_bits) || unused_bits != 0 || CBS_len(&list) != 0) {
        return "malformed";
    }
    CBS element = crl->tbs;
    return CBS_get_asn1(&element, &tbs, CBS_ASN1_SEQUENCE) ? read_tbs(crl, tbs) : "malformed";
}

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len) {
    return a_len != b_len ? (a_len < b_len ? -1 : 1) : memcmp(a, b, a_len);
}

static int compare_entries(const void *a, const void *b, void *der) {
    const struct entry *left = a, *right = b;
    const uint8_t *p = der;
    return compare(p + left->at, left->len, p + right->at, right->len);
}

bool crl_set_add(struct crl_set *set, const uint8_t *der, size_t der_len, const char *name,
                 struct err *err) {
    if (set->num == CRL_MAX_LISTS || der_len > CRL_MAX_FILE) {
        return err_set(err, "%s: at most %d revocation lists of %d bytes are taken", name,
                       CRL_MAX_LISTS, CRL_MAX_FILE);
    }
    struct crl *crl = xcalloc(1, sizeof(*crl));
    crl->der = xmemdup(der, der_len);
    const char *problem = read_list(crl, der_len);
    if (problem != NULL) {
        crl_free(crl);
        return err_set(err, "%s: %s, expected a revocation list (RFC 5280) in PEM or DER", name,
                       problem);
    }
    if (crl->num_entries != 0) {
        qsort_r(crl->entries, crl->num_entries, sizeof(*crl->entries), compare_entries, crl->der);
    }
    set->lists[set->num++] = crl;
    return true;
}

static bool add_text(struct crl_set *set, const struct buf *text, const char *path,
                     struct err *err) {
    CBS rest;
    CBS_init(&rest, text->len != 0 ? buf_data(text) : NULL, text->len);
    if (text->len > 1 && buf_data(text)[0] == 0x30) {
        return crl_set_add(set, buf_data(text), text->len, path, err);
    }
    for (size_t n = 1;; n++) {
        uint8_t *der;
        size_t der_len;
        int got = cert_pem_next_of(&rest, "X509 CRL", &der, &der_len);
        if (got == 0) {
            return n > 1 || err_set(err,
                                    "%s: no revocation list in it, expected PEM blocks BEGIN "
                                    "X509 CRL",
                                    path);
        }
        if (got < 0) {
            return err_set(err, "%s: revocation list %zu is not base64", path, n);
        }
        bool ok = crl_set_add(set, der, der_len, path, err);
        free(der);
        if (!ok) {
            return false;
        }
    }
}

bool crl_set_load(struct crl_set *set, const char *path, struct err *err) {
    struct buf text;
    buf_init(&text, CRL_MAX_FILE);
    bool ok = cert_pem_read(path, &text, err) && add_text(set, &text, path, err);
    buf_cleanup(&text);
    return ok;
}

static bool signature_ok(struct crl_set *set, struct crl *crl, const struct cert_facts *issuer) {
    CHECK(pthread_mutex_lock(&set->lock) == 0);
    if (!crl->asked ||
        memcmp(crl->spki_sha256, issuer->spki_sha256, sizeof(crl->spki_sha256)) != 0) {
        crl->asked = true;
        memcpy(crl->spki_sha256, issuer->spki_sha256, sizeof(crl->spki_sha256));
        crl->signature_ok =
            cert_signature_verify(issuer->raw.spki, crl->algorithm, crl->tbs, crl->signature);
    }
    bool ok = crl->signature_ok;
    CHECK(pthread_mutex_unlock(&set->lock) == 0);
    return ok;
}

static const struct entry *find(const struct crl *crl, CBS serial) {
    size_t low = 0, high = crl->num_entries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct entry *entry = &crl->entries[middle];
        int order = compare(CBS_data(&serial), CBS_len(&serial), crl->der + entry->at, entry->len);
        if (order == 0) {
            return entry;
        }
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    return NULL;
}

// answer_from tells what one list says.
static struct crl_answer answer_from(const struct crl *crl, CBS serial, int64_t now) {
    const struct entry *entry = find(crl, serial);
    struct crl_answer answer = {
        .status = CRL_GOOD,
        .this_update = crl->this_update,
        .has_next_update = crl->has_next_update,
        .next_update = crl->next_update,
    };
    if (entry != NULL) {
        answer.status = CRL_REVOKED;
        answer.revoked_at = entry->when;
        answer.reason = ocsp_reason_name(entry->reason);
    } else if (crl->has_next_update && crl->next_update < now) {
        answer.status = CRL_STALE;
    }
    return answer;
}

void crl_set_ask(struct crl_set *set, struct crl_answer *out, const struct cert_facts *cert,
                 const struct cert_facts *issuer, int64_t now) {
    *out = (struct crl_answer){.status = CRL_NONE};
    for (size_t i = 0; i < crl_set_num(set) && out->status != CRL_REVOKED; i++) {
        struct crl *crl = set->lists[i];
        if (CBS_len(&issuer->raw.subject) == 0 ||
            !CBS_mem_equal(&crl->issuer, CBS_data(&issuer->raw.subject),
                           CBS_len(&issuer->raw.subject))) {
            continue;
        }
        if (!signature_ok(set, crl, issuer)) {
            out->status = out->status == CRL_NONE ? CRL_BAD_SIGNATURE : out->status;
            continue;
        }
        struct crl_answer answer = answer_from(crl, cert->raw.serial, now);
        bool first = out->status == CRL_NONE || out->status == CRL_BAD_SIGNATURE;
        if (first || answer.status == CRL_REVOKED || answer.this_update > out->this_update) {
            *out = answer;
        }
    }
}

const char *crl_status_id(enum crl_status status) {
    static const char *const ids[] = {"none", "good", "revoked", "stale", "bad-signature"};
    CHECK((size_t)status < ARRAY_LEN(ids));
    return ids[status];
}
