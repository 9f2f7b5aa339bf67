// Responses of our own are held against our own reader, and against openssl's.
#include "policy/ca/ocsp_build.h"

#include <stdio.h>
#include <string.h>

#include "policy/ca/leaf.h"
#include "policy/ca/mint.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static struct authority *authority;
static struct leaf *leaf;

static void begin(void) {
    struct leaf_spec spec;
    authority = authority_new(PKI_NOW);
    struct mint *mint = mint_new(authority, PKI_NOW);
    leaf_spec_for_host(&spec, "a.test", LEAF_OK, PKI_NOW);
    leaf = mint_leaf(mint, &spec);
    leaf_spec_cleanup(&spec);
    mint_free(mint);
}

static struct ocsp_template good(void) {
    return (struct ocsp_template){
        .cert = CRYPTO_BUFFER_data(leaf->chain[0]),
        .cert_len = CRYPTO_BUFFER_len(leaf->chain[0]),
        .result = OCSP_GOOD,
        .produced_at = PKI_NOW - 60,
        .this_update = PKI_NOW - 120,
        .has_next_update = true,
        .next_update = PKI_NOW + PKI_DAY,
        .reason = -1,
    };
}

static struct arena arena;
static struct ocsp_facts facts;

static const char *read_back(const struct ocsp_template *template) {
    struct cert_facts cert, issuer;
    CBS ca = authority_der(authority), response;
    arena_cleanup(&arena);
    CRYPTO_BUFFER *built = ocsp_build(template, authority);
    CU_ASSERT_TRUE(cert_facts_parse(&cert, &arena, template->cert, template->cert_len));
    CU_ASSERT_TRUE(cert_facts_parse(&issuer, &arena, CBS_data(&ca), CBS_len(&ca)));
    CBS_init(&response, CRYPTO_BUFFER_data(built), CRYPTO_BUFFER_len(built));
    ocsp_check(&facts, &arena, response, &cert, &issuer, PKI_NOW);
    CRYPTO_BUFFER_free(built);
    return ocsp_result_id(facts.result);
}

static void test_read_back(void) {
    struct ocsp_template t = good();
    CU_ASSERT_STRING_EQUAL(read_back(&t), "good");
    CU_ASSERT_EQUAL(facts.produced_at, PKI_NOW - 60);
    CU_ASSERT_EQUAL(facts.this_update, PKI_NOW - 120);
    CU_ASSERT_EQUAL(facts.next_update, PKI_NOW + PKI_DAY);
    CU_ASSERT_EQUAL(facts.signature, OCSP_SIGNATURE_GOOD);
    t.result = OCSP_REVOKED;
    t.revoked_at = PKI_NOW - PKI_DAY;
    CU_ASSERT_STRING_EQUAL(read_back(&t), "revoked");
    CU_ASSERT_PTR_NULL(facts.reason);
    t.reason = 4;
    CU_ASSERT_STRING_EQUAL(read_back(&t), "revoked");
    CU_ASSERT_STRING_EQUAL(facts.reason, "superseded");
    CU_ASSERT_EQUAL(facts.revoked_at, PKI_NOW - PKI_DAY);
    t.result = OCSP_UNKNOWN;
    CU_ASSERT_STRING_EQUAL(read_back(&t), "unknown");
    t.break_signature = true;
    CU_ASSERT_STRING_EQUAL(read_back(&t), "bad-signature");
    t = good();
    t.next_update = PKI_NOW - PKI_DAY;
    CU_ASSERT_STRING_EQUAL(read_back(&t), "stale");
    t.has_next_update = false;
    CU_ASSERT_STRING_EQUAL(read_back(&t), "good");
    CU_ASSERT_FALSE(facts.has_next_update);
    for (int result = OCSP_MALFORMED_REQUEST; result <= OCSP_UNAUTHORIZED; result++) {
        t.result = (enum ocsp_result)result;
        CU_ASSERT_STRING_EQUAL(read_back(&t), ocsp_result_id((enum ocsp_result)result));
    }
}

static void write_file(const char *path, const void *p, size_t p_len) {
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(p, 1, p_len, file), p_len);
    fclose(file);
}

static void test_openssl(void) {
    char path[512], *folder = pki_folder();
    struct ocsp_template t = good();
    t.result = OCSP_REVOKED;
    t.reason = 1;
    t.revoked_at = 0;
    CBS ca = authority_der(authority);
    CRYPTO_BUFFER *built = ocsp_build(&t, authority);
    snprintf(path, sizeof(path), "%s/r.der", folder);
    write_file(path, CRYPTO_BUFFER_data(built), CRYPTO_BUFFER_len(built));
    snprintf(path, sizeof(path), "%s/ca.der", folder);
    write_file(path, CBS_data(&ca), CBS_len(&ca));
    snprintf(path, sizeof(path), "%s/leaf.der", folder);
    write_file(path, t.cert, t.cert_len);
    int status = pki_run("cd %s && openssl x509 -inform DER -in ca.der -out ca.pem && openssl x509 "
                         "-inform DER -in leaf.der -out leaf.pem && openssl ocsp -respin r.der "
                         "-CAfile ca.pem -issuer ca.pem -cert leaf.pem -attime %lld "
                         "-validity_period 999999999 2>&1",
                         folder, (long long)PKI_NOW);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(pki_output, "Response verify OK"));
    CU_ASSERT_PTR_NOT_NULL(strstr(pki_output, "leaf.pem: revoked"));
    CU_ASSERT_PTR_NOT_NULL(strstr(pki_output, "Reason: keyCompromise"));
    CU_ASSERT_PTR_NOT_NULL(strstr(pki_output, "Revocation Time: Jan  1 00:00:00 1970 GMT"));
    CRYPTO_BUFFER_free(built);
    pki_remove(folder);
}

static void end(void) {
    arena_cleanup(&arena);
    leaf_unref(leaf);
    authority_free(authority);
}

const struct unit_case unit_cases[] = {
    {"begin", begin}, {"read back", test_read_back}, {"openssl", test_openssl}, {"end", end},
    {NULL, NULL},
};
