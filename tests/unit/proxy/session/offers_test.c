#include "proxy/session/offers.h"

#include <string.h>

#include "tests/unit/unit.h"

static int num_made;

static SSL_CTX *make(void *arg, unsigned kind) {
    (void)arg, (void)kind;
    num_made++;
    return SSL_CTX_new(TLS_method());
}

// offer_of takes `num` suites of two bytes each.
static struct offer offer_of(const uint8_t *suites, uint16_t num) {
    struct offer offer;
    struct code_list list = {suites, num, 2};
    offer_init(&offer, &list);
    return offer;
}

static bool ctx_offers(SSL_CTX *ctx, const uint16_t *suites, size_t num) {
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);
    bool same = sk_SSL_CIPHER_num(ciphers) == num;
    for (size_t i = 0; same && i < num; i++) {
        same = SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(ciphers, i)) == suites[i];
    }
    return same;
}

static void test_takes_what_the_library_knows(void) {
    // GREASE, TLS 1.3, RSA, an unknown one, ECDSA, RSA again
    static const uint8_t list[] = {0x1a, 0x1a, 0x13, 0x01, 0x00, 0x9c,
                                   0x00, 0x01, 0xc0, 0x2b, 0x00, 0x9c};
    struct offer offer = offer_of(list, 6);
    CU_ASSERT_EQUAL_FATAL(offer.num, 2);
    CU_ASSERT_EQUAL(offer.suites[0], 0x009c);
    CU_ASSERT_EQUAL(offer.suites[1], 0xc02b);
}

static void test_sets_both(void) {
    static const uint8_t list[] = {0x00, 0x9c, 0xc0, 0x2b};
    static const uint16_t suites[] = {0x009c, 0xc02b};
    struct offer offer = offer_of(list, 2), none = {0};
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    offer_set(&offer, NULL, ssl);
    CU_ASSERT_EQUAL(sk_SSL_CIPHER_num(SSL_get_ciphers(ssl)), 2);
    CU_ASSERT_FALSE(ctx_offers(ctx, suites, 2));
    offer_set(&offer, ctx, NULL);
    CU_ASSERT_TRUE(ctx_offers(ctx, suites, 2));
    offer_set(&none, ctx, NULL);
    CU_ASSERT_TRUE(ctx_offers(ctx, suites, 2));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void test_same_offer_same_context(void) {
    static const uint8_t list[] = {0x00, 0x9c, 0xc0, 0x2b, 0x00, 0x9c};
    static const uint16_t suites[] = {0x009c, 0xc02b}, reversed[] = {0xc02b, 0x009c};
    struct offers *offers = offers_new();
    struct offer offer = offer_of(list, 2), other = offer_of(list + 2, 2);
    num_made = 0;
    SSL_CTX *a = offers_get(offers, &offer, 0, make, NULL);
    SSL_CTX *b = offers_get(offers, &offer, 0, make, NULL);
    SSL_CTX *c = offers_get(offers, &offer, 1, make, NULL);
    SSL_CTX *d = offers_get(offers, &other, 0, make, NULL);
    CU_ASSERT_PTR_EQUAL(a, b);
    CU_ASSERT_PTR_NOT_EQUAL(a, c);
    CU_ASSERT_PTR_NOT_EQUAL(a, d);
    CU_ASSERT_EQUAL(num_made, 3);
    CU_ASSERT_TRUE(ctx_offers(a, suites, 2) && ctx_offers(c, suites, 2));
    CU_ASSERT_TRUE(ctx_offers(d, reversed, 2));
    SSL_CTX_free(a), SSL_CTX_free(b), SSL_CTX_free(c), SSL_CTX_free(d);
    offers_free(offers);
}

static void test_oldest_makes_room(void) {
    static const uint8_t list[] = {0x00, 0x9c};
    static const uint16_t suites[] = {0x009c};
    struct offers *offers = offers_new();
    struct offer offer = offer_of(list, 1);
    num_made = 0;
    SSL_CTX *first = offers_get(offers, &offer, 0, make, NULL);
    for (unsigned kind = 1; kind <= OFFERS_MAX; kind++) {
        SSL_CTX_free(offers_get(offers, &offer, kind, make, NULL));
    }
    CU_ASSERT_EQUAL(num_made, OFFERS_MAX + 1);
    CU_ASSERT_TRUE(ctx_offers(first, suites, 1)); // who holds it keeps it
    SSL_CTX_free(first);
    SSL_CTX_free(offers_get(offers, &offer, 0, make, NULL));
    CU_ASSERT_EQUAL(num_made, OFFERS_MAX + 2);
    SSL_CTX_free(offers_get(offers, &offer, OFFERS_MAX, make, NULL));
    CU_ASSERT_EQUAL(num_made, OFFERS_MAX + 2);
    offers_free(offers);
    offers_free(NULL);
}

const struct unit_case unit_cases[] = {
    {"takes what the library knows", test_takes_what_the_library_knows},
    {"sets a leg or a context", test_sets_both},
    {"the same offer has the same context", test_same_offer_same_context},
    {"the oldest makes room", test_oldest_makes_room},
    {NULL, NULL},
};
