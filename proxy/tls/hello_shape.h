// Hellos of well-known shapes: the least that each version needs, offers that BoringSSL cannot
// make, and what well-known clients send, in their order.
#ifndef PROXY_TLS_HELLO_SHAPE_H_
#define PROXY_TLS_HELLO_SHAPE_H_

#include "proxy/tls/hello_draft.h"
#include "proxy/tls/hello_keys.h"

struct hello_shape {
    const char *name; // "tls12", "openssl", "chromium"
    const char *says; // for people
    const struct hello_shape_row *row;
};

// hello_shapes returns the table, and its length in `*out_num`.
const struct hello_shape *hello_shapes(size_t *out_num);

// hello_shape_find returns the shape of this name, or NULL.
const struct hello_shape *hello_shape_find(const char *name);

// hello_shape_make sets `draft`, which is initialised, to a hello of this shape for `host` (NULL:
// without SNI; an address is not sent either). Random, session id and GREASE come from the source
// of `keys`, which also makes the key shares.
void hello_shape_make(struct hello_draft *draft, const struct hello_shape *shape, const char *host,
                      struct hello_keys *keys);

// The suites that hello_shape "legacy" offers and their kin, for probes that offer one kind.
enum hello_suites {
    HELLO_SUITES_TLS13,
    HELLO_SUITES_ECDHE, // TLS 1.2 with an AEAD
    HELLO_SUITES_CBC,   // ECDHE and RSA with CBC
    HELLO_SUITES_DHE,
    HELLO_SUITES_RSA, // without forward secrecy
    HELLO_SUITES_3DES,
    HELLO_SUITES_RC4,
    HELLO_SUITES_EXPORT,
    HELLO_SUITES_NUM,
};

// hello_suites returns a static list, and its length in `*out_num`.
const uint32_t *hello_suites(enum hello_suites kind, size_t *out_num);

#endif // PROXY_TLS_HELLO_SHAPE_H_
