#include "tests/unit/policy/learn/sightings.h"
#include "tests/unit/unit.h"

// learned returns the knobs that are learned of the box of `text`.
static struct cert_knobs learned(const char *text) {
    struct sightings s;
    sightings_init(&s, text);
    sightings_visit(&s, "www.a.test");
    sightings_visit(&s, "www.b.test");
    struct profile *profile = sightings_profile(&s);
    struct cert_knobs knobs = profile->cert; // of its lists the numbers alone are looked at
    profile_unref(profile);
    sightings_cleanup(&s);
    return knobs;
}

static void test_subjects(void) {
    struct cert_knobs knobs =
        learned("{\"name\": \"box\", \"cert\": {\"subject\": \"host\", \"san\": \"host\","
                " \"subject_add\": [\"OU=Box\", \"O=More\"]}}");
    CU_ASSERT_EQUAL(knobs.subject_add.num, 2);
    CU_ASSERT_EQUAL(knobs.san, CERT_KNOB_SAN_HOST);
    knobs = learned("{\"name\": \"box\", \"cert\": {\"subject\": \"copy\"}}");
    CU_ASSERT_EQUAL(knobs.subject, CERT_KNOB_SUBJECT_COPY);
    CU_ASSERT_EQUAL(knobs.subject_add.num, 0);
}

// A server whose CN is none of its names tells the union from the copy.
static void test_all(void) {
    static char *more[] = {(char *)"CN=Another name"};
    static const struct cert_knobs apart = {.subject = CERT_KNOB_SUBJECT_HOST,
                                            .subject_add = {more, 1}};
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\", \"cert\": {\"san\": \"all\"}}");
    struct obj *front = sightings_leg(&s, "client"), *behind = sightings_leg(&s, "box");
    sightings_origin(&s, behind, "www.a.test", &apart);
    sightings_leaf(&s, front, behind, "www.c.test");
    sightings_add(&s, "www.c.test", front, behind);
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_EQUAL(profile->cert.san, CERT_KNOB_SAN_ALL);
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_names(void) {
    CU_ASSERT_EQUAL(learned("{\"name\": \"box\", \"cert\": {\"san\": \"none\"}}").san,
                    CERT_KNOB_SAN_NONE);
    CU_ASSERT_EQUAL(learned("{\"name\": \"box\", \"cert\": {\"san\": \"copy\"}}").san,
                    CERT_KNOB_SAN_COPY);
}

// What is no copy is spelled out, and what it holds of the host is found in it.
static void test_attributes(void) {
    struct cert_knobs knobs =
        learned("{\"name\": \"box\", \"cert\": {\"subject\": \"attributes\","
                " \"subject_attributes\": [\"C=CZ\", \"OU={host}\", \"emailAddress=box@box.test\","
                " \"CN={cn}\"]}}");
    CU_ASSERT_EQUAL(knobs.subject, CERT_KNOB_SUBJECT_ATTRIBUTES);
    CU_ASSERT_EQUAL(knobs.subject_attributes.num, 4);
    CU_ASSERT_EQUAL(knobs.subject_add.num, 0);
}

static void test_own_names(void) {
    struct cert_knobs knobs = learned("{\"name\": \"box\", \"cert\": {\"subject\": \"attributes\","
                                      " \"subject_attributes\": [\"CN=Box\"], \"san\": \"own\","
                                      " \"san_names\": [\"one.test\", \"192.0.2.1\"]}}");
    CU_ASSERT_EQUAL(knobs.subject_attributes.num, 1);
    CU_ASSERT_EQUAL(knobs.san, CERT_KNOB_SAN_OWN);
    CU_ASSERT_EQUAL(knobs.san_names.num, 2);
}

const struct unit_case unit_cases[] = {
    {"subjects", test_subjects},
    {"names", test_names},
    {"all", test_all},
    {"attributes", test_attributes},
    {"names of its own", test_own_names},
    {NULL, NULL},
};
