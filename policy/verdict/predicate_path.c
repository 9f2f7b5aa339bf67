#include <string.h>

#include "policy/verdict/predicate_fn.h"

// path_of is what was found out about the way, or NULL where nobody looked, or got to its end.
static const struct obj *path_of(const struct view *view) {
    const struct obj *path = obj_get(view->root, F_RECORD_PATH);
    return obj_has(path, F_PATH_SERVER_HOP) ? path : NULL;
}

// address_of is where the first run of a probe was connected to, or NULL.
static const char *address_of(const struct view *view, const char *probe) {
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *experiment = obj_at(view->root, F_RECORD_EXPERIMENTS, i);
        if (obj_str_is(experiment, F_EXPERIMENT_PROBE, probe)) {
            return obj_str(obj_get(experiment, F_EXPERIMENT_LEG), F_LEG_ADDRESS);
        }
    }
    return NULL;
}

ASK(address_differs) {
    const char *base = address_of(view, "base"), *other = address_of(view, row->word);
    return base == NULL || other == NULL ? UNKNOWN : answer_from(strcmp(base, other) != 0);
}

ASK(box_does) {
    const struct obj *path = path_of(view);
    if (path == NULL) {
        return UNKNOWN;
    }
    const char *does = obj_str(path, F_PATH_BOX_DOES);
    if (does == NULL) {
        return NO;
    }
    for (const char *p = row->word; *p != '\0';) {
        size_t len = strcspn(p, " ");
        if (strlen(does) == len && memcmp(p, does, len) == 0) {
            return YES;
        }
        p += len + (p[len] == ' ');
    }
    return NO;
}

ASK(box_by_name) {
    (void)row;
    const struct obj *path = path_of(view);
    return obj_has(path, F_PATH_BOX_BY_NAME) ? answer_from(obj_is(path, F_PATH_BOX_BY_NAME, true))
                                             : UNKNOWN;
}

// Where experiments were made and the way was not searched, it is not known to be clean.
ASK(way_clean) {
    (void)row;
    const struct obj *path = path_of(view);
    if (obj_num(view->root, F_RECORD_EXPERIMENTS) == 0 && path == NULL) {
        return UNKNOWN;
    }
    return answer_from(path != NULL && !obj_has(path, F_PATH_BOX_HOP));
}
