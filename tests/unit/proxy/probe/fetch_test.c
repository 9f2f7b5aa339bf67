#include "proxy/probe/fetch.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { MAX = 100, TOTAL_US = 1000 };

static struct fetch *fetch;

static void begin(const char *url) {
    const struct fetch_config config = {.url = url, .max = MAX, .total_us = TOTAL_US};
    fetch = fetch_new(&config, 5000);
    CU_ASSERT_EQUAL(fetch_deadline_us(fetch), 6000);
    CU_ASSERT_EQUAL(fetch_output(fetch).len, 0); // nothing before there is a connection
    fetch_input(fetch, &(struct event){.kind = EVENT_CONNECTED});
}

static void feed(const char *bytes) {
    fetch_input(fetch, &(struct event){.kind = EVENT_BYTES,
                                       .bytes = {(const uint8_t *)bytes, strlen(bytes)}});
}

static bool is(struct span bytes, const char *text) {
    return bytes.len == strlen(text) && (bytes.len == 0 || memcmp(bytes.p, text, bytes.len) == 0);
}

static bool output_is(const char *text) { return is(fetch_output(fetch), text); }

// came answers in two pieces, then the end of the connection, and returns what came of it.
static enum fetch_result came(const char *first, const char *second) {
    begin("http://ca.test/a.der");
    feed(first);
    feed(second);
    fetch_input(fetch, &(struct event){.kind = EVENT_EOF});
    return fetch_result(fetch);
}

static bool got(const char *first, const char *second, const char *body) {
    bool ok = came(first, second) == FETCH_GOT;
    ok = ok && is(fetch_body(fetch), body);
    fetch_free(fetch);
    return ok;
}

static bool bad(const char *first, const char *second, const char *id, const char *says) {
    bool ok = strcmp(fetch_result_id(came(first, second)), id) == 0;
    ok = ok && strcmp(fetch_says(fetch), says) == 0;
    fetch_free(fetch);
    return ok;
}

static void test_url(void) {
    struct fetch_url url;
    CU_ASSERT_TRUE(fetch_url_parse(&url, "HTTP://ca.test/a/b.crt?c=1#d"));
    CU_ASSERT_STRING_EQUAL(url.host, "ca.test");
    CU_ASSERT_EQUAL(url.port, 80);
    CU_ASSERT_STRING_EQUAL(url.path, "/a/b.crt?c=1#d");
    CU_ASSERT_TRUE(fetch_url_parse(&url, "http://[::1]:8080"));
    CU_ASSERT_STRING_EQUAL(url.host, "::1");
    CU_ASSERT_EQUAL(url.port, 8080);
    CU_ASSERT_STRING_EQUAL(url.path, "");
    static const char *const no[] = {
        "",
        "http://",
        "https://ca.test/",
        "ldap://ca.test/cn=a",
        "http://u:p@ca.test/",
        "ca.test/",
        "http:///a",
        "http://ca.test/\r\nX: y",
        "http://ca.test:0/",
        "http://ca.test:99999/",
        "http://ca.test/a b",
    };
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        CU_ASSERT_FALSE(fetch_url_parse(&url, no[i]));
    }
}

static void test_request(void) {
    begin("http://ca.test:81/a?b#c");
    CU_ASSERT_TRUE(output_is("GET /a?b HTTP/1.0\r\nHost: ca.test:81\r\nAccept: */*\r\n"
                             "Connection: close\r\n\r\n"));
    fetch_output_done(fetch, fetch_output(fetch).len);
    CU_ASSERT_EQUAL(fetch_output(fetch).len, 0);
    fetch_free(fetch);
    begin("http://ca.test");
    CU_ASSERT_TRUE(output_is("GET / HTTP/1.0\r\nHost: ca.test\r\nAccept: */*\r\n"
                             "Connection: close\r\n\r\n"));
    fetch_free(fetch);
    fetch_free(NULL);
}

static void test_parent(void) {
    const struct fetch_config config = {.url = "http://[::1]:81?q",
                                        .max = MAX,
                                        .total_us = TOTAL_US,
                                        .by_parent = true,
                                        .parent_authorization = "Basic eA=="};
    fetch = fetch_new(&config, 0);
    fetch_input(fetch, &(struct event){.kind = EVENT_CONNECTED});
    CU_ASSERT_TRUE(output_is("GET http://[::1]:81/?q HTTP/1.0\r\nHost: [::1]:81\r\nAccept: */*\r\n"
                             "Connection: close\r\nProxy-Authorization: Basic eA==\r\n\r\n"));
    fetch_free(fetch);
}

static void test_got(void) {
    CU_ASSERT_TRUE(got("HTTP/1.1 200 OK\r\nContent-Le", "ngth: 3\r\n\r\nabcd", "abc"));
    CU_ASSERT_TRUE(got("HTTP/1.0 200 OK\r\n\r\nab", "cd", "abcd"));
    CU_ASSERT_TRUE(got("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
                       "1\r\nc\r\n0\r\n\r\n", "abc"));
    CU_ASSERT_TRUE(got("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", ""));
}

static void test_bad_servers(void) {
    CU_ASSERT_TRUE(bad("HTTP/1.1 404 Not Found\r\n\r\n", "x", "refused", "the answer is 404"));
    CU_ASSERT_TRUE(bad("HTTP/1.1 302 Found\r\nLocation: http://[::1]/\r\n\r\n", "", "redirected",
                       "the answer is 302, and redirects are not followed"));
    CU_ASSERT_TRUE(bad("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "", "too-long",
                       "the answer is longer than 100 bytes"));
    CU_ASSERT_TRUE(bad("SSH-2.0-x\r\n", "", "not-http", "what came back is not HTTP"));
    CU_ASSERT_TRUE(bad("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "c", "cut",
                       "the connection ended before the answer did"));
    CU_ASSERT_TRUE(bad("", "", "cut", "the connection ended before the answer did"));
}

static void test_endless(void) {
    begin("http://ca.test/");
    feed("HTTP/1.0 200 OK\r\n\r\n");
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(fetch_result(fetch), FETCH_PENDING);
        feed("0123456789");
    }
    feed("0");
    CU_ASSERT_EQUAL(fetch_result(fetch), FETCH_TOO_LONG);
    CU_ASSERT_EQUAL(fetch_body(fetch).len, MAX);
    feed("0"); // what comes later changes nothing
    CU_ASSERT_EQUAL(fetch_result(fetch), FETCH_TOO_LONG);
    fetch_free(fetch);
}

static void test_endless_head(void) {
    begin("http://ca.test/");
    feed("HTTP/1.0 200 OK\r\n");
    for (int i = 0; i < 100000 && fetch_result(fetch) == FETCH_PENDING; i++) {
        feed("X: 0123456789\r\n");
    }
    CU_ASSERT_EQUAL(fetch_result(fetch), FETCH_NOT_HTTP);
    fetch_free(fetch);
}

// A server that drips is cut off by the deadline, however often it says something.
static void test_stall(void) {
    begin("http://ca.test/");
    feed("HTTP/1.0 200 OK\r\n");
    fetch_input(fetch, &(struct event){.kind = EVENT_TIMER, .now_us = 5999});
    CU_ASSERT_EQUAL(fetch_result(fetch), FETCH_PENDING);
    fetch_input(fetch, &(struct event){.kind = EVENT_TIMER, .now_us = 6000});
    CU_ASSERT_EQUAL(fetch_result(fetch), FETCH_SLOW);
    fetch_free(fetch);
}

static void test_no_connection(void) {
    static const struct {
        struct event event;
        enum fetch_result result;
    } cases[] = {
        {{.kind = EVENT_DIAL_FAILED, .errnum = ECONNREFUSED}, FETCH_UNREACHABLE},
        {{.kind = EVENT_UNRESOLVED}, FETCH_UNREACHABLE},
        {{.kind = EVENT_BROKEN, .errnum = ECONNRESET}, FETCH_CUT},
        {{.kind = EVENT_STOP}, FETCH_STOPPED},
        {{.kind = EVENT_TRIED}, FETCH_PENDING},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin("http://ca.test/");
        fetch_input(fetch, &cases[i].event);
        CU_ASSERT_EQUAL(fetch_result(fetch), cases[i].result);
        fetch_free(fetch);
    }
}

const struct unit_case unit_cases[] = {
    {"url", test_url},
    {"request", test_request},
    {"by a parent proxy", test_parent},
    {"got", test_got},
    {"bad servers", test_bad_servers},
    {"endless body", test_endless},
    {"endless head", test_endless_head},
    {"stall", test_stall},
    {"no connection", test_no_connection},
    {NULL, NULL},
};
