// Exchanges over a libev loop: a queue that is worked off a few at a time, with pauses, each on a
// connection of its own with the socket options that it needs.
#ifndef PROXY_PROBE_RUNNER_H_
#define PROXY_PROBE_RUNNER_H_

#include <ev.h>

#include "proxy/net/dial.h"
#include "proxy/probe/exchange.h"

enum { RUNNER_PARALLEL_MAX = 4 };

// struct runner_socket is what is done to a connection's socket beside ordinary options. Zeros are
// nothing.
struct runner_socket {
    int maxseg;       // TCP_MAXSEG, before it is connected
    int ttl;          // IP_TTL, or hop limit,
    bool ttl_of_syn;  //   from the SYN on; else from the hello on, until an answer comes
    int64_t poll_us;  // how often SO_ERROR is looked at, where ICMP leaves what breaks nothing
    int64_t grace_us; // how long an answer may still come after that; 0: as long as ever
};

// struct runner_job is one exchange. Everything that it points to must live until its result.
struct runner_job {
    struct exchange_config exchange; // its `sample` is the runner's
    const char *dial_host;           // whom to connect to: a name, or an address literal
    uint16_t dial_port;
    struct resolver *resolver; // to be asked for it; NULL: the runner's
    struct runner_socket socket;
};

// struct runner_result lives during the call.
struct runner_result {
    size_t index;                    // of the job, in the order in which they were added
    const struct exchange *exchange; // with its leg complete
    int soft_errnum;                 // the first that SO_ERROR told, or 0,
    int64_t soft_us;                 //   and how long after the start of the job
};

struct runner_config {
    struct ev_loop *loop;
    struct resolver *resolver;
    unsigned parallel;          // at most RUNNER_PARALLEL_MAX
    int64_t pace_us;            // between the starts of two jobs
    int64_t residual_us;        // likewise after one that got no ServerHello: some boxes go on
                                // punishing for a while
    int64_t connect_timeout_us; // of a job's attempts to connect
    int family;                 // AF_INET, AF_INET6, or 0 for both
    int mark; // SO_MARK, so that a firewall can let our own connections pass; 0: none
    bool (*is_self)(void *ctx, const struct address *address); // never connected to; may be NULL
    void (*on_result)(void *ctx, const struct runner_result *result);
    void (*on_idle)(void *ctx); // all jobs have had their result; more may be added
    void *ctx;
};

struct runner;

// runner_new makes a runner; the configuration is copied. Callbacks come from the loop, never from
// within a call of the runner's functions, and may free the runner only from
// `on_idle`.
WUNRES struct runner *runner_new(const struct runner_config *config);

// runner_free abandons what is under way, without results.
void runner_free(struct runner *runner);

// runner_add puts a job, which is copied, at the end of the queue.
void runner_add(struct runner *runner, const struct runner_job *job);

// runner_stop ends all jobs now: those under way get their result, the others none.
void runner_stop(struct runner *runner);

// runner_num_connections is how many connections were begun.
size_t runner_num_connections(const struct runner *runner);

#endif // PROXY_PROBE_RUNNER_H_
