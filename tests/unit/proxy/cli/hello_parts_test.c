#include "proxy/cli/hello_parts.h"

#include <string.h>

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

enum { HANDSHAKE = 22 };

static struct arena arena;
static struct hello_parts parts;

static void read_it(const struct made *raw) {
    hello_parts_read(&parts, &arena, (struct span){raw->p, raw->len});
}

// A key share of GREASE and one of x25519, and an SNI of one letter.
#define EXTENSIONS "0033 000d 000b 0a0a 0001 00 001d 0002 abcd 0000 0006 0004 00 0001 61"

static void test_the_parts(void) {
    struct made hello = made_hello(EXTENSIONS);
    memset(hello.p + 6, 7, 32);
    struct made raw = made_records(HANDSHAKE, hello.p, hello.len, 16384);
    read_it(&raw);
    CU_ASSERT(parts.message.len == hello.len && memcmp(parts.message.p, hello.p, hello.len) == 0);
    CU_ASSERT(parts.random.len == 32 && parts.random.p[31] == 7 && parts.session_id.len == 0);
    CU_ASSERT(parts.num_key_shares == 1 && parts.key_shares[0].len == 2);
    CU_ASSERT_EQUAL(parts.key_shares[0].p[0], 0xab);
    CU_ASSERT(parts.num_extensions == 2 && parts.extensions[0].type == 0x33);
    CU_ASSERT(parts.extensions[1].type == 0 && parts.extensions[1].body.len == 6);
    made_free(&raw);
    made_free(&hello);
    arena_cleanup(&arena);
}

static void test_cut_into_records(void) {
    struct made hello = made_hello(EXTENSIONS);
    struct made raw = made_records(HANDSHAKE, hello.p, hello.len, 20);
    read_it(&raw);
    CU_ASSERT(parts.message.len == hello.len && memcmp(parts.message.p, hello.p, hello.len) == 0);
    CU_ASSERT_EQUAL(parts.num_extensions, 2);
    made_free(&raw);
    made_free(&hello);
    arena_cleanup(&arena);
}

static void read_bytes(const uint8_t *p, size_t p_len) {
    hello_parts_read(&parts, &arena, (struct span){p, p_len});
    CU_ASSERT(parts.num_extensions <= HELLO_PARTS_MAX);
    arena_cleanup(&arena);
}

static void test_what_is_no_hello(void) {
    read_bytes(NULL, 0);
    CU_ASSERT(parts.message.len == 0 && parts.random.len == 0);
    read_bytes((const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18);
    CU_ASSERT(parts.message.len == 0 && parts.random.len == 0);
}

static void test_abuse(void) {
    struct made hello = made_hello(EXTENSIONS);
    struct made raw = made_records(HANDSHAKE, hello.p, hello.len, 50);
    const struct sample sample = {"a hello", raw.len, raw.p};
    sample_abuse(&sample, read_bytes);
    made_free(&raw);
    made_free(&hello);
}

const struct unit_case unit_cases[] = {
    {"the parts", test_the_parts},
    {"cut into records", test_cut_into_records},
    {"what is no hello", test_what_is_no_hello},
    {"abuse", test_abuse},
    {NULL, NULL},
};
