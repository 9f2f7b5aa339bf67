#include <stdio.h>

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// One run: its place in the list, its probe and how it came out.
#define E(i, probe, result)                                                                        \
    "experiments[" #i "].probe " probe ";experiments[" #i "].result " result ";"

#define ENDED(i, by, how)                                                                          \
    "experiments[" #i "].leg.end.by " by ";experiments[" #i "].leg.end.how " how ";"

#define AT(i, address) "experiments[" #i "].leg.address " address ";"

#define SHOWS(i, probe, issuer, verified)                                                          \
    E(i, probe, "answered")                                                                        \
    "experiments[" #i "].leg.tls.server.issuer " issuer ";experiments[" #i                         \
    "].leg.tls.server.subject CN=else.example;experiments[" #i "].leg.verification.ok " verified   \
    ";"

// clang-format off
static const struct answer_case answers[] = {
    {P_X_BASE_PASSES, BASE_hello, E(0, "base", "answered"), YES},
    {P_X_BASE_PASSES, BASE_hello, E(0, "base", "reset"), NO},
    {P_X_BASE_PASSES, BASE_hello, E(0, "base", "reset") E(1, "base", "answered"), UNKNOWN},
    {P_X_BASE_PASSES, BASE_hello, E(0, "base", "unreachable"), UNKNOWN},
    {P_X_BASE_PASSES, BASE_hello, E(0, "base", "unfinished"), UNKNOWN},
    {P_X_BASE_PASSES, BASE_hello, "experiments[0].probe base", UNKNOWN},
    {P_X_BASE_PASSES, BASE_hello, E(0, "base2", "answered"), UNKNOWN},
    {P_X_BASE_FAILS, BASE_hello, E(0, "base", "broken-off"), YES},
    {P_X_BASE_FAILS, BASE_hello, E(0, "base", "answered"), NO},
    {P_X_BASE_FAILS, BASE_hello, E(0, "base", "reset") E(1, "base", "closed"), UNKNOWN},
    {P_X_BASE_RESET, BASE_hello, E(0, "base", "reset") E(1, "base", "reset"), YES},
    {P_X_BASE_RESET, BASE_hello, E(0, "base", "silent"), NO},
    {P_X_BASE_FLAKY, BASE_hello, E(0, "base", "silent") E(1, "base", "answered"), YES},
    {P_X_BASE_FLAKY, BASE_hello, E(0, "base", "silent") E(1, "base", "silent"), NO},
    {P_X_BASE_FLAKY, BASE_hello, E(0, "base", "silent"), UNKNOWN},
    {P_X_GARBLED, BASE_hello, E(0, "base", "broken-off") ENDED(0, "proxy", "error"), YES},
    {P_X_GARBLED, BASE_hello, E(0, "base", "not-tls") ENDED(0, "proxy", "error"), YES},
    {P_X_GARBLED, BASE_hello, E(0, "base", "not-tls") ENDED(0, "proxy", "error") "experiments[0].leg.answer.not_tls http", NO},
    {P_X_GARBLED, BASE_hello, E(0, "base", "not-tls") ENDED(0, "server", "fin"), NO},
    {P_X_GARBLED, BASE_hello, E(0, "base", "not-tls"), UNKNOWN},
    {P_X_GARBLED, BASE_hello, E(0, "base", "broken-off") ENDED(0, "server", "alert"), UNKNOWN},
    {P_X_GARBLED, BASE_hello, "experiments[0].probe base", UNKNOWN},
    {P_X_GARBLED, BASE_hello, E(0, "base", "broken-off") ENDED(0, "server", "rst"), NO},
    {P_X_GARBLED, BASE_hello, E(0, "base", "broken-off"), UNKNOWN},
    {P_X_GARBLED, BASE_hello, E(0, "base", "reset") ENDED(0, "server", "rst"), NO},
    {P_X_GARBLED, BASE_hello, E(0, "base", "answered") E(1, "no-grease", "broken-off") ENDED(1, "server", "alert") "experiments[1].leg.alerts[0].from server; experiments[1].leg.alerts[0].code 51", YES},
    {P_X_GARBLED, BASE_hello, E(0, "base", "answered") E(1, "no-grease", "broken-off") ENDED(1, "server", "alert") "experiments[1].leg.alerts[0].from server; experiments[1].leg.alerts[0].code 50", NO},
    {P_X_GARBLED, BASE_hello, "", UNKNOWN},
    {P_X_SAME_ISSUER, BASE_probe, SHOWS(0, "control", "CN=Example Issuing CA", "false"), YES},
    {P_X_SAME_ISSUER, BASE_probe, SHOWS(0, "control", "CN=Example Issuing CA", "false") SHOWS(1, "control3", "CN=Example Issuing CA", "false"), YES},
    {P_X_SAME_ISSUER, BASE_probe, SHOWS(0, "control", "CN=Example Issuing CA", "false") SHOWS(1, "control3", "CN=Another CA", "true"), NO},
    {P_X_SAME_ISSUER, BASE_probe, SHOWS(0, "control", "CN=Example Issuing CA", "false") E(1, "control2", "reset"), YES},
    {P_X_SAME_ISSUER, BASE_probe, SHOWS(0, "control", "CN=Another CA", "true"), NO},
    {P_X_LIBRARY_REPEATED, BASE_hello, E(0, "library", "reset") E(1, "library", "alert"), YES},
    {P_X_LIBRARY_REPEATED, BASE_hello, E(0, "library", "reset"), NO},
    {P_X_LIBRARY_REPEATED, BASE_hello, E(0, "library", "reset") E(1, "library", "answered"), NO},
    {P_X_LIBRARY_REPEATED, BASE_hello, E(0, "library", "answered"), UNKNOWN},
    {P_X_OTHER_NAME_PASSES, BASE_hello, E(0, "other-name", "reset") E(1, "no-sni", "answered"), YES},
    {P_X_OTHER_NAME_PASSES, BASE_hello, E(0, "other-name", "reset") E(1, "no-sni", "alert"), NO},
    {P_X_OTHER_NAME_PASSES, BASE_hello, E(0, "other-name", "reset") E(1, "no-sni", "answered") E(2, "no-sni", "alert"), UNKNOWN},
    {P_X_OTHER_NAME_REPEATED, BASE_hello, E(0, "base", "reset") E(1, "base", "reset") E(2, "no-sni", "answered") E(3, "no-sni", "answered"), YES},
    {P_X_OTHER_NAME_REPEATED, BASE_hello, E(0, "base", "reset") E(1, "base", "reset") E(2, "no-sni", "answered") E(3, "nonce-name", "answered"), NO},
    {P_X_FOLLOWS_NAME, BASE_hello, E(0, "base", "reset") E(1, "other-address", "reset"), YES},
    {P_X_FOLLOWS_NAME, BASE_hello, E(0, "base", "reset") E(1, "other-address", "alert"), UNKNOWN},
    {P_X_FOLLOWS_NAME, BASE_hello, E(0, "base", "reset") E(1, "other-address", "answered"), NO},
    {P_X_FOLLOWS_NAME, BASE_hello, E(0, "base", "answered") E(1, "other-address", "alert"), UNKNOWN},
    {P_X_GREASE, BASE_hello, E(0, "base", "reset") E(1, "no-grease", "answered"), YES},
    {P_X_GREASE, BASE_hello, E(0, "base", "reset") E(1, "no-grease", "reset"), NO},
    {P_X_GREASE, BASE_hello, E(0, "base", "answered") E(1, "grease", "closed"), YES},
    {P_X_GREASE, BASE_hello, E(0, "base", "answered") E(1, "grease", "answered"), NO},
    {P_X_GREASE, BASE_hello, E(0, "base", "answered") E(1, "no-grease", "answered"), UNKNOWN},
    {P_X_GREASE, BASE_hello, E(0, "base", "answered") E(1, "grease", "closed") "s.verification.ok false", UNKNOWN},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") E(1, "control", "reset") E(2, "control=no-grease", "answered"), YES},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") E(1, "control", "reset"), UNKNOWN},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") E(1, "control", "answered"), NO},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "answered") E(1, "control=grease", "reset") E(2, "control", "answered"), YES},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") "s.address 127.0.0.1", UNKNOWN},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") E(1, "control", "reset") E(2, "control=no-grease", "answered") "s.address 127.0.0.1", YES},
    {P_X_VERSION, BASE_hello, E(0, "base", "alert") E(1, "tls12", "answered"), YES},
    {P_X_VERSION, BASE_hello, E(0, "base", "alert") E(1, "tls12", "answered") E(2, "no-ech", "answered"), NO},
    {P_X_VERSION, BASE_hello, E(0, "base", "alert") E(1, "tls12", "answered") E(2, "small", "answered"), NO},
    {P_X_VERSION, BASE_hello, E(0, "base", "alert") E(1, "tls12", "answered") E(2, "no-ech", "alert"), YES},
    {P_X_VERSION, BASE_hello, E(0, "base", "alert") E(1, "tls12", "answered") "experiments[0].leg.offer.encrypted_client_hello unclear", UNKNOWN},
    {P_X_VERSION, BASE_hello, E(0, "base", "answered") E(1, "tls13", "alert"), NO},
    {P_X_UNACKED, BASE_hello, E(0, "base", "silent") "experiments[0].leg.transport.outq 9", YES},
    {P_X_UNACKED, BASE_hello, E(0, "base", "silent") "experiments[0].leg.transport.outq 0", NO},
    {P_X_UNACKED, BASE_hello, E(0, "base", "silent"), UNKNOWN},
    {P_X_RESET_EARLY, BASE_hello, E(0, "base", "reset") "experiments[0].leg.address 192.0.2.1; experiments[0].leg.timing_ms.hello 5; experiments[0].leg.timing_ms.end 6", UNKNOWN},
    {P_X_CLOCK_WRONG, BASE_hello, "experiments[0].clock_offset_s 601; experiments[1].clock_offset_s 602", YES},
    {P_X_CLOCK_WRONG, BASE_hello, "experiments[0].clock_offset_s 601", UNKNOWN},
    {P_X_CLOCK_WRONG, BASE_hello, "experiments[0].clock_offset_s -599", NO},
    {P_X_CLOCK_WRONG, BASE_hello, "experiments[0].clock_offset_s -9999; experiments[1].clock_offset_s 0", UNKNOWN},
    {P_X_CLOCK_WRONG, BASE_hello, "experiments[0].clock_offset_s -9999; experiments[1].clock_offset_s 9999", UNKNOWN},
    // A control host that is nearer than the server clears nothing.
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") AT(0, "198.51.100.7") E(1, "control", "answered") AT(1, "10.0.0.1"), UNKNOWN},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") AT(0, "198.51.100.7") E(1, "control", "answered") AT(1, "127.0.0.1"), UNKNOWN},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") AT(0, "172.16.0.7") E(1, "control", "answered") AT(1, "172.32.0.1"), NO},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") AT(0, "2001:db8::7") E(1, "control", "answered") AT(1, "2001:db8::1"), NO},
    {P_X_GREASE_FOLLOWS, BASE_hello, E(0, "base", "reset") AT(0, "2001:db8::7") E(1, "control", "answered") AT(1, "fd00::1"), UNKNOWN},
    {P_X_FOLLOWS_NAME, BASE_hello, E(0, "base", "reset") AT(0, "198.51.100.7") E(1, "other-address", "answered") AT(1, "192.168.0.1"), UNKNOWN},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

// A reset is early by the fastest answer from the very same address.
static void test_early_resets(void) {
    static const struct {
        const char *rtt, *address;
        int end;
        enum answer answer;
    } rows[] = {
        {"40000", "192.0.2.1", 14, YES}, {"40000", "192.0.2.1", 15, NO}, // of a single round trip
        {"40000", "192.0.2.1", 45, NO},  {"40000", "192.0.2.2", 24, UNKNOWN},
        {"1000", "192.0.2.1", 5, NO},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char lines[512];
        snprintf(lines, sizeof(lines),
                 E(0, "base", "reset") "experiments[0].leg.address 192.0.2.1;"
                                       "experiments[0].leg.timing_ms.hello 5;"
                                       "experiments[0].leg.timing_ms.end %d;" //
                 E(1, "no-sni", "answered") "experiments[1].leg.address %s;"
                                            "experiments[1].leg.transport.min_rtt_us %s",
                 rows[i].end, rows[i].address, rows[i].rtt);
        const struct answer_case one = {P_X_RESET_EARLY, BASE_hello, lines, rows[i].answer};
        answers_check(&one, 1);
    }
}

// Where every hello is reset, the handshakes of TCP tell how far away the server is: the fastest,
// as one may have been kept waiting, and several, as all of a few may have been.
static void test_resets_alone(void) {
    static const struct {
        const char *rtts[3];
        int end;
        enum answer answer;
    } rows[] = {
        {{"40000", "41000", "42000"}, 24, YES}, {{"40000", "41000", "42000"}, 25, NO},
        {{"40000", "41000", NULL}, 24, NO},     {{"40000", "41000", NULL}, 14, YES},
        {{"40000", "9000", "41000"}, 10, NO},   {{"1900", "40000", "41000"}, 5, NO},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char lines[1024];
        int len = snprintf(lines, sizeof(lines),
                           E(0, "base", "reset") "experiments[0].leg.timing_ms.hello 5;"
                                                 "experiments[0].leg.timing_ms.end %d;" //
                           E(1, "no-sni", "reset") E(2, "tls12", "reset"),
                           rows[i].end);
        for (size_t k = 0; k < ARRAY_LEN(rows[i].rtts) && rows[i].rtts[k] != NULL; k++) {
            len += snprintf(lines + len, sizeof(lines) - (size_t)len,
                            "experiments[%zu].leg.address 192.0.2.1;"
                            "experiments[%zu].leg.transport.min_rtt_us %s;",
                            k, k, rows[i].rtts[k]);
        }
        const struct answer_case one = {P_X_RESET_EARLY, BASE_hello, lines, rows[i].answer};
        answers_check(&one, 1);
    }
}

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {"early resets", test_early_resets},
    {"resets alone", test_resets_alone},
    {NULL, NULL},
};
