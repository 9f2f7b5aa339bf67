#include "policy/ca/lru.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"

struct entry {
    struct lru_key key;
    void *value;
    struct entry *next_in_bucket;
    struct entry *newer, *older;
};

struct lru {
    const struct lru_kind *kind;
    size_t max_entries, max_bytes;
    pthread_mutex_t lock; // guards all below
    struct entry **buckets;
    size_t num_buckets; // a power of two
    struct entry *newest, *oldest;
    struct lru_stats stats;
};

struct lru *lru_new(const struct lru_kind *kind, size_t max_entries, size_t max_bytes) {
    CHECK(max_entries != 0);
    struct lru *lru = xcalloc(1, sizeof(*lru));
    lru->kind = kind;
    lru->max_entries = max_entries;
    lru->max_bytes = max_bytes;
    for (lru->num_buckets = 16; lru->num_buckets < max_entries;) {
        lru->num_buckets *= 2;
    }
    lru->buckets = xcalloc(lru->num_buckets, sizeof(struct entry *));
    CHECK(pthread_mutex_init(&lru->lock, NULL) == 0);
    return lru;
}

static struct entry **bucket(struct lru *lru, const struct lru_key *key) {
    size_t n;
    memcpy(&n, key->hash, sizeof(n));
    return &lru->buckets[n & (lru->num_buckets - 1)];
}

static struct entry *find(struct lru *lru, const struct lru_key *key) {
    struct entry *entry = *bucket(lru, key);
    while (entry != NULL && memcmp(&entry->key, key, sizeof(*key)) != 0) {
        entry = entry->next_in_bucket;
    }
    return entry;
}

static void list_remove(struct lru *lru, struct entry *entry) {
    *(entry->newer != NULL ? &entry->newer->older : &lru->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &lru->oldest) = entry->newer;
}

static void list_add(struct lru *lru, struct entry *entry) {
    entry->newer = NULL;
    entry->older = lru->newest;
    *(lru->newest != NULL ? &lru->newest->newer : &lru->oldest) = entry;
    lru->newest = entry;
}

static void drop(struct lru *lru, struct entry *entry) {
    struct entry **at = bucket(lru, &entry->key);
    while (*at != entry) {
        at = &(*at)->next_in_bucket;
    }
    *at = entry->next_in_bucket;
    list_remove(lru, entry);
    lru->stats.entries--;
    lru->stats.bytes -= lru->kind->size(entry->value);
    lru->kind->unref(entry->value);
    free(entry);
}

void lru_free(struct lru *lru) {
    if (lru == NULL) {
        return;
    }
    while (lru->oldest != NULL) {
        drop(lru, lru->oldest);
    }
    pthread_mutex_destroy(&lru->lock);
    free(lru->buckets);
    free(lru);
}

void *lru_get(struct lru *lru, const struct lru_key *key, int64_t now) {
    void *value = NULL;
    CHECK(pthread_mutex_lock(&lru->lock) == 0);
    struct entry *entry = find(lru, key);
    if (entry != NULL && !lru->kind->fresh(entry->value, now)) {
        drop(lru, entry);
        lru->stats.stale++;
        entry = NULL;
    }
    if (entry != NULL) {
        list_remove(lru, entry);
        list_add(lru, entry);
        value = lru->kind->ref(entry->value);
    }
    lru->stats.hits += value != NULL;
    lru->stats.misses += value == NULL;
    CHECK(pthread_mutex_unlock(&lru->lock) == 0);
    return value;
}

void *lru_put(struct lru *lru, const struct lru_key *key, void *value) {
    void *unused = NULL;
    CHECK(pthread_mutex_lock(&lru->lock) == 0);
    struct entry *entry = find(lru, key);
    if (entry != NULL) {
        unused = value;
        value = lru->kind->ref(entry->value);
    } else {
        entry = xcalloc(1, sizeof(*entry));
        entry->key = *key;
        entry->value = lru->kind->ref(value);
        struct entry **at = bucket(lru, key);
        entry->next_in_bucket = *at;
        *at = entry;
        list_add(lru, entry);
        lru->stats.entries++;
        lru->stats.bytes += lru->kind->size(value);
        while (lru->stats.entries > lru->max_entries || lru->stats.bytes > lru->max_bytes) {
            drop(lru, lru->oldest);
            lru->stats.evicted++;
        }
    }
    CHECK(pthread_mutex_unlock(&lru->lock) == 0);
    if (unused != NULL) {
        lru->kind->unref(unused);
    }
    return value;
}

struct lru_stats lru_stats(struct lru *lru) {
    CHECK(pthread_mutex_lock(&lru->lock) == 0);
    struct lru_stats stats = lru->stats;
    CHECK(pthread_mutex_unlock(&lru->lock) == 0);
    return stats;
}
