#include "proxy/net/resolve.h"

#include <stdio.h>
#include <string.h>

#include "proxy/net/address.h"
#include "tests/unit/proxy/net/dns_server.h"
#include "tests/unit/unit.h"

static struct ev_loop *loop;
static struct dns_server dns;
static struct resolver *resolver;
static unsigned done;
static struct lookup_result result;

static void begin(int64_t timeout_us) {
    struct err err = {0};
    loop = ev_loop_new(0);
    dns_server_init(&dns, loop);
    resolver = resolver_new(loop, dns.at, timeout_us, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(resolver);
    done = 0;
    memset(&result, 0, sizeof(result));
}

static void end(void) {
    resolver_free(resolver);
    dns_server_cleanup(&dns);
    ev_loop_destroy(loop);
}

static void on_done(void *ctx, const struct lookup_result *got) {
    CU_ASSERT_PTR_EQUAL(ctx, &result);
    result = *got;
    done++;
    ev_break(loop, EVBREAK_ONE);
}

static void on_late(struct ev_loop *l, ev_timer *timer, int revents) {
    (void)timer, (void)revents;
    CU_FAIL("too late");
    ev_break(l, EVBREAK_ALL);
}

static void run_until(const unsigned *count, unsigned at_least) {
    ev_timer late;
    ev_timer_init(&late, on_late, 20, 0);
    ev_timer_start(loop, &late);
    while (*count < at_least && ev_is_active(&late)) {
        ev_run(loop, EVRUN_ONCE);
    }
    ev_timer_stop(loop, &late);
}

static void look_up(const char *host) {
    unsigned before = done;
    struct lookup *lookup = lookup_new(resolver, host, on_done, &result);
    CU_ASSERT_PTR_NOT_NULL(lookup);
    CU_ASSERT_EQUAL(done, before); // never from within
    run_until(&done, before + 1);
}

static bool has(const char *literal) {
    struct address address;
    CHECK(address_parse(&address, literal));
    for (size_t i = 0; i < result.num; i++) {
        if (address_equal(&result.addresses[i], &address)) {
            return true;
        }
    }
    return false;
}

static void test_addresses(void) {
    begin(8000000);
    look_up("four.test");
    CU_ASSERT_TRUE(result.num == 1 && has("127.0.0.1"));
    look_up("six.test");
    CU_ASSERT_TRUE(result.num == 1 && has("::1"));
    look_up("dual.test.");
    CU_ASSERT_TRUE(result.num == 2 && has("127.0.0.1") && has("::1"));
    look_up("twice.test");
    CU_ASSERT_TRUE(result.num == 1 && has("127.0.0.1"));
    look_up("cname.test");
    CU_ASSERT_TRUE(result.num == 1 && has("127.0.0.1"));
    look_up("many.test");
    CU_ASSERT_EQUAL(result.num, RESOLVE_MAX_ADDRESSES);
    end();
}

#define LABEL_60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."

static void test_errors(void) {
    static const struct {
        const char *host;
        enum dns_error dns_error;
    } cases[] = {
        {"nx.test", DNS_NOT_FOUND},
        {"nodata.test", DNS_NO_DATA},
        {"servfail.test", DNS_SERVER_FAILURE},
        {"refused.test", DNS_REFUSED},
        // No label is longer than 63 bytes (RFC 1035 section 2.3.4).
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test",
         DNS_NOT_FOUND},
        {LABEL_60 LABEL_60 LABEL_60 LABEL_60 LABEL_60 "test", DNS_NOT_FOUND}, // nor a name than 255
        {"nx..test", DNS_NOT_FOUND},
        {"", DNS_NO_DATA}, // the root has no address
    };
    begin(8000000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        look_up(cases[i].host);
        CU_ASSERT_EQUAL(result.num, 0);
        CU_ASSERT_EQUAL(result.dns_error, cases[i].dns_error);
        if (result.dns_error != cases[i].dns_error) {
            printf("%s: %d\n", cases[i].host, result.dns_error);
        }
    }
    end();
}

static void test_timeouts(void) {
    begin(400000);
    look_up("silent.test");
    CU_ASSERT_TRUE(result.num == 0 && result.dns_error == DNS_TIMEOUT);
    CU_ASSERT_TRUE(dns.queries >= 4); // two families, two rounds
    look_up("garbage.test");
    CU_ASSERT_EQUAL(result.num, 0);
    // What one family answered counts, although the other was never answered.
    look_up("half.test");
    CU_ASSERT_TRUE(result.num == 1 && has("127.0.0.1"));
    end();
}

static void test_nobody_there(void) {
    begin(8000000);
    dns_server_cleanup(&dns);
    look_up("four.test");
    CU_ASSERT_TRUE(result.num == 0 && result.dns_error == DNS_OTHER);
    dns_server_init(&dns, loop);
    end();
}

static void test_localhost(void) {
    static const char *const hosts[] = {"localhost", "LocalHost.", "a.b.localhost"};
    begin(8000000);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        look_up(hosts[i]);
        CU_ASSERT_TRUE(result.num == 2 && has("127.0.0.1") && has("::1"));
    }
    CU_ASSERT_EQUAL(dns.queries, 0);
    look_up("four.notlocalhost");
    CU_ASSERT_TRUE(result.num == 1 && dns.queries != 0);
    end();
}

static void test_invalid(void) {
    begin(8000000);
    look_up("nobody.invalid");
    CU_ASSERT_TRUE(result.num == 0 && result.dns_error == DNS_NOT_FOUND);
    CU_ASSERT_EQUAL(dns.queries, 0);
    look_up("four.notinvalid");
    CU_ASSERT_TRUE(dns.queries != 0);
    end();
}

static void test_cancel(void) {
    begin(8000000);
    // The answer comes after the cancellation.
    struct lookup *lookup = lookup_new(resolver, "slow.test", on_done, &result);
    while (dns.num_held < 2) {
        ev_run(loop, EVRUN_ONCE);
    }
    lookup_cancel(lookup);
    dns_server_release(&dns);
    look_up("four.test");
    CU_ASSERT_EQUAL(done, 1);
    // It never comes, and the resolver goes.
    lookup_cancel(lookup_new(resolver, "silent.test", on_done, &result));
    // It is there already, but was not told.
    lookup_cancel(lookup_new(resolver, "localhost", on_done, &result));
    lookup_cancel(NULL);
    ev_run(loop, EVRUN_NOWAIT);
    CU_ASSERT_EQUAL(done, 1);
    end();
}

static void test_answer_after_deadline(void) {
    begin(50000);
    look_up("slow.test");
    CU_ASSERT_EQUAL(result.dns_error, DNS_TIMEOUT);
    dns_server_release(&dns);
    look_up("four.test");
    CU_ASSERT_TRUE(done == 2 && result.num == 1);
    end();
}

static void test_many_at_once(void) {
    begin(8000000);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_PTR_NOT_NULL(
            lookup_new(resolver, i % 2 == 0 ? "dual.test" : "nx.test", on_done, &result));
    }
    run_until(&done, 100);
    CU_ASSERT_EQUAL(done, 100);
    end();
}

static void test_bad_servers(void) {
    struct err err = {0};
    loop = ev_loop_new(0);
    CU_ASSERT_PTR_NULL(resolver_new(loop, "no address", 1000000, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "\"no address\""));
    ev_loop_destroy(loop);
}

static char ech[64];

static void on_https(void *ctx, const uint8_t *p, size_t p_len) {
    CU_ASSERT_PTR_EQUAL(ctx, &result);
    snprintf(ech, sizeof(ech), "%.*s", (int)p_len, p != NULL ? (const char *)p : "");
    done++;
    ev_break(loop, EVBREAK_ONE);
}

static void look_up_https(const char *host, uint16_t port, const char *expected) {
    unsigned before = done;
    CU_ASSERT_PTR_NOT_NULL(lookup_https_new(resolver, host, port, on_https, &result));
    CU_ASSERT_EQUAL(done, before); // never from within
    run_until(&done, before + 1);
    CU_ASSERT_STRING_EQUAL(ech, expected);
}

static void test_https(void) {
    begin(8000000);
    look_up_https("ech.test", 443, DNS_SERVER_ECH);
    look_up_https("ech.test", 8443, DNS_SERVER_ECH);
    look_up_https("ech.test", 8444, "");
    look_up_https("four.test", 443, "");
    look_up_https("nx.test", 443, "");
    look_up_https("servfail.test", 443, "");
    look_up_https("garbage.test", 443, "");
    unsigned asked = dns.queries;
    look_up_https("localhost", 443, "");
    look_up_https(LABEL_60 LABEL_60 LABEL_60 LABEL_60 LABEL_60 "test", 443, "");
    CU_ASSERT_EQUAL(dns.queries, asked);
    struct lookup *lookup = lookup_https_new(resolver, "slow.test", 443, on_https, &result);
    lookup_cancel(lookup);
    end();
    begin(200000);
    look_up_https("silent.test", 443, "");
    end();
}

const struct unit_case unit_cases[] = {
    {"addresses", test_addresses},
    {"errors", test_errors},
    {"timeouts", test_timeouts},
    {"no server there", test_nobody_there},
    {"localhost asks nobody", test_localhost},
    {"names under invalid ask nobody", test_invalid},
    {"cancelled", test_cancel},
    {"answer after the deadline", test_answer_after_deadline},
    {"many at once", test_many_at_once},
    {"bad servers", test_bad_servers},
    {"HTTPS records", test_https},
    {NULL, NULL},
};
