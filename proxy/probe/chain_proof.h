// What a chain alone does not prove, from where it says that more is to be had: whether it lacks an
// intermediate only, and whether its leaf has been revoked. Each answer is fetched over plain HTTP
// (fetch.h), one after the other, and what comes is believed as far as its signatures go.
#ifndef PROXY_PROBE_CHAIN_PROOF_H_
#define PROXY_PROBE_CHAIN_PROOF_H_

#include "logs/record/record.h"
#include "policy/ca/trust_aia.h"
#include "proxy/probe/fetcher.h"

enum {
    CHAIN_PROOF_LISTS = 2,                                   // distribution points that are asked
    CHAIN_PROOF_LIST_MAX = 8 * 1024 * 1024,                  // bytes of a list
    CHAIN_PROOF_FETCHES = TRUST_AIA_MAX + CHAIN_PROOF_LISTS, // at most, of one chain
};

// struct chain_proof_config is copied; what it points to must outlive the proof.
struct chain_proof_config {
    struct fetcher_config fetcher; // without an address, a callback and its `ctx`
    const struct trust *trust;
    int64_t now;                // unix seconds: when the chain is to be good
    bool aia, crl;              // what may be fetched
    void (*on_done)(void *ctx); // may free the proof
    void *ctx;
};

// chain_proof_wants returns whether there is something to be found out about the chain of a leg, as
// far as the record tells.
bool chain_proof_wants(const struct obj *leg, bool aia, bool crl);

struct chain_proof;

// chain_proof_new begins, and returns NULL where there is nothing to fetch. What is found goes into
// the verification of `leg`, which must outlive the proof. `on_done` is called once, from the loop.
WUNRES struct chain_proof *chain_proof_new(const struct chain_proof_config *config,
                                           struct obj *leg);
void chain_proof_free(struct chain_proof *proof); // abandons what is under way

// chain_proof_stop ends it after what is under way, which ends now; on_done follows.
void chain_proof_stop(struct chain_proof *proof);

// chain_proof_num is how many addresses were asked.
unsigned chain_proof_num(const struct chain_proof *proof);

#endif // PROXY_PROBE_CHAIN_PROOF_H_
