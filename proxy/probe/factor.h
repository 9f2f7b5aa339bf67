// Factors: the smallest differences between two ClientHellos, each of which a third hello may have
// or not: an extension, a value inside one, an order, a size, the pieces in which it is sent.
#ifndef PROXY_PROBE_FACTOR_H_
#define PROXY_PROBE_FACTOR_H_

#include "proxy/tls/hello_draft.h"

enum {
    FACTORS_MAX = 256, // what is beyond belongs to the last
    FACTOR_TEXT_MAX = 160,
    FACTOR_WORDS = FACTORS_MAX / 64,
};

// struct factor_set is a set of factors, by their numbers.
struct factor_set {
    uint64_t bits[FACTOR_WORDS];
};

bool factor_set_has(const struct factor_set *set, size_t factor);
void factor_set_add(struct factor_set *set, size_t factor);
void factor_set_remove(struct factor_set *set, size_t factor);
size_t factor_set_num(const struct factor_set *set);

enum factor_kind {
    FACTOR_FORMAT, // TLS or SSLv2: then there is no other factor
    FACTOR_RECORD_VERSION,
    FACTOR_LEGACY_VERSION,
    FACTOR_SESSION_ID,
    FACTOR_COMPRESSIONS,
    FACTOR_TAIL, // bytes behind the extensions, lengths that are not those of what is there
    FACTOR_RECORD_CUTS,
    FACTOR_SEGMENT_CUTS,
    FACTOR_ADDED,   // an element that only the failing hello has
    FACTOR_REMOVED, // one that only the passing hello has
    FACTOR_ORDER,   // of the elements that both have
    FACTOR_BODY,    // of an extension that both have
};

// The lists that elements are of: these, or the one inside the extension of that type.
enum { FACTOR_LIST_CIPHERS = 0x10000, FACTOR_LIST_EXTENSIONS = 0x10001 };

struct factor {
    enum factor_kind kind;
    uint32_t list;              // FACTOR_ADDED, FACTOR_REMOVED, FACTOR_ORDER
    uint32_t key;               // private: which element; of FACTOR_BODY the extension
    char text[FACTOR_TEXT_MAX]; // "the suite TLS_RSA_WITH_RC4_128_SHA", "no extension padding"
};

// struct factors is owned by its caller. Both hellos are copies.
struct factors {
    struct hello_draft passing, failing;
    struct factor factors[FACTORS_MAX];
    size_t num;
};

// factors_init lists what `failing` differs in from `passing`. Randomness (random, session ids,
// shares and GREASE of the same length) is none; hellos that are made have that of `failing`. The
// order puts together what belongs together. factors_cleanup frees it.
void factors_init(struct factors *factors, const struct hello_draft *passing,
                  const struct hello_draft *failing);
void factors_cleanup(struct factors *factors);

// factors_apply sets `out`, which is initialised, to the passing hello with the factors of `set`:
// with none it is the passing hello, with all the failing one.
void factors_apply(const struct factors *factors, struct hello_draft *out,
                   const struct factor_set *set);

// What factors may have in common, so that any of them does what one does.
enum factor_likeness {
    FACTOR_LIKE_LIST,   // they add, or remove, elements of one list that is not that of extensions
    FACTOR_LIKE_GREASE, // they add, or remove, GREASE
    FACTOR_LIKENESSES,
};

// factors_group sets `*out` to `factor` and those that are like it.
void factors_group(const struct factors *factors, struct factor_set *out, size_t factor,
                   enum factor_likeness likeness);

#endif // PROXY_PROBE_FACTOR_H_
