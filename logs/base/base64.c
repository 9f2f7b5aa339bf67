#include "logs/base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encoded_len(size_t len) { return (len + 2) / 3 * 4; }

void base64_encode(char *out, const void *p, size_t p_len) {
    const uint8_t *in = p;
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
