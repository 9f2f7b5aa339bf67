#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

// What came of one way to meet the client again.
struct tally {
    size_t answered, refused;
};

static const char *const form_names[] = {
#define LEAF_FORM(name, word, says) "client-leaf=" word,
#include "logs/record/leaf_forms.inc"
#undef LEAF_FORM
};

static const char *const form_says[] = {
#define LEAF_FORM(name, word, says) says,
#include "logs/record/leaf_forms.inc"
#undef LEAF_FORM
};

static struct tally tally_of(const struct view *view, const char *name) {
    struct tally tally = {0, 0};
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *run = obj_at(view->root, F_RECORD_EXPERIMENTS, i);
        bool answered = obj_str_is(run, F_EXPERIMENT_RESULT, "answered");
        if (obj_str_is(run, F_EXPERIMENT_PROBE, name)) {
            tally.answered += answered;
            tally.refused += !answered;
        }
    }
    return tally;
}

// asked returns whether the record is one of a series at all.
static bool asked(const struct view *view) { return tally_of(view, "client-leaf").refused != 0; }

// survivor returns the form that the client went on with each time that it was shown, or
// ARRAY_LEN(form_names).
static size_t survivor(const struct view *view, size_t *out_times) {
    *out_times = 0;
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_EXPERIMENTS); i++) {
        if (!obj_has(obj_at(view->root, F_RECORD_EXPERIMENTS, i), F_EXPERIMENT_PROBE)) {
            return ARRAY_LEN(form_names); // it may have been this form, and refused
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(form_names); i++) {
        struct tally tally = tally_of(view, form_names[i]);
        if (tally.answered != 0 && tally.refused == 0) {
            *out_times = tally.answered;
            return i;
        }
    }
    return ARRAY_LEN(form_names);
}

const char *leaf_form_of(const struct view *view) {
    size_t times, form = survivor(view, &times);
    return form < ARRAY_LEN(form_says) ? form_says[form] : NULL;
}

ASK(form_passes) {
    size_t times;
    (void)survivor(view, &times);
    return asked(view) ? answer_from(times >= (size_t)row->codes[0]) : UNKNOWN;
}

ASK(forms_fail) {
    size_t num = 0, answered = 0;
    for (size_t i = 0; i < ARRAY_LEN(form_names); i++) {
        struct tally tally = tally_of(view, form_names[i]);
        num += tally.refused != 0;
        answered += tally.answered;
    }
    return asked(view) ? answer_from(answered == 0 && num >= (size_t)row->codes[0]) : UNKNOWN;
}

static bool is_canary(const char *name) {
    return name != NULL && strncmp(name, "canary=", strlen("canary=")) == 0;
}

ASK(canary_shown) {
    (void)row;
    bool shown = is_canary(obj_str(view->root, F_RECORD_CLIENT_TRY));
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *run = obj_at(view->root, F_RECORD_EXPERIMENTS, i);
        shown = shown || is_canary(obj_str(run, F_EXPERIMENT_PROBE));
    }
    bool told = obj_has(view->root, F_RECORD_POLICY_ACTION); // and so any try
    return shown ? YES : told ? NO : UNKNOWN;
}

ASK(canary_refused) {
    (void)row;
    struct tally all = {0, 0};
#define LEAF_CANARY(name, word, says)                                                              \
    {                                                                                              \
        struct tally one = tally_of(view, "canary=" word);                                         \
        all.answered += one.answered;                                                              \
        all.refused += one.refused;                                                                \
    }
#include "logs/record/leaf_forms.inc"
#undef LEAF_CANARY
    return all.answered + all.refused == 0 ? UNKNOWN : answer_from(all.answered == 0);
}
