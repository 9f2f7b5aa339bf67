#include <string.h>

#include "tests/unit/policy/learn/sightings.h"
#include "tests/unit/unit.h"

static const uint16_t TLS12 = 0x0303, RC4 = 0x0005, AES = 0xc02f, GREASE = 0x1a1a;

// hello makes a leg that offers TLS 1.2 and `cipher`, and ALPN where `alpn` is not NULL.
static struct obj *hello(struct sightings *s, const char *raw, uint16_t cipher, const char *alpn) {
    struct obj *leg = sightings_leg(s, raw);
    obj_unset(leg, F_LEG_OFFER_CIPHERS);
    obj_add_code(leg, F_LEG_OFFER_CIPHERS, GREASE);
    obj_add_code(leg, F_LEG_OFFER_CIPHERS, cipher);
    obj_add_code(leg, F_LEG_OFFER_VERSIONS, TLS12);
    obj_set_int(leg, F_LEG_OFFER_LEGACY_VERSION, TLS12);
    obj_set_str(leg, F_LEG_SERVER_NAME, "a.test");
    if (alpn != NULL) {
        obj_add_str(leg, F_LEG_OFFER_ALPN, alpn, strlen(alpn));
    }
    return leg;
}

static void test_template(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    struct obj *box = hello(&s, "box", RC4, NULL);
    obj_unset(box, F_LEG_SERVER_NAME);
    sightings_add(&s, "a.test", hello(&s, "c1", AES, "h2"), box);
    sightings_add(&s, "a.test", hello(&s, "c2", 0xc030, "h2"), box);
    struct profile *profile = sightings_profile(&s);
    const struct profile_server_leg *leg = &profile->server_leg;
    CU_ASSERT_EQUAL(leg->hello, PROFILE_HELLO_TEMPLATE);
    CU_ASSERT_EQUAL(leg->template.version, TLS12);
    CU_ASSERT_EQUAL_FATAL(leg->template.ciphers.num, 1);
    CU_ASSERT_EQUAL(leg->template.ciphers.ids[0], RC4);
    CU_ASSERT_EQUAL(leg->alpn, PROFILE_ALPN_STRIP);
    CU_ASSERT_EQUAL(leg->sni, PROFILE_SNI_STRIP);
    CU_ASSERT_TRUE(sightings_missed(profile, "client_leg.max_version"));
    CU_ASSERT_PTR_NULL(strstr(profile->learned.items[0], "one kind of client"));
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_mirror(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    sightings_add(&s, "a.test", hello(&s, "c1", AES, "h2"), hello(&s, "b1", AES, "h2"));
    sightings_add(&s, "a.test", hello(&s, "c2", RC4, "x"), hello(&s, "b2", RC4, "x"));
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_EQUAL(profile->server_leg.hello, PROFILE_HELLO_MIRROR);
    CU_ASSERT_EQUAL(profile->server_leg.alpn, PROFILE_ALPN_MIRROR);
    CU_ASSERT_EQUAL(profile->server_leg.ciphers.num, 0);
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_neither(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    sightings_add(&s, "a.test", hello(&s, "c1", AES, NULL), hello(&s, "b1", RC4, NULL));
    sightings_add(&s, "a.test", hello(&s, "c2", RC4, NULL), hello(&s, "b2", AES, NULL));
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_TRUE(sightings_missed(profile, "server_leg.hello"));
    CU_ASSERT_TRUE(sightings_missed(profile, "server_leg.alpn"));
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_cap(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    struct obj *front = hello(&s, "c1", AES, NULL);
    obj_add_code(front, F_LEG_OFFER_VERSIONS, 0x0304);
    obj_set_int(front, F_LEG_ANSWER_VERSION, TLS12);
    sightings_add(&s, "a.test", front, hello(&s, "b1", RC4, NULL));
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_EQUAL(profile->client_leg.max_version, TLS12);
    CU_ASSERT_PTR_NOT_NULL(strstr(profile->learned.items[0], "one kind of client"));
    profile_unref(profile);
    sightings_cleanup(&s);
}

// A box that chooses otherwise than its client would have, and one that does not.
static void test_picks(void) {
    static const uint16_t groups[] = {29, 23, 24};
    for (size_t i = 0; i < 2; i++) {
        struct sightings s;
        sightings_init(&s, "{\"name\": \"box\"}");
        struct obj *front = hello(&s, "c1", AES, NULL);
        obj_set_codes(front, F_LEG_OFFER_GROUPS, groups, 3);
        obj_set_int(front, F_LEG_ANSWER_VERSION, TLS12);
        obj_set_int(front, F_LEG_TLS_CURVE, groups[i]);
        sightings_add(&s, "a.test", front, hello(&s, "b1", RC4, NULL));
        struct profile *profile = sightings_profile(&s);
        const struct profile_codes *picked = &profile->client_leg.groups;
        CU_ASSERT_EQUAL(picked->num, i == 0 ? 0 : 4);
        CU_ASSERT_TRUE(i == 0 || picked->ids[0] == 23);
        CU_ASSERT_EQUAL(sightings_missed(profile, "client_leg.groups"), i == 0);
        profile_unref(profile);
        sightings_cleanup(&s);
    }
}

const struct unit_case unit_cases[] = {
    {"template", test_template}, {"mirror", test_mirror}, {"neither", test_neither},
    {"cap", test_cap},           {"picks", test_picks},   {NULL, NULL},
};
