#include "logs/base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char base[32];

static void enter(void) {
    strcpy(base, "/tmp/file_test.XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(base));
    CU_ASSERT_EQUAL_FATAL(chdir(base), 0);
}

// leave removes the files of the folder and returns how many there were.
static int leave(void) {
    int num = 0;
    DIR *dir = opendir(".");
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        num += unlink(entry->d_name) == 0;
    }
    closedir(dir);
    CU_ASSERT_EQUAL_FATAL(chdir("/"), 0);
    CU_ASSERT_EQUAL(rmdir(base), 0);
    return num;
}

static mode_t mode_of(const char *path) {
    struct stat st;
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void expect_text(const char *path, const char *want) {
    char text[64];
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    CU_ASSERT_STRING_EQUAL(text, want);
}

static void test_replace(void) {
    struct err err = {0};
    enter();
    umask(077);
    CU_ASSERT(file_replace("a", 0644, "one", 3, &err));
    CU_ASSERT_EQUAL(mode_of("a"), 0644);
    umask(0);
    CU_ASSERT(file_replace("a", 0600, "two, longer", 11, &err));
    CU_ASSERT_EQUAL(mode_of("a"), 0600);
    umask(022);
    expect_text("a", "two, longer");
    CU_ASSERT(file_replace("a", 0600, NULL, 0, &err));
    expect_text("a", "");
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_EQUAL(leave(), 1);
}

// A reader that has the old file open goes on reading it: the new one is another file.
static void test_replace_leaves_readers_alone(void) {
    struct err err = {0};
    char text[8] = "";
    enter();
    CU_ASSERT(file_replace("a", 0600, "old", 3, &err));
    FILE *reader = fopen("a", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    CU_ASSERT(file_replace("a", 0600, "new", 3, &err));
    CU_ASSERT_EQUAL(fread(text, 1, sizeof(text), reader), 3);
    CU_ASSERT_STRING_EQUAL(text, "old");
    fclose(reader);
    CU_ASSERT_EQUAL(leave(), 1);
}

static void test_replace_fails(void) {
    struct err err = {0};
    enter();
    CU_ASSERT_FALSE(file_replace("nowhere/a", 0600, "x", 1, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "nowhere/a: cannot be made: No such file or directory");
    CU_ASSERT_EQUAL(mkdir("folder", 0700), 0);
    CU_ASSERT_FALSE(file_replace("folder", 0600, "x", 1, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "folder: cannot be written: Is a directory");
    CU_ASSERT_EQUAL(rmdir("folder"), 0);
    CU_ASSERT_EQUAL(leave(), 0);
}

static void test_make_folders(void) {
    struct err err = {0};
    char path[64];
    enter();
    umask(0);
    CU_ASSERT(file_make_folders("a/b//c/", &err));
    CU_ASSERT(file_make_folders("a/b/c", &err));
    umask(022);
    CU_ASSERT_EQUAL(mode_of("a"), 0700);
    CU_ASSERT_EQUAL(mode_of("a/b/c"), 0700);
    snprintf(path, sizeof(path), "%s/d", base);
    CU_ASSERT(file_make_folders(path, &err));
    CU_ASSERT(file_make_folders("/", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_FALSE(file_make_folders("/proc/nowhere/at/all", &err));
    CU_ASSERT_STRING_EQUAL(err.msg,
                           "cannot make the folder /proc/nowhere: No such file or directory");
    CU_ASSERT(rmdir("a/b/c") == 0 && rmdir("a/b") == 0 && rmdir("a") == 0 && rmdir("d") == 0);
    CU_ASSERT_EQUAL(leave(), 0);
}

static void test_a_file_is_no_folder(void) {
    struct err err = {0};
    enter();
    CU_ASSERT(file_replace("a", 0600, "x", 1, &err));
    CU_ASSERT_FALSE(file_make_folders("a/b", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "cannot make the folder a/b: Not a directory");
    CU_ASSERT_EQUAL(leave(), 1);
}

const struct unit_case unit_cases[] = {
    {"replace", test_replace},
    {"replace leaves readers alone", test_replace_leaves_readers_alone},
    {"replace fails", test_replace_fails},
    {"make folders", test_make_folders},
    {"a file is no folder", test_a_file_is_no_folder},
    {NULL, NULL},
};
