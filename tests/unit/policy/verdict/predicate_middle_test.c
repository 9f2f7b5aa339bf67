#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

#define RECORD_95 "s.records.server handshake, TLS 1.2, 90|; "
#define TWELVE                                                                                     \
    "s.records.server a, b, 1|a, b, 1|a, b, 1|a, b, 1|a, b, 1|a, b, 1|a, b, 1|a, b, 1|a, b, 1|"    \
    "a, b, 1|a, b, 1|a, b, 1; "
#define OF_13 "c.answer.version TLS 1.3; c.records.client "

static const struct answer_case cases[] = {
    {P_UP_TORN, BASE_answered, RECORD_95 "s.bytes.received 95", NO},
    {P_UP_TORN, BASE_answered, RECORD_95 "s.bytes.received 97", YES},
    {P_UP_TORN, BASE_answered, RECORD_95 "s.bytes.received 50", YES},
    {P_UP_TORN, BASE_answered, RECORD_95, UNKNOWN},
    {P_UP_TORN, BASE_answered, "s.bytes.received 95", UNKNOWN},
    // More came than was kept of.
    {P_UP_TORN, BASE_answered, TWELVE "s.bytes.received 9000", UNKNOWN},
    {P_UP_TORN, BASE_answered, RECORD_95 "s.bytes.received 300; parent.host gw.test", UNKNOWN},
    {P_UP_TORN, BASE_answered, RECORD_95 "s.bytes.received 300; mode tunnel", UNKNOWN},
    {P_UP_TORN, BASE_answered, "s.bytes.received 300; s.records.server odd", UNKNOWN},

    {P_UP_CLEAR, BASE_answered, "s.answer.version TLS 1.2", YES},
    {P_UP_CLEAR, BASE_answered, "", NO},
    {P_DOWN_CLEAR, BASE_shown, "c.answer.version TLS 1.0", YES},
    {P_DOWN_CLEAR, BASE_shown, "", NO},

    {P_UP_RESENT, BASE_hello, "s.transport.retransmits 1", YES},
    {P_UP_RESENT, BASE_hello, "s.transport.retransmits 0", NO},
    {P_UP_RESENT, BASE_hello, "c.transport.retransmits 1", UNKNOWN},

    {P_RST_TTL_ODD, BASE_wirehello,
     "c.end.how rst; c.transport.rst_ttl 61; c.transport.syn_ack.ttl 52", YES},
    {P_RST_TTL_ODD, BASE_wirehello,
     "c.end.how rst; c.transport.rst_ttl 52; c.transport.syn_ack.ttl 52", NO},
    // The client's own is held against its SYN.
    {P_RST_TTL_ODD, BASE_wirehello,
     "c.end.by client; c.end.how rst; c.transport.rst_ttl 64; c.transport.syn.ttl 64;"
     "c.transport.syn_ack.ttl 52",
     NO},
    {P_RST_TTL_ODD, BASE_wirehello, "c.end.how rst; c.transport.rst_ttl 61", UNKNOWN},
    {P_RST_TTL_ODD, BASE_wirehello,
     "c.end.how fin; c.transport.rst_ttl 61; c.transport.syn_ack.ttl 52", UNKNOWN},

    {P_MAC_IN_DATA, BASE_ok, "s.alert server data 20", YES},
    {P_MAC_IN_DATA, BASE_ok, "c.alert server data 20", YES},
    {P_MAC_IN_DATA, BASE_ok, "c.alert client certificate 20", NO},
    {P_MAC_IN_DATA, BASE_ok, "", NO},

    {P_C_HIDDEN_ALERT, BASE_watched13, OF_13 "application_data, TLS 1.2, 19|", YES},
    {P_C_HIDDEN_ALERT, BASE_watched13, OF_13 "application_data, TLS 1.2, 53|", NO},
    // What follows the Finished is a farewell.
    {P_C_HIDDEN_ALERT, BASE_watched13,
     OF_13 "application_data, TLS 1.2, 53|application_data, TLS 1.2, 19", NO},
    {P_C_HIDDEN_ALERT, BASE_watched13, OF_13 "handshake, TLS 1.0, 512|", NO},
    {P_C_HIDDEN_ALERT, BASE_watched12, "c.records.client application_data, TLS 1.2, 19|", NO},
    {P_C_HIDDEN_ALERT, BASE_watched13, "", UNKNOWN},

    {P_W_MIDDLE, BASE_watched13, "c.end.at answer", YES},
    {P_W_MIDDLE, BASE_watched13, "", NO},
    {P_W_AT_FINISHED, BASE_watched13, "c.end.at finished", YES},
    {P_NOTE_GARBLED, BASE_watched13, "notes[0].id rec-not-tls; notes[0].leg client", YES},
    {P_NOTE_GARBLED, BASE_watched13, "notes[0].id rec-not-tls; notes[0].leg server", NO},
    {P_NOTE_GARBLED, BASE_watched13, "notes[0].id rec; notes[0].leg client", NO},
    {P_S_ENDED, BASE_hello, "s.end.how rst", YES},
    {P_S_ENDED, BASE_hello, "s.end.how alert", NO},

    {P_C_LEFT_UNUSED, BASE_shown, "c.end.how fin", YES},
    {P_C_LEFT_UNUSED, BASE_shown, "c.end.how rst; c.end.at finished", YES},
    {P_C_LEFT_UNUSED, BASE_shown, "c.end.how fin; c.alert client certificate 48", NO},
    {P_C_LEFT_UNUSED, BASE_shown, "c.end.how timeout", NO},
    {P_C_LEFT_UNUSED, BASE_ok, "", NO},

    {P_CLIENT_QUIET, BASE_shown, "user_agent.original Wget/1.21.3", YES},
    {P_CLIENT_QUIET, BASE_shown, "user_agent.original Go-http-client/1.1", NO},
    // Two that occur, and no stack at all.
    {P_CLIENT_QUIET, BASE_shown, "user_agent.original App CFNetwork/1568.1", UNKNOWN},
    {P_CLIENT_QUIET, BASE_shown, "user_agent.original curl/8.9.1", UNKNOWN},
};

static void test_answers(void) { answers_check(cases, ARRAY_LEN(cases)); }

const struct unit_case unit_cases[] = {{"answers", test_answers}, {NULL, NULL}};
