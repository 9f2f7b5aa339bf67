#include "proxy/cli/explain.h"

#include <string.h>

#include "logs/base/check.h"
#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

#define LOG "--log", "tests/unit/proxy/cli/explain.ndjson"
#define SAMPLES "--log", "tests/unit/logs/view/samples.ndjson"

static struct captured got;

static void run(const char *const *argv) { capture_run(&got, explain_main, argv); }

#define RUN(...) run((const char *const[]){"explain", __VA_ARGS__, NULL})

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static void test_records(void) {
    RUN(LOG, "a8b6d40a92d89220");
    CU_ASSERT(got.status == EXIT_FINDING && begins(got.out, "a.localhost:33869\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "  server: server-cert-expired (certain)\n"));
    // The last one, and the beginning of an id.
    RUN(LOG);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "id dab7ddd6696e04bb\n"));
    RUN(LOG, "29", "--color=always");
    CU_ASSERT(got.status == EXIT_FINDING && begins(got.out, "\x1b[1ma.localhost:38437\x1b[0m\n"));
    RUN(LOG, "29", "--json");
    CU_ASSERT(got.status == EXIT_FINDING && begins(got.out, "{\"id\":\"299e76836ec4442b\","));
    RUN(SAMPLES, "01hv6k2m9q0000000001");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.err, "");
}

static void test_causes(void) {
    RUN("client-pinned");
    CU_ASSERT(got.status == 0 && begins(got.out, "client-pinned\n  The client accepts only"));
    RUN("--json", "client-pinned");
    CU_ASSERT(got.status == 0 && begins(got.out, "{\"cause\":\"client-pinned\","));
    RUN("--list");
    CU_ASSERT(got.status == 0 && begins(got.out, "The server's certificate\n   1 server-cert-exp"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\n 116 quic-only-divergence "));
    RUN("--list", "--json");
    CU_ASSERT(got.status == 0 && begins(got.out, "[{\"cause\":\"server-cert-expired\","));
    CU_ASSERT_EQUAL(got.out[strlen(got.out) - 1], '\n');
    RUN("--help");
    CU_ASSERT(got.status == 0 && begins(got.out, "usage: tlsblame explain "));
}

static void test_unknown(void) {
    RUN("server-cert-expird");
    CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "did you mean \"server-cert-expired\"?"));
    RUN("no-such-cause-at-all");
    CU_ASSERT(got.status == EXIT_USAGE && strstr(got.err, "explain --list") != NULL);
    RUN(LOG, "ffff");
    CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "the log holds no record \"ffff\"\n"));
    RUN("--log", "tests/unit/no-such-log");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
}

static void test_bad_usage(void) {
    static const char *const wrong[][3] = {
        {"--width", "59"}, {"--width", "x"}, {"--color", "red"},
        {"--no-such"},     {"a", "b"},       {"--list", "client-pinned"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        run((const char *const[]){"explain", wrong[i][0], wrong[i][1], NULL});
        CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "'tlsblame explain --help' tells more"));
    }
}

const struct unit_case unit_cases[] = {
    {"records", test_records},
    {"causes", test_causes},
    {"unknown", test_unknown},
    {"bad usage", test_bad_usage},
    {NULL, NULL},
};
