// Lists of numbers and names being put together, for the bodies of a draft's extensions. Private to
// this room.
#ifndef PROXY_TLS_HELLO_LIST_H_
#define PROXY_TLS_HELLO_LIST_H_

#include "proxy/tls/hello_draft.h"

// struct hello_list is zeroed by its caller. What passes UINT16_MAX bytes turns `overflow` true.
struct hello_list {
    uint8_t *p;
    size_t len, cap;
    bool overflow;
};

void hello_list_cleanup(struct hello_list *list);

// hello_list_number appends a number of `width` bytes, hello_list_bytes appends bytes, and
// hello_list_name appends them behind a length of `width` bytes.
void hello_list_number(struct hello_list *list, uint32_t number, size_t width);
void hello_list_bytes(struct hello_list *list, const uint8_t *p, size_t p_len);
void hello_list_name(struct hello_list *list, const uint8_t *p, size_t p_len, size_t width);

// hello_list_at returns the number of `width` bytes at `p`.
uint32_t hello_list_at(const uint8_t *p, size_t width);

// hello_list_set makes `list`, behind a length of `prefix` bytes (0: none), the body of the
// extension of `type`, and frees it.
void hello_list_set(struct hello_draft *draft, uint16_t type, size_t prefix,
                    struct hello_list *list);

#endif // PROXY_TLS_HELLO_LIST_H_
