#include "proxy/cli/lab_pki.h"

#include <stdio.h>
#include <time.h>

#include "policy/ca/trust_verify.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static struct lab_pki *pki;
static struct trust *trust;
static int64_t now;
static char *folder;

static void begin(void) {
    char root[512];
    const char *const roots[] = {root};
    struct err err;
    now = time(NULL);
    pki = lab_pki_new(now);
    folder = pki_folder();
    snprintf(root, sizeof(root), "%s/root.pem", folder);
    CU_ASSERT_TRUE_FATAL(lab_pki_write_root(pki, root, &err));
    trust = trust_new("", roots, 1, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trust);
}

static void end(void) {
    trust_free(trust);
    lab_pki_free(pki);
    pki_remove(folder);
}

// verify verifies what a server with `cert` shows, and counts what is fatal; `*out_kind` is the
// last.
static size_t verify(enum lab_cert cert, enum trust_defect_kind *out_kind) {
    struct lab_identity identity;
    struct verification verification;
    CBS chain[LAB_CHAIN_MAX];
    size_t fatal = 0;
    lab_identity_init(&identity, pki, cert, "a.localhost");
    for (size_t i = 0; i < identity.num_chain; i++) {
        CRYPTO_BUFFER_init_CBS(identity.chain[i], &chain[i]);
    }
    trust_verify(trust, chain, identity.num_chain, "a.localhost", now, &verification);
    CU_ASSERT_EQUAL(verification.ok, cert == LAB_CERT_GOOD || cert == LAB_CERT_OTHER_KEY);
    for (size_t i = 0; i < verification.num_defects; i++) {
        if (verification.defects[i].fatal) {
            *out_kind = verification.defects[i].kind;
            fatal++;
        }
    }
    verification_cleanup(&verification);
    lab_identity_cleanup(&identity);
    return fatal;
}

static bool is_sound(enum lab_cert cert) {
    enum trust_defect_kind kind;
    return verify(cert, &kind) == 0;
}

// defect_is returns whether `kind` is what is wrong with `cert`, and nothing else.
static bool defect_is(enum lab_cert cert, enum trust_defect_kind kind) {
    enum trust_defect_kind found;
    return verify(cert, &found) == 1 && found == kind;
}

static void test_each_has_its_defect_alone(void) {
    begin();
    CU_ASSERT_TRUE(is_sound(LAB_CERT_GOOD));
    CU_ASSERT_TRUE(is_sound(LAB_CERT_OTHER_KEY));
    CU_ASSERT_TRUE(defect_is(LAB_CERT_EXPIRED, TRUST_EXPIRED));
    CU_ASSERT_TRUE(defect_is(LAB_CERT_NOT_YET_VALID, TRUST_NOT_YET_VALID));
    CU_ASSERT_TRUE(defect_is(LAB_CERT_SELF_SIGNED, TRUST_SELF_SIGNED));
    CU_ASSERT_TRUE(defect_is(LAB_CERT_UNKNOWN_CA, TRUST_MISSING_INTERMEDIATE));
    CU_ASSERT_TRUE(defect_is(LAB_CERT_WRONG_NAME, TRUST_WRONG_HOST));
    CU_ASSERT_TRUE(defect_is(LAB_CERT_NO_INTERMEDIATE, TRUST_MISSING_INTERMEDIATE));
    CU_ASSERT_TRUE(defect_is(LAB_CERT_WEAK_KEY, TRUST_WEAK_KEY));
    end();
}

// fits returns whether the key that an identity signs with is its certificate's.
static bool fits(enum lab_cert cert) {
    struct lab_identity identity;
    lab_identity_init(&identity, pki, cert, "a.localhost");
    X509 *x509 = X509_parse_from_buffer(identity.chain[0]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x509);
    bool ok = X509_check_private_key(x509, identity.key);
    X509_free(x509);
    lab_identity_cleanup(&identity);
    return ok;
}

static void test_the_other_key(void) {
    begin();
    CU_ASSERT_TRUE(fits(LAB_CERT_GOOD));
    CU_ASSERT_TRUE(fits(LAB_CERT_WEAK_KEY));
    CU_ASSERT_FALSE(fits(LAB_CERT_OTHER_KEY));
    end();
}

static void test_no_place_for_the_root(void) {
    struct err err;
    begin();
    CU_ASSERT_FALSE(lab_pki_write_root(pki, "/no/such/folder/root.pem", &err));
    end();
    lab_pki_free(NULL);
}

const struct unit_case unit_cases[] = {
    {"each has its defect, and no other", test_each_has_its_defect_alone},
    {"a key that is not the certificate's", test_the_other_key},
    {"a folder that is not there", test_no_place_for_the_root},
    {NULL, NULL},
};
