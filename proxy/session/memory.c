#include "proxy/session/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "third_party/boringssl/boringssl.h"

enum { STAPLES_MAX = 64, STAPLE_MAX = 16 * 1024 };

// struct fact is one thing about a pair of names, found by the hash of both.
struct fact {
    uint64_t key; // 0: none
    uint32_t count;
    size_t reaction;
    int64_t until_us;
};

struct facts {
    struct fact rows[MEMORY_MAX];
    size_t next; // the row to take next
};

struct memory {
    pthread_mutex_t lock;
    uint64_t random;
    struct facts counts, punished;
    struct {
        uint64_t key;
        uint8_t *p;
        size_t len;
    } staples[STAPLES_MAX];
    size_t next_staple;
};

struct memory *memory_new(uint64_t seed) {
    struct memory *memory = xcalloc(1, sizeof(*memory));
    memory->random = seed;
    pthread_mutex_init(&memory->lock, NULL);
    return memory;
}

void memory_free(struct memory *memory) {
    if (memory != NULL) {
        for (size_t i = 0; i < STAPLES_MAX; i++) {
            free(memory->staples[i].p);
        }
        pthread_mutex_destroy(&memory->lock);
        free(memory);
    }
}

static uint64_t key_of(const uint8_t *ip, const char *name) {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    uint64_t key;
    SHA256_CTX sha;
    SHA256_Init(&sha);
    if (ip != NULL) {
        SHA256_Update(&sha, ip, 16);
    }
    SHA256_Update(&sha, name, strlen(name));
    SHA256_Final(digest, &sha);
    memcpy(&key, digest, sizeof(key));
    return key | 1;
}

static struct fact *find(struct facts *facts, uint64_t key) {
    for (size_t i = 0; i < MEMORY_MAX; i++) {
        if (facts->rows[i].key == key) {
            return &facts->rows[i];
        }
    }
    return NULL;
}

// find_or_add returns the row of `key`, a fresh one in the place of the oldest if need be.
static struct fact *find_or_add(struct facts *facts, uint64_t key) {
    struct fact *fact = find(facts, key);
    if (fact == NULL) {
        fact = &facts->rows[facts->next++ % MEMORY_MAX];
        *fact = (struct fact){.key = key};
    }
    return fact;
}

uint32_t memory_count(struct memory *memory, const uint8_t *ip, const char *host) {
    uint64_t key = key_of(ip, host);
    pthread_mutex_lock(&memory->lock);
    uint32_t count = ++find_or_add(&memory->counts, key)->count;
    pthread_mutex_unlock(&memory->lock);
    return count;
}

double memory_draw(struct memory *memory) {
    pthread_mutex_lock(&memory->lock);
    uint64_t x = memory->random += UINT64_C(0x9e3779b97f4a7c15); // SplitMix64
    pthread_mutex_unlock(&memory->lock);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return (double)(x >> 11) * 0x1p-53;
}

void memory_punish(struct memory *memory, const uint8_t *ip, const char *server, size_t reaction,
                   int64_t until_us) {
    uint64_t key = key_of(ip, server);
    pthread_mutex_lock(&memory->lock);
    struct fact *fact = find_or_add(&memory->punished, key);
    fact->reaction = reaction;
    fact->until_us = until_us;
    pthread_mutex_unlock(&memory->lock);
}

bool memory_punished(struct memory *memory, size_t *out_reaction, const uint8_t *ip,
                     const char *server, int64_t now_us) {
    uint64_t key = key_of(ip, server);
    pthread_mutex_lock(&memory->lock);
    const struct fact *fact = find(&memory->punished, key);
    bool found = fact != NULL && now_us < fact->until_us;
    *out_reaction = found ? fact->reaction : 0;
    pthread_mutex_unlock(&memory->lock);
    return found;
}

size_t memory_staple(struct memory *memory, uint8_t *out, size_t out_max, const char *host,
                     const uint8_t *staple, size_t staple_len) {
    uint64_t key = key_of(NULL, host);
    pthread_mutex_lock(&memory->lock);
    size_t at = 0;
    while (at < STAPLES_MAX && memory->staples[at].key != key) {
        at++;
    }
    if (at == STAPLES_MAX && staple_len != 0 && staple_len <= STAPLE_MAX) {
        at = memory->next_staple++ % STAPLES_MAX;
        free(memory->staples[at].p);
        memory->staples[at].key = key;
        memory->staples[at].p = xmemdup(staple, staple_len);
        memory->staples[at].len = staple_len;
    }
    size_t len =
        at < STAPLES_MAX && memory->staples[at].len <= out_max ? memory->staples[at].len : 0;
    if (len != 0) {
        memcpy(out, memory->staples[at].p, len);
    }
    pthread_mutex_unlock(&memory->lock);
    return len;
}
