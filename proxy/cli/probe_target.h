// Whom `probe` is told to ask: hosts, a parent proxy, addresses.
#ifndef PROXY_CLI_PROBE_TARGET_H_
#define PROXY_CLI_PROBE_TARGET_H_

#include "logs/base/err.h"
#include "proxy/probe/inquiry.h"

enum { PROBE_HOST_MAX = 254 };

// struct probe_target is a host as the user wrote it.
struct probe_target {
    char host[PROBE_HOST_MAX]; // a name, or an address literal without brackets; lower case
    uint16_t port;
    bool literal; // it is an address
};

// probe_target_parse reads HOST, HOST:PORT, [IPV6], [IPV6]:PORT, or a URL with the scheme https, of
// which the rest is ignored. `port` is the default.
WUNRES bool probe_target_parse(struct probe_target *out, const char *text, uint16_t port,
                               struct err *err);

// probe_target_address reads NAME=ADDRESS and returns whether NAME is `host`, with the literal, a
// part of `text`, in `*out`. It returns false with a message in `err` when `text` is neither.
bool probe_target_address(const char **out, const char *text, const char *host, struct err *err);

#endif // PROXY_CLI_PROBE_TARGET_H_
