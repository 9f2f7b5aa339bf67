// Two legs that belong together, held against each other: what became of the hello, the answer and
// the certificate on the way from A, the side of the client, to B.
#ifndef LOGS_COMPARE_COMPARISON_H_
#define LOGS_COMPARE_COMPARISON_H_

#include "logs/compare/pair.h"
#include "logs/record/obj.h"

enum { HELLO_PARTS_MAX = 64, HELLO_SHARES_MAX = 16 };

// struct hello_parts views the bytes of one ClientHello; what was not there is {NULL, 0}. `message`
// is the handshake message without record headers. More extensions than fit are left out.
struct hello_parts {
    struct span message, random, session_id;
    struct span key_shares[HELLO_SHARES_MAX]; // the keys, GREASE left out
    size_t num_key_shares;
    struct hello_extension {
        uint16_t type;
        struct span body;
    } extensions[HELLO_PARTS_MAX];
    size_t num_extensions;
};

// struct comparison_side is one of the two legs. `hello` is empty when the leg has none.
struct comparison_side {
    const struct obj *leg; // of KIND_LEG
    struct hello_parts hello;
    int64_t time_ms; // when, since 1970: validity of certificates is judged by it
};

// comparison_write fills `out`, an object of KIND_COMPARISON, from the two legs, but for A, B and
// host. RESULT is `same` or `different`.
//
// A hello is identical when its bytes are, whatever records and segments they came in; edited when
// it has the same client random or key share, but other bytes; re-generated when both are others:
// then somebody in between ended TLS and began it anew. Two hellos of one client may look like
// that, too: where `reason` leaves this open and nothing that is compared differs they are alike,
// which is no difference. GREASE values count as equal, and the order of extensions counts only
// in an edited hello.
//
// A leaf is re-signed when another issuer has signed what is in large parts the same: its subject
// or its names.
void comparison_write(struct obj *out, const struct comparison_side *a,
                      const struct comparison_side *b, enum pair_reason reason);

// comparison_alone makes `out` that of a leg that was seen at A alone, or at B with `at_b`.
void comparison_alone(struct obj *out, bool at_b);

// comparison_same returns whether two sets of bytes are one ClientHello: the same client random.
bool comparison_same_random(const struct hello_parts *a, const struct hello_parts *b);

#endif // LOGS_COMPARE_COMPARISON_H_
