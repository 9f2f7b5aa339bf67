// One direction of a TCP stream, put in order.
#ifndef LOGS_PCAP_REASSEMBLY_H_
#define LOGS_PCAP_REASSEMBLY_H_

#include "logs/record/obj.h"

enum {
    REASSEMBLY_WAITING_MAX = 1024 * 1024, // bytes out of order that wait, bookkeeping included
    REASSEMBLY_PIECES_MAX = 1024,
    REASSEMBLY_HEAD_MAX = 1024, // first bytes that are kept to tell a second, other copy of them
};

struct reassembly_piece;

// struct reassembly is owned by its caller; a zeroed struct has delivered nothing. Offsets count
// bytes of the stream from its first.
struct reassembly {
    uint64_t next; // offset of the next byte to deliver
    struct reassembly_piece *first, *last;
    size_t waiting; // bytes of memory in pieces
    uint32_t num_pieces;
    bool differs;  // a byte came twice with different values
    uint8_t *head; // the first bytes that were delivered, NULL before
    uint16_t head_len;
};

// struct reassembly_bytes is a run of bytes in order, which the reassembly or the caller owns.
struct reassembly_bytes {
    const uint8_t *p;
    size_t len;
    int64_t time_us; // of the packet that brought them
};

void reassembly_cleanup(struct reassembly *r);

// reassembly_put takes the segment `p` at `offset`. It returns true when bytes of it are next:
// `*out` is then that part of `p`, and `next` behind it. Otherwise what is new of it waits. The
// first copy of a byte wins. A segment that passes a ceiling is dropped: `*out_full` is then true
// and the caller gives up a gap and comes back.
bool reassembly_put(struct reassembly *r, struct reassembly_bytes *out, bool *out_full,
                    uint64_t offset, struct reassembly_bytes segment);

// reassembly_take hands over what waited and is next now; `*out` is valid until the next call with
// `r`.
bool reassembly_take(struct reassembly *r, struct reassembly_bytes *out);

// reassembly_gap gives up the bytes before the first waiting piece: `next` goes there. It returns
// how many they were, 0 when nothing waits.
uint64_t reassembly_gap(struct reassembly *r);

// reassembly_skip gives up bytes that are known to be lost, up to offset `to` or the first waiting
// piece. It returns how many they were.
uint64_t reassembly_skip(struct reassembly *r, uint64_t to);

// reassembly_drop frees what waits and the kept head.
void reassembly_drop(struct reassembly *r);

#endif // LOGS_PCAP_REASSEMBLY_H_
