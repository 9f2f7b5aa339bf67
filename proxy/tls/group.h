// What a supported group says about the size of a public key.
#ifndef PROXY_TLS_GROUP_H_
#define PROXY_TLS_GROUP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// group_share_fits returns whether a public key of `len` bytes can belong to `group`, sent by the
// client or by the server (they differ where a KEM takes part). A group not in the table fits.
bool group_share_fits(uint16_t group, size_t len, bool from_client);

// group_kem returns the HPKE KEM id (RFC 9180, section 7.1) whose encapsulated key has `enc_len`
// bytes, or 0.
uint16_t group_kem(size_t enc_len);

#endif // PROXY_TLS_GROUP_H_
