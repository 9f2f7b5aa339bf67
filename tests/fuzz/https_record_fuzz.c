// Target functions: https_record_ech, https_record_name, and ech_config_read with what was found.
//
// The input is an answer. What is found is a parameter of it, and stays what is found whatever
// follows the answers; a message that is cut off within it has none, or another one before it.
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "proxy/net/https_record.h"
#include "proxy/tls/ech_config.h"

enum { HEADER_LEN = 12, NAME_MAX_LEN = 253, PARAMETER_HEAD = 4, PARAMETER_ECH = 5, MORE = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

// find looks in a copy of exactly that many bytes and returns the offset, or 0.
static size_t find(size_t *out_len, const uint8_t *message, size_t message_len) {
    const uint8_t *found;
    uint8_t *copy = xmemdup(message, message_len);
    size_t at = 0;
    *out_len = 0;
    if (https_record_ech(&found, out_len, copy, message_len)) {
        at = (size_t)(found - copy);
        CHECK(at >= HEADER_LEN + PARAMETER_HEAD && at < message_len);
        CHECK(*out_len != 0 && *out_len <= message_len - at);
    }
    free(copy);
    return at;
}

static void parameter_check(const uint8_t *message, size_t at, size_t len) {
    const uint8_t *head = message + at - PARAMETER_HEAD;
    struct ech_config config;
    struct err err;
    CHECK(head[0] == 0 && head[1] == PARAMETER_ECH && (size_t)(head[2] << 8 | head[3]) == len);
    (void)!ech_config_read(&config, message + at, len, &err);
}

static void name_check(const uint8_t *p, size_t p_len) {
    char name[HTTPS_RECORD_NAME_SIZE];
    uint16_t port = p_len >= 2 ? (uint16_t)(p[0] << 8 | p[1]) : 443;
    char *host = xmalloc(p_len + 1);
    memcpy(host, p, p_len);
    host[p_len] = '\0';
    if (https_record_name(name, host, port)) {
        size_t len = strlen(name), host_len = strlen(host);
        CHECK(len <= NAME_MAX_LEN && len >= host_len);
        CHECK(strcmp(name + len - host_len, host) == 0 && (len == host_len) == (port == 443));
    }
    free(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    size_t len, other_len;
    size_t at = find(&len, data, data_len);
    name_check(data, data_len);
    uint8_t *longer = xcalloc(1, data_len + MORE);
    memcpy(longer, data, data_len);
    size_t other = find(&other_len, longer, data_len + MORE);
    free(longer);
    if (at != 0) {
        CHECK(other == at && other_len == len);
        parameter_check(data, at, len);
        other = find(&other_len, data, at + len - 1);
        CHECK(other == 0 || other < at);
    }
    return 0;
}
