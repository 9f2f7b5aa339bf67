#include "proxy/tls/server_hello.h"

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

#define RANDOM "000102030405060708090a0b0c0d0e0f1011121314151617"
#define TAIL "18191a1b1c1d1e1f"
#define RETRY "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"

static void test_tls13(void) {
    const struct sample *s = sample_get("server-hello13");
    struct server_hello sh;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(server_hello_parse(&sh, &notes, s->p, s->len));
    CU_ASSERT_FALSE(sh.retry);
    CU_ASSERT_EQUAL(sh.legacy_version, 0x0303);
    CU_ASSERT_EQUAL(sh.version, 0x0304);
    CU_ASSERT_EQUAL(sh.cipher, 0x1302);
    CU_ASSERT_EQUAL(sh.group, 29);
    CU_ASSERT_EQUAL(CBS_len(&sh.key_share), 32);
    CU_ASSERT_EQUAL(CBS_len(&sh.session_id), 32);
    CU_ASSERT_EQUAL(sh.downgrade, DOWNGRADE_NONE);
    CU_ASSERT_EQUAL(notes.num, 0);
}

static void test_retry(void) {
    const struct sample *s = sample_get("retry-request");
    struct server_hello sh;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(server_hello_parse(&sh, &notes, s->p, s->len));
    CU_ASSERT_TRUE(sh.retry);
    CU_ASSERT_TRUE(sh.has_key_share);
    CU_ASSERT_EQUAL(sh.group, 24);
    CU_ASSERT_PTR_NULL(CBS_data(&sh.cookie));
    CU_ASSERT_EQUAL(notes.num, 1);
    CU_ASSERT_TRUE(noted_at(&notes, NOTE_SH_HELLO_RETRY_REQUEST, 6));
}

static void test_retry_for_cookie(void) {
    struct made m =
        made_message(2, "0303" RETRY "00 1301 00 000d 002b 0002 0304 002c 0003 0001 aa");
    struct server_hello sh;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(server_hello_parse(&sh, &notes, m.p, m.len));
    CU_ASSERT_TRUE(sh.retry);
    CU_ASSERT_FALSE(sh.has_key_share);
    CU_ASSERT_EQUAL(CBS_len(&sh.cookie), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_SH_KEY_SHARE_MISSING), 0);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_SH_EXTENSION_FORBIDDEN), 0);
    made_free(&m);
}

static void test_tls12(void) {
    const struct sample *s = sample_get("server-hello12");
    struct server_hello sh;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(server_hello_parse(&sh, &notes, s->p, s->len));
    CU_ASSERT_EQUAL(sh.version, 0x0303);
    CU_ASSERT_EQUAL(sh.supported_version, 0);
    CU_ASSERT_TRUE(CBS_mem_equal(&sh.alpn, (const uint8_t *)"h2", 2));
    CU_ASSERT_TRUE(sh.extended_master_secret && sh.session_ticket && sh.status_request);
    CU_ASSERT_PTR_NOT_NULL(CBS_data(&sh.renegotiation_info));
    CU_ASSERT_EQUAL(notes.num, 0);
}

static void test_oddities(void) {
    // clang-format off
    static const struct {
        const char *body;
        enum note_id note;
        bool ok;
    } rows[] = {
        {"0303" RANDOM "444f574e47524401 00 c02f 00 0005 ff01 0001 00", NOTE_SH_DOWNGRADE_TLS12, true},
        {"0302" RANDOM "444f574e47524400 00 c013 00 0005 ff01 0001 00", NOTE_SH_DOWNGRADE_TLS11, true},
        {"0303" RANDOM "edbfb4a8c24710ff 00 c02f 00 0005 ff01 0001 00", NOTE_SH_DOWNGRADE_JDK11, true},
        {"0303" RANDOM TAIL "00 c02f 00",                     NOTE_SH_RENEGOTIATION_INFO_MISSING, true},
        {"0303" RANDOM TAIL "00 c02f 01",                     NOTE_SH_COMPRESSION_CHOSEN,    true},
        {"0303" RANDOM TAIL "00 00ff 00",                     NOTE_SH_CIPHER_NOT_REAL,       true},
        {"0303" RANDOM TAIL "00 1a1a 00",                     NOTE_SH_CIPHER_NOT_REAL,       true},
        {"0303" RANDOM TAIL "00 1301 00",                     NOTE_SH_CIPHER_WRONG_VERSION,  true},
        {"0303" RANDOM TAIL "00 c02f 00 0006 002b 0002 0304", NOTE_SH_CIPHER_WRONG_VERSION,  true},
        {"0303" RANDOM TAIL "00 1301 00 0006 002b 0002 0304", NOTE_SH_KEY_SHARE_MISSING,     true},
        {"0302" RANDOM TAIL "00 1301 00 0006 002b 0002 0304", NOTE_SH_LEGACY_VERSION_ODD,    true},
        {"0305" RANDOM TAIL "00 c02f 00",                     NOTE_SH_LEGACY_VERSION_ODD,    true},
        {"0303" RANDOM TAIL "00 c02f 00 0006 002b 0002 0303", NOTE_SH_VERSIONS_BELOW_TLS13,  true},
        {"0303" RANDOM TAIL "00 1301 00 0006 002b 0002 7f1c", NOTE_SH_VERSION_DRAFT,         true},
        {"0303" RANDOM TAIL "00 c02f 00 0004 0033 0000",      NOTE_SH_EXTENSION_FORBIDDEN,   true},
        {"0303" RANDOM TAIL "00 c02f 00 0008 0017 0000 0017 0000", NOTE_SH_EXTENSION_DUPLICATE, true},
        {"0303" RANDOM TAIL "00 c02f 00 0005 0017 0001 00",   NOTE_SH_EXTENSION_MALFORMED,   true},
        {"0303" RANDOM TAIL "00 c02f 00 000c 0010 0008 0006 026832 026833", NOTE_SH_ALPN_SEVERAL, true},
        {"0303" RANDOM TAIL "00 c02f 00 0005 000f 0001 01",   NOTE_SH_HEARTBEAT_ACCEPTED,    true},
        {"0303" RANDOM TAIL "00 1301 00 000f 002b 0002 0304 0033 0005 001d 0001 aa",
                                                              NOTE_SH_KEY_SHARE_LENGTH,      true},
        {"0303" RANDOM TAIL "00 c02f 00 0000 aa",             NOTE_SH_TRAILING_BYTES,        true},
        {"0303" RANDOM TAIL "00 c02f 00 0009 00",             NOTE_SH_EXTENSIONS_LENGTH,     false},
        {"0303" RANDOM TAIL "00 c02f",                        NOTE_SH_TRUNCATED,             false},
        {"0303" RANDOM TAIL "21" RANDOM TAIL "ff c02f 00",    NOTE_SH_SESSION_ID_TOO_LONG,   true},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_message(2, rows[i].body);
        struct server_hello sh;
        struct note_sink notes = {0};
        CU_ASSERT_EQUAL(server_hello_parse(&sh, &notes, m.p, m.len), rows[i].ok);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), 1);
        made_free(&m);
    }
}

// Up to draft 21 there was neither session id nor compression.
static void test_old_draft(void) {
    struct made m = made_message(2, "7f0e" RANDOM TAIL "cca9 000a 0028 0006 001d 0002 aabb");
    struct server_hello sh;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(server_hello_parse(&sh, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(sh.cipher, 0xcca9);
    CU_ASSERT_EQUAL(sh.group, 29);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_SH_VERSION_DRAFT), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_SH_CIPHER_WRONG_VERSION), 0);
    made_free(&m);
}

static void abuse(const uint8_t *p, size_t p_len) {
    struct server_hello sh;
    struct note_sink notes = {0};
    if (!server_hello_parse(&sh, &notes, p, p_len) && p_len >= 4 && p[0] == 2) {
        CU_ASSERT_NOT_EQUAL(notes.num, 0);
    }
}

static void test_survives(void) {
    for (const struct sample *s = samples; s->name != NULL; s++) {
        if (s->p[0] == 2) {
            sample_abuse(s, abuse);
        }
    }
}

const struct unit_case unit_cases[] = {
    {"TLS 1.3", test_tls13},
    {"HelloRetryRequest", test_retry},
    {"HelloRetryRequest for a cookie", test_retry_for_cookie},
    {"TLS 1.2", test_tls12},
    {"oddities", test_oddities},
    {"an old draft", test_old_draft},
    {"survives cuts and changes", test_survives},
    {NULL, NULL},
};
