#include "logs/record/obj.h"

#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/unit.h"

static struct record *record;
static struct obj *leg;

static void begin(void) {
    record = record_new();
    leg = obj_sub(record->root, F_RECORD_LEG_CLIENT);
}

static void end(void) { record_free(record); }

static void test_absent_is_not_zero(void) {
    begin();
    int64_t i = 42;
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_PORT));
    CU_ASSERT_FALSE(obj_int(leg, F_LEG_PORT, &i));
    CU_ASSERT_EQUAL(i, 42);
    CU_ASSERT_FALSE(obj_is(leg, F_LEG_PORT, 0));
    obj_set_int(leg, F_LEG_PORT, 0);
    CU_ASSERT(obj_is(leg, F_LEG_PORT, 0));
    CU_ASSERT_PTR_NULL(obj_str(leg, F_LEG_ADDRESS));
    obj_set_str(leg, F_LEG_ADDRESS, "");
    CU_ASSERT_STRING_EQUAL(obj_str(leg, F_LEG_ADDRESS), "");
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_OFFER_ALPN));
    obj_touch(leg, F_LEG_OFFER_ALPN);
    CU_ASSERT(obj_has(leg, F_LEG_OFFER_ALPN));
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_OFFER_ALPN), 0);
    end();
}

static void test_nothing_has_nothing(void) {
    int64_t i;
    CU_ASSERT_FALSE(obj_has(NULL, F_LEG_PORT));
    CU_ASSERT_FALSE(obj_int(NULL, F_LEG_PORT, &i));
    CU_ASSERT_PTR_NULL(obj_str(NULL, F_LEG_ADDRESS));
    CU_ASSERT_PTR_NULL(obj_get(NULL, F_RECORD_LEG_CLIENT));
    CU_ASSERT_EQUAL(obj_num(NULL, F_LEG_CHAIN), 0);
    CU_ASSERT_FALSE(obj_has_code(NULL, F_LEG_OFFER_CIPHERS, 0x1301));
    CU_ASSERT_PTR_NULL(obj_span(NULL, F_LEG_OFFER_RAW).p);
}

static void test_setters_copy(void) {
    begin();
    char text[] = "before\0after";
    uint16_t codes[] = {0x1301, 0x1302};
    obj_set_strn(leg, F_LEG_SERVER_NAME, text, sizeof(text) - 1);
    obj_set_codes(leg, F_LEG_OFFER_CIPHERS, codes, 2);
    memset(text, 'x', sizeof(text));
    memset(codes, 0, sizeof(codes));
    struct span span = obj_span(leg, F_LEG_SERVER_NAME);
    CU_ASSERT(span.len == 12 && memcmp(span.p, "before\0after", 13) == 0);
    CU_ASSERT(obj_has_code(leg, F_LEG_OFFER_CIPHERS, 0x1302));
    CU_ASSERT_FALSE(obj_has_code(leg, F_LEG_OFFER_CIPHERS, 0));
    obj_set_str(leg, F_LEG_SERVER_NAME, "again");
    CU_ASSERT(obj_str_is(leg, F_LEG_SERVER_NAME, "again"));
    obj_set_str(leg, F_LEG_SERVER_NAME, NULL);
    CU_ASSERT(obj_str_is(leg, F_LEG_SERVER_NAME, "again"));
    obj_set_strf(leg, F_LEG_SERVER_NAME, "%d-%s", 7, "x");
    CU_ASSERT(obj_str_is(leg, F_LEG_SERVER_NAME, "7-x"));
    end();
}

static void test_lists_grow(void) {
    begin();
    for (int i = 0; i < 1000; i++) {
        obj_add_code(leg, F_LEG_OFFER_CIPHERS, (uint16_t)i);
        obj_add_str(leg, F_LEG_OFFER_ALPN, &"h2-"[i % 3], 1);
        obj_set_int(obj_add(leg, F_LEG_ALERTS), F_ALERT_CODE, i);
    }
    CU_ASSERT_EQUAL_FATAL(obj_num(leg, F_LEG_OFFER_CIPHERS), 1000);
    CU_ASSERT_EQUAL_FATAL(obj_num(leg, F_LEG_ALERTS), 1000);
    for (size_t i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(obj_code(leg, F_LEG_OFFER_CIPHERS, i), i);
        CU_ASSERT_EQUAL(obj_item(leg, F_LEG_OFFER_ALPN, i).p[0], "h2-"[i % 3]);
        CU_ASSERT(obj_is(obj_at(leg, F_LEG_ALERTS, i), F_ALERT_CODE, (int64_t)i));
    }
    CU_ASSERT(obj_has_str(leg, F_LEG_OFFER_ALPN, "2"));
    CU_ASSERT_FALSE(obj_has_str(leg, F_LEG_OFFER_ALPN, "h2"));
    end();
}

// Every field at once, and then each of them taken away and put back, many times over.
static void test_all_fields_of_a_leg(void) {
    begin();
    for (int round = 0; round < 300; round++) {
        for (enum field f = F_LEG_FIRST; f < F_LEG_END; f++) {
            if (field_row(f)->type == TYPE_INT) {
                obj_set_int(leg, f, (int64_t)f + round);
            }
        }
        for (enum field f = F_LEG_FIRST; f < F_LEG_END; f++) {
            if (field_row(f)->type == TYPE_INT) {
                CU_ASSERT_FATAL(obj_is(leg, f, (int64_t)f + round));
                if (f % 3 == 0) {
                    obj_unset(leg, f);
                    obj_unset(leg, f);
                    CU_ASSERT_FALSE(obj_has(leg, f));
                }
            }
        }
    }
    end();
}

static void test_next_walks_in_order(void) {
    begin();
    obj_set_int(leg, F_LEG_OUTQ, 1);
    obj_set_int(leg, F_LEG_PORT, 1);
    CU_ASSERT_EQUAL(obj_next(leg, F_LEG_FIRST), F_LEG_PORT);
    CU_ASSERT_EQUAL(obj_next(leg, F_LEG_PORT), F_LEG_PORT);
    CU_ASSERT_EQUAL(obj_next(leg, F_LEG_PORT + 1), F_LEG_OUTQ);
    CU_ASSERT_EQUAL(obj_next(leg, F_LEG_OUTQ + 1), F_LEG_END);
    end();
}

static void test_aliases_share_one_value(void) {
    begin();
    obj_add_code(leg, F_LEG_OFFER_CIPHERS, 0x1301);
    CU_ASSERT(obj_has_code(leg, F_LEG_SUPPORTED_CIPHERS, 0x1301));
    obj_unset(leg, F_LEG_SUPPORTED_CIPHERS);
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_OFFER_CIPHERS));
    end();
}

static void test_sub_is_made_once(void) {
    begin();
    CU_ASSERT_PTR_EQUAL(obj_sub(record->root, F_RECORD_LEG_CLIENT), leg);
    CU_ASSERT_PTR_EQUAL(obj_get(record->root, F_RECORD_LEG_CLIENT), leg);
    CU_ASSERT_EQUAL(obj_kind(leg), KIND_LEG);
    CU_ASSERT_PTR_EQUAL(obj_arena(leg), &record->arena);
    end();
}

static void test_copy_is_whole(void) {
    begin();
    static const uint16_t ciphers[] = {0x1301, 0x1302};
    obj_set_str(record->root, F_RECORD_HOST, "a.example");
    obj_set_int(record->root, F_RECORD_PORT, 443);
    obj_set_codes(leg, F_LEG_OFFER_CIPHERS, ciphers, 2);
    obj_touch(leg, F_LEG_OFFER_GROUPS);
    obj_touch(leg, F_LEG_CHAIN);
    obj_add_str(leg, F_LEG_OFFER_ALPN, "h2", 2);
    obj_set_bytes(leg, F_LEG_OFFER_RAW, "\0x", 2);
    obj_set_int(obj_add(leg, F_LEG_ALERTS), F_ALERT_CODE, 40);
    struct record *copy = record_new();
    obj_copy(copy->root, record->root);
    end();
    const struct obj *other = record_leg(copy->root, false);
    CU_ASSERT_STRING_EQUAL(obj_str(copy->root, F_RECORD_HOST), "a.example");
    CU_ASSERT(obj_is(copy->root, F_RECORD_PORT, 443));
    CU_ASSERT_EQUAL(obj_num(other, F_LEG_OFFER_CIPHERS), 2);
    CU_ASSERT_EQUAL(obj_code(other, F_LEG_SUPPORTED_CIPHERS, 1), 0x1302);
    CU_ASSERT_EQUAL(obj_codes(other, F_LEG_SUPPORTED_CIPHERS)[1], 0x1302);
    CU_ASSERT_PTR_NULL(obj_codes(other, F_LEG_OFFER_SIGALGS));
    CU_ASSERT(obj_has(other, F_LEG_OFFER_GROUPS));
    CU_ASSERT(obj_has(other, F_LEG_CHAIN));
    CU_ASSERT(obj_has_str(other, F_LEG_OFFER_ALPN, "h2"));
    CU_ASSERT_EQUAL(obj_span(other, F_LEG_OFFER_RAW).len, 2);
    CU_ASSERT(obj_is(obj_at(other, F_LEG_ALERTS, 0), F_ALERT_CODE, 40));
    CU_ASSERT(!obj_has(other, F_LEG_ADDRESS));
    record_free(copy);
}

static void wrong_kind(void) {
    begin();
    obj_set_int(leg, F_RECORD_PORT, 1);
}

static void wrong_type(void) {
    begin();
    obj_set_int(leg, F_LEG_ADDRESS, 1);
}

static void past_the_end(void) {
    begin();
    obj_touch(leg, F_LEG_OFFER_CIPHERS);
    (void)obj_code(leg, F_LEG_OFFER_CIPHERS, 0);
}

static void test_misuse_aborts(void) {
    CU_ASSERT(unit_aborts(wrong_kind, "kind"));
    CU_ASSERT(unit_aborts(wrong_type, "type"));
    CU_ASSERT(unit_aborts(past_the_end, "obj.c"));
}

const struct unit_case unit_cases[] = {
    {"absent is not zero, not empty and not false", test_absent_is_not_zero},
    {"a NULL object has nothing", test_nothing_has_nothing},
    {"setters copy", test_setters_copy},
    {"lists grow", test_lists_grow},
    {"all fields, unset and set again", test_all_fields_of_a_leg},
    {"next walks in the table's order", test_next_walks_in_order},
    {"aliases share one value", test_aliases_share_one_value},
    {"an object inside is made once", test_sub_is_made_once},
    {"a copy is whole", test_copy_is_whole},
    {"misuse aborts", test_misuse_aborts},
    {NULL, NULL},
};
