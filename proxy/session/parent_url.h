// The parent proxy as the user names it.
#ifndef PROXY_SESSION_PARENT_URL_H_
#define PROXY_SESSION_PARENT_URL_H_

#include <stdbool.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "logs/base/err.h"

enum { PARENT_HOST_MAX = 253, PARENT_CREDENTIALS_MAX = 512 };

// struct parent is a proxy that dials go through.
struct parent {
    char host[PARENT_HOST_MAX + 1]; // a name, or an address literal without brackets; "": none
    uint16_t port;
    bool tls; // TLS is spoken with the parent itself
    // "Basic ..." of RFC 7617, or "".
    char authorization[sizeof("Basic ") + (PARENT_CREDENTIALS_MAX + 2) / 3 * 4];
};

// parent_parse reads http://[USER:PASSWORD@]HOST[:PORT] or https://...; the ports of these schemes
// are the defaults. Characters in USER and PASSWORD may be percent-encoded. It returns false with a
// message that shows none of both.
WUNRES bool parent_parse(struct parent *out, const char *url, struct err *err);

// parent_set_credentials takes "USER:PASSWORD", or fails with a message that does not show it.
WUNRES bool parent_set_credentials(struct parent *parent, const char *text, struct err *err);

#endif // PROXY_SESSION_PARENT_URL_H_
