#include "proxy/tls/keccak.h"

#include <string.h>

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void hash_is(enum keccak_function function, const char *text, const char *hex) {
    struct made expected = made_hex(hex);
    struct keccak keccak;
    uint8_t out[64];
    keccak_init(&keccak, function);
    keccak_absorb(&keccak, (const uint8_t *)text, strlen(text));
    keccak_squeeze(&keccak, out, expected.len);
    CU_ASSERT(memcmp(out, expected.p, expected.len) == 0);
    made_free(&expected);
}

// The examples that NIST publishes with FIPS 202.
static void test_known_answers(void) {
    hash_is(KECCAK_SHA3_256, "",
            "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    hash_is(KECCAK_SHA3_256, "abc",
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    hash_is(KECCAK_SHA3_512, "abc",
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
            "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0");
    hash_is(KECCAK_SHAKE128, "",
            "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
    hash_is(KECCAK_SHAKE256, "",
            "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
}

// However it is cut, it is the same; blocks of every function are shorter than this.
static void test_pieces(void) {
    uint8_t in[500], whole[500], pieces[500];
    struct keccak keccak;
    memset(in, 0xa3, sizeof(in));
    for (int function = KECCAK_SHA3_256; function <= KECCAK_SHAKE256; function++) {
        keccak_init(&keccak, (enum keccak_function)function);
        keccak_absorb(&keccak, in, sizeof(in));
        keccak_squeeze(&keccak, whole, sizeof(whole));
        keccak_init(&keccak, (enum keccak_function)function);
        for (size_t i = 0; i < sizeof(in); i += 25) {
            keccak_absorb(&keccak, in + i, 25);
        }
        for (size_t i = 0; i < sizeof(pieces); i += 4) {
            keccak_squeeze(&keccak, pieces + i, 4);
        }
        CU_ASSERT(memcmp(whole, pieces, sizeof(whole)) == 0);
    }
}

static void absorb_late(void) {
    struct keccak keccak;
    uint8_t out[1];
    keccak_init(&keccak, KECCAK_SHAKE128);
    keccak_squeeze(&keccak, out, 1);
    keccak_absorb(&keccak, out, 1);
}

static void test_order(void) { CU_ASSERT(unit_aborts(absorb_late, "squeezing")); }

const struct unit_case unit_cases[] = {
    {"known answers", test_known_answers},
    {"in pieces", test_pieces},
    {"what is squeezed absorbs no more", test_order},
    {NULL, NULL},
};
