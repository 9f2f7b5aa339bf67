// Notes: what was odd about a peer. A note is never an error, the record carries it and goes on.
#ifndef LOGS_RECORD_NOTE_H_
#define LOGS_RECORD_NOTE_H_

#include <stdbool.h>

#include "logs/base/check.h"

enum note_id {
#define NOTE(name, id, says) NOTE_##name,
#include "logs/record/note.inc"
#undef NOTE
    NOTE_COUNT
};

struct note_info {
    const char *id;   // as logs spell it, "ch-trailing-bytes"; stable for ever
    const char *says; // one plain sentence
};

// note_info returns the row of `id`, a static that is never freed. `id < NOTE_COUNT`.
const struct note_info *note_info(enum note_id id);

// note_parse sets `*out_id` to the note that logs spell `id`. It returns false and changes nothing
// when there is none, as in a log that a newer version wrote.
WUNRES bool note_parse(enum note_id *out_id, const char *id);

#endif // LOGS_RECORD_NOTE_H_
