#include "logs/base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A chunk is a sixteenth of what there is already, for its end may stay empty for as long as the
// arena lives, and some thousands of them do at a time. Up to 16 KiB all are of one size, which the
// allocator hands out and takes back quickest.
enum { ALIGNMENT = 8, CHUNK_MIN = 984, CHUNK_MAX = 16 * 1024 - 16, CHUNK_SHARE = 16 };

struct arena_chunk {
    struct arena_chunk *next;
    uint32_t used, cap;
    max_align_t data[];
};

// struct arena_hook lies in the arena itself.
struct arena_hook {
    struct arena_hook *next;
    void (*fn)(void *arg);
    void *arg;
};

static size_t align_up(size_t n) {
    CHECK(n <= UINT32_MAX / 2);
    return (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static struct arena_chunk *chunk_new(size_t cap) {
    struct arena_chunk *chunk = xmalloc(sizeof(*chunk) + cap);
    chunk->next = NULL;
    chunk->used = 0;
    chunk->cap = (uint32_t)cap;
    return chunk;
}

// take returns `size` bytes with whatever is in them.
static void *take(struct arena *arena, size_t size) {
    size = align_up(size);
    struct arena_chunk *chunk = arena->head;
    if (chunk == NULL || chunk->cap - chunk->used < size) {
        size_t grow = arena->used / CHUNK_SHARE;
        size_t cap = grow < CHUNK_MIN ? CHUNK_MIN : grow < CHUNK_MAX ? grow : CHUNK_MAX;
        if (size > cap / 2 && chunk != NULL) {
            // A large piece gets a chunk of its own size, behind the head that still has room.
            struct arena_chunk *own = chunk_new(size);
            own->next = chunk->next;
            chunk->next = own;
            chunk = own;
        } else {
            chunk = chunk_new(cap > size ? cap : size);
            chunk->next = arena->head;
            arena->head = chunk;
        }
    }
    void *p = (uint8_t *)chunk->data + chunk->used;
    chunk->used += (uint32_t)size;
    arena->used += size;
    return p;
}

void *arena_alloc(struct arena *arena, size_t size) { return memset(take(arena, size), 0, size); }

void *arena_dup(struct arena *arena, const void *p, size_t p_len) {
    char *copy = take(arena, p_len + 1);
    if (p_len != 0) {
        memcpy(copy, p, p_len);
    }
    copy[p_len] = '\0';
    return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    CHECK(n >= 0);
    char *p = arena_alloc(arena, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

void arena_on_cleanup(struct arena *arena, void (*fn)(void *arg), void *arg) {
    struct arena_hook *hook = arena_alloc(arena, sizeof(*hook));
    *hook = (struct arena_hook){.next = arena->hooks, .fn = fn, .arg = arg};
    arena->hooks = hook;
}

void arena_cleanup(struct arena *arena) {
    for (struct arena_hook *hook = arena->hooks; hook != NULL; hook = hook->next) {
        hook->fn(hook->arg);
    }
    for (struct arena_chunk *chunk = arena->head, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    *arena = (struct arena){0};
}
