// Makes leaves.
#ifndef POLICY_CA_MINT_H_
#define POLICY_CA_MINT_H_

#include <stdatomic.h>

#include "policy/ca/authority.h"
#include "policy/ca/box.h"
#include "policy/ca/leaf.h"
#include "third_party/boringssl/boringssl.h"

// struct leaf is a certificate with its chain and key, as SSL_set_chain_and_key wants them. It is
// immutable and shared: leaf_ref and leaf_unref, from any thread.
struct leaf {
    CRYPTO_BUFFER *chain[1 + AUTHORITY_MAX_CHAIN]; // the leaf first
    size_t num_chain;
    EVP_PKEY *key;
    unsigned defects; // enum leaf_defect
    int64_t not_before, not_after, fresh_from, fresh_until;
    size_t bytes; // of the chain, for ceilings
    atomic_uint refs;
};

struct leaf *leaf_ref(struct leaf *leaf);
void leaf_unref(struct leaf *leaf); // may be NULL

// struct mint holds the keys. One pair per key type is made for a process and shared by all of its
// leaves: a key per leaf would cost more than the rest of a leaf and protect nothing, as all of
// them lie in the same memory, beside the CA's. Self-signed leaves have another, so that no key is
// in two roles. Usable by any number of threads.
struct mint;

// mint_new makes a mint that issues from `authority`, which must outlive it. It takes some hundred
// microseconds; `now` is in unix seconds.
struct mint *mint_new(const struct authority *authority, int64_t now);
void mint_free(struct mint *mint);

// The files of the keys that `mint_keep` is about: of ordinary leaves, and of self-signed ones.
#define MINT_RSA_FILE "leaf-rsa-key.pem"
#define MINT_SELF_SIGNED_RSA_FILE "self-signed-rsa-key.pem"

// mint_keep lets the RSA keys, which take some 100 milliseconds each, outlive the process: they are
// in the CA's folder `dir`, and made there where they are missing (see kept_key.h). A key that
// cannot be kept is made for this process, and `warn` is told why, on the thread that wanted it. It
// is called before the first leaf is made.
void mint_keep(struct mint *mint, const char *dir, void (*warn)(void *ctx, const char *says),
               void *ctx);

// mint_prepare makes or reads the keys of `type` now rather than at the first leaf that needs them.
// A program that expects clients without ECDSA calls this for RSA from a thread of its own; leaves
// that need such keys wait meanwhile, others do not.
void mint_prepare(struct mint *mint, enum cert_key_type type);

// mint_leaf makes the leaf that `spec` describes; the caller owns one reference. Its chain holds
// what stands between it and the root: nothing for a root CA, the CA's certificate and those above
// it for a user's intermediate CA. No leaf but a mirrored one outlives the CA. The issuer of an
// untrusted leaf is "CN=(the hint), O=untrusted by tlsblame".
struct leaf *mint_leaf(struct mint *mint, const struct leaf_spec *spec);

// mint_set_box makes `box`, which must outlive the mint, the issuer: leaves are then what its knobs
// say. It is called before the first leaf is made. mint_box returns it, or NULL.
void mint_set_box(struct mint *mint, const struct box *box);
const struct box *mint_box(const struct mint *mint);

// mint_authority is the CA that `mint` issues from.
const struct authority *mint_authority(const struct mint *mint);

#endif // POLICY_CA_MINT_H_
