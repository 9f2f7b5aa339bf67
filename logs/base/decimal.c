#include "logs/base/decimal.h"

size_t decimal_write(char out[DECIMAL_MAX], uint64_t number) {
    size_t num = 1;
    for (uint64_t rest = number; rest >= 10; rest /= 10) {
        num++;
    }
    for (size_t i = num; i-- > 0; number /= 10) {
        out[i] = (char)('0' + number % 10);
    }
    return num;
}
