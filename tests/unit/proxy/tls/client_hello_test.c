#include "proxy/tls/client_hello.h"

#include <string.h>

#include "proxy/tls/extension.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void test_boringssl(void) {
    const struct sample *s = sample_get("hello-boringssl");
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, s->p, s->len));
    CU_ASSERT_EQUAL(ch.legacy_version, 0x0303);
    CU_ASSERT_EQUAL(CBS_len(&ch.random), 32);
    CU_ASSERT_EQUAL(CBS_len(&ch.session_id), 32);
    CU_ASSERT_TRUE(CBS_mem_equal(&ch.sni, (const uint8_t *)"sample.test", 11));
    CU_ASSERT_EQUAL(client_hello_max_version(&ch), 0x0304);
    CU_ASSERT_EQUAL(ch.num_alpn, 2);
    CU_ASSERT_EQUAL(ch.num_alps, 1);
    CU_ASSERT_EQUAL(ch.alps_type, EXT_ALPS_OLD);
    CU_ASSERT_EQUAL(ch.cert_compressions.num, 1);
    CU_ASSERT_EQUAL(code_list_at(&ch.cert_compressions, 0), 2);
    CU_ASSERT_EQUAL(ch.grease, GREASE_CIPHER | GREASE_EXTENSION | GREASE_GROUP | GREASE_VERSION |
                                   GREASE_KEY_SHARE);
    CU_ASSERT_EQUAL(ch.ech.form, ECH_OUTER);
    CU_ASSERT_EQUAL(ch.ech.kem, 0x0020);
    CU_ASSERT_EQUAL(ch.ech.looks, ECH_LOOKS_EITHER);
    CU_ASSERT_EQUAL(ch.num_key_shares, 2);
    CU_ASSERT_EQUAL(ch.status_type, 1);
    CU_ASSERT_TRUE(ch.sct && ch.extended_master_secret);
    CU_ASSERT_EQUAL(CBS_len(&ch.trailing), 0);
    CU_ASSERT_EQUAL(notes.num, 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_ALPS_LEGACY), 1);
}

static void test_others_have_no_oddity(void) {
    static const char *const names[] = {"hello-curl", "hello-gnutls", "hello-openssl13"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct sample *s = sample_get(names[i]);
        struct client_hello ch;
        struct note_sink notes = {0};
        CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, s->p, s->len));
        CU_ASSERT_TRUE(CBS_mem_equal(&ch.sni, (const uint8_t *)"sample.test", 11));
        for (size_t k = 0; k < notes.num; k++) {
            CU_ASSERT(notes.notes[k].id == NOTE_CH_SCSV_RENEGOTIATION ||
                      notes.notes[k].id == NOTE_CH_RECORD_SIZE_LIMIT);
        }
    }
}

// Writes what was parsed back: the struct must hold every byte of the message.
static struct made hello_write(const struct client_hello *ch) {
    CBB cbb, body, child;
    uint8_t *p;
    size_t len;
    CHECK(CBB_init(&cbb, 1024) && CBB_add_u8(&cbb, 1) && CBB_add_u24_length_prefixed(&cbb, &body));
    CHECK(CBB_add_u16(&body, ch->legacy_version));
    CHECK(CBB_add_bytes(&body, CBS_data(&ch->random), CBS_len(&ch->random)));
    CHECK(CBB_add_u8_length_prefixed(&body, &child));
    CHECK(CBB_add_bytes(&child, CBS_data(&ch->session_id), CBS_len(&ch->session_id)));
    CHECK(CBB_add_u16_length_prefixed(&body, &child));
    for (size_t i = 0; i < ch->ciphers.num; i++) {
        CHECK(CBB_add_u16(&child, (uint16_t)code_list_at(&ch->ciphers, i)));
    }
    CHECK(CBB_add_u8_length_prefixed(&body, &child));
    for (size_t i = 0; i < ch->compressions.num; i++) {
        CHECK(CBB_add_u8(&child, (uint8_t)code_list_at(&ch->compressions, i)));
    }
    if (ch->has_extensions) {
        CHECK(CBB_add_u16_length_prefixed(&body, &child));
        CBS block = ch->extensions;
        struct extension ext;
        while (extension_next(&block, &ext)) {
            CBB ext_body;
            CHECK(CBB_add_u16(&child, ext.type) && CBB_add_u16_length_prefixed(&child, &ext_body));
            CHECK(CBB_add_bytes(&ext_body, CBS_data(&ext.body), CBS_len(&ext.body)));
            CHECK(CBB_flush(&child));
        }
    }
    CHECK(CBB_add_bytes(&body, CBS_data(&ch->trailing), CBS_len(&ch->trailing)));
    CHECK(CBB_finish(&cbb, &p, &len));
    struct made made = made_copy(p, len);
    OPENSSL_free(p);
    return made;
}

static void test_holds_every_byte(void) {
    for (const struct sample *s = samples; s->name != NULL; s++) {
        struct client_hello ch;
        if (!client_hello_parse(&ch, NULL, s->p, s->len)) {
            CU_ASSERT_NOT_EQUAL(s->p[0], 1);
            continue;
        }
        struct made made = hello_write(&ch);
        CU_ASSERT_EQUAL(made.len, s->len);
        CU_ASSERT_TRUE(made.len == s->len && memcmp(made.p, s->p, s->len) == 0);
        made_free(&made);
    }
}

static void abuse(const uint8_t *p, size_t p_len) {
    struct client_hello ch;
    struct note_sink notes = {0};
    if (!client_hello_parse(&ch, &notes, p, p_len) && p_len >= 4 && p[0] == 1) {
        CU_ASSERT_NOT_EQUAL(notes.num, 0);
    }
    CU_ASSERT_TRUE(ch.num_extensions <= p_len / 4);
    struct client_hello v2;
    (void)!client_hello_parse_sslv2(&v2, &notes, p, p_len);
}

static void test_survives(void) {
    for (const struct sample *s = samples; s->name != NULL; s++) {
        if (s->p[0] == 1) {
            sample_abuse(s, abuse);
        }
    }
}

static void test_cut_is_noted(void) {
    const struct sample *s = sample_get("hello-openssl13");
    for (size_t len = 0; len < s->len; len++) {
        struct client_hello ch;
        struct note_sink notes = {0};
        CU_ASSERT_FALSE(client_hello_parse(&ch, &notes, s->p, len));
        CU_ASSERT_NOT_EQUAL(noted(&notes, NOTE_CH_TRUNCATED), 0);
    }
    struct client_hello ch;
    CU_ASSERT_FALSE(client_hello_parse(&ch, NULL, s->p, s->len - 1));
    CU_ASSERT_EQUAL(CBS_len(&ch.sni), 11); // what could be read is there
}

static void test_sslv2(void) {
    struct made m = made_hex("802e 01 0301 0015 0000 0010 000004 000005 00000a 010080 0700c0 "
                             "030080 0000ff 000102030405060708090a0b0c0d0e0f");
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse_sslv2(&ch, &notes, m.p, m.len));
    CU_ASSERT_TRUE(ch.sslv2);
    CU_ASSERT_EQUAL(ch.legacy_version, 0x0301);
    CU_ASSERT_EQUAL(ch.ciphers.num, 7);
    CU_ASSERT_EQUAL(code_list_at(&ch.ciphers, 2), 0x0a);
    CU_ASSERT_EQUAL(code_list_at(&ch.ciphers, 3), 0x010080);
    CU_ASSERT_EQUAL(CBS_len(&ch.random), 16);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_SSLV2), 1);
    CU_ASSERT_TRUE(noted_at(&notes, NOTE_CH_SCSV_RENEGOTIATION, 11 + 18));
    struct sample sample = {.name = "sslv2", .len = m.len, .p = m.p};
    sample_abuse(&sample, abuse);
    made_free(&m);
}

static void test_oddities(void) {
    // clang-format off
    static const struct {
        const char *body;
        enum note_id note;
        bool ok;
    } rows[] = {
#define RANDOM "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        {"0303" RANDOM "00 0002 c02f 0100",           NOTE_CH_EXTENSIONS_MISSING,      true},
        {"0303" RANDOM "00 0002 c02f 0100",           NOTE_CH_GROUPS_MISSING,          true},
        {"0303" RANDOM "00 0000 0100 0000",           NOTE_CH_CIPHERS_EMPTY,           true},
        {"0303" RANDOM "00 0003 002f00 0100 0000",    NOTE_CH_CIPHERS_ODD_LENGTH,      false},
        {"0303" RANDOM "00 0004 002f 002f 0100 0000", NOTE_CH_CIPHERS_DUPLICATE,       true},
        {"0303" RANDOM "00 0002 5600 0100 0000",      NOTE_CH_SCSV_FALLBACK,           true},
        {"0303" RANDOM "00 0002 002f 020100 0000",    NOTE_CH_COMPRESSION_OFFERED,     true},
        {"0303" RANDOM "00 0002 002f 0101 0000",      NOTE_CH_COMPRESSION_NULL_MISSING, true},
        {"0303" RANDOM "00 0002 002f 0100 0000 aa",   NOTE_CH_TRAILING_BYTES,          true},
        {"0303" RANDOM "00 0002 002f 0100 0004 00",   NOTE_CH_EXTENSIONS_LENGTH,       false},
        {"0304" RANDOM "00 0002 002f 0100 0000",      NOTE_CH_LEGACY_VERSION_TLS13,    true},
        {"0200" RANDOM "00 0002 002f 0100 0000",      NOTE_CH_LEGACY_VERSION_ODD,      true},
        {"0303" RANDOM "21" RANDOM "ff 0002 002f 0100 0000", NOTE_CH_SESSION_ID_TOO_LONG, true},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_message(1, rows[i].body);
        struct client_hello ch;
        struct note_sink notes = {0};
        CU_ASSERT_EQUAL(client_hello_parse(&ch, &notes, m.p, m.len), rows[i].ok);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), 1);
        made_free(&m);
    }
}

static void test_tls13_needs(void) {
    struct made m = made_hello("002b 0003 02 0304");
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_KEY_SHARE_MISSING), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_SIGALGS_MISSING), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_GROUPS_MISSING), 1);
    CU_ASSERT_TRUE(noted_at(&notes, NOTE_CH_SESSION_ID_EMPTY_TLS13, 4 + 34));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_CIPHERS_WITHOUT_TLS13), 0);
    made_free(&m);
}

static void test_17_kib_of_extensions(void) {
    struct made block = made_hex("0015 4400");
    struct made zeros = {.p = xcalloc(1, 0x4400), .len = 0x4400};
    made_join(&block, zeros);
    struct made m = made_hello(NULL);
    struct made head = made_hex("4404");
    made_join(&m, head);
    made_join(&m, block);
    m.p[2] = (uint8_t)((m.len - 4) >> 8);
    m.p[3] = (uint8_t)(m.len - 4);
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(ch.padding_len, 0x4400);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_OVER_16K), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_PADDING_NOT_ZERO), 0);
    made_free(&m);
}

const struct unit_case unit_cases[] = {
    {"BoringSSL's", test_boringssl},
    {"others have no oddity", test_others_have_no_oddity},
    {"holds every byte", test_holds_every_byte},
    {"survives cuts and changes", test_survives},
    {"a cut is noted", test_cut_is_noted},
    {"SSLv2 format", test_sslv2},
    {"oddities", test_oddities},
    {"what TLS 1.3 needs", test_tls13_needs},
    {"17 KiB of extensions", test_17_kib_of_extensions},
    {NULL, NULL},
};
