// The extensions of a ClientHello. Private to this room: client_hello_parse calls it.
#ifndef PROXY_TLS_CLIENT_EXTENSION_H_
#define PROXY_TLS_CLIENT_EXTENSION_H_

#include "proxy/tls/client_hello.h"
#include "proxy/tls/parse.h"

// client_extensions_parse takes the extension block from `cbs` and decodes it into `ch`.
void client_extensions_parse(struct client_hello *ch, struct parse *ps, CBS *cbs,
                             const struct parse_ids *ids);

// Decoders of struct parse_extension that have files of their own; `out` is a struct client_hello.
bool client_server_name(void *out, struct parse *ps, CBS *body);    // RFC 6066, section 3
bool client_alpn(void *out, struct parse *ps, CBS *body);           // RFC 7301
bool client_alps(void *out, struct parse *ps, CBS *body);           // application_settings
bool client_alps_old(void *out, struct parse *ps, CBS *body);       // its first code point
bool client_next_protocol(void *out, struct parse *ps, CBS *body);  // NPN
bool client_key_share(void *out, struct parse *ps, CBS *body);      // RFC 8446, section 4.2.8
bool client_pre_shared_key(void *out, struct parse *ps, CBS *body); // RFC 8446, section 4.2.11

// client_key_shares_check compares the key shares with supported_groups and with each other, once
// all extensions are decoded.
void client_key_shares_check(const struct client_hello *ch, struct parse *ps);

// ech_parse decodes encrypted_client_hello of a ClientHello (RFC 9849, section 5).
bool ech_parse(struct ech *out, struct parse *ps, CBS *body);

#endif // PROXY_TLS_CLIENT_EXTENSION_H_
