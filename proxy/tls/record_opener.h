// Protected records put together from pieces and opened. Private to this room: record_reader feeds
// it.
#ifndef PROXY_TLS_RECORD_OPENER_H_
#define PROXY_TLS_RECORD_OPENER_H_

#include "logs/base/buf.h"
#include "proxy/tls/record_protect.h"

// struct record_opener is owned by its caller. It holds one body at most, and only what has come of
// it. Without `protect` nothing is opened.
struct record_opener {
    struct record_protect *protect; // borrowed
    bool pass_over;                 // what does not open is passed over until something does
    struct buf body;

    // What was opened last.
    uint8_t type;
    const uint8_t *content;
    size_t content_len;
};

enum opener_use {
    OPENER_PLAIN, // not protected, or not by what we have
    OPENER_OPEN,  // to be collected and opened
    OPENER_COUNT, // protected data of TLS 1.2: its size is known without opening it
};

void record_opener_init(struct record_opener *opener);
void record_opener_cleanup(struct record_opener *opener);

// record_opener_use returns what is to be done with the body of a record.
enum opener_use record_opener_use(const struct record_opener *opener, uint8_t content_type,
                                  size_t length);

// record_opener_add takes the next bytes of a body.
void record_opener_add(struct record_opener *opener, const uint8_t *p, size_t p_len);

// record_opener_open opens the body and sets `type`, `content` and `content_len`, valid until
// record_opener_drop. It returns false when that fails: then nothing will be opened any more,
// unless `pass_over` says otherwise.
WUNRES bool record_opener_open(struct record_opener *opener, const uint8_t header[5]);

// record_opener_lose drops the body of a record of which a part will not come, and counts it.
void record_opener_lose(struct record_opener *opener);

// record_opener_count counts a record that is not opened and returns how many bytes of content its
// body has.
size_t record_opener_count(struct record_opener *opener, size_t body_len);

// record_opener_drop frees the body.
void record_opener_drop(struct record_opener *opener);

#endif // PROXY_TLS_RECORD_OPENER_H_
