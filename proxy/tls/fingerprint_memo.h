// The fingerprints of hellos seen lately: a client says nearly the same each time, a server too,
// and each hello is said twice, once on either leg.
#ifndef PROXY_TLS_FINGERPRINT_MEMO_H_
#define PROXY_TLS_FINGERPRINT_MEMO_H_

#include "logs/base/buf.h"
#include "proxy/tls/fingerprint.h"

// struct fingerprints is what fingerprint.h says of one hello: of a server's JA3S and its text
// alone. A text that is longer than its ceiling is empty.
struct fingerprints {
    char ja3[JA3_SIZE], ja4[JA4_SIZE];
    struct buf ja3_text, ja4_raw;
};

// fingerprint_memo_client returns the fingerprints of `hello`, over TCP, or NULL where it has none.
// They belong to the thread and live until its next call.
const struct fingerprints *fingerprint_memo_client(const struct client_hello *hello);

// fingerprint_memo_server does the same for a ServerHello, which always has some.
const struct fingerprints *fingerprint_memo_server(const struct server_hello *hello);

#endif // PROXY_TLS_FINGERPRINT_MEMO_H_
