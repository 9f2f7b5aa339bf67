#include "proxy/probe/feeler.h"

#include <string.h>

#include "tests/unit/proxy/probe/echo.h"
#include "tests/unit/unit.h"

// What routers say needs some: the lab's locate_test has them.

static struct ev_loop *loop;
static struct feeler_result told;
static size_t num_told;

static void on_done(void *ctx, const struct feeler_result *result) {
    CU_ASSERT_PTR_EQUAL(ctx, &loop);
    told = *result;
    num_told++;
    ev_break(loop, EVBREAK_ONE);
}

static enum feeler_fate feel(const char *address, uint16_t port, bool datagram) {
    struct feeler_config config = {.loop = loop,
                                   .ttl = 1,
                                   .datagram = datagram,
                                   .timeout_us = 2000000,
                                   .on_done = on_done,
                                   .ctx = &loop};
    CHECK(address_parse(&config.address, address));
    config.address.port = port;
    num_told = 0;
    struct feeler *feeler = feeler_new(&config);
    CU_ASSERT_EQUAL(num_told, 0); // from the loop alone
    ev_run(loop, 0);
    CU_ASSERT_EQUAL(num_told, 1);
    feeler_free(feeler);
    return told.fate;
}

static void test_fates(void) {
    struct echo server;
    loop = ev_loop_new(EVFLAG_AUTO);
    echo_init(&server, loop, ECHO_SILENT);
    CU_ASSERT_EQUAL(feel("127.0.0.1", server.port, false), FEELER_REACHED);
    CU_ASSERT(told.us >= 0);
    CU_ASSERT_STRING_EQUAL(told.router, "");
    CU_ASSERT_EQUAL(feel("127.0.0.1", 1, false), FEELER_REFUSED);
    // Nobody has that port: the host says so.
    CU_ASSERT_EQUAL(feel("127.0.0.1", 0, true), FEELER_REACHED);
    // 240.0.0.0/4 (RFC 1112) and the unspecified port cannot be connected to.
    CU_ASSERT_EQUAL(feel("255.255.255.255", 9, false), FEELER_FAILED);
    echo_cleanup(&server);
    ev_loop_destroy(loop);
}

// Freed before anything came.
static void test_free(void) {
    struct feeler_config config = {.ttl = 1, .timeout_us = 1000000, .on_done = on_done};
    loop = ev_loop_new(EVFLAG_AUTO);
    config.loop = loop;
    CHECK(address_parse(&config.address, "127.0.0.1"));
    config.address.port = 1;
    num_told = 0;
    feeler_free(feeler_new(&config));
    feeler_free(NULL);
    ev_run(loop, 0); // nothing is left in it
    CU_ASSERT_EQUAL(num_told, 0);
    ev_loop_destroy(loop);
}

const struct unit_case unit_cases[] = {
    {"fates", test_fates},
    {"free", test_free},
    {NULL, NULL},
};
