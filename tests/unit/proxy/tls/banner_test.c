#include "proxy/tls/banner.h"

#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

// clang-format off
static const struct {
    const char *bytes;
    size_t len;
    enum banner banner;
} rows[] = {
#define ROW(bytes, banner) {bytes, sizeof(bytes) - 1, banner}
    ROW("\x16\x03\x01\x02\x00\x01",               BANNER_TLS),
    ROW("\x15\x03\x03\x00\x02\x02\x28",           BANNER_TLS),
    ROW("\x17\x03\x03\x40\x00",                   BANNER_TLS),
    ROW("\x16\xfe\xfd\x00\x00",                   BANNER_DTLS),
    ROW("\x16\x04\x00\x00\x00",                   BANNER_BINARY),
    ROW("\x80\x2e\x01\x03\x01\x00\x15",           BANNER_SSLV2),
    ROW("\x80\x2e\x01\x00\x02\x00\x15",           BANNER_SSLV2),
    ROW("\x80\x2e\x04\x00\x01\x00\x02",           BANNER_BINARY),
    ROW("\x80\x2e\x01\x05\x01\x00\x02",           BANNER_BINARY),
    ROW("HTTP/1.1 400 Bad Request\r\n",           BANNER_HTTP_ANSWER),
    ROW("GET / HTTP/1.1\r\n",                     BANNER_HTTP_REQUEST),
    ROW("POST /a HTTP/1.0\r\n",                   BANNER_HTTP_REQUEST),
    ROW("CONNECT a:1 HTTP/1.0\r\n",               BANNER_HTTP_REQUEST),
    ROW("PRI * HTTP/2.0\r\n\r\n",                 BANNER_HTTP2),
    ROW("<!doctype html><html>",                  BANNER_HTML),
    ROW("<HTML><head>",                           BANNER_HTML),
    ROW("SSH-2.0-OpenSSH_9.2p1\r\n",              BANNER_SSH),
    ROW("220 mail.sample.test ESMTP Postfix\r\n", BANNER_SMTP),
    ROW("220 (vsFTPd 3.0.3)\r\n",                 BANNER_FTP),
    ROW("220-Welcome\r\n",                        BANNER_REPLY),
    ROW("* OK IMAP4rev1 ready\r\n",               BANNER_IMAP),
    ROW("+OK POP3 ready\r\n",                     BANNER_POP3),
    ROW("<?xml version='1.0'?>",                  BANNER_XML),
    ROW("EHLO me\r\n",                            BANNER_SMTP),
    ROW("just some words",                        BANNER_TEXT),
    ROW("2200 things\r\n",                        BANNER_TEXT),
    ROW("\x05\x01\x00",                           BANNER_BINARY),
    ROW("abc\x00",                                BANNER_BINARY),
#undef ROW
};
// clang-format on

static void test_knows_them(void) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum banner banner = banner_classify((const uint8_t *)rows[i].bytes, rows[i].len, true);
        CU_ASSERT_EQUAL(banner, rows[i].banner);
    }
}

// However few bytes come, the answer is the final one or none.
static void test_never_changes_its_mind(void) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum banner last = banner_classify((const uint8_t *)rows[i].bytes, rows[i].len, true);
        for (size_t len = 0; len <= rows[i].len; len++) {
            enum banner banner = banner_classify((const uint8_t *)rows[i].bytes, len, false);
            CU_ASSERT(banner == BANNER_UNDECIDED || banner == last);
        }
    }
}

static void test_decides_in_time(void) {
    uint8_t p[BANNER_MAX];
    memset(p, '2', sizeof(p));
    memcpy(p, "220 ", 4);
    CU_ASSERT_EQUAL(banner_classify(p, sizeof(p) - 1, false), BANNER_UNDECIDED);
    CU_ASSERT_EQUAL(banner_classify(p, sizeof(p), false), BANNER_REPLY);
}

static void test_eof_decides(void) {
    CU_ASSERT_EQUAL(banner_classify((const uint8_t *)"H", 1, false), BANNER_UNDECIDED);
    CU_ASSERT_EQUAL(banner_classify((const uint8_t *)"H", 1, true), BANNER_TEXT);
    CU_ASSERT_EQUAL(banner_classify((const uint8_t *)"\x16", 1, true), BANNER_BINARY);
    CU_ASSERT_EQUAL(banner_classify(NULL, 0, true), BANNER_UNDECIDED);
}

static void test_names(void) {
    for (int banner = BANNER_UNDECIDED; banner <= BANNER_BINARY; banner++) {
        CU_ASSERT_PTR_NOT_NULL(banner_name((enum banner)banner));
    }
    CU_ASSERT_STRING_EQUAL(banner_name(BANNER_HTTP_ANSWER), "http answer");
}

const struct unit_case unit_cases[] = {
    {"knows them", test_knows_them},
    {"never changes its mind", test_never_changes_its_mind},
    {"decides in time", test_decides_in_time},
    {"the end of the stream decides", test_eof_decides},
    {"names", test_names},
    {NULL, NULL},
};
