#include "tests/unit/policy/verdict/case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/browser.h"
#include "tests/unit/unit.h"

static const char *const bases[BASE_COUNT] = {
#define BASE(name, ...) [BASE_##name] = __VA_ARGS__,
#include "tests/unit/policy/verdict/bases.inc"
#undef BASE
};

// field_set sets `field` from text.
static void field_set(struct obj *obj, enum field field, const char *text) {
    enum field_type type = field_row(field)->type;
    uint16_t code;
    switch (type) {
    case TYPE_STR:
        obj_set_str(obj, field, text);
        return;
    case TYPE_BOOL:
        obj_set_int(obj, field, strcmp(text, "true") == 0);
        return;
    case TYPE_MS:
    case TYPE_TIME:
        obj_set_int(obj, field, atoll(text) * 1000);
        return;
    case TYPE_INT:
    case TYPE_DATE:
        obj_set_int(obj, field, atoll(text));
        return;
    case TYPE_CODE:
        CHECK(codepoint_parse(field_row(field)->extra, &code, text));
        obj_set_int(obj, field, code);
        return;
    case TYPE_BYTES:
        obj_set_bytes(obj, field, text, strlen(text));
        return;
    case TYPE_CODES:
    case TYPE_STRS:
        if (obj_has(obj, field)) {
            obj_unset(obj, field);
        }
        obj_touch(obj, field);
        const char *comma = strchr(text, '|') != NULL ? "|" : ",";
        for (const char *p = text; *p != '\0'; p += *p == *comma) {
            char item[128];
            size_t len = strcspn(p, comma);
            snprintf(item, sizeof(item), "%.*s", (int)len, p);
            if (type == TYPE_STRS) {
                obj_add_str(obj, field, item, len);
            } else {
                CHECK(codepoint_parse(field_row(field)->extra, &code, item));
                obj_add_code(obj, field, code);
            }
            p += len;
        }
        return;
    default:
        CHECK(!"a field of this type cannot be set from text");
    }
}

// path_set walks into the objects that `path` names and sets, or with `text` NULL unsets, its
// last field.
static void path_set(struct obj *obj, const char *path, const char *text) {
    enum field field = field_find(obj_kind(obj), path);
    if (field != FIELD_COUNT) {
        if (text == NULL) {
            obj_unset(obj, field);
        } else {
            field_set(obj, field, text);
        }
        return;
    }
    char head[64];
    size_t len = strcspn(path, ".[");
    for (;; len += 1 + strcspn(path + len + 1, ".[")) {
        snprintf(head, sizeof(head), "%.*s", (int)len, path);
        field = field_find(obj_kind(obj), head);
        if (field != FIELD_COUNT) {
            break;
        }
        CHECK(path[len] == '.');
    }
    size_t index = path[len] == '[' ? (size_t)atoi(path + len + 1) : 0;
    const char *rest = strchr(path + len, '.');
    CHECK(rest != NULL);
    if (field_row(field)->type == TYPE_OBJ) {
        path_set(obj_sub(obj, field), rest + 1, text);
        return;
    }
    while (obj_num(obj, field) <= index) {
        (void)obj_add(obj, field);
    }
    path_set(obj_at(obj, field, index), rest + 1, text);
}

static void alert_add(struct obj *leg, const char *text) {
    char from[16], after[16], level[16] = "fatal", name[CODEPOINT_NAME_MAX];
    int code;
    CHECK(sscanf(text, "%15s %15s %d %15s", from, after, &code, level) >= 3);
    struct obj *alert = obj_add(leg, F_LEG_ALERTS);
    obj_set_str(alert, F_ALERT_FROM, from);
    obj_set_str(alert, F_ALERT_AFTER, after);
    obj_set_str(alert, F_ALERT_LEVEL, level);
    obj_set_int(alert, F_ALERT_CODE, code);
    obj_set_str(alert, F_ALERT_NAME, codepoint_name(REGISTRY_ALERT, (uint16_t)code, name));
    obj_set_int(alert, F_ALERT_MS, 31000);
}

static void defect_add(struct obj *leg, const char *text) {
    char id[64];
    int depth;
    CHECK(sscanf(text, "%63s %d", id, &depth) == 2);
    struct obj *found = obj_sub(leg, F_LEG_VERIFICATION);
    struct obj *defect = obj_add(found, F_VERIFICATION_DEFECTS);
    obj_set_int(found, F_VERIFICATION_OK, false);
    obj_set_str(defect, F_DEFECT_ID, id);
    obj_set_int(defect, F_DEFECT_DEPTH, depth);
    obj_set_int(defect, F_DEFECT_FATAL, true);
}

static void line_apply(struct obj *root, const char *line) {
    bool unset = line[0] == '-';
    line += unset;
    char path[128];
    size_t len = strcspn(line, " ");
    snprintf(path, sizeof(path), "%.*s", (int)len, line);
    const char *text = unset ? NULL : line[len] == ' ' ? line + len + 1 : "";
    struct obj *at = root;
    const char *rest = path;
    if (path[1] == '.') {
        at = obj_sub(root, path[0] == 'c' ? F_RECORD_LEG_CLIENT : F_RECORD_LEG_SERVER);
        rest = path + 2;
    }
    if (strcmp(rest, "alert") == 0) {
        alert_add(at, text);
    } else if (strcmp(rest, "defect") == 0) {
        defect_add(at, text);
    } else if (unset && (strcmp(path, "c") == 0 || strcmp(path, "s") == 0)) {
        obj_unset(root, path[0] == 'c' ? F_RECORD_LEG_CLIENT : F_RECORD_LEG_SERVER);
    } else {
        path_set(at, rest, text);
    }
}

void case_apply(struct obj *root, const char *lines) {
    while (*lines != '\0') {
        char line[1024];
        lines += strspn(lines, " ");
        size_t len = strcspn(lines, ";\n");
        CHECK(len < sizeof(line));
        memcpy(line, lines, len);
        line[len] = '\0';
        if (len != 0) {
            line_apply(root, line);
        }
        lines += len + (lines[len] != '\0');
    }
}

struct record *case_record(enum base base, const char *lines) {
    struct record *record = record_new();
    case_apply(record->root, bases[base]);
    case_apply(record->root, lines);
    if (obj_has(record->root, F_RECORD_USER_AGENT)) {
        browser_judge(record->root);
    }
    return record;
}

static enum answer ask(enum predicate predicate, enum base base, const char *lines) {
    struct view view;
    struct record *record = case_record(base, lines);
    view_init(&view, record->root);
    enum answer answer = predicate_ask(&view, predicate);
    record_free(record);
    return answer;
}

void answers_check(const struct answer_case *cases, size_t num) {
    static const char *const names[] = {"unknown", "no", "yes"};
    for (size_t i = 0; i < num; i++) {
        const struct answer_case *c = &cases[i];
        enum answer answer = ask(c->predicate, c->base, c->lines);
        CU_ASSERT_EQUAL(answer, c->answer);
        if (answer != c->answer) {
            printf("\n  %s (%s): %s", predicate_row(c->predicate)->name, c->lines, names[answer]);
        }
        CU_ASSERT_EQUAL(ask(c->predicate, BASE_nothing, ""), UNKNOWN);
    }
}

// drop counts the fields below `obj` down in `*n` and removes the one that it reaches.
static bool drop(struct obj *obj, int *n, char *out, size_t out_len) {
    const struct kind_row *kind = kind_row(obj_kind(obj));
    for (enum field field = kind->first; field < kind->end; field++) {
        if (!obj_has(obj, field) || field == F_RECORD_VERDICT) {
            continue;
        }
        const struct field_row *row = field_row(field);
        if ((*n)-- == 0) {
            snprintf(out, out_len, "%s", row->path);
            obj_unset(obj, field);
            return true;
        }
        // Zeros are left out of the history: what lacks there was counted, too.
        if (row->type == TYPE_OBJ && field != F_RECORD_HISTORY &&
            drop(obj_get(obj, field), n, out, out_len)) {
            return true;
        }
        for (size_t i = 0; row->type == TYPE_OBJS && i < obj_num(obj, field); i++) {
            if (drop(obj_at(obj, field, i), n, out, out_len)) {
                return true;
            }
        }
    }
    return false;
}

bool case_drop(struct obj *root, int n, char *out, size_t out_len) {
    return drop(root, &n, out, out_len);
}

void case_forget(struct obj *root, enum field field) {
    const struct kind_row *kind = kind_row(obj_kind(root));
    for (enum field f = kind->first; f < kind->end; f++) {
        enum field_type type = field_row(f)->type;
        if (!obj_has(root, f)) {
            continue;
        }
        if (f == field) {
            obj_unset(root, f);
        } else if (type == TYPE_OBJ) {
            case_forget(obj_get(root, f), field);
        }
        for (size_t i = 0; type == TYPE_OBJS && i < obj_num(root, f); i++) {
            case_forget(obj_at(root, f, i), field);
        }
    }
}
