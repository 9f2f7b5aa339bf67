#include "proxy/tls/hello_list.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/tls/hello_edit.h"

void hello_list_cleanup(struct hello_list *list) {
    free(list->p);
    *list = (struct hello_list){0};
}

void hello_list_bytes(struct hello_list *list, const uint8_t *p, size_t p_len) {
    if (list->overflow || p_len > UINT16_MAX - list->len) {
        list->overflow = true;
        return;
    }
    if (list->len + p_len > list->cap) {
        list->cap = 2 * (list->len + p_len);
        list->p = xrealloc(list->p, list->cap);
    }
    if (p_len != 0) {
        memcpy(list->p + list->len, p, p_len);
        list->len += p_len;
    }
}

void hello_list_number(struct hello_list *list, uint32_t number, size_t width) {
    uint8_t bytes[4];
    CHECK(width <= sizeof(bytes) && (width == sizeof(bytes) || number >> (8 * width) == 0));
    for (size_t i = 0; i < width; i++) {
        bytes[i] = (uint8_t)(number >> (8 * (width - 1 - i)));
    }
    hello_list_bytes(list, bytes, width);
}

void hello_list_name(struct hello_list *list, const uint8_t *p, size_t p_len, size_t width) {
    if (p_len >> (8 * width) != 0) {
        list->overflow = true;
        return;
    }
    hello_list_number(list, (uint32_t)p_len, width);
    hello_list_bytes(list, p, p_len);
}

uint32_t hello_list_at(const uint8_t *p, size_t width) {
    uint32_t number = 0;
    for (size_t i = 0; i < width; i++) {
        number = number << 8 | p[i];
    }
    return number;
}

void hello_list_set(struct hello_draft *draft, uint16_t type, size_t prefix,
                    struct hello_list *list) {
    struct hello_list body = {0};
    if (prefix == 0) {
        hello_list_bytes(&body, list->p, list->len);
    } else {
        hello_list_name(&body, list->p, list->len, prefix);
    }
    if (list->overflow || body.overflow) {
        draft->overflow = true;
    } else {
        hello_edit_set(draft, type, body.p, body.len);
    }
    hello_list_cleanup(&body);
    hello_list_cleanup(list);
}
