#include "policy/ca/sct.h"

#include <string.h>

#include "logs/base/base64.h"
#include "logs/base/check.h"

enum { LOG_ID_LEN = 32, V1 = 0 };

static const struct {
    const char *id, *name;
} logs[] = {
#define SCT_LOG(id, name) {id, name},
#include "policy/ca/sct_logs.inc"
#undef SCT_LOG
};

static const char *log_name(const char *id) {
    for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
        if (strcmp(logs[i].id, id) == 0) {
            return logs[i].name;
        }
    }
    return NULL;
}

bool sct_list_open(CBS *out, CBS in) {
    return CBS_get_u16_length_prefixed(&in, out) && CBS_len(&in) == 0;
}

bool sct_next(CBS *list, struct sct *out) {
    CBS rest = *list, sct, id, extensions, signature;
    uint64_t time;
    uint16_t algorithm;
    *out = (struct sct){0};
    if (CBS_len(list) == 0 || !CBS_get_u16_length_prefixed(&rest, &sct) ||
        !CBS_get_u8(&sct, &out->version)) {
        return false;
    }
    if (out->version == V1) {
        if (!CBS_get_bytes(&sct, &id, LOG_ID_LEN) || !CBS_get_u64(&sct, &time) ||
            time > INT64_MAX || !CBS_get_u16_length_prefixed(&sct, &extensions) ||
            !CBS_get_u16(&sct, &algorithm) || !CBS_get_u16_length_prefixed(&sct, &signature) ||
            CBS_len(&sct) != 0) {
            return false;
        }
        CHECK(base64_encoded_len(LOG_ID_LEN) == SCT_LOG_ID_TEXT - 1);
        base64_encode(out->log_id, CBS_data(&id), LOG_ID_LEN);
        out->log = log_name(out->log_id);
        out->time_ms = (int64_t)time;
    }
    *list = rest;
    return true;
}
