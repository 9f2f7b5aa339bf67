#include "proxy/cli/explain_history.h"

#include <string.h>

#include "policy/verdict/verdict.h"

enum { AROUND = 1000, SEED = 1 };

// notes_make reads what stands around record `i`.
static void notes_make(struct history *history, struct log_reader *reader, size_t i) {
    size_t first = i > AROUND ? i - AROUND : 0, num = log_reader_num(reader);
    for (size_t k = first; k < num && k <= i + AROUND; k++) {
        struct err err;
        struct record *record = k != i ? log_reader_read(reader, k, &err) : NULL;
        if (record != NULL) {
            history_note(history, record->root);
        }
        record_free(record);
    }
}

// rests_on_history returns whether the verdict shows something of other connections.
static bool rests_on_history(const struct obj *root) {
    const struct obj *verdict = obj_get(root, F_RECORD_VERDICT);
    for (size_t i = 0; i < obj_num(verdict, F_VERDICT_EVIDENCE); i++) {
        const char *field = obj_str(obj_at(verdict, F_VERDICT_EVIDENCE, i), F_EVIDENCE_FIELD);
        if (field != NULL && strncmp(field, "history.", strlen("history.")) == 0) {
            return true;
        }
    }
    return false;
}

static bool same(const struct obj *a, const struct obj *b, enum field field) {
    const char *was = obj_str(obj_get(a, F_RECORD_VERDICT), field);
    return was != NULL && obj_str_is(obj_get(b, F_RECORD_VERDICT), field, was);
}

struct record *explain_history(struct log_reader *reader, size_t i) {
    struct err err;
    struct record *logged = log_reader_read(reader, i, &err);
    struct record *judged = log_reader_read(reader, i, &err);
    if (logged == NULL || judged == NULL) {
        record_free(logged);
        record_free(judged);
        return NULL;
    }
    struct history *history = history_new(SEED);
    notes_make(history, reader, i);
    verdict_decide_within(judged->root, history);
    history_free(history);
    bool more =
        rests_on_history(judged->root) && !(same(logged->root, judged->root, F_VERDICT_PARTY) &&
                                            same(logged->root, judged->root, F_VERDICT_CAUSE) &&
                                            same(logged->root, judged->root, F_VERDICT_CONFIDENCE));
    record_free(logged);
    if (!more) {
        record_free(judged);
        return NULL;
    }
    return judged;
}
