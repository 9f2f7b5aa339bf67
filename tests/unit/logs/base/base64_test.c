#include "logs/base/base64.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

// The vectors of RFC 4648 section 10, and the two characters that they lack.
static const struct {
    const char *plain;
    size_t len;
    const char *encoded;
} vectors[] = {
    // clang-format off
    {"",           0, ""},
    {"f",          1, "Zg=="},
    {"fo",         2, "Zm8="},
    {"foo",        3, "Zm9v"},
    {"foob",       4, "Zm9vYg=="},
    {"fooba",      5, "Zm9vYmE="},
    {"foobar",     6, "Zm9vYmFy"},
    {"\xfb\xff\0", 3, "+/8A"},
    // clang-format on
};

static void test_vectors(void) {
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        char text[16];
        uint8_t bytes[16];
        size_t len = 99, encoded_len = base64_encoded_len(vectors[i].len);
        CU_ASSERT_EQUAL_FATAL(encoded_len, strlen(vectors[i].encoded));
        base64_encode(text, vectors[i].plain, vectors[i].len);
        CU_ASSERT(memcmp(text, vectors[i].encoded, encoded_len) == 0);
        CU_ASSERT(base64_decode(bytes, &len, text, encoded_len));
        CU_ASSERT_EQUAL_FATAL(len, vectors[i].len);
        CU_ASSERT(memcmp(bytes, vectors[i].plain, len) == 0);
    }
}

static void test_every_byte(void) {
    uint8_t all[256], back[258];
    char text[344];
    size_t len;
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (uint8_t)i;
    }
    CU_ASSERT_EQUAL_FATAL(base64_encoded_len(sizeof(all)), sizeof(text));
    base64_encode(text, all, sizeof(all));
    CU_ASSERT(base64_decode(back, &len, text, sizeof(text)));
    CU_ASSERT(len == sizeof(all) && memcmp(all, back, len) == 0);
}

// The block that is read or written at once is no wider than what there is.
static void test_every_length(void) {
    for (size_t len = 0; len < 64; len++) {
        size_t encoded_len = base64_encoded_len(len), back_len;
        uint8_t *bytes = malloc(len + 1), *back = malloc(len + 3);
        char *text = malloc(encoded_len + 1);
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (uint8_t)(i * 37 + len);
        }
        uint8_t *exact = memcpy(malloc(len + (len == 0)), bytes, len);
        text[encoded_len] = '!';
        base64_encode(text, exact, len);
        CU_ASSERT_EQUAL(text[encoded_len], '!');
        CU_ASSERT(base64_decode(back, &back_len, text, encoded_len));
        CU_ASSERT(back_len == len && memcmp(back, bytes, len) == 0);
        free(exact);
        free(text);
        free(back);
        free(bytes);
    }
}

static void test_refused(void) {
    static const char *const wrong[] = {"Z",
                                        "Zg",
                                        "Zg=",
                                        "====",
                                        "Z===",
                                        "Zg==Zg==",
                                        "Zm9v=",
                                        "Zm 9v===",
                                        "Zm-_",
                                        "Zg=v",
                                        "\xc3\xa9\xc3\xa9"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        uint8_t bytes[16];
        size_t len;
        CU_ASSERT_FALSE(base64_decode(bytes, &len, wrong[i], strlen(wrong[i])));
    }
}

const struct unit_case unit_cases[] = {
    {"the vectors of RFC 4648", test_vectors},
    {"every byte comes back", test_every_byte},
    {"every length", test_every_length},
    {"what is no padded base64 is refused", test_refused},
    {NULL, NULL},
};
