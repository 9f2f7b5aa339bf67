#include "proxy/observe/import_front.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

#define SPAN(text) ((struct span){(const uint8_t *)(text), sizeof(text) - 1})

static const char *name_of(struct span client, struct span server) {
    const char *name = import_front_name(client, server);
    return name != NULL ? name : "none";
}

static void test_names(void) {
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("CONNECT a:1 HTTP/1.1\r\n"), SPAN("")), "connect");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("\x05\x01\0"), SPAN("")), "socks5");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("\x04\x01\0\0"), SPAN("")), "socks4");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("EHLO x\r\n"), SPAN("220 hi\r\n")), "starttls-smtp");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("ehlo x\r\n"), SPAN("220 hi\r\n")), "starttls-smtp");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("AUTH TLS\r\n"), SPAN("220 hi\r\n")), "starttls-ftp");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("a STARTTLS\r\n"), SPAN("* OK\r\n")), "starttls-imap");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("STLS\r\n"), SPAN("+OK\r\n")), "starttls-pop3");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("\0\0\0\x08\x04\xd2\x16\x2f"), SPAN("")),
                           "starttls-postgresql");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("\x20\0\0\x01"), SPAN("\x4a\0\0\0\x0a"
                                                              "8.0.36")),
                           "starttls-mysql");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("\x30\x1d\x02\x01\x01\x77\x18"), SPAN("")),
                           "starttls-ldap");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("<?xml version='1.0'?>"), SPAN("")), "starttls-xmpp");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("PROXY TCP4 1.2.3.4"), SPAN("")), "proxy-protocol");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("\x99\x01"), SPAN("")), "starttls");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN(""), SPAN("")), "starttls");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("GET / HTTP/1.1\r\n"), SPAN("")), "none");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN("SSH-2.0-x\r\n"), SPAN("")), "none");
    CU_ASSERT_STRING_EQUAL(name_of(SPAN(""), SPAN("SSH-2.0-x\r\n")), "none");
}

static void target_is(struct span client, const char *host, uint16_t port) {
    struct import_target target;
    CU_ASSERT_TRUE(import_front_target(&target, client));
    CU_ASSERT_STRING_EQUAL(target.host, host);
    CU_ASSERT_EQUAL(target.port, port);
}

static void test_targets(void) {
    target_is(SPAN("CONNECT example.test:8443 HTTP/1.1\r\n\r\n"), "example.test", 8443);
    target_is(SPAN("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n"), "2001:db8::1", 443);
    target_is(SPAN("\x04\x01\x01\xbb\x0a\0\0\x01me\0"), "10.0.0.1", 443);
    target_is(SPAN("\x04\x01\x01\xbb\0\0\0\x01\0example.test\0"), "example.test", 443);
    target_is(SPAN("\x05\x01\0\x05\x01\0\x01\x0a\0\0\x01\x01\xbb"), "10.0.0.1", 443);
    target_is(SPAN("\x05\x02\0\x02\x01\x02me\x03pwd\x05\x01\0\x03\x0c"
                   "example.test\x20\xfb"),
              "example.test", 8443);
    target_is(SPAN("\x05\x01\0\x05\x01\0\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb"),
              "2001:db8::1", 443);
}

static void test_targets_cut_anywhere(void) {
    const struct span whole[] = {
        SPAN("CONNECT example.test:8443 "),
        SPAN("\x04\x01\x01\xbb\0\0\0\x01\0example.test\0"),
        SPAN("\x05\x02\0\x02\x01\x02me\x03pwd\x05\x01\0\x03\x0c"
             "example.test\x20\xfb"),
    };
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        for (size_t len = 0; len < whole[i].len; len++) {
            struct import_target target;
            uint8_t *copy = xmemdup(whole[i].p, len);
            CU_ASSERT_FALSE(import_front_target(&target, (struct span){copy, len}));
            free(copy);
        }
    }
}

static void test_targets_that_are_none(void) {
    struct import_target target;
    char text[600] = "CONNECT ";
    memset(text + 8, 'a', 500);
    strcpy(text + 508, ":443 ");
    CU_ASSERT_FALSE(
        import_front_target(&target, (struct span){(const uint8_t *)text, strlen(text)}));
    CU_ASSERT_FALSE(import_front_target(&target, SPAN("CONNECT example.test HTTP/1.1\r\n")));
    CU_ASSERT_FALSE(import_front_target(&target, SPAN("CONNECT a:99999 HTTP/1.1\r\n")));
    CU_ASSERT_FALSE(import_front_target(&target, SPAN("CONNECT a\0b:443 HTTP/1.1\r\n")));
    CU_ASSERT_FALSE(import_front_target(&target, SPAN("\x05\x01\0\x05\x01\0\x03\0\x01\xbb")));
    CU_ASSERT_FALSE(import_front_target(&target, SPAN("GET / HTTP/1.1\r\n")));
}

static void test_http(void) {
    struct span text = SPAN("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nuser-AGENT:  me/1 \r\n\r\n");
    struct span value = import_front_header(text, "user-agent:");
    CU_ASSERT_EQUAL_FATAL(value.len, 5);
    CU_ASSERT_EQUAL(memcmp(value.p, "me/1 ", 5), 0);
    CU_ASSERT_PTR_NULL(import_front_header(text, "accept:").p);
    CU_ASSERT_PTR_NULL(import_front_header(SPAN("user-agent: cut"), "user-agent:").p);
    CU_ASSERT_EQUAL(import_front_status(SPAN("HTTP/1.1 407 No\r\n")), 407);
    CU_ASSERT_EQUAL(import_front_status(SPAN("HTTP/1.1 4x7 No\r\n")), 0);
    CU_ASSERT_EQUAL(import_front_status(SPAN("HTTP/1.1 40")), 0);
    CU_ASSERT_EQUAL(import_front_status(SPAN("220 x")), 0);
}

static bool hello(struct span p, bool strict) { return import_front_hello(p.p, p.len, strict); }

static void test_hellos(void) {
    CU_ASSERT_TRUE(hello(SPAN("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"), true));
    CU_ASSERT_TRUE(hello(SPAN("\x16\x03\x01\x02\0\x01"), false));
    CU_ASSERT_FALSE(hello(SPAN("\x16\x03\x01\x02\0\x01"), true));
    CU_ASSERT_FALSE(hello(SPAN("\x16\x03\x01\x02\0"), false));
    CU_ASSERT_FALSE(hello(SPAN("\x16\x03\x01\x02\0\x02\0\x01\xfc\x03\x03"), false));
    CU_ASSERT_FALSE(hello(SPAN("\x16\x03\x01\0\0\x01\0\x01\xfc\x03\x03"), false));
    CU_ASSERT_FALSE(hello(SPAN("\x16\x03\x01\xff\0\x01\0\x01\xfc\x03\x03"), false));
    CU_ASSERT_FALSE(hello(SPAN("\x16\x03\x01\x02\0\x01\0\x01\xfc\x07\x03"), true));
    struct span answer = SPAN("\x16\x03\x03\0\x7a\x02");
    CU_ASSERT_TRUE(import_front_server_hello(answer.p, answer.len));
    CU_ASSERT_FALSE(import_front_server_hello(answer.p, 5));
}

const struct unit_case unit_cases[] = {
    {"names", test_names},
    {"targets", test_targets},
    {"targets cut anywhere", test_targets_cut_anywhere},
    {"targets that are none", test_targets_that_are_none},
    {"HTTP", test_http},
    {"hellos", test_hellos},
    {NULL, NULL},
};
