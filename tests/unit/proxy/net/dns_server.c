#include "tests/unit/proxy/net/dns_server.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "logs/base/check.h"

enum { HEADER = 12, TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_HTTPS = 65, PACKET = 1400 };
enum { NXDOMAIN = 3, SERVFAIL = 2, REFUSED = 5 };

struct answer {
    uint8_t bytes[PACKET];
    size_t len;
    unsigned num;
};

static void put(struct answer *a, const void *p, size_t len) {
    CHECK(a->len + len <= sizeof(a->bytes));
    memcpy(a->bytes + a->len, p, len);
    a->len += len;
}

// A record whose name is at `at` in the packet (RFC 1035 section 4.1.4).
static void put_record(struct answer *a, uint8_t at, uint8_t type, const void *data, uint8_t len) {
    const uint8_t head[] = {0xc0, at, 0, type, 0, 1, 0, 0, 0, 60, 0, len};
    put(a, head, sizeof(head));
    put(a, data, len);
    a->num++;
}

static void put_address(struct answer *a, uint8_t at, int type, uint8_t last) {
    const uint8_t four[4] = {127, 0, 0, last};
    const uint8_t six[16] = {[15] = last};
    put_record(a, at, (uint8_t)type, type == TYPE_A ? four : six, type == TYPE_A ? 4 : 16);
}

static bool answer_addresses(struct answer *a, const char *label, int type) {
    bool four = strcmp(label, "four") == 0 || strcmp(label, "slow") == 0;
    bool six = strcmp(label, "six") == 0;
    if (strcmp(label, "dual") == 0 || (four && type == TYPE_A) || (six && type == TYPE_AAAA)) {
        put_address(a, HEADER, type, 1);
    } else if (strcmp(label, "many") == 0) {
        for (uint8_t i = 1; i <= (type == TYPE_A ? 20 : 1); i++) {
            put_address(a, HEADER, type, i);
        }
    } else if (strcmp(label, "twice") == 0 && type == TYPE_A) {
        put_address(a, HEADER, type, 1);
        put_address(a, HEADER, type, 1);
    } else if (strcmp(label, "cname") == 0 && type == TYPE_A) {
        put_record(a, HEADER, TYPE_CNAME, "\5other\4test", 12);
        put_address(a, (uint8_t)(a->len - 12), type, 1);
    } else if (strcmp(label, "half") == 0) {
        put_address(a, HEADER, TYPE_A, 1);
        return type == TYPE_A;
    }
    return true;
}

static void put_https(struct answer *a) {
    uint8_t data[] = "\0\1\0" // priority, target
                     "\0\1\0\3\2h2\0\5\0\x10" DNS_SERVER_ECH;
    put_record(a, HEADER, TYPE_HTTPS, data, sizeof(data) - 1);
}

static uint8_t code_of(const char *label) {
    return strcmp(label, "nx") == 0         ? NXDOMAIN
           : strcmp(label, "servfail") == 0 ? SERVFAIL
           : strcmp(label, "refused") == 0  ? REFUSED
                                            : 0;
}

static void answer(struct dns_server *dns, const uint8_t *query, size_t len,
                   const struct sockaddr_in *to) {
    char label[64] = "";
    CHECK(len >= HEADER + 5 && query[HEADER] < sizeof(label));
    memcpy(label, query + HEADER + 1, query[HEADER]);
    const uint8_t *end = memchr(query + HEADER, 0, len - HEADER);
    CHECK(end != NULL);
    int type = end[1] << 8 | end[2];
    struct answer a = {.len = 0};
    put(&a, query, (size_t)(end + 5 - query));
    if (type == TYPE_HTTPS &&
        (strcmp((const char *)query + HEADER, "\3ech\4test") == 0 ||
         strcmp((const char *)query + HEADER, "\5_8443\6_https\3ech\4test") == 0)) {
        put_https(&a);
    }
    if (strcmp(label, "silent") == 0 || !answer_addresses(&a, label, type)) {
        return;
    }
    const uint8_t head[] = {0x81, 0x80 | code_of(label), 0, 1, 0, (uint8_t)a.num, 0, 0, 0, 0};
    memcpy(a.bytes + 2, head, sizeof(head));
    if (strcmp(label, "garbage") == 0) {
        memset(a.bytes + 3, 0xff, a.len - 3);
    }
    CHECK(sendto(dns->io.fd, a.bytes, a.len, 0, (const struct sockaddr *)to, sizeof(*to)) > 0);
}

static void on_query(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop, (void)revents;
    struct dns_server *dns = io->data;
    uint8_t bytes[512];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t len = recvfrom(io->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_len);
    CHECK(len > HEADER);
    dns->queries++;
    if (memcmp(bytes + HEADER, "\4slow", 5) != 0) {
        answer(dns, bytes, (size_t)len, &from);
    } else if (dns->num_held < ARRAY_LEN(dns->held)) {
        memcpy(dns->held[dns->num_held].bytes, bytes, (size_t)len);
        dns->held[dns->num_held].len = (size_t)len;
        dns->held[dns->num_held++].from = from;
    }
}

void dns_server_init(struct dns_server *dns, struct ev_loop *loop) {
    *dns = (struct dns_server){.loop = loop};
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    snprintf(dns->at, sizeof(dns->at), "127.0.0.1:%u", ntohs(sa.sin_port));
    ev_io_init(&dns->io, on_query, fd, EV_READ);
    dns->io.data = dns;
    ev_io_start(loop, &dns->io);
}

void dns_server_cleanup(struct dns_server *dns) {
    ev_io_stop(dns->loop, &dns->io);
    close(dns->io.fd);
}

void dns_server_release(struct dns_server *dns) {
    for (size_t i = 0; i < dns->num_held; i++) {
        answer(dns, dns->held[i].bytes, dns->held[i].len, &dns->held[i].from);
    }
    dns->num_held = 0;
}
