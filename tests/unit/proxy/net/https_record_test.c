#include "proxy/net/https_record.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

#define HEAD(answers) "\x12\x34\x81\x80\0\1\0" answers "\0\0\0\0"
#define QUESTION "\1a\4test\0\0\x41\0\1"
#define RECORD(type, len) "\xc0\x0c\0" type "\0\1\0\0\0\x3c\0" len
// Priority, target ".", and one parameter.
#define ECH(priority, ech) "\0" priority "\0\0\5\0\4" ech
#define NO_ECH "\0\1\0\0\1\0\3\2h2"

static const uint8_t *found;
static size_t found_len;

// find looks in a copy of exactly that many bytes, so that sanitizers see what is read behind it.
static bool find(const void *message, size_t len) {
    uint8_t *copy = malloc(len + 1);
    CHECK(copy != NULL);
    memcpy(copy + 1, message, len);
    found = NULL;
    bool ok = https_record_ech(&found, &found_len, copy + 1, len);
    static uint8_t kept[64];
    if (ok) {
        CHECK(found_len <= sizeof(kept));
        memcpy(kept, found, found_len);
        found = kept;
    }
    free(copy);
    return ok;
}

#define FIND(message) find(message, sizeof(message) - 1)
#define FOUND(message, ech)                                                                        \
    (FIND(message) && found_len == sizeof(ech) - 1 && memcmp(found, ech, found_len) == 0)

static void test_found(void) {
    static const char one[] = HEAD("\1") QUESTION RECORD("\x41", "\x0b") ECH("\1", "abcd");
    CU_ASSERT(FOUND(one, "abcd"));
    CU_ASSERT(FOUND(HEAD("\2") QUESTION RECORD("\x41", "\x0b") ECH("\2", "late")
                        RECORD("\x41", "\x0b") ECH("\1", "best"),
                    "best"));
    // Behind an alias, and beside a record without.
    CU_ASSERT(FOUND(HEAD("\3") QUESTION RECORD("\5", "\3") "\1b\0" RECORD("\x41", "\x0a")
                        NO_ECH RECORD("\x41", "\x0b") ECH("\3", "abcd"),
                    "abcd"));
    for (size_t len = 0; len < sizeof(one) - 1; len++) {
        CU_ASSERT_FALSE(find(one, len));
    }
}

static void test_none(void) {
    CU_ASSERT_FALSE(FIND(""));
    CU_ASSERT_FALSE(FIND(HEAD("\0") QUESTION));
    CU_ASSERT_FALSE(FIND(HEAD("\1") QUESTION RECORD("\x41", "\x0a") NO_ECH));
    CU_ASSERT_FALSE(FIND(HEAD("\1") QUESTION RECORD("\x41", "\x0b") ECH("\0", "abcd"))); // alias
    CU_ASSERT_FALSE(FIND(HEAD("\1") QUESTION RECORD("\1", "\4") "\x7f\0\0\1"));
    CU_ASSERT_FALSE(FIND(HEAD("\1") QUESTION RECORD("\x41", "\x7f") ECH("\1", "abcd")));
    CU_ASSERT_FALSE(FIND(HEAD("\1") QUESTION RECORD("\x41", "\x0b") "\0\1\0\0\5\0\xff"
                                                                    "abcd"));
}

// Keys that do not ascend, and a length that no label has.
static void test_malformed(void) {
    CU_ASSERT(FOUND(HEAD("\1") QUESTION RECORD("\x41", "\x10") "\0\1\0\0\1\0\1x"
                                                               "\0\5\0\4"
                                                               "abcd",
                    "abcd"));
    CU_ASSERT_FALSE(FIND(HEAD("\1") QUESTION RECORD("\x41", "\x10") "\0\1\0\0\5\0\4"
                                                                    "abcd\0\1\0\1x"));
    CU_ASSERT_FALSE(FIND(HEAD("\1") QUESTION RECORD("\x41", "\x13") "\0\1\0\0\5\0\4"
                                                                    "abcd\0\5\0\4"
                                                                    "efgh"));
    char message[256] = HEAD("\1") "\x40";
    static const char rest[] = "\0\0\x41\0\1" RECORD("\x41", "\x0b") ECH("\1", "abcd");
    memset(message + 13, 'a', 64);
    memcpy(message + 13 + 64, rest, sizeof(rest));
    CU_ASSERT_FALSE(find(message, 13 + 64 + sizeof(rest) - 1));
    message[12] = 63;
    memcpy(message + 13 + 63, rest, sizeof(rest));
    CU_ASSERT(find(message, 13 + 63 + sizeof(rest) - 1));
}

static void test_names(void) {
    char name[HTTPS_RECORD_NAME_SIZE], host[300];
    CU_ASSERT(https_record_name(name, "a.example", 443));
    CU_ASSERT_STRING_EQUAL(name, "a.example");
    CU_ASSERT(https_record_name(name, "a.example", 8443));
    CU_ASSERT_STRING_EQUAL(name, "_8443._https.a.example");
    memset(host, 'a', sizeof(host));
    host[253] = '\0';
    CU_ASSERT(https_record_name(name, host, 443));
    CU_ASSERT_FALSE(https_record_name(name, host, 444));
    host[254] = '\0';
    CU_ASSERT_FALSE(https_record_name(name, "", 443));
}

const struct unit_case unit_cases[] = {
    {"the best priority", test_found},
    {"none", test_none},
    {"names and parameters that are malformed", test_malformed},
    {"names to ask for", test_names},
    {NULL, NULL},
};
