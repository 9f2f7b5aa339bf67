// What a client's own tries show. When it has refused our certificate for a host and comes again,
// its next connections there are experiments: a tunnel, then other forms of the certificate, one
// each. One that went on may once be shown a canary, a certificate that it has to refuse. Usable by
// any number of threads.
//
// key:      client address, User-Agent, suites of the hello, and for a series the host and port
// value:    the record of the refusal, with the experiments so far
// lifetime: TRIES_WINDOW_S after it was last heard of (canaries: TRIES_CANARY_S after the first);
//           past the ceilings the oldest goes, of the same address first
#ifndef PROXY_SESSION_TRIES_H_
#define PROXY_SESSION_TRIES_H_

#include <stdbool.h>
#include <stdint.h>

#include "logs/record/record.h"
#include "policy/config/policy.h"

enum {
    TRIES_MAX = 128,       // series and clients remembered
    TRIES_OF_ADDRESS = 16, // of one client address
    TRIES_RUNS_MAX = 16,   // experiments that a series keeps
    TRIES_WINDOW_S = 600,
    TRIES_CANARY_S = 3600,
};

// The certificates that have to be refused.
enum canary {
#define LEAF_CANARY(name, word, says) CANARY_##name,
#include "logs/record/leaf_forms.inc"
#undef LEAF_CANARY
    CANARIES
};

enum try_kind {
    TRY_ORDINARY, // as policy says
    TRY_TUNNEL,
    TRY_FORM,   // the certificate has the form `which`, enum leaf_form
    TRY_CANARY, // it is `which`, enum canary
};

// struct try is what one connection is to be.
struct try {
    enum try_kind kind;
    unsigned which;
};

// struct tries_key names a client and what it asks for, as hashes.
struct tries_key {
    uint64_t address, client, series;
};

struct tries;

// tries_new makes one with a reference; the last tries_unref frees it.
WUNRES struct tries *tries_new(void);
struct tries *tries_ref(struct tries *tries);
void tries_unref(struct tries *tries); // any thread; NULL does nothing

// tries_key_make makes the key of a client with the address `ip` (16 bytes), whose User-Agent and
// JA4 may be NULL, that asks for `host`.
struct tries_key tries_key_make(const uint8_t *ip, const char *agent, const char *ja4,
                                const char *host, uint16_t port);

// tries_begin returns what the connection that begins at `now_us` is to be, within what `policy`
// allows. While one experiment of a series is under way, others are ordinary. What is not ordinary
// is ended with tries_end or tries_drop.
struct try tries_begin(struct tries *tries, const struct tries_key *key,
                       const struct retry_policy *policy, int64_t now_us);

// tries_refused begins a series: in the ordinary connection of `root`, which is copied, the client
// refused our certificate in the way that `result` names. A series that goes on stays as it is.
void tries_refused(struct tries *tries, const struct tries_key *key, const struct obj *root,
                   const char *result, int64_t now_us);

// tries_worked ends the series, as the client went on with the ordinary certificate; with `canary`
// it may be shown canaries.
void tries_worked(struct tries *tries, const struct tries_key *key, bool canary, int64_t now_us);

// tries_end tells how an experiment came out: `result` is a word of EXPERIMENT.result, NULL where
// it tells nothing. `root`, its record, gets the experiments of the series with it as the last. The
// caller owns the result, a copy of the record of the refusal with the same experiments; NULL where
// there is none, or nothing new.
WUNRES struct record *tries_end(struct tries *tries, const struct tries_key *key,
                                const struct try *try, const char *result, struct obj *root,
                                int64_t now_us);

// tries_told returns whether `verdict`, of the record of the refusal, is another than it was told
// before, and remembers it: what is no news needs not be written again.
bool tries_told(struct tries *tries, const struct tries_key *key, const struct obj *verdict);

// tries_drop gives up an experiment that could not be made; with `never` it is not tried again.
void tries_drop(struct tries *tries, const struct tries_key *key, const struct try *try,
                bool never);

// tries_num counts what is remembered.
size_t tries_num(struct tries *tries);

// try_name writes the name of the experiment, as EXPERIMENT.probe has it.
enum { TRY_NAME_MAX = 40 };
const char *try_name(char out[TRY_NAME_MAX], const struct try *try);

#endif // PROXY_SESSION_TRIES_H_
