#include "tests/unit/policy/learn/sightings.h"
#include "tests/unit/unit.h"

static const struct cert_knobs expired = {.not_after = {CERT_KNOB_DATE_NOW, -1000}};

static struct obj *server(struct sightings *s, const char *name, const struct cert_knobs *knobs) {
    struct obj *behind = sightings_leg(s, "box");
    sightings_origin(s, behind, name, knobs);
    return behind;
}

static void test_minds_nothing(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\", \"cert\": {\"not_after\": \"+90d\"}}");
    struct obj *front = sightings_leg(&s, "client"), *behind = server(&s, "a.test", &expired);
    sightings_visit(&s, "www.b.test");
    sightings_leaf(&s, front, behind, "a.test");
    sightings_add(&s, "a.test", front, behind);
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_TRUE(profile->server_leg.verify.no_dates);
    CU_ASSERT_FALSE(profile->server_leg.verify.no_host);
    CU_ASSERT_TRUE(sightings_missed(profile, "server_leg.verify.host"));
    CU_ASSERT_TRUE(sightings_missed(profile, "server_leg.on_invalid"));
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_alert(void) {
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    struct obj *front = sightings_leg(&s, "client");
    struct obj *alert = obj_add(front, F_LEG_ALERTS);
    obj_set_str(alert, F_ALERT_FROM, "server");
    obj_set_str(alert, F_ALERT_LEVEL, "fatal");
    obj_set_int(alert, F_ALERT_CODE, 42);
    sightings_add(&s, "a.test", front, server(&s, "a.test", &expired));
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_FALSE(profile->server_leg.verify.no_dates);
    CU_ASSERT_FALSE(sightings_missed(profile, "server_leg.verify.dates"));
    CU_ASSERT_EQUAL(profile->server_leg.on_invalid, PROFILE_INVALID_ALERT);
    CU_ASSERT_EQUAL(profile->server_leg.on_invalid_alert, 42);
    profile_unref(profile);
    sightings_cleanup(&s);
}

// A box that leaves the server and goes on with the client shows it a page, and what it makes for
// that says nothing of its other leaves.
static void test_page(void) {
    static const struct cert_knobs other = {.key_usage = CERT_KNOB_USAGE_NONE};
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\"}");
    struct obj *front = sightings_leg(&s, "client"), *behind = server(&s, "a.test", &expired);
    sightings_visit(&s, "www.b.test");
    sightings_origin(&s, front, "a.test", &other);
    obj_set_int(front, F_LEG_TLS_ESTABLISHED, 1);
    obj_set_str(behind, F_LEG_END_AT, "certificate");
    sightings_add(&s, "a.test", front, behind);
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_FALSE(profile->server_leg.verify.no_dates);
    CU_ASSERT_EQUAL(profile->server_leg.on_invalid, PROFILE_INVALID_BLOCK_PAGE);
    CU_ASSERT_TRUE(profile->server_leg.breaks_off);
    CU_ASSERT_FALSE(sightings_missed(profile, "cert.key_usage"));
    CU_ASSERT_EQUAL(profile->cert.key_usage, CERT_KNOB_USAGE_STANDARD);
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_untrusted(void) {
    static char *names[] = {(char *)"CN=Untrusted"};
    static const struct cert_knobs other = {.ca = {.subject = {names, 1}}}, sound;
    struct sightings s;
    sightings_init(&s, "{\"name\": \"box\", \"cert\": {\"ca\": {\"subject\": [\"CN=Box\"]}}}");
    struct obj *front = sightings_leg(&s, "client");
    sightings_visit(&s, "www.b.test");
    sightings_origin(&s, front, "wrong.test", &other);
    sightings_add(&s, "wrong.test", front, server(&s, "a.test", &sound));
    struct profile *profile = sightings_profile(&s);
    CU_ASSERT_EQUAL(profile->server_leg.on_invalid, PROFILE_INVALID_RESIGN_UNTRUSTED);
    CU_ASSERT_STRING_EQUAL(profile->cert.ca.untrusted_subject.items[0], "CN=Untrusted");
    CU_ASSERT_STRING_EQUAL(profile->cert.ca.subject.items[0], "CN=Box");
    profile_unref(profile);
    sightings_cleanup(&s);
}

const struct unit_case unit_cases[] = {
    {"minds nothing", test_minds_nothing}, {"alert", test_alert}, {"page", test_page},
    {"untrusted", test_untrusted},         {NULL, NULL},
};
