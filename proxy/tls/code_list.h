// Lists of code points as they stand on the wire, looked at in place.
#ifndef PROXY_TLS_CODE_LIST_H_
#define PROXY_TLS_CODE_LIST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

// struct code_list is a view of `num` big-endian numbers of `width` bytes (1, 2 or 3) in somebody
// else's bytes. `p` is NULL when the list was not sent; an empty list has a `p`.
struct code_list {
    const uint8_t *p;
    uint16_t num;
    uint8_t width;
};

// code_list_at returns number `i`, `i < list->num`.
static inline uint32_t code_list_at(const struct code_list *list, size_t i) {
    CHECK(i < list->num);
    const uint8_t *p = list->p + i * list->width;
    if (list->width == 2) {
        return (uint32_t)p[0] << 8 | p[1]; // nearly always
    }
    uint32_t code = 0;
    for (size_t k = 0; k < list->width; k++) {
        code = code << 8 | p[k];
    }
    return code;
}

// code_list_has returns whether `code` is in the list.
static inline bool code_list_has(const struct code_list *list, uint32_t code) {
    for (size_t i = 0; i < list->num; i++) {
        if (code_list_at(list, i) == code) {
            return true;
        }
    }
    return false;
}

#endif // PROXY_TLS_CODE_LIST_H_
