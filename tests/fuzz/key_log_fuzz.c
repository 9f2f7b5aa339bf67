// Target functions: key_log_text, key_log_line, key_log_find.
//
// A text must give the same log as its lines one by one, which stays within its ceiling.
#include <stdlib.h>
#include <string.h>

#include "proxy/tls/key_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { SECRETS_MAX = 4 };

static void broken_check(void *ctx, const struct err *err) {
    size_t *num = ctx;
    CHECK(strncmp(err->msg, "line ", 5) == 0);
    ++*num;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct key_log *whole = key_log_new(SECRETS_MAX), *lines = key_log_new(SECRETS_MAX);
    size_t num_told = 0, num_broken = 0;
    size_t num_refused = key_log_text(whole, data, data_len, broken_check, &num_told);
    CHECK(num_refused == num_told);
    for (size_t at = 0; at < data_len;) {
        struct err err;
        const uint8_t *end = memchr(data + at, '\n', data_len - at);
        size_t len = (end != NULL ? (size_t)(end - data) + 1 : data_len) - at;
        char *line = xmemdup(data + at, len);
        num_broken += !key_log_line(lines, line, len, &err);
        free(line);
        at += len;
    }
    CHECK(num_broken == num_refused && key_log_num(whole) == key_log_num(lines));
    CHECK(key_log_num(whole) <= SECRETS_MAX);
    for (int label = 0; label < KEY_LOG_LABELS && data_len >= KEY_LOG_RANDOM_LEN; label++) {
        size_t len, other_len;
        const uint8_t *secret = key_log_find(whole, &len, (enum key_log_label)label, data);
        const uint8_t *other = key_log_find(lines, &other_len, (enum key_log_label)label, data);
        CHECK(len == other_len && len <= KEY_LOG_SECRET_MAX);
        CHECK(secret == NULL ? other == NULL : memcmp(secret, other, len) == 0);
    }
    key_log_free(whole);
    key_log_free(lines);
    return 0;
}
