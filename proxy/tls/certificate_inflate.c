#include "proxy/tls/certificate_inflate.h"

#include <brotli/decode.h>
#include <zlib.h>

bool certificate_inflate(uint8_t *out, size_t out_len, uint16_t algorithm, const uint8_t *in,
                         size_t in_len) {
    size_t len = out_len;
    uLongf zlib_len = out_len;
    switch (algorithm) {
    case CERTIFICATE_ZLIB:
        return uncompress(out, &zlib_len, in, in_len) == Z_OK && zlib_len == out_len;
    case CERTIFICATE_BROTLI:
        return BrotliDecoderDecompress(in_len, in, &len, out) == BROTLI_DECODER_RESULT_SUCCESS &&
               len == out_len;
    default:
        return false;
    }
}
