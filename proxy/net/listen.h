// Listening sockets: what the user typed, and the socket it becomes.
#ifndef PROXY_NET_LISTEN_H_
#define PROXY_NET_LISTEN_H_

#include <stdbool.h>

#include "logs/base/check.h"
#include "logs/base/err.h"
#include "proxy/session/session.h"

// listen_parse reads HOST:PORT: "127.0.0.1:8080", "[::1]:0". HOST is an address literal or
// "localhost", which is 127.0.0.1. A bare port ("8080") listens on 127.0.0.1; an empty host or a
// star (":8080", "*:8080") on every address of the machine, IPv4 and IPv6. Port 0 lets the kernel
// pick. It returns false with a message that shows what is accepted.
WUNRES bool listen_parse(struct address *out, const char *s, struct err *err);

// listen_open binds and listens, and returns a non-blocking descriptor that the caller closes, or
// -1 with a message that says what to do. It stores the real port in `address`, and 0.0.0.0 for ::
// where the machine has no IPv6. The port must be free: one that another program holds is an error
// even when that program shares it.
WUNRES int listen_open(struct address *address, struct err *err);

// listen_share lets listen_again open more sockets on the address of `fd`; the kernel spreads new
// connections over them. It fails only where the kernel lacks SO_REUSEPORT.
WUNRES bool listen_share(int fd, struct err *err);
WUNRES int listen_again(const struct address *address, struct err *err);

#endif // PROXY_NET_LISTEN_H_
