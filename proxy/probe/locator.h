// Where the box is, over a libev loop: the rounds of locate.h made with feelers and a runner.
#ifndef PROXY_PROBE_LOCATOR_H_
#define PROXY_PROBE_LOCATOR_H_

#include "proxy/probe/inquiry.h"
#include "proxy/probe/locate.h"

// struct locator_config is copied; what it points to must outlive the search.
struct locator_config {
    const struct inquiry_config *inquiry; // whom to ask, and how; its parent is not gone through
    const char *address;                  // of the peer, a literal
    // on_hop is told of each TTL below the server's, from 1 on, once both hellos were tried with
    // it; may be NULL.
    void (*on_hop)(void *ctx, const struct locate *locate, int ttl);
    void (*on_done)(void *ctx); // may free the locator
    void *ctx;
};

struct locator;

// locator_new begins. It returns NULL when the address is none. Callbacks come from the loop.
WUNRES struct locator *locator_new(const struct locator_config *config);

// locator_free abandons what is under way.
void locator_free(struct locator *locator);

// locator_stop ends it with what is known so far; on_done follows.
void locator_stop(struct locator *locator);

// locator_record writes what is known to `path`, of KIND_PATH.
void locator_record(const struct locator *locator, struct obj *path);

#endif // PROXY_PROBE_LOCATOR_H_
