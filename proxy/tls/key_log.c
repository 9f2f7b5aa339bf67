#include "proxy/tls/key_log.h"

#include <stdlib.h>
#include <string.h>

#include "third_party/boringssl/boringssl.h"

enum { FIRST_SLOTS = 64 };

// clang-format off
static const struct {
    const char *name;
    uint8_t min, max; // bytes of the secret
} labels[] = {
    [KEY_LOG_MASTER_SECRET]    = {"CLIENT_RANDOM",                   48, 48},
    [KEY_LOG_CLIENT_EARLY]     = {"CLIENT_EARLY_TRAFFIC_SECRET",     32, 48},
    [KEY_LOG_CLIENT_HANDSHAKE] = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", 32, 48},
    [KEY_LOG_SERVER_HANDSHAKE] = {"SERVER_HANDSHAKE_TRAFFIC_SECRET", 32, 48},
    [KEY_LOG_CLIENT_TRAFFIC]   = {"CLIENT_TRAFFIC_SECRET_0",         32, 48},
    [KEY_LOG_SERVER_TRAFFIC]   = {"SERVER_TRAFFIC_SECRET_0",         32, 48},
    [KEY_LOG_EARLY_EXPORTER]   = {"EARLY_EXPORTER_SECRET",           32, 48},
    [KEY_LOG_EXPORTER]         = {"EXPORTER_SECRET",                 32, 48},
};
// clang-format on

struct entry {
    uint8_t label, secret_len; // a length of 0: the slot is free
    uint8_t random[KEY_LOG_RANDOM_LEN];
    uint8_t secret[KEY_LOG_SECRET_MAX];
};

// A table with open addressing that is at most half full. The hash has a key of its own, so that no
// key log can be made to collide.
struct key_log {
    struct entry *slots;
    size_t num_slots, num, max;
    size_t line;
    uint64_t key[2];
};

struct key_log *key_log_new(size_t max) {
    struct key_log *log = xcalloc(1, sizeof(*log));
    log->max = max != 0 ? max : KEY_LOG_MAX;
    log->num_slots = FIRST_SLOTS;
    log->slots = xcalloc(log->num_slots, sizeof(*log->slots));
    RAND_bytes((uint8_t *)log->key, sizeof(log->key));
    return log;
}

void key_log_free(struct key_log *log) {
    if (log != NULL) {
        free(log->slots);
        free(log);
    }
}

void key_log_restart(struct key_log *log) { log->line = 0; }

size_t key_log_num(const struct key_log *log) { return log->num; }

// slot_of returns the entry of a secret, or the free slot where it belongs.
static struct entry *slot_of(const struct key_log *log, enum key_log_label label,
                             const uint8_t *random) {
    size_t i = SIPHASH_24(log->key, random, KEY_LOG_RANDOM_LEN) + label;
    for (;; i++) {
        struct entry *entry = &log->slots[i & (log->num_slots - 1)];
        if (entry->secret_len == 0 ||
            (entry->label == label && memcmp(entry->random, random, KEY_LOG_RANDOM_LEN) == 0)) {
            return entry;
        }
    }
}

static void grow(struct key_log *log) {
    struct entry *old = log->slots;
    size_t num_old = log->num_slots;
    log->num_slots *= 2;
    log->slots = xcalloc(log->num_slots, sizeof(*log->slots));
    for (size_t i = 0; i < num_old; i++) {
        if (old[i].secret_len != 0) {
            *slot_of(log, old[i].label, old[i].random) = old[i];
        }
    }
    free(old);
}

const uint8_t *key_log_find(const struct key_log *log, size_t *out_len, enum key_log_label label,
                            const uint8_t client_random[KEY_LOG_RANDOM_LEN]) {
    const struct entry *entry = slot_of(log, label, client_random);
    *out_len = entry->secret_len;
    return entry->secret_len != 0 ? entry->secret : NULL;
}

static bool put(struct key_log *log, const struct entry *new, struct err *err) {
    struct entry *entry = slot_of(log, new->label, new->random);
    if (entry->secret_len == 0) {
        if (log->num == log->max) {
            return err_set(err,
                           "line %zu: only %zu secrets are kept; give a key log of this "
                           "capture alone",
                           log->line, log->max);
        }
        log->num++;
        if (log->num * 2 > log->num_slots) {
            grow(log);
            entry = slot_of(log, new->label, new->random);
        }
    }
    *entry = *new;
    return true;
}

// word_next takes the next word from the front of the line.
static CBS word_next(CBS *line) {
    const uint8_t *p = CBS_data(line);
    size_t len = CBS_len(line), start = 0, end;
    while (start < len && p[start] == ' ') {
        start++;
    }
    for (end = start; end < len && p[end] != ' ';) {
        end++;
    }
    CBS word;
    CBS_init(&word, p + start, end - start);
    CBS_init(line, p + end, len - end);
    return word;
}

static int digit_of(uint8_t c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// hex_read reads a word of `min` to `max` bytes and returns how many they were, or 0.
static uint8_t hex_read(uint8_t *out, CBS word, size_t min, size_t max) {
    size_t len = CBS_len(&word) / 2;
    if (CBS_len(&word) % 2 != 0 || len < min || len > max) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t high = 0, low = 0;
        CHECK(CBS_get_u8(&word, &high) && CBS_get_u8(&word, &low));
        if (digit_of(high) < 0 || digit_of(low) < 0) {
            return 0;
        }
        out[i] = (uint8_t)(digit_of(high) << 4 | digit_of(low));
    }
    return (uint8_t)len;
}

static enum key_log_label label_find(CBS word) {
    size_t i = 0;
    while (i < ARRAY_LEN(labels) &&
           !CBS_mem_equal(&word, (const uint8_t *)labels[i].name, strlen(labels[i].name))) {
        i++;
    }
    return (enum key_log_label)i;
}

// Labels of other uses, as of ECH or RSA, are of capitals, digits and underscores.
static bool label_possible(CBS word) {
    uint8_t c;
    while (CBS_get_u8(&word, &c)) {
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_') {
            return false;
        }
    }
    return true;
}

static CBS line_trim(const char *p, size_t p_len) {
    CBS line;
    while (p_len != 0 && (p[p_len - 1] == '\n' || p[p_len - 1] == '\r' || p[p_len - 1] == ' ')) {
        p_len--;
    }
    CBS_init(&line, (const uint8_t *)p, p_len);
    return line;
}

bool key_log_line(struct key_log *log, const char *p, size_t p_len, struct err *err) {
    struct entry new = {0};
    CBS line = line_trim(p, p_len);
    log->line++;
    if (CBS_len(&line) == 0 || CBS_data(&line)[0] == '#') {
        return true;
    }
    CBS name = word_next(&line);
    enum key_log_label label = label_find(name);
    if (label == KEY_LOG_LABELS) {
        return label_possible(name) ||
               err_set(err, "line %zu: it does not begin with a label of a key log", log->line);
    }
    if (hex_read(new.random, word_next(&line), KEY_LOG_RANDOM_LEN, KEY_LOG_RANDOM_LEN) == 0) {
        return err_set(err, "line %zu: a client random of %d hexadecimal digits must follow %s",
                       log->line, 2 * KEY_LOG_RANDOM_LEN, labels[label].name);
    }
    new.label = (uint8_t)label;
    new.secret_len = hex_read(new.secret, word_next(&line), labels[label].min, labels[label].max);
    if (new.secret_len == 0 || CBS_len(&line) != 0) {
        return err_set(err,
                       "line %zu: the secret must be the last word, of %d to %d hexadecimal "
                       "digits",
                       log->line, 2 * labels[label].min, 2 * labels[label].max);
    }
    return put(log, &new, err);
}

size_t key_log_text(struct key_log *log, const void *p, size_t p_len,
                    void (*broken)(void *ctx, const struct err *err), void *ctx) {
    const char *at = p;
    size_t num_broken = 0;
    while (p_len != 0) {
        const char *end = memchr(at, '\n', p_len);
        size_t len = end != NULL ? (size_t)(end - at) + 1 : p_len;
        struct err err = {0};
        if (!key_log_line(log, at, len, &err)) {
            num_broken++;
            if (broken != NULL) {
                broken(ctx, &err);
            }
        }
        at += len;
        p_len -= len;
    }
    return num_broken;
}
