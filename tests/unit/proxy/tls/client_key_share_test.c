#include "proxy/tls/client_hello.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

#define X25519 "001d 0020 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void test_shares(void) {
    const struct sample *s = sample_get("hello-boringssl");
    struct client_hello ch;
    CU_ASSERT_TRUE(client_hello_parse(&ch, NULL, s->p, s->len));
    CBS shares = ch.key_shares;
    struct key_share share;
    CU_ASSERT_TRUE(key_share_next(&shares, &share)); // GREASE
    CU_ASSERT_EQUAL(CBS_len(&share.key), 1);
    CU_ASSERT_TRUE(key_share_next(&shares, &share));
    CU_ASSERT_EQUAL(share.group, 29);
    CU_ASSERT_EQUAL(CBS_len(&share.key), 32);
    CU_ASSERT_FALSE(key_share_next(&shares, &share));
}

static void test_oddities(void) {
    // clang-format off
    static const struct {
        const char *extensions;
        enum note_id note; // NOTE_COUNT: none of these
    } rows[] = {
        {"000a 0004 0002 001d  0033 0026 0024" X25519,       NOTE_COUNT},
        {"000a 0004 0002 0017  0033 0026 0024" X25519,       NOTE_CH_KEY_SHARE_GROUP_NOT_OFFERED},
        {"000a 0004 0002 001d  0033 0002 0000",              NOTE_CH_KEY_SHARE_EMPTY},
        {"000a 0004 0002 001d  0033 0007 0005 001d 0001 aa", NOTE_CH_KEY_SHARE_LENGTH},
        {"000a 0004 0002 001d  0033 004a 0048" X25519 X25519, NOTE_CH_KEY_SHARE_DUPLICATE},
        {"000a 0006 0004 8888 001d  0033 002b 0029" X25519 "8888 0001 aa",
                                                             NOTE_CH_KEY_SHARE_ORDER},
        {"000a 0004 0002 001d  0033 0006 0004 001d 0001",    NOTE_CH_EXTENSION_MALFORMED},
    };
    static const enum note_id all[] = {
        NOTE_CH_KEY_SHARE_GROUP_NOT_OFFERED, NOTE_CH_KEY_SHARE_EMPTY, NOTE_CH_KEY_SHARE_LENGTH,
        NOTE_CH_KEY_SHARE_DUPLICATE, NOTE_CH_KEY_SHARE_ORDER, NOTE_CH_EXTENSION_MALFORMED,
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_hello(rows[i].extensions);
        struct client_hello ch;
        struct note_sink notes = {0};
        CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
        for (size_t k = 0; k < ARRAY_LEN(all); k++) {
            CU_ASSERT_EQUAL(noted(&notes, all[k]), all[k] == rows[i].note ? 1 : 0);
        }
        made_free(&m);
    }
}

static void test_psk(void) {
    struct made m = made_hello("002d 0002 0101 0029 0017 000e 0002 aabb 01020304 0000 0a0b0c0d"
                               "0005 01 ff 02 eeee");
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(ch.num_psk_identities, 2);
    CU_ASSERT_EQUAL(ch.num_psk_binders, 2);
    CBS identities = ch.psk_identities;
    struct psk_identity identity;
    CU_ASSERT_TRUE(psk_identity_next(&identities, &identity));
    CU_ASSERT_EQUAL(CBS_len(&identity.identity), 2);
    CU_ASSERT_EQUAL(identity.obfuscated_age, 0x01020304);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_PSK_NOT_LAST), 0);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_MALFORMED), 0);
    made_free(&m);
}

static void test_odd_psk(void) {
    struct made m = made_hello("0029 000f 0008 0002 aabb 01020304 0003 0101 00 0017 0000");
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_PSK_NOT_LAST), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_PSK_BINDERS), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_PSK_WITHOUT_MODES), 1);
    made_free(&m);
}

const struct unit_case unit_cases[] = {
    {"key shares", test_shares},
    {"odd key shares", test_oddities},
    {"pre-shared keys", test_psk},
    {"odd pre-shared keys", test_odd_psk},
    {NULL, NULL},
};
