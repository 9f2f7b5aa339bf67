#include "policy/learn/learn.h"

#include <string.h>

#include "tests/unit/policy/learn/sightings.h"
#include "tests/unit/unit.h"

static void refuses(struct sightings *s, const char *says) {
    struct err err = {0};
    struct buf text;
    buf_init(&text, 100000);
    CU_ASSERT_FALSE(learn_print(s->learn, &text, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, says));
    buf_cleanup(&text);
}

static void test_nothing(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    refuses(&s, "both sides");
    sightings_add(&s, "a.test", sightings_leg(&s, "same"), sightings_leg(&s, "same"));
    refuses(&s, "nobody stood in between");
    sightings_cleanup(&s);
}

static void test_hellos_alone(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    sightings_add(&s, NULL, sightings_leg(&s, "one"), sightings_leg(&s, "other"));
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_TRUE(sightings_missed(profile, "cert"));
    CU_ASSERT_STRING_EQUAL(profile->name, "learned");
    CU_ASSERT_PTR_NOT_NULL(strstr(profile->learned.items[0], "from 1 record: r1"));
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_garbage(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    for (size_t i = 0; i < 2; i++) {
        struct obj *front = sightings_leg(&s, "one"), *behind = sightings_leg(&s, "other");
        obj_add_bytes(front, F_LEG_CERTIFICATE_CHAIN, "\x30\x80\x01", 3);
        obj_add_bytes(behind, F_LEG_CERTIFICATE_CHAIN, "", i);
        sightings_add(&s, "a.test", front, behind);
    }
    profile_unref(sightings_profile(&s));
    sightings_cleanup(&s);
}

static void test_ceiling(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    const struct obj *leg = sightings_leg(&s, "one");
    for (size_t i = 0; i < LEARN_MAX_SIGHTINGS; i++) {
        sightings_add(&s, NULL, leg, leg);
    }
    struct learn_sighting more = {.id = "more", .front = leg, .behind = leg};
    CU_ASSERT_FALSE(learn_add(s.learn, &more));
    sightings_cleanup(&s);
}

const struct unit_case unit_cases[] = {
    {"nothing", test_nothing},
    {"hellos alone", test_hellos_alone},
    {"garbage", test_garbage},
    {"ceiling", test_ceiling},
    {NULL, NULL},
};
