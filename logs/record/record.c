#include "logs/record/record.h"

#include <stdlib.h>

struct record *record_new(void) {
    struct record *record = xcalloc(1, sizeof(*record));
    record->root = obj_new(&record->arena, KIND_RECORD);
    obj_set_str(record->root, F_RECORD_SCHEMA, SCHEMA_VERSION);
    return record;
}

void record_free(struct record *record) {
    if (record != NULL) {
        arena_cleanup(&record->arena);
        free(record);
    }
}

struct obj *record_leg(const struct obj *root, bool server) {
    return obj_get(root, server ? F_RECORD_LEG_SERVER : F_RECORD_LEG_CLIENT);
}

bool record_failed(const struct obj *root) {
    const struct obj *verdict = obj_get(root, F_RECORD_VERDICT);
    return obj_has(verdict, F_VERDICT_PARTY) && !obj_str_is(verdict, F_VERDICT_PARTY, "none");
}

bool record_worked(const struct obj *root) {
    return obj_is(obj_get(root, F_RECORD_VERDICT), F_VERDICT_WORKED, true);
}
