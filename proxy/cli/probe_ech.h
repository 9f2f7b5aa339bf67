// Where `probe` gets an Encrypted Client Hello configuration from: its option, or DNS.
#ifndef PROXY_CLI_PROBE_ECH_H_
#define PROXY_CLI_PROBE_ECH_H_

#include <ev.h>

#include "logs/base/buf.h"
#include "logs/base/err.h"
#include "proxy/net/resolve.h"

// probe_ech_read appends the ECHConfigList that `text` gives to `out`: it is a file's path, or
// itself the list in base64. A file holds the list, its base64, or a PEM block ECHCONFIG. It
// returns false for what is none of them; whether it is a good list is not looked at.
WUNRES bool probe_ech_read(struct buf *out, const char *text, struct err *err);

// probe_ech_look_up appends what the HTTPS record of `host` and `port` has, or nothing. It runs the
// loop, at most for PROBE_ECH_LOOKUP_US.
enum { PROBE_ECH_LOOKUP_US = 3 * 1000 * 1000 };
void probe_ech_look_up(struct buf *out, struct ev_loop *loop, struct resolver *resolver,
                       const char *host, uint16_t port);

#endif // PROXY_CLI_PROBE_ECH_H_
