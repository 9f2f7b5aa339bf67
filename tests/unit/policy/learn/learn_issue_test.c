#include <stdio.h>

#include "tests/unit/policy/learn/sightings.h"
#include "tests/unit/unit.h"

// learned returns the knobs of a box whose "cert" is `cert`, after visits to three hosts.
static struct cert_knobs learned(const char *cert) {
    char text[512];
    struct sightings s;
    snprintf(text, sizeof(text), "{\"name\": \"box\", \"cert\": {%s}}", cert);
    sightings_init(&s, text);
    sightings_visit(&s, "www.a.test");
    sightings_visit(&s, "www.b.test");
    sightings_visit(&s, "www.a.test");
    sightings_visit(&s, "www.c.test");
    struct profile *profile = sightings_profile(&s);
    struct cert_knobs knobs = profile->cert;
    profile_unref(profile);
    sightings_cleanup(&s);
    return knobs;
}

static void test_serials(void) {
    static const struct {
        const char *text;
        enum cert_knob_serial serial;
    } rows[] = {
        {"\"serial\": \"sequential\"", CERT_KNOB_SERIAL_SEQUENTIAL},
        {"\"serial\": \"copy\"", CERT_KNOB_SERIAL_COPY},
        {"\"serial\": \"hash32\"", CERT_KNOB_SERIAL_HASH_32},
        {"\"serial\": \"random32\"", CERT_KNOB_SERIAL_RANDOM_32},
        {"\"serial\": \"random128\"", CERT_KNOB_SERIAL_RANDOM_128},
        {"\"serial\": \"copy_plus_random32\"", CERT_KNOB_SERIAL_COPY_PLUS_RANDOM_32},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT_EQUAL(learned(rows[i].text).serial, rows[i].serial);
    }
    CU_ASSERT_EQUAL(learned("\"serial_len\": 20").serial_len, 20);
    CU_ASSERT_EQUAL(learned("\"serial_len\": 7").serial_len, 7);
    CU_ASSERT_EQUAL(learned("\"serial_len\": 16").serial_len, 0);
    struct cert_knobs knobs = learned("\"serial\": \"fixed\", \"serial_fixed\": \"0x1234\"");
    CU_ASSERT_EQUAL(knobs.serial, CERT_KNOB_SERIAL_FIXED);
    CU_ASSERT_EQUAL(knobs.serial_fixed, 0x1234);
}

static void test_dates(void) {
    struct cert_knobs knobs = learned("\"not_before\": \"-90m\", \"not_after\": \"+397d\"");
    CU_ASSERT_EQUAL(knobs.not_before.from, CERT_KNOB_DATE_NOW);
    CU_ASSERT_EQUAL(knobs.not_before.seconds, -90 * 60);
    CU_ASSERT_EQUAL(knobs.not_after.seconds, 397 * 86400);
    knobs = learned("\"not_before\": \"copy\", \"not_after\": \"copy\"");
    CU_ASSERT_EQUAL(knobs.not_before.from, CERT_KNOB_DATE_COPY);
    CU_ASSERT_EQUAL(knobs.not_after.from, CERT_KNOB_DATE_COPY);
}

static void test_reuse(void) {
    CU_ASSERT_EQUAL(learned("\"key_reuse\": \"per_host\"").reuse, CERT_KNOB_REUSE_PER_HOST);
    CU_ASSERT_EQUAL(learned("\"key_reuse\": \"per_boot\"").reuse, CERT_KNOB_REUSE_PER_BOOT);
}

static void test_one_host(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\", \"cert\": {\"serial\": \"fixed\"}}");
    sightings_visit(&s, "www.a.test");
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_TRUE(sightings_missed(profile, "cert.key_reuse"));
    CU_ASSERT_TRUE(sightings_missed(profile, "cert.serial"));
    profile_unref(profile);
    sightings_cleanup(&s);
}

const struct unit_case unit_cases[] = {
    {"serials", test_serials},   {"dates", test_dates}, {"reuse", test_reuse},
    {"one host", test_one_host}, {NULL, NULL},
};
