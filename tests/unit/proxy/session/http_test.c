#include "proxy/session/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static enum message_result feed(struct http *http, const char *text, size_t *eaten) {
    *eaten = strlen(text);
    // Exactly as large as the text, so that a sanitizer sees a read past its end.
    uint8_t *copy = xmalloc(*eaten);
    memcpy(copy, text, *eaten);
    enum message_result result = http_feed(http, copy, eaten);
    free(copy);
    return result;
}

static void a_request_without_a_body(void) {
    struct http http;
    size_t n, len;
    static const char text[] = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    char both[128];
    snprintf(both, sizeof(both), "%sGET /y", text);
    http_init(&http, HTTP_REQUEST, false);
    CU_ASSERT_EQUAL(feed(&http, both, &n), MESSAGE_HEAD);
    CU_ASSERT_EQUAL(n, sizeof(text) - 1);
    CU_ASSERT_EQUAL(http.head.len, n);
    CU_ASSERT(memcmp(buf_data(&http.head), text, n) == 0);
    CU_ASSERT_EQUAL(feed(&http, "GET /y", &n), MESSAGE_COMPLETE);
    CU_ASSERT_EQUAL(n, 0);
    const char *target = http_target(&http, &len);
    CU_ASSERT(len == 2 && memcmp(target, "/x", 2) == 0);
    http_cleanup(&http);
}

static void bodies_end_where_they_end(void) {
    static const struct {
        enum http_parser_type type;
        bool no_body;
        const char *head, *body;
    } rows[] = {
        {HTTP_REQUEST, false, "PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", "abc"},
        {HTTP_REQUEST, false, "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
         "1\r\na\r\n0\r\n\r\n"},
        {HTTP_RESPONSE, false, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "abc"},
        {HTTP_RESPONSE, true, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", ""},
        {HTTP_RESPONSE, true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ""},
        {HTTP_RESPONSE, false, "HTTP/1.1 304 OK\r\nContent-Length: 3\r\n\r\n", ""},
        {HTTP_RESPONSE, false, "HTTP/1.1 204 OK\r\n\r\n", ""},
        {HTTP_RESPONSE, false, "HTTP/1.1 100 OK\r\n\r\n", ""},
        {HTTP_RESPONSE, false, "HTTP/1.1 101 OK\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        // Whole with something behind it, and byte by byte.
        struct http http;
        char all[256];
        size_t n, head_len = strlen(rows[i].head), body_len = strlen(rows[i].body);
        snprintf(all, sizeof(all), "%s%sNEXT", rows[i].head, rows[i].body);
        http_init(&http, rows[i].type, rows[i].no_body);
        CU_ASSERT_EQUAL(feed(&http, all, &n), MESSAGE_HEAD);
        CU_ASSERT_EQUAL(n, head_len);
        CU_ASSERT_EQUAL(feed(&http, all + head_len, &n), MESSAGE_COMPLETE);
        CU_ASSERT_EQUAL(n, body_len);
        http_cleanup(&http);

        http_init(&http, rows[i].type, rows[i].no_body);
        for (size_t at = 0; at < head_len + body_len; at++) {
            char byte[2] = {all[at], '\0'};
            enum message_result result = feed(&http, byte, &n);
            CU_ASSERT_EQUAL(n, 1);
            CU_ASSERT_EQUAL(result, at + 1 == head_len              ? MESSAGE_HEAD
                                    : at + 1 == head_len + body_len ? MESSAGE_COMPLETE
                                                                    : MESSAGE_MORE);
        }
        if (body_len == 0) {
            CU_ASSERT_EQUAL(feed(&http, "", &n), MESSAGE_COMPLETE);
        }
        http_cleanup(&http);
    }
}

static void a_body_without_a_length_ends_with_the_stream(void) {
    struct http http;
    size_t n;
    http_init(&http, HTTP_RESPONSE, false);
    CU_ASSERT_EQUAL(feed(&http, "HTTP/1.1 200 OK\r\n\r\n", &n), MESSAGE_HEAD);
    CU_ASSERT_EQUAL(feed(&http, "abc", &n), MESSAGE_MORE);
    CU_ASSERT_EQUAL(http_eof(&http), MESSAGE_COMPLETE);
    http_cleanup(&http);
    http_init(&http, HTTP_RESPONSE, false);
    CU_ASSERT_EQUAL(feed(&http, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &n), MESSAGE_HEAD);
    CU_ASSERT_EQUAL(feed(&http, "abc", &n), MESSAGE_MORE);
    CU_ASSERT_EQUAL(http_eof(&http), MESSAGE_BAD);
    http_cleanup(&http);
    http_init(&http, HTTP_REQUEST, false);
    CU_ASSERT_EQUAL(feed(&http, "GET / HT", &n), MESSAGE_MORE);
    CU_ASSERT_EQUAL(http_eof(&http), MESSAGE_BAD);
    CU_ASSERT(*http_problem(&http) != '\0');
    http_cleanup(&http);
}

static void what_is_not_http(void) {
    static const char *const texts[] = {
        "\x16\x03\x01",
        "GET\r\n\r\n",
        "GET / HTTP/x.y\r\n\r\n",
        "hello\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct http http;
        size_t n;
        http_init(&http, HTTP_REQUEST, false);
        CU_ASSERT_EQUAL(feed(&http, texts[i], &n), MESSAGE_BAD);
        CU_ASSERT(n <= strlen(texts[i]));
        CU_ASSERT(*http_problem(&http) != '\0');
        http_cleanup(&http);
    }
}

static void heads_have_a_ceiling(void) {
    for (size_t over = 0; over < 2; over++) {
        for (size_t piece = 1000; piece <= HTTP_HEAD_MAX + 1; piece += HTTP_HEAD_MAX - 999) {
            static const char from[] = "GET / HTTP/1.1\r\nX: ", to[] = "\r\n\r\n";
            size_t len = HTTP_HEAD_MAX + over, at = 0;
            char *text = xmalloc(len);
            memset(text, 'x', len);
            memcpy(text, from, sizeof(from) - 1);
            memcpy(text + len - (sizeof(to) - 1), to, sizeof(to) - 1);
            struct http http;
            enum message_result result = MESSAGE_MORE;
            http_init(&http, HTTP_REQUEST, false);
            while (result == MESSAGE_MORE && at < len) {
                size_t n = len - at < piece ? len - at : piece;
                result = http_feed(&http, (uint8_t *)text + at, &n);
                at += n;
            }
            CU_ASSERT_EQUAL(result, over ? MESSAGE_TOO_LONG : MESSAGE_HEAD);
            http_cleanup(&http);
            free(text);
        }
    }
}

static void fields_are_found(void) {
    struct http http;
    size_t n;
    char out[8];
    http_init(&http, HTTP_REQUEST, false);
    CU_ASSERT_EQUAL(feed(&http,
                         "GET / HTTP/1.1\r\nA:1\r\nbee: \t two \r\nC:\r\nBee: 3\r\nLong: "
                         "12345678\r\nSeven: 1234567\r\n\r\n",
                         &n),
                    MESSAGE_HEAD);
    CU_ASSERT(http_header(&http, "a", out, sizeof(out)) && strcmp(out, "1") == 0);
    CU_ASSERT(http_header(&http, "Bee", out, sizeof(out)) && strcmp(out, "two") == 0);
    CU_ASSERT(http_header(&http, "C", out, sizeof(out)) && strcmp(out, "") == 0);
    CU_ASSERT(http_header(&http, "Seven", out, sizeof(out)) && strcmp(out, "1234567") == 0);
    CU_ASSERT_FALSE(http_header(&http, "Long", out, sizeof(out)));
    CU_ASSERT_FALSE(http_header(&http, "D", out, sizeof(out)));
    CU_ASSERT_FALSE(http_header(&http, "Be", out, sizeof(out)));
    const char *line;
    size_t len, num = 0;
    for (size_t at = 0; http_line(&http, &at, &line, &len); num++) {
        CU_ASSERT(len >= 2 && line[len - 1] != '\r');
    }
    CU_ASSERT_EQUAL(num, 6);
    CU_ASSERT(http_line_is("Host: x", 7, "host"));
    CU_ASSERT_FALSE(http_line_is("Host", 4, "host"));
    CU_ASSERT_FALSE(http_line_is("Hosts: x", 8, "host"));
    http_cleanup(&http);
}

static void upgrades_are_told(void) {
    struct http http;
    size_t n;
    http_init(&http, HTTP_REQUEST, false);
    CU_ASSERT_EQUAL(feed(&http, "CONNECT a.test:443 HTTP/1.1\r\n\r\n", &n), MESSAGE_HEAD);
    CU_ASSERT(http_upgraded(&http));
    http_cleanup(&http);
    http_init(&http, HTTP_RESPONSE, false);
    CU_ASSERT_EQUAL(feed(&http, "HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", &n),
                    MESSAGE_HEAD);
    CU_ASSERT(http_upgraded(&http));
    http_cleanup(&http);
    http_init(&http, HTTP_RESPONSE, false);
    CU_ASSERT_EQUAL(feed(&http, "HTTP/1.1 200 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", &n),
                    MESSAGE_HEAD);
    CU_ASSERT_FALSE(http_upgraded(&http));
    http_cleanup(&http);
}

const struct unit_case unit_cases[] = {
    {"a request without a body", a_request_without_a_body},
    {"bodies end where they end", bodies_end_where_they_end},
    {"a body without a length ends with the stream", a_body_without_a_length_ends_with_the_stream},
    {"what is not HTTP", what_is_not_http},
    {"heads have a ceiling", heads_have_a_ceiling},
    {"fields are found", fields_are_found},
    {"upgrades are told", upgrades_are_told},
    {NULL, NULL},
};
