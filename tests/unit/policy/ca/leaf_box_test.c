#include "policy/ca/leaf_box.h"

#include <string.h>

#include "tests/unit/policy/ca/box_world.h"
#include "tests/unit/unit.h"

static struct box_world world;
static struct leaf *leaf;

static struct cert_facts leaf_of(struct cert_knobs knobs) {
    static struct cert_knobs kept;
    kept = knobs;
    return box_world_once(&world, &kept, &leaf);
}

static void end(void) {
    leaf_unref(leaf);
    box_world_cleanup(&world);
}

static void test_subject(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){0});
    CU_ASSERT_STRING_EQUAL(f.subject, "CN=origin.test");
    end();
    f = leaf_of((struct cert_knobs){.subject = CERT_KNOB_SUBJECT_COPY});
    CU_ASSERT_STRING_EQUAL(f.subject_cn, "origin.test");
    CU_ASSERT_STRING_EQUAL(f.subject_o, "Origin");
    end();
    f = leaf_of((struct cert_knobs){.subject = CERT_KNOB_SUBJECT_HOST,
                                    .subject_add = BOX_STRINGS("C=SK", "OU=Box", "OU=Box")});
    CU_ASSERT_STRING_EQUAL(f.subject_cn, "www.origin.test");
    const char *ou = strstr(f.subject, "OU=Box");
    CU_ASSERT_PTR_NOT_NULL_FATAL(ou);
    CU_ASSERT_PTR_NOT_NULL(strstr(ou + 1, "OU=Box"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.subject, "C=SK"));
    end();
}

static void test_san(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){0});
    CU_ASSERT_EQUAL(f.dns.num, 2);
    CU_ASSERT_EQUAL(f.ip.num, 1);
    end();
    f = leaf_of((struct cert_knobs){.san = CERT_KNOB_SAN_HOST});
    CU_ASSERT_EQUAL_FATAL(f.dns.num, 1);
    CU_ASSERT_STRING_EQUAL(f.dns.items[0], "www.origin.test");
    end();
    f = leaf_of((struct cert_knobs){.san = CERT_KNOB_SAN_NONE});
    CU_ASSERT_FALSE(f.has_san);
    end();
    f = leaf_of((struct cert_knobs){.san = CERT_KNOB_SAN_WILDCARD});
    CU_ASSERT_EQUAL_FATAL(f.dns.num, 2);
    CU_ASSERT_STRING_EQUAL(f.dns.items[0], "*.origin.test");
    CU_ASSERT_STRING_EQUAL(f.dns.items[1], "origin.test");
    leaf_unref(leaf);
    leaf = box_world_leaf(&world, "other.test", LEAF_ISSUER_AUTO);
    f = box_world_facts(&world, leaf, 0);
    CU_ASSERT_EQUAL_FATAL(f.dns.num, 1);
    CU_ASSERT_STRING_EQUAL(f.dns.items[0], "other.test");
    end();
}

static void test_san_and_host(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){.san = CERT_KNOB_SAN_COPY_AND_HOST});
    CU_ASSERT_EQUAL(f.dns.num, 2); // www.origin.test is there already
    leaf_unref(leaf);
    leaf = box_world_leaf(&world, "other.test", LEAF_ISSUER_AUTO);
    f = box_world_facts(&world, leaf, 0);
    CU_ASSERT_EQUAL_FATAL(f.dns.num, 3);
    CU_ASSERT_STRING_EQUAL(f.dns.items[2], "other.test");
    end();
}

static void test_dates(void) {
    struct cert_facts f = leaf_of((struct cert_knobs){0});
    CU_ASSERT_EQUAL(f.not_before, PKI_NOW - 2 * PKI_DAY);
    CU_ASSERT_EQUAL(f.not_after, PKI_NOW + 30 * PKI_DAY);
    end();
    f = leaf_of((struct cert_knobs){.not_before = {CERT_KNOB_DATE_NOW, -PKI_DAY},
                                    .not_after = {CERT_KNOB_DATE_NOW, 3650 * (int64_t)PKI_DAY}});
    CU_ASSERT_EQUAL(f.not_before, PKI_NOW - PKI_DAY);
    CU_ASSERT_EQUAL(f.not_after, PKI_NOW + 3650 * (int64_t)PKI_DAY);
    end();
    f = leaf_of((struct cert_knobs){.not_before = {CERT_KNOB_DATE_COPY, 0},
                                    .not_after = {CERT_KNOB_DATE_COPY, 0}});
    CU_ASSERT_EQUAL(f.not_before, PKI_NOW - 30 * PKI_DAY);
    CU_ASSERT_EQUAL(f.not_after, PKI_NOW + 30 * PKI_DAY);
    end();
    f = leaf_of(
        (struct cert_knobs){.not_after = {CERT_KNOB_DATE_CA, 0},
                            .ca = {.subject = BOX_STRINGS("CN=Box CA"), .lifetime_days = 100}});
    CU_ASSERT_EQUAL(f.not_after, PKI_NOW + 98 * (int64_t)PKI_DAY);
    end();
}

static void test_issuer(void) {
    const struct cert_knobs knobs = {.ca = {.subject = BOX_STRINGS("O=Box", "CN=Box CA"),
                                            .untrusted_subject = BOX_STRINGS("CN=Box no CA")}};
    struct cert_facts f = leaf_of(knobs);
    CU_ASSERT_STRING_EQUAL(f.issuer_cn, "Box CA");
    CU_ASSERT_STRING_EQUAL(f.issuer_o, "Box");
    static const struct {
        enum leaf_issuer issuer;
        const char *cn;
    } rows[] = {{LEAF_ISSUER_UNTRUSTED, "Box no CA"},
                {LEAF_ISSUER_SELF, "origin.test"},
                {LEAF_ISSUER_TRUSTED, "Box CA"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        leaf_unref(leaf);
        leaf = box_world_leaf(&world, "www.origin.test", rows[i].issuer);
        f = box_world_facts(&world, leaf, 0);
        CU_ASSERT_STRING_EQUAL(f.issuer_cn, rows[i].cn);
        CU_ASSERT_EQUAL(cert_facts_self_signed(&f), rows[i].issuer == LEAF_ISSUER_SELF);
    }
    end();
    f = leaf_of((struct cert_knobs){.issuer = CERT_KNOB_SELF});
    CU_ASSERT_TRUE(cert_facts_self_signed(&f));
    end();
}

const struct unit_case unit_cases[] = {
    {"subject", test_subject}, {"SAN", test_san},       {"SAN and host", test_san_and_host},
    {"dates", test_dates},     {"issuer", test_issuer}, {NULL, NULL},
};
