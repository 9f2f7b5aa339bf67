#include <stdlib.h>
#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_list.h"

enum { BINDER_LEN = 32, X25519_LEN = 32, PSK_DHE_KE = 1 };

// The list inside an extension: the bytes of its length and of its numbers.
// clang-format off
static const struct {
    uint16_t type;
    enum registry registry;
    uint8_t prefix, width;
} lists[] = {
    {EXT_SUPPORTED_GROUPS,          REGISTRY_GROUP,            2, 2},
    {EXT_SIGNATURE_ALGORITHMS,      REGISTRY_SIGNATURE_SCHEME, 2, 2},
    {EXT_SIGNATURE_ALGORITHMS_CERT, REGISTRY_SIGNATURE_SCHEME, 2, 2},
    {EXT_SUPPORTED_VERSIONS,        REGISTRY_VERSION,          1, 2},
    {EXT_PSK_KEY_EXCHANGE_MODES,    REGISTRY_PSK_MODE,         1, 1},
    {EXT_DELEGATED_CREDENTIAL,      REGISTRY_SIGNATURE_SCHEME, 2, 2},
};
// clang-format on

// Steele and others' SplitMix64: the same seed gives the same hello.
static uint64_t seed_next(uint64_t *seed) {
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void seed_fill(uint64_t *seed, uint8_t *out, size_t out_len) {
    for (size_t i = 0; i < out_len; i++) {
        out[i] = (uint8_t)seed_next(seed);
    }
}

static uint16_t seed_grease(uint64_t *seed) {
    return (uint16_t)(0x0a0a + 0x1010 * (seed_next(seed) % 16));
}

// Takes GREASE out of numbers of `width` bytes. It returns whether there was any.
static bool numbers_strip(struct hello_list *out, enum registry registry, const uint8_t *p,
                          size_t p_len, size_t width) {
    bool any = false;
    for (size_t at = 0; at + width <= p_len; at += width) {
        uint32_t number = hello_list_at(p + at, width);
        if (number <= UINT16_MAX && codepoint_is_grease(registry, (uint16_t)number)) {
            any = true;
        } else {
            hello_list_number(out, number, width);
        }
    }
    return any;
}

static bool ciphers_strip(struct hello_draft *draft) {
    struct hello_list list = {0};
    size_t width = draft->format == HELLO_FORMAT_SSLV2 ? 3 : 2;
    bool any = numbers_strip(&list, REGISTRY_CIPHER, draft->ciphers.p, draft->ciphers.len, width);
    if (any) {
        hello_bytes_set(&draft->ciphers, list.p, list.len);
    }
    hello_list_cleanup(&list);
    return any;
}

static bool list_strip(struct hello_draft *draft, size_t i) {
    const struct hello_extension *extension = hello_edit_find(draft, lists[i].type);
    struct hello_list list = {0};
    if (extension == NULL || extension->body.len < lists[i].prefix) {
        return false;
    }
    bool any = numbers_strip(&list, lists[i].registry, extension->body.p + lists[i].prefix,
                             extension->body.len - lists[i].prefix, lists[i].width);
    if (any) {
        hello_list_set(draft, lists[i].type, lists[i].prefix, &list);
    }
    hello_list_cleanup(&list);
    return any;
}

static bool alpn_strip(struct hello_draft *draft) {
    const struct hello_extension *extension = hello_edit_find(draft, EXT_ALPN);
    struct hello_list list = {0};
    bool any = false;
    CBS body, names, name;
    if (extension == NULL) {
        return false;
    }
    CBS_init(&body, extension->body.p, extension->body.len);
    for (bool ok = CBS_get_u16_length_prefixed(&body, &names); ok && name_next(&names, &name);) {
        if (CBS_len(&name) == 2 &&
            codepoint_is_grease(REGISTRY_EXTENSION, (uint16_t)hello_list_at(CBS_data(&name), 2))) {
            any = true;
        } else {
            hello_list_name(&list, CBS_data(&name), CBS_len(&name), 1);
        }
    }
    if (any) {
        hello_list_set(draft, EXT_ALPN, 2, &list);
    }
    hello_list_cleanup(&list);
    return any;
}

static bool extensions_strip(struct hello_draft *draft) {
    size_t before = draft->num_extensions;
    for (size_t i = draft->num_extensions; i > 0; i--) {
        if (codepoint_is_grease(REGISTRY_EXTENSION, draft->extensions[i - 1].type)) {
            hello_edit_remove_at(draft, i - 1);
        }
    }
    return draft->num_extensions != before;
}

static bool shares_strip(struct hello_draft *draft) {
    bool any = false;
    for (uint32_t grease = 0x0a0a; grease <= 0xfafa; grease += 0x1010) {
        any = hello_edit_remove_key_share(draft, (uint16_t)grease) || any;
    }
    return any;
}

bool hello_edit_remove_grease(struct hello_draft *draft) {
    bool any = ciphers_strip(draft);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        any = list_strip(draft, i) || any;
    }
    any = alpn_strip(draft) || any;
    any = shares_strip(draft) || any;
    return extensions_strip(draft) || any;
}

// Puts `code` in front of a list that is there.
static void list_prepend(struct hello_draft *draft, uint16_t type, size_t prefix, uint16_t code) {
    const struct hello_extension *extension = hello_edit_find(draft, type);
    struct hello_list list = {0};
    if (extension == NULL || extension->body.len < prefix) {
        return;
    }
    hello_list_number(&list, code, 2);
    hello_list_bytes(&list, extension->body.p + prefix, extension->body.len - prefix);
    hello_list_set(draft, type, prefix, &list);
}

static void share_prepend(struct hello_draft *draft, uint16_t group) {
    const struct hello_extension *extension = hello_edit_find(draft, EXT_KEY_SHARE);
    struct hello_list list = {0};
    if (extension == NULL || extension->body.len < 2) {
        return;
    }
    hello_list_number(&list, group, 2);
    hello_list_name(&list, (const uint8_t[]){0}, 1, 2);
    hello_list_bytes(&list, extension->body.p + 2, extension->body.len - 2);
    hello_list_set(draft, EXT_KEY_SHARE, 2, &list);
}

static void cipher_prepend(struct hello_draft *draft, uint16_t cipher) {
    struct hello_list list = {0};
    hello_list_number(&list, cipher, 2);
    hello_list_bytes(&list, draft->ciphers.p, draft->ciphers.len);
    if (list.overflow || hello_draft_len(draft) + 2 > HELLO_DRAFT_MAX) {
        draft->overflow = true;
    } else {
        hello_bytes_set(&draft->ciphers, list.p, list.len);
    }
    hello_list_cleanup(&list);
}

// Padding and pre_shared_key stay behind the last GREASE.
static size_t grease_position(const struct hello_draft *draft) {
    size_t position = draft->num_extensions;
    while (position > 0 && (draft->extensions[position - 1].type == EXT_PRE_SHARED_KEY ||
                            draft->extensions[position - 1].type == EXT_PADDING)) {
        position--;
    }
    return position;
}

void hello_edit_add_grease(struct hello_draft *draft, uint64_t seed) {
    uint16_t cipher = seed_grease(&seed), group = seed_grease(&seed), version = seed_grease(&seed);
    uint16_t first = seed_grease(&seed), last = seed_grease(&seed), sigalg = seed_grease(&seed);
    if (last == first) {
        last ^= 0x1010; // two extensions of one type would be an error
    }
    cipher_prepend(draft, cipher);
    list_prepend(draft, EXT_SUPPORTED_GROUPS, 2, group);
    list_prepend(draft, EXT_SUPPORTED_VERSIONS, 1, version);
    list_prepend(draft, EXT_SIGNATURE_ALGORITHMS, 2, sigalg);
    share_prepend(draft, group);
    hello_edit_insert(draft, 0, first, NULL, 0);
    hello_edit_insert(draft, grease_position(draft), last, (const uint8_t[]){0}, 1);
}

void hello_edit_alpn_grease(struct hello_draft *draft, uint64_t seed) {
    const struct hello_extension *extension = hello_edit_find(draft, EXT_ALPN);
    uint16_t code = seed_grease(&seed);
    const uint8_t name[] = {(uint8_t)(code >> 8), (uint8_t)code};
    struct hello_list list = {0};
    if (extension == NULL || extension->body.len < 2) {
        return;
    }
    hello_list_name(&list, name, sizeof(name), 1);
    hello_list_bytes(&list, extension->body.p + 2, extension->body.len - 2);
    hello_list_set(draft, EXT_ALPN, 2, &list);
    hello_list_cleanup(&list);
}

void hello_edit_ech_grease(struct hello_draft *draft, uint64_t seed, size_t payload_len) {
    enum { OUTER = 0, HKDF_SHA256 = 1, AES_128_GCM = 1 };
    struct hello_list list = {0};
    uint8_t random[1 + X25519_LEN];
    if (payload_len > UINT16_MAX) {
        draft->overflow = true;
        return;
    }
    seed_fill(&seed, random, sizeof(random));
    hello_list_number(&list, OUTER, 1);
    hello_list_number(&list, HKDF_SHA256, 2);
    hello_list_number(&list, AES_128_GCM, 2);
    hello_list_number(&list, random[0], 1); // config_id
    hello_list_name(&list, random + 1, X25519_LEN, 2);
    uint8_t *payload = xmalloc(payload_len + 1);
    seed_fill(&seed, payload, payload_len);
    hello_list_name(&list, payload, payload_len, 2);
    free(payload);
    if (hello_edit_find(draft, EXT_ECH) == NULL) {
        hello_edit_insert(draft, grease_position(draft), EXT_ECH, NULL, 0);
    }
    hello_list_set(draft, EXT_ECH, 0, &list);
}

void hello_edit_psk(struct hello_draft *draft, uint64_t seed, size_t identity_len,
                    bool early_data) {
    struct hello_list list = {0}, identities = {0};
    uint8_t binder[1 + BINDER_LEN] = {BINDER_LEN};
    if (identity_len > UINT16_MAX) {
        draft->overflow = true;
        return;
    }
    uint8_t *identity = xmalloc(identity_len + 1);
    seed_fill(&seed, identity, identity_len);
    seed_fill(&seed, binder + 1, BINDER_LEN);
    hello_list_name(&identities, identity, identity_len, 2);
    hello_list_number(&identities, (uint32_t)seed_next(&seed), 4); // obfuscated_ticket_age
    list.overflow = identities.overflow;
    hello_list_name(&list, identities.p, identities.len, 2);
    hello_list_name(&list, binder, sizeof(binder), 2);
    hello_list_cleanup(&identities);
    free(identity);
    if (hello_edit_find(draft, EXT_PSK_KEY_EXCHANGE_MODES) == NULL) {
        hello_edit_set(draft, EXT_PSK_KEY_EXCHANGE_MODES, (const uint8_t[]){1, PSK_DHE_KE}, 2);
    }
    if (early_data) {
        hello_edit_set(draft, EXT_EARLY_DATA, NULL, 0);
    }
    hello_edit_remove(draft, EXT_PRE_SHARED_KEY);
    hello_list_set(draft, EXT_PRE_SHARED_KEY, 0, &list);
}
