#include "policy/ca/trust_verify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/ca/test_trust.h"
#include "tests/unit/unit.h"

// One world for all cases: a root that is trusted, one that is not, an intermediate.
struct world {
    struct pki_cert *root, *inter, *other_root;
    struct trust *trust;
};

static struct world world_make(void) {
    struct world w = {.root = pki_ca("Test Root", NULL)};
    w.inter = pki_ca("Test Intermediate", w.root);
    w.other_root = pki_ca("Other Root", NULL);
    w.trust = trust_in_root(w.root);
    return w;
}

static void world_end(struct world *w) {
    trust_free(w->trust);
    pki_free(w->root);
    pki_free(w->inter);
    pki_free(w->other_root);
}

// Verifies up to four certificates.
static struct verification *verify(const struct world *w, const char *host, int64_t now,
                                   const struct pki_cert *a, const struct pki_cert *b,
                                   const struct pki_cert *c, const struct pki_cert *d) {
    const struct pki_cert *certs[] = {a, b, c, d};
    CBS chain[4];
    size_t num = 0;
    while (num < 4 && certs[num] != NULL) {
        chain[num] = pki_cbs(certs[num]);
        num++;
    }
    struct verification *v = malloc(sizeof(*v));
    trust_verify(w->trust, chain, num, host, now, v);
    return v;
}

static void print(const struct verification *v) {
    for (size_t i = 0; i < v->num_defects; i++) {
        const struct trust_defect *d = &v->defects[i];
        printf("\n      %s%s index %d depth %d code %d: %s", d->fatal ? "FATAL " : "",
               trust_defect_id(d->kind), d->index, d->depth, d->code, d->says);
    }
}

static size_t num_fatal(const struct verification *v) {
    size_t n = 0;
    for (size_t i = 0; i < v->num_defects; i++) {
        n += v->defects[i].fatal;
    }
    return n;
}

static void end(struct verification *v) {
    verification_cleanup(v);
    free(v);
}

// Asserts that exactly one defect is fatal, of this kind, and ends `v`.
static void expect_only(struct verification *v, enum trust_defect_kind kind, int index) {
    const struct trust_defect *d = verification_find(v, kind);
    if (v->ok || num_fatal(v) != 1 || d == NULL || !d->fatal || d->index != index) {
        print(v);
    }
    CU_ASSERT_FALSE(v->ok);
    CU_ASSERT_EQUAL(num_fatal(v), 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    CU_ASSERT_TRUE(d->fatal);
    CU_ASSERT_EQUAL(d->index, index);
    CU_ASSERT_TRUE(strlen(d->says) > 10);
    end(v);
}

static void test_good(void) {
    struct world w = world_make();
    struct pki_cert *leaf = pki_leaf("www.example.test", w.inter);
    struct verification *v = verify(&w, "WWW.example.test.", PKI_NOW, leaf, w.inter, NULL, NULL);
    print(v);
    CU_ASSERT_TRUE(v->ok);
    CU_ASSERT_TRUE(v->host_ok);
    CU_ASSERT_TRUE(v->complete);
    CU_ASSERT_FALSE(v->dates_only);
    CU_ASSERT_EQUAL(v->num_defects, 0);
    CU_ASSERT_EQUAL_FATAL(v->num_path, 3);
    CU_ASSERT_STRING_EQUAL(v->path[0].subject, "CN=www.example.test");
    CU_ASSERT_STRING_EQUAL(v->path[2].subject, "CN=Test Root");
    CU_ASSERT_EQUAL(v->path[1].index, 1);
    CU_ASSERT_EQUAL(v->path[2].index, -1);
    uint8_t hash[32];
    SHA256(w.root->der, w.root->der_len, hash);
    CU_ASSERT_EQUAL(memcmp(hash, v->path[2].sha256, 32), 0);
    end(v);
    // The root sent too, and the chain in the wrong order: good, the second with a remark.
    v = verify(&w, "www.example.test", PKI_NOW, leaf, w.inter, w.root, NULL);
    CU_ASSERT_TRUE(v->ok);
    CU_ASSERT_EQUAL(v->num_defects, 0);
    CU_ASSERT_EQUAL(v->path[2].index, 2);
    end(v);
    v = verify(&w, "www.example.test", PKI_NOW, leaf, w.root, w.inter, NULL);
    CU_ASSERT_TRUE(v->ok);
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_WRONG_ORDER));
    end(v);
    pki_free(leaf);
    world_end(&w);
}

static void test_dates(void) {
    struct world w = world_make();
    struct pki_cert *leaf = pki_leaf("a.test", w.inter);
    struct verification *v =
        verify(&w, "a.test", PKI_NOW + 31 * PKI_DAY, leaf, w.inter, NULL, NULL);
    CU_ASSERT_TRUE(v->dates_only);
    CU_ASSERT_EQUAL(v->defects[0].code, X509_V_ERR_CERT_HAS_EXPIRED);
    CU_ASSERT_STRING_EQUAL(v->defects[0].code_text, "certificate has expired");
    CU_ASSERT_PTR_NOT_NULL(strstr(v->defects[0].says, "expired at 2026-12-18"));
    expect_only(v, TRUST_EXPIRED, 0);
    v = verify(&w, "a.test", PKI_NOW - 31 * PKI_DAY, leaf, w.inter, NULL, NULL);
    CU_ASSERT_EQUAL(v->defects[0].code, X509_V_ERR_CERT_NOT_YET_VALID);
    expect_only(v, TRUST_NOT_YET_VALID, 0);
    // Expired and for another host: both are said.
    v = verify(&w, "b.test", PKI_NOW + 31 * PKI_DAY, leaf, w.inter, NULL, NULL);
    CU_ASSERT_EQUAL(num_fatal(v), 2);
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_EXPIRED));
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_WRONG_HOST));
    CU_ASSERT_FALSE(v->dates_only);
    end(v);
    // Expired without its intermediate: both.
    v = verify(&w, "a.test", PKI_NOW + 31 * PKI_DAY, leaf, NULL, NULL, NULL);
    CU_ASSERT_EQUAL(num_fatal(v), 2);
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_EXPIRED));
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_MISSING_INTERMEDIATE));
    end(v);
    pki_free(leaf);
    world_end(&w);
}

static struct pki_cert *remade(const struct pki_cert *ca, const struct pki_cert *issuer,
                               const char *cn, int64_t not_before, int64_t not_after) {
    return pki_make((struct pki_options){.cn = cn,
                                         .issuer = issuer,
                                         .key = ca->key,
                                         .not_before = not_before,
                                         .not_after = not_after,
                                         .basic_constraints = "critical,CA:TRUE",
                                         .key_usage = "critical,keyCertSign"});
}

static void test_issuer_dates(void) {
    struct world w = world_make();
    struct pki_cert *leaf = pki_leaf("a.test", w.inter);
    struct pki_cert *stale =
        remade(w.inter, w.root, "Test Intermediate", PKI_NOW - 90 * PKI_DAY, PKI_NOW - 5 * PKI_DAY);
    struct pki_cert *early =
        remade(w.inter, w.root, "Test Intermediate", PKI_NOW + 5 * PKI_DAY, PKI_NOW + 90 * PKI_DAY);
    struct verification *v = verify(&w, "a.test", PKI_NOW, leaf, stale, NULL, NULL);
    CU_ASSERT_TRUE(v->dates_only);
    CU_ASSERT_EQUAL(v->fatal_not_after, PKI_NOW - 5 * PKI_DAY);
    // Two paths were tried: with the stale copy, and without it.
    CU_ASSERT_EQUAL_FATAL(v->num_tries, 2);
    CU_ASSERT_EQUAL(v->tries[0].num_subjects, 3);
    CU_ASSERT_STRING_EQUAL(v->tries[0].subjects[1], "CN=Test Intermediate");
    CU_ASSERT_STRING_EQUAL(v->tries[0].because[0], "1: certificate has expired");
    CU_ASSERT_STRING_EQUAL(v->tries[1].because[0], "0: unable to get local issuer certificate");
    expect_only(v, TRUST_ISSUER_EXPIRED, 1);
    v = verify(&w, "a.test", PKI_NOW, leaf, early, NULL, NULL);
    CU_ASSERT_EQUAL(v->fatal_not_before, PKI_NOW + 5 * PKI_DAY);
    expect_only(v, TRUST_ISSUER_NOT_YET_VALID, 1);
    // With the good copy behind it, the stale one is only a remark.
    v = verify(&w, "a.test", PKI_NOW, leaf, stale, w.inter, NULL);
    const struct trust_defect *d = verification_find(v, TRUST_ISSUER_EXPIRED);
    CU_ASSERT_TRUE(v->ok);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    CU_ASSERT_FALSE(d->fatal);
    CU_ASSERT_EQUAL(d->index, 1);
    CU_ASSERT_EQUAL(v->path[1].index, 2);
    CU_ASSERT_EQUAL(v->fatal_not_after, 0);
    CU_ASSERT_EQUAL(v->num_tries, 2);
    CU_ASSERT_EQUAL(v->tries[1].num_because, 0);
    CU_ASSERT_EQUAL(CBS_len(&v->issuer), 0);
    end(v);
    // An expired root of ours.
    v = verify(&w, "a.test", PKI_NOW + 400 * PKI_DAY, leaf, w.inter, NULL, NULL);
    CU_ASSERT_EQUAL(num_fatal(v), 3);
    CU_ASSERT_EQUAL(v->fatal_not_after, PKI_NOW + 300 * PKI_DAY);
    CU_ASSERT_EQUAL(v->defects[2].index, -1);
    CU_ASSERT_EQUAL(v->defects[2].depth, 2);
    end(v);
    pki_free(leaf);
    pki_free(stale);
    pki_free(early);
    world_end(&w);
}

static void test_trust(void) {
    struct world w = world_make();
    struct pki_cert *leaf =
        pki_make((struct pki_options){.cn = "a.test",
                                      .issuer = w.inter,
                                      .san = "DNS:a.test",
                                      .info_access = "caIssuers;URI:http://ca.test/inter.cer"});
    struct pki_cert *self = pki_make((struct pki_options){.cn = "a.test", .san = "DNS:a.test"});
    // Self-signed with a key usage that does not allow that: libcrypto looks for another issuer.
    struct pki_cert *unsigning = pki_leaf("a.test", NULL);
    struct pki_cert *other = pki_leaf("a.test", w.other_root);
    struct pki_cert *unknown_inter = pki_ca("Unknown Intermediate", w.other_root);
    struct pki_cert *below = pki_leaf("a.test", unknown_inter);
    struct verification *v = verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL);
    CU_ASSERT_FALSE(v->complete);
    CU_ASSERT_STRING_EQUAL(v->missing_issuer, "CN=Test Intermediate");
    CU_ASSERT_STRING_EQUAL(v->ca_issuers, "http://ca.test/inter.cer");
    CU_ASSERT_EQUAL(v->defects[0].code, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    expect_only(v, TRUST_MISSING_INTERMEDIATE, 0);
    v = verify(&w, "a.test", PKI_NOW, self, NULL, NULL, NULL);
    CU_ASSERT_EQUAL(v->defects[0].code, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    expect_only(v, TRUST_SELF_SIGNED, 0);
    v = verify(&w, "a.test", PKI_NOW, unsigning, NULL, NULL, NULL);
    CU_ASSERT_PTR_NULL(v->missing_issuer);
    expect_only(v, TRUST_SELF_SIGNED, 0);
    v = verify(&w, "a.test", PKI_NOW, other, w.other_root, NULL, NULL);
    CU_ASSERT_EQUAL(v->defects[0].code, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
    expect_only(v, TRUST_UNKNOWN_ROOT, 1);
    v = verify(&w, "a.test", PKI_NOW, below, unknown_inter, NULL, NULL);
    CU_ASSERT_STRING_EQUAL(v->missing_issuer, "CN=Other Root");
    expect_only(v, TRUST_UNTRUSTED_ISSUER, 1);
    // What a user trusts need be no root: a self-signed leaf, and an intermediate.
    trust_free(w.trust);
    w.trust = trust_in((const struct pki_cert *const[]){self, unknown_inter}, 2);
    v = verify(&w, "a.test", PKI_NOW, self, NULL, NULL, NULL);
    print(v);
    CU_ASSERT_TRUE(v->ok);
    end(v);
    v = verify(&w, "a.test", PKI_NOW, below, NULL, NULL, NULL);
    print(v);
    CU_ASSERT_TRUE(v->ok);
    end(v);
    pki_free(leaf);
    pki_free(self);
    pki_free(unsigning);
    pki_free(other);
    pki_free(unknown_inter);
    pki_free(below);
    world_end(&w);
}

static void test_names(void) {
    struct world w = world_make();
    struct pki_cert *cn_only = pki_make((struct pki_options){.cn = "a.test", .issuer = w.root});
    struct pki_cert *ip = pki_make((struct pki_options){
        .cn = "x", .issuer = w.root, .san = "IP:192.0.2.7,IP:2001:db8::7,DNS:*.a.test"});
    expect_only(verify(&w, "a.test", PKI_NOW, cn_only, NULL, NULL, NULL), TRUST_CN_ONLY, 0);
    struct verification *v = verify(&w, "b.test", PKI_NOW, cn_only, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_NO_SAN));
    expect_only(v, TRUST_WRONG_HOST, 0);
    static const struct {
        const char *host;
        bool ok;
    } cases[] = {
        {"192.0.2.7", true},
        {"192.0.2.8", false},
        {"2001:db8::7", true},
        {"[2001:DB8:0::7]", true},
        {"x.a.test", true},
        {"a.test", false},
        {"y.x.a.test", false},
        {"192.0.2.7.a.test", false},
        {"_x.a.test", true},
        {"", false},
        {"b\xc3\xbc"
         "cher.a.test",
         true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        v = verify(&w, cases[i].host, PKI_NOW, ip, NULL, NULL, NULL);
        CU_ASSERT_EQUAL(v->ok, cases[i].ok);
        CU_ASSERT_EQUAL(v->host_ok, cases[i].ok);
        CU_ASSERT_EQUAL(verification_find(v, TRUST_WRONG_HOST) == NULL, cases[i].ok);
        end(v);
    }
    pki_free(cn_only);
    pki_free(ip);
    world_end(&w);
}

static void test_usages(void) {
    struct world w = world_make();
    struct pki_options base = {.cn = "a.test", .issuer = w.root, .san = "DNS:a.test"}, o;
    struct pki_cert *leaf;
    o = base;
    o.ext_key_usage = "clientAuth";
    leaf = pki_make(o);
    expect_only(verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL), TRUST_EXT_KEY_USAGE, 0);
    pki_free(leaf);
    o = base;
    o.key_usage = "keyCertSign";
    leaf = pki_make(o);
    expect_only(verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL), TRUST_KEY_USAGE, 0);
    pki_free(leaf);
    o = base;
    o.key_usage = "keyEncipherment";
    leaf = pki_make(o);
    struct verification *v = verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL);
    CU_ASSERT_TRUE(v->ok);
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_KEY_USAGE));
    end(v);
    pki_free(leaf);
    o = base;
    o.unknown_critical = true;
    leaf = pki_make(o);
    v = verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(v->defects[0].says, "1.2.3.4.5"));
    expect_only(v, TRUST_UNKNOWN_CRITICAL, 0);
    pki_free(leaf);
    o = base;
    o.break_signature = true;
    leaf = pki_make(o);
    expect_only(verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL), TRUST_BAD_SIGNATURE, 0);
    pki_free(leaf);
    o = base;
    o.not_after = PKI_NOW + 900 * PKI_DAY;
    leaf = pki_make(o);
    v = verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL);
    CU_ASSERT_TRUE(v->ok);
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_VALIDITY_TOO_LONG));
    end(v);
    pki_free(leaf);
    world_end(&w);
}

static void test_issuers_that_may_not(void) {
    struct world w = world_make();
    struct pki_options base = {.cn = "Odd CA",
                               .issuer = w.root,
                               .basic_constraints = "critical,CA:TRUE",
                               .key_usage = "critical,keyCertSign"};
    struct {
        const char *basic_constraints, *key_usage, *ext_key_usage, *name_constraints;
        enum trust_defect_kind kind;
        int index;
    } cases[] = {
        {"critical,CA:FALSE", "keyCertSign", NULL, NULL, TRUST_BASIC_CONSTRAINTS, 1},
        {"critical,CA:TRUE", "digitalSignature", NULL, NULL, TRUST_KEY_USAGE, 1},
        {"critical,CA:TRUE", "keyCertSign", "emailProtection", NULL, TRUST_EXT_KEY_USAGE, 1},
        {"critical,CA:TRUE", "keyCertSign", NULL, "critical,permitted;DNS:b.test",
         TRUST_NAME_CONSTRAINTS, 0},
        {"critical,CA:TRUE", "keyCertSign", NULL, "critical,excluded;DNS:a.test",
         TRUST_NAME_CONSTRAINTS, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pki_options o = base;
        o.basic_constraints = cases[i].basic_constraints;
        o.key_usage = cases[i].key_usage;
        o.ext_key_usage = cases[i].ext_key_usage;
        o.name_constraints = cases[i].name_constraints;
        struct pki_cert *ca = pki_make(o), *leaf = pki_leaf("a.test", ca);
        struct verification *v = verify(&w, "a.test", PKI_NOW, leaf, ca, NULL, NULL);
        const struct trust_defect *d = verification_find(v, cases[i].kind);
        if (d == NULL || !d->fatal || d->index != cases[i].index) {
            printf("\n      case %zu", i);
            print(v);
        }
        CU_ASSERT_FALSE(v->ok);
        CU_ASSERT_TRUE(d != NULL && d->fatal && d->index == cases[i].index);
        end(v);
        pki_free(ca);
        pki_free(leaf);
    }
    // A path length of 0 with a CA below.
    struct pki_options o = base;
    o.basic_constraints = "critical,CA:TRUE,pathlen:0";
    struct pki_cert *upper = pki_make(o), *lower = pki_ca("Lower", upper),
                    *leaf = pki_leaf("a.test", lower);
    struct verification *v = verify(&w, "a.test", PKI_NOW, leaf, lower, upper, NULL);
    CU_ASSERT_EQUAL(v->defects[0].code, X509_V_ERR_PATH_LENGTH_EXCEEDED);
    expect_only(v, TRUST_BASIC_CONSTRAINTS, 2);
    pki_free(upper);
    pki_free(lower);
    pki_free(leaf);
    world_end(&w);
}

static void test_weak(void) {
    struct world w = world_make();
    struct pki_cert *rsa_ca = pki_make((struct pki_options){.cn = "RSA Root",
                                                            .key = pki_rsa_key(2048),
                                                            .basic_constraints = "critical,CA:TRUE",
                                                            .key_usage = "keyCertSign"});
    EVP_PKEY_free(rsa_ca->key); // made for us alone
    EVP_PKEY *small = pki_rsa_key(1024), *tiny = pki_rsa_key(768);
    trust_free(w.trust);
    w.trust = trust_in_root(rsa_ca);
    struct pki_options o = {.cn = "a.test", .issuer = rsa_ca, .san = "DNS:a.test"};
    const EVP_MD *digests[] = {EVP_sha1(), EVP_md5()};
    for (size_t i = 0; i < 2; i++) {
        o.digest = digests[i];
        struct pki_cert *leaf = pki_make(o);
        struct verification *v = verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL);
        const struct trust_defect *d = verification_find(v, TRUST_WEAK_SIGNATURE);
        CU_ASSERT_FALSE(v->ok);
        CU_ASSERT_TRUE(d != NULL && d->fatal);
        end(v);
        pki_free(leaf);
    }
    o.digest = NULL;
    o.key = small;
    struct pki_cert *leaf = pki_make(o);
    struct verification *v = verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL);
    CU_ASSERT_TRUE(v->ok);
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_WEAK_KEY));
    end(v);
    pki_free(leaf);
    o.key = tiny;
    leaf = pki_make(o);
    expect_only(verify(&w, "a.test", PKI_NOW, leaf, NULL, NULL, NULL), TRUST_WEAK_KEY, 0);
    pki_free(leaf);
    EVP_PKEY_free(small);
    EVP_PKEY_free(tiny);
    pki_free(rsa_ca);
    world_end(&w);
}

// Cross-signed CAs that lead in circles, a hundred certificates, a long line of CAs, a huge one.
static void test_hostile_chains(void) {
    struct world w = world_make();
    struct pki_cert *a = pki_ca("Loop A", w.other_root), *b = pki_ca("Loop B", a);
    struct pki_cert *a2 = remade(a, b, "Loop A", 0, 0), *leaf = pki_leaf("a.test", b);
    struct verification *v = verify(&w, "a.test", PKI_NOW, leaf, b, a2, a);
    CU_ASSERT_FALSE(v->ok);
    CU_ASSERT_FALSE(v->complete);
    CU_ASSERT_TRUE(v->num_path <= TRUST_MAX_PATH + 2);
    end(v);
    CBS chain[TRUST_MAX_CHAIN + 1];
    struct verification big;
    for (size_t i = 0; i <= TRUST_MAX_CHAIN; i++) {
        chain[i] = pki_cbs(i == 0 ? leaf : i % 2 ? b : a2);
    }
    trust_verify(w.trust, chain, TRUST_MAX_CHAIN, "a.test", PKI_NOW, &big);
    CU_ASSERT_FALSE(big.ok);
    verification_cleanup(&big);
    trust_verify(w.trust, chain, TRUST_MAX_CHAIN + 1, "a.test", PKI_NOW, &big);
    CU_ASSERT_EQUAL(big.num_defects, 1);
    CU_ASSERT_EQUAL(big.defects[0].kind, TRUST_TOO_LONG);
    verification_cleanup(&big);
    trust_verify(w.trust, chain, 0, "a.test", PKI_NOW, &big);
    CU_ASSERT_EQUAL(big.defects[0].kind, TRUST_EMPTY_CHAIN);
    CU_ASSERT_FALSE(big.ok);
    verification_cleanup(&big);
    pki_free(a);
    pki_free(b);
    pki_free(a2);
    pki_free(leaf);

    struct pki_cert *line[TRUST_MAX_CHAIN];
    line[TRUST_MAX_CHAIN - 1] = pki_ca("Line 99", w.root);
    for (int i = TRUST_MAX_CHAIN - 2; i >= 0; i--) {
        char cn[32];
        snprintf(cn, sizeof(cn), "Line %d", i);
        line[i] = i == 0 ? pki_leaf("a.test", line[1]) : pki_ca(cn, line[i + 1]);
    }
    for (size_t i = 0; i < TRUST_MAX_CHAIN; i++) {
        chain[i] = pki_cbs(line[i]);
    }
    trust_verify(w.trust, chain, TRUST_MAX_CHAIN, "a.test", PKI_NOW, &big);
    CU_ASSERT_FALSE(big.ok);
    CU_ASSERT_PTR_NOT_NULL(verification_find(&big, TRUST_TOO_LONG));
    verification_cleanup(&big);
    // The last ones of the line are within reach of the root.
    trust_verify(w.trust, chain + TRUST_MAX_CHAIN - 10, 10, NULL, PKI_NOW, &big);
    CU_ASSERT_TRUE(big.complete);
    verification_cleanup(&big);
    for (size_t i = 0; i < TRUST_MAX_CHAIN; i++) {
        pki_free(line[i]);
    }

    size_t len = TRUST_MAX_CHAIN_BYTES + 1;
    uint8_t *huge = calloc(1, len);
    CBS_init(&chain[0], huge, len);
    trust_verify(w.trust, chain, 1, "a.test", PKI_NOW, &big);
    CU_ASSERT_EQUAL(big.defects[0].kind, TRUST_TOO_LONG);
    verification_cleanup(&big);
    free(huge);
    world_end(&w);
}

// A trust is shared by all threads without a word between them.
static void *verify_often(void *arg) {
    const struct world *w = arg;
    struct pki_cert *leaf = pki_leaf("a.test", w->inter);
    CBS chain[2] = {pki_cbs(leaf), pki_cbs(w->inter)};
    size_t good = 0;
    for (int i = 0; i < 50; i++) {
        struct verification *v = malloc(sizeof(*v));
        trust_verify(w->trust, chain, 2, "a.test", PKI_NOW, v);
        good += v->ok;
        end(v);
    }
    pki_free(leaf);
    return (void *)good;
}

static void test_threads(void) {
    struct world w = world_make();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, verify_often, &w), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *good = NULL;
        pthread_join(threads[i], &good);
        CU_ASSERT_EQUAL((size_t)good, 50);
    }
    world_end(&w);
}

// Namesakes: a CA of the same name with another key in the chain before the right one.
static void test_namesakes(void) {
    struct world w = world_make();
    struct pki_options o = {.cn = "Twin",
                            .issuer = w.root,
                            .basic_constraints = "critical,CA:TRUE",
                            .key_usage = "keyCertSign",
                            .no_key_ids = true};
    struct pki_cert *wrong = pki_make(o), *right = pki_make(o);
    struct pki_cert *leaf = pki_make((struct pki_options){
        .cn = "a.test", .issuer = right, .san = "DNS:a.test", .no_key_ids = true});
    struct verification *v = verify(&w, "a.test", PKI_NOW, leaf, wrong, right, NULL);
    print(v);
    CU_ASSERT_TRUE(v->ok);
    CU_ASSERT_EQUAL(v->path[1].index, 2);
    CU_ASSERT_PTR_NOT_NULL(verification_find(v, TRUST_NOT_STRICT));
    end(v);
    v = verify(&w, "a.test", PKI_NOW, leaf, wrong, NULL, NULL);
    expect_only(v, TRUST_BAD_SIGNATURE, 0);
    pki_free(wrong);
    pki_free(right);
    pki_free(leaf);
    world_end(&w);
}

static void test_malformed(void) {
    struct world w = world_make();
    struct pki_cert *leaf = pki_leaf("a.test", w.inter);
    CBS chain[2] = {pki_cbs(leaf), pki_cbs(w.inter)};
    struct verification v;
    for (size_t len = 0; len < leaf->der_len; len++) {
        uint8_t *cut = malloc(len + 1);
        memcpy(cut, leaf->der, len);
        CBS_init(&chain[0], cut, len);
        trust_verify(w.trust, chain, 2, "a.test", PKI_NOW, &v);
        const struct trust_defect *d = verification_find(&v, TRUST_MALFORMED);
        CU_ASSERT_TRUE(!v.ok && d != NULL && d->fatal && d->index == 0);
        verification_cleanup(&v);
        free(cut);
    }
    // A spoilt intermediate: it is as if it were not there, and that is said too.
    chain[0] = pki_cbs(leaf);
    CBS_init(&chain[1], w.inter->der, w.inter->der_len - 3);
    trust_verify(w.trust, chain, 2, "a.test", PKI_NOW, &v);
    CU_ASSERT_PTR_NOT_NULL(verification_find(&v, TRUST_MISSING_INTERMEDIATE));
    const struct trust_defect *d = verification_find(&v, TRUST_MALFORMED);
    CU_ASSERT_TRUE(d != NULL && d->index == 1 && !d->fatal);
    verification_cleanup(&v);
    // Bits flipped: whatever comes, it is not good, and nothing crashes.
    uint8_t *copy = malloc(leaf->der_len);
    chain[1] = pki_cbs(w.inter);
    for (size_t i = 0; i < leaf->der_len; i++) {
        memcpy(copy, leaf->der, leaf->der_len);
        copy[i] ^= (uint8_t)(1u << (i % 8));
        CBS_init(&chain[0], copy, leaf->der_len);
        trust_verify(w.trust, chain, 2, "a.test", PKI_NOW, &v);
        CU_ASSERT_FALSE(v.ok);
        verification_cleanup(&v);
    }
    free(copy);
    pki_free(leaf);
    world_end(&w);
}

const struct unit_case unit_cases[] = {
    {"a good chain, in any order", test_good},
    {"expired and not yet valid leaves", test_dates},
    {"expired and not yet valid issuers", test_issuer_dates},
    {"self-signed, unknown root, missing intermediate", test_trust},
    {"host names and addresses", test_names},
    {"key usages, critical extensions, signatures", test_usages},
    {"CAs that may not issue", test_issuers_that_may_not},
    {"weak signatures and keys", test_weak},
    {"hostile chains stay bounded", test_hostile_chains},
    {"namesakes", test_namesakes},
    {"four threads", test_threads},
    {"malformed certificates", test_malformed},
    {NULL, NULL},
};
