#include "logs/base/decimal.h"

#include <string.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

size_t decimal_write(char out[DECIMAL_MAX], uint64_t number) {
    size_t num = 1;
    for (uint64_t limit = 10; num < DECIMAL_MAX && number >= limit; limit *= 10) {
        num++;
    }
    size_t i = num;
    for (; i >= 2; number /= 100) {
        i -= 2;
        memcpy(out + i, pairs + number % 100 * 2, 2);
    }
    if (i != 0) {
        out[0] = (char)('0' + number);
    }
    return num;
}
