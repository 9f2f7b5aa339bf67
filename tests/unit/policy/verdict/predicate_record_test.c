#include "policy/verdict/predicate_fn.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// clang-format off
static const struct answer_case answers[] = {
    {P_NAMES_DIFFER, BASE_hello, "", NO},
    {P_NAMES_DIFFER, BASE_hello, "c.tls.client.server_name SHOP.example.test", NO},
    {P_NAMES_DIFFER, BASE_hello, "c.tls.client.server_name other.test", YES},
    {P_NAMES_DIFFER, BASE_hello, "host 198.51.100.7", NO},
    {P_NAMES_DIFFER, BASE_hello, "-c.tls.client.server_name", UNKNOWN},
    {P_DNS_SINK, BASE_dial, "s.tried[0].address 0.0.0.0", YES},
    {P_DNS_SINK, BASE_dial, "s.tried[0].address ::", YES},
    {P_DNS_SINK, BASE_dial, "s.tried[0].address 198.51.100.7", NO},
    {P_DNS_SINK, BASE_dial, "", UNKNOWN},
    {P_INTERCEPTED, BASE_shown, "", YES},
    {P_INTERCEPTED, BASE_watched12, "", NO},
    {P_INTERCEPTED, BASE_shown, "-mode", UNKNOWN},
    {P_REFUSED_BY_POLICY, BASE_request, "policy.action refuse", YES},
    {P_REFUSED_BY_POLICY, BASE_request, "-policy.action; http.response.status_code 403", YES},
    {P_REFUSED_BY_POLICY, BASE_request, "", NO},
    {P_BAD_REQUEST, BASE_request, "http.response.status_code 431", YES},
    {P_DNS_MISSING, BASE_watched12, "", NO},
    {P_DNS_MISSING, BASE_watched12, "mode import", UNKNOWN},
    {P_DNS_MISSING, BASE_dial, "s.dns.error no-data", YES},
    {P_DNS_MISSING, BASE_dial, "s.dns.error timeout", NO},
    {P_DNS_MISSING, BASE_dial, "", UNKNOWN},
    {P_DNS_MISSING, BASE_dial, "s.dns.answers 192.0.2.1", NO},
    {P_DNS_BROKEN, BASE_dial, "s.dns.error timeout", YES},
    {P_DNS_BROKEN, BASE_shown, "", NO},
    {P_TCP_REFUSED, BASE_dial, "s.end.how refused; s.end.at connect", YES},
    {P_TCP_REFUSED, BASE_dial, "s.end.how refused", UNKNOWN},
    {P_TCP_REFUSED, BASE_dial, "s.end.how timeout; s.end.at connect", NO},
    {P_TCP_TIMEOUT, BASE_dial, "s.end.how timeout; s.end.at connect", YES},
    {P_TCP_TIMEOUT, BASE_dial, "s.end.how timeout; s.end.at connect; s.end.by client", NO},
    {P_TCP_TIMEOUT, BASE_hello, "s.end.how timeout", NO},
    {P_LOOPBACK, BASE_hello, "s.address 127.1.2.3", YES},
    {P_LOOPBACK, BASE_hello, "s.address ::ffff:127.0.0.1", YES},
    {P_LOOPBACK, BASE_hello, "s.address 1270::1", NO},
    {P_LOOPBACK, BASE_hello, "s.address ::11", NO},
    {P_LOOPBACK, BASE_hello, "s.address ::1", YES},
    {P_LOOPBACK, BASE_hello, "front fixed; s.address ::1", UNKNOWN},
    {P_LOOPBACK, BASE_hello, "front fixed; s.address 192.0.2.9", NO},
    {P_LOOPBACK, BASE_hello, "-front; s.address ::1", UNKNOWN},
    {P_LOOPBACK, BASE_probe, "-front; s.address ::1", YES},
    {P_DIALED_HERE, BASE_dial, "s.tried[0].address ::1; s.tried[1].address 127.0.0.1", YES},
    {P_DIALED_HERE, BASE_dial, "s.tried[0].address ::1; s.tried[1].address 192.0.2.9", NO},
    {P_DIALED_HERE, BASE_dial, "s.tried[0].address ::1; s.tried[1].result refused", UNKNOWN},
    {P_DIALED_HERE, BASE_dial, "front fixed; s.tried[0].address ::1", NO},
    {P_DIALED_HERE, BASE_dial, "front socks5; s.tried[0].address ::1", YES},
    {P_DIALED_HERE, BASE_dial, "-front; s.tried[0].address ::1", UNKNOWN},
    {P_DIALED_HERE, BASE_dial, "", UNKNOWN},
    {P_ONLY_IPV6, BASE_dial, "s.tried[0].address 2001:db8::1", YES},
    {P_ONLY_IPV6, BASE_dial, "s.tried[0].address 2001:db8::1; s.tried[1].address 192.0.2.1", NO},
    {P_ONLY_IPV6, BASE_dial, "s.tried[0].result timeout", UNKNOWN},
    {P_DIALED, BASE_shown, "", YES},
    {P_DIALED, BASE_request, "c.end.at front", NO},
    {P_DIALED, BASE_request, "", UNKNOWN},
    {P_AWAITS_SERVER, BASE_dial, "s.end.at connect", YES},
    {P_AWAITS_SERVER, BASE_shown, "", NO},
    {P_AWAITS_SERVER, BASE_request, "c.end.at front", NO},
    {P_PLAIN_FLOWED, BASE_plain, "", YES},
    {P_PLAIN_FLOWED, BASE_plain, "c.bytes.sent 0", NO},
    {P_PLAIN_ANSWERED, BASE_plain, "", YES},
    {P_PLAIN_ANSWERED, BASE_plain, "http.response.status_code 502", NO},
    {P_DIALED_ITSELF, BASE_dial, "s.end.by proxy; s.end.how error; s.end.at connect; s.end.detail Too many levels of symbolic links", YES},
    {P_DIALED_ITSELF, BASE_dial, "s.end.by proxy; s.end.how error; s.end.at connect; s.end.detail Too many open files", NO},
    {P_DIAL_REFUSED_BY_US, BASE_dial, "s.end.by proxy; s.end.how error; s.end.at connect; s.end.detail Too many open files", YES},
    {P_DIAL_REFUSED_BY_US, BASE_dial, "s.end.by network; s.end.how error; s.end.detail Too many open files", UNKNOWN},
    {P_NOT_TLS_TUNNEL, BASE_watched12, "", NO},
    {P_NOT_TLS_TUNNEL, BASE_watched12, "application ssh", YES},
    {P_ANSWER_HTTP, BASE_hello, "s.answer.not_tls http answer", YES},
    {P_ANSWER_HTTP, BASE_hello, "s.answer.not_tls http/2", YES},
    {P_ANSWER_HTTP, BASE_hello, "s.answer.not_tls httpd", NO},
    {P_ANSWER_HTTP, BASE_hello, "", UNKNOWN},
    {P_ANSWER_HTTP, BASE_answered, "", NO},
    {P_ANSWER_OTHER, BASE_hello, "s.answer.not_tls numeric reply", YES},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

static void test_words(void) {
    CU_ASSERT(word_in("BAD_SIGNATURE", "BAD_SIGNATURE"));
    CU_ASSERT(word_in("error:1e000066:ssl:OPENSSL_internal:BAD_SIGNATURE", "BAD_SIGNATURE"));
    CU_ASSERT(word_in("(BAD_SIGNATURE)", "BAD_SIGNATURE"));
    CU_ASSERT(!word_in("NOT_BAD_SIGNATURE", "BAD_SIGNATURE"));
    CU_ASSERT(!word_in("BAD_SIGNATURE_2", "BAD_SIGNATURE"));
    CU_ASSERT(!word_in("", "BAD_SIGNATURE"));
}

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {"words", test_words},
    {NULL, NULL},
};
