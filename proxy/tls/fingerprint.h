// Fingerprints of hellos: JA3 and JA3S (Salesforce, BSD-3) and JA4 (FoxIO's description, BSD-3).
// The rest of the JA4 family is not free and has no place here.
#ifndef PROXY_TLS_FINGERPRINT_H_
#define PROXY_TLS_FINGERPRINT_H_

#include "logs/base/buf.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/server_hello.h"

enum { JA3_SIZE = 32 + 1, JA4_SIZE = 36 + 1 }; // with the NUL

// What carried the hello; the first letter of JA4.
enum ja4_transport { JA4_TCP = 't', JA4_QUIC = 'q', JA4_DTLS = 'd' };

// fingerprint_ja3 writes the MD5 of the JA3 string in hexadecimal. A hello in SSLv2 format has no
// fingerprint: then all of these return false and write nothing. Of a malformed hello what could be
// read counts.
bool fingerprint_ja3(char out[JA3_SIZE], const struct client_hello *hello);

// fingerprint_ja3_text appends the JA3 string itself, without a NUL: "version,ciphers,extensions,
// groups,point formats" in decimal, GREASE left out. It returns false, too, when `out` is full;
// then it may hold a part.
bool fingerprint_ja3_text(struct buf *out, const struct client_hello *hello);

// fingerprint_ja3s and fingerprint_ja3s_text do the same for "version,cipher,extensions".
bool fingerprint_ja3s(char out[JA3_SIZE], const struct server_hello *hello);
bool fingerprint_ja3s_text(struct buf *out, const struct server_hello *hello);

// fingerprint_ja4 writes JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1".
bool fingerprint_ja4(char out[JA4_SIZE], enum ja4_transport transport,
                     const struct client_hello *hello);

// fingerprint_ja4_raw appends JA4_r, with the sorted lists in place of their hashes, as
// fingerprint_ja3_text does.
bool fingerprint_ja4_raw(struct buf *out, enum ja4_transport transport,
                         const struct client_hello *hello);

#endif // PROXY_TLS_FINGERPRINT_H_
