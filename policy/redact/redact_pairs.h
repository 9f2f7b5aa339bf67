// What is replaced by what, wherever it stands: texts in any case and as UTF-16, and plain bytes.
#ifndef POLICY_REDACT_REDACT_PAIRS_H_
#define POLICY_REDACT_REDACT_PAIRS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/arena.h"
#include "logs/base/buf.h"

enum {
    REDACT_PAIRS_MAX = 100000,
    REDACT_TEXT_MIN = 5,  // bytes of a text that is replaced inside other words, too
    REDACT_BYTES_MIN = 6, // bytes of plain bytes that are replaced wherever they stand
};

struct redact_pair {
    const uint8_t *from, *to;
    size_t from_len, to_len;
    bool any_case;        // ASCII letters of `from` match in either case
    bool whole_words;     // matches only where no letter or digit stands beside it
    bool in_text, in_raw; // where it is looked for
    size_t next;          // with the same first byte: its index and 1, or 0
};

// struct redact_pairs is owned by its caller; zeroes are none.
struct redact_pairs {
    struct arena arena;
    struct redact_pair *pairs;
    size_t num, cap;
    size_t first[256]; // by first byte, in lower case: an index and 1, or 0
    bool sorted;
};

void redact_pairs_cleanup(struct redact_pairs *pairs);

// redact_pairs_add_text has the text `from` replaced by `to`, both `len` bytes, everywhere and in
// UTF-16 of either order; nothing happens where they are the same. Shorter than REDACT_TEXT_MIN it
// is only replaced as a whole word, and not in raw bytes.
void redact_pairs_add_text(struct redact_pairs *pairs, const char *from, const char *to,
                           size_t len);

// redact_pairs_add_address has the text of an address replaced, in texts by `to` and in raw bytes,
// where lengths matter, by `fit`, as long as `from`.
void redact_pairs_add_address(struct redact_pairs *pairs, const char *from, const char *to,
                              const char *fit);

// redact_pairs_add_bytes has `len` bytes replaced in raw bytes, from REDACT_BYTES_MIN on, and their
// hexadecimal digits in texts.
void redact_pairs_add_bytes(struct redact_pairs *pairs, const uint8_t *from, const uint8_t *to,
                            size_t len);

// redact_pairs_text appends `p` with everything replaced to `out`. Where two pairs would match, the
// longer one does.
WUNRES bool redact_pairs_text(struct redact_pairs *pairs, struct buf *out, const void *p,
                              size_t p_len);

// redact_pairs_raw replaces in place: what stands behind stays where it is.
void redact_pairs_raw(struct redact_pairs *pairs, uint8_t *p, size_t p_len);

#endif // POLICY_REDACT_REDACT_PAIRS_H_
