// TLS with the parent proxy that experiments go through, where its address is an https:// one.
#ifndef PROXY_SESSION_PARENT_TLS_H_
#define PROXY_SESSION_PARENT_TLS_H_

#include <stdbool.h>
#include <stddef.h>

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl.h"

struct parent_tls;
struct tls_layer;

// parent_tls_new is for connections to the parent `host`, which is copied. `verify` says whether a
// chain, leaf first, is good for it; it is called from the threads that use what tls_layer_new
// gives them.
WUNRES struct parent_tls *
parent_tls_new(const char *host, bool (*verify)(void *ctx, const CBS *chain, size_t num_chain),
               void *ctx);
void parent_tls_free(struct parent_tls *tls); // NULL does nothing

// parent_tls_begin begins the handshake of a connection, which `tls` must outlive.
WUNRES struct tls_layer *parent_tls_begin(const struct parent_tls *tls);

#endif // PROXY_SESSION_PARENT_TLS_H_
