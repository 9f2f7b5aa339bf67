// The proxy's own experiments: records of failed connections in, the same records with experiments,
// with what the server's chain names and policy lets be fetched (chain_proof.h), and with a new
// verdict out. It lives in a thread and a loop of its own, so that no connection waits
// for it.
#ifndef PROXY_PROBE_EXPERIMENTER_H_
#define PROXY_PROBE_EXPERIMENTER_H_

#include "proxy/probe/inquiry.h"
#include "proxy/session/parent_url.h"

enum {
    EXPERIMENTER_ROUNDS = 2,     // hosts that are asked at once
    EXPERIMENTER_PARALLEL = 2,   // connections to each of them at once
    EXPERIMENTER_QUEUE_MAX = 16, // records that may wait; more are not experimented with
    EXPERIMENTER_HOSTS = 256,    // that are remembered for EXPERIMENTER_PAUSE_S
    EXPERIMENTER_PAUSE_S = 60,   // between two rounds with one host
};

enum experimenter_when {
    EXPERIMENTER_ON_FAILURE, // where the server's leg failed and the record leaves it open why
    EXPERIMENTER_ALWAYS,     // whenever there was a server's leg with TLS
};

// struct experimenter_config is copied; what it points to must outlive the experimenter.
struct experimenter_config {
    enum experimenter_when when;
    struct inquiry_peer control; // `host` NULL: none
    const struct parent *parent; // the one that records may have gone through; NULL: none
    // trusts_parent says whether a chain, leaf first, is good for that one; where its address is
    // an https:// one. It is called from the experimenter's thread.
    bool (*trusts_parent)(void *ctx, const CBS *chain, size_t num_chain);
    int mark;                 // see struct runner_config
    const char *const *trust; // PEM files beside the system's roots
    size_t num_trust;
    int64_t answer_us;       // for an answer, at most 3 s; 0: these
    const char *dns_servers; // NULL: the system's
    bool (*is_self)(void *ctx, const struct address *address); // never connected to
    // on_record gets each record that was taken, once, from the experimenter's thread or, when it
    // is freed, from the caller's.
    void (*on_record)(void *ctx, const struct obj *root);
    void *ctx;
};

struct experimenter;

// experimenter_new starts the thread. NULL when there is none to be had.
WUNRES struct experimenter *experimenter_new(const struct experimenter_config *config,
                                             struct err *err);

// experimenter_offer copies `root` and returns true when experiments will be made for it. It waits
// for nothing but a mutex, and may be called from any thread.
bool experimenter_offer(struct experimenter *experimenter, const struct obj *root);

// experimenter_free waits at most `wait_us` for what is under way, then ends it, hands over all
// records that were taken, with whatever came back by then, and ends the thread. NULL does nothing.
void experimenter_free(struct experimenter *experimenter, int64_t wait_us);

// experimenter_wants returns whether there is anything to be found out for a record.
bool experimenter_wants(enum experimenter_when when, const struct obj *root);

#endif // PROXY_PROBE_EXPERIMENTER_H_
