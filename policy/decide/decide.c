#include "policy/decide/decide.h"

#include <string.h>

#include "policy/config/network.h"
#include "policy/decide/glob.h"

struct name {
    const char *p;
    size_t len;
};

// struct facts is a question made ready for comparison, once for all rules.
struct facts {
    const struct question *q;
    struct name host, sni; // without the dot at the end; an address literal in its usual form
    bool is_address;
    struct network address;
    char text[NETWORK_TEXT_MAX];
};

static struct name name_of(const char *name) {
    size_t len = name == NULL ? 0 : strlen(name);
    if (len > 1 && name[len - 1] == '.') {
        len--;
    }
    return (struct name){name, len};
}

static void facts_init(struct facts *facts, const struct question *q) {
    facts->q = q;
    facts->host = name_of(q->host);
    facts->sni = name_of(q->sni);
    facts->address.bits = 128;
    facts->is_address = network_parse_address(facts->address.address, q->host);
    if (facts->is_address) {
        network_text(facts->text, &facts->address);
        facts->host = name_of(facts->text);
    }
}

static bool host_matches(const struct host_glob *host, const struct facts *facts) {
    if (host->pattern == NULL) {
        return facts->is_address && network_contains(&host->network, facts->address.address);
    }
    return glob_matches(host->pattern, facts->host.p, facts->host.len) ||
           (facts->is_address && facts->sni.len != 0 &&
            glob_matches(host->pattern, facts->sni.p, facts->sni.len));
}

static bool any_host_matches(const struct policy_rule *rule, const struct facts *facts) {
    for (size_t i = 0; i < rule->num_hosts; i++) {
        if (host_matches(&rule->hosts[i], facts)) {
            return true;
        }
    }
    return rule->num_hosts == 0;
}

// sni_might_match returns whether there is an SNI with which `rule` would match.
static bool sni_might_match(const struct policy_rule *rule, const struct facts *facts) {
    bool might = false;
    for (size_t i = 0; i < rule->num_hosts; i++) {
        might = might || rule->hosts[i].pattern != NULL;
    }
    return might && facts->is_address && facts->q->sni_to_come;
}

static bool any_port_matches(const struct policy_rule *rule, const struct facts *facts) {
    for (size_t i = 0; i < rule->num_ports; i++) {
        if (rule->ports[i].first <= facts->q->port && facts->q->port <= rule->ports[i].last) {
            return true;
        }
    }
    return rule->num_ports == 0;
}

static bool any_client_matches(const struct policy_rule *rule, const struct facts *facts) {
    for (size_t i = 0; i < rule->num_clients; i++) {
        if (network_contains(&rule->clients[i], facts->q->client)) {
            return true;
        }
    }
    return rule->num_clients == 0;
}

const struct policy_rule *policy_decide(const struct policy *policy, const struct question *q) {
    struct facts facts;
    facts_init(&facts, q);
    size_t last = policy_num_rules(policy) - 1;
    for (size_t i = 0; i < last; i++) {
        const struct policy_rule *rule = policy_rule(policy, i);
        if (!any_port_matches(rule, &facts) || !any_client_matches(rule, &facts)) {
            continue;
        }
        if (any_host_matches(rule, &facts)) {
            return rule;
        }
        if (sni_might_match(rule, &facts)) {
            return NULL;
        }
    }
    return policy_rule(policy, last);
}
