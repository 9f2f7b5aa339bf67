// Memory that lives as long as its owner and is freed at once.
#ifndef LOGS_BASE_ARENA_H_
#define LOGS_BASE_ARENA_H_

#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

struct arena_chunk;
struct arena_hook;

// struct arena is owned by its caller; everything taken from it is freed by `arena_cleanup`. A
// zeroed struct is an empty arena.
struct arena {
    struct arena_chunk *head;
    size_t used; // bytes handed out, for ceilings and memory reports
    struct arena_hook *hooks;
};

// arena_alloc returns `size` zeroed bytes aligned for pointers, int64_t and double; it never fails.
WUNRES void *arena_alloc(struct arena *arena, size_t size);

// arena_dup copies `p_len` bytes and appends a NUL that is not counted.
WUNRES void *arena_dup(struct arena *arena, const void *p, size_t p_len);

// arena_printf formats into the arena.
PRINTF(2, 3) WUNRES char *arena_printf(struct arena *arena, const char *fmt, ...);

// arena_on_cleanup lets `fn` be called with `arg` when the arena is cleaned up: for what is in it
// but does not belong to it alone.
void arena_on_cleanup(struct arena *arena, void (*fn)(void *arg), void *arg);

// arena_cleanup frees everything and leaves the arena empty.
void arena_cleanup(struct arena *arena);

#endif // LOGS_BASE_ARENA_H_
