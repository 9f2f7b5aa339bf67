// The private keys behind a ClientHello's key shares (RFC 8446, section 4.2.8), and a client's
// hello made ours: its shares replaced by shares whose keys we have.
#ifndef PROXY_TLS_HELLO_KEYS_H_
#define PROXY_TLS_HELLO_KEYS_H_

#include "proxy/tls/hello_draft.h"

enum {
    HELLO_SHARE_MAX = 2048,     // bytes of a key share
    HELLO_SECRET_MAX = 128,     // bytes of a shared secret
    HELLO_GROUPS_KEPT_MAX = 16, // groups of key shares that are told
    HELLO_GROUP_X25519MLKEM768 = 4588,
};

// hello_random_fn fills `out` with `out_len` random bytes.
typedef void hello_random_fn(void *ctx, uint8_t *out, size_t out_len);

// struct hello_keys holds at most one key of each group that it can make.
struct hello_keys;

// hello_keys_new returns keys without a key. They are made of what `random` gives; NULL means the
// system's randomness.
struct hello_keys *hello_keys_new(hello_random_fn *random, void *ctx);
void hello_keys_free(struct hello_keys *keys);

// hello_keys_random fills `out` from the source of `keys`.
void hello_keys_random(struct hello_keys *keys, uint8_t *out, size_t out_len);

// hello_keys_can returns whether keys of `group` can be made: X25519, P-256, P-384, P-521 and
// X25519MLKEM768.
bool hello_keys_can(uint16_t group);

// hello_keys_share writes the client's share of `group` to `out`, HELLO_SHARE_MAX bytes, and
// returns its length, or 0 when the key cannot be made. The key is made by the first call.
size_t hello_keys_share(struct hello_keys *keys, uint16_t group, uint8_t *out);

// hello_keys_agree writes the secret shared with the server's share to `out`, HELLO_SECRET_MAX
// bytes, and returns its length. It returns 0 when the share is no valid one or there is no key.
WUNRES size_t hello_keys_agree(const struct hello_keys *keys, uint8_t *out, uint16_t group,
                               const uint8_t *share, size_t share_len);

// hello_keys_offer sets the draft's key shares to shares of ours for `groups`. Groups that cannot
// be made are left out.
void hello_keys_offer(struct hello_keys *keys, struct hello_draft *draft, const uint16_t *groups,
                      size_t num_groups);

// What hello_keys_swap changed, so that it can be told.
enum {
    HELLO_SWAP_SHARES = 1 << 0,     // key shares, each by one of the same group and length
    HELLO_SWAP_SESSION_ID = 1 << 1, // of TLS 1.2 and below, by a random one of the same length
    HELLO_SWAP_TICKET = 1 << 2,     // likewise
    HELLO_SWAP_PSK = 1 << 3,        // identities and binders, likewise
};

struct hello_swap {
    unsigned changed; // HELLO_SWAP_ bits
    bool early_data;  // the hello announces 0-RTT data, which is not sent
    bool ech;         // it has encrypted_client_hello, which a change elsewhere makes unreadable
    uint16_t kept[HELLO_GROUPS_KEPT_MAX]; // groups whose shares are still the client's, no
    size_t num_kept;                      // GREASE among them
};

// hello_keys_swap makes a client's hello one whose answer we can read: key shares get keys of ours,
// and what could resume a session is made random so that the server shows its certificate.
// Everything else stays, and so does the length of everything. `*out` (may be NULL) says what
// changed.
void hello_keys_swap(struct hello_keys *keys, struct hello_draft *draft, struct hello_swap *out);

#endif // PROXY_TLS_HELLO_KEYS_H_
