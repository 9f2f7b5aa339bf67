#include "logs/store/record_scan.h"

#include <string.h>

#include "logs/store/record_read.h"

enum { DEPTH_MAX = 64, PATH_MAX_LEN = 64 };

struct scan {
    const char *start, *p, *end;
    const struct record_scan_plan *plan;
    struct err *err;
};

// struct place is where in the record the scan stands: inside `obj`, below `path`. `obj` hangs in
// field `at` of the place `up`, which is NULL for the record itself.
struct place {
    const struct place *up;
    enum field at;
    struct obj *obj;
    char path[PATH_MAX_LEN];
    size_t path_len;
};

static bool scan_object(struct scan *scan, struct place *place);

static bool broken(struct scan *scan, const char *what) {
    return err_set(scan->err, "byte %zu: %s", (size_t)(scan->p - scan->start),
                   scan->p == scan->end ? "the line ends early" : what);
}

static void skip_space(struct scan *scan) {
    while (scan->p < scan->end && (*scan->p == ' ' || *scan->p == '\t' || *scan->p == '\r')) {
        scan->p++;
    }
}

// take steps over `c`, with the space before it, and returns whether it was there.
static bool take(struct scan *scan, char c) {
    skip_space(scan);
    if (scan->p == scan->end || *scan->p != c) {
        return false;
    }
    scan->p++;
    return true;
}

// string_end returns what follows the string whose first character is at `p`, or NULL.
static const char *string_end(const char *p, const char *end) {
    for (const char *from = p;;) {
        const char *quote = memchr(from, '"', (size_t)(end - from));
        if (quote == NULL) {
            return NULL;
        }
        const char *last = quote;
        while (last > p && last[-1] == '\\') {
            last--;
        }
        from = quote + 1;
        if ((quote - last) % 2 == 0) {
            return from;
        }
    }
}

static bool skip_string(struct scan *scan) {
    if (!take(scan, '"')) {
        return broken(scan, "expected a string");
    }
    const char *end = string_end(scan->p, scan->end);
    scan->p = end != NULL ? end : scan->end;
    return end != NULL || broken(scan, "");
}

// skip_word steps over a number, true, false or null; jansson looks at those that are wanted.
static bool skip_word(struct scan *scan) {
    const char *start = scan->p;
    while (scan->p < scan->end &&
           ((*scan->p >= '0' && *scan->p <= '9') || *scan->p == '-' || *scan->p == '+' ||
            *scan->p == '.' || *scan->p == 'E' || (*scan->p >= 'a' && *scan->p <= 'z'))) {
        scan->p++;
    }
    return scan->p > start || broken(scan, "expected a value");
}

// skip_nested steps over an object or an array to the bracket that closes it.
static bool skip_nested(struct scan *scan) {
    uint64_t objects =
        0; // a bit for each open bracket, the innermost lowest: an object or an array
    int depth = 0;
    for (const char *p = scan->p; p < scan->end; p++) {
        switch (*p) {
        case '"':
            p = string_end(p + 1, scan->end);
            if (p == NULL) {
                scan->p = scan->end;
                return broken(scan, "");
            }
            p--;
            break;
        case '{':
        case '[':
            if (depth++ == DEPTH_MAX) {
                scan->p = p;
                return broken(scan, "nested too deeply");
            }
            objects = objects << 1 | (*p == '{');
            break;
        case '}':
        case ']':
            scan->p = p;
            if ((objects & 1) != (*p == '}')) {
                return broken(scan, "the wrong bracket");
            }
            objects >>= 1;
            if (--depth == 0) {
                scan->p = p + 1;
                return true;
            }
            break;
        default:
            break;
        }
    }
    scan->p = scan->end;
    return broken(scan, "");
}

static bool skip_value(struct scan *scan) {
    skip_space(scan);
    char c = scan->p < scan->end ? *scan->p : '\0';
    return c == '"'               ? skip_string(scan)
           : c == '{' || c == '[' ? skip_nested(scan)
                                  : skip_word(scan);
}

// value_json makes the value between `start` and the place of the scan; NULL when it is no JSON.
static json_t *value_json(const struct scan *scan, const char *start) {
    size_t len = (size_t)(scan->p - start);
    bool plain = len >= 2 && *start == '"' && memchr(start, '\\', len) == NULL;
    return plain ? json_stringn(start + 1, len - 2)
                 : json_loadb(start, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
}

static bool scan_field(struct scan *scan, const struct place *place, enum field field) {
    skip_space(scan);
    const char *start = scan->p;
    if (!skip_value(scan)) {
        return false;
    }
    json_t *json = value_json(scan, start);
    bool ok = json != NULL ? record_read_field(place->obj, field, json, scan->err)
                           : err_set(scan->err, "%s: no JSON", field_row(field)->path);
    json_decref(json);
    for (const struct place *p = place; !ok && p->up != NULL; p = p->up) {
        err_prefix(scan->err, "%s.", field_row(p->at)->path);
    }
    return ok;
}

// scan_value reads the value at `place`, whose path has just been completed by a key.
static bool scan_value(struct scan *scan, struct place *place) {
    enum kind kind = obj_kind(place->obj);
    size_t len = place->path_len;
    for (size_t i = 0; i < scan->plan->num_steps; i++) {
        const struct record_scan_step *step = &scan->plan->steps[i];
        if (step->kind != kind || step->path_len < len || len == 0 ||
            step->path[len - 1] != place->path[len - 1] ||
            memcmp(step->path, place->path, len) != 0) {
            continue;
        }
        char next = step->path[len];
        if (next == '\0' && step->enter) {
            struct place inside = {
                .up = place, .at = step->field, .obj = obj_sub(place->obj, step->field)};
            return scan_object(scan, &inside);
        }
        if (next == '\0') {
            return scan_field(scan, place, step->field);
        }
        if (next == '.') {
            place->path[place->path_len++] = '.';
            return scan_object(scan, place);
        }
    }
    return skip_value(scan);
}

// scan_object reads the object that begins here.
static bool scan_object(struct scan *scan, struct place *place) {
    if (!take(scan, '{')) {
        return broken(scan, "expected an object");
    }
    if (take(scan, '}')) {
        return true;
    }
    size_t below = place->path_len;
    do {
        skip_space(scan);
        const char *key = scan->p + 1;
        if (!skip_string(scan)) {
            return false;
        }
        size_t key_len = (size_t)(scan->p - key) - 1;
        if (!take(scan, ':')) {
            return broken(scan, "expected ':'");
        }
        // A dot in a key of ours is a way into an object, never a part of the key.
        bool fits = below + key_len + 2 <= PATH_MAX_LEN && memchr(key, '.', key_len) == NULL;
        if (fits) {
            memcpy(place->path + below, key, key_len);
            place->path_len = below + key_len;
        }
        if (fits ? !scan_value(scan, place) : !skip_value(scan)) {
            return false;
        }
    } while (take(scan, ','));
    return take(scan, '}') || broken(scan, "expected ',' or '}'");
}

static void plan_add(struct record_scan_plan *plan, enum field field, bool enter) {
    for (size_t i = 0; i < plan->num_steps; i++) {
        if (plan->steps[i].field == field) {
            return;
        }
    }
    CHECK(plan->num_steps < RECORD_SCAN_FIELDS_MAX);
    const struct field_row *row = field_row(field);
    plan->steps[plan->num_steps++] = (struct record_scan_step){.path = row->path,
                                                               .path_len = strlen(row->path),
                                                               .field = field,
                                                               .kind = row->kind,
                                                               .enter = enter};
}

void record_scan_plan_init(struct record_scan_plan *plan, const enum field *fields,
                           size_t num_fields) {
    plan->num_steps = 0;
    plan_add(plan, F_RECORD_SCHEMA, false);
    plan_add(plan, F_RECORD_ID, false);
    for (size_t i = 0; i < num_fields; i++) {
        plan_add(plan, fields[i], false);
    }
    // The list grows while it is walked: an object on the way may itself lie inside another.
    for (size_t i = 0; i < plan->num_steps; i++) {
        enum kind kind = field_row(plan->steps[i].field)->kind;
        for (enum field field = 0; field < FIELD_COUNT; field++) {
            const struct field_row *row = field_row(field);
            if (row->type == TYPE_OBJ && row->extra == kind) {
                plan_add(plan, field, true);
            }
        }
    }
}

struct record *record_scan(const char *line, size_t line_len, const struct record_scan_plan *plan,
                           struct err *err) {
    struct scan scan = {.start = line, .p = line, .end = line + line_len, .plan = plan, .err = err};
    struct record *record = record_new();
    obj_unset(record->root, F_RECORD_SCHEMA);
    struct place place = {.obj = record->root};
    bool ok = scan_object(&scan, &place);
    skip_space(&scan);
    if (ok && scan.p != scan.end) {
        ok = err_set(err, "byte %zu: more follows the record", (size_t)(scan.p - line));
    }
    if (!ok || !record_read_done(record->root, err)) {
        record_free(record);
        return NULL;
    }
    return record;
}
