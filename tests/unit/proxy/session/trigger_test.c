#include "proxy/session/trigger.h"

#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

// A hello with one suite, GREASE, SNI "a.test", TLS 1.3 and 1.2, group x25519 and a share of
// 0x11ec, ALPN h2, an empty encrypted_client_hello and an empty ticket.
// clang-format off
static const uint8_t extensions[] = {
    0, 0, 0, 11, 0, 9, 0, 0, 6, 'a', '.', 't', 'e', 's', 't',
    0, 43, 0, 5, 4, 3, 4, 3, 3,
    0, 10, 0, 4, 0, 2, 0, 29,
    0, 51, 0, 7, 0, 5, 0x11, 0xec, 0, 1, 9,
    0, 16, 0, 5, 0, 3, 2, 'h', '2',
    0xfe, 0x0d, 0, 0,
    0, 35, 0, 0,
};
// clang-format on

enum { HEAD = 4 + 2 + 32 + 1 + 6 + 2 + 2 };

static uint8_t bytes[HEAD + sizeof(extensions)];
static struct client_hello hello;

static struct trigger_facts facts(void) {
    static const uint8_t suites[] = {0, 4, 0x0a, 0x0a, 0x13, 0x01, 1, 0};
    memcpy(bytes, (const uint8_t[]){1, 0, 0, sizeof(bytes) - 4, 3, 3}, 6);
    memcpy(bytes + 39, suites, sizeof(suites));
    bytes[HEAD - 1] = sizeof(extensions);
    memcpy(bytes + HEAD, extensions, sizeof(extensions));
    CHECK(client_hello_parse(&hello, NULL, bytes, sizeof(bytes)));
    return (struct trigger_facts){.hello = &hello,
                                  .host = "host.test",
                                  .user_agent = "curl/8",
                                  .segments = 1,
                                  .records = 1,
                                  .nth = 2,
                                  .draw = 0.5};
}

// met asks about the conditions of a reaction that is written as in a profile.
static bool met(const char *when) {
    char text[512];
    struct err err;
    struct trigger_facts known = facts();
    snprintf(text, sizeof(text),
             "{\"name\": \"t\", \"reactions\": [{\"when\": {%s}, \"action\": \"rst\"}]}", when);
    struct profile *profile = profile_parse("test", text, strlen(text), &err);
    if (profile == NULL) {
        printf("\n  %s", err.msg);
        CU_ASSERT(false);
        return false;
    }
    bool found = trigger_met(&profile->reactions[0].when, &known);
    profile_unref(profile);
    return found;
}

static void test_each(void) {
    static const char *const yes[] = {
        "",
        "\"sni\": [\"x.test\", \"*.test\"]",
        "\"host\": [\"host.*\"]",
        "\"user_agent\": [\"curl*\"]",
        "\"has_sni\": true",
        "\"grease\": true",
        "\"versions\": [\"TLS 1.3\"]",
        "\"hello_over\": 50",
        "\"extensions\": [\"encrypted_client_hello\"]",
        "\"groups\": [\"X25519MLKEM768\"]",
        "\"groups\": [\"x25519\"]",
        "\"ciphers\": [\"TLS_AES_128_GCM_SHA256\"]",
        "\"alpn\": [\"h3\", \"h2\"]",
        "\"nth\": 2",
        "\"probability\": 0.6",
        "\"resumption\": false",
    };
    static const char *const no[] = {
        "\"sni\": [\"x.test\"]",
        "\"host\": [\"a.test\"]",
        "\"user_agent\": [\"mozilla*\"]",
        "\"has_sni\": false",
        "\"grease\": false",
        "\"versions\": [\"TLS 1.0\"]",
        "\"hello_over\": 5000",
        "\"segments_over\": 1",
        "\"records_over\": 1",
        "\"extensions\": [\"padding\"]",
        "\"groups\": [\"secp256r1\"]",
        "\"ciphers\": [\"TLS_AES_256_GCM_SHA384\"]",
        "\"alpn\": [\"http/1.1\"]",
        "\"nth\": 3",
        "\"probability\": 0.4",
        "\"resumption\": true",
        "\"has_sni\": true, \"alpn\": [\"http/1.1\"]", // all must hold
    };
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (!met(yes[i])) {
            printf("\n  %s", yes[i]);
            CU_ASSERT(false);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        if (met(no[i])) {
            printf("\n  %s", no[i]);
            CU_ASSERT(false);
        }
    }
}

static void test_segments(void) {
    CU_ASSERT_EQUAL(trigger_segments(517, 1), 1);
    CU_ASSERT_EQUAL(trigger_segments(1448, 1), 1);
    CU_ASSERT_EQUAL(trigger_segments(1449, 1), 2);
    CU_ASSERT_EQUAL(trigger_segments(517, 3), 3);
}

const struct unit_case unit_cases[] = {
    {"each condition", test_each},
    {"segments", test_segments},
    {NULL, NULL},
};
