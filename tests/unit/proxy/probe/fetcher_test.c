#include "proxy/probe/fetcher.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/proxy/probe/echo.h"
#include "tests/unit/unit.h"

static const char page[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc";

static struct ev_loop *loop;
static struct echo server;
static struct resolver *resolver;
static enum fetch_result result;
static char body[16], request[256];
static bool own;

static enum echo_mode choose(void *ctx, const uint8_t *p, size_t p_len) {
    snprintf(request, sizeof(request), "%.*s", (int)p_len, (const char *)p);
    return *(const enum echo_mode *)ctx;
}

static bool is_self(void *ctx, const struct address *address) {
    (void)address;
    return *(bool *)ctx;
}

static void on_done(void *ctx, const struct fetch *fetch) {
    CU_ASSERT_PTR_EQUAL(ctx, &server);
    struct span p = fetch_body(fetch);
    result = fetch_result(fetch);
    snprintf(body, sizeof(body), "%.*s", (int)p.len, p.len != 0 ? (const char *)p.p : "");
    ev_break(loop, EVBREAK_ONE);
}

static enum fetch_result fetch(enum echo_mode mode, const char *path, const char *parent,
                               bool stop) {
    struct err err;
    char url[64];
    loop = ev_loop_new(EVFLAG_AUTO);
    echo_init(&server, loop, mode);
    server.choose = choose;
    server.ctx = &mode;
    server.answer = page;
    server.answer_len = sizeof(page) - 1;
    resolver = resolver_new(loop, "127.0.0.1:9", 1000000, &err);
    snprintf(url, sizeof(url), "http://%s:%u%s", parent != NULL ? "a.test" : "127.0.0.1",
             server.port, path);
    const struct fetcher_config config = {
        .loop = loop,
        .resolver = resolver,
        .fetch = {.url = url, .max = 100, .total_us = 300000},
        .parent_host = parent,
        .parent_port = server.port,
        .connect_us = 1000000,
        .is_self = is_self,
        .is_self_ctx = &own,
        .on_done = on_done,
        .ctx = &server,
    };
    result = FETCH_PENDING;
    struct fetcher *fetcher = fetcher_new(&config);
    if (stop) {
        fetcher_stop(fetcher);
    }
    CU_ASSERT_EQUAL(result, FETCH_PENDING); // never from within the call
    ev_run(loop, 0);
    fetcher_free(fetcher);
    resolver_free(resolver);
    echo_cleanup(&server);
    ev_loop_destroy(loop);
    return result;
}

static void test_got(void) {
    CU_ASSERT_EQUAL(fetch(ECHO_ANSWER, "/a.der", NULL, false), FETCH_GOT);
    CU_ASSERT_STRING_EQUAL(body, "abc");
    CU_ASSERT_EQUAL(strncmp(request, "GET /a.der HTTP/1.0\r\n", 21), 0);
}

static void test_by_parent(void) {
    CU_ASSERT_EQUAL(fetch(ECHO_ANSWER, "/a", "127.0.0.1", false), FETCH_GOT);
    CU_ASSERT_EQUAL(strncmp(request, "GET http://a.test:", 18), 0);
}

static void test_bad(void) {
    CU_ASSERT_EQUAL(fetch(ECHO_SILENT, "/", NULL, false), FETCH_SLOW);
    CU_ASSERT_EQUAL(fetch(ECHO_CLOSE, "/", NULL, false), FETCH_CUT);
    CU_ASSERT_EQUAL(fetch(ECHO_RESET, "/", NULL, false), FETCH_CUT);
    CU_ASSERT_EQUAL(fetch(ECHO_ANSWER, "/", NULL, true), FETCH_STOPPED);
}

static void test_self(void) {
    own = true;
    CU_ASSERT_EQUAL(fetch(ECHO_ANSWER, "/", NULL, false), FETCH_UNREACHABLE);
    own = false;
}

static void test_free(void) { fetcher_free(NULL); }

const struct unit_case unit_cases[] = {
    {"got", test_got},   {"by a parent proxy", test_by_parent},
    {"bad", test_bad},   {"the proxy itself", test_self},
    {"free", test_free}, {NULL, NULL},
};
