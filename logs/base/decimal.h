// Numbers as text, where printf would cost more than all around it.
#ifndef LOGS_BASE_DECIMAL_H_
#define LOGS_BASE_DECIMAL_H_

#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_MAX = 20 }; // digits of UINT64_MAX

// decimal_write writes the digits of `number` without a NUL and returns how many there are.
size_t decimal_write(char out[DECIMAL_MAX], uint64_t number);

#endif // LOGS_BASE_DECIMAL_H_
