// Where a record begins in the middle of a stream.
#ifndef PROXY_TLS_RECORD_SYNC_H_
#define PROXY_TLS_RECORD_SYNC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_SYNC_LEN = 9 };

// struct record_sync is owned by its caller; a zeroed struct begins a search.
struct record_sync {
    uint8_t window[RECORD_SYNC_LEN]; // the last bytes of the stream
    uint8_t len;
};

// record_sync_find eats from `in` up to where it is clear that a record begins. It then returns
// true, and that record's first bytes are the `len` bytes of `window`, the rest of `in` following.
// A handshake record has to hold a message, an alert to be one; application data can only be told
// by its header, so what is found may turn out to be chance.
bool record_sync_find(struct record_sync *sync, const uint8_t *in, size_t *in_len);

#endif // PROXY_TLS_RECORD_SYNC_H_
