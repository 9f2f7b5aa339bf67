// Handshake messages for the tests of proxy/tls: recorded ones and a maker of odd ones.
#ifndef TESTS_UNIT_PROXY_TLS_SAMPLES_H_
#define TESTS_UNIT_PROXY_TLS_SAMPLES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/tls/note_sink.h"

struct sample {
    const char *name;
    size_t len;
    const uint8_t *p;
};

extern const struct sample samples[]; // ends with a row whose name is NULL

// sample_get returns the row called `name`; there must be one.
const struct sample *sample_get(const char *name);

// sample_abuse calls `parse` with the sample cut at every length and with each byte changed in
// several ways, each time in memory of exactly that size, so that a sanitizer sees every overrun.
void sample_abuse(const struct sample *sample, void (*parse)(const uint8_t *p, size_t p_len));

// struct made is memory that the test frees with made_free.
struct made {
    uint8_t *p;
    size_t len;
};

void made_free(struct made *made);

// made_copy copies bytes, made_hex reads them from text, where white space is ignored.
struct made made_copy(const uint8_t *p, size_t p_len);
struct made made_hex(const char *hex);

// made_message puts the four bytes of header before a body.
struct made made_message(uint8_t type, const char *body_hex);

// made_hello makes a ClientHello 0x0303 with an empty session id, the suites 0x1301 and 0xc02f and
// this block of extensions, whose length is added; NULL for none.
struct made made_hello(const char *extensions_hex);

// made_records cuts `p` into records of `content_type` with at most `max` bytes each.
struct made made_records(uint8_t content_type, const uint8_t *p, size_t p_len, size_t max);

// made_join appends `more` to `made` and frees `more`.
void made_join(struct made *made, struct made more);

// noted returns how often `id` was noted.
unsigned noted(const struct note_sink *notes, enum note_id id);

// noted_at returns whether `id` was noted, first at `offset`.
bool noted_at(const struct note_sink *notes, enum note_id id, uint64_t offset);

#endif // TESTS_UNIT_PROXY_TLS_SAMPLES_H_
