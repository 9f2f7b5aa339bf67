#include "proxy/net/https_record.h"

#include <stdio.h>

enum {
    HEADER_LEN = 12,
    PARAMETER_ECH = 5,
    CLASS_IN = 1,
    POINTER = 0xc0, // the two highest bits of a length: the rest of the name stands elsewhere
    LABEL_MAX = 63,
    HTTPS_PORT = 443,
    NAME_MAX_LEN = 253,
};

// struct reader is what is left of a message or a part of it.
struct reader {
    const uint8_t *p;
    size_t len;
};

static bool skip(struct reader *in, size_t n) {
    if (n > in->len) {
        return false;
    }
    in->p += n;
    in->len -= n;
    return true;
}

static bool take_u16(struct reader *in, uint16_t *out) {
    const uint8_t *p = in->p;
    if (!skip(in, 2)) {
        return false;
    }
    *out = (uint16_t)(p[0] << 8 | p[1]);
    return true;
}

static bool take_part(struct reader *in, struct reader *out, size_t n) {
    *out = (struct reader){in->p, n};
    return skip(in, n);
}

static bool skip_name(struct reader *in) {
    while (in->len != 0) {
        uint8_t len = in->p[0];
        if (len >= POINTER) {
            return skip(in, 2);
        }
        if (len > LABEL_MAX) {
            return false;
        }
        if (!skip(in, 1 + (size_t)len) || len == 0) {
            return len == 0;
        }
    }
    return false;
}

// parameters_ech finds "ech" in the data of a record, whose keys ascend (RFC 9460 section 2.2).
static bool parameters_ech(struct reader data, uint16_t *out_priority, struct reader *out) {
    uint16_t key, len;
    bool found = false;
    int last = -1;
    if (!take_u16(&data, out_priority) || *out_priority == 0 || !skip_name(&data)) {
        return false;
    }
    while (data.len != 0) {
        struct reader value;
        if (!take_u16(&data, &key) || !take_u16(&data, &len) || !take_part(&data, &value, len) ||
            key <= last) {
            return false;
        }
        last = key;
        if (key == PARAMETER_ECH && len != 0) {
            *out = value;
            found = true;
        }
    }
    return found;
}

bool https_record_name(char out[HTTPS_RECORD_NAME_SIZE], const char *host, uint16_t port) {
    int len = port == HTTPS_PORT
                  ? snprintf(out, HTTPS_RECORD_NAME_SIZE, "%s", host)
                  : snprintf(out, HTTPS_RECORD_NAME_SIZE, "_%u._https.%s", port, host);
    return len > 0 && len <= NAME_MAX_LEN;
}

bool https_record_ech(const uint8_t **out, size_t *out_len, const uint8_t *message,
                      size_t message_len) {
    struct reader in = {message, message_len};
    uint16_t questions, answers, best = 0;
    if (!skip(&in, 4) || !take_u16(&in, &questions) || !take_u16(&in, &answers) ||
        !skip(&in, HEADER_LEN - 8)) {
        return false;
    }
    for (; questions != 0; questions--) {
        if (!skip_name(&in) || !skip(&in, 4)) {
            return false;
        }
    }
    for (; answers != 0; answers--) {
        uint16_t type, class, len, priority;
        struct reader data, ech = {NULL, 0};
        if (!skip_name(&in) || !take_u16(&in, &type) || !take_u16(&in, &class) || !skip(&in, 4) ||
            !take_u16(&in, &len) || !take_part(&in, &data, len)) {
            return false;
        }
        if (type == HTTPS_RECORD_TYPE && class == CLASS_IN &&
            parameters_ech(data, &priority, &ech) && (best == 0 || priority < best)) {
            best = priority;
            *out = ech.p;
            *out_len = ech.len;
        }
    }
    return best != 0;
}
