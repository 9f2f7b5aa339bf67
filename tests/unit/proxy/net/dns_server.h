// A tiny name server on a UDP port of 127.0.0.1, driven by the test's own loop.
//
// The first label of the name says what it answers:
//   nx, servfail, refused    that code
//   nodata                   no record of that type
//   silent                   nothing at all
//   garbage                  bytes that are no answer
//   four, six, dual          127.0.0.1, ::1, both
//   half                     127.0.0.1 for A, and nothing at all for AAAA
//   many                     127.0.0.1 to 127.0.0.20, and ::1
//   twice                    127.0.0.1 two times
//   cname                    an alias, and its 127.0.0.1
//   ech                      an HTTPS record with an "ech" of DNS_SERVER_ECH, for ech.test alone
//                            and _8443._https.ech.test
//   slow                     127.0.0.1, but only at dns_server_release
#ifndef TESTS_UNIT_PROXY_NET_DNS_SERVER_H_
#define TESTS_UNIT_PROXY_NET_DNS_SERVER_H_

#include <ev.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_SERVER_ECH "an ECHConfigList"

struct dns_server {
    struct ev_loop *loop;
    ev_io io;
    char at[32]; // "127.0.0.1:PORT"
    unsigned queries;
    struct {
        uint8_t bytes[512];
        size_t len;
        struct sockaddr_in from;
    } held[8];
    size_t num_held;
};

void dns_server_init(struct dns_server *dns, struct ev_loop *loop);
void dns_server_cleanup(struct dns_server *dns);

// dns_server_release answers the queries that were held back.
void dns_server_release(struct dns_server *dns);

#endif // TESTS_UNIT_PROXY_NET_DNS_SERVER_H_
