// Target functions: cert_facts_parse, cert_facts_self_signed, trust_verify, leaf_spec_from_chain.
//
// The input is one certificate. Whatever it is: the facts are printable, `problem` agrees with the
// result, a verification without roots is never good, and there is a leaf for it.
#include <string.h>

#include "logs/base/check.h"
#include "policy/ca/cert_facts.h"
#include "policy/ca/leaf.h"
#include "policy/ca/trust_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static void check_text(const char *text) {
    for (; text != NULL && *text != '\0'; text++) {
        CHECK((uint8_t)*text >= 0x20 && *text != 0x7f);
    }
}

static void check_list(const struct cert_strings *list) {
    CHECK(list->num <= CERT_FACTS_MAX_ITEMS && list->num <= list->total);
    for (size_t i = 0; i < list->num; i++) {
        CHECK(list->items[i] != NULL);
        check_text(list->items[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    static struct trust *no_roots;
    if (no_roots == NULL) {
        no_roots = trust_new("", NULL, 0, NULL);
    }
    struct arena arena = {0};
    struct cert_facts facts;
    bool ok = cert_facts_parse(&facts, &arena, data, data_len);
    CHECK(ok == (facts.problem == NULL));
    check_text(facts.subject);
    check_text(facts.issuer);
    check_text(facts.serial);
    check_text(facts.signature_algorithm);
    const struct cert_strings *lists[] = {&facts.dns,
                                          &facts.ip,
                                          &facts.ocsp,
                                          &facts.key_usages,
                                          &facts.policies,
                                          &facts.ca_issuers,
                                          &facts.crl_points,
                                          &facts.ext_key_usages,
                                          &facts.unknown_critical};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        check_list(lists[i]);
    }
    (void)cert_facts_self_signed(&facts);
    arena_cleanup(&arena);

    CBS chain[2];
    CBS_init(&chain[0], data, data_len);
    chain[1] = chain[0];
    struct verification verification;
    struct leaf_spec spec;
    trust_verify(no_roots, chain, 2, "www.example.test", 1795000000, &verification);
    CHECK(!verification.ok);
    leaf_spec_from_chain(&spec, data, data_len, "www.example.test", &verification, 1795000000);
    CHECK(spec.defects != LEAF_OK);
    CHECK(spec.cn_len != 0 || spec.san.len != 0);
    leaf_spec_cleanup(&spec);
    verification_cleanup(&verification);
    return 0;
}
