// A fetch (fetch.h) over a libev loop: the connection, and the events that it makes.
#ifndef PROXY_PROBE_FETCHER_H_
#define PROXY_PROBE_FETCHER_H_

#include <ev.h>

#include "proxy/net/dial.h"
#include "proxy/probe/fetch.h"

// struct fetcher_config is copied by fetcher_new; of what it points to, `loop`, `resolver` and
// `ctx` must outlive the fetcher.
struct fetcher_config {
    struct ev_loop *loop;
    struct resolver *resolver;
    struct fetch_config fetch;
    const char *parent_host; // a proxy to ask for it; NULL: none
    uint16_t parent_port;
    int64_t connect_us;
    int family, mark;                                          // see struct runner_config
    bool (*is_self)(void *ctx, const struct address *address); // never connected to; may be NULL
    void *is_self_ctx;
    void (*on_done)(void *ctx, const struct fetch *fetch); // may free the fetcher
    void *ctx;
};

struct fetcher;

// fetcher_new begins. Its address must be one that fetch_url_parse takes. `on_done` is called once,
// from the loop.
WUNRES struct fetcher *fetcher_new(const struct fetcher_config *config);

// fetcher_free abandons what is under way. NULL does nothing.
void fetcher_free(struct fetcher *fetcher);

// fetcher_stop ends it now; on_done follows.
void fetcher_stop(struct fetcher *fetcher);

#endif // PROXY_PROBE_FETCHER_H_
