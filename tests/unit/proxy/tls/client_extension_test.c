#include "proxy/tls/client_extension.h"

#include "proxy/tls/extension.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// One extension at a time and the note it earns; NOTE_COUNT for "well-formed".
// clang-format off
static const struct {
    const char *extension;
    enum note_id note;
} rows[] = {
    {"0001 0001 02",                NOTE_CH_MAX_FRAGMENT_LENGTH},
    {"0001 0001 05",                NOTE_CH_MAX_FRAGMENT_LENGTH_INVALID},
    {"0001 0000",                   NOTE_CH_EXTENSION_MALFORMED},
    {"0005 0005 0100000000",        NOTE_COUNT},
    {"0005 0004 01000000",          NOTE_CH_EXTENSION_MALFORMED},
    {"000a 0002 0000",              NOTE_CH_GROUPS_EMPTY},
    {"000a 0006 0004 001d 001d",    NOTE_CH_GROUPS_DUPLICATE},
    {"000a 0005 0003 001d 00",      NOTE_CH_EXTENSION_MALFORMED},
    {"000b 0002 0101",              NOTE_CH_POINT_FORMATS_WITHOUT_UNCOMPRESSED},
    {"000d 0002 0000",              NOTE_CH_SIGALGS_EMPTY},
    {"000d 0006 0004 0403 0403",    NOTE_CH_SIGALGS_DUPLICATE},
    {"000f 0001 01",                NOTE_CH_HEARTBEAT_OFFERED},
    {"000f 0001 03",                NOTE_CH_EXTENSION_MALFORMED},
    {"0011 0009 0007 02 0004 00000000", NOTE_COUNT},
    {"0011 0003 0001 02",           NOTE_CH_EXTENSION_MALFORMED},
    {"0012 0001 00",                NOTE_CH_EXTENSION_MALFORMED},
    {"0015 0003 000001",            NOTE_CH_PADDING_NOT_ZERO},
    {"0017 0000",                   NOTE_COUNT},
    {"0017 0001 00",                NOTE_CH_EXTENSION_MALFORMED},
    {"001b 0003 02 0002",           NOTE_COUNT},
    {"001b 0001 00",                NOTE_CH_EXTENSION_MALFORMED},
    {"001c 0002 4001",              NOTE_CH_RECORD_SIZE_LIMIT},
    {"001c 0002 003f",              NOTE_CH_RECORD_SIZE_LIMIT_INVALID},
    {"001c 0002 4002",              NOTE_CH_RECORD_SIZE_LIMIT_INVALID},
    {"0022 0004 0002 0403",         NOTE_COUNT},
    {"0023 0004 aabbccdd",          NOTE_COUNT},
    {"002a 0000",                   NOTE_CH_EARLY_DATA},
    {"002b 0001 00",                NOTE_CH_VERSIONS_EMPTY},
    {"002b 0003 02 0303",           NOTE_CH_VERSIONS_WITHOUT_TLS13},
    {"002b 0005 04 0304 7f1c",      NOTE_CH_VERSIONS_DRAFT},
    {"002b 0002 0304",              NOTE_CH_EXTENSION_MALFORMED},
    {"002c 0003 0001 aa",           NOTE_COUNT},
    {"002c 0002 0000",              NOTE_CH_EXTENSION_MALFORMED},
    {"002d 0002 0101",              NOTE_COUNT},
    {"002d 0001 00",                NOTE_CH_EXTENSION_MALFORMED},
    {"002f 0006 0004 0002 3000",    NOTE_COUNT},
    {"002f 0005 0003 0002 30",      NOTE_CH_EXTENSION_MALFORMED},
    {"0031 0000",                   NOTE_COUNT},
    {"0032 0004 0002 0403",         NOTE_COUNT},
    {"0039 0004 01020304",          NOTE_COUNT},
    {"0018 0005 0100 02 0102",      NOTE_COUNT},
    {"7550 0000",                   NOTE_COUNT},
    {"ffce 0002 0001",              NOTE_CH_ESNI},
    {"ff01 0001 00",                NOTE_COUNT},
    {"ff01 0002 0101",              NOTE_CH_RENEGOTIATION_INFO_NOT_EMPTY},
    {"ff01 0000",                   NOTE_CH_EXTENSION_MALFORMED},
    {"0030 0002 0000",              NOTE_CH_EXTENSION_FORBIDDEN},
    {"0017 0000 0017 0000",         NOTE_CH_EXTENSION_DUPLICATE},
    {"e123 0000",                   NOTE_CH_EXTENSION_UNKNOWN},
    {"0017 0005 00",                NOTE_CH_TRUNCATED},
    {"0017 00",                     NOTE_CH_TRUNCATED},
};
// clang-format on

static void test_each(void) {
    static const enum note_id bad[] = {NOTE_CH_EXTENSION_MALFORMED, NOTE_CH_EXTENSION_FORBIDDEN,
                                       NOTE_CH_EXTENSION_UNKNOWN, NOTE_CH_EXTENSION_DUPLICATE,
                                       NOTE_CH_TRUNCATED};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_hello(rows[i].extension);
        struct client_hello ch;
        struct note_sink notes = {0};
        bool ok = client_hello_parse(&ch, &notes, m.p, m.len);
        CU_ASSERT_EQUAL(ok, rows[i].note != NOTE_CH_TRUNCATED);
        for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
            CU_ASSERT_EQUAL(noted(&notes, bad[k]), bad[k] == rows[i].note ? 1 : 0);
        }
        if (rows[i].note != NOTE_COUNT) {
            CU_ASSERT_EQUAL(noted(&notes, rows[i].note), 1);
        }
        made_free(&m);
    }
}

static void test_values(void) {
    struct made m = made_hello("0011 0009 0007 02 0004 00000000  0018 0005 0100 02 0102"
                               "001c 0002 0200  0023 0002 aabb  002c 0003 0001 cc"
                               "002d 0003 02 0b01  002f 0006 0004 0002 3000  0001 0001 04"
                               "0039 0002 0102  0031 0000  0016 0000  0022 0004 0002 0804"
                               "0015 0002 0000  0a0a 0000");
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_MALFORMED), 0);
    CU_ASSERT_EQUAL(ch.num_extensions, 14);
    CU_ASSERT_EQUAL(ch.num_status_v2, 1);
    CU_ASSERT_EQUAL(ch.token_binding_version, 0x0100);
    CU_ASSERT_EQUAL(ch.token_binding.num, 2);
    CU_ASSERT_EQUAL(ch.record_size_limit, 512);
    CU_ASSERT_EQUAL(CBS_len(&ch.session_ticket), 2);
    CU_ASSERT_EQUAL(CBS_len(&ch.cookie), 1);
    CU_ASSERT_EQUAL(ch.psk_modes.num, 2);
    CU_ASSERT_EQUAL(ch.num_authorities, 1);
    CU_ASSERT_EQUAL(ch.max_fragment_length, 4);
    CU_ASSERT_EQUAL(CBS_len(&ch.quic_parameters), 2);
    CU_ASSERT_TRUE(ch.post_handshake_auth && ch.encrypt_then_mac && ch.has_padding);
    CU_ASSERT_EQUAL(code_list_at(&ch.delegated, 0), 0x0804);
    CU_ASSERT_EQUAL(ch.padding_len, 2);
    CU_ASSERT_EQUAL(ch.grease, GREASE_PSK_MODE | GREASE_EXTENSION);
    made_free(&m);
}

static void test_first_of_two_counts(void) {
    struct made m = made_hello("001c 0002 0200 001c 0002 0400");
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(ch.record_size_limit, 512);
    CU_ASSERT_TRUE(noted_at(&notes, NOTE_CH_EXTENSION_DUPLICATE, m.len - 6));
    made_free(&m);
}

const struct unit_case unit_cases[] = {
    {"each and its note", test_each},
    {"values", test_values},
    {"the first of two counts", test_first_of_two_counts},
    {NULL, NULL},
};
