// The log's speed: what a record costs to write, and a long log to list. The records of SAMPLES (a
// log) are written in turn, each under an id of its own, to a new log below FOLDER.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "logs/store/log_reader.h"
#include "logs/store/log_writer.h"
#include "logs/view/one_line.h"

enum { SAMPLES_MAX = 64 };

static double clock_s(clockid_t clock) {
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void say_warning(void *ctx, const char *says) {
    (void)ctx;
    fprintf(stderr, "log_bench: %s\n", says);
}

static size_t samples_read(struct record *out[SAMPLES_MAX], const char *path) {
    struct err err;
    struct log_reader *reader = log_reader_open(path, say_warning, NULL, &err);
    size_t num = 0;
    if (reader == NULL) {
        fprintf(stderr, "log_bench: %s\n", err.msg);
        exit(2);
    }
    for (; num < log_reader_num(reader) && num < SAMPLES_MAX; num++) {
        out[num] = log_reader_read(reader, num, &err);
        CHECK(out[num] != NULL);
    }
    log_reader_free(reader);
    CHECK(num != 0);
    return num;
}

static void bench_write(const char *path, struct record *const *samples, size_t num_samples,
                        size_t num) {
    struct err err;
    struct log_writer_options options = {
        .path = path, .max_file = UINT64_MAX, .warn = say_warning, .max_queue = 256u << 20};
    struct log_writer *writer = log_writer_open(&options, &err);
    if (writer == NULL) {
        fprintf(stderr, "log_bench: %s\n", err.msg);
        exit(3);
    }
    double caller = 0, all = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < num; i++) {
        struct obj *root = samples[i % num_samples]->root;
        char id[32];
        snprintf(id, sizeof(id), "bench%011zu", i);
        obj_set_str(root, F_RECORD_ID, id);
        double start = clock_s(CLOCK_THREAD_CPUTIME_ID);
        log_writer_put(writer, root);
        caller += clock_s(CLOCK_THREAD_CPUTIME_ID) - start;
        if (i % 1000 == 999) {
            log_writer_flush(writer);
        }
    }
    log_writer_flush(writer);
    all = clock_s(CLOCK_PROCESS_CPUTIME_ID) - all;
    struct log_writer_counts counts = log_writer_counts(writer);
    log_writer_close(writer);
    printf("written %" PRIu64 ", lost %" PRIu64 "\n", counts.written,
           counts.dropped + counts.failed);
    printf("CPU us per record: %.2f in the caller, %.2f with the writing thread\n",
           caller * 1e6 / (double)num, all * 1e6 / (double)num);
}

static void bench_list(const char *path) {
    struct err err;
    double start = clock_s(CLOCK_MONOTONIC);
    struct log_reader *reader = log_reader_open(path, say_warning, NULL, &err);
    CHECK(reader != NULL);
    double opened = clock_s(CLOCK_MONOTONIC);
    struct record_scan_plan plan;
    record_scan_plan_init(&plan, one_line_fields, one_line_num_fields);
    struct buf out;
    buf_init(&out, 4096);
    struct page page = {.out = &out, .width = 160};
    struct one_line layout = {.page = &page, .id_width = 16, .date = true};
    uint64_t bytes = 0;
    for (size_t i = 0; i < log_reader_num(reader); i++) {
        struct record *record = log_reader_scan(reader, i, &plan, &err);
        CHECK(record != NULL);
        one_line_write(&layout, record->root);
        bytes += out.len;
        buf_cleanup(&out);
        record_free(record);
    }
    double done = clock_s(CLOCK_MONOTONIC);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("list of %zu records: %.2f s to index, %.2f s to make %" PRIu64
           " bytes of lines, %ld MB at most\n",
           log_reader_num(reader), opened - start, done - opened, bytes, usage.ru_maxrss / 1024);
    log_reader_free(reader);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: log_bench SAMPLES NUMBER FOLDER\n");
        return 2;
    }
    struct record *samples[SAMPLES_MAX];
    size_t num_samples = samples_read(samples, argv[1]);
    char *path = NULL;
    CHECK(asprintf(&path, "%s/bench.ndjson", argv[3]) >= 0);
    (void)unlink(path);
    bench_write(path, samples, num_samples, strtoul(argv[2], NULL, 10));
    bench_list(path);
    for (size_t i = 0; i < num_samples; i++) {
        record_free(samples[i]);
    }
    (void)unlink(path);
    free(path);
    return 0;
}
