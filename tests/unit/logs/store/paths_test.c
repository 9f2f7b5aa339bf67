#include "logs/store/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void environment(const char *state, const char *home) {
    (void)(state != NULL ? setenv("XDG_STATE_HOME", state, 1) : unsetenv("XDG_STATE_HOME"));
    (void)(home != NULL ? setenv("HOME", home, 1) : unsetenv("HOME"));
}

static void state_is(const char *wanted) {
    struct err err = {0};
    char *path = paths_state("log.ndjson", &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(path);
    CU_ASSERT_STRING_EQUAL(path, wanted);
    free(path);
}

static void test_folders(void) {
    environment("/state", "/folks/me");
    state_is("/state/tlsblame/log.ndjson");
    environment("", "/folks/me");
    state_is("/folks/me/.local/state/tlsblame/log.ndjson");
    environment("relative", "/folks/me");
    state_is("/folks/me/.local/state/tlsblame/log.ndjson");
    environment(NULL, "/folks/me");
    state_is("/folks/me/.local/state/tlsblame/log.ndjson");
    unsetenv("XDG_CONFIG_HOME");
    char *path = paths_config("ca", NULL);
    CU_ASSERT_STRING_EQUAL(path, "/folks/me/.config/tlsblame/ca");
    free(path);
}

static void test_no_folder(void) {
    struct err err = {0};
    environment(NULL, NULL);
    CU_ASSERT_PTR_NULL(paths_state("log.ndjson", &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "XDG_STATE_HOME"));
    environment(NULL, "relative");
    CU_ASSERT_PTR_NULL(paths_state("log.ndjson", &err));
}

static void test_parents_are_made_private(void) {
    char folder[] = "/tmp/paths_test.XXXXXX", path[128];
    struct stat st;
    struct err err = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a/b/log.ndjson", folder);
    umask(0);
    CU_ASSERT(paths_make_parent(path, &err));
    CU_ASSERT(paths_make_parent(path, &err));
    snprintf(path, sizeof(path), "%s/a/b", folder);
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700);
    CU_ASSERT(rmdir(path) == 0);
    snprintf(path, sizeof(path), "%s/a", folder);
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700);
    CU_ASSERT(rmdir(path) == 0 && rmdir(folder) == 0);
}

static void test_parents_that_cannot_be(void) {
    struct err err = {0};
    CU_ASSERT(paths_make_parent("", &err));
    CU_ASSERT(paths_make_parent("log.ndjson", &err));
    CU_ASSERT(paths_make_parent("/log.ndjson", &err));
    CU_ASSERT_FALSE(paths_make_parent("/proc/no/such/log.ndjson", &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cannot make the folder /proc/no"));
}

const struct unit_case unit_cases[] = {
    {"the XDG folders", test_folders},
    {"no folder to be had", test_no_folder},
    {"parents are made private", test_parents_are_made_private},
    {"parents that cannot be made", test_parents_that_cannot_be},
    {NULL, NULL},
};
