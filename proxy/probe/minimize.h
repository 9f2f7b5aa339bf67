// The smallest difference that matters: hellos tried one after the other, as ddmin.h asks for them.
#ifndef PROXY_PROBE_MINIMIZE_H_
#define PROXY_PROBE_MINIMIZE_H_

#include "proxy/probe/ddmin.h"
#include "proxy/probe/inquiry.h"

// struct minimize_config is copied; what it points to must outlive the search.
struct minimize_config {
    const struct inquiry_config *inquiry; // whom to ask, and how; its asked hello fails
    const char *address;                  // of the peer, as connections before had it; or NULL
    // on_try is told of each hello that was tried, from 1 on; may be NULL.
    void (*on_try)(void *ctx, size_t num, bool passed);
    void (*on_done)(void *ctx); // may free the search
    void *ctx;
};

struct minimize;

// minimize_new begins: it looks for a hello that passes, among the usual ones, and then for what of
// the failing one makes it fail. Callbacks come from the loop.
WUNRES struct minimize *minimize_new(const struct minimize_config *config);
void minimize_free(struct minimize *minimize);

// minimize_stop ends the search without a result; on_done follows.
void minimize_stop(struct minimize *minimize);

// minimize_says appends the result as a sentence, once on_done was called. It returns false when
// there is none: it was stopped.
bool minimize_says(const struct minimize *minimize, struct buf *out);

#endif // PROXY_PROBE_MINIMIZE_H_
