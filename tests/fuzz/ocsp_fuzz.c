// Target functions: ocsp_check, sct_next, cert_signature_verify.
//
// The input is a leaf and its issuer, each with its length in two bytes in front, then an OCSP
// response. Whatever they are: the facts are printable, and nothing is good whose signature is not.
#include "logs/base/check.h"
#include "policy/ca/ocsp.h"
#include "policy/ca/sct.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static void check_text(const char *text) {
    for (; text != NULL && *text != '\0'; text++) {
        CHECK((uint8_t)*text >= 0x20 && *text != 0x7f);
    }
}

static void check_facts(const struct ocsp_facts *facts, bool issuer_known) {
    CHECK(facts->result < OCSP_NUM_RESULTS && ocsp_result_id(facts->result) != NULL);
    CHECK(facts->says != NULL && facts->num_responses <= OCSP_MAX_RESPONSES);
    const char *texts[] = {facts->says, facts->responder, facts->signature_algorithm, facts->serial,
                           facts->reason};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        check_text(texts[i]);
    }
    if (facts->result <= OCSP_UNKNOWN) {
        CHECK(facts->has_status && facts->has_this_update && facts->result == facts->status);
        CHECK(facts->signature == (issuer_known ? OCSP_SIGNATURE_GOOD : OCSP_SIGNATURE_UNCHECKED));
    }
    struct sct sct;
    CBS list = facts->scts;
    while (sct_next(&list, &sct)) {
        CHECK(sct.log_id[SCT_LOG_ID_TEXT - 1] == '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct arena arena = {0};
    struct cert_facts leaf, issuer;
    struct ocsp_facts facts;
    CBS in, first, second;
    CBS_init(&in, data, data_len);
    if (!CBS_get_u16_length_prefixed(&in, &first) || !CBS_get_u16_length_prefixed(&in, &second)) {
        return 0;
    }
    (void)cert_facts_parse(&leaf, &arena, CBS_data(&first), CBS_len(&first));
    (void)cert_facts_parse(&issuer, &arena, CBS_data(&second), CBS_len(&second));
    ocsp_check(&facts, &arena, in, &leaf, &issuer, 1795000000);
    check_facts(&facts, true);
    ocsp_check(&facts, &arena, in, &leaf, NULL, 1795000000);
    check_facts(&facts, false);
    arena_cleanup(&arena);
    return 0;
}
