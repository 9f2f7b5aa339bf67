#include "logs/store/json_skip.h"

#include <endian.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// quote_find returns the first '"' from `p` on, or NULL. Most strings are short: a call for each
// takes longer than to look at eight characters at a time.
static const char *quote_find(const char *p, const char *end) {
    const uint64_t ones = UINT64_MAX / 255, highs = ones * 0x80;
    for (int i = 0; i < 8 && end - p >= 8; i++, p += 8) {
        uint64_t x;
        memcpy(&x, p, sizeof(x));
        x = le64toh(x) ^ ones * '"';
        uint64_t zero = (x - ones) & ~x & highs; // the lowest bit is that of the first zero byte
        if (zero != 0) {
            return p + __builtin_ctzll(zero) / 8;
        }
    }
    return memchr(p, '"', (size_t)(end - p));
}

const char *json_string_end(const char *p, const char *end) {
    for (const char *from = p;;) {
        const char *quote = quote_find(from, end);
        if (quote == NULL) {
            return NULL;
        }
        const char *last = quote;
        while (last > p && last[-1] == '\\') {
            last--;
        }
        from = quote + 1;
        if ((quote - last) % 2 == 0) {
            return from;
        }
    }
}

// struct masks has a bit for each byte of a block.
struct masks {
    uint64_t quotes, backslashes, brackets;
};

// '[' and '{', ']' and '}' differ in one bit.
enum { OTHER_BRACKET = '{' ^ '[' };

#ifdef __SSE2__
static struct masks masks_of(const char *p) {
    struct masks m = {0, 0, 0};
    for (int i = 0; i < JSON_BLOCK; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i folded = _mm_or_si128(x, _mm_set1_epi8(OTHER_BRACKET));
        __m128i quotes = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
        __m128i backslashes = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
        __m128i brackets = _mm_or_si128(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')),
                                        _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
        m.quotes |= (uint64_t)(uint32_t)_mm_movemask_epi8(quotes) << i;
        m.backslashes |= (uint64_t)(uint32_t)_mm_movemask_epi8(backslashes) << i;
        m.brackets |= (uint64_t)(uint32_t)_mm_movemask_epi8(brackets) << i;
    }
    return m;
}
#else
static struct masks masks_of(const char *p) {
    struct masks m = {0, 0, 0};
    for (int i = 0; i < JSON_BLOCK; i++) {
        char folded = (char)(p[i] | OTHER_BRACKET);
        m.quotes |= (uint64_t)(p[i] == '"') << i;
        m.backslashes |= (uint64_t)(p[i] == '\\') << i;
        m.brackets |= (uint64_t)(folded == '{' || folded == '}') << i;
    }
    return m;
}
#endif

// escaped_of returns the bytes that follow a backslash which is not itself escaped.
static uint64_t escaped_of(struct json_state *state, uint64_t backslashes) {
    uint64_t escaped = state->escaped;
    state->escaped = 0;
    for (uint64_t rest = backslashes & ~escaped; rest != 0;) {
        uint64_t first = rest & -rest;
        escaped |= first << 1;
        state->escaped = first >> (JSON_BLOCK - 1);
        rest &= ~first & ~(first << 1);
    }
    return escaped;
}

uint64_t json_brackets(struct json_state *state, const char *p) {
    struct masks m = masks_of(p);
    if ((m.backslashes | state->escaped) != 0) {
        m.quotes &= ~escaped_of(state, m.backslashes);
    }
    if (m.brackets == 0) { // as in most blocks
        state->in_string ^= __builtin_parityll(m.quotes) != 0 ? UINT64_MAX : 0;
        return 0;
    }
    // Each bit becomes the parity of the quotes up to it: odd inside a string.
    uint64_t inside = m.quotes;
    for (int shift = 1; shift < JSON_BLOCK; shift *= 2) {
        inside ^= inside << shift;
    }
    inside ^= state->in_string;
    state->in_string = inside >> (JSON_BLOCK - 1) != 0 ? UINT64_MAX : 0;
    return m.brackets & ~inside;
}
