// TLS around a connection whose users do not see it, without I/O: what is spoken with a parent
// proxy that has an https:// address.
#ifndef PROXY_SESSION_TLS_LAYER_H_
#define PROXY_SESSION_TLS_LAYER_H_

#include "logs/base/buf.h"
#include "logs/record/obj.h"
#include "third_party/boringssl/boringssl.h"

enum { TLS_LAYER_REASON_MAX = 128 };

struct tls_layer;

// tls_layer_new takes over `ssl`, a client of at least TLS 1.2 that is set up but for its BIOs, and
// begins its handshake. `host` is asked for and verified; an address literal is not sent. `verify`
// is asked about the peer's chain, leaf first, from within tls_layer_open.
WUNRES struct tls_layer *
tls_layer_new(SSL *ssl, const char *host,
              bool (*verify)(void *ctx, const CBS *chain, size_t num_chain), void *ctx);
void tls_layer_free(struct tls_layer *layer); // NULL does nothing

// tls_layer_open takes bytes from the wire and returns those inside, which live until the next
// call. Once it has failed nothing more comes out, and nothing goes in; tls_layer_reason is then
// the library's word for why, or "".
struct span tls_layer_open(struct tls_layer *layer, const uint8_t *p, size_t p_len);
bool tls_layer_failed(const struct tls_layer *layer);
const char *tls_layer_reason(const struct tls_layer *layer);

// tls_layer_ended returns whether the peer has said close_notify: nothing more comes out.
bool tls_layer_ended(const struct tls_layer *layer);

// tls_layer_handshaking returns whether the handshake is not complete.
bool tls_layer_handshaking(const struct tls_layer *layer);

// tls_layer_seal takes from `plain` what can be sent now.
void tls_layer_seal(struct tls_layer *layer, struct buf *plain);

// tls_layer_output is what is to be written, and tls_layer_written tells that `len` of it were.
struct span tls_layer_output(const struct tls_layer *layer);
void tls_layer_written(struct tls_layer *layer, size_t len);

#endif // PROXY_SESSION_TLS_LAYER_H_
