#include "policy/verdict/predicate_fn.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// TLS 1.3 in a capture, with a key log.
#define OPENED "c.answer.encrypted_extensions 0x0010;"

// clang-format off
static const struct answer_case answers[] = {
    {P_VERIFIED, BASE_shown, "", YES},
    {P_VERIFIED, BASE_shown, "s.verification.ok false", NO},
    {P_VERIFIED, BASE_shown, "-s.verification.ok", UNKNOWN},
    {P_VERIFIED, BASE_shown, "-s.verification; s.tls.resumed true", YES},
    {P_DEFECTS_HIDDEN, BASE_shown, "policy.verify_server false", YES},
    {P_DEFECTS_HIDDEN, BASE_shown, "", NO},
    {P_DEFECTS_HIDDEN, BASE_shown, "-policy.verify_server", UNKNOWN},
    {P_DEFECTS_HIDDEN, BASE_watched12, "policy.verify_server false", NO},
    {P_LEAF_SOUND, BASE_shown, "", YES},
    {P_LEAF_SOUND, BASE_shown, "s.defect expired 0", NO},
    {P_LEAF_SOUND, BASE_shown, "s.defect expired 0; policy.verify_server false", YES},
    {P_LEAF_SOUND, BASE_shown, "s.defect expired 0; -policy.verify_server", UNKNOWN},
    {P_EXPIRED, BASE_shown, "s.defect expired 0", YES},
    {P_EXPIRED, BASE_shown, "s.defect expired 0; s.verification.defects[0].fatal false", NO},
    {P_EXPIRED, BASE_shown, "s.defect expired 0; -s.verification.defects[0].fatal", UNKNOWN},
    {P_EXPIRED, BASE_shown, "s.defect expired 0; -s.verification.defects[0].id", UNKNOWN},
    {P_EXPIRED, BASE_shown, "s.defect self-signed 0", NO},
    {P_EXPIRED, BASE_shown, "s.defect expired 0; s.verification.ok true", NO},
    {P_EXPIRED, BASE_shown, "-s.verification", UNKNOWN},
    {P_EXPIRED, BASE_hello, "", NO},
    {P_WEAK_KEY_BORNE, BASE_shown, "s.verification.defects[0].id weak-key; s.verification.defects[0].fatal false", YES},
    {P_WEAK_KEY_BORNE, BASE_shown, "s.verification.defects[0].id wrong-order; s.verification.defects[0].fatal false", NO},
    {P_WEAK_KEY_BORNE, BASE_shown, "s.defect weak-key 0", NO},
    {P_WEAK_KEY_BORNE, BASE_shown, "-s.verification", UNKNOWN},
    {P_KEY_SMALL, BASE_shown, "s.chain[0].key.type RSA; s.chain[0].key.bits 2047; s.chain[1].key.type EC; s.chain[1].key.bits 256", YES},
    {P_KEY_SMALL, BASE_shown, "s.chain[0].key.type RSA; s.chain[0].key.bits 2048; s.chain[1].key.type EC; s.chain[1].key.bits 256", NO},
    {P_KEY_SMALL, BASE_shown, "s.chain[0].key.type EC; s.chain[0].key.bits 256; s.chain[1].key.type RSA; s.chain[1].key.bits 1024", YES},
    {P_KEY_SMALL, BASE_shown, "s.chain[0].key.type RSA; s.chain[0].key.bits 2048", UNKNOWN},
    {P_KEY_SMALL, BASE_hello, "", UNKNOWN},
    {P_FETCHABLE, BASE_shown, "", YES},
    {P_FETCHABLE, BASE_shown, "-s.chain[0].aia.ca_issuers", NO},
    {P_FETCHABLE, BASE_shown, "-s.chain[0].aia.ca_issuers; s.verification.ca_issuers http://x/", YES},
    {P_FETCHABLE, BASE_shown, "-s.chain", UNKNOWN},
    {P_ISSUER_BELOW_ROOT, BASE_shown, "s.verification.missing_issuer CN=Example Issuing CA 3", YES},
    {P_ISSUER_BELOW_ROOT, BASE_shown, "s.verification.missing_issuer CN=Example Root", NO},
    {P_DATES_EXPIRED, BASE_watched12, "c.tls.server.not_after 1794999999", YES},
    {P_DATES_EXPIRED, BASE_watched12, "", NO},
    {P_DATES_EXPIRED, BASE_watched12, "-@timestamp", UNKNOWN},
    {P_DATES_EARLY, BASE_watched12, "c.tls.server.not_before 1795000001", YES},
    {P_LEAF_SELF_SIGNED, BASE_watched12, "", NO},
    {P_LEAF_SELF_SIGNED, BASE_watched12, "-c.chain[0].self_signed", UNKNOWN},
    {P_ESTABLISHED, BASE_ok, "", YES},
    {P_ESTABLISHED, BASE_shown, "", NO},
    {P_ESTABLISHED, BASE_shown, "-c.end.at", UNKNOWN},
    {P_CLIENT_DATA, BASE_ok, "", YES},
    {P_CLIENT_DATA, BASE_shown, "", NO},
    {P_CLIENT_DATA, BASE_shown, "-c.bytes.data_received", NO},
    {P_CLIENT_DATA, BASE_ok, "-c.bytes.data_received", UNKNOWN},
    {P_CLIENT_DATA, BASE_watched13, "", YES},
    {P_CLIENT_DATA, BASE_watched13, "c.bytes.data_received 107", UNKNOWN},
    {P_CLIENT_DATA, BASE_watched13, "c.answer.certificate_request true", UNKNOWN},
    {P_CLIENT_DATA, BASE_watched13, OPENED "c.bytes.data_received 1", YES},
    {P_CLIENT_DATA, BASE_watched13, OPENED "c.bytes.data_received 0", NO},
    {P_CLIENT_DATA, BASE_watched13, OPENED "c.answer.certificate_request true", YES},
    {P_CLIENT_DATA, BASE_watched13, OPENED "notes[0].id key-gap; c.bytes.data_received 107",
     UNKNOWN},
    {P_SERVER_DATA, BASE_ok, "s.bytes.data_received 0", NO},
    {P_SERVER_DATA, BASE_watched13, "", UNKNOWN},
    {P_SERVER_DATA, BASE_watched12, "c.end.at data; c.bytes.data_sent 3", YES},
    {P_SERVER_DATA, BASE_watched13, OPENED "c.bytes.data_sent 3", YES},
    {P_SERVER_DATA, BASE_watched13, OPENED "c.bytes.data_sent 0", NO},
    {P_SERVER_DATA, BASE_watched13, OPENED "notes[0].id key-missing; c.bytes.data_sent 3", UNKNOWN},
    {P_DOWN_RESUMED, BASE_shown, "c.tls.resumed true", YES},
    {P_SEEN_12, BASE_watched13, "", NO},
    {P_SAW_FINISHED, BASE_watched12, "c.tls.established true", YES},
    {P_SAW_FINISHED, BASE_watched13, "", NO},
    {P_SAW_FINISHED, BASE_watched13, OPENED, YES},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {NULL, NULL},
};
