#include <ctype.h>
#include <string.h>

#include "policy/redact/redact_words.h"

static size_t run_of(const char *in, size_t len, bool digits) {
    size_t n = 0;
    while (n < len && (isdigit((unsigned char)in[n]) != 0) == digits &&
           (isalnum((unsigned char)in[n]) || (in[n] & 0x80) != 0)) {
        n++;
    }
    return n;
}

// word_len is how long the word at `in` is: letters, and digits behind them.
static size_t word_len(const char *in, size_t len) {
    size_t n = 0;
    while (n < len && (isalnum((unsigned char)in[n]) || (in[n] & 0x80) != 0)) {
        n++;
    }
    return n;
}

void redact_agent(const struct redact_salt *salt, char *out, const char *in, size_t len) {
    bool known = true; // a version is of the word before it
    for (size_t at = 0; at < len;) {
        size_t word = word_len(in + at, len - at), digits = run_of(in + at, len - at, true);
        if (word == 0) {
            out[at] = in[at];
            at++;
            continue;
        }
        if (word != digits) {
            known = redact_keeps(REDACT_KEPT_AGENT, in + at, word);
        }
        if (known) {
            memmove(out + at, in + at, word);
        } else {
            redact_words(salt, out + at, in + at, word);
        }
        at += word;
    }
}
