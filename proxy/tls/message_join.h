// Handshake messages put together from the bodies of records. Private to this room: record_reader
// feeds it.
#ifndef PROXY_TLS_MESSAGE_JOIN_H_
#define PROXY_TLS_MESSAGE_JOIN_H_

#include "logs/base/buf.h"
#include "proxy/tls/note_sink.h"

enum { MESSAGE_CUTS = 8 }; // parts of a message whose sizes are kept

// struct message_part says where a message is and how it was cut.
struct message_part {
    const uint8_t *p; // the message with its header; in the caller's bytes or in the join
    size_t len;
    uint64_t offset;             // in the stream, of its first byte
    uint32_t announced;          // its length with the header; 0 when the header is not whole
    bool cut_off;                // only the first `len` bytes of it were kept or came
    uint32_t num_records;        // over how many records it was split
    uint16_t cuts[MESSAGE_CUTS]; // how many of its bytes the first of them held
};

// struct message_join is owned by its caller. It holds one message at most, up to its ceiling.
struct message_join {
    uint32_t hello_max, certificate_max;
    struct buf buf;
    uint32_t keep;               // bytes of the current message to keep, once its header is there
    uint32_t skip;               // bytes of a message beyond its ceiling still to come
    uint32_t messages_in_record; // that have bytes in the current record
    bool part_in_record;         // the current message is one of them
    bool done;                   // `buf` was handed out and is to be dropped
    struct message_part part;
};

// message_join_init makes an empty join. Messages that carry certificates or their names are kept
// up to `certificate_max` bytes, others up to `hello_max`; both are at least 4.
void message_join_init(struct message_join *join, uint32_t hello_max, uint32_t certificate_max);

void message_join_cleanup(struct message_join *join);

// message_join_record says that the next bytes come from another record.
void message_join_record(struct message_join *join);

// message_join_feed eats from the `p_len` bytes at `p`, more than none, which stand at `offset` of
// the stream, up to the end of a message, and returns how many. When that completes one, or its
// ceiling is reached, `*out` is set to it and `*out_whole` is true; it is valid until the next
// call. What is odd goes to `notes`, whose offsets count in the stream.
size_t message_join_feed(struct message_join *join, struct message_part *out, bool *out_whole,
                         struct note_sink *notes, uint64_t offset, const uint8_t *p, size_t p_len);

// message_join_drop frees the message that was handed out last.
void message_join_drop(struct message_join *join);

// message_join_pending returns whether a message has begun and not ended.
bool message_join_pending(const struct message_join *join);

// message_join_gap says that the next `n` bytes are missing. It returns true when the current
// message reaches at least that far: the message is dropped and what follows it is read. Otherwise
// everything is forgotten.
bool message_join_gap(struct message_join *join, uint64_t n);

// message_join_rest sets `*out` to what there is of a message that will not be completed, and
// forgets it. It returns false when there is nothing.
bool message_join_rest(struct message_join *join, struct message_part *out);

#endif // PROXY_TLS_MESSAGE_JOIN_H_
