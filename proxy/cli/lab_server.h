// A small server of the lab, in a thread of its own, with what is wrong with it.
#ifndef PROXY_CLI_LAB_SERVER_H_
#define PROXY_CLI_LAB_SERVER_H_

#include <stdbool.h>
#include <stdint.h>

#include "logs/base/err.h"
#include "proxy/cli/lab_pki.h"

// What answers on the port.
enum lab_service {
    LAB_SERVICE_TLS,
    LAB_SERVICE_HTTP,    // plain HTTP
    LAB_SERVICE_SSH,     // another protocol, whose server speaks first
    LAB_SERVICE_CLOSES,  // closes when it has the ClientHello
    LAB_SERVICE_RESETS,  // resets the connection then
    LAB_SERVICE_ALERTS,  // sends the alert of the plan then
    LAB_SERVICE_SILENT,  // says nothing
    LAB_SERVICE_REFUSED, // nobody listens
    LAB_SERVICE_NOWHERE, // there is no such host at all
};

// struct lab_server_plan is a server as data; zeroes are a sound one.
struct lab_server_plan {
    enum lab_service service;
    enum lab_cert cert;
    uint16_t min, max;      // versions of TLS, as 0x0303; 0: the library's own bound
    const char *suites;     // of TLS 1.2, as libssl's strict list; NULL: all
    uint8_t alert;          // LAB_SERVICE_ALERTS: its code
    bool wants_client_cert; // and goes on with nobody who has none
};

struct lab_server;

// lab_server_start starts the server of `plan` for `host` on a free port of 127.0.0.1, or fails
// where it cannot listen.
WUNRES struct lab_server *lab_server_start(const struct lab_server_plan *plan,
                                           const struct lab_pki *pki, const char *host,
                                           struct err *err);

// lab_server_port is where it listens, or where nobody does.
uint16_t lab_server_port(const struct lab_server *server);

// lab_server_stop ends it, and any connection that is left. NULL does nothing.
void lab_server_stop(struct lab_server *server);

#endif // PROXY_CLI_LAB_SERVER_H_
