// Where parsers put what is odd about a peer: note ids with the offset of the first occurrence.
#ifndef PROXY_TLS_NOTE_SINK_H_
#define PROXY_TLS_NOTE_SINK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/record/note.h"

enum { NOTE_SINK_MAX = 32 };

struct note_seen {
    enum note_id id;
    uint32_t times;  // how often, saturating
    uint64_t offset; // of the first occurrence: bytes from the start of the message or stream
};

// struct note_sink is owned by its caller and allocates nothing. A zeroed struct is an empty sink.
struct note_sink {
    uint16_t num;
    uint16_t num_dropped; // notes beyond NOTE_SINK_MAX different ids, saturating
    struct note_seen notes[NOTE_SINK_MAX];
};

// note_sink_add records that `id` was seen at `offset`. An id that is there already is counted, its
// first offset kept. `sink` may be NULL: then nothing happens.
void note_sink_add(struct note_sink *sink, enum note_id id, uint64_t offset);

// note_sink_find returns the entry of `id`, or NULL when it was not seen.
const struct note_seen *note_sink_find(const struct note_sink *sink, enum note_id id);

#endif // PROXY_TLS_NOTE_SINK_H_
