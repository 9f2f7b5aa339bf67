#include "policy/verdict/predicate_fn.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// clang-format off
static const struct answer_case answers[] = {
    {P_OFFER_BELOW_12, BASE_hello, "c.offer.versions TLS 1.1,SSL 3.0,0x0a0a", YES},
    {P_OFFER_BELOW_12, BASE_hello, "", NO},
    {P_OFFER_BELOW_12, BASE_hello, "c.offer.versions 0x0a0a", UNKNOWN},
    {P_OFFER_BELOW_13, BASE_hello, "c.offer.versions 0x7f1c,TLS 1.2", NO},
    {P_OFFER_ABOVE_11, BASE_hello, "", YES},
    {P_OFFER_ABOVE_11, BASE_hello, "c.offer.versions TLS 1.3,TLS 1.0", NO},
    {P_SENT_13, BASE_hello, "s.offer.versions TLS 1.2", NO},
    {P_SENT_13, BASE_hello, "-s.offer.versions", UNKNOWN},
    {P_OFFER_FALLBACK, BASE_hello, "", NO},
    {P_OFFER_FALLBACK, BASE_hello, "c.offer.ciphers 0x002f,0x5600", UNKNOWN},
    {P_OFFER_FALLBACK, BASE_hello, "c.offer.fallback_scsv true", YES},
    {P_OFFER_PSK, BASE_hello, "c.offer.pre_shared_keys 0", NO},
    {P_OFFER_PQ, BASE_hello, "c.offer.groups 0x11ec,x25519", YES},
    {P_OFFER_PQ, BASE_hello, "-c.offer.extensions; -c.offer.groups", UNKNOWN},
    {P_OFFER_BIG, BASE_hello, "s.offer.size 1401", YES},
    {P_OFFER_SUITES_OLD, BASE_hello, "c.offer.ciphers 0x000a,0xc013,0x009c", YES},
    {P_OFFER_SUITES_OLD, BASE_hello, "c.offer.ciphers 0x000a,0xc02f", NO},
    {P_OFFER_SUITES_OLD, BASE_hello, "c.offer.ciphers 0x1301", NO},
    {P_OFFER_STANDARD, BASE_hello, "", YES},
    {P_OFFER_STANDARD, BASE_hello, "s.offer.groups x25519", NO},
    {P_OFFER_STANDARD, BASE_hello, "-s.offer.extensions; -s.offer.groups", UNKNOWN},
    {P_OFFER_GROUPS_ODD, BASE_hello, "c.offer.groups 0x0a0a,x448", YES},
    {P_OFFER_GROUPS_ODD, BASE_hello, "c.offer.groups 0x0a0a", UNKNOWN},
    {P_OFFER_ONE_GROUP, BASE_hello, "c.offer.groups 0x0a0a,x25519", YES},
    {P_OFFER_ONE_KIND, BASE_hello, "", NO},
    {P_OFFER_ONE_KIND, BASE_hello, "c.offer.signature_algorithms 0x0403,0x0807", YES},
    {P_OFFER_ONE_KIND, BASE_hello, "c.offer.versions TLS 1.2; c.offer.ciphers 0xc02b", NO},
    {P_OFFER_SIGALGS_ODD, BASE_hello, "c.offer.signature_algorithms 0x0401", YES},
    {P_OFFER_SIGALGS_ODD, BASE_hello, "c.offer.signature_algorithms 0x0401; c.offer.versions TLS 1.2", NO},
    {P_NO_NAME, BASE_hello, "-c.tls.client.server_name", NO},
    {P_NO_NAME, BASE_hello, "-c.tls.client.server_name; c.offer.extensions 0x002b", YES},
    {P_NO_NAME, BASE_hello, "-c.tls.client.server_name; -c.offer.extensions", UNKNOWN},
    {P_ALPN_HTTP11, BASE_hello, "c.offer.alpn h2", NO},
    {P_CUT_CIPHERS, BASE_hello, "", NO},
    {P_CUT_CIPHERS, BASE_hello, "c.offer.ciphers 0x2a2a,0x1301,0x00ff,0x5600", NO},
    {P_CUT_CIPHERS, BASE_hello, "c.offer.ciphers 0x1301,0x009e", YES},
    {P_CUT_CIPHERS, BASE_hello, "-s.offer.ciphers", UNKNOWN},
    {P_CUT_CIPHERS, BASE_watched12, "", NO},
    {P_CUT_GROUPS, BASE_hello, "c.offer.groups x25519,x448", YES},
    {P_CUT_GROUPS, BASE_hello, "-s.offer.groups", UNKNOWN},
    {P_CUT_GROUPS, BASE_hello, "-s.offer.groups; s.offer.extensions 0x0000", YES},
    {P_CUT_ALPN, BASE_hello, "c.offer.alpn h2", NO},
    {P_CUT_ALPN, BASE_hello, "c.offer.alpn h2,h3", YES},
    {P_CUT_ALPN, BASE_hello, "-c.offer.alpn; c.offer.extensions 0x0000", NO},
    {P_ANSWER_OLD, BASE_answered, "s.answer.version TLS 1.1", YES},
    {P_ANSWER_OLD, BASE_answered, "", NO},
    {P_ANSWER_OLD, BASE_hello, "", NO},
    {P_ANSWER_UNOFFERED, BASE_answered, "s.answer.version TLS 1.1", YES},
    {P_ANSWER_UNOFFERED, BASE_answered, "", NO},
    {P_SENTINEL, BASE_answered, "s.answer.downgrade_sentinel tls1.1", YES},
    {P_SENTINEL, BASE_answered, "s.answer.downgrade_sentinel jdk11", NO},
    {P_SENTINEL, BASE_answered, "", NO},
    {P_SUITE_WEAK, BASE_answered, "s.tls.cipher 0x000a", YES},
    {P_SUITE_WEAK, BASE_answered, "", NO},
    {P_DH_SMALL, BASE_answered, "s.answer.dh_bits 2048", NO},
    {P_CERT_ASKED, BASE_answered, "", UNKNOWN},
    {P_CERT_ASKED, BASE_answered, "s.answer.certificate_request true", YES},
    {P_CERT_GIVEN, BASE_answered, "", NO},
    {P_CERT_GIVEN, BASE_watched12, "", UNKNOWN},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {NULL, NULL},
};
