// One proxied connection: a session, its two sockets, and one place that turns the session's wishes
// into watchers.
#ifndef PROXY_NET_CONNECTION_H_
#define PROXY_NET_CONNECTION_H_

#include "proxy/net/worker.h"

// struct aim is where a connection goes that does not ask: what session_aim takes.
struct aim {
    const char *front, *host;
    uint16_t port;
};

// connection_new takes over `fd`, an accepted non-blocking socket. The connection is its worker's,
// and frees itself when its session is done; that may be before this returns. `aim` is NULL for a
// client that asks.
void connection_new(struct worker *worker, int fd, const struct address *client,
                    const struct address *local, const struct aim *aim);

// connection_stop ends the connection now, with its records handed over.
void connection_stop(struct connection *connection);

// connection_hung_up is what the worker's hangup set calls, with the data that the connection gave.
void connection_hung_up(void *leg);

#endif // PROXY_NET_CONNECTION_H_
