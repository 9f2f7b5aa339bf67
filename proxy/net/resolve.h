// Names to addresses with c-ares, driven by libev: /etc/hosts, resolv.conf and the servers there.
#ifndef PROXY_NET_RESOLVE_H_
#define PROXY_NET_RESOLVE_H_

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "logs/base/err.h"
#include "proxy/session/session.h"

// A name with more addresses than this is used as if it had only the first so many.
enum { RESOLVE_MAX_ADDRESSES = 16 };

struct resolver;
struct lookup;

// struct lookup_result is what a lookup found: addresses in the order of RFC 6724, without port and
// without doubles; with none, `dns_error` says why.
struct lookup_result {
    struct address addresses[RESOLVE_MAX_ADDRESSES];
    size_t num;
    enum dns_error dns_error;
};

// resolver_new makes the resolver of one loop. A lookup takes at most `timeout_us`. `servers`
// replaces those of resolv.conf ("127.0.0.1:5353", comma-separated) unless it is NULL. Resolvers
// are made and freed in one thread, wherever they are used.
WUNRES struct resolver *resolver_new(struct ev_loop *loop, const char *servers, int64_t timeout_us,
                                     struct err *err);

// resolver_free needs every lookup done or cancelled.
void resolver_free(struct resolver *resolver);

// lookup_new looks up `host` and then, always from the loop, calls `on_done` once; the result lives
// during the call, and the lookup ends with it. Nobody is asked for localhost and names under it,
// which are the loopback addresses, nor for names under invalid, which do not exist (RFC 6761
// sections 6.3 and 6.4).
WUNRES struct lookup *lookup_new(struct resolver *resolver, const char *host,
                                 void (*on_done)(void *ctx, const struct lookup_result *result),
                                 void *ctx);

// lookup_https_new likewise asks for the HTTPS records of `host` and `port` (RFC 9460), and calls
// `on_done` once with the ECHConfigList in them, which lives during the call; NULL: there is none.
WUNRES struct lookup *
lookup_https_new(struct resolver *resolver, const char *host, uint16_t port,
                 void (*on_done)(void *ctx, const uint8_t *ech, size_t ech_len), void *ctx);

// lookup_cancel ends a lookup that is not done: `on_done` will not be called. NULL is nothing.
void lookup_cancel(struct lookup *lookup);

#endif // PROXY_NET_RESOLVE_H_
