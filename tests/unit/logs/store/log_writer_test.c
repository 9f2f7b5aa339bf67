#include "logs/store/log_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

static char folder[64], path[96], warnings[4096];

static void hear(void *ctx, const char *says) {
    size_t used = strlen(warnings);
    (void)ctx;
    snprintf(warnings + used, sizeof(warnings) - used, "%s\n", says);
}

static void begin(void) {
    strcpy(folder, "/tmp/log_writer_test.XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log.ndjson", folder);
    warnings[0] = '\0';
}

static void end(void) {
    char name[128];
    unlink(path);
    for (int i = 1; i < 10; i++) {
        snprintf(name, sizeof(name), "%s.%d", path, i);
        unlink(name);
    }
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static struct log_writer *open_with(struct log_writer_options options) {
    struct err err = {0};
    options.path = options.path != NULL ? options.path : path;
    options.warn = hear;
    struct log_writer *writer = log_writer_open(&options, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    return writer;
}

// put hands over a record of some 50 bytes and `padding`.
static bool put(struct log_writer *writer, int id, size_t padding) {
    struct record *record = record_new();
    char *host = xmalloc(padding + 1);
    memset(host, 'h', padding);
    host[padding] = '\0';
    obj_set_strf(record->root, F_RECORD_ID, "%06d", id);
    obj_set_str(record->root, F_RECORD_HOST, host);
    bool taken = log_writer_put(writer, record->root);
    free(host);
    record_free(record);
    return taken;
}

// content returns what the file holds; the caller frees it.
static char *content(const char *name) {
    char *text = xcalloc(1, FILE_MAX);
    FILE *f = fopen(name, "rb");
    if (f != NULL) {
        CU_ASSERT(fread(text, 1, FILE_MAX - 1, f) < FILE_MAX - 1);
        fclose(f);
    }
    return text;
}

// num_lines counts lines that are whole records, or returns -1 when one is not.
static int num_lines(const char *name) {
    char *text = content(name);
    int num = 0;
    for (char *line = text; *line != '\0' && num >= 0;) {
        char *newline = strchr(line, '\n');
        bool whole = newline != NULL && strncmp(line, "{\"schema\":\"1.0\",\"id\":\"", 22) == 0 &&
                     newline[-1] == '}' &&
                     memchr(line + 1, '{', (size_t)(newline - line - 1)) == NULL;
        num = whole ? num + 1 : -1;
        line = whole ? newline + 1 : line;
    }
    free(text);
    return num;
}

static void test_every_record_is_written(void) {
    begin();
    umask(0);
    struct log_writer *writer = open_with((struct log_writer_options){0});
    for (int i = 0; i < 1000; i++) {
        CU_ASSERT(put(writer, i, (size_t)(i % 100)));
    }
    log_writer_close(writer);
    struct stat st;
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    CU_ASSERT_EQUAL(num_lines(path), 1000);
    char *text = content(path);
    char *at = text;
    for (int i = 0; i < 1000 && at != NULL; i++) {
        char id[16];
        snprintf(id, sizeof(id), "\"%06d\"", i);
        at = strstr(at, id); // in the order in which they came
        CU_ASSERT_PTR_NOT_NULL(at);
    }
    free(text);
    CU_ASSERT_STRING_EQUAL(warnings, "");
    log_writer_close(NULL);
    end();
}

static void test_appends_and_ends_a_half_line(void) {
    begin();
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs("{\"schema\":\"1.0\",\"id\":\"whole\"}\n{\"schema\":\"1.0\",\"id", f);
    fclose(f);
    struct log_writer *writer = open_with((struct log_writer_options){0});
    CU_ASSERT(put(writer, 1, 0));
    log_writer_close(writer);
    char *text = content(path);
    CU_ASSERT_STRING_EQUAL(text, "{\"schema\":\"1.0\",\"id\":\"whole\"}\n{\"schema\":\"1.0\",\"id\n"
                                 "{\"schema\":\"1.0\",\"id\":\"000001\",\"host\":\"\"}\n");
    free(text);
    end();
}

static void test_cannot_open(void) {
    begin();
    struct err err = {0};
    struct log_writer_options options = {.path = "/proc/no/such/log.ndjson"};
    CU_ASSERT_PTR_NULL(log_writer_open(&options, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cannot open the log /proc/no/such/log.ndjson"));
    options.path = folder;
    CU_ASSERT_PTR_NULL(log_writer_open(&options, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "directory"));
    end();
}

static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    CU_ASSERT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes;
    CU_ASSERT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

// A limit on the size of files is as good as a full disk: a write comes back short, then not at
// all.
static void test_a_full_disk(void) {
    begin();
    struct log_writer *writer = open_with((struct log_writer_options){0});
    CU_ASSERT(put(writer, 1, 100) && put(writer, 2, 100));
    log_writer_flush(writer);
    struct stat before, after;
    CU_ASSERT(stat(path, &before) == 0);
    fflush(stdout);
    limit_files((rlim_t)before.st_size + 50);
    CU_ASSERT(put(writer, 3, 100) && put(writer, 4, 100));
    log_writer_flush(writer);
    CU_ASSERT(stat(path, &after) == 0);
    limit_files(RLIM_INFINITY);
    CU_ASSERT_EQUAL(after.st_size, before.st_size);
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, "File too large; records are lost"));
    CU_ASSERT_PTR_NULL(strstr(strchr(warnings, '\n') + 1, "lost"));
    CU_ASSERT(put(writer, 5, 100));
    log_writer_flush(writer);
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, "takes records again; 2 were lost"));
    struct log_writer_counts counts = log_writer_counts(writer);
    CU_ASSERT(counts.written == 3 && counts.failed == 2 && counts.dropped == 0);
    log_writer_close(writer);
    CU_ASSERT_EQUAL(num_lines(path), 3);
    end();
}

// A smaller record fits where a larger one did not, and is written.
static void test_what_still_fits_is_written(void) {
    begin();
    struct log_writer *writer = open_with((struct log_writer_options){0});
    CU_ASSERT(put(writer, 1, 0));
    log_writer_flush(writer);
    struct stat st;
    CU_ASSERT(stat(path, &st) == 0);
    fflush(stdout);
    limit_files((rlim_t)st.st_size * 2);
    CU_ASSERT(put(writer, 2, 1000) && put(writer, 3, 0));
    log_writer_flush(writer);
    limit_files(RLIM_INFINITY);
    log_writer_close(writer);
    CU_ASSERT_EQUAL(num_lines(path), 2);
    end();
}

// Lines of one burst go to the file together; where the disk ends among them, those before stay.
static void test_a_burst_that_is_cut(void) {
    begin();
    struct log_writer *writer = open_with((struct log_writer_options){0});
    CU_ASSERT(put(writer, 1, 0));
    log_writer_flush(writer);
    struct stat st;
    CU_ASSERT(stat(path, &st) == 0);
    fflush(stdout);
    limit_files((rlim_t)st.st_size * 4 + 50);
    CU_ASSERT(put(writer, 2, 0) && put(writer, 3, 0) && put(writer, 4, 1000) && put(writer, 5, 0));
    log_writer_flush(writer);
    limit_files(RLIM_INFINITY);
    struct log_writer_counts counts = log_writer_counts(writer);
    CU_ASSERT(counts.written == 4 && counts.failed == 1 && counts.dropped == 0);
    log_writer_close(writer);
    CU_ASSERT(stat(path, &st) == 0);
    CU_ASSERT_EQUAL(num_lines(path), 4);
    end();
}

static void test_a_device_that_is_full(void) {
    begin();
    struct log_writer *writer = open_with((struct log_writer_options){.path = "/dev/full"});
    CU_ASSERT(put(writer, 1, 0));
    log_writer_close(writer);
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, "No space left on device"));
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, "1 records at the end of the log /dev/full were lost"));
    end();
}

static void test_rotation(void) {
    begin();
    char name[128];
    struct log_writer *writer =
        open_with((struct log_writer_options){.max_file = 1000, .max_files = 3});
    for (int i = 0; i < 100; i++) {
        CU_ASSERT(put(writer, i, 100));
    }
    log_writer_close(writer);
    // Seven lines of 141 bytes a file: 98 and 99, 91 to 97, 84 to 90, 77 to 83; the rest is gone.
    CU_ASSERT_EQUAL(num_lines(path), 2);
    for (int i = 1; i <= 3; i++) {
        struct stat st;
        snprintf(name, sizeof(name), "%s.%d", path, i);
        CU_ASSERT(stat(name, &st) == 0 && st.st_size <= 1000 && (st.st_mode & 07777) == 0600);
        CU_ASSERT_EQUAL(num_lines(name), 7);
    }
    char *text = content(name);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"000077\""));
    free(text);
    snprintf(name, sizeof(name), "%s.4", path);
    CU_ASSERT_NOT_EQUAL(access(name, F_OK), 0);
    CU_ASSERT_STRING_EQUAL(warnings, "");
    end();
}

static void test_a_record_larger_than_a_file(void) {
    begin();
    struct log_writer *writer = open_with((struct log_writer_options){.max_file = 1000});
    CU_ASSERT(put(writer, 1, 5000) && put(writer, 2, 5000));
    log_writer_close(writer);
    char name[128];
    snprintf(name, sizeof(name), "%s.1", path);
    CU_ASSERT(num_lines(path) == 1 && num_lines(name) == 1);
    end();
}

static void test_rotation_that_fails(void) {
    begin();
    char name[128];
    snprintf(name, sizeof(name), "%s.1", path);
    // A folder in the way of PATH.1, with something in it, so that it cannot be replaced.
    CU_ASSERT(mkdir(name, 0700) == 0);
    char inside[160];
    snprintf(inside, sizeof(inside), "%s/x", name);
    CU_ASSERT(mkdir(inside, 0700) == 0);
    struct log_writer *writer =
        open_with((struct log_writer_options){.max_file = 300, .max_files = 1});
    for (int i = 0; i < 10; i++) {
        CU_ASSERT(put(writer, i, 100));
    }
    log_writer_close(writer);
    CU_ASSERT_EQUAL(num_lines(path), 10);
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, "cannot rotate the log"));
    CU_ASSERT_PTR_NULL(strstr(strchr(warnings, '\n') + 1, "rotate"));
    CU_ASSERT(rmdir(inside) == 0 && rmdir(name) == 0);
    end();
}

static void test_reopen(void) {
    begin();
    char moved[128];
    snprintf(moved, sizeof(moved), "%s.1", path);
    struct log_writer *writer = open_with((struct log_writer_options){0});
    CU_ASSERT(put(writer, 1, 0));
    log_writer_flush(writer);
    CU_ASSERT(rename(path, moved) == 0);
    CU_ASSERT(put(writer, 2, 0));
    log_writer_flush(writer);
    log_writer_reopen(writer);
    log_writer_flush(writer);
    CU_ASSERT(put(writer, 3, 0));
    log_writer_close(writer);
    CU_ASSERT(num_lines(path) == 1 && num_lines(moved) == 2);
    end();
}

static void test_reopen_that_fails(void) {
    begin();
    struct log_writer *writer = open_with((struct log_writer_options){0});
    CU_ASSERT(put(writer, 1, 0));
    log_writer_flush(writer);
    CU_ASSERT(unlink(path) == 0 && mkdir(path, 0700) == 0);
    log_writer_reopen(writer);
    CU_ASSERT(put(writer, 2, 0));
    log_writer_flush(writer);
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, "the old file stays in use"));
    CU_ASSERT_EQUAL(log_writer_counts(writer).written, 2);
    log_writer_close(writer);
    CU_ASSERT(rmdir(path) == 0);
    end();
}

static void test_a_full_queue(void) {
    begin();
    struct log_writer *writer = open_with((struct log_writer_options){.max_queue = 1000});
    CU_ASSERT_FALSE(put(writer, 1, 5000));
    log_writer_flush(writer);
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, "1 records were dropped"));
    CU_ASSERT(put(writer, 2, 0));
    log_writer_close(writer);
    CU_ASSERT_EQUAL(num_lines(path), 1);
    end();
}

static void test_a_record_too_long(void) {
    begin();
    struct log_writer *writer = open_with((struct log_writer_options){0});
    CU_ASSERT_FALSE(put(writer, 1, LOG_RECORD_MAX));
    CU_ASSERT(put(writer, 2, 0));
    log_writer_flush(writer);
    struct log_writer_counts counts = log_writer_counts(writer);
    CU_ASSERT(counts.dropped == 1 && counts.written == 1);
    log_writer_close(writer);
    end();
}

static void *put_many(void *arg) {
    for (int i = 0; i < 500; i++) {
        put(arg, i, 20);
    }
    return NULL;
}

static void test_several_threads(void) {
    begin();
    struct log_writer *writer =
        open_with((struct log_writer_options){.max_file = 20000, .max_files = 9});
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        CU_ASSERT(pthread_create(&threads[i], NULL, put_many, writer) == 0);
    }
    for (int i = 0; i < 4; i++) {
        log_writer_reopen(writer);
        CU_ASSERT(pthread_join(threads[i], NULL) == 0);
    }
    log_writer_close(writer);
    int sum = num_lines(path);
    for (int i = 1; i <= 9; i++) {
        char name[128];
        snprintf(name, sizeof(name), "%s.%d", path, i);
        sum += num_lines(name);
    }
    CU_ASSERT_EQUAL(sum, 2000);
    end();
}

const struct unit_case unit_cases[] = {
    {"every record is written, in order", test_every_record_is_written},
    {"a half line is ended, what was there stays", test_appends_and_ends_a_half_line},
    {"a log that cannot be opened", test_cannot_open},
    {"a full disk", test_a_full_disk},
    {"what still fits is written", test_what_still_fits_is_written},
    {"a burst that is cut", test_a_burst_that_is_cut},
    {"a device that is full", test_a_device_that_is_full},
    {"rotation", test_rotation},
    {"a record larger than a file", test_a_record_larger_than_a_file},
    {"rotation that fails", test_rotation_that_fails},
    {"reopen", test_reopen},
    {"reopen that fails", test_reopen_that_fails},
    {"a full queue", test_a_full_queue},
    {"a record too long", test_a_record_too_long},
    {"several threads", test_several_threads},
    {NULL, NULL},
};
