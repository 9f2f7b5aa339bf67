// Contexts of server legs by the suites of TLS 1.2 that they offer. The library takes a list of
// suites as text, and reading that costs more than all else that a leg is told; most clients offer
// what one before has offered.
#ifndef PROXY_SESSION_OFFERS_H_
#define PROXY_SESSION_OFFERS_H_

#include "logs/base/check.h"
#include "proxy/tls/code_list.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum {
    OFFERS_MAX = 32, // contexts that are kept; the oldest makes room
    OFFER_SUITES_MAX = 64,
};

// struct offer is the suites of TLS 1.2 and older that the library knows, each once.
struct offer {
    size_t num;
    uint16_t suites[OFFER_SUITES_MAX];
};

// offer_init takes from `ciphers` what the library knows, in its order.
void offer_init(struct offer *offer, const struct code_list *ciphers);

// offer_set makes `ssl` or, where that is NULL, `ctx` offer these suites and no others; an empty
// offer changes nothing.
void offer_set(const struct offer *offer, SSL_CTX *ctx, SSL *ssl);

// struct offers may be used by many threads.
struct offers;
struct offers *offers_new(void);
void offers_free(struct offers *offers);

// offers_get returns a context that makes this offer and is otherwise as `make(arg, kind)` makes
// them; the caller frees it. Contexts of one `kind` are alike.
WUNRES SSL_CTX *offers_get(struct offers *offers, const struct offer *offer, unsigned kind,
                           SSL_CTX *(*make)(void *arg, unsigned kind), void *arg);

#endif // PROXY_SESSION_OFFERS_H_
