// What every unit test is made of: CUnit's assertions, and a table of cases that unit.c runs.
#ifndef TESTS_UNIT_UNIT_H_
#define TESTS_UNIT_UNIT_H_

#include <CUnit/CUnit.h>
#include <stdbool.h>

struct unit_case {
    const char *name;
    void (*run)(void);
};

// unit_cases is defined by each test program; {NULL, NULL} ends it.
extern const struct unit_case unit_cases[];

// unit_aborts runs `fn` in a child process and returns whether it aborted with `says` somewhere in
// what it wrote to standard error. That is how a CHECK is tested.
bool unit_aborts(void (*fn)(void), const char *says);

#endif // TESTS_UNIT_UNIT_H_
