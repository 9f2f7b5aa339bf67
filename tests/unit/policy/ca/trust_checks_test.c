#include "policy/ca/trust_checks.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

// begin makes an answer with room for what the checks say.
static struct verification *begin(void) {
    struct verification *out = calloc(1, sizeof(*out));
    out->defects = arena_alloc(&out->arena, TRUST_MAX_DEFECTS * sizeof(*out->defects));
    out->path = arena_alloc(&out->arena, TRUST_MAX_STEPS * sizeof(*out->path));
    return out;
}

// Runs the checks over `certs`; the first `num_path` of them are taken to be the path.
static struct verification *run(const struct pki_cert *const *certs, size_t num, size_t num_path,
                                const char *host, int64_t now) {
    struct verification *out = begin();
    struct trust_chain chain = {.num = num};
    chain.facts = arena_alloc(&out->arena, num * sizeof(*chain.facts));
    chain.certs = arena_alloc(&out->arena, num * sizeof(*chain.certs));
    for (size_t i = 0; i < num; i++) {
        struct cert_facts *facts = arena_alloc(&out->arena, sizeof(*facts));
        (void)cert_facts_parse(facts, &out->arena, certs[i]->der, certs[i]->der_len);
        chain.facts[i] = facts;
        chain.certs[i] = certs[i]->x509;
    }
    for (size_t i = 0; i < num_path; i++) {
        out->path[out->num_path++].index = (int)i;
    }
    trust_checks_run(&chain, host, now, out);
    return out;
}

static void end(struct verification *out) {
    verification_cleanup(out);
    free(out);
}

static void test_needed_or_not(void) {
    struct pki_cert *ca = pki_make((struct pki_options){.cn = "Old CA",
                                                        .basic_constraints = "critical,CA:TRUE",
                                                        .not_after = PKI_NOW - 3 * PKI_DAY});
    struct pki_cert *leaf = pki_leaf("a.test", ca);
    const struct pki_cert *certs[] = {leaf, ca};
    struct verification *out = run(certs, 2, 2, "a.test", PKI_NOW);
    const struct trust_defect *d = verification_find(out, TRUST_ISSUER_EXPIRED);
    CU_ASSERT_TRUE(d != NULL && d->fatal && d->depth == 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(d->says, "certificate 2 of the chain (CN=Old CA) expired at"));
    CU_ASSERT_PTR_NOT_NULL(strstr(d->says, "(3 days ago)"));
    CU_ASSERT_EQUAL(out->fatal_not_after, PKI_NOW - 3 * PKI_DAY);
    end(out);
    out = run(certs, 2, 1, "a.test", PKI_NOW);
    d = verification_find(out, TRUST_ISSUER_EXPIRED);
    CU_ASSERT_TRUE(d != NULL && !d->fatal && d->depth == -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(d->says, "but is not needed"));
    CU_ASSERT_EQUAL(out->fatal_not_after, 0);
    end(out);
    pki_free(ca);
    pki_free(leaf);
}

static void test_names_in_words(void) {
    struct pki_cert *leaf = pki_make((struct pki_options){
        .cn = "x", .san = "DNS:a.test,DNS:b.test,DNS:c.test,IP:192.0.2.1,DNS:e.test,DNS:f.test"});
    struct verification *out = run((const struct pki_cert *[]){leaf}, 1, 1, "z.test", PKI_NOW);
    const struct trust_defect *d = verification_find(out, TRUST_WRONG_HOST);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    CU_ASSERT_STRING_EQUAL(d->says, "the server's certificate is for a.test, b.test, c.test, "
                                    "e.test and 2 more, not for z.test");
    end(out);
    // No host: the names are nobody's business.
    out = run((const struct pki_cert *[]){leaf}, 1, 1, NULL, PKI_NOW);
    CU_ASSERT_PTR_NULL(verification_find(out, TRUST_WRONG_HOST));
    CU_ASSERT_FALSE(out->host_ok);
    end(out);
    pki_free(leaf);
}

static void test_order(void) {
    struct pki_cert *root = pki_ca("Root", NULL), *a = pki_ca("A", root), *b = pki_ca("B", a);
    struct pki_cert *leaf = pki_leaf("a.test", b);
    struct verification *out =
        run((const struct pki_cert *[]){leaf, b, a, root}, 4, 4, "a.test", PKI_NOW);
    CU_ASSERT_EQUAL(out->num_defects, 0);
    end(out);
    out = run((const struct pki_cert *[]){leaf, a, b}, 3, 3, "a.test", PKI_NOW);
    const struct trust_defect *d = verification_find(out, TRUST_WRONG_ORDER);
    CU_ASSERT_TRUE(d != NULL && !d->fatal && d->index == 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(d->says, "(CN=B did)"));
    end(out);
    pki_free(root);
    pki_free(a);
    pki_free(b);
    pki_free(leaf);
}

static void test_add(void) {
    struct verification *out = begin();
    trust_checks_add(out, TRUST_EXPIRED, false, 0, 0, "first");
    trust_checks_add(out, TRUST_EXPIRED, true, 0, X509_V_ERR_CERT_HAS_EXPIRED, "second");
    CU_ASSERT_EQUAL(out->num_defects, 1);
    CU_ASSERT_TRUE(out->defects[0].fatal);
    CU_ASSERT_EQUAL(out->defects[0].code, X509_V_ERR_CERT_HAS_EXPIRED);
    CU_ASSERT_STRING_EQUAL(out->defects[0].says, "first");
    for (int i = 1; i < 2 * TRUST_MAX_DEFECTS; i++) {
        trust_checks_add(out, TRUST_WEAK_KEY, false, i, 0, "more");
    }
    CU_ASSERT_EQUAL(out->num_defects, TRUST_MAX_DEFECTS);
    // The list is full: what is fatal still finds its place, and a remark does not.
    trust_checks_add(out, TRUST_BAD_SIGNATURE, true, 0, 0, "late");
    trust_checks_add(out, TRUST_NOT_STRICT, false, 0, 0, "later");
    CU_ASSERT_EQUAL(out->num_defects, TRUST_MAX_DEFECTS);
    CU_ASSERT_PTR_NOT_NULL(verification_find(out, TRUST_BAD_SIGNATURE));
    CU_ASSERT_PTR_NULL(verification_find(out, TRUST_NOT_STRICT));
    end(out);
}

const struct unit_case unit_cases[] = {
    {"issuers that are needed and that are not", test_needed_or_not},
    {"names in words", test_names_in_words},
    {"order", test_order},
    {"adding and merging", test_add},
    {NULL, NULL},
};
