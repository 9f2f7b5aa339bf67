// Lists of a ClientHello taken apart into elements, compared and merged. Private to this room:
// factor.c uses it.
#ifndef PROXY_PROBE_ELEMENT_H_
#define PROXY_PROBE_ELEMENT_H_

#include "proxy/tls/hello_draft.h"

enum { ELEMENTS_MAX = 512 }; // of a list that is merged; those of a hello have at most half

// struct element is an element of a list: `key` is the same for equal ones of two lists, be their
// GREASE or the randomness in their bodies other; `p` are its bytes as they stand in the list.
struct element {
    uint32_t key;
    uint16_t code; // of a code point, else 0
    const uint8_t *p;
    size_t len;
};

struct elements {
    struct element all[ELEMENTS_MAX];
    size_t num;
};

// elements_ciphers, elements_extensions and elements_inner view the suites, the extensions and the
// list inside the extension of `type` as elements. They return false for what is no well-formed
// list, is not known to be one or is too long.
bool elements_ciphers(struct elements *out, const struct hello_draft *draft);
bool elements_extensions(struct elements *out, const struct hello_draft *draft);
bool elements_inner(struct elements *out, uint16_t type, const struct hello_bytes *body);

// element_key_is_grease returns whether elements with `key` are GREASE.
bool element_key_is_grease(uint32_t key);

// elements_prefix returns how many bytes of length stand in front of the list inside the extension
// of `type`.
size_t elements_prefix(uint16_t type);

// elements_find returns the place of the element with `key`, or elements->num.
size_t elements_find(const struct elements *elements, uint32_t key);

// elements_same_order returns whether the elements that both have stand in the same order.
bool elements_same_order(const struct elements *a, const struct elements *b);

// elements_merge puts those elements of `base` and `other` into `out` for which `keep` says so, in
// the order of `base`; one that only `other` has stands behind the one it stands behind there.
// Of those that both have it takes that of `fresh`, which is one of the two.
void elements_merge(struct elements *out, const struct elements *base, const struct elements *other,
                    const struct elements *fresh, bool (*keep)(const void *ctx, uint32_t key),
                    const void *ctx);

#endif // PROXY_PROBE_ELEMENT_H_
