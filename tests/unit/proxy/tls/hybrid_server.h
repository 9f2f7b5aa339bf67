// A server of TLS 1.3 that speaks X25519MLKEM768 alone, which our BoringSSL cannot: its one flight,
// and whether the client's Finished fits.
#ifndef TESTS_UNIT_PROXY_TLS_HYBRID_SERVER_H_
#define TESTS_UNIT_PROXY_TLS_HYBRID_SERVER_H_

#include "logs/base/buf.h"
#include "proxy/tls/key_schedule.h"
#include "proxy/tls/record_protect.h"
#include "proxy/tls/transcript.h"

struct hybrid_server {
    struct cipher_keys cipher;
    struct transcript transcript;
    struct record_protect write;
    uint8_t client_secret[KEY_SCHEDULE_HASH_MAX];
};

// hybrid_server_flight appends ServerHello to Finished, in records, for the ClientHello message
// `hello`. The certificate in DER is that of `key`, a P-256 key. It returns false when the hello
// has no such share.
bool hybrid_server_flight(struct hybrid_server *server, struct buf *out, const uint8_t *hello,
                          size_t hello_len, const CBS *der, EVP_PKEY *key);

// hybrid_server_finished returns whether `record` is the client's Finished.
bool hybrid_server_finished(struct hybrid_server *server, uint8_t *record, size_t record_len);

void hybrid_server_cleanup(struct hybrid_server *server);

#endif // TESTS_UNIT_PROXY_TLS_HYBRID_SERVER_H_
