#include "proxy/cli/lab_stage.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static char *folder;

static struct lab_stage *begin(void) {
    struct err err;
    signal(SIGPIPE, SIG_IGN);
    folder = pki_folder();
    struct lab_stage *stage = lab_stage_new(folder, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stage);
    return stage;
}

static void end(struct lab_stage *stage) {
    lab_stage_free(stage);
    pki_remove(folder);
}

static struct lab_seen play(struct lab_stage *stage, const struct lab_scenario *scenario) {
    struct lab_seen seen = {0};
    struct err err = {0};
    CU_ASSERT_TRUE(lab_stage_play(stage, scenario, &seen, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    return seen;
}

static void test_right_and_in_the_log(void) {
    struct lab_stage *stage = begin();
    static const char *const names[] = {"healthy", "expired", "refused", "pinned", "box-behind"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct lab_scenario *scenario = lab_scenario_find(names[i]);
        struct lab_seen seen = play(stage, scenario);
        CU_ASSERT_STRING_EQUAL(seen.cause, scenario->cause);
        CU_ASSERT_TRUE(lab_seen_right(&seen, scenario));
        CU_ASSERT_EQUAL(pki_run("grep -q %s '%s'", seen.id, lab_stage_log(stage)), 0);
    }
    end(stage);
}

static void test_wrong(void) {
    struct lab_stage *stage = begin();
    struct lab_scenario wrong = *lab_scenario_find("healthy");
    wrong.cause = "server-cert-expired";
    struct lab_seen seen = play(stage, &wrong);
    CU_ASSERT_STRING_EQUAL(seen.cause, "healthy");
    CU_ASSERT_FALSE(lab_seen_right(&seen, &wrong));
    wrong = *lab_scenario_find("expired");
    wrong.ruled_out = "dns-failure"; // not a cause that was considered
    seen = play(stage, &wrong);
    CU_ASSERT_STRING_EQUAL(seen.cause, "server-cert-expired");
    CU_ASSERT_FALSE(lab_seen_right(&seen, &wrong));
    end(stage);
}

static void test_cannot_start(void) {
    struct lab_stage *stage = begin();
    struct lab_scenario bad = *lab_scenario_find("box-behind");
    struct lab_seen seen;
    struct err err = {0};
    bad.behind = "no-such-box";
    CU_ASSERT_FALSE(lab_stage_play(stage, &bad, &seen, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no-such-box"));
    CU_ASSERT_PTR_NULL(lab_stage_new("/no/such/folder", &err));
    end(stage);
    lab_stage_free(NULL);
}

const struct unit_case unit_cases[] = {
    {"right, and in the log", test_right_and_in_the_log},
    {"wrong", test_wrong},
    {"what cannot be started", test_cannot_start},
    {NULL, NULL},
};
