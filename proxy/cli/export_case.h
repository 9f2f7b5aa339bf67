// The kit that `export --case` writes: a failed connection for a bug report.
#ifndef PROXY_CLI_EXPORT_CASE_H_
#define PROXY_CLI_EXPORT_CASE_H_

#include <stdbool.h>

#include "logs/base/err.h"
#include "logs/record/record.h"

// export_case_write makes the folder `dir` with the `num` records, redacted unless `plain`, and all
// that plays them again; `*out_played` is how many of them run.sh can play. The folder must not be
// there, or be empty; it is there as a whole or, on failure, not at all.
WUNRES bool export_case_write(const char *dir, size_t *out_played, const struct obj *const *roots,
                              size_t num, bool plain, struct err *err);

#endif // PROXY_CLI_EXPORT_CASE_H_
