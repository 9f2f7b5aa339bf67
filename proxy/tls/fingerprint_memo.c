#include "proxy/tls/fingerprint_memo.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/thread_own.h"
#include "logs/record/codepoint.h"
#include "proxy/tls/extension.h"

enum { SLOTS = 64, KEY_MAX = 512, TEXT_MAX = 8 * 1024, SERVER_TEXT_MAX = 4 * 1024 };

// struct key is all that the fingerprints of a hello depend on, as code points, with GREASE made
// equal. A longer hello is not remembered.
struct key {
    size_t num;
    uint16_t codes[KEY_MAX];
};

struct slot {
    struct key key;
    struct fingerprints prints;
};

// struct memo is one thread's; `key` is that of the hello at hand.
struct memo {
    struct slot clients[SLOTS], servers[SLOTS], once;
    struct key key;
};

static void prints_cleanup(struct fingerprints *prints) {
    buf_cleanup(&prints->ja3_text);
    buf_cleanup(&prints->ja4_raw);
}

static void memo_free(void *value) {
    struct memo *memo = value;
    for (size_t i = 0; i < SLOTS; i++) {
        prints_cleanup(&memo->clients[i].prints);
        prints_cleanup(&memo->servers[i].prints);
    }
    prints_cleanup(&memo->once.prints);
    free(memo);
}

static struct thread_own memos = THREAD_OWN(sizeof(struct memo), memo_free);

// add_code counts on when there is no room, which says that the hello is too long.
static void add_code(struct key *key, uint16_t code) {
    if (key->num < KEY_MAX) {
        key->codes[key->num] = code;
    }
    key->num++;
}

static uint16_t normal(enum registry registry, uint16_t code) {
    return codepoint_is_grease(registry, code) ? 0x0a0a : code;
}

static void add_list(struct key *key, const struct code_list *list, enum registry registry) {
    add_code(key, (uint16_t)list->num);
    for (size_t i = 0; i < list->num && key->num < KEY_MAX; i++) {
        add_code(key, normal(registry, (uint16_t)code_list_at(list, i)));
    }
}

static void add_alpn(struct key *key, const struct client_hello *hello) {
    CBS names = hello->alpn, name;
    if (!name_next(&names, &name)) {
        add_code(key, UINT16_MAX);
        return;
    }
    add_code(key, (uint16_t)CBS_len(&name));
    for (size_t i = 0; i < CBS_len(&name); i++) {
        add_code(key, CBS_data(&name)[i]);
    }
}

static void add_extensions(struct key *key, CBS block) {
    struct extension extension;
    while (key->num < KEY_MAX && extension_next(&block, &extension)) {
        add_code(key, normal(REGISTRY_EXTENSION, extension.type));
    }
    if (CBS_len(&block) != 0) {
        key->num = KEY_MAX + 1; // cut short, or not readable to its end
    }
}

static void key_of_client(struct key *key, const struct client_hello *hello) {
    key->num = 0;
    add_code(key, hello->legacy_version);
    add_code(key, client_hello_max_version(hello));
    add_list(key, &hello->ciphers, REGISTRY_CIPHER);
    add_list(key, &hello->groups, REGISTRY_GROUP);
    add_list(key, &hello->point_formats, REGISTRY_POINT_FORMAT);
    add_list(key, &hello->sigalgs, REGISTRY_SIGNATURE_SCHEME);
    add_alpn(key, hello);
    add_extensions(key, hello->extensions);
}

static void key_of_server(struct key *key, const struct server_hello *hello) {
    key->num = 0;
    add_code(key, hello->legacy_version);
    add_code(key, hello->cipher);
    add_extensions(key, hello->extensions);
}

// FNV-1a, whose collisions cost a computation and no more.
static uint32_t key_hash(const struct key *key) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < key->num; i++) {
        hash = (hash ^ key->codes[i]) * 16777619u;
    }
    return hash ^ hash >> 16;
}

static void text_drop(struct buf *text, bool whole) {
    if (!whole) {
        buf_cleanup(text);
    }
}

static void prints_of_client(struct fingerprints *prints, const struct client_hello *hello) {
    prints_cleanup(prints);
    buf_init(&prints->ja3_text, TEXT_MAX);
    buf_init(&prints->ja4_raw, TEXT_MAX);
    CHECK(fingerprint_ja3(prints->ja3, hello) && fingerprint_ja4(prints->ja4, JA4_TCP, hello));
    text_drop(&prints->ja3_text, fingerprint_ja3_text(&prints->ja3_text, hello));
    text_drop(&prints->ja4_raw, fingerprint_ja4_raw(&prints->ja4_raw, JA4_TCP, hello));
}

static void prints_of_server(struct fingerprints *prints, const struct server_hello *hello) {
    prints_cleanup(prints);
    buf_init(&prints->ja3_text, SERVER_TEXT_MAX);
    CHECK(fingerprint_ja3s(prints->ja3, hello));
    text_drop(&prints->ja3_text, fingerprint_ja3s_text(&prints->ja3_text, hello));
}

// slot_of returns where the hello with the memo's key belongs, and whether it is there already.
static struct slot *slot_of(struct memo *memo, struct slot *slots, bool *out_known) {
    const struct key *key = &memo->key;
    *out_known = false;
    if (key->num > KEY_MAX) {
        return &memo->once;
    }
    struct slot *slot = &slots[key_hash(key) % SLOTS];
    size_t size = key->num * sizeof(key->codes[0]);
    *out_known = slot->key.num == key->num && memcmp(slot->key.codes, key->codes, size) == 0;
    slot->key.num = key->num;
    memcpy(slot->key.codes, key->codes, size);
    return slot;
}

const struct fingerprints *fingerprint_memo_client(const struct client_hello *hello) {
    if (hello->sslv2) {
        return NULL; // neither is defined for it
    }
    bool known;
    struct memo *memo = thread_own_get(&memos);
    key_of_client(&memo->key, hello);
    struct slot *slot = slot_of(memo, memo->clients, &known);
    if (!known) {
        prints_of_client(&slot->prints, hello);
    }
    return &slot->prints;
}

const struct fingerprints *fingerprint_memo_server(const struct server_hello *hello) {
    bool known;
    struct memo *memo = thread_own_get(&memos);
    key_of_server(&memo->key, hello);
    struct slot *slot = slot_of(memo, memo->servers, &known);
    if (!known) {
        prints_of_server(&slot->prints, hello);
    }
    return &slot->prints;
}
