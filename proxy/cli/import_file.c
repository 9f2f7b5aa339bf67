#include "proxy/cli/import_file.h"

#include <string.h>

#include "logs/record/difference.h"
#include "policy/verdict/verdict.h"
#include "proxy/observe/import_stream.h"

enum {
    PROGRESS_PACKETS = 8192,
    MEMORY_MAX = 80 * 1024 * 1024, // of all open streams; what malloc adds comes on top
};

struct import_file {
    struct import_counts *counts;
    const struct import_reader *reader;
    size_t memory; // of the open streams
};

static struct import_end end_of(const struct flow_end *end) {
    struct import_end out = {.port = end->port};
    memcpy(out.address, end->address, sizeof(out.address));
    return out;
}

static struct syn syn_of(const struct flow_end *end) {
    struct syn out = {.seen = end->syn, .ttl = end->ttl, .window = end->window};
    _Static_assert(sizeof(out.options) >= sizeof(end->options), "options fit");
    memcpy(out.options, end->options, sizeof(end->options));
    out.options_len = end->options_len;
    return out;
}

static struct import_stream *stream_begin(const struct import_file *file,
                                          const struct stream *stream) {
    const struct flow_end *client = &stream->ends[FLOW_CLIENT],
                          *server = &stream->ends[FLOW_SERVER];
    struct import_start start = {
        .client = end_of(client),
        .server = end_of(server),
        .roles_known = stream->roles_known,
        .whole = client->syn || server->syn,
        .syn = {syn_of(client), syn_of(server)},
        .start_us = stream->start_us,
        .connect_us = client->syn && server->syn ? server->syn_us - stream->start_us : -1,
        .keys = file->reader->keys,
    };
    return import_stream_new(&start);
}

static void finish_set(struct import_finish *out, const struct stream *stream) {
    const struct flow_end *client = &stream->ends[FLOW_CLIENT],
                          *server = &stream->ends[FLOW_SERVER];
    bool timed = client->syn && server->syn && server->syn_us >= client->syn_us;
    *out = (struct import_finish){
        .ended = stream->how == FLOW_FIN || stream->how == FLOW_RST,
        .reset = stream->how == FLOW_RST,
        .from_client = stream->by == FLOW_CLIENT,
        .fin = {client->fin, server->fin},
        .end_us = stream->end_us,
        .rst_ttl = stream->how == FLOW_RST ? stream->ends[stream->by].rst_ttl : -1,
        .bytes = {client->bytes, server->bytes},
        .rtt_us = timed ? server->syn_us - client->syn_us : -1,
        .retransmits = (int64_t)client->retransmits + server->retransmits,
        .overlap =
            stream->lanes[FLOW_CLIENT].bytes.differs || stream->lanes[FLOW_SERVER].bytes.differs,
    };
}

// claim_set says who the client is where the capture does not. A hello in SSL 2.0's format is some
// other program's: no browser sends one.
static void claim_set(struct obj *root, const char *user_agent) {
    const struct obj *leg = record_leg(root, false);
    if (user_agent != NULL && !obj_has(root, F_RECORD_USER_AGENT) &&
        !obj_is(leg, F_LEG_OFFER_SSLV2, true)) {
        obj_set_str(root, F_RECORD_USER_AGENT, user_agent);
    }
}

// stream_finish ends what was made of `stream`, and hands the record over if there is one.
static void stream_finish(struct import_file *file, struct stream *stream) {
    struct import_finish finish;
    enum import_kind kind;
    finish_set(&finish, stream);
    struct record *record = import_stream_end(stream->user, &kind, &finish);
    stream->user = NULL;
    file->counts->tls += kind == IMPORT_TLS;
    file->counts->under_way += kind == IMPORT_UNDER_WAY;
    file->counts->refused += kind == IMPORT_REFUSED;
    file->counts->other += kind == IMPORT_NOT_TLS;
    if (record != NULL) {
        claim_set(record->root, file->reader->user_agent);
        difference_record(record->root);
        verdict_decide_within(record->root, file->reader->history);
        if (file->reader->history != NULL) {
            history_note(file->reader->history, record->root);
        }
        file->reader->on_record(file->reader->ctx, record);
    }
}

// stream_want goes on with a stream or, where it is not TLS, lets go of it.
static void stream_want(struct import_file *file, struct stream *stream, bool more) {
    if (!more) {
        stream_finish(file, stream);
        flow_ignore(stream);
    }
}

// memory_leave and memory_enter surround whatever may change what a stream holds.
static void memory_leave(struct import_file *file, const struct stream *stream) {
    file->memory -= stream->user != NULL ? import_stream_memory(stream->user) : 0;
}

static void memory_enter(struct import_file *file, const struct stream *stream) {
    file->memory += stream->user != NULL ? import_stream_memory(stream->user) : 0;
}

static void on_bytes(void *ctx, struct stream *stream, enum flow_side from, const uint8_t *p,
                     size_t p_len, int64_t time_us) {
    memory_leave(ctx, stream);
    if (stream->user == NULL) {
        stream->user = stream_begin(ctx, stream);
    }
    stream_want(ctx, stream,
                import_stream_bytes(stream->user, from == FLOW_CLIENT, p, p_len, time_us));
    memory_enter(ctx, stream);
}

static void on_gap(void *ctx, struct stream *stream, enum flow_side from, uint64_t len,
                   int64_t time_us) {
    (void)time_us;
    memory_leave(ctx, stream);
    if (stream->user == NULL) {
        stream->user = stream_begin(ctx, stream);
    }
    stream_want(ctx, stream, import_stream_gap(stream->user, from == FLOW_CLIENT, len));
    memory_enter(ctx, stream);
}

static void on_end(void *ctx, struct stream *stream) {
    struct import_file *file = ctx;
    memory_leave(file, stream);
    if (stream->user != NULL) {
        stream_finish(file, stream);
    } else if (stream->ends[FLOW_CLIENT].bytes + stream->ends[FLOW_SERVER].bytes == 0) {
        file->counts->empty++;
    }
}

static void counts_add(struct flow_counts *to, const struct flow_counts *from) {
    to->packets += from->packets;
    to->other += from->other;
    to->malformed += from->malformed;
    to->unknown_link += from->unknown_link;
    to->last_unknown_link =
        from->unknown_link != 0 ? from->last_unknown_link : to->last_unknown_link;
    to->cut += from->cut;
    to->fragments_lost += from->fragments_lost;
    to->streams += from->streams;
    to->evicted += from->evicted;
    to->gaps += from->gaps;
    to->gap_bytes += from->gap_bytes;
}

// secrets_take adds the secrets that came with the last packet to the key log, and sets `*taken` to
// how many bytes of text it has seen.
static void secrets_take(size_t *taken, struct import_counts *counts, struct key_log *keys,
                         const struct capture *capture) {
    struct span text = capture_secrets(capture);
    if (keys != NULL && text.len != *taken) {
        counts->broken_secrets +=
            key_log_text(keys, text.p + *taken, text.len - *taken, NULL, NULL);
        *taken = text.len;
    }
}

// packets_read passes all packets on and returns how the file ends.
static enum capture_result packets_read(struct import_file *file, struct flow *flow,
                                        struct capture *capture, const char *path,
                                        struct err *err) {
    const struct import_reader *reader = file->reader;
    struct packet packet;
    enum capture_result result;
    uint64_t num = 0;
    size_t taken = 0;
    while ((result = capture_next(capture, &packet, err)) == CAPTURE_PACKET) {
        secrets_take(&taken, file->counts, reader->keys, capture);
        flow_packet(flow, &packet);
        while (file->memory > MEMORY_MAX && flow_evict(flow)) {
        }
        if (++num % PROGRESS_PACKETS == 0 && reader->on_progress != NULL) {
            reader->on_progress(reader->ctx, path, capture_offset(capture), capture_size(capture));
        }
    }
    return result;
}

bool import_file(struct import_counts *counts, const struct import_reader *reader, const char *path,
                 struct err *err) {
    struct import_file file = {.counts = counts, .reader = reader};
    const struct flow_events events = {
        .ctx = &file, .bytes = on_bytes, .gap = on_gap, .end = on_end};
    err->msg[0] = '\0';
    counts->files++;
    struct capture *capture = capture_open(path, err);
    if (capture == NULL) {
        counts->bad_files++;
        return false;
    }
    struct flow *flow = flow_new(&events, 0);
    enum capture_result result = packets_read(&file, flow, capture, path, err);
    flow_finish(flow);
    struct flow_counts done = flow_counts(flow);
    counts_add(&counts->flow, &done);
    counts->cut_files += result == CAPTURE_CUT;
    counts->bad_files += result == CAPTURE_BAD;
    flow_free(flow);
    capture_free(capture);
    return result != CAPTURE_BAD;
}
