#include "logs/record/utf8.h"

size_t utf8_decode(uint32_t *out_code, const uint8_t *p, size_t p_len) {
    // By length: the least code that needs it.
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t c = p[0];
    size_t n = c < 0x80 ? 1 : (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4;
    if (c >= 0xf8 || (c & 0xc0) == 0x80 || n > p_len) {
        return 0;
    }
    uint32_t code = n == 1 ? c : c & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (p[i] & 0x3fu);
    }
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    *out_code = code;
    return n;
}
