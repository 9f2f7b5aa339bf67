// What the two ends of a benchmark, and the relay between them, have in common.
#ifndef TESTS_BENCH_PEER_H_
#define TESTS_BENCH_PEER_H_

#include <netinet/in.h>
#include <stdint.h>

#include "logs/base/check.h"

enum { EVENTS = 256, PIECE = 64 * 1024, REQUEST_MAX = 1024 };

// die says what failed, with errno, and exits.
NORETURN void die(const char *what);

int64_t now_us(void);

// watch is epoll_ctl.
void watch(int epoll, int op, int fd, uint32_t events, void *ptr);

void no_delay(int fd);

// address reads "127.0.0.1:443".
struct sockaddr_in address(const char *text);

// listener_open listens on a port of loopback, 0 for any, and prints it.
int listener_open(const char *port);

NORETURN void origin_main(const char *port, const char *chain, const char *key,
                          const char *issuer_key);
NORETURN void relay_main(const char *port, const char *target);
int load_main(int argc, char **argv);

#endif // TESTS_BENCH_PEER_H_
