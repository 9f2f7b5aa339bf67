// One connection to a server: name lookup, then a race of connection attempts (Happy Eyeballs
// version 2, RFC 8305: families alternate, a new attempt starts when the last one fails or has
// taken long, the first to connect wins). Each step is told with the session's own events.
#ifndef PROXY_NET_DIAL_H_
#define PROXY_NET_DIAL_H_

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "proxy/net/arrival.h"
#include "proxy/net/resolve.h"
#include "proxy/session/session.h"

// struct dialer is what all dials of a loop share.
struct dialer {
    struct ev_loop *loop;
    struct resolver *resolver;
    int64_t connect_timeout_us; // for all attempts of a dial together
    int64_t attempt_delay_us;   // before the next address is tried beside the last one
    int family;                 // AF_INET or AF_INET6: the only one to use; 0 is both
    // Whether an address is the proxy's own: an attempt there fails with ELOOP.
    bool (*is_self)(void *ctx, const struct address *address);
    // Called with each socket before it is connected, for options of its own; may be NULL.
    void (*prepare)(void *ctx, int fd);
    void *ctx;
    struct loops *loops; // told of each attempt, which bears ARRIVAL_MARK then; may be NULL
};

struct dial;

// dial_new begins to connect to `port` of `host`, a name or an address literal. `on_event` is
// always called from the loop, with EVENT_RESOLVED (only for names), EVENT_TRIED for each attempt,
// and at last with one of
//   EVENT_CONNECTED    `fd` is then the connected socket and the callee's
//   EVENT_UNRESOLVED, EVENT_DIAL_FAILED
// `fd` is -1 with all others. The callee fills in the times. It must not free the dial from there.
WUNRES struct dial *dial_new(const struct dialer *dialer, const char *host, uint16_t port,
                             void (*on_event)(void *ctx, struct event *event, int fd), void *ctx);

// dial_free abandons what is still under way, without events. NULL is nothing.
void dial_free(struct dial *dial);

#endif // PROXY_NET_DIAL_H_
