#include "policy/ca/cert_oid.h"

#include <string.h>

#include "tests/unit/unit.h"

static CBS bytes(const void *p, size_t p_len) {
    CBS cbs;
    CBS_init(&cbs, p, p_len);
    return cbs;
}

// libcrypto knows most of the identifiers: its short or long name must be ours, and no row may be
// there twice under another name.
static void test_tables(void) {
    static const struct cert_oid *const tables[] = {cert_oid_attributes, cert_oid_ext_key_usages,
                                                    cert_oid_signatures, cert_oid_curves};
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct cert_oid *row = tables[t]; row->len != 0; row++) {
            CU_ASSERT_PTR_EQUAL(cert_oid_find(tables[t], bytes(row->der, row->len)), row);
            CU_ASSERT_PTR_EQUAL(cert_oid_named(tables[t], row->name), row);
            char *dotted;
            CBS oid = bytes(row->der, row->len);
            dotted = CBS_asn1_oid_to_text(&oid);
            CU_ASSERT_PTR_NOT_NULL_FATAL(dotted);
            OPENSSL_free(dotted);
        }
    }
    static const struct {
        const struct cert_oid *table;
        const char *name;
        int nid;
    } known[] = {
        {cert_oid_attributes, "CN", NID_commonName},
        {cert_oid_attributes, "organizationIdentifier", NID_undef},
        {cert_oid_ext_key_usages, "serverAuth", NID_server_auth},
        {cert_oid_ext_key_usages, "anyExtendedKeyUsage", NID_anyExtendedKeyUsage},
        {cert_oid_signatures, "sha1WithRSAEncryption", NID_sha1WithRSAEncryption},
        {cert_oid_signatures, "sha384WithRSAEncryption", NID_sha384WithRSAEncryption},
        {cert_oid_signatures, "ecdsa-with-SHA256", NID_ecdsa_with_SHA256},
        {cert_oid_signatures, "ecdsa-with-SHA512", NID_ecdsa_with_SHA512},
        {cert_oid_signatures, "md5WithRSAEncryption", NID_md5WithRSAEncryption},
        {cert_oid_curves, "P-256", NID_X9_62_prime256v1},
        {cert_oid_curves, "P-384", NID_secp384r1},
        {cert_oid_curves, "P-521", NID_secp521r1},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct cert_oid *row = cert_oid_named(known[i].table, known[i].name);
        CBS oid = bytes(row->der, row->len);
        CU_ASSERT_EQUAL(OBJ_cbs2nid(&oid), known[i].nid);
    }
}

static void test_names(void) {
    struct arena arena = {0};
    CU_ASSERT_STRING_EQUAL(cert_oid_name(cert_oid_attributes, bytes("\x55\x04\x03", 3), &arena),
                           "CN");
    CU_ASSERT_STRING_EQUAL(cert_oid_name(cert_oid_attributes, bytes("\x2a\x03\x04", 3), &arena),
                           "1.2.3.4");
    CU_ASSERT_STRING_EQUAL(cert_oid_name(NULL, bytes("\x55\x04\x03", 3), &arena), "2.5.4.3");
    CU_ASSERT_STRING_EQUAL(cert_oid_name(NULL, bytes("", 0), &arena), "malformed OID");
    CU_ASSERT_STRING_EQUAL(cert_oid_name(NULL, bytes("\x80", 1), &arena), "malformed OID");
    char endless[100];
    memset(endless, 1, sizeof(endless));
    CU_ASSERT_STRING_EQUAL(cert_oid_name(NULL, bytes(endless, sizeof(endless)), &arena),
                           "malformed OID");
    arena_cleanup(&arena);
}

static void unknown_name(void) { (void)cert_oid_named(cert_oid_curves, "P-257"); }

static void test_unknown_name(void) { CU_ASSERT_TRUE(unit_aborts(unknown_name, "cert_oid.c")); }

const struct unit_case unit_cases[] = {
    {"tables", test_tables},
    {"names and dotted forms", test_names},
    {"a name that is in no table is our mistake", test_unknown_name},
    {NULL, NULL},
};
