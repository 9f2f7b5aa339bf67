// One event loop with everything that belongs to it. Workers share nothing but their configuration.
#ifndef PROXY_NET_WORKER_H_
#define PROXY_NET_WORKER_H_

#include <ev.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "logs/base/err.h"
#include "proxy/net/arrival.h"
#include "proxy/net/dial.h"
#include "proxy/net/drain.h"
#include "proxy/net/hangup.h"
#include "proxy/net/net.h"
#include "proxy/net/pipes.h"
#include "proxy/net/resolve.h"

struct connection;
struct listener;

// struct worker_env is what the workers of a net have in common.
struct worker_env {
    const struct net_config *config; // defaults filled in
    bool (*is_self)(void *ctx, const struct address *address);
    void (*on_stopping)(void *ctx); // called once, by the first worker to stop
    void *ctx;
    atomic_bool warned_ceiling, warned_resources, warned_loop, told_stopping;
    struct loops *loops; // of a transparent proxy, else NULL
};

struct worker {
    struct worker_env *env;
    const struct net_config *config; // env's
    struct ev_loop *loop;
    struct resolver *resolver;
    struct dialer dialer;
    struct hangup hangup;
    struct drain drain;
    struct pipes pipes;
    struct listener *listeners;
    size_t num_listeners;
    bool accepting;
    ev_timer resume; // accepting begins again
    ev_async stop;
    ev_timer grace; // runs while connections may end by themselves
    struct connection *connections;
    size_t num_connections, max_connections;
    struct net_counts counts;
    uint8_t bytes[256 * 1024]; // of the read under way
};

// worker_new takes over the listening sockets `fds` of `addresses`, even when it fails and returns
// NULL. `env` must outlive the worker.
WUNRES struct worker *worker_new(struct worker_env *env, const int *fds,
                                 const struct address *addresses, size_t num, struct err *err);
void worker_free(struct worker *worker);

// worker_run blocks until worker_stop, which any thread and a signal handler may call, before or
// after. What was connected by then is served, for as long as the configuration's grace lasts.
void worker_run(struct worker *worker);
void worker_stop(struct worker *worker);

// worker_added and worker_removed keep the number of connections, and accepting, in step.
void worker_added(struct worker *worker);
void worker_removed(struct worker *worker);

#endif // PROXY_NET_WORKER_H_
