#include "policy/ca/leaf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/host_name.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static struct leaf_spec from(const struct pki_cert *origin, const char *host,
                             const struct verification *v) {
    struct leaf_spec spec;
    leaf_spec_from_chain(&spec, origin != NULL ? origin->der : NULL,
                         origin != NULL ? origin->der_len : 0, host, v, PKI_NOW);
    return spec;
}

static struct verification fatal(enum trust_defect_kind a, enum trust_defect_kind b) {
    static struct trust_defect defects[2];
    defects[0] = (struct trust_defect){.kind = a, .fatal = true};
    defects[1] = (struct trust_defect){.kind = b, .fatal = true};
    return (struct verification){.defects = defects, .num_defects = 2};
}

static bool speaks_for(const struct leaf_spec *spec, const char *host) {
    struct host_name name;
    CBS san;
    CBS_init(&san, spec->san.len != 0 ? buf_data(&spec->san) : NULL, spec->san.len);
    return host_name_init(&name, host) && host_name_in_san(&name, san, NULL);
}

static void test_good(void) {
    struct pki_cert *origin = pki_make((struct pki_options){
        .cn = "a.test",
        .san = "DNS:a.test,DNS:*.a.test,email:x@y.test,IP:192.0.2.1,URI:http://u.test",
        .not_after = PKI_NOW + 10 * PKI_DAY});
    struct leaf_spec spec = from(origin, "www.a.test", NULL);
    CU_ASSERT_EQUAL(spec.defects, LEAF_OK);
    CU_ASSERT_EQUAL(spec.cn_len, 6);
    CU_ASSERT_EQUAL(memcmp(spec.cn, "a.test", 6), 0);
    CU_ASSERT_TRUE(speaks_for(&spec, "a.test") && speaks_for(&spec, "x.a.test"));
    CU_ASSERT_TRUE(speaks_for(&spec, "192.0.2.1"));
    CU_ASSERT_EQUAL(spec.san.len, 8 + 10 + 6);
    CU_ASSERT_EQUAL(spec.not_before, PKI_NOW - 2 * PKI_DAY);
    CU_ASSERT_EQUAL(spec.not_after, PKI_NOW + 10 * PKI_DAY);
    CU_ASSERT_EQUAL(spec.fresh_until, spec.not_after);
    leaf_spec_cleanup(&spec);
    pki_free(origin);
    origin = pki_make((struct pki_options){
        .cn = "a.test", .san = "DNS:a.test", .not_after = PKI_NOW + 900 * PKI_DAY});
    spec = from(origin, "a.test", NULL);
    CU_ASSERT_EQUAL(spec.not_after, PKI_NOW + 197 * PKI_DAY - 1);
    CU_ASSERT_TRUE(spec.fresh_until < spec.not_after);
    leaf_spec_cleanup(&spec);
    pki_free(origin);
}

static void test_hosts(void) {
    static const struct {
        const char *host, *cn, *speaks_for;
    } cases[] = {
        {"a.test", "a.test", "a.test"},
        {"192.0.2.1", "192.0.2.1", "192.0.2.1"},
        {"[2001:db8::1]", "2001:db8::1", "2001:db8::1"},
        {"_x.a.test", "_x.a.test", "_x.a.test"},
        {"b\xc3\xbc"
         "cher.test",
         "xn--bcher-kva.test", "xn--bcher-kva.test"},
        {"nas", "nas", "nas"},
        {"a-name-of-more-than-64-bytes.a-name-of-more-than-64-bytes.example.test", "",
         "a-name-of-more-than-64-bytes.a-name-of-more-than-64-bytes.example.test"},
        {"", "localhost", "localhost"},
        {"a b", "localhost", "localhost"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct leaf_spec spec = from(NULL, cases[i].host, NULL);
        CU_ASSERT_EQUAL(spec.cn_len, strlen(cases[i].cn));
        CU_ASSERT_EQUAL(memcmp(spec.cn, cases[i].cn, spec.cn_len), 0);
        CU_ASSERT_TRUE(speaks_for(&spec, cases[i].speaks_for));
        leaf_spec_cleanup(&spec);
    }
}

static void test_dates(void) {
    struct pki_cert *old = pki_make((struct pki_options){.cn = "a.test",
                                                         .san = "DNS:a.test",
                                                         .not_before = PKI_NOW - 50 * PKI_DAY,
                                                         .not_after = PKI_NOW - 9 * PKI_DAY});
    struct pki_cert *good = pki_leaf("a.test", NULL);
    struct verification v = fatal(TRUST_EXPIRED, TRUST_WRONG_HOST);
    struct leaf_spec spec = from(old, "b.test", &v);
    CU_ASSERT_EQUAL(spec.defects, LEAF_EXPIRED | LEAF_WRONG_NAME);
    CU_ASSERT_EQUAL(spec.not_before, PKI_NOW - 50 * PKI_DAY);
    CU_ASSERT_EQUAL(spec.not_after, PKI_NOW - 9 * PKI_DAY);
    CU_ASSERT_EQUAL(spec.fresh_until, INT64_MAX);
    CU_ASSERT_TRUE(speaks_for(&spec, "a.test") && !speaks_for(&spec, "b.test"));
    leaf_spec_cleanup(&spec);
    // Nobody verified: a good leaf.
    spec = from(old, "a.test", NULL);
    CU_ASSERT_EQUAL(spec.not_after, PKI_NOW + 197 * PKI_DAY - 1);
    leaf_spec_cleanup(&spec);
    // The issuer's dates.
    v = fatal(TRUST_ISSUER_EXPIRED, TRUST_ISSUER_EXPIRED);
    v.fatal_not_after = PKI_NOW - 60 * PKI_DAY;
    spec = from(good, "a.test", &v);
    CU_ASSERT_EQUAL(spec.defects, LEAF_EXPIRED);
    CU_ASSERT_EQUAL(spec.not_after, PKI_NOW - 60 * PKI_DAY);
    CU_ASSERT_TRUE(spec.not_before < spec.not_after);
    leaf_spec_cleanup(&spec);
    v = fatal(TRUST_ISSUER_NOT_YET_VALID, TRUST_ISSUER_NOT_YET_VALID);
    v.fatal_not_before = PKI_NOW + 60 * PKI_DAY;
    spec = from(good, "a.test", &v);
    CU_ASSERT_EQUAL(spec.defects, LEAF_NOT_YET_VALID);
    CU_ASSERT_EQUAL(spec.not_before, PKI_NOW + 60 * PKI_DAY);
    CU_ASSERT_TRUE(spec.not_before < spec.not_after);
    leaf_spec_cleanup(&spec);
    pki_free(old);
    pki_free(good);
}

static void test_issuers(void) {
    struct pki_cert *ca = pki_ca("Gr\xc3\xbc\xc3\x9f CA", NULL), *leaf = pki_leaf("a.test", ca);
    struct verification v = fatal(TRUST_UNKNOWN_ROOT, TRUST_BAD_SIGNATURE);
    struct leaf_spec spec = from(leaf, "a.test", &v);
    CU_ASSERT_EQUAL(spec.defects, LEAF_UNTRUSTED);
    CU_ASSERT_TRUE(spec.send_issuer);
    CU_ASSERT_STRING_EQUAL(spec.issuer_hint, "Gr\xc3\xbc\xc3\x9f CA");
    leaf_spec_cleanup(&spec);
    v = fatal(TRUST_MISSING_INTERMEDIATE, TRUST_SELF_SIGNED);
    CU_ASSERT_EQUAL(leaf_defects(&v), LEAF_SELF_SIGNED);
    v = fatal(TRUST_MISSING_INTERMEDIATE, TRUST_EXPIRED);
    spec = from(leaf, "a.test", &v);
    CU_ASSERT_EQUAL(spec.defects, LEAF_UNTRUSTED | LEAF_EXPIRED);
    CU_ASSERT_FALSE(spec.send_issuer);
    leaf_spec_cleanup(&spec);
    // What is not fatal is not mirrored.
    v.defects[0].fatal = v.defects[1].fatal = false;
    CU_ASSERT_EQUAL(leaf_defects(&v), LEAF_OK);
    // Whatever else is fatal, the leaf is not good.
    for (int kind = 0; kind < TRUST_NUM_DEFECT_KINDS; kind++) {
        v = fatal((enum trust_defect_kind)kind, (enum trust_defect_kind)kind);
        CU_ASSERT_NOT_EQUAL(leaf_defects(&v), LEAF_OK);
    }
    pki_free(ca);
    pki_free(leaf);
}

static void test_cn_only(void) {
    struct pki_cert *origin = pki_make((struct pki_options){.cn = "a.test"});
    struct verification v = fatal(TRUST_CN_ONLY, TRUST_CN_ONLY);
    struct leaf_spec spec = from(origin, "a.test", &v);
    CU_ASSERT_EQUAL(spec.defects, LEAF_WRONG_NAME);
    CU_ASSERT_EQUAL(spec.san.len, 0);
    CU_ASSERT_EQUAL(spec.cn_len, 6);
    leaf_spec_cleanup(&spec);
    pki_free(origin);
}

// Nobody asked whether the server is who it says: the client is not troubled with it either.
static void test_unasked(void) {
    struct pki_cert *origin = pki_leaf("a.test", NULL);
    struct leaf_spec spec = from(origin, "b.test", NULL);
    CU_ASSERT_TRUE(speaks_for(&spec, "a.test") && speaks_for(&spec, "b.test"));
    CU_ASSERT_EQUAL(memcmp(spec.cn, "b.test", 6), 0);
    leaf_spec_cleanup(&spec);
    pki_free(origin);
}

// Ten thousand names: those that fit, and the one that matters though it is the last.
static void test_many_names(void) {
    char *san = malloc(16 * 10001);
    size_t len = 0;
    for (int i = 0; i <= 10000; i++) {
        len += (size_t)sprintf(san + len, "%sDNS:n%d.t", i != 0 ? "," : "", i);
    }
    struct pki_cert *origin = pki_make((struct pki_options){.cn = "x", .san = san});
    struct leaf_spec spec = from(origin, "n10000.t", NULL);
    CU_ASSERT_TRUE(spec.san.len <= LEAF_MAX_SAN && spec.san.len > LEAF_MAX_SAN - 20);
    CU_ASSERT_TRUE(speaks_for(&spec, "n10000.t") && speaks_for(&spec, "n0.t"));
    CU_ASSERT_FALSE(speaks_for(&spec, "n9999.t"));
    leaf_spec_cleanup(&spec);
    pki_free(origin);
    free(san);
}

static void test_malformed(void) {
    struct pki_cert *origin = pki_leaf("a.test", NULL);
    struct verification v = fatal(TRUST_MALFORMED, TRUST_MALFORMED);
    for (size_t cut = 0; cut < origin->der_len; cut++) {
        struct leaf_spec spec;
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, origin->der, cut);
        leaf_spec_from_chain(&spec, copy, cut, "h.test", &v, PKI_NOW);
        CU_ASSERT_EQUAL(spec.defects, LEAF_UNTRUSTED);
        CU_ASSERT_TRUE(spec.san.len != 0 || spec.cn_len != 0);
        CU_ASSERT_TRUE(spec.not_before < spec.not_after);
        leaf_spec_cleanup(&spec);
        free(copy);
    }
    pki_free(origin);
}

static void test_on_purpose(void) {
    struct leaf_spec spec;
    leaf_spec_for_host(&spec, "a.test", LEAF_EXPIRED | LEAF_WRONG_NAME, PKI_NOW);
    CU_ASSERT_TRUE(spec.not_after < PKI_NOW && spec.not_before < spec.not_after);
    CU_ASSERT_FALSE(speaks_for(&spec, "a.test"));
    CU_ASSERT_TRUE(speaks_for(&spec, "wrong-name.invalid"));
    leaf_spec_cleanup(&spec);
    leaf_spec_for_host(&spec, "a.test", LEAF_NOT_YET_VALID, PKI_NOW);
    CU_ASSERT_TRUE(spec.not_before > PKI_NOW && spec.not_before < spec.not_after);
    leaf_spec_cleanup(&spec);
}

const struct unit_case unit_cases[] = {
    {"names and dates of a good server", test_good},
    {"hosts of every kind", test_hosts},
    {"dates of expired and early servers", test_dates},
    {"issuers", test_issuers},
    {"a CN alone stays alone", test_cn_only},
    {"a host nobody asked about", test_unasked},
    {"ten thousand names", test_many_names},
    {"a malformed certificate", test_malformed},
    {"defects on purpose", test_on_purpose},
    {NULL, NULL},
};
