#include "logs/base/decimal.h"

#include <string.h>

size_t decimal_write(char out[DECIMAL_MAX], uint64_t number) {
    char digits[DECIMAL_MAX];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    size_t num = sizeof(digits) - at;
    memcpy(out, digits + at, num);
    return num;
}
