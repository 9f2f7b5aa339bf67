#include "proxy/tls/hello_keys.h"

#include <string.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/mlkem.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/proxy/tls/rfc8448.h"
#include "tests/unit/unit.h"

static const uint16_t groups[] = {23, 24, 25, 29};

// Both sides come to the same secret.
static void test_agree(void) {
    uint64_t seed_a = 1, seed_b = 2;
    struct hello_keys *a = hello_keys_new(hellos_random, &seed_a);
    struct hello_keys *b = hello_keys_new(hellos_random, &seed_b);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        uint8_t share_a[HELLO_SHARE_MAX], share_b[HELLO_SHARE_MAX], again[HELLO_SHARE_MAX];
        uint8_t secret_a[HELLO_SECRET_MAX], secret_b[HELLO_SECRET_MAX];
        CU_ASSERT(hello_keys_can(groups[i]));
        CU_ASSERT_EQUAL(hello_keys_agree(a, secret_a, groups[i], share_b, 32), 0); // no key yet
        size_t len = hello_keys_share(a, groups[i], share_a);
        CU_ASSERT_EQUAL(hello_keys_share(b, groups[i], share_b), len);
        CU_ASSERT_EQUAL(hello_keys_share(a, groups[i], again), len);
        CU_ASSERT(memcmp(share_a, again, len) == 0 && memcmp(share_a, share_b, len) != 0);
        size_t secret_len = hello_keys_agree(a, secret_a, groups[i], share_b, len);
        CU_ASSERT(secret_len != 0);
        CU_ASSERT_EQUAL(hello_keys_agree(b, secret_b, groups[i], share_a, len), secret_len);
        CU_ASSERT(memcmp(secret_a, secret_b, secret_len) == 0);
        CU_ASSERT_EQUAL(hello_keys_agree(a, secret_a, groups[i], share_b, len - 1), 0);
        share_b[len - 1] ^= 1; // on no curve of NIST's
        CU_ASSERT(groups[i] == 29 || hello_keys_agree(a, secret_a, groups[i], share_b, len) == 0);
        memset(share_b, 0, len);
        CU_ASSERT_EQUAL(hello_keys_agree(a, secret_a, groups[i], share_b, len), 0);
    }
    CU_ASSERT_FALSE(hello_keys_can(30));
    hello_keys_free(a);
    hello_keys_free(b);
    hello_keys_free(NULL);
}

static void random_rfc8448(void *ctx, uint8_t *out, size_t out_len) {
    (void)ctx;
    struct made key = made_hex("49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005");
    CHECK(out_len == key.len);
    memcpy(out, key.p, key.len);
    made_free(&key);
}

static void test_rfc8448(void) {
    struct hello_keys *keys = hello_keys_new(random_rfc8448, NULL);
    struct made hello = made_hex(RFC8448_CLIENT_HELLO), answer = made_hex(RFC8448_SERVER_HELLO);
    struct made secret = made_hex(RFC8448_SHARED_SECRET);
    uint8_t share[HELLO_SHARE_MAX], agreed[HELLO_SECRET_MAX];
    CU_ASSERT_EQUAL(hello_keys_share(keys, 29, share), 32);
    CU_ASSERT_PTR_NOT_NULL(memmem(hello.p, hello.len, share, 32));
    const uint8_t *theirs = memmem(answer.p, answer.len, "\x00\x1d\x00\x20", 4);
    CU_ASSERT_EQUAL_FATAL(hello_keys_agree(keys, agreed, 29, theirs + 4, 32), secret.len);
    CU_ASSERT(memcmp(agreed, secret.p, secret.len) == 0);
    made_free(&secret);
    made_free(&answer);
    made_free(&hello);
    hello_keys_free(keys);
}

static void test_hybrid(void) {
    struct hello_keys *keys = hello_keys_new(NULL, NULL);
    uint8_t share[HELLO_SHARE_MAX], x25519[HELLO_SHARE_MAX];
    CU_ASSERT_EQUAL_FATAL(hello_keys_share(keys, HELLO_GROUP_X25519MLKEM768, share), 1216);
    for (size_t i = 0; i < 1152; i += 3) {
        CU_ASSERT((share[i] | (share[i + 1] & 15) << 8) < 3329);
        CU_ASSERT((share[i + 1] >> 4 | share[i + 2] << 4) < 3329);
    }
    CU_ASSERT_EQUAL(hello_keys_share(keys, 29, x25519), 32);
    CU_ASSERT(memcmp(share + 1184, x25519, 32) == 0); // as browsers do
    CU_ASSERT_EQUAL(hello_keys_share(keys, 256, share), 0);

    // A server's answer: both secrets, that of ML-KEM first.
    uint8_t answer[MLKEM_CIPHERTEXT_LEN + 32], secret[HELLO_SECRET_MAX], m[32] = {1};
    uint8_t theirs[64], private_key[32] = {9};
    mlkem_encapsulate(answer, theirs, share, m);
    X25519_public_from_private(answer + MLKEM_CIPHERTEXT_LEN, private_key);
    CU_ASSERT(X25519(theirs + 32, private_key, share + 1184));
    CU_ASSERT(hello_keys_can(HELLO_GROUP_X25519MLKEM768));
    CU_ASSERT_EQUAL(hello_keys_agree(keys, secret, HELLO_GROUP_X25519MLKEM768, answer, 1120), 64);
    CU_ASSERT(memcmp(secret, theirs, 64) == 0);
    CU_ASSERT_EQUAL(hello_keys_agree(keys, secret, HELLO_GROUP_X25519MLKEM768, answer, 1119), 0);
    memset(answer + MLKEM_CIPHERTEXT_LEN, 0, 32); // a point of small order
    CU_ASSERT_EQUAL(hello_keys_agree(keys, secret, HELLO_GROUP_X25519MLKEM768, answer, 1120), 0);
    hello_keys_free(keys);
}

static void test_offer(void) {
    uint64_t seed = 5;
    struct hello_keys *keys = hello_keys_new(hellos_random, &seed);
    struct hello_draft draft;
    hello_draft_init(&draft);
    hello_keys_offer(keys, &draft, (const uint16_t[]){4588, 256, 23}, 3);
    CU_ASSERT_EQUAL(hello_edit_find(&draft, EXT_KEY_SHARE)->body.len, 2 + 4 + 1216 + 4 + 65);
    hello_draft_cleanup(&draft);
    hello_keys_free(keys);
}

static struct hello_draft ours, theirs;
static struct hello_swap swap;

static void swap_begin(const char *name) {
    struct err err;
    uint64_t seed = 9;
    const struct sample *hello = hellos_get(name);
    struct hello_keys *keys = hello_keys_new(hellos_random, &seed);
    hello_draft_init(&ours);
    hello_draft_init(&theirs);
    CU_ASSERT_FATAL(hello_draft_read_wire(&theirs, NULL, hello->p, hello->len, &err));
    hello_draft_copy(&ours, &theirs);
    hello_keys_swap(keys, &ours, &swap);
    hello_keys_free(keys);
}

static void swap_end(void) {
    hello_draft_cleanup(&ours);
    hello_draft_cleanup(&theirs);
}

// Only the key shares differ, and only inside.
static void test_swap(void) {
    for (const struct sample *hello = hellos; hello->name != NULL; hello++) {
        swap_begin(hello->name);
        CU_ASSERT_EQUAL(swap.changed, HELLO_SWAP_SHARES);
        CU_ASSERT_FALSE(swap.early_data);
        CU_ASSERT_EQUAL(hello_draft_len(&ours), hello_draft_len(&theirs));
        CU_ASSERT_EQUAL(ours.num_extensions, theirs.num_extensions);
        for (size_t i = 0; i < ours.num_extensions; i++) {
            struct hello_extension *a = &ours.extensions[i], *b = &theirs.extensions[i];
            bool same = a->body.len == b->body.len &&
                        (a->body.len == 0 || memcmp(a->body.p, b->body.p, a->body.len) == 0);
            CU_ASSERT_EQUAL(same, a->type != EXT_KEY_SHARE);
        }
        CU_ASSERT(memcmp(ours.random, theirs.random, 32) == 0);
        CU_ASSERT(memcmp(ours.session_id.p, theirs.session_id.p, 32) == 0);
        swap_end();
    }
}

static void test_swap_tells(void) {
    swap_begin("chromium");
    CU_ASSERT_EQUAL(swap.num_kept, 0); // GREASE is no share
    CU_ASSERT(swap.ech);
    hello_edit_key_share(&ours, 30, (const uint8_t *)"of X448", 7);
    hello_edit_psk(&ours, 1, 64, true);
    hello_edit_ticket(&ours, (const uint8_t *)"a ticket", 8);
    hello_draft_copy(&theirs, &ours);
    struct hello_keys *keys = hello_keys_new(NULL, NULL);
    hello_keys_swap(keys, &ours, &swap);
    CU_ASSERT_EQUAL(swap.changed, HELLO_SWAP_SHARES | HELLO_SWAP_PSK | HELLO_SWAP_TICKET);
    CU_ASSERT(swap.early_data);
    CU_ASSERT_EQUAL(swap.num_kept, 1);
    CU_ASSERT_EQUAL(swap.kept[0], 30);
    CU_ASSERT_EQUAL(hello_draft_len(&ours), hello_draft_len(&theirs));
    const struct hello_bytes *a = &hello_edit_find(&ours, EXT_PRE_SHARED_KEY)->body;
    const struct hello_bytes *b = &hello_edit_find(&theirs, EXT_PRE_SHARED_KEY)->body;
    CU_ASSERT(memcmp(a->p, b->p, 4) == 0);               // lengths
    CU_ASSERT(memcmp(a->p + 4, b->p + 4, 64) != 0);      // identity
    CU_ASSERT(memcmp(a->p + 68, b->p + 68, 4 + 3) == 0); // age, lengths
    CU_ASSERT(memcmp(a->p + 75, b->p + 75, 32) != 0);    // binder
    hello_edit_version_range(&ours, 0x0301, 0x0303);
    hello_edit_session_id(&ours, (const uint8_t *)"a session", 9);
    hello_keys_swap(keys, &ours, &swap);
    CU_ASSERT_EQUAL(swap.changed, HELLO_SWAP_SESSION_ID | HELLO_SWAP_TICKET);
    CU_ASSERT(memcmp(ours.session_id.p, "a session", 9) != 0);
    hello_keys_swap(keys, &ours, NULL);
    hello_keys_free(keys);
    swap_end();
}

static void test_swap_of_malformed(void) {
    struct hello_keys *keys = hello_keys_new(NULL, NULL);
    swap_begin("go");
    hello_edit_set(&ours, EXT_KEY_SHARE, (const uint8_t *)"\x00\xff\x00", 3);
    hello_edit_set(&ours, EXT_PRE_SHARED_KEY, (const uint8_t *)"\x00", 1);
    hello_edit_set(&ours, EXT_SUPPORTED_VERSIONS, (const uint8_t *)"\x04\x03", 2);
    hello_keys_swap(keys, &ours, &swap);
    CU_ASSERT_EQUAL(swap.changed, HELLO_SWAP_SESSION_ID);
    swap_end();
    hello_keys_free(keys);
}

const struct unit_case unit_cases[] = {
    {"both sides agree, and bad shares give no secret", test_agree},
    {"the key of RFC 8448", test_rfc8448},
    {"the hybrid share is one that a server takes", test_hybrid},
    {"an offer of shares", test_offer},
    {"a swap changes nothing but shares", test_swap},
    {"what else has to change is told", test_swap_tells},
    {"malformed extensions stay", test_swap_of_malformed},
    {NULL, NULL},
};
