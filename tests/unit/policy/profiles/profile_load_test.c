#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/profiles/profile.h"
#include "tests/unit/unit.h"

// Every built-in profile is right, complete, and written as it would be printed.
static void test_builtin(void) {
    bool numbers[47] = {0};
    for (size_t i = 0; i < profile_num_builtin(); i++) {
        struct err err = {0};
        size_t text_len;
        const char *name = profile_builtin_name(i), *text = profile_builtin_text(i, &text_len);
        struct profile *profile = profile_load(name, &err);
        CU_ASSERT_STRING_EQUAL(err.msg, "");
        CU_ASSERT_PTR_NOT_NULL_FATAL(profile);
        CU_ASSERT_STRING_EQUAL(profile->name, name);
        CU_ASSERT_TRUE_FATAL(profile->number >= 1 && profile->number <= 46);
        numbers[profile->number] = true;
        CU_ASSERT_TRUE(profile->line != NULL && strlen(profile->line) <= 75);
        CU_ASSERT_TRUE(profile->story != NULL && profile->sources.num > 0);
        CU_ASSERT_EQUAL(profile->conflicts.num, 0);
        bool symptom = false;
        for (size_t c = 0; c < PROFILE_NUM_CLIENTS; c++) {
            symptom = symptom || profile->symptoms[c] != NULL;
        }
        CU_ASSERT_TRUE(symptom);
        struct buf out;
        buf_init(&out, PROFILE_MAX_LEN);
        CU_ASSERT_TRUE(profile_print(&out, profile));
        bool canonical = out.len == text_len && memcmp(buf_data(&out), text, text_len) == 0;
        if (!canonical) {
            printf("\n%s is not as it would be printed\n", name);
        }
        CU_ASSERT_TRUE(canonical);
        buf_cleanup(&out);
        profile_unref(profile);
    }
    for (size_t i = 1; i < ARRAY_LEN(numbers); i++) {
        CU_ASSERT_TRUE(numbers[i]);
    }
}

static void test_unknown(void) {
    struct err err;
    CU_ASSERT_PTR_NULL(profile_load("sni-rts", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "no profile is called \"sni-rts\", did you mean \"sni-rst\"?; "
                                    "'tlsblame profiles' lists them");
    CU_ASSERT_PTR_NULL(profile_load("qqqqqqqq", &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "a file of your own has a slash in its path"));
    CU_ASSERT_PTR_NULL(profile_load("", &err));
    CU_ASSERT_PTR_NULL(profile_load("sni-rst,", &err));
    CU_ASSERT_PTR_NULL(profile_load("./there-is-no-such-file", &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "./there-is-no-such-file: No such file"));
}

static void test_composition(void) {
    struct err err = {0};
    struct profile *profile = profile_load("panos-2018-tls12-cap,sni-rst,nosni-drop", &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(profile);
    CU_ASSERT_STRING_EQUAL(profile->name, "panos-2018-tls12-cap,sni-rst,nosni-drop");
    CU_ASSERT_EQUAL(profile->number, 0);
    CU_ASSERT_EQUAL(profile->client_leg.max_version, 0x0303);
    CU_ASSERT_EQUAL(profile->mode, PROFILE_TUNNEL);
    CU_ASSERT_EQUAL(profile->num_reactions, 2);
    CU_ASSERT_EQUAL(profile->conflicts.num, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(profile->line, "; "));
    struct buf out;
    buf_init(&out, PROFILE_MAX_LEN);
    CU_ASSERT_TRUE(profile_print(&out, profile));
    struct profile *again = profile_parse("again", (const char *)buf_data(&out), out.len, &err);
    CU_ASSERT_PTR_NOT_NULL(again);
    buf_cleanup(&out);
    profile_unref(again);
    profile_unref(profile);
}

static void test_conflict(void) {
    struct err err = {0};
    struct profile *profile = profile_load("superfish-komodia,panos-2018-tls12-cap", &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(profile);
    CU_ASSERT_EQUAL(profile->client_leg.max_version, 0x0303);
    CU_ASSERT_TRUE(profile->conflicts.num >= 2);
    CU_ASSERT_STRING_EQUAL(
        profile->conflicts.items[0],
        "client_leg.max_version: \"1.1\" gives way to \"1.2\" of panos-2018-tls12-cap");
    profile_unref(profile);
    CU_ASSERT_PTR_NULL(profile_load("sni-rst,sni-rst,sni-rst,sni-rst,sni-rst,sni-rst,sni-rst,"
                                    "sni-rst,sni-rst",
                                    &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "at most 8 profiles"));
}

static void test_file(void) {
    char path[] = "/tmp/profile_load_test.XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    static const char text[] = "{\"name\": \"my-box\", \"cert\": {\"san\": \"none\"}}";
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    char spec[64];
    snprintf(spec, sizeof(spec), "sni-rst,%s", path);
    struct err err = {0};
    struct profile *profile = profile_load(spec, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(profile);
    CU_ASSERT_STRING_EQUAL(profile->name, "sni-rst,my-box");
    CU_ASSERT_EQUAL(profile->cert.san, CERT_KNOB_SAN_NONE);
    CU_ASSERT_EQUAL(profile->num_reactions, 1);
    struct profile *same = profile_ref(profile);
    profile_unref(profile);
    CU_ASSERT_STRING_EQUAL(same->name, "sni-rst,my-box");
    profile_unref(same);
    unlink(path);
}

const struct unit_case unit_cases[] = {
    {"built-in", test_builtin},  {"unknown", test_unknown}, {"composition", test_composition},
    {"conflict", test_conflict}, {"file", test_file},       {NULL, NULL},
};
