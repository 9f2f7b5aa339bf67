#include "proxy/tls/client_hello.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// An outer extension whose `enc` and `payload` have these lengths.
static struct ech outer(size_t enc_len, size_t payload_len) {
    char hex[64];
    size_t body_len = 10 + enc_len + payload_len;
    snprintf(hex, sizeof(hex), "%04zx fe0d %04zx 00 0001 0003 2a %04zx", body_len + 4, body_len,
             enc_len);
    struct made block = made_hex(hex), m = made_hello(NULL);
    made_join(&block, (struct made){.p = xcalloc(1, enc_len + 1), .len = enc_len});
    snprintf(hex, sizeof(hex), "%04zx", payload_len);
    made_join(&block, made_hex(hex));
    made_join(&block, (struct made){.p = xcalloc(1, payload_len + 1), .len = payload_len});
    made_join(&m, block);
    m.p[2] = (uint8_t)((m.len - 4) >> 8);
    m.p[3] = (uint8_t)(m.len - 4);
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_MALFORMED), 0);
    CU_ASSERT_EQUAL(ch.ech.form, ECH_OUTER);
    CU_ASSERT_EQUAL(ch.ech.config_id, 0x2a);
    CU_ASSERT_EQUAL(ch.ech.kdf, 1);
    CU_ASSERT_EQUAL(ch.ech.aead, 3);
    CU_ASSERT_EQUAL(CBS_len(&ch.ech.payload), payload_len);
    made_free(&m);
    return ch.ech;
}

static void test_looks(void) {
    CU_ASSERT_EQUAL(outer(32, 144).looks, ECH_LOOKS_EITHER);
    CU_ASSERT_EQUAL(outer(32, 240).looks, ECH_LOOKS_EITHER);
    CU_ASSERT_EQUAL(outer(32, 272).looks, ECH_LOOKS_REAL);
    CU_ASSERT_EQUAL(outer(0, 144).looks, ECH_LOOKS_REAL); // second hello
    CU_ASSERT_EQUAL(outer(32, 143).looks, ECH_LOOKS_GREASE);
    CU_ASSERT_EQUAL(outer(32, 48).looks, ECH_LOOKS_GREASE);
    CU_ASSERT_EQUAL(outer(33, 144).looks, ECH_LOOKS_GREASE);
    CU_ASSERT_EQUAL(outer(65, 144).kem, 0x0010);
}

static void test_other_forms(void) {
    struct client_hello ch;
    struct note_sink notes = {0};
    struct made m = made_hello("fe0d 0001 01");
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(ch.ech.form, ECH_INNER);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_ECH_INNER), 1);
    made_free(&m);
    m = made_hello("fe0d 0003 000001");
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(ch.ech.form, ECH_UNREADABLE);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_MALFORMED), 1);
    made_free(&m);
    m = made_hello("0017 0000");
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(ch.ech.form, ECH_NONE);
    made_free(&m);
}

const struct unit_case unit_cases[] = {
    {"real or GREASE", test_looks},
    {"other forms", test_other_forms},
    {NULL, NULL},
};
