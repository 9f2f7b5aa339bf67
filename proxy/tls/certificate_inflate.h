// Compressed certificates (RFC 8879): zlib and brotli.
#ifndef PROXY_TLS_CERTIFICATE_INFLATE_H_
#define PROXY_TLS_CERTIFICATE_INFLATE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

enum { CERTIFICATE_ZLIB = 1, CERTIFICATE_BROTLI = 2 };

// certificate_inflate writes what `in` is when decompressed to `out`. It returns false when that is
// not `out_len` bytes, or for another algorithm, as zstd is.
WUNRES bool certificate_inflate(uint8_t *out, size_t out_len, uint16_t algorithm, const uint8_t *in,
                                size_t in_len);

#endif // PROXY_TLS_CERTIFICATE_INFLATE_H_
