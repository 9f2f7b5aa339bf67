// Target functions: crl_set_add, crl_set_ask.
//
// The input is the certificate of an issuer, with its length in two bytes in front, then a
// revocation list. A list that is taken answers for any serial number, its own entries among them.
#include "logs/base/check.h"
#include "policy/ca/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct arena arena = {0};
    struct cert_facts issuer, cert = {0};
    struct crl_answer answer;
    CBS in, first;
    CBS_init(&in, data, data_len);
    if (!CBS_get_u16_length_prefixed(&in, &first)) {
        return 0;
    }
    (void)cert_facts_parse(&issuer, &arena, CBS_data(&first), CBS_len(&first));
    struct crl_set *set = crl_set_new();
    struct err err = {0};
    bool ok = crl_set_add(set, CBS_data(&in), CBS_len(&in), "list", &err);
    CHECK(ok == (crl_set_num(set) == 1) && ok == (err.msg[0] == '\0'));
    for (size_t i = 0; ok && i + 8 < CBS_len(&in) && i < 512; i += 8) {
        CBS_init(&cert.raw.serial, CBS_data(&in) + i,
                 1 + i % 20 < CBS_len(&in) - i ? 1 + i % 20 : 1);
        crl_set_ask(set, &answer, &cert, &issuer, 1795000000);
        CHECK(crl_status_id(answer.status) != NULL);
        CHECK(answer.reason == NULL || answer.status == CRL_REVOKED);
    }
    crl_set_free(set);
    arena_cleanup(&arena);
    return 0;
}
