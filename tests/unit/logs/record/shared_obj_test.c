#include "logs/record/shared_obj.h"

#include <string.h>

#include "logs/record/json.h"
#include "logs/record/record.h"
#include "tests/unit/unit.h"

static struct shared_obj *cert_new(const char *subject) {
    struct shared_obj *cert = shared_obj_new(KIND_CERT);
    obj_set_str(cert->obj, F_CERT_SUBJECT, subject);
    shared_obj_finish(cert);
    return cert;
}

static void test_records_hold_it(void) {
    struct shared_obj *cert = cert_new("CN=one");
    struct record *a = record_new(), *b = record_new();
    struct obj *leg_a = obj_sub(a->root, F_RECORD_LEG_CLIENT);
    struct obj *leg_b = obj_sub(b->root, F_RECORD_LEG_SERVER);
    shared_obj_add(leg_a, F_LEG_CHAIN, cert);
    shared_obj_add(leg_b, F_LEG_CHAIN, cert);
    CU_ASSERT_EQUAL(atomic_load(&cert->refs), 3);
    shared_obj_unref(cert);
    record_free(a);
    // The last holder still reads it.
    CU_ASSERT_EQUAL(obj_num(leg_b, F_LEG_CHAIN), 1);
    CU_ASSERT(obj_str_is(obj_at(leg_b, F_LEG_CHAIN, 0), F_CERT_SUBJECT, "CN=one"));
    record_free(b);
    shared_obj_unref(NULL);
}

// The same text comes of an object that is shared and of one that is not.
static void test_is_written_alike(void) {
    struct shared_obj *cert = cert_new("CN=\"quoted\"");
    struct record *shared = record_new(), *own = record_new();
    shared_obj_add(obj_sub(shared->root, F_RECORD_LEG_CLIENT), F_LEG_CHAIN, cert);
    struct obj *leg = obj_sub(own->root, F_RECORD_LEG_CLIENT);
    obj_set_str(obj_add(leg, F_LEG_CHAIN), F_CERT_SUBJECT, "CN=\"quoted\"");
    struct buf a, b;
    buf_init(&a, 4096);
    buf_init(&b, 4096);
    CU_ASSERT(json_write(&a, shared->root) && json_write(&b, own->root));
    CU_ASSERT(a.len == b.len && memcmp(buf_data(&a), buf_data(&b), a.len) == 0);
    CU_ASSERT_PTR_NOT_NULL(obj_json(cert->obj).p);
    buf_cleanup(&a);
    buf_cleanup(&b);
    record_free(shared);
    record_free(own);
    shared_obj_unref(cert);
}

static void add_to_wrong_field(void) {
    struct record *record = record_new();
    shared_obj_add(record->root, F_RECORD_NOTES, cert_new("CN=x"));
}

static void test_misuse_aborts(void) { CU_ASSERT(unit_aborts(add_to_wrong_field, "obj.c")); }

const struct unit_case unit_cases[] = {
    {"records hold it", test_records_hold_it},
    {"it is written alike", test_is_written_alike},
    {"misuse aborts", test_misuse_aborts},
    {NULL, NULL},
};
