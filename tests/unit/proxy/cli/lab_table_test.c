#include "proxy/cli/lab_table.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct lab_scenario scenario = {.name = "one",
                                             .says = "A \"thing\" happens.",
                                             .party = "server",
                                             .cause = "server-cert-expired",
                                             .ruled_out = "tcp-refused"};
static const struct lab_seen right = {.id = "77",
                                      .party = "server",
                                      .cause = "server-cert-expired",
                                      .confidence = "likely",
                                      .says = "It expired.",
                                      .ruled_out = true};
static struct buf text;
static struct page page = {.out = &text, .width = 80};

static bool has(const char *part) {
    buf_reserve(&text, 1)[0] = '\0';
    bool found = strstr((const char *)buf_data(&text), part) != NULL;
    text.len = 0;
    return found;
}

static void test_lines(void) {
    struct lab_seen seen = right;
    buf_init(&text, 64 * 1024);
    lab_table_seen(&page, &scenario, &seen);
    CU_ASSERT_TRUE(
        has("one                  server: server-cert-expired          right, likely\n"));
    seen.ruled_out = false;
    lab_table_seen(&page, &scenario, &seen);
    CU_ASSERT_TRUE(has("WRONG: tcp-refused is not ruled out\n"));
    strcpy(seen.cause, "healthy");
    lab_table_seen(&page, &scenario, &seen);
    CU_ASSERT_TRUE(has("WRONG: server: healthy, likely\n"));
    memset(&seen, 0, sizeof(seen));
    lab_table_seen(&page, &scenario, &seen);
    CU_ASSERT_TRUE(has("WRONG: no record came\n"));
    lab_table_list(&page, &scenario);
    CU_ASSERT_TRUE(has("one                  A \"thing\" happens.\n"));
    buf_cleanup(&text);
}

static void test_end(void) {
    const struct lab_score score = {.played = 3, .right = 2, .seconds = 1.25, .failed_id = "77"};
    buf_init(&text, 64 * 1024);
    lab_table_end(&page, &score, "/x/log.ndjson");
    CU_ASSERT_TRUE(has("  tlsblame show --log /x/log.ndjson 77\n"));
    lab_table_end(&page, &score, NULL);
    CU_ASSERT_TRUE(has("\n2 of 3 verdicts are right, in 1.2 s. To go on:\n  tlsblame lab --keep"));
    buf_cleanup(&text);
}

static void test_json(void) {
    const struct lab_score score = {.played = 3, .right = 2};
    buf_init(&text, 64 * 1024);
    CU_ASSERT_TRUE(lab_table_json(&text, &scenario, &right));
    CU_ASSERT_TRUE(
        has("{\"scenario\":\"one\",\"says\":\"A \\\"thing\\\" happens.\",\"expected\":{\"party\":"
            "\"server\",\"cause\":\"server-cert-expired\"},\"verdict\":{\"party\":\"server\","
            "\"cause\":\"server-cert-expired\",\"confidence\":\"likely\",\"says\":\"It "
            "expired.\"},\"id\":\"77\",\"right\":true}\n"));
    CU_ASSERT_TRUE(lab_table_json(&text, &scenario, NULL));
    CU_ASSERT_FALSE(has("verdict"));
    CU_ASSERT_TRUE(lab_table_json_end(&text, &score));
    CU_ASSERT_TRUE(has("{\"right\":2,\"of\":3,"));
    buf_cleanup(&text);
    buf_init(&text, 40);
    CU_ASSERT_FALSE(lab_table_json(&text, &scenario, &right)); // past the ceiling
    buf_cleanup(&text);
}

const struct unit_case unit_cases[] = {
    {"lines", test_lines},
    {"the end", test_end},
    {"JSON", test_json},
    {NULL, NULL},
};
