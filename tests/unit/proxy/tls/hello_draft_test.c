#include "proxy/tls/hello_draft.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"

static bool message_is(const struct hello_draft *draft, const uint8_t *p, size_t p_len) {
    struct buf out;
    struct err err;
    buf_init(&out, HELLO_DRAFT_MAX);
    bool same = hello_draft_message(draft, &out, &err) && out.len == p_len &&
                hello_draft_len(draft) == p_len && memcmp(buf_data(&out), p, p_len) == 0;
    buf_cleanup(&out);
    return same;
}

static void test_init(void) {
    struct hello_draft draft;
    hello_draft_init(&draft);
    CU_ASSERT_EQUAL(hello_draft_len(&draft), 4 + 2 + 32 + 1 + 2 + 1 + 1);
    uint8_t expected[43] = {1, 0, 0, 39, 3, 3};
    expected[41] = 1; // one compression method
    CU_ASSERT(message_is(&draft, expected, sizeof(expected)));
    hello_draft_cleanup(&draft);
}

static void test_messages_come_back(void) {
    struct hello_draft draft;
    hello_draft_init(&draft);
    for (const struct sample *sample = samples; sample->name != NULL; sample++) {
        if (strncmp(sample->name, "hello-", 6) == 0) {
            struct err err = {0};
            CU_ASSERT(hello_draft_read(&draft, sample->p, sample->len, &err));
            CU_ASSERT(message_is(&draft, sample->p, sample->len));
        }
    }
    hello_draft_cleanup(&draft);
}

// Whatever the parser can walk up to the extensions is written back as it was.
static void comes_back(const uint8_t *p, size_t p_len) {
    struct hello_draft draft;
    struct client_hello parsed;
    struct err err = {0};
    hello_draft_init(&draft);
    bool read = hello_draft_read(&draft, p, p_len, &err);
    CU_ASSERT(read == message_is(&draft, p, p_len));
    if (client_hello_parse(&parsed, NULL, p, p_len)) {
        CU_ASSERT(read);
        CU_ASSERT_EQUAL(parsed.num_extensions, draft.num_extensions);
        CU_ASSERT_EQUAL(parsed.legacy_version, draft.legacy_version);
    }
    CU_ASSERT(read || err.msg[0] != '\0');
    hello_draft_cleanup(&draft);
}

static void test_malformed_ones_too(void) { sample_abuse(sample_get("hello-gnutls"), comes_back); }

static void test_copy(void) {
    struct hello_draft draft, copy;
    struct err err;
    const struct sample *sample = sample_get("hello-curl");
    hello_draft_init(&draft);
    hello_draft_init(&copy);
    CU_ASSERT_FATAL(hello_draft_read(&draft, sample->p, sample->len, &err));
    hello_draft_copy(&copy, &draft);
    CU_ASSERT(hello_draft_equal(&draft, &copy));
    copy.extensions[0].body.p[0] ^= 1;
    CU_ASSERT_FALSE(hello_draft_equal(&draft, &copy));
    CU_ASSERT(message_is(&draft, sample->p, sample->len));
    hello_draft_copy(&copy, &draft);
    hello_edit_cut_segment(&copy, 5, 10);
    CU_ASSERT_FALSE(hello_draft_equal(&draft, &copy));
    hello_draft_cleanup(&copy);
    hello_draft_cleanup(&draft);
}

static void test_sslv2(void) {
    static const uint8_t hello[] = {0x80, 0x22, 1,   3,   1,   0,   6,   0,   3,   0,   16,  0,
                                    0,    0x2f, 7,   0,   5,   9,   8,   7,   'c', 'h', 'a', 'l',
                                    'l',  'e',  'n', 'g', 'e', '1', '2', '3', '4', '5', '6', '7'};
    struct hello_draft draft;
    struct err err;
    hello_draft_init(&draft);
    CU_ASSERT_FATAL(hello_draft_read_sslv2(&draft, hello, sizeof(hello), &err));
    CU_ASSERT_EQUAL(draft.format, HELLO_FORMAT_SSLV2);
    CU_ASSERT_EQUAL(draft.random_len, 16);
    CU_ASSERT_EQUAL(draft.session_id.len, 3);
    CU_ASSERT(message_is(&draft, hello, sizeof(hello)));
    CU_ASSERT_FALSE(hello_draft_read_sslv2(&draft, hello, sizeof(hello) - 1, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "the ClientHello in SSLv2 format is cut");
    CU_ASSERT_FALSE(hello_draft_read_sslv2(&draft, hello + 1, sizeof(hello) - 1, &err));
    hello_draft_cleanup(&draft);
}

static void test_what_does_not_fit(void) {
    struct hello_draft draft;
    struct err err;
    struct buf out;
    uint8_t long_one[300] = {0};
    buf_init(&out, HELLO_DRAFT_MAX);
    hello_draft_init(&draft);
    hello_bytes_set(&draft.session_id, long_one, sizeof(long_one));
    CU_ASSERT_FALSE(hello_draft_message(&draft, &out, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "a field of the ClientHello does not fit its length");
    hello_draft_cleanup(&draft);
    hello_draft_init(&draft);
    draft.message_excess = -100;
    CU_ASSERT_FALSE(hello_draft_message(&draft, &out, &err));
    draft.message_excess = 0;
    draft.overflow = true;
    CU_ASSERT_FALSE(hello_draft_message(&draft, &out, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "the ClientHello would be longer than 65536 bytes");
    hello_draft_cleanup(&draft);
    buf_cleanup(&out);
}

static void test_what_is_no_hello(void) {
    struct hello_draft draft;
    struct err err;
    const struct sample *hello = sample_get("hello-curl");
    hello_draft_init(&draft);
    CU_ASSERT_FALSE(hello_draft_read(&draft, (const uint8_t *)"\x02\x00\x00\x00", 4, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "this is not a ClientHello");
    CU_ASSERT_FALSE(hello_draft_read(&draft, NULL, 0, &err));
    CU_ASSERT_FALSE(hello_draft_read(&draft, hello->p, 60, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "the ClientHello ends before its extensions");
    uint8_t *huge = xcalloc(HELLO_DRAFT_MAX + 1, 1);
    huge[0] = 1;
    CU_ASSERT_FALSE(hello_draft_read(&draft, huge, HELLO_DRAFT_MAX + 1, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "a ClientHello of 65537 bytes is longer than 65536");
    free(huge);
    hello_draft_cleanup(&draft);
}

const struct unit_case unit_cases[] = {
    {"a fresh draft is the smallest hello", test_init},
    {"messages come back byte for byte", test_messages_come_back},
    {"malformed ones, too", test_malformed_ones_too},
    {"a copy is a value of its own", test_copy},
    {"SSLv2 format", test_sslv2},
    {"what does not fit is not written", test_what_does_not_fit},
    {"what is no ClientHello is not read", test_what_is_no_hello},
    {NULL, NULL},
};
