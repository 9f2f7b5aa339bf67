#include "proxy/probe/factor.h"

#include <stdio.h>
#include <string.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"

static struct hello_draft passing, failing, made;
static struct factors factors;
static uint64_t seed;

static void make(struct hello_draft *draft, const char *shape) {
    struct hello_keys *keys = hello_keys_new(hellos_random, &seed);
    hello_draft_init(draft);
    hello_shape_make(draft, hello_shape_find(shape), "host.example", keys);
    hello_keys_free(keys);
}

static void begin(const char *passing_shape, const char *failing_shape) {
    make(&passing, passing_shape);
    make(&failing, failing_shape);
    hello_draft_init(&made);
    factors_init(&factors, &passing, &failing);
}

static void end(void) {
    factors_cleanup(&factors);
    hello_draft_cleanup(&passing);
    hello_draft_cleanup(&failing);
    hello_draft_cleanup(&made);
}

static struct factor_set all(void) {
    struct factor_set set = {0};
    for (size_t i = 0; i < factors.num; i++) {
        factor_set_add(&set, i);
    }
    return set;
}

static size_t find(const char *text) {
    size_t i = 0;
    while (i < factors.num && strcmp(factors.factors[i].text, text) != 0) {
        i++;
    }
    return i;
}

// Every pair of shapes: none of the factors gives the one, all of them the other.
static void test_ends(void) {
    size_t num;
    const struct hello_shape *shapes = hello_shapes(&num);
    for (size_t i = 0; i < num; i++) {
        for (size_t k = 0; k < num; k++) {
            struct factor_set set = {0};
            struct factors again;
            begin(shapes[i].name, shapes[k].name);
            factors_apply(&factors, &made, &set);
            CU_ASSERT_EQUAL(hello_draft_len(&made), hello_draft_len(&passing));
            factors_init(&again, &passing, &made); // but for randomness, the same
            CU_ASSERT(again.num == 0 || factors.factors[0].kind == FACTOR_FORMAT);
            factors_cleanup(&again);
            set = all();
            factors_apply(&factors, &made, &set);
            CU_ASSERT(hello_draft_equal(&made, &failing));
            end();
        }
    }
}

// Any set of factors gives a hello that is well-formed, and has what it says.
static void test_between(void) {
    static const char *const pairs[][2] = {
        {"tls12", "chromium"}, {"firefox", "tls10"}, {"gnutls", "java"}, {"curl", "go"}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        begin(pairs[i][0], pairs[i][1]);
        for (int run = 0; run < 200; run++) {
            struct factor_set set = {0};
            uint8_t random[FACTORS_MAX];
            struct client_hello parsed;
            struct note_sink notes = {0};
            struct buf message;
            struct err err;
            hellos_random(&seed, random, sizeof(random));
            for (size_t k = 0; k < factors.num; k++) {
                if (random[k] & 1) {
                    factor_set_add(&set, k);
                }
            }
            factors_apply(&factors, &made, &set);
            buf_init(&message, HELLO_DRAFT_MAX);
            CU_ASSERT(hello_draft_message(&made, &message, &err));
            CU_ASSERT(client_hello_parse(&parsed, &notes, buf_data(&message), message.len));
            CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_MALFORMED), 0);
            CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_DUPLICATE), 0);
            CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_CIPHERS_DUPLICATE), 0);
            buf_cleanup(&message);
        }
        end();
    }
}

static void test_texts(void) {
    begin("tls12", "firefox");
    static const char *const texts[] = {
        "the suite TLS_AES_128_GCM_SHA256",
        "no suite TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
        "the extension record_size_limit",
        "the key share of X25519MLKEM768",
        "the group ffdhe2048",
        "the version TLS 1.3",
        "the ALPN protocol h2",
        "a session id of 32 bytes",
        "that order of suites",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CU_ASSERT(find(texts[i]) < factors.num);
    }
    end();
}

static void test_one_factor(void) {
    begin("tls12", "firefox");
    struct factor_set set = {0};
    factor_set_add(&set, find("the suite TLS_AES_128_GCM_SHA256"));
    factors_apply(&factors, &made, &set);
    CU_ASSERT_EQUAL(made.ciphers.len, passing.ciphers.len + 2);
    set = all();
    factor_set_remove(&set, find("the key share of X25519MLKEM768"));
    factors_apply(&factors, &made, &set);
    CU_ASSERT_EQUAL(hello_draft_len(&made), hello_draft_len(&failing) - 4 - 1216);
    end();
}

static void test_pieces(void) {
    make(&passing, "go");
    hello_draft_init(&failing);
    hello_draft_init(&made);
    hello_draft_copy(&failing, &passing);
    hello_edit_cut_record(&failing, 10);
    hello_edit_cut_segment(&failing, 10, 0);
    hello_edit_trailing(&failing, (const uint8_t *)"x", 1);
    hello_edit_compressions(&failing, (const uint8_t *)"\x01\x00", 2);
    hello_edit_sni(&failing, "other.example");
    failing.record_version = 0x0303;
    factors_init(&factors, &passing, &failing);
    CU_ASSERT_EQUAL(factors.num, 6);
    CU_ASSERT(find("the server name other.example") < factors.num);
    CU_ASSERT(find("its split over 2 records") < factors.num);
    struct factor_set set = {0};
    factors_apply(&factors, &made, &set);
    CU_ASSERT(hello_draft_equal(&made, &passing));
    end();
}

static void test_randomness_is_no_factor(void) {
    begin("chromium", "chromium");
    for (size_t i = 0; i < factors.num; i++) {
        CU_ASSERT_STRING_EQUAL(factors.factors[i].text, "that order of extensions");
    }
    CU_ASSERT(factors.num <= 1);
    end();
}

static void test_malformed(void) {
    begin("go", "curl");
    factors_cleanup(&factors);
    hello_edit_set(&failing, EXT_KEY_SHARE, (const uint8_t *)"\x00\x09\x00", 3);
    hello_edit_set(&failing, EXT_ALPN, NULL, 0);
    hello_bytes_set(&failing.ciphers, (const uint8_t *)"\x13\x01\x13", 3);
    factors_init(&factors, &passing, &failing);
    CU_ASSERT(find("that list of suites") < factors.num);
    CU_ASSERT(find("that body of 3 bytes of the extension key_share") < factors.num);
    struct factor_set set = {0};
    factors_apply(&factors, &made, &set);
    CU_ASSERT_EQUAL(hello_draft_len(&made), hello_draft_len(&passing));
    set = all();
    factors_apply(&factors, &made, &set);
    CU_ASSERT(hello_draft_equal(&made, &failing));
    end();
}

// More differences than there are factors: the last one stands for the rest.
static void test_too_many(void) {
    uint32_t suites[200];
    make(&passing, "tls12");
    make(&failing, "tls12");
    hello_draft_init(&made);
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        suites[i] = 0x5601 + (uint32_t)i;
    }
    hello_edit_ciphers(&failing, suites, ARRAY_LEN(suites));
    for (uint16_t i = 0; i < 100; i++) {
        hello_edit_insert(&failing, 0, 0x7000 + i, NULL, 0);
    }
    factors_init(&factors, &passing, &failing);
    CU_ASSERT_EQUAL(factors.num, FACTORS_MAX);
    struct factor_set set = all();
    factors_apply(&factors, &made, &set);
    CU_ASSERT(hello_draft_equal(&made, &failing));
    end();
}

static void test_groups(void) {
    struct factor_set group;
    begin("firefox", "chromium");
    size_t grease = 0, extension = find("the extension application_settings");
    while (strncmp(factors.factors[grease].text, "the suite GREASE", 16) != 0) {
        CU_ASSERT_FATAL(++grease < factors.num);
    }
    factors_group(&factors, &group, grease, FACTOR_LIKE_GREASE);
    CU_ASSERT_EQUAL(factor_set_num(&group),
                    7); // suite, group, version, share, algorithm, two extensions
    if (extension < factors.num) {
        factors_group(&factors, &group, extension, FACTOR_LIKE_LIST);
        CU_ASSERT_EQUAL(factor_set_num(&group), 1);
    }
    end();
    begin("tls13", "curl");
    factors_group(&factors, &group, find("the suite TLS_RSA_WITH_AES_128_CBC_SHA"),
                  FACTOR_LIKE_LIST);
    CU_ASSERT(factor_set_num(&group) > 20);
    end();
}

static void test_sets(void) {
    struct factor_set set = {0};
    factor_set_add(&set, 0);
    factor_set_add(&set, 200);
    CU_ASSERT(factor_set_has(&set, 200));
    CU_ASSERT_FALSE(factor_set_has(&set, 199));
    CU_ASSERT_FALSE(factor_set_has(&set, FACTORS_MAX));
    CU_ASSERT_EQUAL(factor_set_num(&set), 2);
    factor_set_remove(&set, 0);
    CU_ASSERT_EQUAL(factor_set_num(&set), 1);
}

const struct unit_case unit_cases[] = {
    {"no factor is the one hello, all are the other", test_ends},
    {"any set is a well-formed hello", test_between},
    {"texts", test_texts},
    {"one factor more, one less", test_one_factor},
    {"pieces, tails and the server name", test_pieces},
    {"randomness is no factor", test_randomness_is_no_factor},
    {"malformed lists", test_malformed},
    {"too many differences", test_too_many},
    {"groups of factors", test_groups},
    {"sets", test_sets},
    {NULL, NULL},
};
