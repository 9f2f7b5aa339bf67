// The NSS key log: secrets of connections, one a line, found again by label and client random
// (draft-ietf-tls-keylogfile).
#ifndef PROXY_TLS_KEY_LOG_H_
#define PROXY_TLS_KEY_LOG_H_

#include <stddef.h>
#include <stdint.h>

#include "logs/base/err.h"

enum {
    KEY_LOG_RANDOM_LEN = 32,
    KEY_LOG_SECRET_MAX = 48,
    KEY_LOG_MAX = 512 * 1024, // secrets that are kept, of some 90 bytes each
};

enum key_log_label {
    KEY_LOG_MASTER_SECRET, // CLIENT_RANDOM: the master secret up to TLS 1.2
    KEY_LOG_CLIENT_EARLY,
    KEY_LOG_CLIENT_HANDSHAKE,
    KEY_LOG_SERVER_HANDSHAKE,
    KEY_LOG_CLIENT_TRAFFIC,
    KEY_LOG_SERVER_TRAFFIC,
    KEY_LOG_EARLY_EXPORTER,
    KEY_LOG_EXPORTER,
    KEY_LOG_LABELS
};

struct key_log;

// key_log_new returns an empty log that keeps up to `max` secrets; 0 means KEY_LOG_MAX. The caller
// frees it with key_log_free, which does nothing for NULL.
WUNRES struct key_log *key_log_new(size_t max);
void key_log_free(struct key_log *log);

// key_log_line takes the next line, with or without its line end. Empty lines, comments and labels
// of other uses are passed over. It returns false for a line that is broken or does not fit any
// more; the error names its number, counted from 1 since the last key_log_restart, and the log goes
// on. A secret that comes a second time replaces the first.
bool key_log_line(struct key_log *log, const char *p, size_t p_len, struct err *err);

// key_log_text takes all lines of a text, calls `broken`, which may be NULL, for each that
// key_log_line refuses, and returns how many those were.
size_t key_log_text(struct key_log *log, const void *p, size_t p_len,
                    void (*broken)(void *ctx, const struct err *err), void *ctx);

// key_log_restart counts lines from 1 again: another file begins.
void key_log_restart(struct key_log *log);

// key_log_num returns how many secrets there are.
size_t key_log_num(const struct key_log *log);

// key_log_find sets `*out_len` to the length of a connection's secret and returns it, valid until
// the next line, or NULL.
const uint8_t *key_log_find(const struct key_log *log, size_t *out_len, enum key_log_label label,
                            const uint8_t client_random[KEY_LOG_RANDOM_LEN]);

#endif // PROXY_TLS_KEY_LOG_H_
