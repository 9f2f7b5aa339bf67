#include <string.h>

#include "tests/unit/policy/learn/sightings.h"
#include "tests/unit/unit.h"

static struct profile *learned(struct sightings *s, const char *text) {
    sightings_init(s, text);
    sightings_visit(s, "www.a.test");
    sightings_visit(s, "www.b.test");
    return sightings_profile(s);
}

static void test_ordinary(void) {
    struct sightings s;
    struct profile *profile =
        learned(&s, "{\"name\": \"box\", \"cert\": {\"key\": \"rsa2048\", \"digest\": \"sha1\","
                    " \"key_usage\": \"none\", \"authority_key_id\": false, \"crl\": \"copy\","
                    " \"ocsp\": \"own\", \"ocsp_url\": \"http://ocsp.test/\","
                    " \"ca\": {\"subject\": [\"CN=Box CA\"], \"key\": \"rsa2048\"}}}");
    CU_ASSERT_EQUAL(profile->cert.key, CERT_KNOB_KEY_RSA_2048);
    CU_ASSERT_EQUAL(profile->cert.digest, CERT_KNOB_SHA1);
    CU_ASSERT_EQUAL(profile->cert.key_usage, CERT_KNOB_USAGE_NONE);
    CU_ASSERT_TRUE(profile->cert.no_aki && !profile->cert.no_ski);
    CU_ASSERT_EQUAL(profile->cert.crl, CERT_KNOB_URL_COPY);
    CU_ASSERT_EQUAL(profile->cert.ocsp, CERT_KNOB_URL_OWN);
    CU_ASSERT_STRING_EQUAL(profile->cert.ocsp_url, "http://ocsp.test/");
    CU_ASSERT_TRUE(sightings_missed(profile, "cert.copy_scts"));
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_odd(void) {
    struct sightings s;
    struct profile *profile =
        learned(&s, "{\"name\": \"box\", \"cert\": {\"key\": \"rsa2048\", \"key_usage\": \"wrong\","
                    " \"key_usage_critical\": false, \"ext_key_usage\": \"wrong\","
                    " \"basic_constraints\": \"ca\", \"authority_key_id_issuer\": true,"
                    " \"extension_order\": [\"san\", \"key_usage\"]}}");
    const struct cert_knobs *knobs = &profile->cert;
    CU_ASSERT_EQUAL(knobs->key_usage, CERT_KNOB_USAGE_WRONG);
    CU_ASSERT_TRUE(knobs->key_usage_not_critical && !knobs->constraints_not_critical);
    CU_ASSERT_EQUAL(knobs->ext_key_usage, CERT_KNOB_USAGE_WRONG);
    CU_ASSERT_EQUAL(knobs->constraints, CERT_KNOB_CONSTRAINTS_CA);
    CU_ASSERT_TRUE(knobs->aki_issuer);
    CU_ASSERT_STRING_EQUAL(knobs->extension_order.items[0], "san");
    CU_ASSERT_STRING_EQUAL(knobs->extension_order.items[1], "key_usage");
    CU_ASSERT_EQUAL(knobs->crl, CERT_KNOB_URL_NONE);
    profile_unref(profile);
    sightings_cleanup(&s);
}

// sightings_of_two adds what the box makes of two servers.
static void sightings_of_two(struct sightings *s, const struct cert_knobs *with,
                             const struct cert_knobs *without) {
    for (size_t i = 0; i < 2; i++) {
        struct obj *front = sightings_leg(s, "one"), *behind = sightings_leg(s, "other");
        sightings_origin(s, behind, "a.test", i == 0 ? with : without);
        sightings_leaf(s, front, behind, "a.test");
        sightings_add(s, "a.test", front, behind);
    }
}

// What has been copied is told from what is the same each time.
static void test_copies(void) {
    static const struct cert_knobs with = {.ext_key_usage = CERT_KNOB_USAGE_WRONG};
    static const struct cert_knobs without = {.ext_key_usage = CERT_KNOB_USAGE_NONE};
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\", \"cert\": {\"ext_key_usage\": \"copy_or_standard\"}}");
    sightings_of_two(&s, &with, &without);
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_EQUAL(profile->cert.ext_key_usage, CERT_KNOB_USAGE_COPY_OR_STANDARD);
    profile_unref(profile);
    sightings_cleanup(&s);
}

// What a box has only where the server has it, told by two servers.
static void test_if_there(void) {
    static const struct cert_knobs with = {.subject = CERT_KNOB_SUBJECT_HOST};
    static const struct cert_knobs without = {.subject = CERT_KNOB_SUBJECT_HOST,
                                              .key_usage = CERT_KNOB_USAGE_NONE,
                                              .constraints = CERT_KNOB_CONSTRAINTS_ABSENT,
                                              .no_aki = true};
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\", \"cert\": {\"key_usage\": \"standard_if_there\","
                       " \"basic_constraints\": \"copy_only\", \"key\": \"rsa2048\","
                       " \"authority_key_id_if_there\": true}}");
    sightings_of_two(&s, &with, &without);
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_EQUAL(profile->cert.key_usage, CERT_KNOB_USAGE_STANDARD_IF_THERE);
    CU_ASSERT_EQUAL(profile->cert.constraints, CERT_KNOB_CONSTRAINTS_COPY_ONLY);
    CU_ASSERT_TRUE(profile->cert.aki_if_there && !profile->cert.no_aki);
    CU_ASSERT_FALSE(profile->cert.ski_if_there || profile->cert.no_ski);
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_own(void) {
    struct sightings s;
    struct profile *profile =
        learned(&s, "{\"name\": \"box\", \"cert\": {\"key\": \"p384\", \"key_usage\": \"own\","
                    " \"key_usage_bits\": 273, \"ext_key_usage\": \"own\","
                    " \"ext_key_usages\": [\"clientAuth\", \"serverAuth\"]}}");
    CU_ASSERT_EQUAL(profile->cert.key, CERT_KNOB_KEY_P384);
    CU_ASSERT_EQUAL(profile->cert.key_usage, CERT_KNOB_USAGE_OWN);
    CU_ASSERT_EQUAL(profile->cert.key_usage_bits, 273);
    CU_ASSERT_EQUAL(profile->cert.ext_key_usage, CERT_KNOB_USAGE_OWN);
    CU_ASSERT_STRING_EQUAL(profile->cert.ext_key_usages.items[0], "clientAuth");
    profile_unref(profile);
    sightings_cleanup(&s);
}

const struct unit_case unit_cases[] = {
    {"ordinary", test_ordinary}, {"odd", test_odd},
    {"copies", test_copies},     {"if the server has it", test_if_there},
    {"of its own", test_own},    {NULL, NULL},
};
