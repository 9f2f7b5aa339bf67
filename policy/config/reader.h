// Where in a JSON file its reader is, and how it says what is wrong there.
#ifndef POLICY_CONFIG_READER_H_
#define POLICY_CONFIG_READER_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "logs/base/arena.h"
#include "logs/base/err.h"

// struct reader is owned by its caller; so is all that it points to.
struct reader {
    const char *name; // of the file
    const char *dir;  // for relative paths; NULL: the working directory
    struct arena *arena;
    struct err *err;
    size_t path_len;
    char path[160];
};

// reader_enter_key and reader_enter_item make the JSON path longer, and return what reader_leave
// takes to go back.
size_t reader_enter_key(struct reader *reader, const char *key);
size_t reader_enter_item(struct reader *reader, size_t i);
void reader_leave(struct reader *reader, size_t path_len);

// reader_refuse fills the error with file, path and sentence, and returns false.
PRINTF(2, 3) bool reader_refuse(struct reader *reader, const char *fmt, ...);

// reader_show describes `value` in `out`: a string or number in JSON, cut where it is long, or what
// kind of thing it is.
enum { READER_SHOW_MAX = 80 };
void reader_show(char out[READER_SHOW_MAX], const json_t *value);

// reader_expect_object refuses `json` where it is no object.
WUNRES bool reader_expect_object(struct reader *reader, const json_t *json);

// reader_json is json_loadb with errors that speak of the file and not of jansson's flags. The
// caller decrefs the result; NULL is a filled error.
WUNRES json_t *reader_json(struct reader *reader, const char *text, size_t text_len);

// reader_file returns at most `max` + 1 bytes of the file `path`, which the caller frees, or NULL
// and a filled error where it cannot be read.
WUNRES char *reader_file(size_t *out_len, const char *path, size_t max, struct err *err);

#endif // POLICY_CONFIG_READER_H_
