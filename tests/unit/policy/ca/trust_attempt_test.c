#include "policy/ca/trust_attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/cert_memo.h"
#include "tests/unit/policy/ca/test_trust.h"
#include "tests/unit/unit.h"

enum { MAX_CHAIN = 4 };

// One world for all cases: a root that is trusted, an intermediate, and a store of libcrypto's own
// that knows the root, too.
struct world {
    struct pki_cert *root, *inter;
    struct trust *trust;
    X509_STORE *plain;
};

static struct world world_make(void) {
    struct world w = {.root = pki_ca("Test Root", NULL)};
    w.inter = pki_ca("Test Intermediate", w.root);
    w.trust = trust_in_root(w.root);
    w.plain = X509_STORE_new();
    CHECK(w.plain != NULL && X509_STORE_add_cert(w.plain, w.root->x509));
    return w;
}

static void world_end(struct world *w) {
    X509_STORE_free(w->plain);
    trust_free(w->trust);
    pki_free(w->root);
    pki_free(w->inter);
}

// struct chain is certificates as a server sends them.
struct chain {
    const struct cert_facts *facts[MAX_CHAIN];
    X509 *certs[MAX_CHAIN];
    struct trust_chain sent;
};

static void chain_init(struct chain *chain, struct pki_cert *const *certs) {
    *chain = (struct chain){.sent = {.facts = chain->facts, .certs = chain->certs}};
    for (size_t i = 0; i < MAX_CHAIN && certs[i] != NULL; i++) {
        chain->facts[i] = cert_memo_hold(pki_cbs(certs[i]));
        chain->certs[i] = cert_memo_x509(pki_cbs(certs[i]));
        chain->sent.num++;
    }
}

static void chain_cleanup(struct chain *chain) {
    for (size_t i = 0; i < chain->sent.num; i++) {
        X509_free(chain->certs[i]);
        cert_memo_release(chain->facts[i]);
    }
}

static int note(int ok, X509_STORE_CTX *ctx) {
    struct trust_attempt *expected = X509_STORE_CTX_get_ex_data(ctx, 0);
    if (!ok) {
        expected->errors[expected->num_errors].code = X509_STORE_CTX_get_error(ctx);
        expected->errors[expected->num_errors++].depth = X509_STORE_CTX_get_error_depth(ctx);
    }
    return 1;
}

// What libcrypto says all by itself.
static void ask_libcrypto(const struct world *w, const struct chain *chain, int64_t now,
                          struct trust_attempt *out) {
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    for (size_t i = 1; i < chain->sent.num; i++) {
        CHECK(sk_X509_push(others, chain->certs[i]));
    }
    CHECK(X509_STORE_CTX_init(ctx, w->plain, chain->certs[0], others) &&
          X509_STORE_CTX_set_default(ctx, "ssl_server") && X509_STORE_CTX_set_ex_data(ctx, 0, out));
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_CTX_set_depth(ctx, TRUST_MAX_PATH);
    X509_STORE_CTX_set_time(ctx, 0, now);
    X509_STORE_CTX_set_verify_cb(ctx, note);
    (void)X509_verify_cert(ctx);
    out->path = X509_STORE_CTX_get1_chain(ctx);
    X509_STORE_CTX_free(ctx);
    sk_X509_free(others);
    ERR_clear_error();
}

// expect_same asserts that we complain of the same as libcrypto, in the same order, first and when
// what can be remembered is, and that there is something to complain about, or nothing.
static void expect_same(const struct world *w, struct pki_cert *const *certs, int64_t now,
                        bool good) {
    struct chain chain;
    chain_init(&chain, certs);
    struct trust_attempt expected = {0};
    const bool skip[MAX_CHAIN] = {false};
    ask_libcrypto(w, &chain, now, &expected);
    CU_ASSERT_EQUAL(expected.num_errors == 0, good);
    for (int round = 0; round < 2; round++) {
        struct trust_attempt attempt;
        trust_attempt_run(&attempt, w->trust, &chain.sent, skip, now);
        CU_ASSERT_EQUAL_FATAL(attempt.num_errors, expected.num_errors);
        for (size_t i = 0; i < attempt.num_errors; i++) {
            CU_ASSERT_EQUAL(attempt.errors[i].code, expected.errors[i].code);
            CU_ASSERT_EQUAL(attempt.errors[i].depth, expected.errors[i].depth);
        }
        CU_ASSERT_EQUAL_FATAL(sk_X509_num(attempt.path), sk_X509_num(expected.path));
        for (size_t i = 0; i < sk_X509_num(attempt.path); i++) {
            X509 *cert = sk_X509_value(attempt.path, i);
            uint8_t hash[SHA256_DIGEST_LENGTH], digest[SHA256_DIGEST_LENGTH];
            unsigned len;
            CU_ASSERT_EQUAL(X509_cmp(cert, sk_X509_value(expected.path, i)), 0);
            trust_attempt_hash(&chain.sent, cert, hash);
            CHECK(X509_digest(cert, EVP_sha256(), digest, &len));
            CU_ASSERT_EQUAL(memcmp(hash, digest, sizeof(hash)), 0);
        }
        trust_attempt_cleanup(&attempt);
    }
    sk_X509_pop_free(expected.path, X509_free);
    chain_cleanup(&chain);
}

static void test_as_libcrypto(void) {
    struct world w = world_make();
    struct pki_cert *leaf = pki_leaf("a.test", w.inter), *alone = pki_leaf("a.test", NULL);
    struct pki_cert *stranger = pki_ca("Stranger", NULL);
    struct pki_cert *strange = pki_ca("Strange Intermediate", stranger);
    struct pki_cert *theirs = pki_leaf("a.test", strange), *direct = pki_leaf("a.test", w.root);
    const struct {
        struct pki_cert *certs[MAX_CHAIN + 1];
        bool good;
    } cases[] = {
        {{leaf, w.inter}, true},
        {{leaf, w.inter, w.root}, true},
        {{direct}, true},
        {{leaf}, false},
        {{alone}, false},
        {{theirs}, false},
        {{theirs, strange}, false},
        {{theirs, strange, stranger}, false},
        {{leaf, strange, w.inter}, true},
        {{w.root}, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        expect_same(&w, cases[i].certs, PKI_NOW, cases[i].good);
        expect_same(&w, cases[i].certs, PKI_NOW + 10 * 365 * INT64_C(86400), false);
        expect_same(&w, cases[i].certs, PKI_NOW - 10 * 365 * INT64_C(86400), false);
    }
    pki_free(leaf);
    pki_free(alone);
    pki_free(stranger);
    pki_free(strange);
    pki_free(theirs);
    pki_free(direct);
    world_end(&w);
}

// Dates of each certificate alone, and just before, at and after they change.
static void test_dates(void) {
    struct world w = world_make();
    const struct pki_options late = {.cn = "Late",
                                     .issuer = w.root,
                                     .not_before = PKI_NOW,
                                     .not_after = PKI_NOW + 100,
                                     .basic_constraints = "critical,CA:TRUE",
                                     .key_usage = "keyCertSign"};
    struct pki_cert *inter = pki_make(late);
    struct pki_cert *leaf = pki_make((struct pki_options){.cn = "a.test",
                                                          .issuer = inter,
                                                          .san = "DNS:a.test",
                                                          .not_before = PKI_NOW + 10,
                                                          .not_after = PKI_NOW + 200});
    static const struct {
        int64_t at;
        bool good;
    } moments[] = {{-1, false}, {0, false},   {9, false},   {11, true},
                   {99, true},  {101, false}, {199, false}, {201, false}};
    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        expect_same(&w, (struct pki_cert *const[]){leaf, inter, NULL}, PKI_NOW + moments[i].at,
                    moments[i].good);
    }
    pki_free(leaf);
    pki_free(inter);
    world_end(&w);
}

// Once a certificate's signature was seen to be good, another with the same contents and a bad one
// is not good, nor is the good one under a namesake of its issuer.
static void test_signatures(void) {
    struct world w = world_make();
    EVP_PKEY *key = w.inter->key;
    struct pki_options o = {.cn = "Twin",
                            .issuer = w.root,
                            .key = key,
                            .basic_constraints = "critical,CA:TRUE",
                            .key_usage = "keyCertSign",
                            .no_key_ids = true};
    struct pki_cert *good = pki_make(o);
    o.break_signature = true;
    struct pki_cert *bad = pki_make(o);
    struct pki_cert *namesake = pki_ca("Test Root", NULL);
    o.break_signature = false;
    o.issuer = namesake;
    struct pki_cert *other = pki_make(o);
    struct pki_cert *leaf = pki_make((struct pki_options){
        .cn = "a.test", .issuer = good, .san = "DNS:a.test", .no_key_ids = true});
    struct pki_cert *broken = pki_make((struct pki_options){.cn = "a.test",
                                                            .issuer = good,
                                                            .san = "DNS:a.test",
                                                            .no_key_ids = true,
                                                            .break_signature = true});
    for (int round = 0; round < 2; round++) {
        expect_same(&w, (struct pki_cert *const[]){leaf, good, NULL}, PKI_NOW, true);
        expect_same(&w, (struct pki_cert *const[]){leaf, bad, NULL}, PKI_NOW, false);
        expect_same(&w, (struct pki_cert *const[]){leaf, other, NULL}, PKI_NOW, false);
        expect_same(&w, (struct pki_cert *const[]){broken, good, NULL}, PKI_NOW, false);
        expect_same(&w, (struct pki_cert *const[]){broken, bad, NULL}, PKI_NOW, false);
    }
    pki_free(good);
    pki_free(bad);
    pki_free(other);
    pki_free(namesake);
    pki_free(leaf);
    pki_free(broken);
    world_end(&w);
}

const struct unit_case unit_cases[] = {
    {"the same complaints as libcrypto's", test_as_libcrypto},
    {"dates", test_dates},
    {"signatures that were seen before", test_signatures},
    {NULL, NULL},
};
