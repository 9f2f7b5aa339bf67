// Names and strings of a certificate as text that is safe to print.
#ifndef POLICY_CA_CERT_TEXT_H_
#define POLICY_CA_CERT_TEXT_H_

#include <stdbool.h>

#include "logs/base/arena.h"
#include "third_party/boringssl/boringssl.h"

// The longest text made from one string and from one name, in bytes; the rest is cut off and
// replaced by "...".
enum { CERT_TEXT_STRING_MAX = 512, CERT_TEXT_NAME_MAX = 2048 };

// cert_text_string returns the ASN.1 string `value` with tag `tag` as UTF-8 taken from `arena`.
// Control characters, direction marks and bytes that are not text come out as \XX (hexadecimal),
// a backslash as two, so the result can be printed on a terminal and read back without doubt.
const char *cert_text_string(CBS value, unsigned tag, struct arena *arena);

// cert_text_name returns a Name (its contents, the RDNSequence without header) in the manner of
// RFC 4514, most specific part first, parts separated by ", ". It returns false where the Name is
// malformed; `*out` then holds the parts before that point.
bool cert_text_name(CBS name, struct arena *arena, const char **out);

// cert_text_attribute finds the most specific attribute of `name` that cert_oid_attributes calls
// `attribute` and returns whether there is one.
bool cert_text_attribute(CBS name, const char *attribute, CBS *out_value, unsigned *out_tag);

// cert_text_hex returns `p_len` bytes as lowercase hexadecimal taken from `arena`.
const char *cert_text_hex(const uint8_t *p, size_t p_len, struct arena *arena);

#endif // POLICY_CA_CERT_TEXT_H_
