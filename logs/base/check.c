#include "logs/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_failed(const char *file, int line, const char *expr) {
    fprintf(stderr, "tlsblame: internal error at %s:%d: %s\n", file, line, expr);
    abort();
}

static void *or_die(void *p, size_t size) {
    if (p == NULL) {
        fprintf(stderr, "tlsblame: out of memory (%zu bytes)\n", size);
        abort();
    }
    return p;
}

// For a size of 0 the C library may answer NULL, or free what it was given.
static size_t at_least_1(size_t size) { return size != 0 ? size : 1; }

void *xmalloc(size_t size) { return or_die(malloc(at_least_1(size)), size); }

void *xcalloc(size_t num, size_t size) {
    return or_die(calloc(at_least_1(num), at_least_1(size)), num * size);
}

void *xrealloc(void *p, size_t size) { return or_die(realloc(p, at_least_1(size)), size); }

char *xstrdup(const char *s) { return xmemdup(s, strlen(s)); }

void *xmemdup(const void *p, size_t p_len) {
    char *copy = xmalloc(p_len + 1);
    if (p_len != 0) {
        memcpy(copy, p, p_len);
    }
    copy[p_len] = '\0';
    return copy;
}
