// The questions that rules ask: small pure functions over the record that answer yes, no or
// unknown, each with the fields it looked at and a sentence for either answer.
#ifndef POLICY_VERDICT_PREDICATE_H_
#define POLICY_VERDICT_PREDICATE_H_

#include "policy/verdict/view.h"

enum predicate {
#define PRED(name, fn, word, codes, yes, no, fields) P_##name,
#include "policy/verdict/predicates.inc"
#undef PRED
    PREDICATE_COUNT
};

enum defect {
#define DEFECT(name, id) DEFECT_##name,
#include "policy/verdict/defects.inc"
#undef DEFECT
    DEFECT_COUNT
};

enum { PREDICATE_CODES_MAX = 9, PREDICATE_FIELDS_MAX = 4 };

// struct predicate_row is one question. `fn` gets the row for its arguments: `word`, and `codes`
// ended by -1. `because_yes` and `because_no` are templates (template.h); `fields`, ended by
// FIELD_COUNT, are the fields it looks at: of a leg, of its verification, or of the record.
struct predicate_row {
    enum answer (*fn)(const struct view *view, const struct predicate_row *row);
    const char *name, *word;
    int16_t codes[PREDICATE_CODES_MAX];
    const char *because_yes, *because_no;
    uint16_t fields[PREDICATE_FIELDS_MAX];
};

// defect_id returns the word of the record for `defect`.
const char *defect_id(enum defect defect);

const struct predicate_row *predicate_row(enum predicate predicate);

// predicate_ask answers one question about `view`.
enum answer predicate_ask(const struct view *view, enum predicate predicate);

#endif // POLICY_VERDICT_PREDICATE_H_
