// One round of experiments with a host: the plan carried out, and the results in a record.
#ifndef PROXY_PROBE_INQUIRY_H_
#define PROXY_PROBE_INQUIRY_H_

#include "policy/ca/trust.h"
#include "proxy/probe/plan.h"
#include "proxy/probe/runner.h"

// struct inquiry_peer is a host to be asked. `address` is where it is, without asking a resolver;
// NULL: the name is looked up.
struct inquiry_peer {
    const char *host;
    uint16_t port;
    const char *address;
};

// struct inquiry_config is copied; what it points to must outlive the inquiry.
struct inquiry_config {
    struct ev_loop *loop;
    struct resolver *resolver;
    struct resolver *other_resolver; // where else the peer is asked for; NULL: nowhere,
    bool has_other_resolver;         //   or, for a preview, not yet
    struct inquiry_peer peer;
    struct inquiry_peer control;              // `host` NULL: none
    struct inquiry_peer others[PROBE_OTHERS]; // likewise, further control hosts
    struct inquiry_peer parent;               // a proxy to go through; `host` NULL: none
    const struct parent_tls *parent_tls;      // how that one is spoken to; NULL: in the clear
    const char *parent_authorization;         // "Basic ..."
    const char *server_name;                  // that of the hello; NULL: none
    const struct hello_draft *asked, *client; // see struct probe_material
    struct hello_keys *keys;
    const struct client_cert *shown; // asked with it and without in any case; NULL: none
    struct span ech;                 // an ECHConfigList, asked with in any case; empty: none
    const char *ech_name;            // its public name,
    const char *ech_from;            //   and where it came from: EXPERIMENT.ech.config
    bool with_library;               // an ordinary handshake of the library's is usual, too
    const struct trust *trust;       // chains are verified with; NULL: they are not
    unsigned budget, repeats, parallel;
    uint64_t seed;
    int64_t pace_us, residual_us, connect_us, answer_us, total_us;
    int family, mark;               // see struct runner_config
    const struct probe_pick *picks; // asked in any case;
    size_t num_picks;               // with none, those that tell most
    bool only_base;
    bool direct; // with a parent: one connection past it is allowed, too
    bool (*is_self)(void *ctx, const struct address *address); // never connected to; may be NULL
    void *is_self_ctx;
    // on_result is told of each that is over, as it is in the record; may be NULL.
    void (*on_result)(void *ctx, const struct obj *experiment);
    void (*on_done)(void *ctx); // may free the inquiry
    void *ctx;
};

struct inquiry;

// inquiry_new begins; `root` is of KIND_RECORD and gets the experiments, in the order in which they
// end. Where it has no leg of the server, the first base run becomes that. Callbacks come from the
// loop.
WUNRES struct inquiry *inquiry_new(const struct inquiry_config *config, struct obj *root);

// inquiry_free abandons what is under way.
void inquiry_free(struct inquiry *inquiry);

// inquiry_stop ends it now: what is under way is recorded as unfinished, and on_done follows.
void inquiry_stop(struct inquiry *inquiry);

const struct plan *inquiry_plan(const struct inquiry *inquiry);

// inquiry_preview calls `each` for every probe that the configuration may lead to, with its hello
// (NULL for those without), and sends nothing. The base and the picks are certain, others depend
// on what comes back.
void inquiry_preview(const struct inquiry_config *config,
                     void (*each)(void *ctx, const struct probe_pick *pick,
                                  const struct hello_draft *hello),
                     void *ctx);

#endif // PROXY_PROBE_INQUIRY_H_
