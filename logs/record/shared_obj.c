#include "logs/record/shared_obj.h"

#include <stdlib.h>

#include "logs/record/json.h"

enum { JSON_MAX = 1024 * 1024 };

struct shared_obj *shared_obj_new(enum kind kind) {
    struct shared_obj *shared = xcalloc(1, sizeof(*shared));
    atomic_init(&shared->refs, 1);
    shared->obj = obj_new(&shared->arena, kind);
    return shared;
}

void shared_obj_finish(struct shared_obj *shared) {
    struct buf json;
    buf_init(&json, JSON_MAX);
    // An object beyond the ceiling is written anew each time.
    if (json_write(&json, shared->obj)) {
        const uint8_t *copy = arena_dup(&shared->arena, buf_data(&json), json.len);
        obj_set_json(shared->obj, (struct span){copy, json.len});
    }
    buf_cleanup(&json);
}

struct shared_obj *shared_obj_ref(struct shared_obj *shared) {
    atomic_fetch_add(&shared->refs, 1);
    return shared;
}

void shared_obj_unref(struct shared_obj *shared) {
    if (shared != NULL && atomic_fetch_sub(&shared->refs, 1) == 1) {
        arena_cleanup(&shared->arena);
        free(shared);
    }
}

static void unref(void *shared) { shared_obj_unref(shared); }

void shared_obj_add(struct obj *obj, enum field field, struct shared_obj *shared) {
    obj_add_obj_ref(obj, field, shared->obj);
    arena_on_cleanup(obj_arena(obj), unref, shared_obj_ref(shared));
}
