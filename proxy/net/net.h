// The network: listeners, workers, and what carries sessions. The only room that knows libev and
// c-ares.
#ifndef PROXY_NET_NET_H_
#define PROXY_NET_NET_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "logs/base/err.h"
#include "proxy/session/session.h"

enum { NET_MAX_WORKERS = 64 };

// struct net_config is copied by net_new; what it points to must outlive the net. Every callback
// gets `ctx`. A number of 0 means the default that stands beside it.
struct net_config {
    const struct address *listens; // as from listen_parse
    size_t num_listens;            // at least 1
    unsigned workers;              // 1; at most NET_MAX_WORKERS
    size_t max_connections;        // as many as the descriptor limit allows, two for each
    size_t max_draining;           // a sixteenth of the descriptors: closed, see drain_us
    size_t max_pipes;              // of each worker, see pipes.h: 32, or what descriptors allow
    int64_t dns_timeout_us;        // 10 s
    int64_t connect_timeout_us;    // 10 s, for all addresses of a name together
    int64_t attempt_delay_us;      // 250 ms (RFC 8305 section 5)
    int64_t drain_us;              // 2 s: how long a closed connection may throw away what arrives
    int64_t grace_us;              // none: how long connections may end by themselves when stopped
    const char *dns_servers;       // those of resolv.conf; "127.0.0.1:5353" for tests
    // Connections that ask for nothing go to `target_host`, where it is not NULL, or with
    // `transparent` where they were going before a firewall rule sent them here.
    const char *target_host;
    uint16_t target_port;
    bool transparent;
    bool catch_signals; // SIGINT and SIGTERM stop, SIGHUP reloads; from net_new on

    void *ctx;
    // Called in any worker's thread, several at once. shared_ref takes a reference to the state for
    // a new session; shared_unref gives it back when the session is gone.
    struct session_shared *(*shared_ref)(void *ctx);
    void (*shared_unref)(void *ctx, struct session_shared *shared);
    void (*on_record)(void *ctx, const struct obj *root, bool final);
    // One line about the proxy's own state, such as descriptors running out; once for each cause.
    // May be NULL, as may be those below.
    void (*on_warning)(void *ctx, const char *says);
    // SIGHUP; in the thread of net_run.
    void (*on_reload)(void *ctx);
    // The first thing of stopping; `signum` is 0 for net_stop.
    void (*on_stopping)(void *ctx, int signum);
};

// struct net_counts is what the workers have seen since the start.
struct net_counts {
    uint64_t accepted;
    uint64_t most_at_once;     // sum of each worker's most
    uint64_t paused_ceiling;   // times that accepting paused at max_connections
    uint64_t paused_resources; // times that it paused for lack of descriptors or memory
    uint64_t accept_failures;  // connections that were gone, or failed otherwise, when accepted
};

struct net;

// net_new binds and listens, so that a port taken, no permission or an address that is not here
// are known before anything else begins. NULL on failure, with a message that says what to do.
WUNRES struct net *net_new(const struct net_config *config, struct err *err);

// net_free needs net_run to have returned, or never called. NULL is nothing.
void net_free(struct net *net);

// net_num_addresses and net_address tell what is listened on, with the real port, in the order of
// the configuration.
size_t net_num_addresses(const struct net *net);
const struct address *net_address(const struct net *net, size_t i);

// net_run blocks until stopped. It runs the first worker in the caller's thread and ignores SIGPIPE
// from then on. When it returns, every session has ended, with its records handed over, and nothing
// is listened on any more. It fails only when a worker cannot be started.
WUNRES bool net_run(struct net *net, struct err *err);

// net_stop makes net_run return soon; at once, when it is called before. It may be called from any
// thread and from a signal handler while the net lives.
void net_stop(struct net *net);

// net_is_self tells whether a connection to `address` would arrive at this very proxy.
bool net_is_self(const struct net *net, const struct address *address);

// net_counts_read is for after net_run.
void net_counts_read(const struct net *net, struct net_counts *out);

#endif // PROXY_NET_NET_H_
