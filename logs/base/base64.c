#include "logs/base/base64.h"

#include <pthread.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encoded_len(size_t len) { return (len + 2) / 3 * 4; }

// The two digits of each number of twelve bits: made once and kept.
static char pairs[4096][2];
static pthread_once_t pairs_once = PTHREAD_ONCE_INIT;

static void pairs_make(void) {
    for (size_t i = 0; i < 4096; i++) {
        pairs[i][0] = alphabet[i >> 6];
        pairs[i][1] = alphabet[i & 63];
    }
}

void base64_encode(char *out, const void *p, size_t p_len) {
    const uint8_t *in = p;
    (void)pthread_once(&pairs_once, pairs_make);
    // Six bytes are four pairs of digits; eight are read, which is one instruction.
    for (; p_len >= 8; p_len -= 6, in += 6, out += 8) {
        uint64_t group = (uint64_t)in[0] << 56 | (uint64_t)in[1] << 48 | (uint64_t)in[2] << 40 |
                         (uint64_t)in[3] << 32 | (uint64_t)in[4] << 24 | (uint64_t)in[5] << 16 |
                         (uint64_t)in[6] << 8 | in[7];
        memcpy(out, pairs[group >> 52], 2);
        memcpy(out + 2, pairs[group >> 40 & 4095], 2);
        memcpy(out + 4, pairs[group >> 28 & 4095], 2);
        memcpy(out + 6, pairs[group >> 16 & 4095], 2);
    }
    for (; p_len >= 3; p_len -= 3, in += 3) {
        uint32_t group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = alphabet[group >> 6 & 63];
        *out++ = alphabet[group & 63];
    }
    if (p_len != 0) {
        uint32_t group = (uint32_t)in[0] << 16 | (p_len == 2 ? (uint32_t)in[1] << 8 : 0);
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = p_len == 2 ? alphabet[group >> 6 & 63] : '=';
        *out++ = '=';
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
