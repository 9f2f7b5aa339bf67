// Which records of two lists are the same connection, seen at two places. Time is n log n, and
// memory some 200 bytes a record: records themselves are not needed, only a few keys of each.
#ifndef LOGS_COMPARE_PAIR_H_
#define LOGS_COMPARE_PAIR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

// Why two records are a pair, the strongest reason first.
enum pair_reason {
    PAIR_NONCE,      // the same label that nobody uses twice in the server name
    PAIR_RANDOM,     // the same client random
    PAIR_KEY_SHARE,  // a key share with the same bytes
    PAIR_SESSION_ID, // the same session id
    PAIR_NAME,       // the same server name at about the same time
    PAIR_LEGS,       // the two legs of one record
    PAIR_NAMED,      // the user put them together
};

// pair_reason_name is the word in JSON, pair_reason_says half a sentence: "both hellos have the
// same client random". pair_is_certain returns whether nothing but one connection explains it.
const char *pair_reason_name(enum pair_reason reason);
const char *pair_reason_says(enum pair_reason reason);
bool pair_is_certain(enum pair_reason reason);

enum { PAIR_SHARES = 4 };

// struct pair_hello is the keys of one ClientHello, each made by pair_key; 0 is none.
struct pair_hello {
    uint64_t random, session_id;
    uint64_t key_shares[PAIR_SHARES];
};

// struct pair_place is between whom a connection was seen, keys of both: of the client's address
// without its port, and of the port that it went to, with what was asked of it before TLS.
struct pair_place {
    uint64_t client, service;
};

// struct pair_record is what pairing knows of a record: the hellos of its legs, its server name,
// when its hello was seen and when that was answered. Times of one list count from the same moment.
struct pair_record {
    struct pair_hello hellos[2];
    uint64_t nonce, name;
    int64_t start_us;
    int64_t answer_us;       // before start_us: not answered; used, as `place` is,
    struct pair_place place; // by pair_within alone
};

// pair_key makes a key of `p_len` bytes; of none it is 0.
uint64_t pair_key(const void *p, size_t p_len);

// pair_nonce_len returns the length of the first label of the server name `name` where it is a
// probe's nonce: at least 16 letters and digits of one case, of which at least 4 are digits, at
// least 2 letters. Else 0.
size_t pair_nonce_len(const char *name, size_t name_len);

struct pair {
    uint32_t a, b; // indexes into the lists
    enum pair_reason reason;
};

// struct pair_clock is how far the clock of list B is ahead of that of list A, connections' own
// delay included: the median of `num` pairs, of which half lie within `spread_us` of it.
struct pair_clock {
    int64_t ahead_us, spread_us;
    size_t num; // 0: not known
};

// pair_lists writes the pairs of the two lists to `out`, which has room for the shorter of them, in
// the order of A, and returns how many. Each record is in one pair at most. Records of one name are
// paired in order of time, the clocks' difference taken off, when they are at most `window_us`
// apart.
size_t pair_lists(struct pair *out, struct pair_clock *out_clock, const struct pair_record *as,
                  size_t num_as, const struct pair_record *bs, size_t num_bs, int64_t window_us);

// pair_within does the same inside one list that saw both sides of a box: `a` is the earlier of the
// two. A client that connects twice, even to two addresses of a server, is no box, and two clients
// are none: unless they have the same client random, records are paired only when they went to
// different services, or when the second came from another client between hello and answer of the
// first. `out` has room for half of the list.
size_t pair_within(struct pair *out, const struct pair_record *records, size_t num,
                   int64_t window_us);

#endif // LOGS_COMPARE_PAIR_H_
