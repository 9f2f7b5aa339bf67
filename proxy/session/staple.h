// What is stapled for the client.
#ifndef PROXY_SESSION_STAPLE_H_
#define PROXY_SESSION_STAPLE_H_

#include "policy/ca/mint.h"
#include "proxy/session/internal.h"
#include "proxy/tls/client_hello.h"

// staple_show lets `ssl`, the client leg's, staple an OCSP response for `leaf` where the client
// asks for one and the server stapled one: by our CA, with the same status, dates and faults.
// Nothing is stapled where the server stapled nothing. A policy that hides the server's defects
// hides those of its staple too, a missing one that its certificate demands included.
// It returns whether it did.
bool staple_show(struct session *s, SSL *ssl, const struct client_hello *hello,
                 const struct leaf *leaf);

#endif // PROXY_SESSION_STAPLE_H_
