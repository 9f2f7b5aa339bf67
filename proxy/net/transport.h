// What the kernel knows of a TCP connection.
#ifndef PROXY_NET_TRANSPORT_H_
#define PROXY_NET_TRANSPORT_H_

#include "proxy/session/session.h"

// transport_sample asks the kernel about the connection of `fd`; what it does not know is negative.
void transport_sample(struct transport *out, int fd);

// transport_keep_syn lets the listening socket `fd` keep the SYN of each connection. transport_syn
// writes that of the connection `fd`, which can be had once, and returns its length: the headers of
// IP and TCP. It is 0 where the kernel has none.
enum { TRANSPORT_SYN_MAX = 120 };
void transport_keep_syn(int fd);
size_t transport_syn(uint8_t out[TRANSPORT_SYN_MAX], int fd);

// transport_prepare sets the options of a connection that is to be relayed: no delay of small
// segments, and keep-alive probes. What a listening socket accepts inherits them.
void transport_prepare(int fd);

#endif // PROXY_NET_TRANSPORT_H_
