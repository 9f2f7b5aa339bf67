#include "logs/base/base64.h"

#ifdef __x86_64__
#include <tmmintrin.h>
#endif

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encoded_len(size_t len) { return (len + 2) / 3 * 4; }

#ifdef __x86_64__
// encode_twelves writes sixteen digits for each twelve bytes, as long as sixteen can be read, and
// returns how many bytes it took. The way is Wojciech Mula's: each three bytes are laid out so that
// a multiplication shifts their four digits into place, and a table of sixteen says what to add to
// a digit.
__attribute__((target("ssse3"))) static size_t encode_twelves(char *out, const uint8_t *in,
                                                              size_t len) {
    const __m128i layout = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
    const char digit = '0' - 52;
    const __m128i add = _mm_setr_epi8('a' - 26, digit, digit, digit, digit, digit, digit, digit,
                                      digit, digit, digit, '+' - 62, '/' - 63, 'A', 0, 0);
    size_t taken = 0;
    for (; taken + 16 <= len; taken += 12, out += 16) {
        __m128i x = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(in + taken)), layout);
        __m128i odd = _mm_and_si128(x, _mm_set1_epi32(0x0fc0fc00));
        __m128i even = _mm_and_si128(x, _mm_set1_epi32(0x003f03f0));
        __m128i digits = _mm_or_si128(_mm_mulhi_epu16(odd, _mm_set1_epi32(0x04000040)),
                                      _mm_mullo_epi16(even, _mm_set1_epi32(0x01000010)));
        // 13 for capitals, 0 for small letters, 1 to 12 for what follows.
        __m128i capital = _mm_cmpgt_epi8(_mm_set1_epi8(26), digits);
        __m128i which = _mm_or_si128(_mm_subs_epu8(digits, _mm_set1_epi8(51)),
                                     _mm_and_si128(capital, _mm_set1_epi8(13)));
        _mm_storeu_si128((__m128i *)out, _mm_add_epi8(digits, _mm_shuffle_epi8(add, which)));
    }
    return taken;
}
#endif

void base64_encode(char *out, const void *p, size_t p_len) {
    const uint8_t *in = p;
#ifdef __x86_64__
    if (p_len >= 16 && __builtin_cpu_supports("ssse3")) {
        size_t taken = encode_twelves(out, in, p_len);
        out += taken / 3 * 4;
        in += taken;
        p_len -= taken;
    }
#endif
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
