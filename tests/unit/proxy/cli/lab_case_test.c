#include "proxy/cli/lab_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/tls/hello_shape.h"
#include "tests/unit/unit.h"

// base_new is a record of a client that refuses a server's expired certificate.
static struct record *base_new(void) {
    struct record *record = record_new();
    struct obj *root = record->root, *verdict = obj_sub(root, F_RECORD_VERDICT);
    struct obj *client = obj_sub(root, F_RECORD_LEG_CLIENT);
    struct obj *server = obj_sub(root, F_RECORD_LEG_SERVER);
    obj_set_str(root, F_RECORD_ID, "0123456789abcdef");
    obj_set_str(root, F_RECORD_MODE, "intercept");
    obj_set_str(root, F_RECORD_USER_AGENT, "curl/8.0");
    obj_set_str(verdict, F_VERDICT_PARTY, "server");
    obj_set_str(verdict, F_VERDICT_CAUSE, "server-cert-expired");
    struct obj *alert = obj_add(client, F_LEG_ALERTS);
    obj_set_str(alert, F_ALERT_FROM, "client");
    obj_set_str(alert, F_ALERT_LEVEL, "fatal");
    obj_set_int(alert, F_ALERT_CODE, 45);
    obj_set_int(server, F_LEG_ANSWER_VERSION, 0x0303);
    struct obj *verification = obj_sub(server, F_LEG_VERIFICATION);
    obj_set_int(verification, F_VERIFICATION_OK, 0);
    struct obj *defect = obj_add(verification, F_VERIFICATION_DEFECTS);
    obj_set_str(defect, F_DEFECT_ID, "expired");
    obj_set_int(defect, F_DEFECT_FATAL, 1);

    struct hello_keys *keys = hello_keys_new(NULL, NULL);
    struct hello_draft draft;
    struct buf wire;
    struct err err;
    hello_draft_init(&draft);
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    hello_shape_make(&draft, hello_shape_find("openssl"), "a.test", keys);
    CHECK(hello_draft_wire(&draft, &wire, NULL, &err));
    obj_set_bytes(client, F_LEG_OFFER_RAW, buf_data(&wire), wire.len);
    buf_cleanup(&wire);
    hello_draft_cleanup(&draft);
    hello_keys_free(keys);
    return record;
}

static void expired(void) {
    struct record *record = base_new();
    struct lab_case got;
    struct err err;
    CU_ASSERT(lab_case_init(&got, record->root, NULL, &err));
    CU_ASSERT_EQUAL(got.scenario.server.service, LAB_SERVICE_TLS);
    CU_ASSERT_EQUAL(got.scenario.server.cert, LAB_CERT_EXPIRED);
    CU_ASSERT_EQUAL(got.scenario.server.max, 0x0303);
    CU_ASSERT_EQUAL(got.scenario.client.alert, 45);
    CU_ASSERT_PTR_EQUAL(got.scenario.client.hello, &got.hello);
    CU_ASSERT_STRING_EQUAL(got.scenario.client.agent, "curl/8.0");
    CU_ASSERT_STRING_EQUAL(got.scenario.cause, "server-cert-expired");
    CU_ASSERT_EQUAL(got.scenario.times, 1);
    lab_case_cleanup(&got);
    record_free(record);
}

// What a server did that gave no answer.
static void silent(void) {
    static const struct {
        enum field field;
        const char *value;
        enum lab_service service;
    } rows[] = {
        {F_LEG_END_HOW, "rst", LAB_SERVICE_RESETS},
        {F_LEG_END_HOW, "fin", LAB_SERVICE_CLOSES},
        {F_LEG_END_HOW, "timeout", LAB_SERVICE_SILENT},
        {F_LEG_END_HOW, "dns", LAB_SERVICE_NOWHERE},
        {F_LEG_END_HOW, "refused", LAB_SERVICE_REFUSED},
        {F_LEG_END_BY, "client", LAB_SERVICE_SILENT},
        {F_LEG_ANSWER_FIRST_KIND, "http answer", LAB_SERVICE_HTTP},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record *record = base_new();
        struct obj *server = record_leg(record->root, true);
        struct lab_case got;
        struct err err;
        obj_unset(server, F_LEG_ANSWER_VERSION);
        obj_set_str(server, rows[i].field, rows[i].value);
        CU_ASSERT(lab_case_init(&got, record->root, NULL, &err));
        CU_ASSERT_EQUAL(got.scenario.server.service, rows[i].service);
        lab_case_cleanup(&got);
        record_free(record);
    }
}

static void alerts(void) {
    struct record *record = base_new();
    struct obj *server = record_leg(record->root, true);
    struct obj *alert = obj_add(server, F_LEG_ALERTS);
    struct lab_case got;
    struct err err;
    obj_unset(server, F_LEG_ANSWER_VERSION);
    obj_set_str(alert, F_ALERT_FROM, "server");
    obj_set_str(alert, F_ALERT_LEVEL, "fatal");
    obj_set_int(alert, F_ALERT_CODE, 40);
    CU_ASSERT(lab_case_init(&got, record->root, NULL, &err));
    CU_ASSERT_EQUAL(got.scenario.server.service, LAB_SERVICE_ALERTS);
    CU_ASSERT_EQUAL(got.scenario.server.alert, 40);
    lab_case_cleanup(&got);
    record_free(record);
}

static void refuses(const struct record *record, const char *says) {
    struct lab_case got;
    struct err err;
    CU_ASSERT(!lab_case_init(&got, record->root, NULL, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, says));
    lab_case_cleanup(&got);
}

static void refusals(void) {
    struct record *record = base_new();
    obj_set_str(record->root, F_RECORD_MODE, "plain");
    refuses(record, "nothing of TLS");
    obj_set_str(record->root, F_RECORD_MODE, "intercept");
    obj_set_str(record->root, F_RECORD_EMULATION_PROFILE, "mine");
    refuses(record, "profile");
    obj_unset(record->root, F_RECORD_EMULATION_PROFILE);
    obj_set_str(obj_get(record->root, F_RECORD_VERDICT), F_VERDICT_PARTY, "box-behind");
    refuses(record, "no built-in profile");
    (void)obj_add(record->root, F_RECORD_EXPERIMENTS);
    refuses(record, "experiments");
    obj_set_str(obj_get(record->root, F_RECORD_VERDICT), F_VERDICT_PARTY, "server");
    obj_set_bytes(record_leg(record->root, false), F_LEG_OFFER_RAW, "\x16\x03", 2);
    refuses(record, "");
    obj_set_str(record->root, F_RECORD_PARENT_FAILURE, "refused");
    refuses(record, "parent proxy led nowhere (refused)");
    obj_unset(record->root, F_RECORD_VERDICT);
    refuses(record, "no verdict");
    record_free(record);
}

// Who else stood on the way: a parent proxy, a box behind, or ours as one that only watches.
static void ways(void) {
    static const struct lab_case_files files = {.behind = "behind.json"};
    struct record *record = base_new();
    struct obj *verdict = obj_get(record->root, F_RECORD_VERDICT);
    struct lab_case got;
    struct err err;
    obj_set_str(record->root, F_RECORD_PARENT_HOST, "192.0.2.1");
    CU_ASSERT(lab_case_init(&got, record->root, NULL, &err));
    CU_ASSERT(got.scenario.through_parent && !got.scenario.watched);
    lab_case_cleanup(&got);
    obj_set_str(record->root, F_RECORD_MODE, "tunnel");
    obj_set_int(record_leg(record->root, false), F_LEG_ANSWER_VERSION, 0x0303);
    CU_ASSERT(lab_case_init(&got, record->root, NULL, &err));
    CU_ASSERT(got.scenario.watched);
    lab_case_cleanup(&got);
    obj_set_str(record->root, F_RECORD_MODE, "intercept");
    obj_set_str(verdict, F_VERDICT_PARTY, "box-behind");
    obj_set_str(verdict, F_VERDICT_CAUSE, "blockpage-cert");
    CU_ASSERT_STRING_EQUAL(lab_case_behind(record->root), "captive-portal");
    CU_ASSERT(lab_case_init(&got, record->root, &files, &err));
    CU_ASSERT_STRING_EQUAL(got.scenario.behind, "behind.json");
    lab_case_cleanup(&got);
    obj_set_str(verdict, F_VERDICT_CAUSE, "mitm-behind-untrusted");
    CU_ASSERT_PTR_NULL(lab_case_behind(record->root));
    obj_add_bytes(record_leg(record->root, true), F_LEG_CERTIFICATE_CHAIN, "\x30", 1);
    CU_ASSERT_STRING_EQUAL(lab_case_behind(record->root), "");
    record_free(record);
}

static void folders(void) {
    char dir[] = "/tmp/lab_case_XXXXXX", path[64];
    struct err err;
    CHECK(mkdtemp(dir) != NULL);
    CU_ASSERT_PTR_NULL(lab_cases_read(dir, &err));
    snprintf(path, sizeof(path), "%s/records.ndjson", dir);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fclose(file);
    CU_ASSERT_PTR_NULL(lab_cases_read(dir, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no record"));
    unlink(path);
    rmdir(dir);
    lab_cases_free(NULL);
}

const struct unit_case unit_cases[] = {
    {"an expired certificate", expired},
    {"servers that give no answer", silent},
    {"servers that send an alert", alerts},
    {"what cannot be played", refusals},
    {"ways", ways},
    {"folders", folders},
    {NULL, NULL},
};
