#include "proxy/net/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "proxy/net/transport.h"

static bool parse_port(uint16_t *out, const char *s) {
    size_t len = strlen(s);
    if (len == 0 || len > 5 || strspn(s, "0123456789") != len) {
        return false;
    }
    unsigned long port = strtoul(s, NULL, 10);
    *out = (uint16_t)port;
    return port <= UINT16_MAX;
}

// Splits at the last colon, so that the colons of an IPv6 address stay in `host`; brackets go.
static bool split(char *host, size_t host_size, const char **out_port, const char *s) {
    const char *colon = strrchr(s, ':');
    const char *end = colon != NULL ? colon : s;
    *out_port = colon != NULL ? colon + 1 : s;
    bool bracketed = end > s && s[0] == '[' && end[-1] == ']';
    const char *from = bracketed ? s + 1 : s;
    size_t len = (size_t)(end - from) - (bracketed ? 1 : 0);
    // Brackets are for the colons of IPv6, and for nothing else (RFC 3986 section 3.2.2).
    if (len >= host_size || bracketed != (memchr(from, ':', len) != NULL)) {
        return false;
    }
    memcpy(host, from, len);
    host[len] = '\0';
    return true;
}

static bool parse_host(struct address *out, const char *host, bool bare_port) {
    if (bare_port || strcmp(host, "localhost") == 0) {
        return address_parse(out, "127.0.0.1");
    }
    if (host[0] == '\0' || strcmp(host, "*") == 0) {
        return address_parse(out, "::");
    }
    return address_parse(out, host);
}

bool listen_parse(struct address *out, const char *s, struct err *err) {
    char host[64];
    const char *port_text;
    uint16_t port;
    if (!split(host, sizeof(host), &port_text, s)) {
        return err_set(err,
                       "cannot listen on \"%s\": expected HOST:PORT, with an IPv6 address in "
                       "brackets, such as 127.0.0.1:8080 or [::1]:8080",
                       s);
    }
    if (!parse_port(&port, port_text)) {
        return err_set(err,
                       "cannot listen on \"%s\": \"%s\" is not a port from 0 to 65535; try "
                       "127.0.0.1:8080",
                       s, port_text);
    }
    if (!parse_host(out, host, port_text == s)) {
        return err_set(err,
                       "cannot listen on \"%s\": \"%s\" is not an address of this machine; give an "
                       "IPv4 or IPv6 address, localhost, or * for every address",
                       s, host);
    }
    out->port = port;
    return true;
}

static bool explain(const struct address *address, int errnum, struct err *err) {
    char text[ADDRESS_TEXT_SIZE];
    address_text(text, address);
    errno = errnum;
    switch (errnum) {
    case EADDRINUSE:
        err_set(err,
                "cannot listen on %s: another program listens there already; stop it, or choose "
                "another port with --listen HOST:PORT (port 0 picks a free one)",
                text);
        break;
    case EACCES:
    case EPERM:
        err_set(err,
                "cannot listen on %s: no permission; ports below 1024 need root or "
                "CAP_NET_BIND_SERVICE, choose a higher one with --listen HOST:PORT",
                text);
        break;
    case EADDRNOTAVAIL:
        err_set(err,
                "cannot listen on %s: this machine has no such address; \"ip address\" lists those "
                "that it has",
                text);
        break;
    case EAFNOSUPPORT:
        err_set(err, "cannot listen on %s: IPv6 is switched off here; choose an IPv4 address",
                text);
        break;
    case EMFILE:
    case ENFILE:
        err_set(err, "cannot listen on %s: no free file descriptors; raise ulimit -n", text);
        break;
    default:
        return err_errno(err, "cannot listen on %s", text);
    }
    if (err != NULL) {
        err->errnum = errnum;
    }
    return false;
}

static bool set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

// Returns a listening socket, or -1 with errno.
static int listening_socket(const struct address *address, bool share) {
    struct sockaddr_storage sa;
    socklen_t sa_len = address_to_sockaddr(&sa, address);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    bool any6 = sa.ss_family == AF_INET6 && address_is_any(address);
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
        (!any6 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) &&
        (!share || set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
        bind(fd, (struct sockaddr *)&sa, sa_len) == 0 && listen(fd, SOMAXCONN) == 0) {
        transport_keep_syn(fd);
        transport_prepare(fd);
        return fd;
    }
    int errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

int listen_open(struct address *address, struct err *err) {
    int fd = listening_socket(address, false);
    if (fd < 0 && address_is_any(address) && !address_is_ipv4(address) &&
        (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
        uint16_t port = address->port;
        CHECK(address_parse(address, "0.0.0.0"));
        address->port = port;
        fd = listening_socket(address, false);
    }
    if (fd < 0) {
        (void)explain(address, errno, err);
        return -1;
    }
    struct sockaddr_storage sa;
    socklen_t sa_len = sizeof(sa);
    CHECK(getsockname(fd, (struct sockaddr *)&sa, &sa_len) == 0);
    address_from_sockaddr(address, (struct sockaddr *)&sa);
    return fd;
}

// Only now, when the socket listens: with the option set before, another program's port would have
// been shared silently.
bool listen_share(int fd, struct err *err) {
    return set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) ||
           err_errno(err, "cannot share a listening port among workers; use one worker");
}

int listen_again(const struct address *address, struct err *err) {
    int fd = listening_socket(address, true);
    if (fd < 0) {
        (void)explain(address, errno, err);
    }
    return fd;
}
