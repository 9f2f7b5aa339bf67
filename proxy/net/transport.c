#include "proxy/net/transport.h"

// The C library's own tcp_info ends before tcpi_min_rtt; the two headers exclude each other.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { STATE_CLOSE = 7 }; // TCP_CLOSE of <netinet/tcp.h>

// all_acked returns whether the `len` bytes of `info` prove that nothing is on the way and nothing
// waits. A closed connection has dropped its queue.
static bool all_acked(const struct tcp_info *info, socklen_t len) {
    return len >=
               offsetof(struct tcp_info, tcpi_notsent_bytes) + sizeof(info->tcpi_notsent_bytes) &&
           info->tcpi_state != STATE_CLOSE && info->tcpi_unacked == 0 &&
           info->tcpi_notsent_bytes == 0;
}

void transport_sample(struct transport *out, int fd) {
    *out = (struct transport){-1, -1, -1, -1, -1};
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    // Older kernels return a shorter struct.
    bool ok = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0;
    if (ok &&
        len >= offsetof(struct tcp_info, tcpi_total_retrans) + sizeof(info.tcpi_total_retrans)) {
        out->rtt_us = info.tcpi_rtt != 0 ? (int64_t)info.tcpi_rtt : -1;
        out->retransmits = (int32_t)info.tcpi_total_retrans;
        out->unacked = (int32_t)info.tcpi_unacked;
        if (len >= offsetof(struct tcp_info, tcpi_min_rtt) + sizeof(info.tcpi_min_rtt) &&
            info.tcpi_min_rtt != UINT32_MAX) {
            out->min_rtt_us = info.tcpi_min_rtt;
        }
    }
    int outq = 0;
    if ((ok && all_acked(&info, len)) || ioctl(fd, SIOCOUTQ, &outq) == 0) {
        out->outq = outq;
    }
}

void transport_keep_syn(int fd) {
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof(on));
}

size_t transport_syn(uint8_t out[TRANSPORT_SYN_MAX], int fd) {
    socklen_t len = TRANSPORT_SYN_MAX;
    return getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, out, &len) == 0 ? len : 0;
}

void transport_prepare(int fd) {
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}
