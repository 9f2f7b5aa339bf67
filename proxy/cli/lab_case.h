// A recorded case as a scenario of the lab: who did what, as far as the record tells and the lab
// can do it.
#ifndef PROXY_CLI_LAB_CASE_H_
#define PROXY_CLI_LAB_CASE_H_

#include "logs/record/record.h"
#include "proxy/cli/lab_scenario.h"

// struct lab_case is owned by its caller and ended with lab_case_cleanup. The scenario's texts are
// the record's, which must outlive it.
struct lab_case {
    struct lab_scenario scenario;
    struct hello_draft hello;
};

// struct lab_case_files is what stands beside the record: a file with the box that the recording
// proxy was, and one with the box behind it. NULL: there is none.
struct lab_case_files {
    const char *profile, *behind;
};

// lab_case_behind returns the built-in profile that acts as the box behind the proxy of `root` did,
// "" where one has to be learned of the certificates that the box showed, or NULL where neither
// would do.
const char *lab_case_behind(const struct obj *root);

// lab_case_init makes the scenario that is to come to the verdict of `root`. `files` may be NULL.
// It returns false, and says why, where that
// cannot be played.
WUNRES bool lab_case_init(struct lab_case *out, const struct obj *root,
                          const struct lab_case_files *files, struct err *err);
void lab_case_cleanup(struct lab_case *lab_case);

// struct lab_cases is the cases of a folder that `export --case` wrote.
struct lab_cases;

// lab_cases_read reads DIR/records.ndjson, and DIR/profile.json, DIR/behind.json and
// DIR/policy.json where they are there. It fails where they cannot be read, or a case cannot be
// played. lab_cases_free frees them; NULL does nothing.
WUNRES struct lab_cases *lab_cases_read(const char *dir, struct err *err);
void lab_cases_free(struct lab_cases *cases);

size_t lab_cases_num(const struct lab_cases *cases);
const struct lab_scenario *lab_cases_at(const struct lab_cases *cases, size_t i);

#endif // PROXY_CLI_LAB_CASE_H_
