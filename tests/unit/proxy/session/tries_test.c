#include "proxy/session/tries.h"

#include <stdio.h>
#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

#define SECOND INT64_C(1000000)

static const uint8_t one[16] = {1}, two[16] = {2};
static enum leaf_form forms[] = {LEAF_FORM_SHA384, LEAF_FORM_RSA};
static const struct retry_policy tunnel = {.tunnel = true}, leaf = {.forms = forms, .num_forms = 2},
                                 both = {.tunnel = true, .forms = forms, .num_forms = 2},
                                 canary = {.canary = true}, never = {.tunnel = false};

static struct tries_key key_of(const uint8_t *ip, const char *host) {
    return tries_key_make(ip, "curl/8", "t13d1516h2_8daaf6152771_e5627efa2ab1", host, 443);
}

static struct record *connection(const char *id) {
    struct record *record = record_new();
    obj_set_str(record->root, F_RECORD_ID, id);
    struct obj *client = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    obj_set_str(client, F_LEG_END_BY, "client");
    obj_set_int(obj_add(client, F_LEG_ALERTS), F_ALERT_CODE, 48);
    return record;
}

static void refuse(struct tries *tries, const struct tries_key *key, int64_t now_us) {
    struct record *record = connection("first");
    tries_refused(tries, key, record->root, "alert", now_us);
    record_free(record);
}

// is_next asks what comes next, and whether it is that.
static bool is_next(struct tries *tries, const struct tries_key *key,
                    const struct retry_policy *policy, const char *name, int64_t now_us) {
    char is[TRY_NAME_MAX];
    const struct try try = tries_begin(tries, key, policy, now_us);
    try_name(is, &try);
    if (strcmp(is, name) != 0) {
        printf("\n  %s, not %s", is, name);
    }
    return strcmp(is, name) == 0;
}

// goes ends the try `name`, and returns how many experiments the record of the refusal has then.
static size_t goes(struct tries *tries, const struct tries_key *key,
                   const struct retry_policy *policy, const char *name, const char *result,
                   int64_t now_us) {
    char is[TRY_NAME_MAX];
    const struct try try = tries_begin(tries, key, policy, now_us);
    CU_ASSERT_STRING_EQUAL(try_name(is, &try), name);
    struct record *record = connection("later");
    struct record *first = tries_end(tries, key, &try, result, record->root, now_us);
    size_t num = first != NULL ? obj_num(first->root, F_RECORD_EXPERIMENTS) : 0;
    if (num != 0) {
        const struct obj *last = obj_at(first->root, F_RECORD_EXPERIMENTS, num - 1);
        CU_ASSERT(obj_str_is(first->root, F_RECORD_ID, "first"));
        CU_ASSERT(obj_str_is(last, F_EXPERIMENT_PROBE, name));
        CU_ASSERT(obj_str_is(last, F_EXPERIMENT_RESULT, result));
        CU_ASSERT(obj_str_is(last, F_EXPERIMENT_CONNECTION, "later"));
        CU_ASSERT_EQUAL(obj_num(obj_get(last, F_EXPERIMENT_LEG), F_LEG_ALERTS), 1);
        CU_ASSERT_EQUAL(obj_num(record->root, F_RECORD_EXPERIMENTS), num);
    }
    record_free(first);
    record_free(record);
    return num;
}

static void test_tunnel(void) {
    struct tries *tries = tries_new();
    struct tries_key a = key_of(one, "a.test"), b = key_of(one, "b.test"),
                     c = key_of(two, "a.test");
    CU_ASSERT(is_next(tries, &a, &both, "client-leaf", 0));
    refuse(tries, &a, 0);
    CU_ASSERT(is_next(tries, &a, &never, "client-leaf", 1));
    CU_ASSERT(is_next(tries, &b, &both, "client-leaf", 1));
    CU_ASSERT(is_next(tries, &c, &both, "client-leaf", 1));
    CU_ASSERT_EQUAL(goes(tries, &a, &tunnel, "client-tunnel", "answered", 1), 2);
    CU_ASSERT_EQUAL(goes(tries, &a, &tunnel, "client-tunnel", "answered", 2), 3);
    // What is known well enough is not told again, and the client still gets it.
    CU_ASSERT_EQUAL(goes(tries, &a, &tunnel, "client-tunnel", "answered", 3), 0);
    // After the window it begins anew.
    CU_ASSERT(is_next(tries, &a, &tunnel, "client-leaf", (TRIES_WINDOW_S + 1) * SECOND));
    tries_unref(tries);
}

// A series lives as long as anybody knows of it.
static void test_references(void) {
    struct tries *tries = tries_new(), *same = tries_ref(tries);
    struct tries_key a = key_of(one, "a.test");
    CU_ASSERT_PTR_EQUAL(same, tries);
    refuse(tries, &a, 0);
    tries_unref(tries);
    CU_ASSERT_EQUAL(tries_num(same), 1);
    CU_ASSERT(is_next(same, &a, &tunnel, "client-tunnel", 1));
    tries_unref(same);
    tries_unref(NULL);
}

static void test_tunnel_fails(void) {
    struct tries *tries = tries_new();
    struct tries_key a = key_of(one, "a.test");
    refuse(tries, &a, 0);
    CU_ASSERT_EQUAL(goes(tries, &a, &both, "client-tunnel", "closed", 1), 2);
    CU_ASSERT(is_next(tries, &a, &both, "client-leaf", 2)); // it is not the certificate
    tries_unref(tries);
}

static void test_forms(void) {
    struct tries *tries = tries_new();
    struct tries_key a = key_of(one, "a.test"), b = key_of(one, "b.test");
    refuse(tries, &a, 0);
    CU_ASSERT_EQUAL(goes(tries, &a, &both, "client-tunnel", "answered", 1), 2);
    CU_ASSERT_EQUAL(goes(tries, &a, &both, "client-leaf=sha384", "alert", 1), 3);
    CU_ASSERT_EQUAL(goes(tries, &a, &both, "client-leaf=rsa", "answered", 1), 4);
    CU_ASSERT_EQUAL(goes(tries, &a, &both, "client-leaf=rsa", "answered", 1), 5);
    CU_ASSERT_EQUAL(goes(tries, &a, &both, "client-leaf=rsa", "answered", 1), 0);

    refuse(tries, &b, 0);
    CU_ASSERT_EQUAL(goes(tries, &b, &leaf, "client-leaf=sha384", "alert", 1), 2);
    CU_ASSERT_EQUAL(goes(tries, &b, &leaf, "client-leaf=rsa", "alert", 1), 3);
    CU_ASSERT(is_next(tries, &b, &leaf, "client-leaf", 1));
    // The tunnel is left.
    CU_ASSERT_EQUAL(goes(tries, &b, &both, "client-tunnel", "answered", 1), 4);
    tries_unref(tries);
}

static void test_drop(void) {
    struct tries *tries = tries_new();
    struct tries_key a = key_of(one, "a.test");
    refuse(tries, &a, 0);
    struct try try = tries_begin(tries, &a, &leaf, 1);
    tries_drop(tries, &a, &try, true);
    CU_ASSERT_EQUAL(goes(tries, &a, &leaf, "client-leaf=rsa", "alert", 1), 2);
    CU_ASSERT(is_next(tries, &a, &leaf, "client-leaf", 1));

    // What never tells anything is left alone.
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(goes(tries, &a, &both, "client-tunnel", NULL, 2), 0);
    }
    CU_ASSERT(is_next(tries, &a, &both, "client-leaf", 2));
    tries_unref(tries);
}

static void test_told(void) {
    struct tries *tries = tries_new();
    struct tries_key a = key_of(one, "a.test"), b = key_of(one, "b.test");
    struct record *record = record_new();
    struct obj *verdict = obj_sub(record->root, F_RECORD_VERDICT);
    refuse(tries, &a, 0);
    obj_set_str(verdict, F_VERDICT_CAUSE, "client-pinned");
    CU_ASSERT(tries_told(tries, &a, verdict) && !tries_told(tries, &a, verdict));
    CU_ASSERT(tries_told(tries, &b, verdict)); // it is not remembered any more
    obj_set_str(verdict, F_VERDICT_CONFIDENCE, "certain");
    CU_ASSERT(tries_told(tries, &a, verdict));
    CU_ASSERT(tries_told(tries, &a, NULL));
    record_free(record);
    tries_unref(tries);
}

// One experiment at a time.
static void test_busy(void) {
    struct tries *tries = tries_new();
    struct tries_key a = key_of(one, "a.test");
    refuse(tries, &a, 0);
    CU_ASSERT(is_next(tries, &a, &both, "client-tunnel", 1));
    CU_ASSERT(is_next(tries, &a, &both, "client-leaf", 2));
    refuse(tries, &a, 3); // a connection beside it does not disturb
    CU_ASSERT(is_next(tries, &a, &both, "client-leaf", 3));
    CU_ASSERT(is_next(tries, &a, &both, "client-tunnel", 61 * SECOND)); // it is lost
    tries_unref(tries);
}

static void test_worked(void) {
    struct tries *tries = tries_new();
    struct tries_key a = key_of(one, "a.test");
    refuse(tries, &a, 0);
    tries_worked(tries, &a, false, 1);
    CU_ASSERT(is_next(tries, &a, &both, "client-leaf", 2));
    CU_ASSERT_EQUAL(tries_num(tries), 0);
    tries_unref(tries);
}

static void test_canary(void) {
    struct tries *tries = tries_new();
    struct tries_key a = key_of(one, "a.test"), b = key_of(one, "b.test"),
                     c = key_of(two, "a.test");
    CU_ASSERT(is_next(tries, &a, &canary, "client-leaf", 0));
    tries_worked(tries, &a, true, 1);
    CU_ASSERT(is_next(tries, &b, &tunnel, "client-leaf", 2)); // not where policy is against it
    CU_ASSERT(is_next(tries, &c, &canary, "client-leaf", 2));
    CU_ASSERT_EQUAL(goes(tries, &b, &canary, "canary=untrusted", "alert", 2), 0);
    tries_worked(tries, &a, true, 3);
    CU_ASSERT(is_next(tries, &a, &canary, "canary=wrong-name", 3));
    CU_ASSERT(is_next(tries, &b, &canary, "client-leaf", 4));
    CU_ASSERT(is_next(tries, &b, &canary, "client-leaf", 70 * SECOND)); // each one once
    CU_ASSERT(is_next(tries, &a, &canary, "client-leaf", (TRIES_CANARY_S + 2) * SECOND));
    tries_worked(tries, &a, true, (TRIES_CANARY_S + 3) * SECOND);
    CU_ASSERT(is_next(tries, &a, &canary, "canary=untrusted", (TRIES_CANARY_S + 4) * SECOND));
    tries_unref(tries);
}

static void test_canary_record(void) {
    struct tries *tries = tries_new();
    struct tries_key a = key_of(one, "a.test");
    tries_worked(tries, &a, true, 0);
    struct try try = tries_begin(tries, &a, &canary, 1);
    struct record *record = connection("canary");
    CU_ASSERT_PTR_NULL(tries_end(tries, &a, &try, "answered", record->root, 2));
    CU_ASSERT_EQUAL_FATAL(obj_num(record->root, F_RECORD_EXPERIMENTS), 1);
    const struct obj *run = obj_at(record->root, F_RECORD_EXPERIMENTS, 0);
    CU_ASSERT(obj_str_is(run, F_EXPERIMENT_PROBE, "canary=untrusted"));
    CU_ASSERT(obj_str_is(run, F_EXPERIMENT_RESULT, "answered"));
    record_free(record);
    tries_unref(tries);
}

// Somebody who refuses thousands of hosts takes no room from others, and not more of it himself.
static void test_ceilings(void) {
    struct tries *tries = tries_new();
    struct tries_key honest = key_of(one, "a.test");
    refuse(tries, &honest, 0);
    for (int i = 1; i <= 5000; i++) {
        char host[32];
        snprintf(host, sizeof(host), "%d.test", i);
        struct tries_key key = key_of(two, host);
        refuse(tries, &key, i);
    }
    CU_ASSERT_EQUAL(tries_num(tries), TRIES_OF_ADDRESS + 1);
    CU_ASSERT(is_next(tries, &honest, &both, "client-tunnel", 6000));
    for (int i = 1; i <= 5000; i++) { // from as many addresses
        uint8_t ip[16] = {3, (uint8_t)(i >> 8), (uint8_t)i};
        struct tries_key key = key_of(ip, "a.test");
        refuse(tries, &key, 10000 + i);
    }
    CU_ASSERT_EQUAL(tries_num(tries), TRIES_MAX);
    tries_unref(tries);
}

static void test_keys(void) {
    struct tries_key a = tries_key_make(one, "x", "t13d1516h2_aaaa_bbbb", "a.test", 443);
    struct tries_key same = tries_key_make(one, "x", "t13d1517h1_aaaa_cccc", "a.test", 443);
    struct tries_key other = tries_key_make(one, "x", "t13d1516h2_dddd_bbbb", "a.test", 443);
    struct tries_key agent = tries_key_make(one, "y", "t13d1516h2_aaaa_bbbb", "a.test", 443);
    struct tries_key port = tries_key_make(one, "x", "t13d1516h2_aaaa_bbbb", "a.test", 444);
    struct tries_key none = tries_key_make(one, NULL, NULL, "a.test", 443);
    struct tries_key odd = tries_key_make(one, NULL, "no parts", "a.test", 443);
    CU_ASSERT(a.series == same.series && a.client == same.client);
    CU_ASSERT(a.client != other.client && a.client != agent.client && a.series != agent.series);
    CU_ASSERT(a.client == port.client && a.series != port.series);
    CU_ASSERT(none.series == odd.series && none.address == a.address);
}

const struct unit_case unit_cases[] = {
    {"references", test_references},
    {"tunnel", test_tunnel},
    {"tunnel fails", test_tunnel_fails},
    {"forms", test_forms},
    {"drop", test_drop},
    {"busy", test_busy},
    {"worked", test_worked},
    {"canary", test_canary},
    {"a canary's record", test_canary_record},
    {"told", test_told},
    {"keys", test_keys},
    {"ceilings", test_ceilings},
    {NULL, NULL},
};
