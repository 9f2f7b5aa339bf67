#include "logs/record/note.h"

#include <string.h>

static const struct note_info notes[NOTE_COUNT] = {
#define NOTE(name, id, says) [NOTE_##name] = {id, says},
#include "logs/record/note.inc"
#undef NOTE
};

const struct note_info *note_info(enum note_id id) {
    CHECK((unsigned)id < NOTE_COUNT);
    return &notes[id];
}

bool note_parse(enum note_id *out_id, const char *id) {
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        if (strcmp(notes[i].id, id) == 0) {
            *out_id = (enum note_id)i;
            return true;
        }
    }
    return false;
}
