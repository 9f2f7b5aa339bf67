// Target functions: hello_draft_read, hello_draft_read_sslv2, hello_draft_read_wire,
// hello_draft_message, hello_draft_wire, hello_edit_*, hello_keys_swap, factors_init,
// factors_apply.
//
// A byte that says how to read, and one that says what to edit, come before the hello.
#include <stdlib.h>
#include <string.h>

#include "proxy/probe/factor.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static void zeros(void *ctx, uint8_t *out, size_t out_len) {
    (void)ctx;
    memset(out, 1, out_len);
}

static bool read_as(struct hello_draft *draft, uint8_t how, const uint8_t *p, size_t p_len) {
    struct err err = {0};
    size_t wire_len = 0;
    bool ok = how % 3 == 0   ? hello_draft_read(draft, p, p_len, &err)
              : how % 3 == 1 ? hello_draft_read_sslv2(draft, p, p_len, &err)
                             : hello_draft_read_wire(draft, &wire_len, p, p_len, &err);
    CHECK(ok || err.msg[0] != '\0');
    CHECK(wire_len <= p_len);
    return ok;
}

// What was read is written back as it was.
static void written_check(const struct hello_draft *draft, uint8_t how, const uint8_t *p,
                          size_t p_len) {
    struct buf out;
    buf_init(&out, HELLO_DRAFT_WIRE_MAX);
    if (how % 3 == 2) {
        CHECK(hello_draft_wire(draft, &out, NULL, NULL));
        CHECK(out.len <= p_len);
    } else {
        CHECK(hello_draft_message(draft, &out, NULL));
        CHECK(out.len == p_len && hello_draft_len(draft) == p_len);
    }
    CHECK(memcmp(buf_data(&out), p, out.len) == 0);
    buf_cleanup(&out);
}

static void edit(struct hello_draft *draft, uint8_t what) {
    static const uint16_t groups[] = {29, 23, 4588};
    if (draft->format != HELLO_FORMAT_TLS) {
        hello_edit_add_cipher(draft, 0x5600);
        hello_edit_remove_grease(draft);
        return;
    }
    switch (what % 8) {
    case 0:
        hello_edit_sni(draft, "host.example");
        break;
    case 1:
        hello_edit_version_range(draft, 0x0301, 0x0301 + what / 8 % 4);
        break;
    case 2:
        hello_edit_groups(draft, groups, ARRAY_LEN(groups));
        hello_edit_key_share(draft, 29, (const uint8_t *)"share", 5);
        break;
    case 3:
        hello_edit_remove_grease(draft);
        CHECK(!hello_edit_remove_grease(draft));
        break;
    case 4:
        hello_edit_add_grease(draft, what);
        break;
    case 5:
        hello_edit_psk(draft, what, 32, true);
        hello_edit_ech_grease(draft, what, 144);
        break;
    case 6:
        (void)hello_edit_pad(draft, 1500);
        break;
    default:
        hello_edit_cut_record(draft, what);
        hello_edit_cut_segment(draft, HELLO_CUT_IN_SNI, 1);
        hello_edit_cut_record(draft, HELLO_CUT_IN_SNI);
    }
}

// None of the factors is the one hello, all of them the other.
static void factors_check(const struct hello_draft *passing, const struct hello_draft *failing) {
    struct factors *factors = xcalloc(1, sizeof(*factors));
    struct hello_draft made;
    struct factor_set set = {0};
    factors_init(factors, passing, failing);
    hello_draft_init(&made);
    factors_apply(factors, &made, &set);
    for (size_t i = 0; i < factors->num; i++) {
        factor_set_add(&set, i);
    }
    factors_apply(factors, &made, &set);
    CHECK(failing->overflow || hello_draft_equal(&made, failing));
    hello_draft_cleanup(&made);
    factors_cleanup(factors);
    free(factors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct hello_draft draft, before;
    struct buf out;
    if (data_len < 2) {
        return 0;
    }
    hello_draft_init(&draft);
    hello_draft_init(&before);
    buf_init(&out, HELLO_DRAFT_WIRE_MAX);
    if (read_as(&draft, data[0], data + 2, data_len - 2)) {
        written_check(&draft, data[0], data + 2, data_len - 2);
        hello_draft_copy(&before, &draft);
        edit(&draft, data[1]);
        bool written = hello_draft_wire(&draft, &out, NULL, NULL);
        if (written) {
            factors_check(&before, &draft);
        }
        struct hello_keys *keys = hello_keys_new(zeros, NULL);
        size_t len = hello_draft_len(&draft);
        hello_keys_swap(keys, &draft, NULL);
        CHECK(hello_draft_len(&draft) == len);
        hello_keys_free(keys);
    }
    buf_cleanup(&out);
    hello_draft_cleanup(&before);
    hello_draft_cleanup(&draft);
    return 0;
}
