#include "policy/redact/redact_words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "logs/base/check.h"
#include "policy/verdict/known_name.h"
#include "third_party/boringssl/boringssl.h"

enum { NAME_MAX_LEN = 255, ATTRIBUTE_MAX = 512 };

void redact_fill(const struct redact_salt *salt, uint8_t *out, size_t len, char tag, const void *in,
                 size_t in_len) {
    uint8_t block[SHA256_DIGEST_LENGTH];
    for (uint32_t n = 0; len > 0; n++) {
        SHA256_CTX ctx;
        SHA256_Init(&ctx);
        SHA256_Update(&ctx, salt->bytes, sizeof(salt->bytes));
        SHA256_Update(&ctx, &n, sizeof(n));
        SHA256_Update(&ctx, &tag, 1);
        SHA256_Update(&ctx, in, in_len);
        SHA256_Final(block, &ctx);
        size_t take = len < sizeof(block) ? len : sizeof(block);
        memcpy(out, block, take);
        out += take;
        len -= take;
    }
}

// struct kept_list is a list of what stays.
struct kept_list {
    const char *const *texts;
    size_t num;
    bool begins; // with one of them, whatever follows
};

bool redact_keeps(enum redact_kept kind, const char *in, size_t len) {
#define KEPT(text) text,
    static const char *const words[] = {
#include "policy/redact/kept_words.inc"
    };
    static const char *const agents[] = {
#include "policy/redact/kept_agents.inc"
    };
    static const char *const issuers[] = {
#include "policy/redact/kept_issuers.inc"
    };
#undef KEPT
    static const struct kept_list lists[] = {
        [REDACT_KEPT_WORD] = {words, ARRAY_LEN(words), false},
        [REDACT_KEPT_AGENT] = {agents, ARRAY_LEN(agents), false},
        [REDACT_KEPT_ISSUER] = {issuers, ARRAY_LEN(issuers), true},
    };
    const struct kept_list *list = &lists[kind];
    for (size_t i = 0; i < list->num; i++) {
        size_t n = strlen(list->texts[i]);
        if ((list->begins ? n <= len : n == len) && strncasecmp(list->texts[i], in, n) == 0) {
            return true;
        }
    }
    return false;
}

// A byte that is part of a word: those of UTF-8 are letters.
static bool is_word(char c) { return isalnum((unsigned char)c) || (c & 0x80) != 0; }

// word maps letters to letters and digits to digits. The same word in another case is the same.
static void word(const struct redact_salt *salt, char *out, const char *in, size_t len) {
    char lower[ATTRIBUTE_MAX];
    uint8_t fill[ATTRIBUTE_MAX];
    for (size_t done = 0; done < len; done += sizeof(lower)) {
        size_t take = len - done < sizeof(lower) ? len - done : sizeof(lower);
        for (size_t i = 0; i < take; i++) {
            lower[i] = (char)tolower((unsigned char)in[done + i]);
        }
        redact_fill(salt, fill, take, 'w', lower, take);
        for (size_t i = 0; i < take; i++) {
            char c = in[done + i];
            char base = isupper((unsigned char)c) ? 'A' : isdigit((unsigned char)c) ? '0' : 'a';
            out[done + i] = (char)(base + fill[i] % (base == '0' ? 10 : 26));
        }
    }
}

// ---- names

// last_label maps the label under the root to one that is reserved (RFC 2606), or to letters that
// no registry gives out (ISO 3166 leaves ZZ to its users).
static void last_label(char *out, size_t len) {
    static const char *const reserved[] = {"test", "example", "invalid"};
    memset(out, 'z', len);
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (strlen(reserved[i]) == len) {
            memcpy(out, reserved[i], len);
            return;
        }
    }
}

static void name_label(const struct redact_salt *salt, char *out, const char *in, size_t len,
                       bool last, bool only) {
    bool kept = only ? redact_keeps(REDACT_KEPT_WORD, in, len)
                     : (len == 3 && strncasecmp(in, "www", len) == 0) ||
                           (last && len == 9 && strncasecmp(in, "localhost", len) == 0);
    if (kept) {
        memmove(out, in, len);
    } else if (last && !only) {
        last_label(out, len);
    } else {
        word(salt, out, in, len);
        for (size_t i = 0; i < len; i++) {
            bool joint = in[i] == '*' || in[i] == '-' || in[i] == '_';
            out[i] = joint ? in[i] : (char)tolower((unsigned char)out[i]);
        }
    }
}

// public_len is how much of the end of a name everybody knows.
static size_t public_len(const char *in, size_t len) {
    static const char tests[] = "badssl.com";
    char name[NAME_MAX_LEN + 1];
    if (len > NAME_MAX_LEN) {
        return 0;
    }
    memcpy(name, in, len);
    name[len] = '\0';
    const char *domain = known_name_public_domain(name);
    bool test =
        len >= sizeof(tests) - 1 && strcasecmp(name + len - (sizeof(tests) - 1), tests) == 0;
    return test ? len : domain != NULL ? strlen(domain) : 0;
}

void redact_name(const struct redact_salt *salt, char *out, const char *in, size_t len) {
    size_t kept = public_len(in, len);
    size_t end = len - kept, root = end > 0 && in[end - 1] == '.' && kept == 0 ? end - 1 : end;
    memmove(out + end, in + end, kept);
    for (size_t at = 0; at < end;) {
        size_t label = 0;
        while (at + label < end && in[at + label] != '.') {
            label++;
        }
        bool last = kept == 0 && at + label >= root;
        name_label(salt, out + at, in + at, label, last, last && at == 0);
        at += label;
        if (at < end) {
            out[at] = in[at];
            at++;
        }
    }
}

bool redact_is_name(const char *in, size_t len) {
    size_t label = 0, dots = 0;
    bool letters = true;
    for (size_t i = 0; i < len; i++) {
        if (in[i] == '.') {
            if (label == 0 || i + 1 == len) {
                return false;
            }
            dots++;
            label = 0;
            letters = true;
        } else if (isalnum((unsigned char)in[i]) || strchr("-_*", in[i]) != NULL) {
            letters = letters && (isalpha((unsigned char)in[i]) || label > 0);
            label++;
        } else {
            return false;
        }
    }
    return dots > 0 && label >= 2 && letters;
}

// ---- text

static bool is_name_char(char c) {
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_' || c == '*';
}

void redact_words(const struct redact_salt *salt, char *out, const char *in, size_t len) {
    for (size_t at = 0; at < len;) {
        size_t run = 0;
        while (at + run < len && is_name_char(in[at + run])) {
            run++;
        }
        if (run > 0 && redact_is_name(in + at, run)) {
            redact_name(salt, out + at, in + at, run);
            at += run;
            continue;
        }
        run = 0;
        while (at + run < len && is_word(in[at + run])) {
            run++;
        }
        if (run == 0) {
            out[at] = in[at];
            at++;
        } else {
            if (redact_keeps(REDACT_KEPT_WORD, in + at, run)) {
                memmove(out + at, in + at, run);
            } else {
                word(salt, out + at, in + at, run);
            }
            at += run;
        }
    }
}

// is_told returns whether the attribute tells an inspector. In a certificate it stands as it is, in
// text with what RFC 4514 escapes.
static bool is_told(const char *key, const char *in, size_t len, bool escape) {
    char attribute[ATTRIBUTE_MAX];
    size_t n = (size_t)snprintf(attribute, sizeof(attribute), "%s=", key);
    for (size_t i = 0; i < len && n + 3 < sizeof(attribute); i++) {
        if (escape && strchr(",+\"\\<>;", in[i]) != NULL && in[i] != '\0') {
            attribute[n++] = '\\';
        }
        attribute[n++] = in[i];
    }
    attribute[n] = '\0';
    return n + 3 < sizeof(attribute) && known_name_inspector(attribute) != NULL;
}

void redact_value(const struct redact_salt *salt, char *out, const char *key, const char *in,
                  size_t len) {
    bool told = is_told(key, in, len, false) || is_told(key, in, len, true);
    if (told || strcasecmp(key, "C") == 0) {
        memmove(out, in, len);
    } else {
        redact_words(salt, out, in, len);
    }
}

// ---- distinguished names

// dn_next finds the next attribute of `in` from `*at` on: its key and its value.
static bool dn_next(const char *in, size_t len, size_t *at, size_t *out_key, size_t *out_key_len,
                    size_t *out_value, size_t *out_value_len) {
    size_t i = *at + strspn(in + *at, ", +");
    size_t key = i;
    while (i < len && in[i] != '=') {
        i++;
    }
    if (i >= len) {
        return false;
    }
    *out_key = key;
    *out_key_len = i - key;
    *out_value = ++i;
    while (i < len && in[i] != ',' && in[i] != '+') {
        i += in[i] == '\\' && i + 1 < len ? 2 : 1;
    }
    *out_value_len = i - *out_value;
    *at = i;
    return true;
}

bool redact_dn_is_public(const char *in, size_t len) {
    size_t at = 0, key, key_len, value, value_len;
    while (dn_next(in, len, &at, &key, &key_len, &value, &value_len)) {
        if (key_len == 1 && in[key] == 'O' &&
            redact_keeps(REDACT_KEPT_ISSUER, in + value, value_len)) {
            return true;
        }
    }
    return false;
}

void redact_dn(const struct redact_salt *salt, char *out, const char *in, size_t len) {
    size_t at = 0, key, key_len, value, value_len;
    memmove(out, in, len);
    if (redact_dn_is_public(in, len)) {
        return;
    }
    while (dn_next(in, len, &at, &key, &key_len, &value, &value_len)) {
        char name[16];
        snprintf(name, sizeof(name), "%.*s", (int)key_len, in + key);
        redact_value(salt, out + value, name, in + value, value_len);
    }
}
