// ECHConfigLists (RFC 9849 section 4): what a server says its hellos may be encrypted with.
#ifndef PROXY_TLS_ECH_CONFIG_H_
#define PROXY_TLS_ECH_CONFIG_H_

#include <stddef.h>
#include <stdint.h>

#include "logs/base/err.h"

enum { ECH_CONFIG_LIST_MAX = 16 * 1024, ECH_CONFIG_NAME_SIZE = 256 };

struct ech_config {
    uint8_t id;
    char public_name[ECH_CONFIG_NAME_SIZE]; // the server name of the outer hello
};

// ech_config_read sets `*out` to the configuration of the list `p` that a client of BoringSSL
// takes: the first of version 0xfe0d with X25519 and HKDF-SHA256, an AEAD that it knows, a public
// name that is one and nothing mandatory that it does not know. It returns false for what is no
// such list, has a key that is none, or no configuration for it.
WUNRES bool ech_config_read(struct ech_config *out, const uint8_t *p, size_t p_len,
                            struct err *err);

#endif // PROXY_TLS_ECH_CONFIG_H_
