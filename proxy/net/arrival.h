// Connections that did not ask a proxy for anything: where they were going before a rule of the
// firewall brought them here, and whether they are our own.
#ifndef PROXY_NET_ARRIVAL_H_
#define PROXY_NET_ARRIVAL_H_

#include <stdbool.h>
#include <sys/socket.h>

#include "logs/base/check.h"
#include "proxy/session/session.h"

// ARRIVAL_MARK is the mark (SO_MARK) that our own connections bear in a transparent proxy, where
// the kernel lets us, so that rules can let them pass.
enum { ARRIVAL_MARK = 0x746c };

// arrival_accept lets the listening socket `fd` take connections that TPROXY brings. It needs
// CAP_NET_ADMIN; without, REDIRECT still works. It returns whether it was allowed.
bool arrival_accept(int fd);

// arrival_original stores where the connection of `fd`, which `listen` accepted, was going: what
// REDIRECT replaced (SO_ORIGINAL_DST), or its own local address with TPROXY. It returns false for
// one that was made to us.
bool arrival_original(struct address *out, int fd, const struct address *listen);

// struct loops remembers our own recent connections by their local port, for any number of threads.
struct loops;

struct loops *loops_new(void);
void loops_free(struct loops *loops); // NULL does nothing

// loops_connect is connect(2) of the socket `fd` to `to`, whose form for the kernel is `sa`, and
// notes the attempt before anybody else can ask about it. loops_meets returns whether a connection
// from `client` to `to`, which was just accepted, is such an attempt come back, and remembers it
// for loops_met, which answers for the socket of the attempt.
int loops_connect(struct loops *loops, int fd, const struct sockaddr *sa, socklen_t sa_len,
                  const struct address *to);
bool loops_meets(struct loops *loops, const struct address *client, const struct address *to);
bool loops_met(const struct loops *loops, int fd);

#endif // PROXY_NET_ARRIVAL_H_
