#include "policy/ca/mint_box.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/ca/box_world.h"
#include "tests/unit/unit.h"

static struct box_world world;
static struct leaf *leaf;

static struct cert_facts leaf_of(struct cert_knobs knobs) {
    static struct cert_knobs kept;
    kept = knobs;
    return box_world_once(&world, &kept, &leaf);
}

static struct cert_facts next_leaf(const char *host) {
    leaf_unref(leaf);
    leaf = box_world_leaf(&world, host, LEAF_ISSUER_AUTO);
    return box_world_facts(&world, leaf, 0);
}

static void end(void) {
    leaf_unref(leaf);
    box_world_cleanup(&world);
}

static void test_keys(void) {
    static const struct {
        enum cert_knob_key knob;
        const char *type;
        unsigned bits;
    } rows[] = {{CERT_KNOB_KEY_AUTO, "EC", 256},       {CERT_KNOB_KEY_P256, "EC", 256},
                {CERT_KNOB_KEY_RSA_1024, "RSA", 1024}, {CERT_KNOB_KEY_RSA_2048, "RSA", 2048},
                {CERT_KNOB_KEY_RSA_3072, "RSA", 3072}, {CERT_KNOB_KEY_ED25519, "Ed25519", 0}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_facts f = leaf_of((struct cert_knobs){.key = rows[i].knob});
        CU_ASSERT_STRING_EQUAL(f.key_type, rows[i].type);
        CU_ASSERT_TRUE(rows[i].bits == 0 || f.key_bits == rows[i].bits);
        end();
    }
}

static void test_reuse(void) {
    struct cert_facts a = leaf_of((struct cert_knobs){0}), b = next_leaf("other.test");
    CU_ASSERT_EQUAL(memcmp(a.spki_sha256, b.spki_sha256, sizeof(a.spki_sha256)), 0);
    end();
    a = leaf_of((struct cert_knobs){.reuse = CERT_KNOB_REUSE_PER_HOST});
    b = next_leaf("other.test");
    CU_ASSERT_NOT_EQUAL(memcmp(a.spki_sha256, b.spki_sha256, sizeof(a.spki_sha256)), 0);
    end();
    a = leaf_of((struct cert_knobs){.reuse = CERT_KNOB_REUSE_SHIPPED});
    CU_ASSERT_EQUAL(EVP_PKEY_cmp(leaf->key, world.box->leaf_key->key), 1);
    end();
}

static void test_digests(void) {
    struct cert_knobs knobs = {.digest = CERT_KNOB_SHA1,
                               .chain = CERT_KNOB_CHAIN_FULL,
                               .ca = {.subject = BOX_STRINGS("CN=Box CA"),
                                      .key = CERT_KNOB_KEY_RSA_1024,
                                      .digest = CERT_KNOB_MD5}};
    struct cert_facts f = leaf_of(knobs);
    CU_ASSERT_STRING_EQUAL(f.signature_algorithm, "sha1WithRSAEncryption");
    X509 *x509 = X509_parse_from_buffer(leaf->chain[0]);
    CU_ASSERT_EQUAL(X509_verify(x509, world.box->root->key->key), 1);
    X509_free(x509);
    f = box_world_facts(&world, leaf, 1);
    CU_ASSERT_STRING_EQUAL(f.signature_algorithm, "md5WithRSAEncryption");
    CU_ASSERT_EQUAL(f.key_bits, 1024);
    end();
    f = leaf_of((struct cert_knobs){.digest = CERT_KNOB_SHA384});
    CU_ASSERT_STRING_EQUAL(f.signature_algorithm, "ecdsa-with-SHA384");
    x509 = X509_parse_from_buffer(leaf->chain[0]);
    CU_ASSERT_EQUAL(X509_verify(x509, world.installation->key->key), 1);
    X509_free(x509);
    end();
}

static void test_serials(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){0});
    CU_ASSERT_EQUAL(strlen(f.serial), 32);
    end();
    f = leaf_of((struct cert_knobs){.serial = CERT_KNOB_SERIAL_RANDOM_32});
    CU_ASSERT_EQUAL(strlen(f.serial), 8);
    end();
    f = leaf_of((struct cert_knobs){.serial = CERT_KNOB_SERIAL_SEQUENTIAL});
    CU_ASSERT_STRING_EQUAL(f.serial, "01");
    f = next_leaf("other.test");
    CU_ASSERT_STRING_EQUAL(f.serial, "02");
    end();
    f = leaf_of((struct cert_knobs){.serial = CERT_KNOB_SERIAL_FIXED, .serial_fixed = 0xff00});
    CU_ASSERT_STRING_EQUAL(f.serial, "00ff00");
    end();
}

static void test_serials_of_the_origin(void) {
    struct arena arena = {0};
    struct cert_facts origin, f = leaf_of((struct cert_knobs){.serial = CERT_KNOB_SERIAL_COPY});
    (void)cert_facts_parse(&origin, &arena, world.origin->der, world.origin->der_len);
    CU_ASSERT_STRING_EQUAL(f.serial, origin.serial);
    end();
    f = leaf_of((struct cert_knobs){.serial = CERT_KNOB_SERIAL_COPY_PLUS_RANDOM_32});
    (void)cert_facts_parse(&origin, &arena, world.origin->der, world.origin->der_len);
    unsigned long long was = strtoull(origin.serial, NULL, 16), is = strtoull(f.serial, NULL, 16);
    CU_ASSERT_TRUE(is >= was && is - was <= 0xffffffff);
    end();
    f = leaf_of((struct cert_knobs){.serial = CERT_KNOB_SERIAL_HASH_32});
    CU_ASSERT_TRUE(strlen(f.serial) <= 10);
    struct cert_facts again = next_leaf("other.test");
    CU_ASSERT_STRING_EQUAL(again.serial, f.serial);
    end();
    arena_cleanup(&arena);
}

// The CNs of a chain, one letter each: the leaf, the intermediate, the root.
static void chain_says(enum cert_knob_chain chain, bool intermediate, const char *expected) {
    struct cert_knobs knobs = {.chain = chain, .ca = {.subject = BOX_STRINGS("CN=Root")}};
    if (intermediate) {
        knobs.ca.intermediate_subject = (struct cert_knob_strings)BOX_STRINGS("CN=Inter");
    }
    (void)leaf_of(knobs);
    char said[16] = "";
    for (size_t i = 0; i < leaf->num_chain; i++) {
        struct cert_facts f = box_world_facts(&world, leaf, i);
        said[i] = strcmp(f.subject_cn, "origin.test") == 0 ? 'l' : f.subject_cn[0];
    }
    CU_ASSERT_STRING_EQUAL(said, expected);
    end();
}

static void test_chains(void) {
    chain_says(CERT_KNOB_CHAIN_AUTO, true, "lI");
    chain_says(CERT_KNOB_CHAIN_AUTO, false, "l");
    chain_says(CERT_KNOB_CHAIN_LEAF, true, "l");
    chain_says(CERT_KNOB_CHAIN_INTERMEDIATE, true, "lI");
    chain_says(CERT_KNOB_CHAIN_FULL, true, "lIR");
    chain_says(CERT_KNOB_CHAIN_FULL, false, "lR");
    chain_says(CERT_KNOB_CHAIN_ROOT, true, "lR");
    chain_says(CERT_KNOB_CHAIN_REVERSED, true, "lRI");
    chain_says(CERT_KNOB_CHAIN_DOUBLED, true, "lIRlIR");
    chain_says(CERT_KNOB_CHAIN_DOUBLED, false, "lRlR");
}

static void test_no_origin(void) {
    struct cert_knobs knobs = {.serial = CERT_KNOB_SERIAL_COPY,
                               .subject = CERT_KNOB_SUBJECT_COPY,
                               .not_after = {CERT_KNOB_DATE_COPY, 0},
                               .key_usage = CERT_KNOB_USAGE_COPY};
    (void)leaf_of(knobs);
    static const uint8_t garbage[] = {0x30, 0x03, 0x30, 0x01};
    for (int i = 0; i < 2; i++) {
        const struct leaf_request request = {.host = "lonely.test",
                                             .origin = i == 0 ? NULL : garbage,
                                             .origin_len = i == 0 ? 0 : sizeof(garbage)};
        leaf_unref(leaf);
        leaf = leaf_cache_get(world.cache, &request, PKI_NOW);
        struct cert_facts f = box_world_facts(&world, leaf, 0);
        CU_ASSERT_STRING_EQUAL(f.subject, "CN=lonely.test");
        CU_ASSERT_EQUAL(strlen(f.serial), 32);
        CU_ASSERT_FALSE(f.has_key_usage);
    }
    end();
}

static void test_cache(void) {
    struct cert_knobs knobs = {.cache = {.key = LEAF_CACHE_HASH_32}};
    struct cert_facts a = leaf_of(knobs), b = next_leaf("other.test");
    CU_ASSERT_STRING_EQUAL(a.serial, b.serial); // one origin, so one leaf, whatever the host
    end();
    knobs.cache.key = LEAF_CACHE_HOST;
    a = leaf_of(knobs);
    b = next_leaf("other.test");
    CU_ASSERT_STRING_NOT_EQUAL(a.serial, b.serial);
    const struct leaf_request request = {.host = "other.test"}; // another origin, the same host
    leaf_unref(leaf);
    leaf = leaf_cache_get(world.cache, &request, PKI_NOW);
    CU_ASSERT_STRING_EQUAL(box_world_facts(&world, leaf, 0).serial, b.serial);
    end();
    knobs.cache.key = LEAF_CACHE_EXACT;
    a = leaf_of(knobs);
    b = next_leaf("other.test");
    CU_ASSERT_STRING_NOT_EQUAL(a.serial, b.serial);
    CU_ASSERT_STRING_EQUAL(next_leaf("other.test").serial, b.serial);
    end();
}

// With one bit of the hash, two of three servers collide.
static void test_forced_collisions(void) {
    struct cert_knobs knobs = {.cache = {.key = LEAF_CACHE_HASH_32, .hash_bits = 1}};
    (void)leaf_of(knobs);
    size_t before = leaf_cache_stats(world.cache).entries;
    for (int i = 0; i < 6; i++) {
        struct pki_cert *other = pki_leaf("else.test", world.ca);
        const struct leaf_request request = {
            .host = "else.test", .origin = other->der, .origin_len = other->der_len};
        leaf_unref(leaf_cache_get(world.cache, &request, PKI_NOW));
        pki_free(other);
    }
    CU_ASSERT_EQUAL(before, 1);
    CU_ASSERT_TRUE(leaf_cache_stats(world.cache).entries <= 2);
    end();
}

static void test_ttl(void) {
    struct cert_knobs knobs = {.cache = {.key = LEAF_CACHE_HOST, .ttl_seconds = 60}};
    struct cert_facts f = leaf_of(knobs);
    const struct leaf_request request = {.host = "www.origin.test"};
    struct leaf *same = leaf_cache_get(world.cache, &request, PKI_NOW + 59);
    CU_ASSERT_PTR_EQUAL(same, leaf);
    leaf_unref(same);
    leaf_unref(leaf);
    leaf = leaf_cache_get(world.cache, &request, PKI_NOW + 61);
    CU_ASSERT_STRING_NOT_EQUAL(box_world_facts(&world, leaf, 0).serial, f.serial);
    end();
}

const struct unit_case unit_cases[] = {
    {"keys", test_keys},
    {"reuse", test_reuse},
    {"digests", test_digests},
    {"serials", test_serials},
    {"serials of the origin", test_serials_of_the_origin},
    {"chains", test_chains},
    {"no origin", test_no_origin},
    {"cache", test_cache},
    {"forced collisions", test_forced_collisions},
    {"TTL", test_ttl},
    {NULL, NULL},
};
