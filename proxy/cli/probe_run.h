// `probe` at work: the hellos, the loop, the record.
#ifndef PROXY_CLI_PROBE_RUN_H_
#define PROXY_CLI_PROBE_RUN_H_

#include "logs/view/page.h"
#include "proxy/cli/options.h"
#include "proxy/cli/probe_target.h"
#include "proxy/session/parent_url.h"

// struct probe_options is what the command line says.
struct probe_options {
    struct probe_target target, controls[1 + PROBE_OTHERS];
    size_t num_controls;
    struct parent parent;                                      // `has_parent`
    const char *address, *control_addresses[1 + PROBE_OTHERS]; // literals, or NULL
    bool has_parent;
    const char *resolver;    // a second one, "192.0.2.1" or "192.0.2.1:5353"; NULL: none
    const char *cert, *key;  // files of a client certificate, and of its key where it is another
    const char *ech_config;  // see probe_ech_read
    const char *like;        // id of a record, or NULL
    const char *log;         // its log, and that of the new record; NULL: the default one
    const char *shape;       // of the hello without `like`
    const char *server_name; // NULL: the host
    struct probe_pick picks[OPTION_LIST_MAX];
    size_t num_picks;
    struct option_list trust;
    size_t repeats, budget, parallel;
    uint64_t seed;
    int64_t answer_us, connect_us, total_us, pace_us;
    int family;
    bool plan, json, quiet, minimize, locate, fetch;
    bool live; // a line of progress on standard error
    struct page page;
};

// probe_run probes and prints, and returns the exit status.
int probe_run(const struct probe_options *options);

#endif // PROXY_CLI_PROBE_RUN_H_
