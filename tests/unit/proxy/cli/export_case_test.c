#include "proxy/cli/export_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/verdict/verdict.h"
#include "tests/unit/unit.h"

static const char *const files[] = {"records.ndjson", "capture.pcapng", "policy.json", "run.sh",
                                    "README.md"};

static struct record *some_new(void) {
    struct record *record = record_new();
    obj_set_str(record->root, F_RECORD_ID, "0123456789abcdef");
    obj_set_str(record->root, F_RECORD_MODE, "intercept");
    obj_set_str(record->root, F_RECORD_HOST, "login.secret.example");
    (void)obj_sub(record->root, F_RECORD_LEG_SERVER);
    verdict_decide(record->root);
    return record;
}

// reads returns whether the file `name` of the kit holds `what`.
static bool reads(const char *dir, const char *name, const char *what) {
    char path[128], text[16 * 1024];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    fclose(file);
    return strstr(text, what) != NULL;
}

static void kit_remove(const char *dir) {
    char path[128];
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        CU_ASSERT_EQUAL(unlink(path), 0);
    }
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static void writes(void) {
    char top[] = "/tmp/export_case_XXXXXX", dir[64];
    struct record *record = some_new();
    const struct obj *root = record->root;
    struct err err;
    size_t played = 0;
    struct stat st;
    CHECK(mkdtemp(top) != NULL);
    snprintf(dir, sizeof(dir), "%s/kit/", top);
    CU_ASSERT(export_case_write(dir, &played, &root, 1, false, &err));
    CU_ASSERT(!reads(dir, "records.ndjson", "secret"));
    CU_ASSERT(!reads(dir, "README.md", "secret"));
    CU_ASSERT(reads(dir, "README.md", "What was redacted"));
    CU_ASSERT(reads(dir, "README.md", "cannot be played"));
    CU_ASSERT(reads(dir, "run.sh", "lab --case"));
    CU_ASSERT(!export_case_write(dir, &played, &root, 1, false, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "not empty"));
    kit_remove(dir);
    CU_ASSERT(mkdir(dir, 0700) == 0 && export_case_write(dir, &played, &root, 1, true, &err));
    CU_ASSERT(reads(dir, "records.ndjson", "login.secret.example"));
    CU_ASSERT(stat(dir, &st) == 0 && (st.st_mode & 077) == 0);
    kit_remove(dir);
    CU_ASSERT_EQUAL(rmdir(top), 0); // nothing else was left
    record_free(record);
}

static void refuses(void) {
    struct record *record = some_new();
    const struct obj *root = record->root;
    struct err err;
    size_t played = 0;
    CU_ASSERT(!export_case_write("/proc/none/kit", &played, &root, 1, false, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/proc/none/kit"));
    CU_ASSERT(!export_case_write("/dev/null", &played, &root, 1, false, &err));
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"a kit, and no other in its place", writes},
    {"where it cannot be", refuses},
    {NULL, NULL},
};
