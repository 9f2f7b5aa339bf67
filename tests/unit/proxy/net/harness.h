// A net in a thread of its own, and the sockets that test it. Every wait has a deadline.
#ifndef TESTS_UNIT_PROXY_NET_HARNESS_H_
#define TESTS_UNIT_PROXY_NET_HARNESS_H_

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/net/net.h"

struct proxy {
    struct net_config config; // fill in what differs from the defaults before proxy_start
    struct address listens[2];
    struct net *net;
    uint16_t port; // of the first address
    bool splices;  // relay_open's connections need not show what they relay
    pthread_t thread;
    atomic_uint records, refs, unrefs, warnings, reloads, stops;
    atomic_int stopped_by;
    atomic_ulong threads[2]; // that handed over records
    atomic_bool gate_shut, at_gate;
};

// proxy_start listens on a free port of 127.0.0.1, unless the configuration says where, and runs.
// proxy_stop asks it to stop and waits; proxy_join waits only; proxy_free is part of both.
void proxy_start(struct proxy *proxy);
void proxy_stop(struct proxy *proxy);
void proxy_join(struct proxy *proxy);

// proxy_hold keeps the worker from everything until proxy_release, so that what the sockets go
// through meanwhile is seen all at once. It returns a client socket that was needed for that.
int proxy_hold(struct proxy *proxy);
void proxy_release(struct proxy *proxy);

// Sockets block, with a timeout. client_open connects to a port of 127.0.0.1; client_ask also
// writes `line`. server_open listens on a port of 127.0.0.1 that it stores; server_accept waits.
int client_open(uint16_t port);
PRINTF(2, 3) int client_ask(uint16_t port, const char *fmt, ...);
int server_open(uint16_t *out_port);
int server_accept(int fd);

// send_all writes everything; recv_all reads exactly `len` bytes, and returns false when they do
// not come. recv_is compares. recv_end waits for the end and returns 0 for FIN, or errno.
bool send_all(int fd, const void *p, size_t len);
bool recv_all(int fd, void *p, size_t len);
bool recv_is(int fd, const char *text);
int recv_end(int fd);

// reset_close closes with RST.
void reset_close(int fd);

// relay_open makes a whole path: a client socket and the server's end of it.
void relay_open(const struct proxy *proxy, int server, uint16_t server_port, int out[2]);

// struct black_hole is a listening socket of 127.0.0.1 whose queue is full, so that it answers no
// SYN.
struct black_hole {
    int fds[3];
};
struct black_hole black_hole_open(uint16_t *out_port);
void black_hole_close(struct black_hole *hole);

// child_passes runs `fn` in a child process and returns whether no assertion failed there.
bool child_passes(void (*fn)(void));

#endif // TESTS_UNIT_PROXY_NET_HARNESS_H_
