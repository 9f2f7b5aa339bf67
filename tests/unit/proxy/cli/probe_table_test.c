#include "proxy/cli/probe_table.h"

#include <string.h>

#include "logs/record/record.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/unit.h"

static struct buf out;
static struct page page;

static void begin(void) {
    buf_init(&out, 64 * 1024);
    page = (struct page){.out = &out, .width = 100};
}

static bool says(const char *text) {
    return memmem(buf_data(&out), out.len, text, strlen(text)) != NULL;
}

static void test_results(void) {
    begin();
    struct record *record = record_new();
    struct obj *experiment = obj_add(record->root, F_RECORD_EXPERIMENTS);
    obj_set_str(experiment, F_EXPERIMENT_PROBE, "no-sni");
    obj_add_str(experiment, F_EXPERIMENT_FACTORS, "server_name=absent", 18);
    obj_set_str(experiment, F_EXPERIMENT_RESULT, "reset");
    struct obj *leg = obj_sub(experiment, F_EXPERIMENT_LEG);
    obj_set_int(leg, F_LEG_MS_CONNECT, 1000);
    obj_set_int(leg, F_LEG_MS_HELLO, 2000);
    obj_set_int(leg, F_LEG_MS_END, 14500);
    obj_set_str(leg, F_LEG_END_BY, "server");
    obj_set_str(leg, F_LEG_END_HOW, "rst");
    probe_table_head(&page);
    probe_table_result(&page, experiment);
    CU_ASSERT_TRUE(says("what came back\nno-sni            server_name=absent"));
    CU_ASSERT_TRUE(says("12.5  reset\n"));
    record_free(record);
    buf_cleanup(&out);
    // Nothing at all was seen of it.
    begin();
    record = record_new();
    probe_table_result(&page, obj_add(record->root, F_RECORD_EXPERIMENTS));
    CU_ASSERT_TRUE(out.len != 0);
    record_free(record);
    buf_cleanup(&out);
}

static void test_plan(void) {
    begin();
    struct hello_keys *keys = hello_keys_new(NULL, NULL);
    struct hello_draft draft;
    const struct probe_pick base = probe_pick_of("base"), plain = probe_pick_of("plain");
    hello_draft_init(&draft);
    hello_shape_make(&draft, hello_shape_find("openssl"), "a.example", keys);
    probe_table_plan_head(&page);
    probe_table_plan(&page, &base, &draft);
    probe_table_plan(&page, &plain, NULL);
    CU_ASSERT_TRUE(says("1r 1s    t13d"));
    CU_ASSERT_TRUE(says("plain             protocol=http"));
    hello_draft_cleanup(&draft);
    hello_keys_free(keys);
    buf_cleanup(&out);
}

const struct unit_case unit_cases[] = {
    {"results", test_results},
    {"plan", test_plan},
    {NULL, NULL},
};
