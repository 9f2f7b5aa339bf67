#include "proxy/probe/library_outcome.h"

#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/unit.h"

static struct record *record;
static struct obj *experiment, *leg;

static void begin(void) {
    record = record_new();
    experiment = obj_add(record->root, F_RECORD_EXPERIMENTS);
    leg = obj_sub(experiment, F_EXPERIMENT_LEG);
}

static void check_cert(const struct library_facts *facts, const char *head, const char *word) {
    library_outcome_cert(experiment, facts, (struct span){(const uint8_t *)head, strlen(head)});
    const char *got = obj_str(experiment, F_EXPERIMENT_CLIENT_CERT);
    CU_ASSERT_STRING_EQUAL(got != NULL ? got : "nothing", word);
    record_free(record);
    begin();
}

#define HEAD(status) "HTTP/1.1 " status " x\r\nServer: x\r\n\r\n"

static void test_cert(void) {
    const struct library_facts none = {0}, plain = {.established = true},
                               empty = {.established = true, .certificate_asked = true};
    struct library_facts shown = empty, alerted = empty;
    begin();
    check_cert(&none, "", "nothing");
    check_cert(&plain, HEAD("200"), "not-asked");
    check_cert(&empty, HEAD("200"), "not-needed");
    check_cert(&empty, "", "not-needed");
    shown.certificate_shown = true;
    check_cert(&shown, HEAD("200"), "accepted");
    check_cert(&shown, HEAD("302"), "accepted");
    check_cert(&shown, HEAD("404"), "unclear");
    check_cert(&shown, HEAD("403"), "unclear");
    check_cert(&shown, HEAD("400"), "unclear");
    check_cert(&shown, HEAD("400") "<h1>The SSL certificate error</h1>", "refused");
    check_cert(&empty, HEAD("400") "<h1>No required SSL certificate was sent</h1>", "needed");
    check_cert(&empty, HEAD("496"), "needed");
    alerted.has_alert = true;
    alerted.alert = 116;
    check_cert(&alerted, "", "needed");
    alerted.established = false;
    alerted.alert = 40;
    check_cert(&alerted, "", "needed");
    alerted.alert = 50;
    check_cert(&alerted, "", "needed");
    alerted.certificate_shown = true;
    check_cert(&alerted, "", "unclear");
    alerted.alert = 48;
    check_cert(&alerted, "", "refused");
    alerted.alert = 80; // its own trouble
    check_cert(&alerted, "", "unclear");
    shown.unsuitable = true;
    check_cert(&shown, "", "unsuitable");
    // Who leaves without a word.
    obj_set_str(leg, F_LEG_END_BY, "server");
    obj_set_str(leg, F_LEG_END_HOW, "fin");
    check_cert(&empty, "", "unclear");
    obj_set_str(leg, F_LEG_END_BY, "server");
    obj_set_str(leg, F_LEG_END_HOW, "timeout");
    check_cert(&empty, "", "not-needed");
    record_free(record);
}

static void test_status(void) {
    const struct library_facts plain = {.established = true};
    const char *head = HEAD("404");
    begin();
    library_outcome_cert(experiment, &plain, (struct span){(const uint8_t *)head, strlen(head)});
    CU_ASSERT(obj_is(experiment, F_EXPERIMENT_STATUS, 404));
    record_free(record);
}

static void check_ech(const struct library_facts *facts, bool proven, const char *word) {
    begin();
    obj_set_str(leg, F_LEG_SERVER_NAME, "public.example");
    obj_set_int(obj_sub(leg, F_LEG_VERIFICATION), F_VERIFICATION_OK, proven);
    library_outcome_ech(experiment, facts);
    CU_ASSERT(obj_str_is(experiment, F_EXPERIMENT_ECH_NAME, "public.example"));
    const char *got = obj_str(experiment, F_EXPERIMENT_ECH);
    CU_ASSERT_STRING_EQUAL(got != NULL ? got : "nothing", word);
    CU_ASSERT_EQUAL(obj_has(experiment, F_EXPERIMENT_ECH_RETRY), facts->retry != NULL);
    record_free(record);
}

static void test_ech(void) {
    const struct library_facts none = {.ech = LIBRARY_ECH_NONE},
                               accepted = {.ech = LIBRARY_ECH_ACCEPTED, .established = true},
                               disabled = {.ech = LIBRARY_ECH_REJECTED},
                               rejected = {.ech = LIBRARY_ECH_REJECTED,
                                           .retry = (const uint8_t *)"xy",
                                           .retry_len = 2};
    check_ech(&none, false, "nothing");
    check_ech(&accepted, true, "accepted");
    check_ech(&disabled, true, "disabled");
    check_ech(&disabled, false, "unproven");
    check_ech(&rejected, true, "rejected");
    check_ech(&rejected, false, "unproven");
}

const struct unit_case unit_cases[] = {
    {"client certificates", test_cert},
    {"the status", test_status},
    {"ECH", test_ech},
    {NULL, NULL},
};
