#include "logs/record/difference.h"

#include <stdlib.h>
#include <string.h>

#include "logs/record/text.h"

enum { ITEM_TEXT_MAX = 4096 };

const char *difference_name(enum difference difference) {
    static const char *const names[] = {"", "absent", "changed", "reordered"};
    return names[difference];
}

// half_seen returns whether `leg` observed the half of the handshake that `field` belongs to.
static bool half_seen(const struct obj *leg, enum field field) {
    if (obj_kind(leg) != KIND_LEG) {
        return true;
    }
    bool offer = field >= F_LEG_OFFER_VERSIONS && field <= F_LEG_OFFER_RAW_2;
    offer = offer || (field >= F_LEG_SERVER_NAME && field <= F_LEG_SUPPORTED_CIPHERS);
    if (offer) {
        return obj_has(leg, F_LEG_OFFER_CIPHERS);
    }
    return obj_has(leg, F_LEG_ANSWER_VERSION);
}

static uint16_t code_normal(enum field field, uint16_t code) {
    return codepoint_is_grease(field_row(field)->extra, code) ? 0x0a0a : code;
}

static int code_cmp(const void *a, const void *b) {
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static bool codes_same(const struct obj *a, const struct obj *b, enum field field, size_t num) {
    const uint16_t *x = obj_codes(a, field), *y = obj_codes(b, field);
    for (size_t i = 0; i < num; i++) {
        if (x[i] != y[i] && code_normal(field, x[i]) != code_normal(field, y[i])) {
            return false;
        }
    }
    return true;
}

// codes_dup returns the codes of `obj` with GREASE made equal; the caller frees them.
static uint16_t *codes_dup(const struct obj *obj, enum field field, size_t num) {
    uint16_t *codes = xcalloc(num, sizeof(*codes));
    for (size_t i = 0; i < num; i++) {
        codes[i] = code_normal(field, obj_code(obj, field, i));
    }
    return codes;
}

static enum difference codes_compare(const struct obj *a, const struct obj *b, enum field field) {
    size_t num = obj_num(a, field);
    if (num != obj_num(b, field)) {
        return DIFFERENCE_CHANGED;
    }
    if (codes_same(a, b, field, num)) {
        return DIFFERENCE_NONE;
    }
    bool set = (field_row(field)->flags & FLAG_SET) != 0;
    uint16_t *x = codes_dup(a, field, num), *y = codes_dup(b, field, num);
    qsort(x, num, sizeof(*x), code_cmp);
    qsort(y, num, sizeof(*y), code_cmp);
    enum difference found = memcmp(x, y, num * sizeof(*x)) != 0 ? DIFFERENCE_CHANGED
                            : set                               ? DIFFERENCE_NONE
                                                                : DIFFERENCE_REORDERED;
    free(x);
    free(y);
    return found;
}

static bool spans_equal(struct span a, struct span b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static int span_cmp(const void *a, const void *b) {
    const struct span *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int cmp = len == 0 ? 0 : memcmp(x->p, y->p, len);
    return cmp != 0 ? cmp : (x->len > y->len) - (x->len < y->len);
}

static bool items_equal(const struct span *x, const struct span *y, size_t num) {
    for (size_t i = 0; i < num; i++) {
        if (!spans_equal(x[i], y[i])) {
            return false;
        }
    }
    return true;
}

static struct span *items_dup(const struct obj *obj, enum field field, size_t num) {
    struct span *items = xcalloc(num, sizeof(*items));
    for (size_t i = 0; i < num; i++) {
        items[i] = obj_item(obj, field, i);
    }
    return items;
}

static enum difference items_compare(const struct obj *a, const struct obj *b, enum field field) {
    size_t num = obj_num(a, field);
    if (num != obj_num(b, field)) {
        return DIFFERENCE_CHANGED;
    }
    struct span *x = items_dup(a, field, num), *y = items_dup(b, field, num);
    enum difference found = DIFFERENCE_NONE;
    if (!items_equal(x, y, num)) {
        qsort(x, num, sizeof(*x), span_cmp);
        qsort(y, num, sizeof(*y), span_cmp);
        found = items_equal(x, y, num) ? DIFFERENCE_REORDERED : DIFFERENCE_CHANGED;
    }
    free(x);
    free(y);
    return found;
}

static bool objects_equal(const struct obj *a, const struct obj *b) {
    const struct kind_row *kind = kind_row(obj_kind(a));
    for (enum field field = kind->first; field < kind->end; field++) {
        bool grease = field_row(field)->type == TYPE_CODE && obj_has(a, field) && obj_has(b, field);
        int64_t x = 0, y = 0;
        if (grease && obj_int(a, field, &x) && obj_int(b, field, &y) &&
            codepoint_is_grease(field_row(field)->extra, (uint16_t)x) &&
            codepoint_is_grease(field_row(field)->extra, (uint16_t)y)) {
            return true; // whatever a GREASE key share holds
        }
        if ((field_row(field)->flags & FLAG_COMPARE) != 0 &&
            difference_find(a, b, field) != DIFFERENCE_NONE) {
            return false;
        }
    }
    return true;
}

static bool objs_equal(const struct obj *a, const struct obj *b, enum field field) {
    size_t num = obj_num(a, field);
    if (num != obj_num(b, field)) {
        return false;
    }
    for (size_t i = 0; i < num; i++) {
        if (!objects_equal(obj_at(a, field, i), obj_at(b, field, i))) {
            return false;
        }
    }
    return true;
}

enum difference difference_find(const struct obj *a, const struct obj *b, enum field field) {
    bool in_a = obj_has(a, field), in_b = obj_has(b, field);
    if (!in_a || !in_b) {
        bool known = in_a ? half_seen(b, field) : in_b && half_seen(a, field);
        return known ? DIFFERENCE_ABSENT : DIFFERENCE_NONE;
    }
    int64_t i;
    bool equal;
    switch ((enum field_type)field_row(field)->type) {
    case TYPE_STR:
    case TYPE_BYTES:
        equal = spans_equal(obj_span(a, field), obj_span(b, field));
        break;
    case TYPE_CODES:
        return codes_compare(a, b, field);
    case TYPE_STRS:
    case TYPE_BYTES_LIST:
        return items_compare(a, b, field);
    case TYPE_OBJ:
        equal = objects_equal(obj_get(a, field), obj_get(b, field));
        break;
    case TYPE_OBJS:
        equal = objs_equal(a, b, field);
        break;
    default:
        equal = obj_int(a, field, &i) && obj_is(b, field, i);
    }
    return equal ? DIFFERENCE_NONE : DIFFERENCE_CHANGED;
}

void difference_text(struct obj *row, enum field to, const struct obj *leg, enum field field) {
    if (!obj_has(leg, field)) {
        return;
    }
    enum field_type type = field_row(field)->type;
    bool list = type == TYPE_CODES || type == TYPE_STRS || type == TYPE_OBJS;
    size_t num = list ? obj_num(leg, field) : 1;
    obj_touch(row, to);
    for (size_t i = 0; i < num; i++) {
        struct buf text;
        buf_init(&text, ITEM_TEXT_MAX);
        if (list) {
            text_write_item(&text, leg, field, i);
        } else {
            text_write(&text, leg, field);
        }
        obj_add_str(row, to, buf_data(&text), text.len);
        buf_cleanup(&text);
    }
}

void difference_record(struct obj *root) {
    const struct obj *client = obj_get(root, F_RECORD_LEG_CLIENT);
    const struct obj *server = obj_get(root, F_RECORD_LEG_SERVER);
    if (client == NULL || server == NULL) {
        return;
    }
    obj_unset(root, F_RECORD_DIFFERENCES);
    for (enum field field = F_LEG_FIRST; field < F_LEG_END; field++) {
        if ((field_row(field)->flags & FLAG_COMPARE) == 0) {
            continue;
        }
        enum difference found = difference_find(client, server, field);
        if (found == DIFFERENCE_NONE) {
            continue;
        }
        struct obj *difference = obj_add(root, F_RECORD_DIFFERENCES);
        obj_set_str(difference, F_DIFFERENCE_FIELD, field_row(field)->path);
        difference_text(difference, F_DIFFERENCE_CLIENT, client, field);
        difference_text(difference, F_DIFFERENCE_SERVER, server, field);
        obj_set_str(difference, F_DIFFERENCE_HOW, difference_name(found));
    }
}
