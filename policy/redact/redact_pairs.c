#include "policy/redact/redact_pairs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static uint8_t fold(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c; }

void redact_pairs_cleanup(struct redact_pairs *pairs) {
    arena_cleanup(&pairs->arena);
    free(pairs->pairs);
    *pairs = (struct redact_pairs){0};
}

static bool equal(const struct redact_pair *pair, const uint8_t *p) {
    if (!pair->any_case) {
        return memcmp(pair->from, p, pair->from_len) == 0;
    }
    for (size_t i = 0; i < pair->from_len; i++) {
        if (fold(p[i]) != fold(pair->from[i])) {
            return false;
        }
    }
    return true;
}

static bool is_known(const struct redact_pairs *pairs, const struct redact_pair *pair) {
    for (size_t i = pairs->first[fold(pair->from[0])]; i != 0; i = pairs->pairs[i - 1].next) {
        const struct redact_pair *other = &pairs->pairs[i - 1];
        if (other->from_len == pair->from_len && other->in_text == pair->in_text &&
            other->in_raw == pair->in_raw && equal(other, pair->from)) {
            return true;
        }
    }
    return false;
}

// add keeps the first of two pairs for the same.
static void add(struct redact_pairs *pairs, struct redact_pair pair) {
    if (is_known(pairs, &pair) || pairs->num == REDACT_PAIRS_MAX) {
        return;
    }
    if (pairs->num == pairs->cap) {
        pairs->cap = pairs->cap == 0 ? 64 : 2 * pairs->cap;
        pairs->pairs = xrealloc(pairs->pairs, pairs->cap * sizeof(*pairs->pairs));
    }
    pair.from = arena_dup(&pairs->arena, pair.from, pair.from_len);
    pair.to = arena_dup(&pairs->arena, pair.to, pair.to_len);
    size_t *first = &pairs->first[fold(pair.from[0])];
    pair.next = *first;
    pairs->pairs[pairs->num++] = pair;
    *first = pairs->num;
    pairs->sorted = false;
}

static void add_utf16(struct redact_pairs *pairs, const char *from, const char *to, size_t len) {
    uint8_t *wide = xcalloc(4, len);
    for (size_t low = 0; low < 2; low++) {
        memset(wide, 0, 4 * len);
        for (size_t i = 0; i < len; i++) {
            wide[2 * i + low] = (uint8_t)from[i];
            wide[2 * len + 2 * i + low] = (uint8_t)to[i];
        }
        // Without the zero at the outer end, which may be another character's.
        const uint8_t *at = low == 0 ? wide : wide + 1;
        add(pairs, (struct redact_pair){.from = at,
                                        .to = at + 2 * len,
                                        .from_len = 2 * len - 1,
                                        .to_len = 2 * len - 1,
                                        .any_case = true,
                                        .in_raw = true});
    }
    free(wide);
}

void redact_pairs_add_text(struct redact_pairs *pairs, const char *from, const char *to,
                           size_t len) {
    if (len == 0 || memcmp(from, to, len) == 0) {
        return;
    }
    bool shortish = len < REDACT_TEXT_MIN;
    add(pairs, (struct redact_pair){.from = (const uint8_t *)from,
                                    .to = (const uint8_t *)to,
                                    .from_len = len,
                                    .to_len = len,
                                    .any_case = true,
                                    .whole_words = shortish,
                                    .in_text = true,
                                    .in_raw = !shortish});
    if (!shortish) {
        add_utf16(pairs, from, to, len);
    }
}

void redact_pairs_add_address(struct redact_pairs *pairs, const char *from, const char *to,
                              const char *fit) {
    struct redact_pair pair = {.from = (const uint8_t *)from,
                               .to = (const uint8_t *)to,
                               .from_len = strlen(from),
                               .to_len = strlen(to),
                               .any_case = true,
                               .whole_words = true,
                               .in_text = true};
    if (strcmp(from, to) == 0) {
        return;
    }
    CHECK(strlen(fit) == pair.from_len);
    add(pairs, pair);
    pair.to = (const uint8_t *)fit;
    pair.to_len = pair.from_len;
    pair.in_text = false;
    pair.in_raw = true;
    add(pairs, pair);
}

void redact_pairs_add_bytes(struct redact_pairs *pairs, const uint8_t *from, const uint8_t *to,
                            size_t len) {
    static const char digits[] = "0123456789abcdef";
    if (len < REDACT_BYTES_MIN || memcmp(from, to, len) == 0) {
        return;
    }
    add(pairs, (struct redact_pair){
                   .from = from, .to = to, .from_len = len, .to_len = len, .in_raw = true});
    char *hex = xmalloc(4 * len);
    for (size_t i = 0; i < 2 * len; i++) {
        const uint8_t *p = i < len ? &from[i] : &to[i - len];
        hex[2 * i] = digits[*p >> 4];
        hex[2 * i + 1] = digits[*p & 15];
    }
    add(pairs, (struct redact_pair){.from = (const uint8_t *)hex,
                                    .to = (const uint8_t *)hex + 2 * len,
                                    .from_len = 2 * len,
                                    .to_len = 2 * len,
                                    .any_case = true,
                                    .in_text = true});
    free(hex);
}

static int longer_first(const void *a, const void *b) {
    size_t x = ((const struct redact_pair *)a)->from_len;
    size_t y = ((const struct redact_pair *)b)->from_len;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void sort(struct redact_pairs *pairs) {
    if (pairs->sorted || pairs->num == 0) {
        return;
    }
    qsort(pairs->pairs, pairs->num, sizeof(*pairs->pairs), longer_first);
    memset(pairs->first, 0, sizeof(pairs->first));
    for (size_t i = pairs->num; i > 0; i--) {
        size_t *first = &pairs->first[fold(pairs->pairs[i - 1].from[0])];
        pairs->pairs[i - 1].next = *first;
        *first = i;
    }
    pairs->sorted = true;
}

static bool is_beside(const uint8_t *p, size_t p_len, size_t at, size_t len) {
    return (at == 0 || !isalnum(p[at - 1])) && (at + len == p_len || !isalnum(p[at + len]));
}

// match finds the longest pair that fits at `at`.
static const struct redact_pair *match(const struct redact_pairs *pairs, bool raw, const uint8_t *p,
                                       size_t p_len, size_t at) {
    for (size_t i = pairs->first[fold(p[at])]; i != 0; i = pairs->pairs[i - 1].next) {
        const struct redact_pair *pair = &pairs->pairs[i - 1];
        if ((raw ? pair->in_raw : pair->in_text) && pair->from_len <= p_len - at &&
            equal(pair, p + at) &&
            (!pair->whole_words || is_beside(p, p_len, at, pair->from_len))) {
            return pair;
        }
    }
    return NULL;
}

bool redact_pairs_text(struct redact_pairs *pairs, struct buf *out, const void *p, size_t p_len) {
    const uint8_t *bytes = p;
    bool ok = true;
    sort(pairs);
    for (size_t at = 0; at < p_len && ok;) {
        const struct redact_pair *pair = match(pairs, false, bytes, p_len, at);
        ok =
            pair != NULL ? buf_append(out, pair->to, pair->to_len) : buf_append(out, bytes + at, 1);
        at += pair != NULL ? pair->from_len : 1;
    }
    return ok;
}

void redact_pairs_raw(struct redact_pairs *pairs, uint8_t *p, size_t p_len) {
    sort(pairs);
    for (size_t at = 0; at < p_len;) {
        const struct redact_pair *pair = match(pairs, true, p, p_len, at);
        if (pair != NULL) {
            memcpy(p + at, pair->to, pair->to_len);
        }
        at += pair != NULL ? pair->from_len : 1;
    }
}
