#include "policy/ca/box_extensions.h"

#include <string.h>

#include "tests/unit/policy/ca/box_world.h"
#include "tests/unit/unit.h"

static struct box_world world;
static struct leaf *leaf;

static struct cert_facts leaf_of(struct cert_knobs knobs) {
    static struct cert_knobs kept; // the box looks at them as long as it lives
    kept = knobs;
    return box_world_once(&world, &kept, &leaf);
}

static void end(void) {
    leaf_unref(leaf);
    box_world_cleanup(&world);
}

static void test_ordinary(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){0});
    CU_ASSERT_TRUE(f.has_basic_constraints && f.basic_constraints_critical && !f.ca);
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_DIGITAL_SIGNATURE);
    CU_ASSERT_TRUE(f.server_auth && f.ext_key_usages.num == 1);
    CU_ASSERT_TRUE(f.ski != NULL && f.aki != NULL && f.has_san);
    CU_ASSERT_TRUE(f.ocsp.num == 0 && f.crl_points.num == 0 && !f.has_scts);
    end();
}

static void test_usages(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){.key_usage = CERT_KNOB_USAGE_COPY,
                                                      .ext_key_usage = CERT_KNOB_USAGE_COPY});
    CU_ASSERT_EQUAL(f.key_usages.num, 2);
    CU_ASSERT_EQUAL(f.ext_key_usages.num, 2);
    end();
    f = leaf_of((struct cert_knobs){.key_usage = CERT_KNOB_USAGE_NONE,
                                    .ext_key_usage = CERT_KNOB_USAGE_NONE});
    CU_ASSERT_FALSE(f.has_key_usage || f.has_ext_key_usage);
    end();
    f = leaf_of((struct cert_knobs){.key_usage = CERT_KNOB_USAGE_WRONG,
                                    .ext_key_usage = CERT_KNOB_USAGE_WRONG});
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_KEY_CERT_SIGN);
    CU_ASSERT_TRUE(!f.server_auth && f.ext_key_usages.num == 1);
    end();
    f = leaf_of((struct cert_knobs){.key = CERT_KNOB_KEY_RSA_1024});
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_ENCIPHERMENT);
    end();
}

static void test_constraints_and_ids(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){
        .constraints = CERT_KNOB_CONSTRAINTS_ABSENT, .no_aki = true, .no_ski = true});
    CU_ASSERT_FALSE(f.has_basic_constraints);
    CU_ASSERT_TRUE(f.ski == NULL && f.aki == NULL);
    end();
    f = leaf_of((struct cert_knobs){.constraints = CERT_KNOB_CONSTRAINTS_CA});
    CU_ASSERT_TRUE(f.has_basic_constraints && f.ca && f.path_len == -1);
    end();
}

static void test_urls(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){.crl = CERT_KNOB_URL_OWN,
                                                      .crl_url = "http://box.test/crl",
                                                      .ocsp = CERT_KNOB_URL_OWN,
                                                      .ocsp_url = "http://box.test/ocsp"});
    CU_ASSERT_EQUAL_FATAL(f.crl_points.num, 1);
    CU_ASSERT_STRING_EQUAL(f.crl_points.items[0], "http://box.test/crl");
    CU_ASSERT_EQUAL_FATAL(f.ocsp.num, 1);
    CU_ASSERT_STRING_EQUAL(f.ocsp.items[0], "http://box.test/ocsp");
    end();
    f = leaf_of((struct cert_knobs){.crl = CERT_KNOB_URL_COPY, .ocsp = CERT_KNOB_URL_COPY});
    CU_ASSERT_EQUAL_FATAL(f.crl_points.num, 1);
    CU_ASSERT_STRING_EQUAL(f.crl_points.items[0], "http://crl.origin.test/c.crl");
    CU_ASSERT_EQUAL_FATAL(f.ocsp.num, 1);
    CU_ASSERT_STRING_EQUAL(f.ocsp.items[0], "http://ocsp.origin.test/");
    end();
}

static struct cert_facts ca_of(struct ca_knobs knobs) {
    static struct cert_knobs kept;
    kept = (struct cert_knobs){.ca = knobs, .chain = CERT_KNOB_CHAIN_FULL};
    kept.ca.subject = (struct cert_knob_strings)BOX_STRINGS("CN=Box CA");
    (void)box_world_once(&world, &kept, &leaf);
    return box_world_facts(&world, leaf, leaf->num_chain - 1);
}

static void test_ca(void) {
    struct cert_facts f = ca_of((struct ca_knobs){0});
    CU_ASSERT_TRUE(f.ca && f.basic_constraints_critical && f.path_len == 0);
    CU_ASSERT_TRUE(f.ski != NULL && f.has_key_usage && !f.has_ext_key_usage);
    end();
    f = ca_of((struct ca_knobs){.constraints_not_critical = true,
                                .no_ski = true,
                                .no_key_usage = true,
                                .path_len = CA_KNOB_PATH_LEN_NONE,
                                .ext_key_usage = CERT_KNOB_USAGE_WRONG,
                                .permitted_dns = BOX_STRINGS("origin.test", "other.test")});
    CU_ASSERT_TRUE(f.ca && !f.basic_constraints_critical && f.path_len == -1);
    CU_ASSERT_TRUE(f.ski == NULL && !f.has_key_usage && f.name_constraints);
    CU_ASSERT_TRUE(f.has_ext_key_usage && !f.server_auth);
    end();
    f = ca_of((struct ca_knobs){.no_constraints = true, .ext_key_usage = CERT_KNOB_USAGE_COPY});
    CU_ASSERT_TRUE(!f.has_basic_constraints && f.server_auth);
    end();
}

const struct unit_case unit_cases[] = {
    {"ordinary", test_ordinary},
    {"usages", test_usages},
    {"constraints and ids", test_constraints_and_ids},
    {"URLs", test_urls},
    {"CA", test_ca},
    {NULL, NULL},
};
