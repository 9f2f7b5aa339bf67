#include "logs/store/log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/base/buf.h"
#include "logs/record/json.h"

enum { TYPICAL_LINE = 12 * 1024 };

// How long the thread waits for more once there is something to write. Connections end in bursts,
// and waking a thread for each costs as much as making the line.
static const struct timespec gather = {.tv_nsec = 5 * 1000 * 1000};

// struct line is one record with its newline, on its way to the file.
struct line {
    struct line *next;
    struct buf text;
};

struct log_writer {
    char *path;
    uint64_t max_file;
    unsigned max_files;
    size_t max_queue;
    void (*warn)(void *ctx, const char *says);
    void *warn_ctx;
    pthread_t thread;

    pthread_mutex_t mutex; // guards what follows, up to the thread's own part
    pthread_cond_t work, idle;
    struct line *first, **last;
    size_t queued; // bytes
    bool busy, stop, reopen;
    struct log_writer_counts counts;

    // The thread's own.
    int fd;
    bool regular;          // a file, which can be cut and rotated, and no pipe or device
    bool half_line;        // the file does not end in a newline
    uint64_t size;         // of the file, as far as we wrote it
    uint64_t told_dropped; // what the last warning said
    uint64_t failing;      // records lost since the file last took one
    bool rotate_failed;
};

PRINTF(2, 3) static void warn(struct log_writer *writer, const char *fmt, ...) {
    char says[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(says, sizeof(says), fmt, ap);
    va_end(ap);
    if (writer->warn != NULL) {
        writer->warn(writer->warn_ctx, says);
    }
}

// file_open opens the path and looks at how it ends. On failure what was open stays.
static bool file_open(struct log_writer *writer, struct err *err) {
    // Reading is for the last byte alone; a file that may only be appended to does as well.
    int fd = open(writer->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0 && errno == EACCES) {
        fd = open(writer->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    }
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        err_errno(err, "cannot open the log %s for writing", writer->path);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    char last = '\n';
    writer->regular = S_ISREG(st.st_mode);
    writer->size = writer->regular ? (uint64_t)st.st_size : 0;
    if (writer->size != 0 && pread(fd, &last, 1, st.st_size - 1) != 1) {
        last = '\n';
    }
    writer->half_line = last != '\n';
    if (writer->fd >= 0) {
        close(writer->fd);
    }
    writer->fd = fd;
    return true;
}

// file_moved returns whether the path no longer names the file that is open.
static bool file_moved(const struct log_writer *writer) {
    struct stat by_path, by_fd;
    return stat(writer->path, &by_path) != 0 || fstat(writer->fd, &by_fd) != 0 ||
           by_path.st_ino != by_fd.st_ino || by_path.st_dev != by_fd.st_dev;
}

static bool rename_numbered(const struct log_writer *writer, unsigned from) {
    char *old = NULL, *new = NULL;
    CHECK(asprintf(&old, from == 0 ? "%s" : "%s.%u", writer->path, from) >= 0);
    CHECK(asprintf(&new, "%s.%u", writer->path, from + 1) >= 0);
    bool ok = rename(old, new) == 0 || (errno == ENOENT && from != 0);
    free(old);
    free(new);
    return ok;
}

// file_rotate moves PATH to PATH.1, that to PATH.2 and so on; the oldest is overwritten.
static void file_rotate(struct log_writer *writer) {
    struct err err = {0};
    bool ok = true;
    // Another process that writes the same log may have been first.
    if (!file_moved(writer)) {
        for (unsigned i = writer->max_files; ok && i-- > 0;) {
            ok = rename_numbered(writer, i);
        }
        if (!ok) {
            err_errno(&err, "cannot rotate the log %s", writer->path);
        }
    }
    ok = ok && file_open(writer, &err);
    if (!ok && !writer->rotate_failed) {
        warn(writer, "%s; it grows on", err.msg);
    }
    writer->rotate_failed = !ok;
}

// write_all writes `len` bytes, or as many as the file takes; errno says why not all.
static size_t write_all(int fd, const uint8_t *p, size_t len) {
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(fd, p + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    return done;
}

// cut_back takes away the beginning of a line that did not fit. Where something of another process
// stands behind it, the line stays as it is and is ended before the next.
static void cut_back(struct log_writer *writer, size_t wrote) {
    struct stat st;
    bool ours = writer->regular && fstat(writer->fd, &st) == 0 && st.st_size >= (off_t)wrote &&
                writer->size + wrote == (uint64_t)st.st_size;
    if (!ours || ftruncate(writer->fd, (off_t)writer->size) != 0) {
        writer->size += wrote;
        writer->half_line = true;
    }
}

static bool line_write(struct log_writer *writer, const struct buf *text) {
    if (writer->regular && writer->size != 0 && writer->size + text->len > writer->max_file) {
        file_rotate(writer);
    }
    if (writer->half_line) {
        if (write_all(writer->fd, (const uint8_t *)"\n", 1) != 1) {
            return false;
        }
        writer->half_line = false;
        writer->size++;
    }
    size_t wrote = write_all(writer->fd, buf_data(text), text->len);
    if (wrote == text->len) {
        writer->size += wrote;
        return true;
    }
    int why = errno;
    if (wrote != 0) {
        cut_back(writer, wrote);
    }
    errno = why;
    return false;
}

// line_done tells of the first failure, and of the end of a series of them.
static void line_done(struct log_writer *writer, bool ok) {
    if (!ok && writer->failing++ == 0) {
        warn(writer, "cannot write to the log %s: %s; records are lost until it takes them again",
             writer->path, strerror(errno));
    }
    if (ok && writer->failing != 0) {
        warn(writer, "the log %s takes records again; %" PRIu64 " were lost", writer->path,
             writer->failing);
        writer->failing = 0;
    }
}

static void tell_dropped(struct log_writer *writer, uint64_t dropped) {
    if (dropped != writer->told_dropped) {
        warn(writer,
             "%" PRIu64
             " records were dropped: too many waited for the log %s, or one was too long",
             dropped - writer->told_dropped, writer->path);
        writer->told_dropped = dropped;
    }
}

// batch_write writes a list of lines and frees it.
static void batch_write(struct log_writer *writer, struct line *line) {
    while (line != NULL) {
        struct line *next = line->next;
        size_t len = line->text.len;
        bool ok = line_write(writer, &line->text);
        line_done(writer, ok);
        buf_cleanup(&line->text);
        free(line);
        line = next;
        pthread_mutex_lock(&writer->mutex);
        writer->queued -= len;
        writer->counts.written += ok;
        writer->counts.failed += !ok;
        pthread_mutex_unlock(&writer->mutex);
    }
}

static void reopen(struct log_writer *writer) {
    struct err err = {0};
    if (!file_open(writer, &err)) {
        warn(writer, "%s; the old file stays in use", err.msg);
    }
}

static void *thread_main(void *arg) {
    struct log_writer *writer = arg;
    pthread_mutex_lock(&writer->mutex);
    for (;;) {
        bool slept = false;
        while (writer->first == NULL && !writer->reopen && !writer->stop &&
               writer->counts.dropped == writer->told_dropped) {
            writer->busy = false;
            pthread_cond_broadcast(&writer->idle);
            pthread_cond_wait(&writer->work, &writer->mutex);
            slept = true;
        }
        if (slept && !writer->stop) {
            pthread_mutex_unlock(&writer->mutex);
            (void)nanosleep(&gather, NULL);
            pthread_mutex_lock(&writer->mutex);
        }
        struct line *batch = writer->first;
        bool wants_reopen = writer->reopen, stop = writer->stop && batch == NULL;
        uint64_t dropped = writer->counts.dropped;
        writer->first = NULL;
        writer->last = &writer->first;
        writer->reopen = false;
        writer->busy = true;
        pthread_mutex_unlock(&writer->mutex);
        if (wants_reopen) {
            reopen(writer);
        }
        batch_write(writer, batch);
        tell_dropped(writer, dropped);
        if (stop) {
            break;
        }
        pthread_mutex_lock(&writer->mutex);
    }
    if (writer->failing != 0) {
        warn(writer, "%" PRIu64 " records at the end of the log %s were lost", writer->failing,
             writer->path);
    }
    return NULL;
}

struct log_writer *log_writer_open(const struct log_writer_options *options, struct err *err) {
    struct log_writer *writer = xcalloc(1, sizeof(*writer));
    *writer = (struct log_writer){
        .path = xstrdup(options->path),
        .max_file = options->max_file != 0 ? options->max_file : 64 * 1024 * 1024,
        .max_files = options->max_files != 0 ? options->max_files : 5,
        .max_queue = options->max_queue != 0 ? options->max_queue : 64 * 1024 * 1024,
        .warn = options->warn,
        .warn_ctx = options->warn_ctx,
        .fd = -1,
    };
    writer->last = &writer->first;
    if (!file_open(writer, err)) {
        free(writer->path);
        free(writer);
        return NULL;
    }
    CHECK(pthread_mutex_init(&writer->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&writer->work, NULL) == 0);
    CHECK(pthread_cond_init(&writer->idle, NULL) == 0);
    // Signals belong to the event loop; a file past its limit is an error like any other.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&writer->thread, NULL, thread_main, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    CHECK(failed == 0);
    return writer;
}

bool log_writer_put(struct log_writer *writer, const struct obj *root) {
    struct line *line = xcalloc(1, sizeof(*line));
    buf_init(&line->text, LOG_RECORD_MAX + 1);
    bool ok = buf_reserve(&line->text, TYPICAL_LINE) != NULL && json_write(&line->text, root) &&
              buf_append(&line->text, "\n", 1);
    pthread_mutex_lock(&writer->mutex);
    ok = ok && line->text.len <= writer->max_queue - writer->queued;
    if (ok) {
        *writer->last = line;
        writer->last = &line->next;
        writer->queued += line->text.len;
    } else {
        writer->counts.dropped++;
    }
    bool wake = !writer->busy;
    writer->busy = true;
    pthread_mutex_unlock(&writer->mutex);
    if (wake) {
        pthread_cond_signal(&writer->work);
    }
    if (!ok) {
        buf_cleanup(&line->text);
        free(line);
    }
    return ok;
}

void log_writer_reopen(struct log_writer *writer) {
    pthread_mutex_lock(&writer->mutex);
    writer->reopen = writer->busy = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->mutex);
}

struct log_writer_counts log_writer_counts(struct log_writer *writer) {
    pthread_mutex_lock(&writer->mutex);
    struct log_writer_counts counts = writer->counts;
    pthread_mutex_unlock(&writer->mutex);
    return counts;
}

void log_writer_flush(struct log_writer *writer) {
    pthread_mutex_lock(&writer->mutex);
    while (writer->busy) {
        pthread_cond_wait(&writer->idle, &writer->mutex);
    }
    pthread_mutex_unlock(&writer->mutex);
}

void log_writer_close(struct log_writer *writer) {
    if (writer == NULL) {
        return;
    }
    pthread_mutex_lock(&writer->mutex);
    writer->stop = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->mutex);
    CHECK(pthread_join(writer->thread, NULL) == 0);
    close(writer->fd);
    pthread_cond_destroy(&writer->work);
    pthread_cond_destroy(&writer->idle);
    pthread_mutex_destroy(&writer->mutex);
    free(writer->path);
    free(writer);
}
