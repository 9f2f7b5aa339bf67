#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

#define WINDOWS "user_agent.original Mozilla/5.0 (Windows NT 10.0) x; "
#define MAC "user_agent.original Mozilla/5.0 (Macintosh Intel Mac OS X 10_15) x; "
#define TTL "c.transport.syn.initial_ttl "
#define REPLAY                                                                                     \
    "experiments[0].probe base; experiments[0].leg.tls.server.issuer CN=A; "                       \
    "experiments[1].probe replay; experiments[1].leg.tls.server.issuer "

static const struct answer_case cases[] = {
    {P_SYN_MISFIT, BASE_ok, WINDOWS TTL "64", YES},
    {P_SYN_MISFIT, BASE_ok, WINDOWS TTL "128", NO},
    {P_SYN_MISFIT, BASE_ok, MAC TTL "128", YES},
    {P_SYN_MISFIT, BASE_ok, MAC TTL "64", NO},
    // A router's own, a program that tells no system, and no SYN at all.
    {P_SYN_MISFIT, BASE_ok, MAC TTL "255", UNKNOWN},
    {P_SYN_MISFIT, BASE_ok, "user_agent.original curl/8.9.1; " TTL "128", UNKNOWN},
    {P_SYN_MISFIT, BASE_ok, WINDOWS, UNKNOWN},

    {P_VIA_INSPECTOR, BASE_ok, "via 1.1 x (ZScaler 6.2)", YES},
    {P_VIA_INSPECTOR, BASE_ok, "via 1.1 squid", NO},
    {P_VIA_INSPECTOR, BASE_ok, "", UNKNOWN},

    {P_LEAF_MINTED, BASE_ok, "s.tls.server.not_before 1794999950", YES},
    {P_LEAF_MINTED, BASE_ok, "s.tls.server.not_before 1795000060", YES},
    {P_LEAF_MINTED, BASE_ok, "s.tls.server.not_before 1794913590", YES}, // a day
    {P_LEAF_MINTED, BASE_ok, "s.tls.server.not_before 1794827200", YES}, // two days
    {P_LEAF_MINTED, BASE_ok, "s.tls.server.not_before 1794996400", NO},  // an hour
    {P_LEAF_MINTED, BASE_ok, "s.tls.server.not_before 1794740800", NO},  // three days
    {P_LEAF_MINTED, BASE_ok, "s.tls.server.not_before 1792408005", YES}, // 30 days, to the second
    {P_LEAF_MINTED, BASE_ok, "s.tls.server.not_before 1792408060", NO},
    {P_LEAF_MINTED, BASE_ok, "-s.tls.server.not_before", UNKNOWN},

    {P_SERIAL_SHORT, BASE_ok, "s.chain[0].serial 01", YES},
    {P_SERIAL_SHORT, BASE_ok, "s.chain[0].serial 00aabbccdd", YES},
    {P_SERIAL_SHORT, BASE_ok, "s.chain[0].serial 4455aabbccdd", NO},
    {P_SERIAL_SHORT, BASE_ok, "", UNKNOWN},

    {P_ANSWER_SLOW, BASE_ok, "s.transport.min_rtt_us 900; s.timing_ms.answer 90", YES},
    {P_ANSWER_SLOW, BASE_ok, "s.transport.min_rtt_us 900; s.timing_ms.answer 40", NO},
    {P_ANSWER_SLOW, BASE_ok, "s.transport.min_rtt_us 30000; s.timing_ms.answer 90", NO},
    {P_ANSWER_SLOW, BASE_ok, "s.timing_ms.answer 90", UNKNOWN},

    {P_ALPN_UNANSWERED, BASE_ok, "-s.tls.next_protocol", YES},
    {P_ALPN_UNANSWERED, BASE_ok, "", NO},
    {P_ALPN_UNANSWERED, BASE_ok, "-s.tls.next_protocol; s.offer.alpn grpc", NO},
    {P_ALPN_UNANSWERED, BASE_ok, "-s.tls.next_protocol; -s.offer.alpn", UNKNOWN},
    {P_ALPN_UNANSWERED, BASE_answered, "-s.tls.next_protocol", UNKNOWN},

    {P_ANSWER_RETIRED, BASE_ok, "s.answer.version TLS 1.2; s.tls.cipher 0x009c", YES},
    {P_ANSWER_RETIRED, BASE_ok, "s.answer.version TLS 1.1; s.tls.cipher 0xc013", YES},
    {P_ANSWER_RETIRED, BASE_ok, "s.answer.version TLS 1.2; s.tls.cipher 0xc02f", NO},
    {P_ANSWER_RETIRED, BASE_ok, "", NO},
    {P_ANSWER_RETIRED, BASE_ok,
     "s.answer.version TLS 1.2; s.tls.cipher 0x009c; s.offer.ciphers 0x009c", NO},
    {P_ANSWER_RETIRED, BASE_ok, "-s.tls.cipher", UNKNOWN},

    {P_X_REPLAY_ISSUER, BASE_shown, REPLAY "CN=B", YES},
    {P_X_REPLAY_ISSUER, BASE_shown, REPLAY "CN=A", NO},
    {P_X_REPLAY_ISSUER, BASE_shown, "experiments[0].probe base", UNKNOWN},
};

static void test_answers(void) { answers_check(cases, ARRAY_LEN(cases)); }

const struct unit_case unit_cases[] = {{"answers", test_answers}, {NULL, NULL}};
