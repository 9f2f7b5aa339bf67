// The one way to BoringSSL's libssl, for the few rooms that may drive a TLS engine.
#ifndef THIRD_PARTY_BORINGSSL_BORINGSSL_SSL_H_
#define THIRD_PARTY_BORINGSSL_BORINGSSL_SSL_H_

#include "third_party/boringssl/boringssl.h"

#include <openssl/ssl.h>

#endif // THIRD_PARTY_BORINGSSL_BORINGSSL_SSL_H_
