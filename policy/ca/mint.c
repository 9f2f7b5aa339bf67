#include "policy/ca/mint.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/kept_key.h"
#include "policy/ca/mint_box.h"

enum { DAY = 24 * 60 * 60 };

// Keys are made once, under the lock, and then only read. The lock is one per type, so waiting for
// RSA does not hold up leaves with P-256.
struct keys {
    pthread_mutex_t lock;
    struct cert_key *issued, *self_signed;
};

struct mint {
    const struct authority *authority;
    struct authority *untrusted;
    const struct box *box; // NULL: the ordinary proxy
    atomic_uint_fast64_t num_boxed;
    struct keys keys[CERT_KEY_TYPES];
    char *dir; // where RSA keys are kept; NULL: nowhere
    void (*warn)(void *ctx, const char *says);
    void *warn_ctx;
};

struct leaf *leaf_ref(struct leaf *leaf) {
    atomic_fetch_add_explicit(&leaf->refs, 1, memory_order_relaxed);
    return leaf;
}

void leaf_unref(struct leaf *leaf) {
    if (leaf == NULL || atomic_fetch_sub_explicit(&leaf->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < leaf->num_chain; i++) {
        CRYPTO_BUFFER_free(leaf->chain[i]);
    }
    EVP_PKEY_free(leaf->key);
    free(leaf);
}

struct mint *mint_new(const struct authority *authority, int64_t now) {
    struct mint *mint = xcalloc(1, sizeof(*mint));
    mint->authority = authority;
    mint->untrusted = authority_new_untrusted(now);
    for (size_t i = 0; i < CERT_KEY_TYPES; i++) {
        CHECK(pthread_mutex_init(&mint->keys[i].lock, NULL) == 0);
    }
    mint_prepare(mint, CERT_KEY_P256);
    return mint;
}

void mint_free(struct mint *mint) {
    if (mint == NULL) {
        return;
    }
    for (size_t i = 0; i < CERT_KEY_TYPES; i++) {
        cert_key_free(mint->keys[i].issued);
        cert_key_free(mint->keys[i].self_signed);
        pthread_mutex_destroy(&mint->keys[i].lock);
    }
    authority_free(mint->untrusted);
    free(mint->dir);
    free(mint);
}

const struct authority *mint_authority(const struct mint *mint) { return mint->authority; }

void mint_set_box(struct mint *mint, const struct box *box) { mint->box = box; }

const struct box *mint_box(const struct mint *mint) { return mint->box; }

void mint_keep(struct mint *mint, const char *dir, void (*warn)(void *ctx, const char *says),
               void *ctx) {
    mint->dir = xstrdup(dir);
    mint->warn = warn;
    mint->warn_ctx = ctx;
}

// key_open returns the kept key, or one of this process.
static struct cert_key *key_open(const struct mint *mint, enum cert_key_type type,
                                 bool self_signed) {
    struct err err;
    char says[sizeof(err.msg) + 64];
    if (mint->dir == NULL || type != CERT_KEY_RSA_2048) {
        return cert_key_new(type);
    }
    struct cert_key *key = kept_key_open(
        mint->dir, self_signed ? MINT_SELF_SIGNED_RSA_FILE : MINT_RSA_FILE, type, &err);
    if (key == NULL) {
        snprintf(says, sizeof(says), "%s; each start makes an RSA key meanwhile", err.msg);
        mint->warn(mint->warn_ctx, says);
        key = cert_key_new(type);
    }
    return key;
}

static const struct cert_key *mint_key(struct mint *mint, enum cert_key_type type,
                                       bool self_signed) {
    struct keys *keys = &mint->keys[type];
    CHECK(pthread_mutex_lock(&keys->lock) == 0);
    struct cert_key **key = self_signed ? &keys->self_signed : &keys->issued;
    if (*key == NULL) {
        *key = key_open(mint, type, self_signed);
    }
    CHECK(pthread_mutex_unlock(&keys->lock) == 0);
    return *key;
}

void mint_prepare(struct mint *mint, enum cert_key_type type) {
    (void)mint_key(mint, type, false);
    (void)mint_key(mint, type, true);
}

// A Name made for one leaf.
struct name {
    uint8_t *der;
    size_t der_len;
};

static struct name name_make(const void *cn, size_t cn_len, unsigned tag, const char *o) {
    struct name name;
    CBB cbb;
    CBS text;
    CBS_init(&text, cn, cn_len);
    CHECK(CBB_init(&cbb, 128) && cert_build_name(&cbb, text, tag, o) &&
          CBB_finish(&cbb, &name.der, &name.der_len));
    return name;
}

static CBS name_view(const struct name *name) {
    CBS view;
    CBS_init(&view, name->der, name->der_len);
    return view;
}

static void leaf_add(struct leaf *leaf, CRYPTO_BUFFER *cert) {
    leaf->chain[leaf->num_chain++] = cert;
    leaf->bytes += CRYPTO_BUFFER_len(cert);
}

// Issues under the untrusted CA's key, but a name that hints at who issued the server's
// certificate. Where the server sent its unknown root, so do we: a root with that very name.
static void issue_untrusted(struct mint *mint, const struct leaf_spec *spec,
                            struct cert_template *template, struct leaf *leaf) {
    static const char organisation[] = "untrusted by tlsblame";
    const char *cn = spec->issuer_hint[0] != '\0' ? spec->issuer_hint : "tlsblame untrusted CA";
    struct name issuer = name_make(cn, strlen(cn), CBS_ASN1_UTF8STRING, organisation);
    template->issuer = name_view(&issuer);
    template->issuer_key = mint->untrusted->key;
    leaf_add(leaf, cert_build(template));
    if (spec->send_issuer) {
        struct cert_template root = {
            .issuer = template->issuer,
            .subject = template->issuer,
            .subject_key = mint->untrusted->key,
            .issuer_key = mint->untrusted->key,
            .not_before = template->not_before - DAY,
            .not_after = template->not_after + DAY,
            .ca = true,
        };
        leaf_add(leaf, cert_build(&root));
    }
    OPENSSL_free(issuer.der);
}

static void issue_self_signed(struct cert_template *template, struct leaf *leaf) {
    struct name fallback = {0};
    if (CBS_len(&template->subject) == 2) {
        // An issuer's name may not be empty.
        fallback = name_make("self-signed", 11, CBS_ASN1_UTF8STRING, "");
        template->subject = name_view(&fallback);
    }
    template->issuer = template->subject;
    template->issuer_key = template->subject_key;
    leaf_add(leaf, cert_build(template));
    OPENSSL_free(fallback.der);
}

static void issue(const struct authority *authority, struct cert_template *template,
                  struct leaf *leaf) {
    if (leaf->fresh_until != INT64_MAX && template->not_after > authority->not_after) {
        template->not_after = leaf->not_after = leaf->fresh_until = authority->not_after;
    }
    template->issuer = authority->subject;
    template->issuer_key = authority->key;
    leaf_add(leaf, cert_build(template));
    for (size_t i = 0; !authority->is_root && i < authority->num_chain; i++) {
        CRYPTO_BUFFER_up_ref(authority->chain[i]);
        leaf_add(leaf, authority->chain[i]);
    }
}

// issue_boxed makes a leaf of the emulated box. A key for one leaf alone is freed with that.
static struct leaf *issue_boxed(struct mint *mint, const struct leaf_spec *spec,
                                struct leaf *leaf) {
    const struct box *box = mint->box;
    struct cert_key *own =
        box->knobs->reuse == CERT_KNOB_REUSE_PER_HOST ? cert_key_new(spec->key_type) : NULL;
    const struct cert_key *key = own != NULL ? own : box->leaf_key;
    struct mint_box_request request = {
        .box = box,
        .spec = spec,
        .authority = mint->authority,
        .untrusted = mint->untrusted,
        .key = key != NULL
                   ? key
                   : mint_key(mint, spec->key_type, (spec->defects & LEAF_SELF_SIGNED) != 0),
        .count = atomic_fetch_add(&mint->num_boxed, 1) + 1,
    };
    mint_box_issue(leaf, &request);
    leaf->key = request.key->key;
    EVP_PKEY_up_ref(leaf->key);
    cert_key_free(own);
    return leaf;
}

struct leaf *mint_leaf(struct mint *mint, const struct leaf_spec *spec) {
    bool self_signed = (spec->defects & LEAF_SELF_SIGNED) != 0;
    struct leaf *leaf = xcalloc(1, sizeof(*leaf));
    atomic_init(&leaf->refs, 1);
    leaf->defects = spec->defects;
    leaf->not_before = spec->not_before;
    leaf->not_after = spec->not_after;
    leaf->fresh_from = spec->fresh_from;
    leaf->fresh_until = spec->fresh_until;
    if (mint->box != NULL) {
        return issue_boxed(mint, spec, leaf);
    }
    struct name subject = name_make(spec->cn, spec->cn_len, spec->cn_tag, "");
    struct cert_template template = {
        .subject = name_view(&subject),
        .subject_key = mint_key(mint, spec->key_type, self_signed),
        .not_before = spec->not_before,
        .not_after = spec->not_after,
        .must_staple = spec->must_staple,
    };
    CBS_init(&template.san, spec->san.len != 0 ? buf_data(&spec->san) : NULL, spec->san.len);
    if (self_signed) {
        issue_self_signed(&template, leaf);
    } else if (spec->defects & LEAF_UNTRUSTED) {
        issue_untrusted(mint, spec, &template, leaf);
    } else {
        issue(mint->authority, &template, leaf);
    }
    OPENSSL_free(subject.der);
    leaf->key = template.subject_key->key;
    EVP_PKEY_up_ref(leaf->key);
    return leaf;
}
