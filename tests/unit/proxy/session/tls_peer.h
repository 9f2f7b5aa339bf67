// A TLS client or server of BoringSSL's own over memory: what stands at the other end of a session
// in a test, and what tests of the observer capture.
#ifndef TESTS_UNIT_PROXY_SESSION_TLS_PEER_H_
#define TESTS_UNIT_PROXY_SESSION_TLS_PEER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/buf.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "third_party/boringssl/boringssl_ssl.h"

// struct peer_options: zeros are the library's defaults. Everything it points to is borrowed and
// must outlive the peer.
struct peer_options {
    uint16_t min_version, max_version;
    const char *ciphers; // of TLS 1.2 and below, colons between
    const char *curves;  // "P-256:X25519"
    const char *alpn;    // "h2,http/1.1": a client offers them, a server takes the first it can
    const uint16_t *sigalgs;
    size_t num_sigalgs;
    bool compress; // certificates may come compressed, with zlib

    // Clients.
    const char *host;         // SNI, and the name that the certificate is held against
    X509 *ca;                 // NULL: every certificate is good
    uint8_t reject;           // answer the certificate with this alert; 0: do not
    bool grease, staple, sct; // what is asked for
    bool permute;             // the extensions of the hello
    bool no_ticket;
    bool fallback;              // TLS_FALLBACK_SCSV is sent
    const struct pki_cert *own; // the certificate to show when asked

    // Servers.
    const struct pki_cert *chain[4];   // leaf first
    const struct pki_cert *const *fat; // more certificates for the chain
    size_t num_fat;
    const uint8_t *response; // OCSP, stapled where it is asked for
    size_t response_len;
    const uint8_t *scts; // a list with its length in front, likewise
    size_t scts_len;
    bool ask;  // for a certificate
    bool need; // ask, and refuse clients without
};

struct peer {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;    // from and to the other end
    struct buf heard; // plaintext
    const struct peer_options *options;
    bool established, failed;
    bool notified;  // the other end said close_notify
    int alert;      // the last other alert of the other end; -1: none
    int sent_alert; // likewise, our own
    long rejected;  // X509_V_ERR_* for which a client refused the certificate
    bool reads_paused;
};

struct peer *peer_new(bool client, const struct peer_options *options);
void peer_free(struct peer *peer);

// peer_feed gives bytes from the other end and goes on as far as possible: handshake, then reading.
void peer_feed(struct peer *peer, const void *p, size_t p_len);

// peer_eof tells that the other end closed.
void peer_eof(struct peer *peer);

// peer_start makes a client say hello.
void peer_start(struct peer *peer);

// peer_say writes plaintext.
void peer_say(struct peer *peer, const void *p, size_t p_len);

// peer_hello_request makes a server of TLS 1.2 with ECDHE and AES-128-GCM ask for a renegotiation,
// which the library never does (RFC 5246 section 7.4.1.1). Afterwards it can say no more.
void peer_hello_request(struct peer *peer);

// peer_take moves what waits for the other end to `out`.
void peer_take(struct peer *peer, struct buf *out);

// peers_talk lets two peers exchange bytes until both are quiet. `tap`, which may be NULL, sees
// them.
void peers_talk(struct peer *client, struct peer *server,
                void (*tap)(void *ctx, bool from_client, const uint8_t *p, size_t p_len),
                void *ctx);

#endif // TESTS_UNIT_PROXY_SESSION_TLS_PEER_H_
