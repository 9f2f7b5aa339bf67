#include "proxy/cli/bundle.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/ca/trust.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static char folder[32];

static void enter_folder(void) {
    strcpy(folder, "/tmp/bundle_test.XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
}

// leave_folder returns how many files were left behind, and removes them.
static int leave_folder(void) {
    int num = 0;
    DIR *dir = opendir(".");
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        num += unlink(entry->d_name) == 0;
    }
    closedir(dir);
    CU_ASSERT_EQUAL_FATAL(chdir("/"), 0);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
    return num;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static size_t read_file(const char *path, char *out, size_t size) {
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t len = fread(out, 1, size - 1, file);
    out[len] = '\0';
    fclose(file);
    return len;
}

static void test_write(void) {
    // clang-format off
    static const struct { const char *roots, *want; } CASES[] = {
        {"roots\n", "roots\nca\n"},
        {"roots", "roots\nca\n"},
        {"", "ca\n"},
        {"roots\nca\n", "roots\nca\n"},
        {"ca\nroots\n", "ca\nroots\n"},
    };
    // clang-format on
    enter_folder();
    umask(077);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct err err = {0};
        char text[1024];
        write_file("roots", CASES[i].roots);
        CU_ASSERT(bundle_write("bundle", "roots", "ca\n", &err));
        CU_ASSERT_STRING_EQUAL(err.msg, "");
        read_file("bundle", text, sizeof(text));
        CU_ASSERT_STRING_EQUAL(text, CASES[i].want);
        struct stat st;
        CU_ASSERT_EQUAL(stat("bundle", &st), 0);
        CU_ASSERT_EQUAL(st.st_mode & 07777, 0644);
    }
    umask(022);
    struct err err = {0};
    char text[1024];
    CU_ASSERT(bundle_write("bundle", NULL, "ca\n", &err));
    read_file("bundle", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "ca\n");
    CU_ASSERT_EQUAL(leave_folder(), 2);
}

static void test_failures_leave_the_old_file(void) {
    enter_folder();
    struct err err = {0};
    char text[1024];
    write_file("bundle", "old");
    CU_ASSERT_FALSE(bundle_write("bundle", "nowhere", "ca\n", &err));
    CU_ASSERT_STRING_EQUAL(
        err.msg, "nowhere: cannot be opened, expected certificates in PEM: No such file or "
                 "directory");
    write_file("roots", "x");
    CU_ASSERT_EQUAL(truncate("roots", 16 * 1024 * 1024 + 1), 0);
    CU_ASSERT_FALSE(bundle_write("bundle", "roots", "ca\n", &err));
    CU_ASSERT_STRING_EQUAL(err.msg,
                           "roots: larger than 16777216 bytes, expected certificates in PEM");
    CU_ASSERT_EQUAL(truncate("roots", 16 * 1024 * 1024 - 1), 0);
    CU_ASSERT_FALSE(bundle_write("bundle", "roots", "ca\n", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "bundle: larger than 16777216 bytes");
    CU_ASSERT_FALSE(bundle_write("nowhere/bundle", NULL, "ca\n", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "nowhere/bundle: cannot be made: No such file or directory");
    CU_ASSERT_FALSE(bundle_write("/dev", NULL, "ca\n", &err));
    read_file("bundle", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "old");
    CU_ASSERT_EQUAL(leave_folder(), 2);
}

// clang-format off
static const unsigned char STORE[] = {
    0xfe, 0xed, 0xfe, 0xed, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02,
    0x00, 0x06, 0x72, 0x6f, 0x6f, 0x74, 0x2d, 0x30, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x05, 0x58, 0x2e, 0x35, 0x30, 0x39, 0x00, 0x00, 0x00, 0x03, 0x01, 0x02, 0x03, 0x00, 0x00,
    0x00, 0x02, 0x00, 0x06, 0x72, 0x6f, 0x6f, 0x74, 0x2d, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x05, 0x58, 0x2e, 0x35, 0x30, 0x39, 0x00, 0x00, 0x00, 0x04, 0x04, 0x05, 0x06,
    0x07, 0xf4, 0x96, 0x33, 0x4d, 0xbf, 0xb5, 0xf5, 0xbd, 0xf6, 0xa2, 0x26, 0xdb, 0x66, 0x17, 0x34,
    0x77, 0xab, 0xbd, 0x12, 0x06,
};
// clang-format on

static void test_write_java(void) {
    enter_folder();
    struct err err = {0};
    char text[1024];
    write_file("bundle", "# text between\n-----BEGIN CERTIFICATE-----\nAQID\n"
                         "-----END CERTIFICATE-----\n"
                         "-----BEGIN X509 CRL-----\nAQID\n-----END X509 CRL-----\n"
                         "-----BEGIN CERTIFICATE-----\nBAUGBw==\n"
                         "-----END CERTIFICATE-----\n");
    CU_ASSERT(bundle_write_java("store", "bundle", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_EQUAL_FATAL(read_file("store", text, sizeof(text)), sizeof(STORE));
    CU_ASSERT_EQUAL(memcmp(text, STORE, sizeof(STORE)), 0);

    write_file("bundle", "nothing\n");
    CU_ASSERT_FALSE(bundle_write_java("store", "bundle", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "bundle: no certificate in PEM is there");
    CU_ASSERT_FALSE(bundle_write_java("store", "nowhere", &err));
    CU_ASSERT_STRING_EQUAL(
        err.msg,
        "nowhere: cannot be opened, expected certificates in PEM: No such file or directory");
    CU_ASSERT_EQUAL(read_file("store", text, sizeof(text)), sizeof(STORE));
    CU_ASSERT_EQUAL(leave_folder(), 2);
}

// A folder of roots, as c_rehash makes it: two certificates with three names.
static void test_write_from_a_folder(void) {
    enter_folder();
    struct err err = {0};
    char text[8192];
    struct pki_cert *one = pki_ca("one", NULL), *two = pki_ca("two", NULL),
                    *ours = pki_ca("ours", NULL);
    CU_ASSERT_EQUAL_FATAL(mkdir("roots", 0755), 0);
    pki_write("roots/one.pem", (const struct pki_cert *const[]){one}, 1, NULL, 0644);
    pki_write("roots/two.crt", (const struct pki_cert *const[]){two}, 1, NULL, 0644);
    CU_ASSERT_EQUAL(symlink("one.pem", "roots/01234567.0"), 0);
    pki_write("ca", (const struct pki_cert *const[]){ours}, 1, NULL, 0644);
    read_file("ca", text, sizeof(text));
    CU_ASSERT(bundle_write("bundle", "roots", text, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    struct trust *trust = trust_new("bundle", NULL, 0, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trust);
    CU_ASSERT_EQUAL(trust_num_roots(trust), 3);
    trust_free(trust);
    read_file("bundle", text, sizeof(text));
    CU_ASSERT_PTR_NULL(
        strstr(strstr(strstr(strstr(text, "BEGIN") + 1, "BEGIN") + 1, "BEGIN") + 1, "BEGIN"));
    CU_ASSERT_EQUAL(unlink("roots/one.pem") | unlink("roots/two.crt") | unlink("roots/01234567.0") |
                        rmdir("roots"),
                    0);
    pki_free(one);
    pki_free(two);
    pki_free(ours);
    CU_ASSERT_EQUAL(leave_folder(), 2);
}

static ino_t inode_of(const char *path) {
    struct stat st;
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    return st.st_ino;
}

// What is there already is not written again, and what is not is.
static void test_write_only_what_changed(void) {
    enter_folder();
    struct err err = {0};
    write_file("roots", "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n");
    CU_ASSERT(bundle_write("bundle", "roots", "ca\n", &err));
    CU_ASSERT(bundle_write_java("store", "bundle", &err));
    ino_t bundle = inode_of("bundle"), store = inode_of("store");
    CU_ASSERT(bundle_write("bundle", "roots", "ca\n", &err));
    CU_ASSERT(bundle_write_java("store", "bundle", &err));
    CU_ASSERT_EQUAL(inode_of("bundle"), bundle);
    CU_ASSERT_EQUAL(inode_of("store"), store);
    CU_ASSERT(bundle_write("bundle", "roots", "cb\n", &err));
    CU_ASSERT_NOT_EQUAL(inode_of("bundle"), bundle);
    CU_ASSERT_EQUAL(leave_folder(), 3);
}

const struct unit_case unit_cases[] = {
    {"write", test_write},
    {"write from a folder", test_write_from_a_folder},
    {"write only what changed", test_write_only_what_changed},
    {"failures leave the old file", test_failures_leave_the_old_file},
    {"write for Java", test_write_java},
    {NULL, NULL},
};
