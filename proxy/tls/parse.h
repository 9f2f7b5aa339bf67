// What the message parsers share: a place for notes, the handshake header, the walk over
// extensions. Private to this room.
#ifndef PROXY_TLS_PARSE_H_
#define PROXY_TLS_PARSE_H_

#include "proxy/tls/code_list.h"
#include "proxy/tls/note_sink.h"
#include "third_party/boringssl/boringssl.h"

// struct parse is the state of one parser call. `ok` turns false, and stays so, when a required
// field could not be read.
struct parse {
    const uint8_t *base; // the message's first byte: offsets in notes count from here
    struct note_sink *notes;
    bool ok;
    bool ext_grease;            // parse_extensions has seen GREASE
    const uint8_t *ext_unknown; // the first extension that no registry knows, or NULL
    uint64_t ext_low;           // bit n: an extension of type n was there
};

// parse_note adds a note about the byte at `at`.
void parse_note(struct parse *ps, enum note_id id, const uint8_t *at);

// parse_broken is parse_note for what could not be read. It returns false.
bool parse_broken(struct parse *ps, enum note_id id, const uint8_t *at);

// struct parse_ids names the notes of one message: each message has its own.
struct parse_ids {
    enum note_id truncated, trailing, ext_length, ext_duplicate, ext_malformed, ext_forbidden;
    uint16_t ext_message; // the EXT_IN_ bit of extension.h
};

// parse_open begins a parser: it sets `ps` up, checks the four bytes of handshake header (RFC 8446,
// section 4) and sets `*out_body` to the body, as far as it is there. It returns false when `p` is
// not a message of `type`; a body of another length than announced is noted.
bool parse_open(struct parse *ps, CBS *out_body, const struct parse_ids *ids,
                struct note_sink *notes, uint8_t type, const uint8_t *p, size_t p_len);

// parse_close notes bytes that are left in `body`.
void parse_close(struct parse *ps, const CBS *body, const struct parse_ids *ids);

// parse_codes views all of `cbs` as numbers of `width` bytes. It returns false when they don't
// divide evenly; the list then holds the whole ones.
bool parse_codes(struct code_list *out, const CBS *cbs, uint8_t width);

// parse_codes8 and parse_codes16 take a list with a length prefix of one or two bytes.
bool parse_codes8(struct code_list *out, CBS *cbs, uint8_t width);
bool parse_codes16(struct code_list *out, CBS *cbs, uint8_t width);

// parse_has_duplicate returns whether a number stands in a list of two-byte numbers twice.
bool parse_has_duplicate(const struct code_list *list);

// struct parse_extension decodes one type of extension into `out`, the message's struct. It returns
// false when `body` does not have the shape its RFC gives it; bytes it leaves in `body` count as
// that, too.
struct parse_extension {
    uint16_t type;
    bool (*decode)(void *out, struct parse *ps, CBS *body);
};

// parse_extensions takes the extension block, with its length of two bytes, from `cbs`: every
// extension is decoded by its row of `rows` if it has one, odd ones are noted. `*out_block` becomes
// the block as far as it is there and `*out_num` the number of extensions in it.
void parse_extensions(struct parse *ps, CBS *out_block, uint16_t *out_num, CBS *cbs, void *out,
                      const struct parse_ids *ids, const struct parse_extension *rows,
                      size_t num_rows);

// parse_has_extension returns whether parse_extensions has seen `type`, below 64, readable or not.
bool parse_has_extension(const struct parse *ps, uint16_t type);

// parse_flag sets `*out` for an extension without a body, and returns whether it has none.
bool parse_flag(bool *out, const CBS *body);

// parse_one_name takes an ALPN answer: a list of names of which there should be one. `*out` becomes
// the first; `*out_one` whether it is the only one and not empty. It returns false for another
// shape.
bool parse_one_name(CBS *out, bool *out_one, CBS *body);

#endif // PROXY_TLS_PARSE_H_
