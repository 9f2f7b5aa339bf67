#include "policy/ca/verification_pack.h"

#include <stdalign.h>
#include <string.h>

// struct room is where copies go, one behind the other. Without memory they are only counted.
struct room {
    uint8_t *memory;
    size_t used;
};

// room_take copies `len` bytes and makes `*p` the copy.
static void room_take(struct room *room, const void **p, size_t len) {
    if (room->memory != NULL && len != 0) {
        *p = memcpy(room->memory + room->used, *p, len);
    }
    room->used += len;
}

static void take_text(struct room *room, const char **text) {
    if (*text != NULL) {
        const void *p = *text;
        room_take(room, &p, strlen(*text) + 1);
        *text = p;
    }
}

static void take_bytes(struct room *room, CBS *bytes) {
    const void *p = CBS_data(bytes);
    room_take(room, &p, CBS_len(bytes));
    CBS_init(bytes, p, CBS_len(bytes));
}

// take_array copies an array before all text, so that it is aligned. NULL where it is empty.
static void *take_array(struct room *room, const void *array, size_t num, size_t size) {
    CHECK(room->used % alignof(struct trust_try) == 0);
    room_take(room, &array, num * size);
    return num != 0 ? (void *)array : NULL;
}

static void take_try(struct room *room, struct trust_try *try) {
    for (size_t i = 0; i < try->num_subjects; i++) {
        take_text(room, &try->subjects[i]);
    }
    for (size_t i = 0; i < try->num_because; i++) {
        take_text(room, &try->because[i]);
    }
}

static void take_all(struct room *room, struct verification *v) {
    v->defects = take_array(room, v->defects, v->num_defects, sizeof(*v->defects));
    v->path = take_array(room, v->path, v->num_path, sizeof(*v->path));
    v->tries = take_array(room, v->tries, v->num_tries, sizeof(*v->tries));
    for (size_t i = 0; i < v->num_defects; i++) {
        take_text(room, &v->defects[i].says);
    }
    for (size_t i = 0; i < v->num_path; i++) {
        take_text(room, &v->path[i].subject);
    }
    for (size_t i = 0; i < v->num_tries; i++) {
        take_try(room, &v->tries[i]);
    }
    take_bytes(room, &v->issuer);
    take_text(room, &v->missing_issuer);
    take_text(room, &v->ca_issuers);
}

void verification_pack(struct verification *verification) {
    struct verification *v = verification;
    CHECK(v->held == NULL);
    struct room room = {0};
    take_all(&room, v); // counts
    if (room.used != 0) {
        v->held_len = room.used;
        v->held = room.memory = xmalloc(room.used);
        room.used = 0;
        take_all(&room, v);
        CHECK(room.used == v->held_len);
    }
    arena_cleanup(&v->arena);
}
