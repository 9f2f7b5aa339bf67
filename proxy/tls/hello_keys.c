#include "proxy/tls/hello_keys.h"

#include <stdlib.h>
#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/mlkem.h"

enum {
    X25519_LEN = 32,
    SCALAR_MAX = 66,
    GROUP_X25519 = 29,
};

// The groups, their curve (0: X25519) and the lengths of scalar and share.
// clang-format off
static const struct kind {
    uint16_t group;
    int curve;
    uint8_t scalar_len, share_len;
} kinds[] = {
    {23, NID_X9_62_prime256v1, 32,  65},
    {24, NID_secp384r1,        48,  97},
    {25, NID_secp521r1,        66, 133},
    {GROUP_X25519, 0,          32,  32},
};
// clang-format on

struct hello_key {
    bool made;
    uint8_t scalar[SCALAR_MAX]; // big-endian; of X25519 as it is used
    uint8_t share[2 * SCALAR_MAX + 1];
};

struct hello_keys {
    hello_random_fn *random;
    void *ctx;
    struct hello_key keys[ARRAY_LEN(kinds)]; // as in `kinds`
    struct mlkem_key *mlkem;                 // NULL: not made
};

static void system_random(void *ctx, uint8_t *out, size_t out_len) {
    (void)ctx;
    CHECK(RAND_bytes(out, out_len));
}

struct hello_keys *hello_keys_new(hello_random_fn *random, void *ctx) {
    struct hello_keys *keys = xcalloc(1, sizeof(*keys));
    keys->random = random != NULL ? random : system_random;
    keys->ctx = ctx;
    return keys;
}

void hello_keys_free(struct hello_keys *keys) {
    if (keys == NULL) {
        return;
    }
    if (keys->mlkem != NULL) {
        OPENSSL_cleanse(keys->mlkem, sizeof(*keys->mlkem));
    }
    free(keys->mlkem);
    OPENSSL_cleanse(keys, sizeof(*keys));
    free(keys);
}

void hello_keys_random(struct hello_keys *keys, uint8_t *out, size_t out_len) {
    keys->random(keys->ctx, out, out_len);
}

static size_t kind_of(uint16_t group) {
    size_t i = 0;
    while (i < ARRAY_LEN(kinds) && kinds[i].group != group) {
        i++;
    }
    return i;
}

bool hello_keys_can(uint16_t group) {
    return group == HELLO_GROUP_X25519MLKEM768 || kind_of(group) < ARRAY_LEN(kinds);
}

// A scalar from 1 to the order less one, with a bias that is of no matter here: nothing is secret.
static void scalar_make(struct hello_keys *keys, struct hello_key *key, const struct kind *kind,
                        const EC_GROUP *group) {
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *limit = BN_dup(EC_GROUP_get0_order(group));
    hello_keys_random(keys, key->scalar, kind->scalar_len);
    BIGNUM *scalar = BN_bin2bn(key->scalar, kind->scalar_len, NULL);
    CHECK(ctx != NULL && limit != NULL && scalar != NULL && BN_sub_word(limit, 1) &&
          BN_mod(scalar, scalar, limit, ctx) && BN_add_word(scalar, 1) &&
          BN_bn2bin_padded(key->scalar, kind->scalar_len, scalar));
    BN_free(scalar);
    BN_free(limit);
    BN_CTX_free(ctx);
}

// ec_key_new returns the private key; the caller frees it.
static EC_KEY *ec_key_new(const struct hello_key *key, const struct kind *kind) {
    EC_KEY *ec = EC_KEY_new_by_curve_name(kind->curve);
    BIGNUM *scalar = BN_bin2bn(key->scalar, kind->scalar_len, NULL);
    CHECK(ec != NULL && scalar != NULL && EC_KEY_set_private_key(ec, scalar));
    BN_free(scalar);
    return ec;
}

static void curve_key_make(struct hello_keys *keys, struct hello_key *key,
                           const struct kind *kind) {
    EC_GROUP *group = EC_GROUP_new_by_curve_name(kind->curve);
    CHECK(group != NULL);
    scalar_make(keys, key, kind, group);
    EC_KEY *ec = ec_key_new(key, kind);
    EC_POINT *point = EC_POINT_new(group);
    CHECK(point != NULL &&
          EC_POINT_mul(group, point, EC_KEY_get0_private_key(ec), NULL, NULL, NULL) &&
          EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, key->share,
                             kind->share_len, NULL) == kind->share_len);
    EC_POINT_free(point);
    EC_KEY_free(ec);
    EC_GROUP_free(group);
}

static void key_make(struct hello_keys *keys, size_t i) {
    struct hello_key *key = &keys->keys[i];
    if (key->made) {
        return;
    }
    if (kinds[i].curve == 0) {
        hello_keys_random(keys, key->scalar, X25519_LEN);
        X25519_public_from_private(key->share, key->scalar);
    } else {
        curve_key_make(keys, key, &kinds[i]);
    }
    key->made = true;
}

// A share of ML-KEM-768 and one of X25519, which is the key of X25519 alone, as browsers have it.
static void hybrid_make(struct hello_keys *keys) {
    uint8_t seed[MLKEM_SEED_LEN];
    if (keys->mlkem != NULL) {
        return;
    }
    keys->mlkem = xcalloc(1, sizeof(*keys->mlkem));
    hello_keys_random(keys, seed, sizeof(seed));
    mlkem_key_init(keys->mlkem, seed);
    key_make(keys, kind_of(GROUP_X25519));
}

static size_t hybrid_share(struct hello_keys *keys, uint8_t *out) {
    hybrid_make(keys);
    memcpy(out, keys->mlkem->public_key, MLKEM_PUBLIC_LEN);
    return MLKEM_PUBLIC_LEN + hello_keys_share(keys, GROUP_X25519, out + MLKEM_PUBLIC_LEN);
}

static size_t hybrid_agree(const struct hello_keys *keys, uint8_t *out, const uint8_t *share,
                           size_t share_len) {
    if (keys->mlkem == NULL || share_len != MLKEM_CIPHERTEXT_LEN + X25519_LEN) {
        return 0;
    }
    mlkem_decapsulate(out, keys->mlkem, share);
    size_t len = hello_keys_agree(keys, out + MLKEM_SECRET_LEN, GROUP_X25519,
                                  share + MLKEM_CIPHERTEXT_LEN, X25519_LEN);
    return len != 0 ? MLKEM_SECRET_LEN + len : 0;
}

size_t hello_keys_share(struct hello_keys *keys, uint16_t group, uint8_t *out) {
    size_t i = kind_of(group);
    if (group == HELLO_GROUP_X25519MLKEM768) {
        return hybrid_share(keys, out);
    }
    if (i == ARRAY_LEN(kinds)) {
        return 0;
    }
    key_make(keys, i);
    memcpy(out, keys->keys[i].share, kinds[i].share_len);
    return kinds[i].share_len;
}

static size_t curve_agree(const struct hello_key *key, const struct kind *kind, uint8_t *out,
                          const uint8_t *share, size_t share_len) {
    EC_KEY *ec = ec_key_new(key, kind);
    const EC_GROUP *group = EC_KEY_get0_group(ec);
    EC_POINT *peer = EC_POINT_new(group);
    CHECK(peer != NULL);
    bool ok = share_len == kind->share_len &&
              EC_POINT_oct2point(group, peer, share, share_len, NULL) &&
              ECDH_compute_key(out, kind->scalar_len, peer, ec, NULL) == kind->scalar_len;
    ERR_clear_error();
    EC_POINT_free(peer);
    EC_KEY_free(ec);
    return ok ? kind->scalar_len : 0;
}

size_t hello_keys_agree(const struct hello_keys *keys, uint8_t *out, uint16_t group,
                        const uint8_t *share, size_t share_len) {
    size_t i = kind_of(group);
    if (group == HELLO_GROUP_X25519MLKEM768) {
        return hybrid_agree(keys, out, share, share_len);
    }
    if (i == ARRAY_LEN(kinds) || !keys->keys[i].made) {
        return 0;
    }
    if (kinds[i].curve != 0) {
        return curve_agree(&keys->keys[i], &kinds[i], out, share, share_len);
    }
    bool ok = share_len == X25519_LEN && X25519(out, keys->keys[i].scalar, share);
    return ok ? X25519_LEN : 0;
}

void hello_keys_offer(struct hello_keys *keys, struct hello_draft *draft, const uint16_t *groups,
                      size_t num_groups) {
    uint8_t share[HELLO_SHARE_MAX];
    hello_edit_no_key_shares(draft);
    for (size_t i = 0; i < num_groups; i++) {
        size_t len = hello_keys_share(keys, groups[i], share);
        if (len != 0) {
            hello_edit_key_share(draft, groups[i], share, len);
        }
    }
}

// The bytes of a view into the draft may be changed in place.
static uint8_t *in_place(const struct hello_bytes *bytes, const CBS *view) {
    return bytes->p + (CBS_data(view) - bytes->p);
}

static struct hello_bytes *body_of(struct hello_draft *draft, uint16_t type, CBS *out) {
    size_t i = hello_edit_position(draft, type);
    if (i == draft->num_extensions) {
        return NULL;
    }
    CBS_init(out, draft->extensions[i].body.p, draft->extensions[i].body.len);
    return &draft->extensions[i].body;
}

static void shares_swap(struct hello_keys *keys, struct hello_draft *draft,
                        struct hello_swap *out) {
    uint8_t ours[HELLO_SHARE_MAX];
    struct key_share share;
    CBS body, shares;
    struct hello_bytes *bytes = body_of(draft, EXT_KEY_SHARE, &body);
    if (bytes == NULL || !CBS_get_u16_length_prefixed(&body, &shares)) {
        return;
    }
    while (key_share_next(&shares, &share)) {
        size_t len = hello_keys_can(share.group) ? hello_keys_share(keys, share.group, ours) : 0;
        if (len != 0 && len == CBS_len(&share.key)) {
            memcpy(in_place(bytes, &share.key), ours, len);
            out->changed |= HELLO_SWAP_SHARES;
        } else if (!codepoint_is_grease(REGISTRY_GROUP, share.group) &&
                   out->num_kept < ARRAY_LEN(out->kept)) {
            out->kept[out->num_kept++] = share.group;
        }
    }
}

static void psk_swap(struct hello_keys *keys, struct hello_draft *draft, struct hello_swap *out) {
    CBS body, identities, binders, binder;
    struct psk_identity identity;
    struct hello_bytes *bytes = body_of(draft, EXT_PRE_SHARED_KEY, &body);
    if (bytes == NULL || !CBS_get_u16_length_prefixed(&body, &identities) ||
        !CBS_get_u16_length_prefixed(&body, &binders)) {
        return;
    }
    while (psk_identity_next(&identities, &identity)) {
        hello_keys_random(keys, in_place(bytes, &identity.identity), CBS_len(&identity.identity));
        out->changed |= HELLO_SWAP_PSK;
    }
    while (name_next(&binders, &binder)) {
        hello_keys_random(keys, in_place(bytes, &binder), CBS_len(&binder));
    }
}

static bool offers_tls13(const struct hello_draft *draft) {
    const struct hello_extension *versions = hello_edit_find(draft, EXT_SUPPORTED_VERSIONS);
    for (size_t at = 1; versions != NULL && at + 2 <= versions->body.len; at += 2) {
        if (versions->body.p[at] == 0x03 && versions->body.p[at + 1] == 0x04) {
            return true;
        }
    }
    return false;
}

void hello_keys_swap(struct hello_keys *keys, struct hello_draft *draft, struct hello_swap *out) {
    struct hello_swap swap = {0};
    CBS ticket;
    shares_swap(keys, draft, &swap);
    psk_swap(keys, draft, &swap);
    if (draft->session_id.len != 0 && !offers_tls13(draft)) {
        hello_keys_random(keys, draft->session_id.p, draft->session_id.len);
        swap.changed |= HELLO_SWAP_SESSION_ID;
    }
    struct hello_bytes *bytes = body_of(draft, EXT_SESSION_TICKET, &ticket);
    if (bytes != NULL && bytes->len != 0) {
        hello_keys_random(keys, bytes->p, bytes->len);
        swap.changed |= HELLO_SWAP_TICKET;
    }
    swap.early_data = hello_edit_find(draft, EXT_EARLY_DATA) != NULL;
    swap.ech = hello_edit_find(draft, EXT_ECH) != NULL;
    if (out != NULL) {
        *out = swap;
    }
}
