// The policy: what to do with a connection, read from a JSON file once and never changed after.
#ifndef POLICY_CONFIG_POLICY_H_
#define POLICY_CONFIG_POLICY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/buf.h"
#include "logs/base/err.h"

enum policy_action { ACTION_INTERCEPT, ACTION_TUNNEL, ACTION_REFUSE };

// What the client is shown when the server leg fails after TLS has begun: the same defect, a
// matching alert, or a page that tells the verdict.
enum policy_on_failure { ON_FAILURE_MIRROR, ON_FAILURE_ALERT, ON_FAILURE_PAGE };

// struct leg_policy bounds one leg. Versions are TLS code points (0x0301 to 0x0304); 0 is no bound
// beyond what the library can do. `verify` false records defects of the server's chain but shows
// the client a sound leaf (server leg), or is without meaning (client leg).
struct leg_policy {
    uint16_t min_version, max_version;
    bool verify;
};

struct host_glob {
    char *pattern; // lower case; `*` matches any run, dots included
};

// struct network is an address prefix; IPv4 is held as ::ffff:a.b.c.d.
struct network {
    uint8_t address[16];
    uint8_t bits; // 0 to 128
};

struct port_range {
    uint16_t first, last;
};

// struct policy_rule is one rule, or the defaults. An empty list matches everything.
struct policy_rule {
    char *path; // JSON path of the rule: "rules[2]", or "default"
    struct host_glob *hosts;
    size_t num_hosts;
    struct port_range *ports;
    size_t num_ports;
    struct network *clients;
    size_t num_clients;
    enum policy_action action;
    enum policy_on_failure on_failure;
    struct leg_policy client_leg, server_leg;
    char **trust; // PEM files trusted beside the system's roots
    size_t num_trust;
    size_t index; // position among the rules; the defaults come last
};

// struct policy is immutable and counted, so that connections keep the one that they began with
// while SIGHUP brings another.
struct policy;

// policy_default returns the policy without a file: intercept everything, mirror failures.
WUNRES struct policy *policy_default(void);

// policy_load reads `path`. An unknown key, a wrong type, a bad value or a file that is not JSON
// returns NULL and fills `err` with the file, the JSON path (or line and column) and what was
// expected. Relative paths inside are taken from the file's folder.
WUNRES struct policy *policy_load(const char *path, struct err *err);

struct policy *policy_ref(struct policy *policy);
void policy_unref(struct policy *policy); // NULL does nothing; any thread

// policy_num_rules counts the rules with the defaults; policy_rule returns rule `i`, the defaults
// last.
size_t policy_num_rules(const struct policy *policy);
const struct policy_rule *policy_rule(const struct policy *policy, size_t i);

// policy_print appends the effective policy as indented JSON: every key with its value, defaults
// filled in. Reading it again gives the same policy.
WUNRES bool policy_print(struct buf *out, const struct policy *policy);

#endif // POLICY_CONFIG_POLICY_H_
