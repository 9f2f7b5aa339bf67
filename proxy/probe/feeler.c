#include "proxy/probe/feeler.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// After struct timespec, which it needs.
#include <linux/errqueue.h>

#include "logs/base/check.h"
#include "proxy/net/clock.h"

struct feeler {
    struct feeler_config config;
    int fd;
    bool ipv4;
    ev_io io;
    ev_timer timer;
    int64_t start_us;
};

static void done(struct feeler *feeler, struct feeler_result *result) {
    ev_io_stop(feeler->config.loop, &feeler->io);
    ev_timer_stop(feeler->config.loop, &feeler->timer);
    result->us = clock_mono_us() - feeler->start_us;
    feeler->config.on_done(feeler->config.ctx, result);
}

// ---- the error queue

// fate_of is what an ICMP message (RFC 792, RFC 4443) says.
static enum feeler_fate fate_of(const struct sock_extended_err *e) {
    if (e->ee_origin == SO_EE_ORIGIN_ICMP) {
        return e->ee_type == ICMP_TIME_EXCEEDED ? FEELER_EXPIRED
               : e->ee_type == ICMP_DEST_UNREACH && e->ee_code == ICMP_PORT_UNREACH
                   ? FEELER_REACHED
                   : FEELER_REFUSED;
    }
    if (e->ee_origin == SO_EE_ORIGIN_ICMP6) {
        return e->ee_type == ICMP6_TIME_EXCEEDED ? FEELER_EXPIRED
               : e->ee_type == ICMP6_DST_UNREACH && e->ee_code == ICMP6_DST_UNREACH_NOPORT
                   ? FEELER_REACHED
                   : FEELER_REFUSED;
    }
    return FEELER_FAILED;
}

static void router_write(char *out, const struct sock_extended_err *e) {
    const struct sockaddr *offender = SO_EE_OFFENDER(e);
    struct address address;
    if (offender->sa_family == AF_INET || offender->sa_family == AF_INET6) {
        address_from_sockaddr(&address, offender);
        (void)address_ip_text(out, &address);
    }
}

// queue_read reads one message of the error queue. It returns false where there is none.
static bool queue_read(const struct feeler *feeler, struct feeler_result *out) {
    uint8_t data[64];
    union {
        struct cmsghdr align;
        uint8_t bytes[256];
    } control;
    struct iovec iov = {data, sizeof(data)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    if (recvmsg(feeler->fd, &msg, MSG_ERRQUEUE) < 0) {
        return false;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
        bool ipv4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool ipv6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (ipv4 || ipv6) {
            const struct sock_extended_err *e = (const void *)CMSG_DATA(c);
            out->fate = fate_of(e);
            router_write(out->router, e);
            return true;
        }
    }
    return false;
}

// ---- one feeler

static void on_io(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop, (void)revents;
    struct feeler *feeler = io->data;
    struct feeler_result result = {.fate = FEELER_SILENT};
    int errnum = 0;
    socklen_t len = sizeof(errnum);
    if (queue_read(feeler, &result)) {
        done(feeler, &result);
        return;
    }
    (void)getsockopt(feeler->fd, SOL_SOCKET, SO_ERROR, &errnum, &len);
    if (errnum == 0 && feeler->config.datagram) {
        return; // an answer to the datagram, of which nothing is wanted
    }
    result.fate = errnum == 0 ? FEELER_REACHED : FEELER_REFUSED;
    done(feeler, &result);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    struct feeler *feeler = timer->data;
    // What could not be sent is told from the loop, too.
    done(feeler, &(struct feeler_result){.fate = feeler->fd < 0 ? FEELER_FAILED : FEELER_SILENT});
}

static void ttl_set(const struct feeler *feeler, int ttl) {
    if (feeler->ipv4) {
        (void)setsockopt(feeler->fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    } else {
        (void)setsockopt(feeler->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
    }
}

static void options_set(const struct feeler *feeler) {
    int on = 1, mark = feeler->config.mark;
    if (feeler->ipv4) {
        (void)setsockopt(feeler->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
    } else {
        (void)setsockopt(feeler->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
    }
    if (mark != 0) {
        (void)setsockopt(feeler->fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
    }
    ttl_set(feeler, feeler->config.ttl);
}

// feeler_send sends it; `fd` is -1 where that fails.
static void feeler_send(struct feeler *feeler) {
    struct address address = feeler->config.address;
    struct sockaddr_storage sa;
    bool datagram = feeler->config.datagram;
    if (datagram) {
        address.port = (uint16_t)(FEELER_DATAGRAM_PORT + feeler->config.ttl);
    }
    socklen_t len = address_to_sockaddr(&sa, &address);
    int type = (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    feeler->ipv4 = sa.ss_family == AF_INET;
    feeler->fd = socket(sa.ss_family, type, 0);
    if (feeler->fd < 0) {
        return;
    }
    options_set(feeler);
    bool ok = connect(feeler->fd, (struct sockaddr *)&sa, len) == 0 || errno == EINPROGRESS;
    ok = ok && (!datagram || send(feeler->fd, "", 1, 0) == 1);
    if (!ok) {
        close(feeler->fd);
        feeler->fd = -1;
    }
}

struct feeler *feeler_new(const struct feeler_config *config) {
    struct feeler *feeler = xcalloc(1, sizeof(*feeler));
    feeler->config = *config;
    feeler->start_us = clock_mono_us();
    ev_init(&feeler->io, on_io);
    feeler_send(feeler);
    if (feeler->fd >= 0) {
        ev_io_set(&feeler->io, feeler->fd, config->datagram ? EV_READ : EV_WRITE);
        feeler->io.data = feeler;
        ev_io_start(config->loop, &feeler->io);
    }
    ev_timer_init(&feeler->timer, on_timer, feeler->fd >= 0 ? (double)config->timeout_us * 1e-6 : 0,
                  0);
    feeler->timer.data = feeler;
    ev_timer_start(config->loop, &feeler->timer);
    return feeler;
}

void feeler_free(struct feeler *feeler) {
    if (feeler == NULL) {
        return;
    }
    ev_io_stop(feeler->config.loop, &feeler->io);
    ev_timer_stop(feeler->config.loop, &feeler->timer);
    if (feeler->fd >= 0) {
        ttl_set(feeler, -1); // a FIN is to arrive
        close(feeler->fd);
    }
    free(feeler);
}
