// The policy: what to do with a connection, read from a JSON file once and never changed after.
#ifndef POLICY_CONFIG_POLICY_H_
#define POLICY_CONFIG_POLICY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/buf.h"
#include "logs/base/err.h"

enum policy_action { ACTION_INTERCEPT, ACTION_TUNNEL, ACTION_REFUSE, ACTION_EMULATE };

// What the client is shown when the server leg fails after TLS has begun: the same defect, a
// matching alert, or a page that tells the verdict.
enum policy_on_failure { ON_FAILURE_MIRROR, ON_FAILURE_ALERT, ON_FAILURE_PAGE };

// policy_action_name and policy_on_failure_name return the words of the policy file.
const char *policy_action_name(enum policy_action action);
const char *policy_on_failure_name(enum policy_on_failure on_failure);

// Which TLS secrets of an intercepted connection its record keeps: none; those that open the
// handshake but no application data; all.
enum policy_secrets { SECRETS_HANDSHAKE, SECRETS_NONE, SECRETS_ALL };

// struct record_policy says what of the wire is kept beyond the facts.
struct record_policy {
    bool handshake_bytes, application_data;
    enum policy_secrets secrets;
};

// struct leg_policy bounds one leg. Versions are TLS code points (0x0301 to 0x0304); 0 is no bound
// beyond what the library can do. `verify` false records defects of the server's chain but shows
// the client a sound leaf (server leg), or is without meaning (client leg).
struct leg_policy {
    uint16_t min_version, max_version;
    bool verify;
};

// struct fetch_policy says what may be fetched over plain HTTP from addresses that a server's
// certificate names: the certificate of its issuer, and revocation lists.
struct fetch_policy {
    bool aia, crl;
};

// The other forms of the proxy's certificate, see leaf_forms.inc.
enum leaf_form {
#define LEAF_FORM(name, word, says) LEAF_FORM_##name,
#include "logs/record/leaf_forms.inc"
#undef LEAF_FORM
    LEAF_FORMS
};

// struct retry_policy says what the proxy may try with a client: to tunnel the connection after one
// on which the client refused our certificate; to show it other forms of that, one a connection, in
// this order; to show one that went on a certificate that it has to refuse.
struct retry_policy {
    bool tunnel, canary;
    enum leaf_form *forms;
    size_t num_forms;
};

// struct network is an address prefix; IPv4 is held as ::ffff:a.b.c.d. See network.h.
struct network {
    uint8_t address[16];
    uint8_t bits; // 0 to 128
};

// struct host_glob is one entry of "hosts": a glob over names, or a network for address literals.
struct host_glob {
    char *pattern; // lower case, no trailing dot; `*` matches any run, dots and nothing included;
                   // NULL: the entry is `network`
    struct network network;
};

struct port_range {
    uint16_t first, last;
};

// struct policy_rule is one rule with its effective values, or the defaults, whose empty lists
// match everything. All that it points to belongs to the policy.
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
    char *profile; // ACTION_EMULATE: the boxes to be, as profile_load reads them; else ""
    bool parent;   // dials go through the parent proxy, where there is one
    struct leg_policy client_leg, server_leg;
    struct retry_policy retry;
    bool experiments; // the proxy may ask these hosts on its own account why a connection failed
    struct record_policy record;
    char **trust; // PEM files trusted beside the system's roots; they could be read at load time
    size_t num_trust;
    char **crls; // files of revocation lists; likewise
    size_t num_crls;
    struct fetch_policy fetch;
    size_t index; // position among the rules; the defaults come last
};

// struct policy is immutable and counted, so that connections keep the one that they began with
// while SIGHUP brings another.
struct policy;

// policy_default returns the policy without a file: intercept everything, mirror failures.
WUNRES struct policy *policy_default(void);

// The ceilings: of a policy file in bytes, and of its rules.
enum { POLICY_MAX_LEN = 1024 * 1024, POLICY_MAX_RULES = 1000 };

// policy_load reads `path`. An unknown key, a wrong type, a bad value or a file that is not JSON
// returns NULL and fills `err` with the file, the JSON path (or line and column) and what was
// expected. Relative paths inside are taken from the file's folder.
WUNRES struct policy *policy_load(const char *path, struct err *err);

// policy_load_over is policy_load where "default" has the keys of the JSON object `over` unless the
// file says otherwise. `path` may be NULL: there is no file then.
WUNRES struct policy *policy_load_over(const char *path, const char *over, struct err *err);

// policy_parse is policy_load for `text_len` bytes of text. `name` is what errors call them;
// relative paths inside are taken from `dir`, or from the working directory where it is NULL.
WUNRES struct policy *policy_parse(const char *name, const char *text, size_t text_len,
                                   const char *dir, struct err *err);

struct policy *policy_ref(struct policy *policy);
void policy_unref(struct policy *policy); // NULL does nothing; any thread

// policy_num_rules counts the rules with the defaults; policy_rule returns rule `i`, the defaults
// last.
size_t policy_num_rules(const struct policy *policy);
const struct policy_rule *policy_rule(const struct policy *policy, size_t i);

// policy_print appends the effective policy as indented JSON: every key with its value, defaults
// filled in. Reading it again gives the same policy. It returns false past the ceiling of `out`,
// which then holds a part.
WUNRES bool policy_print(struct buf *out, const struct policy *policy);

// policy_print_keys appends the manual of the file: every key with its default, the values that it
// takes and its meaning, for a terminal of 80 columns. It returns false past the ceiling of `out`.
WUNRES bool policy_print_keys(struct buf *out);

#endif // POLICY_CONFIG_POLICY_H_
