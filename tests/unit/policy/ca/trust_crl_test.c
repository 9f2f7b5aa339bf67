// Verification with revocation lists.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/trust_verify.h"
#include "tests/unit/policy/ca/test_ocsp.h"
#include "tests/unit/policy/ca/test_trust.h"
#include "tests/unit/unit.h"

struct world {
    char *folder;
    struct pki_cert *root, *inter, *leaf;
};

static struct world world_make(void) {
    struct world w = {.folder = pki_folder()};
    w.root = pki_ca("Test Root", NULL);
    w.inter = pki_ca("Test Intermediate", w.root);
    w.leaf = pki_leaf("a.test", w.inter);
    return w;
}

static void world_end(struct world *w) {
    pki_free(w->root);
    pki_free(w->inter);
    pki_free(w->leaf);
    pki_remove(w->folder);
}

static struct trust *trust_with(const struct world *w, const struct crl_options *lists,
                                size_t num) {
    char path[512];
    const char *file = path;
    struct err err = {0};
    snprintf(path, sizeof(path), "%s/list.der", w->folder);
    struct trust *trust = trust_in_root(w->root);
    for (size_t i = 0; i < num; i++) {
        size_t len;
        uint8_t *der = crl_make(&lists[i], &len);
        FILE *out = fopen(path, "wb");
        CU_ASSERT_EQUAL(fwrite(der, 1, len, out), len);
        fclose(out);
        OPENSSL_free(der);
        CU_ASSERT_TRUE(trust_add_crls(trust, &file, 1, &err));
    }
    CU_ASSERT_EQUAL(crl_set_num(trust_crls(trust)), num);
    return trust;
}

static void verify(const struct world *w, struct trust *trust, int64_t now,
                   struct verification *out) {
    const CBS chain[] = {pki_cbs(w->leaf), pki_cbs(w->inter)};
    trust_verify(trust, chain, 2, "a.test", now, out);
    trust_free(trust);
}

static void test_leaf(void) {
    struct world w = world_make();
    struct verification v;
    verify(&w, trust_with(&w, NULL, 0), PKI_NOW, &v);
    CU_ASSERT_TRUE(v.ok);
    CU_ASSERT_EQUAL(v.crl.status, CRL_NONE);
    verification_cleanup(&v);
    struct crl_options list = {.issuer = w.inter, .revoked = {w.leaf}, .reason = 4};
    verify(&w, trust_with(&w, &list, 1), PKI_NOW, &v);
    CU_ASSERT_FALSE(v.ok);
    const struct trust_defect *defect = verification_find(&v, TRUST_REVOKED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(defect);
    CU_ASSERT_EQUAL(defect->index, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(defect->says, "(superseded)"));
    CU_ASSERT_STRING_EQUAL(defect->code_text, "certificate revoked");
    CU_ASSERT_EQUAL(v.crl.status, CRL_REVOKED);
    verification_cleanup(&v);
    world_end(&w);
}

// The list of the root, which is not sent, is about the intermediate.
static void test_intermediate(void) {
    struct world w = world_make();
    struct verification v;
    struct crl_options list = {.issuer = w.root, .revoked = {w.inter}, .reason = -1};
    verify(&w, trust_with(&w, &list, 1), PKI_NOW, &v);
    const struct trust_defect *defect = verification_find(&v, TRUST_REVOKED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(defect);
    CU_ASSERT_EQUAL(defect->index, 1);
    CU_ASSERT_TRUE(defect->fatal);
    CU_ASSERT_EQUAL(v.crl.status, CRL_NONE);
    verification_cleanup(&v);
    world_end(&w);
}

// What clears nobody is told and breaks nothing; the answer lasts until the list is due.
static void test_not_fatal(void) {
    struct world w = world_make();
    struct verification v;
    struct crl_options list = {.issuer = w.inter, .next_update = PKI_NOW + 100};
    verify(&w, trust_with(&w, &list, 1), PKI_NOW, &v);
    CU_ASSERT_TRUE(v.ok);
    CU_ASSERT_EQUAL(v.crl.status, CRL_GOOD);
    CU_ASSERT_EQUAL(v.same_until, PKI_NOW + 101);
    verification_cleanup(&v);
    verify(&w, trust_with(&w, &list, 1), PKI_NOW + 101, &v);
    CU_ASSERT_TRUE(v.ok);
    CU_ASSERT_PTR_NOT_NULL(verification_find(&v, TRUST_CRL_STALE));
    verification_cleanup(&v);
    list.break_signature = true;
    verify(&w, trust_with(&w, &list, 1), PKI_NOW, &v);
    CU_ASSERT_TRUE(v.ok);
    CU_ASSERT_PTR_NOT_NULL(verification_find(&v, TRUST_CRL_BAD_SIGNATURE));
    verification_cleanup(&v);
    world_end(&w);
}

static struct crl_set *set_of(const struct crl_options *list) {
    struct crl_set *set = crl_set_new();
    struct err err = {0};
    size_t len;
    uint8_t *der = crl_make(list, &len);
    CU_ASSERT_TRUE(crl_set_add(set, der, len, "list", &err));
    OPENSSL_free(der);
    return set;
}

static const struct crl_answer *asked(const struct world *w, const struct trust *trust,
                                      struct verification *out) {
    const CBS chain[] = {pki_cbs(w->leaf), pki_cbs(w->inter)};
    trust_verify(trust, chain, 2, "a.test", PKI_NOW, out);
    return &out->crl;
}

// The roots are shared, the lists are not: what is fetched for one host must say nothing of others,
// and it must not bring back lists that were loaded from files.
static void test_with_crls(void) {
    struct world w = world_make();
    struct verification v;
    const struct crl_options clears = {.issuer = w.inter},
                             revokes = {.issuer = w.inter, .revoked = {w.leaf}, .reason = 1};
    struct trust *trust = trust_with(&w, &clears, 1);
    struct crl_set *set = set_of(&revokes);
    struct trust *with = trust_with_crls(trust, set);
    CU_ASSERT_PTR_EQUAL(trust_crls(with), set);
    CU_ASSERT_EQUAL(crl_set_num(trust_crls(with)), 1);
    CU_ASSERT_EQUAL(trust_num_roots(with), 1);
    CU_ASSERT_EQUAL(trust_num_skipped(with), 0);
    CU_ASSERT_PTR_NULL(trust_source(with));
    CU_ASSERT_NOT_EQUAL(trust_serial(with), trust_serial(trust)); // no verdict of a cache is shared
    CU_ASSERT_EQUAL(asked(&w, with, &v)->status, CRL_REVOKED);
    CU_ASSERT_STRING_EQUAL(v.crl.reason, "keyCompromise");
    CU_ASSERT_FALSE(v.ok);
    verification_cleanup(&v);
    CU_ASSERT_EQUAL(asked(&w, trust, &v)->status, CRL_GOOD);
    CU_ASSERT_TRUE(v.ok);
    verification_cleanup(&v);
    struct trust *none = trust_with_crls(with, NULL);
    CU_ASSERT_PTR_NULL(trust_crls(none));
    CU_ASSERT_EQUAL(asked(&w, none, &v)->status, CRL_NONE);
    CU_ASSERT_TRUE(v.ok);
    verification_cleanup(&v);
    trust_free(trust); // it may go first
    trust_free(none);
    CU_ASSERT_EQUAL(asked(&w, with, &v)->status, CRL_REVOKED);
    verification_cleanup(&v);
    trust_free(with);
    world_end(&w);
}

// Where the roots came from, and how many were refused, goes along.
static void test_with_crls_of_system(void) {
    struct world w = world_make();
    char path[512];
    struct err err = {0};
    snprintf(path, sizeof(path), "%s/root.pem", w.folder);
    pki_write(path, (const struct pki_cert *const *)&w.root, 1, NULL, 0644);
    CU_ASSERT_EQUAL(pki_run("echo '-----BEGIN CERTIFICATE-----' > '%s/bad.crt'", w.folder), 0);
    struct trust *trust = trust_new(w.folder, NULL, 0, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trust);
    struct trust *with = trust_with_crls(trust, crl_set_new());
    trust_free(trust);
    CU_ASSERT_STRING_EQUAL(trust_source(with), w.folder);
    CU_ASSERT_EQUAL(trust_num_skipped(with), 1);
    CU_ASSERT_EQUAL(trust_num_roots(with), 1);
    trust_free(with);
    world_end(&w);
}

const struct unit_case unit_cases[] = {
    {"leaf", test_leaf},
    {"intermediate", test_intermediate},
    {"not fatal", test_not_fatal},
    {"with other lists", test_with_crls},
    {"with other lists and the system's roots", test_with_crls_of_system},
    {NULL, NULL},
};
