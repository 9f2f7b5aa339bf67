// A small client of the lab, which asks for one page through a proxy, with what is wrong with it.
#ifndef PROXY_CLI_LAB_CLIENT_H_
#define PROXY_CLI_LAB_CLIENT_H_

#include <stdbool.h>
#include <stdint.h>

#include "logs/base/err.h"
#include "proxy/tls/hello_draft.h"

// What a client makes of the certificate that it is shown.
enum lab_trust {
    LAB_TRUST_CA,     // verifies it, and trusts the proxy's CA
    LAB_TRUST_NOBODY, // verifies it, without the proxy's CA
    LAB_TRUST_PIN,    // trusts the CA, and leaves for it wants another key all the same
};

// struct lab_client_plan is a client as data; zeroes are a sound one.
struct lab_client_plan {
    enum lab_trust trust;
    uint16_t min, max;    // versions of TLS, as 0x0303; 0: the library's own bound
    const char *suites;   // of TLS 1.2, as libssl's strict list; NULL: all
    const char *agent;    // what it calls itself; NULL: a name of the lab's
    int clock_ahead_days; // how wrong its clock is
    bool browser;         // its hello is that of a Chromium
    bool speculative;     // says hello and leaves
    // The hello of a recorded client, sent in place of its own but for the name and the keys; NULL:
    // its own. What that client did then: the fatal alert that it sent, 0 for none; whether it left
    // without an alert when it had the certificate, or without a request when all was done.
    const struct hello_draft *hello;
    uint8_t alert;
    bool leaves_at_certificate, leaves_at_finished;
};

// struct lab_route is where a client goes.
struct lab_route {
    uint16_t proxy; // port on 127.0.0.1
    const char *ca; // file of the CA that clients of the proxy trust
    const char *host;
    uint16_t port;
    int over; // an eventfd: once it is readable nobody answers any more
};

// lab_client_ask has the client of `plan` ask for a page, and returns whether it got one. No step
// takes longer than 20 seconds.
bool lab_client_ask(const struct lab_client_plan *plan, const struct lab_route *route);

#endif // PROXY_CLI_LAB_CLIENT_H_
