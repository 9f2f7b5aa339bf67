#include "policy/ca/leaf.h"

#include <string.h>

#include "policy/ca/cert_memo.h"
#include "policy/ca/cert_text.h"
#include "policy/ca/host_name.h"

enum { DAY = 24 * 60 * 60 };

void leaf_spec_init(struct leaf_spec *spec) {
    *spec = (struct leaf_spec){.cn_tag = CBS_ASN1_UTF8STRING};
    buf_init(&spec->san, LEAF_MAX_SAN);
    buf_init(&spec->subject, LEAF_MAX_SUBJECT);
}

void leaf_spec_cleanup(struct leaf_spec *spec) {
    buf_cleanup(&spec->san);
    buf_cleanup(&spec->subject);
}

void leaf_spec_set_cn(struct leaf_spec *spec, const void *cn, size_t cn_len, unsigned tag) {
    spec->cn_len = cn_len <= LEAF_MAX_CN ? cn_len : 0;
    spec->cn_tag = tag;
    memcpy(spec->cn, cn, spec->cn_len);
}

static bool add_name(struct leaf_spec *spec, unsigned tag, const void *p, size_t p_len) {
    CBB cbb, name;
    uint8_t *der;
    size_t der_len;
    CHECK(CBB_init(&cbb, p_len + 6) && CBB_add_asn1(&cbb, &name, tag) &&
          CBB_add_bytes(&name, p, p_len) && CBB_finish(&cbb, &der, &der_len));
    bool ok = buf_append(&spec->san, der, der_len);
    OPENSSL_free(der);
    return ok;
}

bool leaf_spec_add_dns(struct leaf_spec *spec, const char *name) {
    return add_name(spec, SAN_DNS, name, strlen(name));
}

bool leaf_spec_add_ip(struct leaf_spec *spec, const uint8_t *ip, size_t ip_len) {
    CHECK(ip_len == 4 || ip_len == 16);
    return add_name(spec, SAN_IP, ip, ip_len);
}

// One name never passes LEAF_MAX_SAN.
static void name_host(struct leaf_spec *spec, const char *host) {
    struct host_name name;
    if (!host_name_init(&name, host)) {
        // No certificate can speak for such a name; one for localhost lets the handshake go on.
        CHECK(host_name_init(&name, "localhost"));
    }
    leaf_spec_set_cn(spec, name.text, strlen(name.text), CBS_ASN1_UTF8STRING);
    CHECK(name.ip_len != 0 ? leaf_spec_add_ip(spec, name.ip, name.ip_len)
                           : leaf_spec_add_dns(spec, name.text));
}

static void set_good_dates(struct leaf_spec *spec, int64_t now, int64_t latest) {
    int64_t cap = now - LEAF_BACKDATED + LEAF_LIFETIME;
    // Expired and yet to be shown as good: nobody asked for verification.
    latest = latest > now ? latest : cap;
    spec->not_before = now - LEAF_BACKDATED;
    spec->not_after = latest < cap ? latest : cap;
    // A clock set back by a day, or an end within a day, makes a new leaf; not where the server's
    // own certificate is about to end.
    spec->fresh_from = now - DAY;
    spec->fresh_until = latest < cap ? latest : cap - DAY;
}

static void set_fixed_dates(struct leaf_spec *spec, int64_t not_before, int64_t not_after) {
    spec->not_before = not_before;
    spec->not_after = not_after;
    spec->fresh_from = INT64_MIN;
    spec->fresh_until = INT64_MAX;
}

void leaf_spec_for_host(struct leaf_spec *spec, const char *host, unsigned defects, int64_t now) {
    leaf_spec_init(spec);
    spec->defects = defects;
    name_host(spec, defects & LEAF_WRONG_NAME ? "wrong-name.invalid" : host);
    set_good_dates(spec, now, INT64_MAX);
    if (defects & LEAF_EXPIRED) {
        spec->not_before -= LEAF_LIFETIME;
        spec->not_after = now - DAY;
    }
    if (defects & LEAF_NOT_YET_VALID) {
        spec->not_before = now + DAY;
        spec->not_after = defects & LEAF_EXPIRED ? now - DAY : now + LEAF_LIFETIME;
    }
}

// How a defect of the server's chain shows in a leaf. What is not listed makes it untrusted: the
// client would have refused the server, so it must not be shown a good leaf.
static unsigned mirrored(enum trust_defect_kind kind) {
    switch (kind) {
    case TRUST_EXPIRED:
    case TRUST_ISSUER_EXPIRED:
        return LEAF_EXPIRED;
    case TRUST_NOT_YET_VALID:
    case TRUST_ISSUER_NOT_YET_VALID:
        return LEAF_NOT_YET_VALID;
    case TRUST_WRONG_HOST:
    case TRUST_CN_ONLY:
    case TRUST_NO_SAN:
        return LEAF_WRONG_NAME;
    case TRUST_SELF_SIGNED:
        return LEAF_SELF_SIGNED;
    default:
        return LEAF_UNTRUSTED;
    }
}

unsigned leaf_defects(const struct verification *verification) {
    unsigned defects = LEAF_OK;
    for (size_t i = 0; verification != NULL && i < verification->num_defects; i++) {
        if (verification->defects[i].fatal) {
            defects |= mirrored(verification->defects[i].kind);
        }
    }
    return defects & LEAF_SELF_SIGNED ? defects & ~(unsigned)LEAF_UNTRUSTED : defects;
}

// Copies the names that servers are known by. Room for the one that matters is kept to the end.
static void copy_san(struct leaf_spec *spec, CBS san, const char *host) {
    struct host_name name;
    CBS wanted, element;
    unsigned tag;
    CBS_init(&wanted, NULL, 0);
    bool missing = host_name_init(&name, host) && host_name_in_san(&name, san, &wanted);
    while (CBS_get_any_asn1_element(&san, &element, &tag, NULL)) {
        bool is_wanted = missing && CBS_data(&element) == CBS_data(&wanted);
        size_t reserved = missing && !is_wanted ? CBS_len(&wanted) : 0;
        if ((tag == SAN_DNS || tag == SAN_IP) &&
            CBS_len(&element) + reserved <= buf_room(&spec->san) &&
            buf_append(&spec->san, CBS_data(&element), CBS_len(&element))) {
            missing = missing && !is_wanted;
        }
    }
}

// `good`: nobody asked whether the names are right, so the host's own is among them.
static void mirror_names(struct leaf_spec *spec, const struct cert_facts *facts, const char *host,
                         bool good) {
    CBS subject = facts->raw.subject, name, cn;
    unsigned tag;
    struct host_name wanted;
    if (good && host_name_init(&wanted, host) && !host_name_in_san(&wanted, facts->raw.san, NULL)) {
        name_host(spec, host);
    } else if (CBS_get_asn1(&subject, &name, CBS_ASN1_SEQUENCE) &&
               cert_text_attribute(name, "CN", &cn, &tag)) {
        leaf_spec_set_cn(spec, CBS_data(&cn), CBS_len(&cn), tag);
    }
    copy_san(spec, facts->raw.san, host);
    if (spec->cn_len == 0 && spec->san.len == 0) {
        name_host(spec, host);
    }
}

// The dates of an issuer that is not valid now are those of the leaf, as far as the leaf's own are
// not worse.
static void mirror_dates(struct leaf_spec *spec, const struct cert_facts *facts,
                         const struct verification *verification, int64_t now) {
    int64_t not_before = facts->not_before, not_after = facts->not_after;
    if ((spec->defects & (LEAF_EXPIRED | LEAF_NOT_YET_VALID)) == 0) {
        set_good_dates(spec, now, facts->has_not_after ? not_after : INT64_MAX);
        return;
    }
    if (spec->defects & LEAF_EXPIRED && not_after >= now) {
        not_after = verification->fatal_not_after;
        not_before = not_before < not_after ? not_before : not_after - DAY;
    }
    if (spec->defects & LEAF_NOT_YET_VALID && not_before <= now) {
        not_before = verification->fatal_not_before;
        not_after = not_after > not_before ? not_after : not_before + DAY;
    }
    set_fixed_dates(spec, not_before, not_after);
}

void leaf_spec_copy_names(struct leaf_spec *spec, const struct cert_facts *facts,
                          const char *host) {
    buf_consume(&spec->san, spec->san.len);
    spec->cn_len = 0;
    mirror_names(spec, facts, host, false);
}

void leaf_spec_name_host(struct leaf_spec *spec, const char *host) {
    buf_consume(&spec->san, spec->san.len);
    name_host(spec, host);
}

void leaf_spec_from_chain(struct leaf_spec *spec, const uint8_t *origin, size_t origin_len,
                          const char *host, const struct verification *verification, int64_t now) {
    unsigned defects = leaf_defects(verification);
    if (origin == NULL) {
        leaf_spec_for_host(spec, host, LEAF_OK, now);
        return;
    }
    CBS der;
    CBS_init(&der, origin, origin_len);
    const struct cert_facts *facts = cert_memo_facts(der);
    if (CBS_len(&facts->raw.spki) == 0) {
        leaf_spec_for_host(spec, host, defects, now);
    } else {
        leaf_spec_init(spec);
        spec->defects = defects;
        mirror_names(spec, facts, host, verification == NULL);
        mirror_dates(spec, facts, verification, now);
    }
    if (facts->issuer_cn != NULL) {
        // Cut between characters, for the hint becomes a UTF8String.
        size_t len = strlen(facts->issuer_cn);
        len = len < sizeof(spec->issuer_hint) ? len : sizeof(spec->issuer_hint) - 1;
        while (len != 0 && ((uint8_t)facts->issuer_cn[len] & 0xc0) == 0x80) {
            len--;
        }
        memcpy(spec->issuer_hint, facts->issuer_cn, len);
    }
    spec->must_staple = facts->must_staple;
    spec->send_issuer =
        verification != NULL && verification_find(verification, TRUST_UNKNOWN_ROOT) != NULL;
}
