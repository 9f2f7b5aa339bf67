// What the server leg showed, for the client leg to be answered alike.
#ifndef PROXY_SESSION_UPSTREAM_H_
#define PROXY_SESSION_UPSTREAM_H_

#include "policy/ca/verify_cache.h"
#include "proxy/session/internal.h"

enum failure {
    FAILURE_NONE,
    FAILURE_ALERT,       // the server sent a fatal alert: `alert`
    FAILURE_FIN,         // it closed
    FAILURE_RST,         // its connection broke
    FAILURE_TIMEOUT,     // it said nothing (more)
    FAILURE_NOT_TLS,     // it does not speak TLS: `head` of its lane is what it said
    FAILURE_PROTOCOL,    // we gave up on what it said
    FAILURE_CERTIFICATE, // its chain is not good and policy does not mirror that
};

struct upstream {
    enum failure failure;
    uint8_t alert;             // FAILURE_ALERT
    bool broken_off;           // by the emulated box, at the certificate
    struct verified *verified; // what was found about its chain; NULL: no chain came
    int64_t held_until_us;     // our last flight waits for the client's first bytes until then
};

// upstream_holds returns whether the end of the server leg's handshake may still wait: what the
// client says with its own goes to the server in the same segment then, and wakes it once.
bool upstream_holds(const struct session *s);

#endif // PROXY_SESSION_UPSTREAM_H_
