// The extensions of a ClientHello. Private to this room: client_hello_parse calls it.
#ifndef PROXY_TLS_CLIENT_EXTENSION_H_
#define PROXY_TLS_CLIENT_EXTENSION_H_

#include "proxy/tls/client_hello.h"
#include "proxy/tls/parse.h"

// client_extensions_parse takes the extension block from `cbs` and decodes it into `ch`.
void client_extensions_parse(struct client_hello *ch, struct parse *ps, CBS *cbs,
                             const struct parse_ids *ids);

// server_name_check notes what is odd about a host name (RFC 6066, section 3).
void server_name_check(struct parse *ps, const CBS *name);

// ech_parse decodes encrypted_client_hello of a ClientHello (RFC 9849, section 5).
bool ech_parse(struct ech *out, struct parse *ps, CBS *body);

#endif // PROXY_TLS_CLIENT_EXTENSION_H_
