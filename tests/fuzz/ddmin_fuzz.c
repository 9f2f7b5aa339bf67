// Target functions: ddmin_next, ddmin_tell, ddmin_says.
//
// Two bytes choose the hellos; the others are what the world answers, over and over.
#include <stdlib.h>
#include <string.h>

#include "proxy/probe/ddmin.h"
#include "proxy/tls/hello_shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static void fixed(void *ctx, uint8_t *out, size_t out_len) {
    (void)ctx;
    memset(out, 7, out_len);
}

static void make(struct hello_draft *draft, uint8_t which) {
    size_t num;
    const struct hello_shape *shapes = hello_shapes(&num);
    struct hello_keys *keys = hello_keys_new(fixed, NULL);
    hello_draft_init(draft);
    hello_shape_make(draft, &shapes[which % num], "host.example", keys);
    hello_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct hello_draft passing, failing, hello;
    struct buf text;
    if (data_len < 3) {
        return 0;
    }
    make(&passing, data[0]);
    make(&failing, data[1]);
    hello_draft_init(&hello);
    struct ddmin *dd = ddmin_new(&passing, &failing, 40);
    size_t num = 0;
    for (; ddmin_next(dd, &hello); num++) {
        uint8_t answer = data[2 + num % (data_len - 2)];
        ddmin_tell(dd, (answer & 1) != 0, answer >> 1 & 1);
    }
    const struct ddmin_result *result = ddmin_result(dd);
    CHECK(num <= 40 && result->num_connections == num);
    CHECK(result->num_needed == factor_set_num(&result->needed));
    buf_init(&text, 16384);
    CHECK(ddmin_says(dd, &text) && text.len != 0);
    buf_cleanup(&text);
    ddmin_free(dd);
    hello_draft_cleanup(&hello);
    hello_draft_cleanup(&failing);
    hello_draft_cleanup(&passing);
    return 0;
}
