#include "proxy/probe/element.h"

#include "logs/record/codepoint.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/extension.h"

enum {
    KEY_GREASE = 0x10000,
    KEY_AGAIN = 0x20000, // added for an element that is there again
    KEY_LEN_SHIFT = 20,  // shares of one group with other lengths are other elements
};

// The lists inside extensions. A width of 0: names behind their length; of 1: numbers of one byte.
// clang-format off
static const struct form {
    uint16_t type;
    uint8_t prefix, width;
    enum registry registry;
} forms[] = {
    {EXT_SUPPORTED_GROUPS,          2, 2, REGISTRY_GROUP},
    {EXT_SIGNATURE_ALGORITHMS,      2, 2, REGISTRY_SIGNATURE_SCHEME},
    {EXT_SIGNATURE_ALGORITHMS_CERT, 2, 2, REGISTRY_SIGNATURE_SCHEME},
    {EXT_DELEGATED_CREDENTIAL,      2, 2, REGISTRY_SIGNATURE_SCHEME},
    {EXT_SUPPORTED_VERSIONS,        1, 2, REGISTRY_VERSION},
    {EXT_COMPRESS_CERTIFICATE,      1, 2, REGISTRY_CERT_COMPRESSION},
    {EXT_EC_POINT_FORMATS,          1, 1, REGISTRY_POINT_FORMAT},
    {EXT_PSK_KEY_EXCHANGE_MODES,    1, 1, REGISTRY_PSK_MODE},
    {EXT_ALPN,                      2, 0, REGISTRY_COUNT},
    {EXT_KEY_SHARE,                 2, 0, REGISTRY_GROUP},
};
// clang-format on

static const struct form *form_find(uint16_t type) {
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (forms[i].type == type) {
            return &forms[i];
        }
    }
    return NULL;
}

bool element_key_is_grease(uint32_t key) { return (key & KEY_GREASE) != 0; }

size_t elements_prefix(uint16_t type) {
    const struct form *form = form_find(type);
    return form != NULL ? form->prefix : 0;
}

size_t elements_find(const struct elements *elements, uint32_t key) {
    size_t i = 0;
    while (i < elements->num && elements->all[i].key != key) {
        i++;
    }
    return i;
}

// GREASE is like other GREASE; the second of a kind is another element than the first.
static bool element_add(struct elements *out, enum registry registry, uint32_t key, uint16_t code,
                        const uint8_t *p, size_t p_len) {
    if (out->num == ELEMENTS_MAX / 2) {
        return false;
    }
    if (registry != REGISTRY_COUNT && codepoint_is_grease(registry, code)) {
        key = KEY_GREASE;
    }
    while (elements_find(out, key) < out->num) {
        key += KEY_AGAIN;
    }
    out->all[out->num++] = (struct element){key, code, p, p_len};
    return true;
}

static bool codes_add(struct elements *out, enum registry registry, CBS list, size_t width) {
    CBS element;
    while (CBS_get_bytes(&list, &element, width)) {
        const uint8_t *p = CBS_data(&element);
        uint16_t code = width == 2 ? (uint16_t)(p[0] << 8 | p[1]) : p[0];
        if (!element_add(out, registry, code, code, p, width)) {
            return false;
        }
    }
    return CBS_len(&list) == 0;
}

bool elements_ciphers(struct elements *out, const struct hello_draft *draft) {
    CBS list;
    out->num = 0;
    CBS_init(&list, draft->ciphers.p, draft->ciphers.len);
    return codes_add(out, REGISTRY_CIPHER, list, 2);
}

bool elements_extensions(struct elements *out, const struct hello_draft *draft) {
    out->num = 0;
    for (size_t i = 0; i < draft->num_extensions; i++) {
        const struct hello_extension *extension = &draft->extensions[i];
        if (!element_add(out, REGISTRY_EXTENSION, extension->type, extension->type,
                         extension->body.p, extension->body.len)) {
            return false;
        }
    }
    return true;
}

// FNV-1a, of 16 bits: names that share it are taken for the first and the second of a kind.
static uint16_t name_hash(const CBS *name) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < CBS_len(name); i++) {
        hash = (hash ^ CBS_data(name)[i]) * 16777619u;
    }
    return (uint16_t)(hash >> 16 ^ hash);
}

static bool names_add(struct elements *out, CBS list) {
    CBS name;
    while (name_next(&list, &name)) {
        if (!element_add(out, REGISTRY_COUNT, name_hash(&name), 0, CBS_data(&name) - 1,
                         CBS_len(&name) + 1)) {
            return false;
        }
    }
    return CBS_len(&list) == 0;
}

static bool shares_add(struct elements *out, CBS list) {
    struct key_share share;
    while (key_share_next(&list, &share)) {
        uint32_t key = share.group | (uint32_t)CBS_len(&share.key) << KEY_LEN_SHIFT;
        if (!element_add(out, REGISTRY_GROUP, key, share.group, CBS_data(&share.key) - 4,
                         CBS_len(&share.key) + 4)) {
            return false;
        }
    }
    return CBS_len(&list) == 0;
}

bool elements_inner(struct elements *out, uint16_t type, const struct hello_bytes *body) {
    const struct form *form = form_find(type);
    CBS cbs, list;
    out->num = 0;
    CBS_init(&cbs, body->p, body->len);
    if (form == NULL ||
        !(form->prefix == 1 ? CBS_get_u8_length_prefixed(&cbs, &list)
                            : CBS_get_u16_length_prefixed(&cbs, &list)) ||
        CBS_len(&cbs) != 0) {
        return false;
    }
    if (type == EXT_ALPN) {
        return names_add(out, list);
    }
    return type == EXT_KEY_SHARE ? shares_add(out, list)
                                 : codes_add(out, form->registry, list, form->width);
}

bool elements_same_order(const struct elements *a, const struct elements *b) {
    size_t last = 0;
    for (size_t i = 0; i < a->num; i++) {
        size_t place = elements_find(b, a->all[i].key);
        if (place == b->num) {
            continue;
        }
        if (place < last) {
            return false;
        }
        last = place;
    }
    return true;
}

static void insert_behind(struct elements *out, const struct elements *other, size_t i) {
    size_t to = 0;
    for (size_t k = i; k > 0 && to == 0; k--) {
        size_t place = elements_find(out, other->all[k - 1].key);
        to = place < out->num ? place + 1 : 0;
    }
    for (size_t k = out->num; k > to; k--) {
        out->all[k] = out->all[k - 1];
    }
    out->all[to] = other->all[i];
    out->num++;
}

void elements_merge(struct elements *out, const struct elements *base, const struct elements *other,
                    const struct elements *fresh, bool (*keep)(const void *ctx, uint32_t key),
                    const void *ctx) {
    out->num = 0;
    for (size_t i = 0; i < base->num; i++) {
        if (keep(ctx, base->all[i].key)) {
            size_t place = elements_find(fresh, base->all[i].key);
            out->all[out->num++] = place < fresh->num ? fresh->all[place] : base->all[i];
        }
    }
    for (size_t i = 0; i < other->num; i++) {
        uint32_t key = other->all[i].key;
        if (elements_find(base, key) == base->num && keep(ctx, key)) {
            insert_behind(out, other, i);
        }
    }
}
