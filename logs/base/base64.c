#include "logs/base/base64.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The two characters of each twelve bits: made once and kept. Records are mostly base64, and two at
// a time take less than half the time of one.
static char pairs[4096][2];
static pthread_once_t pairs_once = PTHREAD_ONCE_INIT;

static void pairs_make(void) {
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        pairs[i][0] = alphabet[i >> 6];
        pairs[i][1] = alphabet[i & 63];
    }
}

size_t base64_encoded_len(size_t len) { return (len + 2) / 3 * 4; }

// encode_last writes the four characters of at most three bytes.
static void encode_last(char *out, const uint8_t *in, size_t len) {
    uint8_t group[3] = {0};
    memcpy(group, in, len);
    memcpy(out, pairs[group[0] << 4 | group[1] >> 4], 2);
    memcpy(out + 2, pairs[(group[1] & 15) << 8 | group[2]], 2);
    memset(out + len + 1, '=', 3 - len);
}

void base64_encode(char *out, const void *p, size_t p_len) {
    const uint8_t *in = p;
    CHECK(pthread_once(&pairs_once, pairs_make) == 0);
    // Eight bytes are read where six are used, as that is one load.
    for (uint64_t x; p_len >= sizeof(x); p_len -= 6, in += 6, out += 8) {
        memcpy(&x, in, sizeof(x));
        x = be64toh(x);
        memcpy(out, pairs[x >> 52], 2);
        memcpy(out + 2, pairs[x >> 40 & 4095], 2);
        memcpy(out + 4, pairs[x >> 28 & 4095], 2);
        memcpy(out + 6, pairs[x >> 16 & 4095], 2);
    }
    for (size_t n; p_len != 0; p_len -= n, in += n, out += 4) {
        n = p_len < 3 ? p_len : 3;
        encode_last(out, in, n);
    }
}

static int digit(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(uint8_t *out, size_t *out_len, const char *s, size_t s_len) {
    *out_len = 0;
    if (s_len % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < s_len; i += 4) {
        bool last = i + 4 == s_len;
        int pad = last && s[i + 3] == '=' ? (s[i + 2] == '=' ? 2 : 1) : 0;
        int a = digit(s[i]), b = digit(s[i + 1]);
        int c = pad == 2 ? 0 : digit(s[i + 2]), d = pad != 0 ? 0 : digit(s[i + 3]);
        if (a < 0 || b < 0 || c < 0 || d < 0) {
            return false;
        }
        uint32_t group = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;
        out[(*out_len)++] = (uint8_t)(group >> 16);
        if (pad < 2) {
            out[(*out_len)++] = (uint8_t)(group >> 8);
        }
        if (pad < 1) {
            out[(*out_len)++] = (uint8_t)group;
        }
    }
    return true;
}
