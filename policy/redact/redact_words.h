// Names and words, each mapped to others of the same length and form. What is mapped to what
// depends on a salt alone, so that the same stays the same and nobody else can tell what it was.
#ifndef POLICY_REDACT_REDACT_WORDS_H_
#define POLICY_REDACT_REDACT_WORDS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REDACT_SALT_LEN = 32 };

struct redact_salt {
    uint8_t bytes[REDACT_SALT_LEN];
};

// redact_fill writes `len` bytes that depend on the salt, the kind `tag` and `in`.
void redact_fill(const struct redact_salt *salt, uint8_t *out, size_t len, char tag, const void *in,
                 size_t in_len);

// redact_name maps the host name `in` to `out`, `len` bytes each: label by label, under a last one
// that is reserved where the length allows. Wildcards, "www", localhost, and public domains
// (policy/verdict/public_names.inc) stay.
void redact_name(const struct redact_salt *salt, char *out, const char *in, size_t len);

// redact_is_name returns whether `in` looks like a host name of several labels.
bool redact_is_name(const char *in, size_t len);

// redact_words maps text word by word but for those of kept_words.inc, and host names in it as
// redact_name does. Letters stay letters, of the same case, and digits digits.
void redact_words(const struct redact_salt *salt, char *out, const char *in, size_t len);

// redact_value maps the value of an attribute of a distinguished name, `key` being CN, O, ...
// Countries stay, and so does what tells an inspector (policy/verdict/inspectors.inc).
void redact_value(const struct redact_salt *salt, char *out, const char *key, const char *in,
                  size_t len);

// What stays as it is, in any case of letters: words (kept_words.inc), the names of well-known
// programs and systems (kept_agents.inc), and whatever begins like the organisation of a public CA
// (kept_issuers.inc).
enum redact_kept { REDACT_KEPT_WORD, REDACT_KEPT_AGENT, REDACT_KEPT_ISSUER };

// redact_keeps returns whether `in` is of that kind.
bool redact_keeps(enum redact_kept kind, const char *in, size_t len);

// redact_dn maps a distinguished name in the manner of RFC 4514 value by value, unless it is a
// public CA's.
void redact_dn(const struct redact_salt *salt, char *out, const char *in, size_t len);

// redact_dn_is_public returns whether that text is a public CA's name.
bool redact_dn_is_public(const char *in, size_t len);

// redact_agent maps a User-Agent but for the names and versions of well-known programs and systems
// (kept_agents.inc).
void redact_agent(const struct redact_salt *salt, char *out, const char *in, size_t len);

#endif // POLICY_REDACT_REDACT_WORDS_H_
