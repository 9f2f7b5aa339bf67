// What the lab plays: who does what, and what the verdict has to be.
#ifndef PROXY_CLI_LAB_SCENARIO_H_
#define PROXY_CLI_LAB_SCENARIO_H_

#include "proxy/cli/lab_client.h"
#include "proxy/cli/lab_server.h"

// struct lab_scenario is a row of lab_scenarios.inc.
struct lab_scenario {
    const char *name;
    const char *says; // what happens, in a sentence
    struct lab_server_plan server;
    struct lab_client_plan client;
    const char *host;          // that the client asks for; NULL: LAB_HOST
    const char *front;         // profile of a box between client and proxy, or NULL
    const char *policy;        // file of the proxy's, or NULL
    const char *as;            // profile of the box that the proxy itself is, or NULL
    const char *behind;        // profile of a box between proxy and server, or NULL
    bool through_parent;       // the proxy goes through another one, which only watches
    bool watched;              // the proxy only watches: its policy says "tunnel"
    unsigned timeout_ms;       // of each step; 0: the proxy's own
    bool sound_first;          // the client gets a page from another host before
    unsigned times;            // it asks, the last of which is judged; 0: once
    const char *party, *cause; // the verdict to be
    const char *ruled_out;     // a cause that it must rule out, or NULL
};

#define LAB_HOST "site.localhost"
#define LAB_BROWSER                                                                                \
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "            \
    "Chrome/104.0.0.0 Safari/537.36"

extern const struct lab_scenario lab_scenarios[];
extern const size_t lab_num_scenarios;

// lab_scenario_find returns the scenario called `name`, or NULL.
const struct lab_scenario *lab_scenario_find(const char *name);

#endif // PROXY_CLI_LAB_SCENARIO_H_
