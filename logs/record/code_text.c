#include "logs/record/code_text.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/thread_own.h"

enum { SLOTS = 128, CODES_MIN = 3, CODES_MAX = 64 };

struct slot {
    uint16_t codes[CODES_MAX];
    uint8_t num, registry;
    uint32_t text_len;
    uint8_t *text;
};

// struct memo is one thread's.
struct memo {
    struct slot slots[SLOTS];
};

static void memo_free(void *value) {
    struct memo *memo = value;
    for (size_t i = 0; i < SLOTS; i++) {
        free(memo->slots[i].text);
    }
    free(memo);
}

static struct thread_own memos = THREAD_OWN(sizeof(struct memo), memo_free);

// slot_of returns the place of a list, which may hold another one, or NULL for a list that is not
// kept.
static struct slot *slot_of(enum registry registry, const uint16_t *codes, size_t num) {
    if (num < CODES_MIN || num > CODES_MAX) {
        return NULL;
    }
    struct memo *memo = thread_own_get(&memos);
    uint32_t hash = registry; // FNV-1a
    for (size_t i = 0; i < num; i++) {
        hash = (hash ^ codes[i]) * 16777619u;
    }
    return &memo->slots[(hash ^ hash >> 16) % SLOTS];
}

struct span code_text_find(enum registry registry, const uint16_t *codes, size_t num) {
    const struct slot *slot = slot_of(registry, codes, num);
    if (slot == NULL || slot->num != num || slot->registry != registry ||
        memcmp(slot->codes, codes, num * sizeof(*codes)) != 0) {
        return (struct span){NULL, 0};
    }
    return (struct span){slot->text, slot->text_len};
}

void code_text_keep(enum registry registry, const uint16_t *codes, size_t num, struct span text) {
    struct slot *slot = slot_of(registry, codes, num);
    if (slot == NULL) {
        return;
    }
    free(slot->text);
    slot->text = xmemdup(text.p, text.len);
    slot->text_len = (uint32_t)text.len;
    slot->num = (uint8_t)num;
    slot->registry = (uint8_t)registry;
    memcpy(slot->codes, codes, num * sizeof(*codes));
}
