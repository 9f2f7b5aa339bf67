// A record with every field of every kind, for tests that must miss none.
#ifndef TESTS_UNIT_LOGS_FULL_RECORD_H_
#define TESTS_UNIT_LOGS_FULL_RECORD_H_

#include "logs/record/record.h"

// full_record_new returns a record in which every field of every kind is set, lists with two items.
// The caller frees it with record_free.
WUNRES struct record *full_record_new(void);

#endif // TESTS_UNIT_LOGS_FULL_RECORD_H_
