#include "proxy/cli/export_output.h"

#include "tests/unit/unit.h"

static void test_endings(void) {
    static const struct {
        const char *path;
        enum export_format format;
    } rows[] = {
        {"a.pcapng", EXPORT_PCAPNG}, {"/x.y/b.NTAR", EXPORT_PCAPNG}, {"a.keylog", EXPORT_KEYLOG},
        {"a.keys", EXPORT_KEYLOG},   {"keys.txt", EXPORT_KEYLOG},    {"sslkey.log", EXPORT_KEYLOG},
        {"a.json", EXPORT_JSON},     {"a.jsonl", EXPORT_JSON},       {"a.pcap.ndjson", EXPORT_JSON},
    };
    static const char *const none[] = {"a.pcap", "a", "", ".json", "json", "a.json/b", "-"};
    enum export_format format;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT_TRUE(export_format_of(&format, rows[i].path));
        CU_ASSERT_EQUAL(format, rows[i].format);
    }
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        CU_ASSERT_FALSE(export_format_of(&format, none[i]));
    }
}

static void test_spares_the_log(void) {
    struct err err;
    const struct export_output output = {.paths = {[EXPORT_JSON] = "/dev/./null"}};
    CU_ASSERT_FALSE(export_output_spares(&output, "/dev/null", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "/dev/./null is the log that is being read");
    CU_ASSERT_TRUE(export_output_spares(&output, "/dev/zero", &err));
    CU_ASSERT_TRUE(export_output_spares(&output, "/no/such", &err));
}

const struct unit_case unit_cases[] = {
    {"endings", test_endings},
    {"spares the log", test_spares_the_log},
    {NULL, NULL},
};
