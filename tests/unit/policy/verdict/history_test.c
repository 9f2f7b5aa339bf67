#include "policy/verdict/history.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "logs/base/check.h"
#include "policy/verdict/browser.h"
#include "policy/verdict/verdict.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

static struct history *history;
static int next_id;

// make returns a record of its own id, `at` seconds into the test.
static struct record *make(int at, enum base base, const char *lines) {
    struct record *record = case_record(base, lines);
    obj_set_int(record->root, F_RECORD_TIMESTAMP, (1795000000LL + at) * 1000);
    obj_set_strf(record->root, F_RECORD_ID, "%d", next_id++);
    return record;
}

static void note(int at, enum base base, const char *lines) {
    struct record *record = make(at, base, lines);
    history_note(history, record->root);
    record_free(record);
}

// told returns a count of the history of a connection.
static int64_t told(enum field field, int at, enum base base, const char *lines) {
    int64_t num = 0;
    struct record *record = make(at, base, lines);
    history_tell(history, record->root);
    const struct obj *out = obj_get(record->root, F_RECORD_HISTORY);
    CU_ASSERT_PTR_NOT_NULL(out);
    (void)obj_int(out, field, &num);
    record_free(record);
    return num;
}

static void begin(void) {
    history_free(history);
    history = history_new(7);
}

#define REFUSED "c.alert client certificate 46; c.end.how alert;"
#define A "host a.test; c.tls.client.ja4 t13d_aa_bb;"
#define B "host b.test; c.tls.client.ja4 t13d_aa_bb;"
#define C "host c.test; c.tls.client.ja4 t13d_aa_bb;"

static void test_client(void) {
    begin();
    note(0, BASE_ok, A);
    note(1, BASE_ok, A);
    note(2, BASE_shown, B REFUSED);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_OK, 3, BASE_shown, B), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_REFUSED, 3, BASE_shown, B), 0); // itself
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_REFUSED, 3, BASE_shown, B), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_REFUSED, 3, BASE_shown, C), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_OK, 3, BASE_shown, A), 2);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_OK, 3, BASE_shown, A), 0);
    // Another address, another program, another time
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_OK, 3, BASE_shown, B "c.address 192.0.2.6"), 0);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_OK, 3, BASE_shown, B "c.tls.client.ja4 t13d_cc_bb"),
                    0);
    CU_ASSERT_EQUAL(
        told(F_HISTORY_CLIENT_OTHERS_OK, 3, BASE_shown, B "c.tls.client.ja4 t13d_cc_bb"), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_OK, 603, BASE_shown, B), 0);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_OK, 590, BASE_shown, B), 1);
}

// A program is known by its suites, whatever else its hellos hold.
static void test_program(void) {
    begin();
    note(0, BASE_ok, "host a.test; c.tls.client.ja4 t13d1516h2_aa_bb");
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_OK, 3, BASE_shown,
                         "host b.test; c.tls.client.ja4 t13d1517h1_aa_cc"),
                    1);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLIENT_HOSTS_OK, 3, BASE_shown,
                         "host b.test; c.tls.client.ja4 t13d1516h2_aa_bb; user_agent.original x"),
                    0);
}

static void test_sibling(void) {
    begin();
    note(10, BASE_ok, A);
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_NEAR, 13, BASE_shown, A), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_NEAR, 6, BASE_shown, A), 1); // began before it
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_NEAR, 20, BASE_shown, A), 0);
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_OK, 20, BASE_shown, A), 1);
}

// A connection that is noted as it goes counts once, as what it became, and never for itself.
static void test_again(void) {
    begin();
    struct record *record = make(0, BASE_shown, A REFUSED);
    history_note(history, record->root);
    case_apply(record->root, "c.bytes.data_received 5; c.end.at data; -c.alerts");
    history_note(history, record->root);
    history_note(history, record->root);
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_OK, 1, BASE_shown, A), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_REFUSED, 1, BASE_shown, A), 0);
    history_tell(history, record->root);
    CU_ASSERT_FALSE(obj_has(obj_get(record->root, F_RECORD_HISTORY), F_HISTORY_SAME_OK));
    record_free(record);
}

#define OUT "s.defect expired 0; s.tls.server.not_after 1794000000;"

// What other hosts' leaves say of the proxy's clock; one that is valid for long says nothing.
static void test_clock(void) {
    begin();
    note(0, BASE_shown, "host a.test;" OUT);
    note(1, BASE_shown, "host a.test;" OUT);
    note(2, BASE_shown, "host b.test;" OUT);
    note(3, BASE_ok, "host c.test; s.tls.server.not_before 1700000000");
    CU_ASSERT_EQUAL(told(F_HISTORY_CLOCK_HOSTS_OUT, 4, BASE_shown, "host d.test"), 2);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLOCK_HOSTS_OUT, 4, BASE_shown, "host a.test"), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLOCK_HOSTS_OUT, 4000, BASE_shown, "host d.test"), 0);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLOCK_HOSTS_IN, 4, BASE_shown, "host d.test"), 0);
    note(4, BASE_ok, "host e.test");
    note(5, BASE_ok, "host e.test; s.tls.server.not_before 1790000001");
    note(6, BASE_shown, "host f.test; s.defect unknown-root 1; s.tls.server.not_before 1791000000");
    CU_ASSERT_EQUAL(told(F_HISTORY_CLOCK_HOSTS_IN, 7, BASE_shown, "host d.test"), 2);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLOCK_HOSTS_OUT, 7, BASE_shown, "host d.test"), 0);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLOCK_AFTER, 7, BASE_shown, "host d.test"), 1790000001);
    CU_ASSERT_EQUAL(told(F_HISTORY_CLOCK_AFTER, 7, BASE_shown, "host e.test"), 0);
}

#define LEFT                                                                                       \
    "http.response.status_code 200; s.timing_ms.connect 10; user_agent.original x; c.end.by "      \
    "client; "                                                                                     \
    "c.end.how fin; c.end.at hello; s.end.by client; s.end.how fin; s.end.at connect;"

// A client that leaves before its hello each time; one hello, whatever became of it, ends that.
static void test_silent(void) {
    begin();
    note(0, BASE_request, "host a.test;" LEFT);
    note(1, BASE_request, "host a.test;" LEFT "c.end.how rst");
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_SILENT, 2, BASE_request, "host a.test;" LEFT), 2);
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_SILENT, 2, BASE_request, "host b.test;" LEFT), 0);
    CU_ASSERT_EQUAL(
        told(F_HISTORY_SAME_SILENT, 2, BASE_request, "host a.test;" LEFT "user_agent.original y"),
        0);
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_SILENT, 700, BASE_request, "host a.test;" LEFT), 0);
    note(3, BASE_shown, A "user_agent.original x");
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_SILENT, 4, BASE_request, "host a.test;" LEFT), 0);
}

#define LEAF(leaf, issuer, spki, serial)                                                           \
    "s.chain[0].hash.sha256 " leaf "; s.chain[0].issuer " issuer "; s.chain[0].spki_sha256 " spki  \
    "; s.chain[0].serial " serial ";"

static void test_host(void) {
    begin();
    note(0, BASE_ok, A LEAF("11", "CN=I", "k1", "01"));
    note(1, BASE_ok, A LEAF("11", "CN=I", "k1", "01") "c.address 192.0.2.9");
    static const char stale[] = A LEAF("22", "CN=I", "k2", "02") "s.defect expired 0";
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_GOOD, 5, BASE_shown, stale), 2);
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_LEAVES, 5, BASE_shown, stale), 2);
    CU_ASSERT_EQUAL(told(F_HISTORY_OTHERS_OK, 5, BASE_shown, stale), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_GOOD, 4000, BASE_shown, stale), 0);
    note(6, BASE_shown, stale);
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_BAD, 7, BASE_ok, A LEAF("11", "CN=I", "k1", "01")), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_BAD, 7, BASE_ok, A "port 8443"), 0); // another service
}

// A host that was renewed is sound afterwards; one whose nodes differ goes to and fro.
static void test_alternates(void) {
    static const char stale[] = A LEAF("22", "CN=I", "k2", "02") "s.defect expired 0";
    static const char other[] = A LEAF("33", "CN=I", "k3", "03") "s.defect expired 0";
    static const char fresh[] = A LEAF("11", "CN=I", "k1", "01");
    begin();
    note(0, BASE_ok, fresh);
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_ALTERNATES, 1, BASE_shown, stale), 0);
    note(1, BASE_shown, stale);
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_ALTERNATES, 2, BASE_shown, stale), 0);
    note(3, BASE_ok, fresh);
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_ALTERNATES, 4, BASE_shown, stale), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_ALTERNATES, 4, BASE_shown, other), 0);
    CU_ASSERT_EQUAL(told(F_HISTORY_HOST_ALTERNATES, 4, BASE_ok, fresh), 0);
}

#define BOX(host, leaf, serial)                                                                    \
    "host " host "; s.defect unknown-root 1;" LEAF(leaf, "CN=Box", "kk", serial)

static void test_box(void) {
    begin();
    note(0, BASE_shown, BOX("www.shop.example", "11", "01") "s.address 198.51.100.1");
    note(1, BASE_shown, BOX("api.shop.example", "12", "02") "s.address 198.51.100.2");
    // Names of one domain are one witness, and so is one certificate for two domains.
    CU_ASSERT_EQUAL(told(F_HISTORY_KEY_HOSTS, 2, BASE_shown,
                         BOX("shop.example", "13", "03") "s.address 198.51.100.3"),
                    0);
    CU_ASSERT_EQUAL(
        told(F_HISTORY_ISSUER_HOSTS, 2, BASE_shown, BOX("www.bank.example", "14", "04")), 2);
    CU_ASSERT_EQUAL(told(F_HISTORY_KEY_HOSTS, 2, BASE_shown,
                         BOX("bank.example", "14", "04") "s.address 198.51.100.4"),
                    2);
    // Names inside a company are no strangers.
    CU_ASSERT_EQUAL(told(F_HISTORY_KEY_HOSTS, 2, BASE_shown, BOX("bank.corp", "14", "04")), 0);
    CU_ASSERT_EQUAL(told(F_HISTORY_ISSUER_HOSTS, 2, BASE_shown, BOX("bank", "14", "04")), 0);
    // An issuer that is trusted is none of this.
    CU_ASSERT_EQUAL(told(F_HISTORY_ISSUER_HOSTS, 2, BASE_shown,
                         "host bank.example;" LEAF("14", "CN=Box", "kk", "04")),
                    0);
    CU_ASSERT_EQUAL(told(F_HISTORY_SERIAL_REUSED, 2, BASE_shown, BOX("x.example", "99", "01")), 1);
    CU_ASSERT_EQUAL(told(F_HISTORY_SERIAL_REUSED, 2, BASE_shown, BOX("x.example", "11", "01")), 0);
}

static void test_country_domains(void) {
    begin();
    note(0, BASE_shown, BOX("www.shop.co.uk", "11", "01"));
    CU_ASSERT_EQUAL(told(F_HISTORY_ISSUER_HOSTS, 1, BASE_shown, BOX("bank.co.uk", "12", "02")), 2);
    CU_ASSERT_EQUAL(told(F_HISTORY_ISSUER_HOSTS, 1, BASE_shown, BOX("shop.co.uk", "12", "02")), 0);
}

static void test_hello(void) {
    begin();
    note(0, BASE_ok, A "claim.engine chromium");
    CU_ASSERT_EQUAL(told(F_HISTORY_HELLO_CLIENTS, 1, BASE_ok, A "claim.engine firefox"), 2);
    CU_ASSERT_EQUAL(told(F_HISTORY_HELLO_CLIENTS, 1, BASE_ok, A "claim.engine chromium"), 0);
    CU_ASSERT_EQUAL(told(F_HISTORY_HELLO_CLIENTS, 1, BASE_ok, A), 0);
}

// However much is noted, it takes the same memory, and what is new is known.
static void test_bounded(void) {
    begin();
    for (int i = 0; i < 5000; i++) {
        char lines[128];
        snprintf(lines, sizeof(lines),
                 "host h%d.test; c.address 10.0.%d.%d; c.tls.client.ja4 x_y_z", i % 500,
                 i / 250 % 250, i % 250);
        note(i / 50, BASE_ok, lines);
    }
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_OK, 100, BASE_ok,
                         "host h499.test; c.address 10.0.19.249; c.tls.client.ja4 x_y_z"),
                    1);
}

// A record without time, host or id says nothing, and nothing is told to it.
static void test_nothing(void) {
    begin();
    struct record *record = record_new();
    history_note(history, record->root);
    history_tell(history, record->root);
    CU_ASSERT_FALSE(obj_has(record->root, F_RECORD_HISTORY));
    record_free(record);
    history_free(history);
    history = NULL;
    history_free(NULL);
}

// Verdicts get better as the history grows.
static void test_verdicts(void) {
    static const struct {
        int at;
        enum base base;
        const char *lines, *cause;
    } story[] = {
        {0, BASE_shown, A REFUSED, "proxy-ca-not-installed"},
        {60, BASE_ok, B, "healthy"},
        {61, BASE_ok, C, "healthy"},
        {62, BASE_shown, A REFUSED, "client-pinned"},
        {70, BASE_shown, B "c.end.how fin; c.end.at finished; c.tls.established true",
         "client-abort-speculative"},
    };
    begin();
    for (size_t i = 0; i < ARRAY_LEN(story); i++) {
        struct record *record = make(story[i].at, story[i].base, story[i].lines);
        verdict_decide_within(record->root, history);
        history_note(history, record->root);
        const struct obj *verdict = obj_get(record->root, F_RECORD_VERDICT);
        CU_ASSERT(obj_str_is(verdict, F_VERDICT_CAUSE, story[i].cause));
        record_free(record);
    }
    history_free(history);
    history = NULL;
}

static void *worker(void *arg) {
    struct record *record = arg;
    for (int i = 0; i < 2000; i++) {
        obj_set_int(record->root, F_RECORD_TIMESTAMP, (1795000000LL + i) * 1000);
        history_tell(history, record->root);
        history_note(history, record->root);
    }
    return NULL;
}

// Workers share one history.
static void test_threads(void) {
    enum { WORKERS = 4 };
    pthread_t threads[WORKERS];
    struct record *records[WORKERS];
    begin();
    for (int i = 0; i < WORKERS; i++) {
        records[i] = make(0, BASE_ok, A LEAF("11", "CN=I", "k1", "01"));
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, worker, records[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CU_ASSERT_EQUAL(told(F_HISTORY_SAME_OK, 1999, BASE_shown, A), WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        record_free(records[i]);
    }
}

static void test_cost(void) {
    enum { ROUNDS = 20000 };
    begin();
    struct record *record = make(0, BASE_ok, A LEAF("11", "CN=I", "k1", "01"));
    clock_t spent = clock();
    for (int i = 0; i < ROUNDS; i++) {
        obj_set_int(record->root, F_RECORD_TIMESTAMP, (1795000000LL + i) * 1000);
        history_tell(history, record->root);
        history_note(history, record->root);
    }
    spent = clock() - spent;
    printf("\n  the history of a connection costs %.2f us",
           (double)spent * 1e6 / CLOCKS_PER_SEC / ROUNDS);
    record_free(record);
    history_free(history);
    history = NULL;
}

const struct unit_case unit_cases[] = {
    {"client", test_client},
    {"program", test_program},
    {"sibling", test_sibling},
    {"clock", test_clock},
    {"silent", test_silent},
    {"noted again", test_again},
    {"host", test_host},
    {"alternates", test_alternates},
    {"box", test_box},
    {"country domains", test_country_domains},
    {"hello", test_hello},
    {"bounded", test_bounded},
    {"nothing", test_nothing},
    {"verdicts", test_verdicts},
    {"threads", test_threads},
    {"cost", test_cost},
    {NULL, NULL},
};
