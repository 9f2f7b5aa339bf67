// The one way to BoringSSL's libcrypto. OpenSSL's headers may be installed too and would compile
// silently, so no other file includes <openssl/...>. The TLS library is boringssl_ssl.h.
#ifndef THIRD_PARTY_BORINGSSL_BORINGSSL_H_
#define THIRD_PARTY_BORINGSSL_BORINGSSL_H_

#include <openssl/base.h>

#ifndef OPENSSL_IS_BORINGSSL
#error "BoringSSL's headers are needed (Debian: android-libboringssl-dev), these are OpenSSL's"
#endif

#include <openssl/aead.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/bytestring.h>
#include <openssl/cipher.h>
#include <openssl/curve25519.h>
#include <openssl/digest.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/ecdh.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hkdf.h>
#include <openssl/hmac.h>
#include <openssl/hpke.h>
#include <openssl/hrss.h>
#include <openssl/md5.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/pkcs8.h>
#include <openssl/pool.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/siphash.h>
#include <openssl/stack.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#endif // THIRD_PARTY_BORINGSSL_BORINGSSL_H_
