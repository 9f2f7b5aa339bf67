#include "tests/unit/policy/learn/sightings.h"
#include "tests/unit/unit.h"

static struct profile *learned(struct sightings *s, const char *text) {
    sightings_init(s, text);
    sightings_visit(s, "www.a.test");
    return sightings_profile(s);
}

static void test_whole_chain(void) {
    struct sightings s;
    struct profile *profile = learned(
        &s, "{\"name\": \"box\", \"cert\": {\"chain\": \"full\", \"ca\": {\"subject\":"
            " [\"C=US\", \"O=Box\", \"CN=Box CA\"], \"intermediate_subject\": [\"CN=Between\"],"
            " \"lifetime_days\": 700, \"basic_constraints_critical\": false,"
            " \"subject_key_id\": false}}}");
    const struct ca_knobs *ca = &profile->cert.ca;
    CU_ASSERT_EQUAL(profile->cert.chain, CERT_KNOB_CHAIN_FULL);
    CU_ASSERT_EQUAL(ca->subject.num, 3);
    CU_ASSERT_STRING_EQUAL(ca->subject.items[1], "O=Box");
    CU_ASSERT_STRING_EQUAL(ca->intermediate_subject.items[0], "CN=Between");
    CU_ASSERT_EQUAL(ca->key, CERT_KNOB_KEY_P256);
    CU_ASSERT_EQUAL(ca->lifetime_days, 700);
    CU_ASSERT_TRUE(ca->constraints_not_critical && ca->no_ski && !ca->no_key_usage);
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_shapes(void) {
    static const struct {
        const char *text;
        enum cert_knob_chain chain;
    } rows[] = {
        {"leaf", CERT_KNOB_CHAIN_LEAF},       {"intermediate", CERT_KNOB_CHAIN_INTERMEDIATE},
        {"root", CERT_KNOB_CHAIN_ROOT},       {"reversed", CERT_KNOB_CHAIN_REVERSED},
        {"doubled", CERT_KNOB_CHAIN_DOUBLED}, {"repeated", CERT_KNOB_CHAIN_REPEATED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sightings s;
        struct arena arena = {0};
        struct profile *profile = learned(
            &s, arena_printf(&arena,
                             "{\"name\": \"box\", \"cert\": {\"chain\": \"%s\", \"ca\": {"
                             "\"subject\": [\"CN=R\"], \"intermediate_subject\": [\"CN=I\"]}}}",
                             rows[i].text));
        CU_ASSERT_EQUAL(profile->cert.chain, rows[i].chain);
        profile_unref(profile);
        sightings_cleanup(&s);
        arena_cleanup(&arena);
    }
}

// Without the CA's certificate its key is known by what it signed.
static void test_leaf_alone(void) {
    struct sightings s;
    struct profile *profile =
        learned(&s, "{\"name\": \"box\", \"cert\": {\"chain\": \"leaf\", \"ca\": {\"subject\":"
                    " [\"CN=Box CA\"], \"key\": \"rsa3072\"}}}");
    CU_ASSERT_STRING_EQUAL(profile->cert.ca.subject.items[0], "CN=Box CA");
    CU_ASSERT_EQUAL(profile->cert.ca.key, CERT_KNOB_KEY_RSA_3072);
    CU_ASSERT_TRUE(sightings_missed(profile, "cert.ca"));
    profile_unref(profile);
    sightings_cleanup(&s);
}

static void test_leaf_of_p384(void) {
    struct sightings s;
    struct profile *profile =
        learned(&s, "{\"name\": \"box\", \"cert\": {\"chain\": \"leaf\", \"digest\": \"sha384\","
                    " \"ca\": {\"subject\": [\"O=Box\", \"DC=test\"], \"key\": \"p384\"}}}");
    CU_ASSERT_EQUAL(profile->cert.ca.key, CERT_KNOB_KEY_P384);
    CU_ASSERT_EQUAL(profile->cert.digest, CERT_KNOB_SHA384);
    CU_ASSERT_STRING_EQUAL(profile->cert.ca.subject.items[1], "DC=test");
    profile_unref(profile);
    sightings_cleanup(&s);
}

const struct unit_case unit_cases[] = {
    {"whole chain", test_whole_chain},
    {"shapes", test_shapes},
    {"leaf alone", test_leaf_alone},
    {"leaf alone, signed with P-384", test_leaf_of_p384},
    {NULL, NULL},
};
