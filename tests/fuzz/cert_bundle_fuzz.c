// Target functions: cert_bundle_parse, cert_pem_next_of, trust_aia_prove.
//
// The input is what a CA might serve. Its certificates, whatever they are, prove nothing without a
// root.
#include "logs/base/check.h"
#include "policy/ca/cert_facts.h"
#include "policy/ca/trust_aia.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    static struct trust *no_roots;
    if (no_roots == NULL) {
        no_roots = trust_new("", NULL, 0, NULL);
    }
    struct arena arena = {0};
    CBS in, certs[CERT_BUNDLE_CERTS];
    CBS_init(&in, data, data_len);
    size_t num = cert_bundle_parse(certs, &arena, in);
    CHECK(num <= CERT_BUNDLE_CERTS);
    if (num != 0) {
        struct trust_proof proof;
        trust_aia_prove(no_roots, certs, 1, certs, num, "www.example.test", 1795000000, &proof);
        CHECK(!proof.completed && !proof.ok && proof.says != NULL);
        trust_proof_cleanup(&proof);
    }
    arena_cleanup(&arena);
    return 0;
}
