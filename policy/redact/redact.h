// Records that may be shown to strangers. Host names, addresses, User-Agents and what certificates
// say of their owners are replaced, the same by the same in everything that one `struct redact` has
// learned, by what has the same length: offsets, lengths and differences stay, and so does the
// verdict. What is kept, and why, is in the tables kept_*.inc and in redact_tells.
#ifndef POLICY_REDACT_REDACT_H_
#define POLICY_REDACT_REDACT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/buf.h"
#include "logs/record/record.h"

struct redact;

// struct redact_counts is how much was found to replace.
struct redact_counts {
    size_t names, addresses, agents, certificates;
    size_t wires; // legs whose bytes were left out, because names may be left in them
};

enum { REDACT_SEED_LEN = 32 };

// redact_new begins a mapping that depends on `seed`, which nobody may know who is to be kept from
// undoing it. The caller frees it with redact_free; NULL does nothing there.
WUNRES struct redact *redact_new(const uint8_t seed[REDACT_SEED_LEN]);
void redact_free(struct redact *redact);

// redact_learn takes in what a record names people and machines by. Every record has to be learned
// before the first is redacted.
void redact_learn(struct redact *redact, const struct obj *root);

// redact_record returns the record redacted, to be freed with record_free. It holds no secrets of
// TLS and no OCSP responses.
WUNRES struct record *redact_record(struct redact *redact, const struct obj *root);

// redact_text appends a text with everything replaced that was learned. It fails past the ceiling.
WUNRES bool redact_text(struct redact *redact, struct buf *out, const void *p, size_t p_len);

// redact_counts returns what was found so far; it lives as long as `redact`.
const struct redact_counts *redact_counts(const struct redact *redact);

// redact_tells is what is replaced and what is not, for people: paragraphs in Markdown.
extern const char redact_tells[];

#endif // POLICY_REDACT_REDACT_H_
