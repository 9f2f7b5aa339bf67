// The running proxy: everything that `run` opens, from the CA to the listeners.
#ifndef PROXY_CLI_ENGINE_H_
#define PROXY_CLI_ENGINE_H_

#include <stdbool.h>
#include <stddef.h>

#include "logs/base/err.h"
#include "logs/record/record.h"
#include "proxy/cli/ca_folder.h"
#include "proxy/session/parent_url.h"
#include "proxy/session/session.h"

struct engine;

// struct engine_options is what the command line says. NULL paths mean the default folders.
struct engine_options {
    const struct address *listens;
    size_t num_listens;
    const char *ca_dir, *policy, *log;
    const char *policy_over; // what "default" has unless the policy says otherwise, JSON; or NULL
    char **trust;
    size_t num_trust;
    char **crls;
    size_t num_crls;
    struct profile *as;          // the box to be, or NULL
    uint64_t seed;               // of what it leaves to chance
    const struct parent *parent; // the proxy that dials go through; NULL: none
    const char *target_host;     // where connections go that do not ask; NULL: they ask
    uint16_t target_port;
    bool transparent;       // they come as a firewall's rule sends them
    unsigned workers;       // 0: one for each core that the process may use
    size_t max_connections; // 0: as many as descriptors allow
    uint64_t log_size;      // bytes after which the log is rotated; 0: the default
    unsigned log_keep;      // rotated files that are kept; 0: the default
    int64_t timeout_us;     // for each step that a peer may keep us waiting in; 0: the defaults
    // catch_signals: SIGINT and SIGTERM stop, SIGHUP rereads the policy, the
    // revocation lists and the trusted certificates, and reopens the log.
    bool catch_signals;
    bool experiments;        // ask on the proxy's own account where a server's leg failed
    bool experiments_always; // and where it did not
    const char *control;     // host that they may ask, too: as probe_target_parse has it; or NULL
    int64_t experiments_wait_us; // how long those under way may take when the proxy stops
    bool prepare;                // make what only some clients need in the background of engine_run
    int64_t grace_us;            // how long connections may end by themselves after engine_stop
    // on_record is told of each record that is complete, on any thread, one at a time; where there
    // are experiments for it, after them.
    void (*on_record)(void *ctx, const struct obj *root);
    void *ctx;
};

// engine_new opens the log, the CA (made at the first start), the roots, the policy and the
// listeners. On failure it returns NULL, fills `err` and sets `*out_status` to the exit status.
WUNRES struct engine *engine_new(const struct engine_options *options, int *out_status,
                                 struct err *err);

// engine_run serves until stopped. engine_stop stops it, from any thread.
WUNRES bool engine_run(struct engine *engine, struct err *err);
void engine_stop(struct engine *engine);

// engine_free writes what waits and closes everything. NULL does nothing.
void engine_free(struct engine *engine);

// engine_write_bundles makes the bundles of the CA's folder (see ca_folder.h).
WUNRES bool engine_write_bundles(const struct engine *engine, struct err *err);

// The bound addresses, the CA's folder and the log.
size_t engine_num_addresses(const struct engine *engine);
const struct address *engine_address(const struct engine *engine, size_t i);
const struct ca_folder *engine_ca(const struct engine *engine);
const char *engine_log_file(const struct engine *engine);

#endif // PROXY_CLI_ENGINE_H_
