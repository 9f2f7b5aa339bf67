#include "policy/ca/trust_aia.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/policy/ca/test_trust.h"
#include "tests/unit/unit.h"

static struct pki_cert *root, *upper, *lower, *leaf, *other;
static struct trust *trust;

static struct pki_cert *ca_at(const char *cn, const struct pki_cert *issuer, const char *url) {
    return pki_make((struct pki_options){.cn = cn,
                                         .issuer = issuer,
                                         .basic_constraints = "critical,CA:TRUE",
                                         .key_usage = "critical,keyCertSign,cRLSign",
                                         .info_access = url});
}

static void begin(void) {
    root = pki_ca("Root", NULL);
    upper = ca_at("Upper CA", root, NULL);
    lower = ca_at("Lower CA", upper, "caIssuers;URI:http://ca.test/upper.der");
    leaf = pki_make((struct pki_options){.cn = "a.test",
                                         .issuer = lower,
                                         .san = "DNS:a.test",
                                         .info_access = "caIssuers;URI:http://ca.test/lower.der"});
    other = ca_at("Other CA", root, NULL);
    trust = trust_in_root(root);
}

static void end(void) {
    trust_free(trust);
    struct pki_cert *all[] = {root, upper, lower, leaf, other};
    for (size_t i = 0; i < 5; i++) {
        pki_free(all[i]);
    }
}

static void prove(struct trust_proof *out, const struct pki_cert *sent, const struct pki_cert *a,
                  const struct pki_cert *b, const char *host) {
    CBS chain[] = {pki_cbs(leaf), sent != NULL ? pki_cbs(sent) : pki_cbs(leaf)};
    CBS fetched[2];
    size_t num = 0;
    if (a != NULL) {
        fetched[num++] = pki_cbs(a);
    }
    if (b != NULL) {
        fetched[num++] = pki_cbs(b);
    }
    trust_aia_prove(trust, chain, sent != NULL ? 2 : 1, fetched, num, host, PKI_NOW, out);
}

static void test_proved(void) {
    struct trust_proof proof;
    prove(&proof, upper, lower, NULL, "a.test");
    CU_ASSERT_TRUE(proof.completed && proof.ok);
    CU_ASSERT_EQUAL(proof.num_added, 1);
    CU_ASSERT_STRING_EQUAL(proof.says,
                           "The chain verifies once CN=Lower CA is added: the server omits an "
                           "intermediate.");
    CU_ASSERT_PTR_NULL(proof.next_url);
    trust_proof_cleanup(&proof);
    prove(&proof, NULL, upper, lower, "a.test");
    CU_ASSERT_TRUE(proof.completed && proof.ok);
    CU_ASSERT_EQUAL_FATAL(proof.num_added, 2);
    CU_ASSERT_STRING_EQUAL(proof.added[0], "CN=Lower CA");
    CU_ASSERT_STRING_EQUAL(proof.added[1], "CN=Upper CA");
    CU_ASSERT_PTR_NOT_NULL(strstr(proof.says, "CN=Lower CA and CN=Upper CA are added"));
    trust_proof_cleanup(&proof);
}

// One address leads to the next; what is no issuer helps nobody.
static void test_not_proved(void) {
    CBS chain = pki_cbs(leaf);
    struct verification v;
    struct trust_proof proof;
    trust_verify(trust, &chain, 1, "a.test", PKI_NOW, &v);
    CU_ASSERT_FALSE(v.ok);
    CU_ASSERT_STRING_EQUAL(trust_aia_url(&v), "http://ca.test/lower.der");
    verification_cleanup(&v);
    prove(&proof, NULL, lower, NULL, "a.test");
    CU_ASSERT_FALSE(proof.completed || proof.ok);
    CU_ASSERT_STRING_EQUAL(proof.next_url, "http://ca.test/upper.der");
    trust_proof_cleanup(&proof);
    prove(&proof, NULL, other, NULL, "a.test");
    CU_ASSERT_FALSE(proof.completed || proof.ok);
    CU_ASSERT_STRING_EQUAL(proof.next_url, "http://ca.test/lower.der");
    trust_proof_cleanup(&proof);
    // A chain that is whole needs nothing.
    CBS whole[] = {pki_cbs(leaf), pki_cbs(lower), pki_cbs(upper)}, fetched = pki_cbs(other);
    trust_aia_prove(trust, whole, 3, &fetched, 1, "a.test", PKI_NOW, &proof);
    CU_ASSERT_FALSE(proof.completed);
    CU_ASSERT_TRUE(proof.verification.ok);
    CU_ASSERT_PTR_NULL(proof.next_url);
    trust_proof_cleanup(&proof);
}

// The link is found, but something else is wrong too.
static void test_more_wrong(void) {
    struct trust_proof proof;
    prove(&proof, upper, lower, NULL, "b.test");
    CU_ASSERT_TRUE(proof.completed);
    CU_ASSERT_FALSE(proof.ok);
    CU_ASSERT_PTR_NOT_NULL(strstr(proof.says, "leads to a trusted root once CN=Lower CA"));
    trust_proof_cleanup(&proof);
}

static void test_url(void) {
    struct verification v = {.missing_issuer = "CN=x", .ca_issuers = "ldap://ca.test/x"};
    CU_ASSERT_PTR_NULL(trust_aia_url(&v));
    v.ca_issuers = "https://ca.test/x";
    CU_ASSERT_PTR_NULL(trust_aia_url(&v));
    v.ca_issuers = "HTTP://ca.test/x";
    CU_ASSERT_STRING_EQUAL(trust_aia_url(&v), "HTTP://ca.test/x");
    v.missing_issuer = NULL;
    CU_ASSERT_PTR_NULL(trust_aia_url(&v));
}

const struct unit_case unit_cases[] = {
    {"begin", begin},
    {"proved", test_proved},
    {"not proved", test_not_proved},
    {"more is wrong", test_more_wrong},
    {"address", test_url},
    {"end", end},
    {NULL, NULL},
};
