// Records as text, so that a case of the verdict is a few lines of data.
#ifndef TESTS_UNIT_POLICY_VERDICT_CASE_H_
#define TESTS_UNIT_POLICY_VERDICT_CASE_H_

#include <stdbool.h>

#include "logs/record/record.h"
#include "policy/verdict/predicate.h"

// enum base names the records of bases.inc that cases begin with.
enum base {
#define BASE(name, ...) BASE_##name,
#include "tests/unit/policy/verdict/bases.inc"
#undef BASE
    BASE_COUNT
};

// case_record returns a new record made of `base` and `lines`, with what its User-Agent claims. The
// caller frees it.
struct record *case_record(enum base base, const char *lines);

// case_apply applies lines, which end in ";" or a newline, to a record. A line is
//   PATH VALUE          sets a field; "c." and "s." stand for the two legs, "alerts[0].code" for a
//                       field of an item, which is made where it is missing; lists are separated
//                       by commas, or by | where there is any; times are unix seconds, durations
//                       milliseconds
//   -PATH               makes a field absent
//   c.alert FROM AFTER CODE [LEVEL]   appends an alert, fatal without a level
//   s.defect ID DEPTH          appends a fatal defect and says that the chain is not good
// A line that makes no sense is a CHECK.
void case_apply(struct obj *root, const char *lines);

// case_drop removes the `n`th field of the record, counted through all its objects but the verdict,
// and returns its path in `out`, or false when there are not so many.
bool case_drop(struct obj *root, int n, char *out, size_t out_len);

// case_forget makes `field` absent in every object of the record.
void case_forget(struct obj *root, enum field field);

// struct answer_case asks one question about one record. answers_check asserts the answers, and
// that each question answers `UNKNOWN` to a record in which nothing was seen.
struct answer_case {
    enum predicate predicate;
    enum base base;
    const char *lines;
    enum answer answer;
};

void answers_check(const struct answer_case *cases, size_t num);

#endif // TESTS_UNIT_POLICY_VERDICT_CASE_H_
