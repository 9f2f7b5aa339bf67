#include "logs/pcap/reassembly.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"

// Pieces are in order and do not overlap. The one that was handed out last stays first, with `done`
// set, until the next call.
struct reassembly_piece {
    struct reassembly_piece *next;
    uint64_t offset;
    int64_t time_us;
    size_t len;
    bool done;
    uint8_t data[];
};

static size_t piece_size(size_t len) { return sizeof(struct reassembly_piece) + len; }

static void first_free(struct reassembly *r) {
    struct reassembly_piece *piece = r->first;
    r->first = piece->next;
    r->last = r->first != NULL ? r->last : NULL;
    r->waiting -= piece_size(piece->len);
    r->num_pieces--;
    free(piece);
}

static void done_free(struct reassembly *r) {
    if (r->first != NULL && r->first->done) {
        first_free(r);
    }
}

void reassembly_drop(struct reassembly *r) {
    while (r->first != NULL) {
        first_free(r);
    }
    free(r->head);
    r->head = NULL;
    r->head_len = 0;
}

void reassembly_cleanup(struct reassembly *r) { reassembly_drop(r); }

static void head_keep(struct reassembly *r, uint64_t offset, const uint8_t *p, size_t len) {
    if (offset != r->head_len || r->head_len == REASSEMBLY_HEAD_MAX) {
        return;
    }
    size_t room = (size_t)REASSEMBLY_HEAD_MAX - r->head_len;
    size_t n = len < room ? len : room;
    r->head = xrealloc(r->head, r->head_len + n);
    memcpy(r->head + r->head_len, p, n);
    r->head_len += (uint16_t)n;
}

// compare holds the part of `p` at `offset` that lies in [from, from + have_len) against `have`.
static void compare(struct reassembly *r, uint64_t offset, const uint8_t *p, size_t len,
                    uint64_t from, const uint8_t *have, size_t have_len) {
    uint64_t start = offset > from ? offset : from;
    uint64_t end = offset + len < from + have_len ? offset + len : from + have_len;
    if (start < end && memcmp(p + (start - offset), have + (start - from), end - start) != 0) {
        r->differs = true;
    }
}

// insert adds a piece behind `before`, or at the front for NULL.
static bool insert(struct reassembly *r, struct reassembly_piece *before, uint64_t offset,
                   struct reassembly_bytes bytes) {
    if (piece_size(bytes.len) > REASSEMBLY_WAITING_MAX - r->waiting ||
        r->num_pieces == REASSEMBLY_PIECES_MAX) {
        return false;
    }
    struct reassembly_piece *piece = xmalloc(piece_size(bytes.len));
    struct reassembly_piece **link = before != NULL ? &before->next : &r->first;
    *piece = (struct reassembly_piece){
        .next = *link, .offset = offset, .time_us = bytes.time_us, .len = bytes.len};
    memcpy(piece->data, bytes.p, bytes.len);
    *link = piece;
    r->last = piece->next == NULL ? piece : r->last;
    r->waiting += piece_size(bytes.len);
    r->num_pieces++;
    return true;
}

// wait_for keeps what is new of a segment beyond `next`, in as many pieces as it has new parts.
static bool wait_for(struct reassembly *r, uint64_t offset, struct reassembly_bytes segment) {
    struct reassembly_piece *before = NULL;
    if (r->last != NULL && r->last->offset + r->last->len <= offset) {
        before = r->last; // the usual case: it follows all that waits
    } else {
        for (struct reassembly_piece *at = r->first; at != NULL && at->offset <= offset;
             at = at->next) {
            before = at;
        }
    }
    const uint8_t *p = segment.p;
    uint64_t end = offset + segment.len;
    while (offset < end) {
        struct reassembly_piece *after = before != NULL ? before->next : r->first;
        if (before != NULL && before->offset + before->len > offset) {
            compare(r, offset, p, end - offset, before->offset, before->data, before->len);
            uint64_t skip = before->offset + before->len - offset;
            skip = skip < end - offset ? skip : end - offset;
            offset += skip;
            p += skip;
            continue;
        }
        uint64_t until = after != NULL && after->offset < end ? after->offset : end;
        struct reassembly_bytes part = {p, until - offset, segment.time_us};
        if (part.len != 0 && !insert(r, before, offset, part)) {
            return false;
        }
        p += part.len;
        offset = until;
        before = after;
    }
    return true;
}

bool reassembly_put(struct reassembly *r, struct reassembly_bytes *out, bool *out_full,
                    uint64_t offset, struct reassembly_bytes segment) {
    *out_full = false;
    done_free(r);
    if (offset < r->head_len) {
        compare(r, offset, segment.p, segment.len, 0, r->head, r->head_len);
    }
    if (offset + segment.len <= r->next) {
        return false;
    }
    if (offset > r->next) {
        *out_full = !wait_for(r, offset, segment);
        return false;
    }
    size_t old = (size_t)(r->next - offset);
    *out = (struct reassembly_bytes){segment.p + old, segment.len - old, segment.time_us};
    if (r->first != NULL && r->first->offset < offset + segment.len) {
        // A piece that came before holds part of this: what lies behind its start has to wait for
        // it.
        size_t n = (size_t)(r->first->offset - r->next);
        struct reassembly_bytes rest = {out->p + n, out->len - n, out->time_us};
        *out_full = !wait_for(r, r->first->offset, rest);
        out->len = n;
    }
    head_keep(r, r->next, out->p, out->len);
    r->next += out->len;
    return true;
}

bool reassembly_take(struct reassembly *r, struct reassembly_bytes *out) {
    done_free(r);
    struct reassembly_piece *piece = r->first;
    if (piece == NULL || piece->offset != r->next) {
        return false;
    }
    piece->done = true;
    head_keep(r, r->next, piece->data, piece->len);
    r->next += piece->len;
    *out = (struct reassembly_bytes){piece->data, piece->len, piece->time_us};
    return true;
}

uint64_t reassembly_skip(struct reassembly *r, uint64_t to) {
    done_free(r);
    if (r->first != NULL && r->first->offset < to) {
        to = r->first->offset;
    }
    uint64_t gap = to > r->next ? to - r->next : 0;
    r->next += gap;
    return gap;
}

uint64_t reassembly_gap(struct reassembly *r) {
    done_free(r);
    return r->first != NULL ? reassembly_skip(r, r->first->offset) : 0;
}
