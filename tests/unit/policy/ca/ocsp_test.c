#include "policy/ca/ocsp.h"

#include <string.h>

#include "policy/ca/sct.h"
#include "tests/unit/policy/ca/test_ocsp.h"
#include "tests/unit/unit.h"

static struct pki_cert *root, *leaf, *other, *delegate;

static void make_certs(void) {
    if (root != NULL) {
        return;
    }
    root = pki_ca("OCSP Root", NULL);
    leaf = pki_leaf("a.test", root);
    other = pki_leaf("b.test", root);
    delegate = pki_make((struct pki_options){
        .cn = "OCSP Responder", .issuer = root, .ext_key_usage = "OCSPSigning"});
}

static struct arena arena;
static struct ocsp_facts facts;

// Checks `der` about the leaf. The facts point into the arena and into `der`.
static void check_der(const uint8_t *der, size_t der_len, bool issuer_known, int64_t now) {
    struct cert_facts about, issuer;
    CBS response;
    arena_cleanup(&arena);
    CHECK(cert_facts_parse(&about, &arena, leaf->der, leaf->der_len));
    CHECK(cert_facts_parse(&issuer, &arena, root->der, root->der_len));
    CBS_init(&response, der, der_len);
    ocsp_check(&facts, &arena, response, &about, issuer_known ? &issuer : NULL, now);
    CU_ASSERT_PTR_NOT_NULL_FATAL(facts.says);
}

static const char *check(struct ocsp_options options, int64_t now) {
    size_t len;
    make_certs();
    options.cert = options.cert != NULL ? options.cert : leaf;
    options.issuer = options.issuer != NULL ? options.issuer : root;
    uint8_t *der = ocsp_make(&options, &len);
    check_der(der, len, true, now);
    OPENSSL_free(der);
    return ocsp_result_id(facts.result);
}

static void test_good(void) {
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){0}, PKI_NOW), "good");
    CU_ASSERT_EQUAL(facts.signature, OCSP_SIGNATURE_GOOD);
    CU_ASSERT_FALSE(facts.delegated);
    CU_ASSERT_TRUE(facts.has_status && facts.status == OCSP_GOOD);
    CU_ASSERT_EQUAL(facts.this_update, PKI_NOW - 3600);
    CU_ASSERT_TRUE(facts.has_next_update);
    CU_ASSERT_EQUAL(facts.next_update, PKI_NOW + PKI_DAY);
    CU_ASSERT_EQUAL(facts.produced_at, PKI_NOW - 3600);
    CU_ASSERT_STRING_EQUAL(facts.responder, "CN=OCSP Root");
    CU_ASSERT_STRING_EQUAL(facts.signature_algorithm, "ecdsa-with-SHA256");
    CU_ASSERT_EQUAL(facts.num_responses, 1);
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.sha256 = true, .by_key = true}, PKI_NOW),
                           "good");
    CU_ASSERT_EQUAL(strncmp(facts.responder, "key ", 4), 0);
}

static void test_revoked(void) {
    struct ocsp_options options = {.kind = OCSP_KIND_REVOKED, .reason = 1};
    CU_ASSERT_STRING_EQUAL(check(options, PKI_NOW), "revoked");
    CU_ASSERT_EQUAL(facts.revoked_at, PKI_NOW - 5 * PKI_DAY);
    CU_ASSERT_STRING_EQUAL(facts.reason, "keyCompromise");
    CU_ASSERT_PTR_NOT_NULL(strstr(facts.says, "(keyCompromise)"));
    options.reason = -1;
    CU_ASSERT_STRING_EQUAL(check(options, PKI_NOW), "revoked");
    CU_ASSERT_PTR_NULL(facts.reason);
    // One that cannot be believed still says so, but that is not what it comes to.
    options.break_signature = true;
    CU_ASSERT_STRING_EQUAL(check(options, PKI_NOW), "bad-signature");
    CU_ASSERT_TRUE(facts.has_status && facts.status == OCSP_REVOKED);
}

static void test_unknown(void) {
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.kind = OCSP_KIND_UNKNOWN}, PKI_NOW),
                           "unknown");
}

static void test_times(void) {
    static const struct ocsp_options plain, endless = {.next_update = -1};
    int64_t next = PKI_NOW + PKI_DAY, this = PKI_NOW - 3600;
    CU_ASSERT_STRING_EQUAL(check(plain, next + OCSP_TOLERANCE), "good");
    CU_ASSERT_STRING_EQUAL(check(plain, next + OCSP_TOLERANCE + 1), "stale");
    CU_ASSERT_PTR_NOT_NULL(strstr(facts.says, "nextUpdate"));
    CU_ASSERT_STRING_EQUAL(check(plain, this - OCSP_TOLERANCE), "good");
    CU_ASSERT_STRING_EQUAL(check(plain, this - OCSP_TOLERANCE - 1), "future");
    CU_ASSERT_STRING_EQUAL(check(endless, PKI_NOW + 400 * PKI_DAY), "good");
    CU_ASSERT_FALSE(facts.has_next_update);
}

static void test_wrong_certificate(void) {
    make_certs();
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.cert = other}, PKI_NOW),
                           "wrong-certificate");
    CU_ASSERT_FALSE(facts.has_status);
    CU_ASSERT_PTR_NOT_NULL(facts.serial);
    // The right serial number under another issuer's name.
    struct pki_cert *namesake = pki_ca("Another Root", NULL);
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.issuer = namesake}, PKI_NOW),
                           "wrong-certificate");
    pki_free(namesake);
    // And under its name, but another key.
    namesake = pki_ca("OCSP Root", NULL);
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.issuer = namesake}, PKI_NOW),
                           "wrong-certificate");
    pki_free(namesake);
}

static void test_signature(void) {
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.break_signature = true}, PKI_NOW),
                           "bad-signature");
    CU_ASSERT_EQUAL(facts.signature, OCSP_SIGNATURE_BAD);
    // Named as the issuer's own, signed by another.
    struct ocsp_options options = {.signer = other, .claimed = root};
    make_certs();
    options.signer = other;
    options.claimed = root;
    CU_ASSERT_STRING_EQUAL(check(options, PKI_NOW), "bad-signature");
}

static void test_delegate(void) {
    make_certs();
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.signer = delegate}, PKI_NOW), "good");
    CU_ASSERT_TRUE(facts.delegated);
    CU_ASSERT_STRING_EQUAL(facts.responder, "CN=OCSP Responder");
    CU_ASSERT_STRING_EQUAL(
        check((struct ocsp_options){.signer = delegate, .by_key = true}, PKI_NOW), "good");
    // An ordinary certificate of the issuer may not answer for it.
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.signer = other}, PKI_NOW),
                           "wrong-responder");
    CU_ASSERT_PTR_NOT_NULL(strstr(facts.says, "not for signing OCSP"));
    // Nor one that another CA has made, though it is for that.
    struct pki_cert *foreign = pki_ca("Foreign Root", NULL);
    struct pki_cert *stranger = pki_make((struct pki_options){
        .cn = "OCSP Responder", .issuer = foreign, .ext_key_usage = "OCSPSigning"});
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.signer = stranger}, PKI_NOW),
                           "wrong-responder");
    pki_free(stranger);
    stranger = pki_make((struct pki_options){.cn = "OCSP Responder",
                                             .issuer = root,
                                             .ext_key_usage = "OCSPSigning",
                                             .not_before = PKI_NOW - 9 * PKI_DAY,
                                             .not_after = PKI_NOW - PKI_DAY});
    CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.signer = stranger}, PKI_NOW),
                           "wrong-responder");
    CU_ASSERT_PTR_NOT_NULL(strstr(facts.says, "out of its time"));
    // Named, but neither the issuer nor sent along.
    CU_ASSERT_STRING_EQUAL(
        check((struct ocsp_options){.signer = delegate, .claimed = foreign}, PKI_NOW),
        "wrong-responder");
    pki_free(stranger);
    pki_free(foreign);
}

static void test_refusals(void) {
    static const char *const ids[] = {NULL,           "malformed-request", "internal-error",
                                      "try-later",    "unreadable",        "sig-required",
                                      "unauthorized", "unreadable"};
    for (int i = 1; i < 8; i++) {
        CU_ASSERT_STRING_EQUAL(check((struct ocsp_options){.refusal = i}, PKI_NOW), ids[i]);
    }
}

// Without the issuer's key nothing is said of the signature, and the rest is read all the same.
static void test_unchecked(void) {
    size_t len;
    make_certs();
    struct ocsp_options options = {
        .cert = leaf, .issuer = root, .kind = OCSP_KIND_REVOKED, .break_signature = true};
    uint8_t *der = ocsp_make(&options, &len);
    check_der(der, len, false, PKI_NOW);
    CU_ASSERT_EQUAL(facts.result, OCSP_REVOKED);
    CU_ASSERT_EQUAL(facts.signature, OCSP_SIGNATURE_UNCHECKED);
    OPENSSL_free(der);
}

// Every prefix, and every single byte changed, is refused or read, and never believed.
static void test_damaged(void) {
    size_t len;
    make_certs();
    struct ocsp_options options = {.cert = leaf, .issuer = root, .with_sct = true};
    uint8_t *der = ocsp_make(&options, &len);
    for (size_t i = 0; i < len; i++) {
        check_der(der, i, true, PKI_NOW);
        CU_ASSERT_EQUAL(facts.result, OCSP_UNREADABLE);
    }
    for (size_t i = 0; i < len; i++) {
        der[i] ^= 0x15;
        check_der(der, len, true, PKI_NOW);
        CU_ASSERT_NOT_EQUAL(facts.result, OCSP_GOOD);
        der[i] ^= 0x15;
    }
    OPENSSL_free(der);
}

static void test_scts(void) {
    size_t len;
    make_certs();
    struct ocsp_options options = {.cert = leaf, .issuer = root, .with_sct = true};
    uint8_t *der = ocsp_make(&options, &len);
    check_der(der, len, true, PKI_NOW);
    CU_ASSERT_EQUAL(facts.result, OCSP_GOOD);
    struct sct sct;
    CBS list = facts.scts;
    CU_ASSERT_TRUE(sct_next(&list, &sct));
    CU_ASSERT_STRING_EQUAL(sct.log, "Google Argon2026h1");
    CU_ASSERT_FALSE(sct_next(&list, &sct));
    OPENSSL_free(der);
}

static void free_all(void) {
    arena_cleanup(&arena);
    pki_free(root);
    pki_free(leaf);
    pki_free(other);
    pki_free(delegate);
    root = NULL;
}

const struct unit_case unit_cases[] = {
    {"good", test_good},
    {"revoked", test_revoked},
    {"unknown", test_unknown},
    {"times", test_times},
    {"another certificate", test_wrong_certificate},
    {"signature", test_signature},
    {"delegated responder", test_delegate},
    {"refusals", test_refusals},
    {"issuer not known", test_unchecked},
    {"damaged", test_damaged},
    {"timestamps", test_scts},
    {"end", free_all},
    {NULL, NULL},
};
