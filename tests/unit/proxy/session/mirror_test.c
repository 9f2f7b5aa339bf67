// The server leg's ClientHello is the client's offer again.
#include "proxy/session/mirror.h"

#include <stdlib.h>
#include <string.h>

#include "logs/record/text.h"
#include "tests/unit/proxy/session/playbook.h"

// Fields that are the same on both legs, whatever the client offers.
static const char *const mirrored[] = {
    "tls.client.server_name",
    "offer.versions",
    "offer.ciphers",
    "offer.groups",
    "offer.signature_algorithms",
    "offer.alpn",
    "offer.compress_certificate",
    "offer.psk_key_exchange_modes",
    "offer.status_request",
    "offer.signed_certificate_timestamp",
    "offer.extended_main_secret",
    "offer.renegotiation_info",
    "offer.fallback_scsv",
    "offer.ec_point_formats",
    "offer.compression_methods",
    "offer.grease",
    "offer.extensions",
};

static char *words(const struct obj *leg, const char *path) {
    struct buf text;
    enum field field = field_find(KIND_LEG, path);
    CHECK(field != FIELD_COUNT);
    buf_init(&text, 16 * 1024);
    text_write(&text, leg, field);
    char *copy = xmemdup(text.len == 0 ? "" : (const char *)buf_data(&text), text.len);
    buf_cleanup(&text);
    return copy;
}

// sort_words brings the items of a set into one order: extensions are mirrored, their order is the
// library's.
static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *sorted(char *text) {
    const char *items[128];
    size_t num = 0;
    char *copy = xstrdup(text), *at;
    for (char *item = strtok_r(copy, ",", &at); item != NULL; item = strtok_r(NULL, ",", &at)) {
        CHECK(num < ARRAY_LEN(items));
        items[num++] = item + (*item == ' ');
    }
    qsort(items, num, sizeof(items[0]), by_text);
    *text = '\0';
    for (size_t i = 0; i < num; i++) {
        strcat(strcat(text, items[i]), i + 1 < num ? " " : "");
    }
    free(copy);
    return text;
}

// hold compares both legs' offers.
static void hold(const struct peer_options *client) {
    struct setup setup = {.client = *client, .server = {.chain = {world_get()->leaf}}};
    struct play *p = play_new(&setup);
    play_run(p, OPEN ">> client hello\n>> stop\n<< record final\n");
    const struct obj *root = play_record(p);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    for (size_t i = 0; i < ARRAY_LEN(mirrored); i++) {
        char *a = words(record_leg(root, false), mirrored[i]);
        char *b = words(record_leg(root, true), mirrored[i]);
        if (strcmp(mirrored[i], "offer.extensions") == 0 ||
            strcmp(mirrored[i], "offer.compress_certificate") == 0) {
            sorted(a);
            sorted(b);
        }
        if (strcmp(a, b) != 0) {
            printf("\n    %s: %s\n    server leg: %s\n", mirrored[i], a, b);
        }
        CU_ASSERT_STRING_EQUAL(a, b);
        free(a);
        free(b);
    }
    play_free(p);
}

static void offers_are_mirrored(void) {
    static const uint16_t sigalgs[] = {SSL_SIGN_RSA_PSS_RSAE_SHA512,
                                       SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_RSA_PKCS1_SHA1};
    static const struct peer_options rows[] = {
        {.host = "a.test"},
        {.host = NULL},
        {.host = "a.test", .max_version = TLS1_2_VERSION},
        {.host = "a.test", .max_version = TLS1_1_VERSION},
        {.host = "a.test", .max_version = TLS1_VERSION},
        {.host = "a.test", .min_version = TLS1_2_VERSION},
        {.host = "a.test", .min_version = TLS1_3_VERSION},
        {.host = "a.test", .min_version = TLS1_1_VERSION, .max_version = TLS1_2_VERSION},
        {.host = "a.test", .alpn = "h2,http/1.1"},
        {.host = "a.test", .alpn = "x"},
        {.host = "a.test", .curves = "P-384:X25519"},
        {.host = "a.test", .curves = "P-256"},
        {.host = "a.test", .sigalgs = sigalgs, .num_sigalgs = ARRAY_LEN(sigalgs)},
        {.host = "a.test", .staple = true},
        {.host = "a.test", .sct = true},
        {.host = "a.test", .staple = true, .sct = true, .alpn = "h2"},
        {.host = "a.test", .no_ticket = true},
        {.host = "a.test", .max_version = TLS1_2_VERSION, .fallback = true},
        {.host = "a.test", .ciphers = "AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"},
        {.host = "a.test",
         .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305",
         .max_version = TLS1_2_VERSION},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        hold(&rows[i]);
    }
}

static void grease_is_mirrored_as_grease(void) {
    struct setup setup = {.client = {.host = "a.test", .grease = true}};
    play(&setup, OPEN ">> client hello\n"
                      ">> stop\n"
                      "<< record final\n"
                      "== legs.client.offer.grease yes\n"
                      "== legs.server.offer.grease yes\n");
    setup.client.grease = false;
    play(&setup, OPEN ">> client hello\n"
                      ">> stop\n"
                      "<< record final\n"
                      "== legs.client.offer.grease -\n"
                      "== legs.server.offer.grease -\n");
}

// order returns the extensions of the server leg's hello in their order, without those that are
// GREASE.
static char *order(bool grease, bool permute) {
    struct setup setup = {.client = {.host = "a.test", .grease = grease, .permute = permute}};
    struct play *p = play_new(&setup);
    play_run(p, OPEN ">> client hello\n>> stop\n<< record final\n");
    char *text = words(record_leg(play_record(p), true), "offer.extensions");
    char *copy = xstrdup(text), *at;
    *text = '\0';
    for (char *item = strtok_r(copy, ",", &at); item != NULL; item = strtok_r(NULL, ",", &at)) {
        if (strstr(item, "GREASE") == NULL) {
            strcat(text, item);
        }
    }
    free(copy);
    play_free(p);
    return text;
}

// Ten extensions have so many orders that two hellos never share one by chance.
static void shuffled_extensions_are_shuffled_again(void) {
    static const struct {
        bool grease, permute, same;
    } rows[] = {{true, false, true}, {true, true, false}, {false, true, true}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *a = order(rows[i].grease, rows[i].permute);
        char *b = order(rows[i].grease, rows[i].permute);
        CU_ASSERT(strlen(a) > 100);
        CU_ASSERT_EQUAL(strcmp(a, b) == 0, rows[i].same);
        free(a);
        free(b);
    }
}

static void policy_bounds_the_server_leg(void) {
    struct setup setup = {
        SETUP_TLS,
        .policy = "{\"default\": {\"server_leg\": {\"max_version\": \"1.2\"}}}",
    };
    play(&setup, HANDSHAKE "<< server established TLSv1.2 * *\n"
                           "<< client established TLSv1.2 * *\n"
                           ">> stop\n"
                           "<< record final\n"
                           "== legs.server.offer.versions TLS 1.2, TLS 1.1, TLS 1.0*\n"
                           "== differences *offer.versions*\n");
}

// Policy may ask of the server what the client cannot.
static void the_legs_may_have_no_version_in_common(void) {
    struct setup setup = {
        SETUP_TLS,
        .policy = "{\"default\": {\"server_leg\": {\"min_version\": \"1.3\"}}}",
    };
    setup.client.max_version = TLS1_1_VERSION;
    play(&setup, HANDSHAKE "<< client established TLSv1.1 * *\n"
                           "<< server established TLSv1.3 * *\n");
    setup.policy = "{\"default\": {\"server_leg\": {\"max_version\": \"1.1\"}}}";
    setup.client.max_version = 0;
    setup.client.min_version = TLS1_3_VERSION;
    play(&setup, HANDSHAKE "<< client established TLSv1.3 * *\n"
                           "<< server established TLSv1.1 * *\n");
}

static struct client_hello offer(const uint8_t *versions, size_t num, uint16_t legacy) {
    return (struct client_hello){
        .legacy_version = legacy,
        .versions = {.p = num != 0 ? versions : NULL, .num = (uint16_t)num, .width = 2},
    };
}

static void versions_are_bounded(void) {
    static const uint8_t all[] = {3, 4, 3, 3, 3, 2, 3, 1}, alien[] = {0x7a, 0x7a}, old[] = {3, 0};
    static const struct leg_policy any, top = {.max_version = TLS1_2_VERSION},
                                        bottom = {.min_version = TLS1_2_VERSION};
    struct client_hello hello = offer(all, 4, 0x0303);
    uint16_t min, max;
    CU_ASSERT(mirror_versions(&hello, &any, &min, &max));
    CU_ASSERT(min == TLS1_VERSION && max == TLS1_3_VERSION);
    CU_ASSERT(mirror_versions(&hello, &top, &min, &max));
    CU_ASSERT(min == TLS1_VERSION && max == TLS1_2_VERSION);
    CU_ASSERT(mirror_versions(&hello, &bottom, &min, &max));
    CU_ASSERT(min == TLS1_2_VERSION && max == TLS1_3_VERSION);
    hello = offer(NULL, 0, 0x0302);
    CU_ASSERT(mirror_versions(&hello, &any, &min, &max));
    CU_ASSERT(min == TLS1_VERSION && max == TLS1_1_VERSION);
    CU_ASSERT_FALSE(mirror_versions(&hello, &bottom, &min, &max));
    hello = offer(NULL, 0, 0x0304);
    CU_ASSERT(mirror_versions(&hello, &any, &min, &max));
    CU_ASSERT(max == TLS1_2_VERSION);
    hello = offer(alien, 1, 0x0303);
    CU_ASSERT_FALSE(mirror_versions(&hello, &any, &min, &max));
    hello = offer(old, 1, 0x0303);
    CU_ASSERT_FALSE(mirror_versions(&hello, &any, &min, &max));
    hello = offer(NULL, 0, 0x0300);
    CU_ASSERT_FALSE(mirror_versions(&hello, &any, &min, &max));
}

const struct unit_case unit_cases[] = {
    {"offers are mirrored", offers_are_mirrored},
    {"GREASE is mirrored as GREASE", grease_is_mirrored_as_grease},
    {"shuffled extensions are shuffled again", shuffled_extensions_are_shuffled_again},
    {"policy bounds the server leg", policy_bounds_the_server_leg},
    {"the legs may have no version in common", the_legs_may_have_no_version_in_common},
    {"versions are bounded", versions_are_bounded},
    {NULL, NULL},
};
