#include "proxy/tls/note_sink.h"

static struct note_seen *sink_find(struct note_sink *sink, enum note_id id) {
    for (size_t i = 0; i < sink->num; i++) {
        if (sink->notes[i].id == id) {
            return &sink->notes[i];
        }
    }
    return NULL;
}

void note_sink_add(struct note_sink *sink, enum note_id id, uint64_t offset) {
    if (sink == NULL) {
        return;
    }
    struct note_seen *seen = sink_find(sink, id);
    if (seen != NULL) {
        seen->times += seen->times < UINT32_MAX;
    } else if (sink->num < NOTE_SINK_MAX) {
        sink->notes[sink->num++] = (struct note_seen){.id = id, .times = 1, .offset = offset};
    } else {
        sink->num_dropped += sink->num_dropped < UINT16_MAX;
    }
}

const struct note_seen *note_sink_find(const struct note_sink *sink, enum note_id id) {
    return sink_find((struct note_sink *)sink, id);
}
