#include "policy/ca/box_extensions.h"

#include <string.h>

#include "tests/unit/policy/ca/box_world.h"
#include "tests/unit/unit.h"

static struct box_world world;
static struct leaf *leaf;

static struct cert_facts leaf_of(struct cert_knobs knobs) {
    static struct cert_knobs kept; // the box looks at them as long as it lives
    kept = knobs;
    return box_world_once(&world, &kept, &leaf);
}

static void end(void) {
    leaf_unref(leaf);
    box_world_cleanup(&world);
}

static void test_ordinary(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){0});
    CU_ASSERT_TRUE(f.has_basic_constraints && f.basic_constraints_critical && !f.ca);
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_DIGITAL_SIGNATURE);
    CU_ASSERT_TRUE(f.server_auth && f.ext_key_usages.num == 1);
    CU_ASSERT_TRUE(f.ski != NULL && f.aki != NULL && f.has_san);
    CU_ASSERT_TRUE(f.ocsp.num == 0 && f.crl_points.num == 0 && !f.has_scts);
    end();
}

static void test_usages(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){.key_usage = CERT_KNOB_USAGE_COPY,
                                                      .ext_key_usage = CERT_KNOB_USAGE_COPY});
    CU_ASSERT_EQUAL(f.key_usages.num, 2);
    CU_ASSERT_EQUAL(f.ext_key_usages.num, 2);
    end();
    f = leaf_of((struct cert_knobs){.key_usage = CERT_KNOB_USAGE_NONE,
                                    .ext_key_usage = CERT_KNOB_USAGE_NONE});
    CU_ASSERT_FALSE(f.has_key_usage || f.has_ext_key_usage);
    end();
    f = leaf_of((struct cert_knobs){.key = CERT_KNOB_KEY_RSA_1024,
                                    .key_usage = CERT_KNOB_USAGE_WRONG,
                                    .ext_key_usage = CERT_KNOB_USAGE_WRONG});
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_KEY_CERT_SIGN);
    CU_ASSERT_TRUE(!f.server_auth && f.ext_key_usages.num == 1);
    end();
    f = leaf_of((struct cert_knobs){.key = CERT_KNOB_KEY_RSA_1024});
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_ENCIPHERMENT);
    end();
}

// BoringSSL shows no certificate with an EC key that may not sign.
static void test_usages_that_cannot_be_shown(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){.key_usage = CERT_KNOB_USAGE_WRONG});
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_DIGITAL_SIGNATURE);
    leaf_unref(leaf);
    EVP_PKEY *rsa = pki_rsa_key(2048);
    struct pki_cert *old = pki_make((struct pki_options){.cn = "old.test",
                                                         .issuer = world.ca,
                                                         .key = rsa,
                                                         .key_usage = "critical, keyEncipherment"});
    struct cert_knobs copies = {.key_usage = CERT_KNOB_USAGE_COPY};
    struct box *box = box_new(&copies, PKI_NOW);
    mint_set_box(world.mint, box);
    const struct leaf_request request = {
        .host = "old.test", .origin = old->der, .origin_len = old->der_len};
    leaf = leaf_cache_get(world.cache, &request, PKI_NOW);
    f = box_world_facts(&world, leaf, 0);
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_DIGITAL_SIGNATURE);
    leaf_unref(leaf);
    copies.key = CERT_KNOB_KEY_RSA_2048;
    copies.cache.key = LEAF_CACHE_HOST;
    leaf = leaf_cache_get(world.cache, &request, PKI_NOW);
    f = box_world_facts(&world, leaf, 0);
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_KEY_ENCIPHERMENT);
    box_free(box);
    pki_free(old);
    EVP_PKEY_free(rsa);
    end();
}

static void test_timestamps(void) {
    for (int copies = 0; copies < 2; copies++) {
        (void)leaf_of((struct cert_knobs){.copy_scts = copies == 1});
        struct pki_cert *logged =
            pki_make((struct pki_options){.cn = "logged.test", .issuer = world.ca, .scts = true});
        const struct leaf_request request = {
            .host = "logged.test", .origin = logged->der, .origin_len = logged->der_len};
        leaf_unref(leaf);
        leaf = leaf_cache_get(world.cache, &request, PKI_NOW);
        struct cert_facts f = box_world_facts(&world, leaf, 0);
        CU_ASSERT_EQUAL(f.has_scts, copies == 1);
        CU_ASSERT_EQUAL(f.num_scts, (size_t)copies);
        pki_free(logged);
        end();
    }
}

static void test_constraints_and_ids(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){
        .constraints = CERT_KNOB_CONSTRAINTS_ABSENT, .no_aki = true, .no_ski = true});
    CU_ASSERT_FALSE(f.has_basic_constraints);
    CU_ASSERT_TRUE(f.ski == NULL && f.aki == NULL);
    end();
    f = leaf_of((struct cert_knobs){.constraints = CERT_KNOB_CONSTRAINTS_CA});
    CU_ASSERT_TRUE(f.has_basic_constraints && f.ca && f.path_len == -1);
    end();
}

static void test_urls(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){.crl = CERT_KNOB_URL_OWN,
                                                      .crl_url = "http://box.test/crl",
                                                      .ocsp = CERT_KNOB_URL_OWN,
                                                      .ocsp_url = "http://box.test/ocsp"});
    CU_ASSERT_EQUAL_FATAL(f.crl_points.num, 1);
    CU_ASSERT_STRING_EQUAL(f.crl_points.items[0], "http://box.test/crl");
    CU_ASSERT_EQUAL_FATAL(f.ocsp.num, 1);
    CU_ASSERT_STRING_EQUAL(f.ocsp.items[0], "http://box.test/ocsp");
    end();
    f = leaf_of((struct cert_knobs){.crl = CERT_KNOB_URL_COPY, .ocsp = CERT_KNOB_URL_COPY});
    CU_ASSERT_EQUAL_FATAL(f.crl_points.num, 1);
    CU_ASSERT_STRING_EQUAL(f.crl_points.items[0], "http://crl.origin.test/c.crl");
    CU_ASSERT_EQUAL_FATAL(f.ocsp.num, 1);
    CU_ASSERT_STRING_EQUAL(f.ocsp.items[0], "http://ocsp.origin.test/");
    end();
}

// The last bytes of the identifiers of the leaf's extensions, in their order.
static void order_is(const char *expected) {
    X509 *x509 = X509_parse_from_buffer(leaf->chain[0]);
    char order[64] = "";
    for (int i = 0; i < X509_get_ext_count(x509); i++) {
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(X509_get_ext(x509, i)));
        bool critical = X509_EXTENSION_get_critical(X509_get_ext(x509, i));
        const char *letter = nid == NID_basic_constraints          ? "b"
                             : nid == NID_key_usage                ? "k"
                             : nid == NID_ext_key_usage            ? "e"
                             : nid == NID_subject_key_identifier   ? "s"
                             : nid == NID_authority_key_identifier ? "a"
                             : nid == NID_subject_alt_name         ? "n"
                                                                   : "?";
        strcat(order, letter);
        strcat(order, critical ? "!" : "");
    }
    CU_ASSERT_STRING_EQUAL(order, expected);
    X509_free(x509);
}

static void test_order(void) {
    (void)leaf_of((struct cert_knobs){0});
    order_is("b!k!esan");
    end();
    (void)leaf_of((struct cert_knobs){
        .extension_order = BOX_STRINGS("subject_key_id", "authority_key_id", "san", "san"),
        .key_usage_not_critical = true,
        .constraints_not_critical = true});
    order_is("sanbke");
    end();
    (void)leaf_of((struct cert_knobs){.constraints = CERT_KNOB_CONSTRAINTS_COPY});
    order_is("bk!esan"); // as the server's: present and not critical
    end();
}

static void test_issuer_in_key_id(void) {
    (void)leaf_of((struct cert_knobs){.aki_issuer = true});
    X509 *x509 = X509_parse_from_buffer(leaf->chain[0]);
    AUTHORITY_KEYID *id = X509_get_ext_d2i(x509, NID_authority_key_identifier, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(id);
    CU_ASSERT_TRUE(id->keyid != NULL && id->issuer != NULL && id->serial != NULL);
    X509 *root = X509_parse_from_buffer(world.installation->chain[0]);
    CU_ASSERT_EQUAL(ASN1_INTEGER_cmp(id->serial, X509_get0_serialNumber(root)), 0);
    X509_free(root);
    AUTHORITY_KEYID_free(id);
    X509_free(x509);
    end();
}

static struct cert_facts ca_of(struct ca_knobs knobs) {
    static struct cert_knobs kept;
    kept = (struct cert_knobs){.ca = knobs, .chain = CERT_KNOB_CHAIN_FULL};
    kept.ca.subject = (struct cert_knob_strings)BOX_STRINGS("CN=Box CA");
    (void)box_world_once(&world, &kept, &leaf);
    return box_world_facts(&world, leaf, leaf->num_chain - 1);
}

static void test_ca(void) {
    struct cert_facts f = ca_of((struct ca_knobs){0});
    CU_ASSERT_TRUE(f.ca && f.basic_constraints_critical && f.path_len == 0);
    CU_ASSERT_TRUE(f.ski != NULL && f.has_key_usage && !f.has_ext_key_usage);
    end();
    f = ca_of((struct ca_knobs){.constraints_not_critical = true,
                                .no_ski = true,
                                .no_key_usage = true,
                                .path_len = CA_KNOB_PATH_LEN_NONE,
                                .ext_key_usage = CERT_KNOB_USAGE_WRONG,
                                .permitted_dns = BOX_STRINGS("origin.test", "other.test")});
    CU_ASSERT_TRUE(f.ca && !f.basic_constraints_critical && f.path_len == -1);
    CU_ASSERT_TRUE(f.ski == NULL && !f.has_key_usage && f.name_constraints);
    CU_ASSERT_TRUE(f.has_ext_key_usage && !f.server_auth);
    end();
    f = ca_of((struct ca_knobs){.no_constraints = true, .ext_key_usage = CERT_KNOB_USAGE_COPY});
    CU_ASSERT_TRUE(!f.has_basic_constraints && f.server_auth);
    end();
}

const struct unit_case unit_cases[] = {
    {"ordinary", test_ordinary},
    {"usages", test_usages},
    {"usages that cannot be shown", test_usages_that_cannot_be_shown},
    {"timestamps", test_timestamps},
    {"constraints and ids", test_constraints_and_ids},
    {"URLs", test_urls},
    {"order", test_order},
    {"issuer in key id", test_issuer_in_key_id},
    {"CA", test_ca},
    {NULL, NULL},
};
