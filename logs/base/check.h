// Checks for our own mistakes, and allocation that cannot fail quietly.
//
// Three kinds of bad news have three mechanisms: the peer is odd (a note in the record), the world
// said no (`false` and a filled `struct err`), we are wrong (`CHECK`). Out of memory is the third.
#ifndef LOGS_BASE_CHECK_H_
#define LOGS_BASE_CHECK_H_

#include <stddef.h>

// CHECK aborts with file, line and expression when `cond` is false. It is never compiled out.
#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

#define WUNRES __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

// check_failed prints `expr` with its place to standard error and aborts.
NORETURN void check_failed(const char *file, int line, const char *expr);

// xmalloc, xcalloc and xrealloc never return NULL: out of memory aborts with a message. The caller
// owns the result and frees it with `free`.
WUNRES void *xmalloc(size_t size);
WUNRES void *xcalloc(size_t num, size_t size);
WUNRES void *xrealloc(void *p, size_t size);

// xstrdup copies the NUL-terminated `s`; xmemdup copies `p_len` bytes and appends a NUL that is not
// counted. The caller frees the result.
WUNRES char *xstrdup(const char *s);
WUNRES void *xmemdup(const void *p, size_t p_len);

#endif // LOGS_BASE_CHECK_H_
