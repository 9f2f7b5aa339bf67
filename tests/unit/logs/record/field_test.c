#include "logs/record/field.h"

#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

static size_t shared_dots(const char *a, const char *b) {
    size_t dots = 0;
    for (; *a != '\0' && *a == *b; a++, b++) {
        dots += *a == '.';
    }
    return dots;
}

static void test_rows_belong_to_their_kind(void) {
    size_t num = 0;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        const struct kind_row *row = kind_row(kind);
        CU_ASSERT(row->first < row->end);
        CU_ASSERT(row->name[0] != '\0' && row->doc[0] != '\0');
        for (enum field field = row->first; field < row->end; field++, num++) {
            CU_ASSERT_EQUAL(field_row(field)->kind, kind);
        }
    }
    CU_ASSERT_EQUAL(num, FIELD_COUNT);
}

static void test_no_path_twice(void) {
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        const struct field_row *row = field_row(field);
        CU_ASSERT_EQUAL(field_find(row->kind, row->path), field);
    }
    CU_ASSERT_EQUAL(field_find(KIND_LEG, "tls.nothing"), FIELD_COUNT);
    CU_ASSERT_EQUAL(field_find(KIND_LEG, "tls"), FIELD_COUNT);
}

// A path is either a value or leads to values, never both, or JSON could not hold them.
static void test_no_path_inside_another(void) {
    for (enum field a = 0; a < FIELD_COUNT; a++) {
        const struct kind_row *kind = kind_row(field_row(a)->kind);
        size_t len = strlen(field_row(a)->path);
        for (enum field b = kind->first; b < kind->end; b++) {
            const char *path = field_row(b)->path;
            CU_ASSERT_FALSE(strncmp(path, field_row(a)->path, len) == 0 && path[len] == '.');
        }
    }
}

// The writer opens an object once: what shares a prefix must not be torn apart.
static void test_common_prefixes_stand_together(void) {
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        const struct kind_row *row = kind_row(kind);
        for (enum field a = row->first; a < row->end; a++) {
            size_t nearest = SIZE_MAX;
            for (enum field b = a + 1; b < row->end; b++) {
                size_t shared = shared_dots(field_row(a)->path, field_row(b)->path);
                CU_ASSERT(shared <= nearest);
                nearest = shared < nearest ? shared : nearest;
            }
        }
    }
}

static void test_extra_fits_the_type(void) {
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        const struct field_row *row = field_row(field);
        size_t num;
        CU_ASSERT(row->label[0] != '\0' && row->doc[0] != '\0');
        CU_ASSERT(strlen(row->label) <= 17);
        if (row->type == TYPE_CODE || row->type == TYPE_CODES) {
            CU_ASSERT(row->extra < REGISTRY_COUNT && codepoint_list(row->extra, &num) != NULL);
        } else if (row->type == TYPE_OBJ || row->type == TYPE_OBJS) {
            CU_ASSERT(row->extra < KIND_COUNT && row->extra != KIND_RECORD);
        } else {
            CU_ASSERT_EQUAL(row->extra, 0);
        }
    }
}

static void test_aliases_are_alike(void) {
    size_t num = 0;
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        const struct field_row *row = field_row(field), *held = field_row(row->held);
        CU_ASSERT_EQUAL(held->held, row->held);
        CU_ASSERT(held->kind == row->kind && held->type == row->type && held->extra == row->extra);
        num += row->held != field;
    }
    CU_ASSERT_EQUAL(field_row(F_LEG_SUPPORTED_CIPHERS)->held, F_LEG_OFFER_CIPHERS);
    CU_ASSERT(num >= 1);
}

// What a set holds are codes: text.c and difference.c know no other sets.
static void test_flags(void) {
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        const struct field_row *row = field_row(field);
        CU_ASSERT((row->flags & FLAG_SET) == 0 || row->type == TYPE_CODES);
        CU_ASSERT((row->flags & (FLAG_OFFER | FLAG_ANSWER)) != (FLAG_OFFER | FLAG_ANSWER));
    }
}

static void no_such_field(void) { (void)field_row(FIELD_COUNT); }

static void no_such_kind(void) { (void)kind_row(KIND_COUNT); }

static void test_misuse_aborts(void) {
    CU_ASSERT(unit_aborts(no_such_field, "FIELD_COUNT"));
    CU_ASSERT(unit_aborts(no_such_kind, "KIND_COUNT"));
}

const struct unit_case unit_cases[] = {
    {"rows belong to their kind", test_rows_belong_to_their_kind},
    {"no two rows of a kind share a path", test_no_path_twice},
    {"no path lies inside another", test_no_path_inside_another},
    {"paths with a common prefix stand together", test_common_prefixes_stand_together},
    {"extra fits the type, labels fit the column", test_extra_fits_the_type},
    {"aliases are like what they alias", test_aliases_are_alike},
    {"flags make sense", test_flags},
    {"misuse aborts", test_misuse_aborts},
    {NULL, NULL},
};
