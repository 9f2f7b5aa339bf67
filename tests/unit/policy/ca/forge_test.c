#include "policy/ca/forge.h"

#include <string.h>

#include "policy/ca/cert_facts.h"
#include "tests/unit/policy/ca/box_world.h"
#include "tests/unit/unit.h"

static const struct cert_knobs own = {.ca = {.subject = BOX_STRINGS("CN=Box CA")}};
static const struct cert_knobs none = {.san = CERT_KNOB_SAN_NONE};

static void issuer_is(struct forge *forge, const struct authority *root) {
    const struct leaf_request request = {.host = "www.example.test"};
    struct leaf *leaf = leaf_cache_get(forge_leaves(forge), &request, PKI_NOW);
    X509 *x509 = X509_parse_from_buffer(leaf->chain[0]);
    CU_ASSERT_EQUAL(X509_verify(x509, root->key->key), 1);
    X509_free(x509);
    leaf_unref(leaf);
}

static void test_two_boxes(void) {
    char *folder = pki_folder();
    struct err err = {0};
    struct authority *installation = authority_new(PKI_NOW);
    struct forge *a = forge_open(folder, &own, installation, PKI_NOW, &err);
    struct forge *b = forge_open(NULL, &none, installation, PKI_NOW, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_PTR_NOT_EQUAL(forge_root(a), installation);
    CU_ASSERT_PTR_EQUAL(forge_root(b), installation);
    issuer_is(a, forge_root(a));
    issuer_is(b, installation);
    forge_free(a);
    forge_free(b);
    authority_free(installation);
    pki_remove(folder);
}

static void test_no_folder(void) {
    struct authority *installation = authority_new(PKI_NOW);
    struct err err = {0};
    CU_ASSERT_PTR_NULL(forge_open("/dev/null/x", &own, installation, PKI_NOW, &err));
    CU_ASSERT_STRING_NOT_EQUAL(err.msg, "");
    authority_free(installation);
}

const struct unit_case unit_cases[] = {
    {"two boxes", test_two_boxes},
    {"no folder", test_no_folder},
    {NULL, NULL},
};
