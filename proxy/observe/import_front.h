// What stands before TLS in a stream of a capture: CONNECT, SOCKS, STARTTLS and their kin.
#ifndef PROXY_OBSERVE_IMPORT_FRONT_H_
#define PROXY_OBSERVE_IMPORT_FRONT_H_

#include "logs/record/obj.h"

enum {
    IMPORT_FRONT_MAX = 16 * 1024, // bytes of either side after which no TLS is expected any more
    IMPORT_HOST_MAX = 256,
};

// import_front_name returns how the stream gets to TLS, as RECORD.front has it, by its first bytes:
// "connect", "socks5", "starttls-smtp", …; "starttls" where the protocol is not known, NULL where
// no TLS will come: HTTP, SSH.
const char *import_front_name(struct span client, struct span server);

// struct import_target is whom the client asked a proxy for.
struct import_target {
    char host[IMPORT_HOST_MAX]; // empty: nobody
    uint16_t port;
};

// import_front_target reads the request of CONNECT, SOCKS 4, 4a and 5 (RFC 9110 section 9.3.6,
// RFC 1928, RFC 1929). It returns false when there is none.
bool import_front_target(struct import_target *out, struct span client);

// import_front_header returns the value of the header `name`, in lower case with its colon, of the
// HTTP message `text`; {NULL, 0} when there is none.
struct span import_front_header(struct span text, const char *name);

// import_front_status returns the status of an HTTP answer, or 0.
int import_front_status(struct span server);

// import_front_hello returns whether `p` begins as a record with a ClientHello. `strict` asks for
// as much of one as can be told from chance.
bool import_front_hello(const uint8_t *p, size_t p_len, bool strict);

// import_front_server_hello returns whether `p` begins as a record with a ServerHello.
bool import_front_server_hello(const uint8_t *p, size_t p_len);

#endif // PROXY_OBSERVE_IMPORT_FRONT_H_
