#include "logs/store/record_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/store/json_skip.h"
#include "logs/store/plain_value.h"
#include "logs/store/record_read.h"

enum { DEPTH_MAX = 64, PATH_MAX_LEN = 64 };

struct scan {
    const char *start, *p, *end;
    const struct record_scan_plan *plan;
    bool ordered; // keys come in the table's order, as the writer puts them
    bool done;    // all that is planned was read
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
    bool last; // nothing that is planned comes behind the object
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

static bool skip_string(struct scan *scan) {
    if (!take(scan, '"')) {
        return broken(scan, "expected a string");
    }
    const char *end = json_string_end(scan->p, scan->end);
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

// struct nesting is the open brackets: a bit for each, the innermost lowest, that tells an object
// from an array.
struct nesting {
    uint64_t objects;
    int depth;
};

// bracket_take takes the bracket at the place of the scan.
static bool bracket_take(struct scan *scan, struct nesting *nesting) {
    char c = *scan->p;
    if (c == '{' || c == '[') {
        nesting->objects = nesting->objects << 1 | (c == '{');
        return nesting->depth++ < DEPTH_MAX || broken(scan, "nested too deeply");
    }
    bool right = (nesting->objects & 1) == (c == '}');
    nesting->objects >>= 1;
    nesting->depth--;
    return right || broken(scan, "the wrong bracket");
}

// skip_to_close steps behind the bracket that closes the last of `nesting`, or the first that
// comes.
static bool skip_to_close(struct scan *scan, struct nesting nesting) {
    struct json_state state = {0};
    for (const char *block = scan->p; block < scan->end; block += JSON_BLOCK) {
        char last[JSON_BLOCK];
        const char *p = block;
        size_t left = (size_t)(scan->end - block);
        if (left < sizeof(last)) {
            memset(last, ' ', sizeof(last));
            memcpy(last, block, left);
            p = last;
        }
        uint64_t brackets = json_brackets(&state, p);
        for (; brackets != 0; brackets &= brackets - 1) {
            scan->p = block + __builtin_ctzll(brackets);
            if (!bracket_take(scan, &nesting)) {
                return false;
            }
            if (nesting.depth == 0) {
                scan->p++;
                return true;
            }
        }
    }
    scan->p = scan->end;
    return broken(scan, "");
}

// skip_nested steps over an object or an array; skip_rest over what is left of an object.
static bool skip_nested(struct scan *scan) { return skip_to_close(scan, (struct nesting){0}); }

static bool skip_rest(struct scan *scan) {
    return skip_to_close(scan, (struct nesting){.objects = 1, .depth = 1});
}

static bool skip_value(struct scan *scan) {
    skip_space(scan);
    char c = scan->p < scan->end ? *scan->p : '\0';
    return c == '"'               ? skip_string(scan)
           : c == '{' || c == '[' ? skip_nested(scan)
                                  : skip_word(scan);
}

// read_value sets `field` from any JSON.
static bool read_value(struct scan *scan, struct obj *obj, enum field field, struct span text) {
    json_t *json =
        json_loadb((const char *)text.p, text.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    obj_unset(obj, field);
    bool ok = json != NULL ? record_read_field(obj, field, json, scan->err)
                           : err_set(scan->err, "%s: no JSON", field_row(field)->path);
    json_decref(json);
    return ok;
}

static bool scan_field(struct scan *scan, const struct place *place, enum field field) {
    skip_space(scan);
    const char *start = scan->p;
    if (!skip_value(scan)) {
        return false;
    }
    struct span text = {(const uint8_t *)start, (size_t)(scan->p - start)};
    bool ok = plain_value(place->obj, field, text) || read_value(scan, place->obj, field, text);
    for (const struct place *p = place; !ok && p->up != NULL; p = p->up) {
        err_prefix(scan->err, "%s.", field_row(p->at)->path);
    }
    return ok;
}

// is_last returns whether none of the planned fields comes behind the value at `place` in the
// object that holds it, the part of the path behind its first `below` characters.
static bool is_last(const struct scan *scan, const struct place *place, size_t below) {
    const struct record_scan_range range = scan->plan->kinds[obj_kind(place->obj)];
    for (size_t i = range.end; i-- > range.first;) {
        const struct record_scan_step *step = &scan->plan->steps[i];
        if (step->path_len >= below && memcmp(step->path, place->path, below) == 0) {
            char next = step->path_len >= place->path_len &&
                                memcmp(step->path, place->path, place->path_len) == 0
                            ? step->path[place->path_len]
                            : 'x';
            return next == '\0' || next == '.';
        }
    }
    return false;
}

// scan_value reads the value at `place`, whose path has just been completed by a key, and sets
// `*out_planned` to whether anything in it is planned.
static bool scan_value(struct scan *scan, bool *out_planned, struct place *place) {
    const struct record_scan_range range = scan->plan->kinds[obj_kind(place->obj)];
    size_t len = place->path_len;
    for (size_t i = range.first; i < range.end; i++) {
        const struct record_scan_step *step = &scan->plan->steps[i];
        if (step->path_len < len || len == 0 || step->path[len - 1] != place->path[len - 1] ||
            memcmp(step->path, place->path, len) != 0) {
            continue;
        }
        char next = step->path[len];
        *out_planned = next == '\0' || next == '.';
        if (next == '\0' && step->enter) {
            struct place inside = {.up = place,
                                   .at = step->field,
                                   .obj = obj_sub(place->obj, step->field),
                                   .last = place->last && is_last(scan, place, 0)};
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
        bool planned = false;
        if (fits ? !scan_value(scan, &planned, place) : !skip_value(scan)) {
            return false;
        }
        if (scan->done) {
            return true;
        }
        place->path_len = below + key_len;
        if (planned && scan->ordered && is_last(scan, place, below)) {
            scan->done = place->last && is_last(scan, place, 0);
            return scan->done || skip_rest(scan);
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

static int step_compare(const void *a, const void *b) {
    const struct record_scan_step *x = a, *y = b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : (int)x->field - (int)y->field;
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
    qsort(plan->steps, plan->num_steps, sizeof(plan->steps[0]), step_compare);
    memset(plan->kinds, 0, sizeof(plan->kinds));
    for (size_t i = plan->num_steps; i-- > 0;) {
        struct record_scan_range *range = &plan->kinds[plan->steps[i].kind];
        range->first = (uint8_t)i;
        range->end = range->end != 0 ? range->end : (uint8_t)(i + 1);
    }
}

// literal steps over `s` at `*p`.
static bool literal(const char **p, const char *end, const char *s) {
    size_t len = strlen(s);
    if ((size_t)(end - *p) < len || memcmp(*p, s, len) != 0) {
        return false;
    }
    *p += len;
    return true;
}

bool record_scan_id(struct span *out_id, const char *line, size_t line_len) {
    const char *p = line, *end = line + line_len;
    size_t major = strcspn(SCHEMA_VERSION, ".") + 1;
    char schema[32];
    snprintf(schema, sizeof(schema), "\"schema\":\"%.*s", (int)major, SCHEMA_VERSION);
    if (line_len < 2 || end[-1] != '}' || !literal(&p, end, "{\"@timestamp\":\"") ||
        (p = json_string_end(p, end)) == NULL || !literal(&p, end, ",") ||
        !literal(&p, end, schema) || (p = json_string_end(p, end)) == NULL ||
        !literal(&p, end, ",\"id\":")) {
        return false;
    }
    const char *start = p, *after = p < end && *p == '"' ? json_string_end(p + 1, end) : NULL;
    return after != NULL &&
           plain_string(out_id, (struct span){(const uint8_t *)start, (size_t)(after - start)});
}

struct record *record_scan(const char *line, size_t line_len, const struct record_scan_plan *plan,
                           struct err *err) {
    struct scan scan = {.start = line, .p = line, .end = line + line_len, .plan = plan, .err = err};
    struct record *record = record_new();
    obj_unset(record->root, F_RECORD_SCHEMA);
    struct place place = {.obj = record->root, .last = true};
    struct span id;
    scan.ordered = record_scan_id(&id, line, line_len);
    bool ok = scan_object(&scan, &place);
    skip_space(&scan);
    if (ok && !scan.done && scan.p != scan.end) {
        ok = err_set(err, "byte %zu: more follows the record", (size_t)(scan.p - line));
    }
    if (!ok || !record_read_done(record->root, err)) {
        record_free(record);
        return NULL;
    }
    return record;
}
