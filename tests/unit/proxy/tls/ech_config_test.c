#include "proxy/tls/ech_config.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"
#include "third_party/boringssl/boringssl.h"

// struct form is what differs from a good configuration.
struct form {
    uint16_t version, kem, kdf, aead, extension;
    const char *name;
    size_t key_len; // 0: 32 bytes
    bool key_of_zeros;
};

static const struct form good = {0xfe0d, 0x20, 1, 1, 0, "public.example", 0, false};

static struct ech_config config;
static struct err err;

static void config_put(CBB *list, const struct form *form) {
    static const uint8_t keys[][32] = {{9}, {0}};
    const uint8_t *key = keys[form->key_of_zeros];
    size_t key_len = form->key_len != 0 ? form->key_len : 32;
    CBB contents, part;
    CHECK(
        CBB_add_u16(list, form->version) && CBB_add_u16_length_prefixed(list, &contents) &&
        CBB_add_u8(&contents, 7) && CBB_add_u16(&contents, form->kem) &&
        CBB_add_u16_length_prefixed(&contents, &part) && CBB_add_bytes(&part, key, key_len) &&
        CBB_add_u16_length_prefixed(&contents, &part) && CBB_add_u16(&part, form->kdf) &&
        CBB_add_u16(&part, form->aead) && CBB_add_u8(&contents, 0) &&
        CBB_add_u8_length_prefixed(&contents, &part) &&
        CBB_add_bytes(&part, (const uint8_t *)form->name, strlen(form->name)) &&
        CBB_add_u16_length_prefixed(&contents, &part) &&
        (form->extension == 0 || (CBB_add_u16(&part, form->extension) && CBB_add_u16(&part, 0))) &&
        CBB_flush(list));
}

static uint8_t *list_make(size_t *out_len, const struct form *forms, size_t num) {
    CBB cbb, list;
    uint8_t *p;
    CHECK(CBB_init(&cbb, 0) && CBB_add_u16_length_prefixed(&cbb, &list));
    for (size_t i = 0; i < num; i++) {
        config_put(&list, &forms[i]);
    }
    CHECK(CBB_finish(&cbb, &p, out_len));
    return p;
}

static bool read_of(const struct form *forms, size_t num) {
    size_t len;
    uint8_t *p = list_make(&len, forms, num);
    bool ok = ech_config_read(&config, p, len, &err);
    OPENSSL_free(p);
    return ok;
}

static void test_good(void) {
    CU_ASSERT(read_of(&good, 1));
    CU_ASSERT_STRING_EQUAL(config.public_name, "public.example");
    CU_ASSERT_EQUAL(config.id, 7);
    // The first that can be used; what is optional does not matter.
    struct form several[] = {good, good, good, good};
    several[0].version = 0xfe0a;
    several[1].kem = 0x10;
    several[2].name = "second.example";
    several[2].extension = 5;
    CU_ASSERT(read_of(several, 4));
    CU_ASSERT_STRING_EQUAL(config.public_name, "second.example");
}

static void test_unusable(void) {
    struct form forms[6] = {good, good, good, good, good, good};
    forms[0].version = 0xfe0a;
    forms[1].kem = 0x10;
    forms[2].kdf = 2;
    forms[3].aead = 4;
    forms[4].extension = 0x8001;
    forms[5].name = "not a name";
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        CU_ASSERT_FALSE(read_of(&forms[i], 1));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no configuration that the proxy's library"));
    }
    CU_ASSERT_FALSE(read_of(forms, 0));
}

// The names are those that the library passes over.
static void test_names(void) {
    static const char *const bad[] = {
        "a..b",
        ".a",
        "a.",
        "-a.example",
        "a-.example",
        "a_b.example",
        "192.0.2.1",
        "a.1",
        "a.0x",
        "a.0X7f",
        "a b",
        ".",
        "1234567890123456789012345678901234567890123456789012345678901234.example",
    };
    static const char *const fine[] = {"a", "1.a", "a.0y", "a.0x7g", "a-b.x--y", "A.Z9"};
    struct form forms[2] = {good, good};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        forms[0].name = bad[i];
        CU_ASSERT_FALSE(read_of(forms, 1));
        CU_ASSERT(read_of(forms, 2));
        CU_ASSERT_STRING_EQUAL(config.public_name, "public.example");
    }
    for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
        forms[0].name = fine[i];
        CU_ASSERT(read_of(forms, 2));
        CU_ASSERT_STRING_EQUAL(config.public_name, fine[i]);
    }
}

static void test_keys(void) {
    struct form forms[2] = {good, good};
    forms[0].key_len = 31;
    CU_ASSERT_FALSE(read_of(forms, 2));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "malformed"));
    forms[0].kem = 0x10; // of another kind
    CU_ASSERT(read_of(forms, 2));
    forms[0] = good;
    forms[0].key_of_zeros = true;
    CU_ASSERT_FALSE(read_of(forms, 2));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "malformed"));
}

static void test_malformed(void) {
    size_t len;
    uint8_t *p = list_make(&len, &good, 1);
    for (size_t cut = 0; cut < len; cut++) {
        CU_ASSERT_FALSE(ech_config_read(&config, p, cut, &err));
        if (cut >= 2) { // lengths that fit outside, and not inside
            uint8_t *copy = OPENSSL_memdup(p, len);
            copy[0] = (uint8_t)((cut - 2) >> 8);
            copy[1] = (uint8_t)(cut - 2);
            CU_ASSERT_FALSE(ech_config_read(&config, copy, cut, &err));
            OPENSSL_free(copy);
        }
    }
    OPENSSL_free(p);
}

const struct unit_case unit_cases[] = {
    {"the first that can be used", test_good},
    {"unusable ones", test_unusable},
    {"public names", test_names},
    {"keys", test_keys},
    {"malformed ones", test_malformed},
    {NULL, NULL},
};
