// Both ends of a benchmark: the clients that load a proxy, and the origin behind it. Full TLS
// handshakes, no resumption, one thread.
//
//   peer origin PORT CHAIN.pem KEY.pem ISSUER-KEY.pem
//       Inside TLS a client asks for "GET /N" in HTTP/1.1, and gets N bytes.
//       A host whose name begins with "new" has a certificate of its own.
//   peer load KEY=VALUE...
//       connect=HOST:PORT  where TCP goes: the proxy
//       target=HOST:PORT   sent in a CONNECT first; without it TLS begins at once
//       sni=NAME           %d in it is the number of the connection modulo hosts
//       hosts=N count=N parallel=N bytes=N
//       rate=N             connections begin at even times, so many a second, and `parallel` does
//                          not matter
//       version=1.2|1.3
//       hold=1             open `count` connections, say so, and keep them until standard input
//       ends
//   It prints one line of JSON.
//   peer relay PORT HOST:PORT
//       The least that a relay can do: what it receives it moves on with splice(2), unseen.
#include "tests/bench/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void die(const char *what) {
    fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
    exit(1);
}

int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void watch(int epoll, int op, int fd, uint32_t events, void *ptr) {
    struct epoll_event event = {.events = events, .data.ptr = ptr};
    if (epoll_ctl(epoll, op, fd, &event) != 0) {
        die("epoll_ctl");
    }
}

void no_delay(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

struct sockaddr_in address(const char *text) {
    char host[64];
    int port = 0;
    struct sockaddr_in sa = {.sin_family = AF_INET};
    if (sscanf(text, "%63[^:]:%d", host, &port) != 2 ||
        inet_pton(AF_INET, host, &sa.sin_addr) != 1) {
        die(text);
    }
    sa.sin_port = htons((uint16_t)port);
    return sa;
}

int listener_open(const char *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t sa_len = sizeof(sa);
    if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(fd, 4096) != 0) {
        die("listen");
    }
    getsockname(fd, (struct sockaddr *)&sa, &sa_len);
    printf("%d\n", ntohs(sa.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    struct rlimit limit;
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (argc == 6 && strcmp(argv[1], "origin") == 0) {
        origin_main(argv[2], argv[3], argv[4], argv[5]);
    }
    if (argc >= 2 && strcmp(argv[1], "load") == 0) {
        return load_main(argc - 2, argv + 2);
    }
    if (argc == 4 && strcmp(argv[1], "relay") == 0) {
        relay_main(argv[2], argv[3]);
    }
    fprintf(stderr, "usage: peer origin PORT CHAIN KEY ISSUER-KEY | peer relay PORT HOST:PORT |"
                    " peer load KEY=VALUE...\n");
    return 2;
}
