#include "tests/unit/proxy/session/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAVES_MAX = 64, LEAVES_BYTES = 1024 * 1024 };

static struct pki_options plain(const struct pki_cert *issuer) {
    return (struct pki_options){
        .cn = WORLD_HOST,
        .issuer = issuer,
        .san = "DNS:" WORLD_HOST,
        .basic_constraints = "critical,CA:FALSE",
        .key_usage = "critical,digitalSignature,keyEncipherment",
        .ext_key_usage = "serverAuth",
    };
}

static void make_bad(struct world *w) {
    struct pki_options o = plain(w->root);
    o.not_before = PKI_NOW - 60 * PKI_DAY;
    o.not_after = PKI_NOW - PKI_DAY;
    w->expired = pki_make(o);
    o.not_before = PKI_NOW + PKI_DAY;
    o.not_after = PKI_NOW + 60 * PKI_DAY;
    w->early = pki_make(o);
    w->self_signed = pki_make(plain(NULL));
    struct pki_cert *nobody = pki_ca("Nobody's root", NULL);
    o = plain(nobody); // no box made it for this connection
    o.not_before = PKI_NOW - 29 * PKI_DAY - 12345;
    w->unknown = pki_make(o);
    pki_free(nobody);
    w->wrong_name = pki_leaf("other.test", w->root);
}

const struct world *world_get(void) {
    static struct world *w;
    if (w != NULL) {
        return w;
    }
    w = xcalloc(1, sizeof(*w));
    w->authority = authority_new(PKI_NOW);
    w->mint = mint_new(w->authority, PKI_NOW);
    w->leaves = leaf_cache_new(w->mint, LEAVES_MAX, LEAVES_BYTES);
    w->verifications = verify_cache_new(LEAVES_MAX, LEAVES_BYTES);
    CBS der = authority_der(w->authority);
    const uint8_t *p = CBS_data(&der);
    w->ca = d2i_X509(NULL, &p, (long)CBS_len(&der));
    w->root = pki_ca("Test root", NULL);
    w->leaf = pki_leaf(WORLD_HOST, w->root);
    struct pki_options o = plain(w->root);
    o.key = pki_rsa_key(2048);
    w->rsa = pki_make(o);
    EVP_PKEY_free(o.key);
    make_bad(w);
    CHECK(w->ca != NULL);
    return w;
}

static struct trust_file { char *folder, path[512]; } trust_file_make(const struct pki_cert *root) {
    struct trust_file file = {.folder = pki_folder()};
    snprintf(file.path, sizeof(file.path), "%s/root.pem", file.folder);
    pki_write(file.path, &root, 1, NULL, 0600);
    return file;
}

struct session_shared *world_shared(const char *json, const struct limits *limits) {
    return world_shared_with(&(struct world_options){.policy = json, .limits = limits});
}

// profile_make parses a profile that is called "test".
static struct profile *profile_make(const char *json) {
    char text[4096];
    struct err err;
    int len = snprintf(text, sizeof(text), "{\"name\": \"test\", %s", json + 1);
    CHECK(json[0] == '{' && len > 0 && (size_t)len < sizeof(text));
    struct profile *profile = profile_parse("test", text, (size_t)len, &err);
    if (profile == NULL) {
        fprintf(stderr, "%s\n", err.msg);
    }
    CHECK(profile != NULL);
    return profile;
}

struct session_shared *world_shared_with(const struct world_options *options) {
    const struct world *w = world_get();
    const char *json = options->policy;
    struct err err;
    struct parent parent;
    CHECK(options->parent == NULL || parent_parse(&parent, options->parent, &err));
    struct policy *policy =
        json == NULL ? policy_default() : policy_parse("test", json, strlen(json), NULL, &err);
    if (policy == NULL) {
        fprintf(stderr, "%s\n", err.msg);
    }
    CHECK(policy != NULL);
    struct profile *as = options->as != NULL ? profile_make(options->as) : NULL;
    struct trust_file file = trust_file_make(w->root);
    char *trust[] = {file.path};
    const struct shared_config config = {
        .policy = policy,
        .authority = w->authority,
        .leaves = w->leaves,
        .verifications = w->verifications,
        .roots = "",
        .trust = trust,
        .num_trust = 1,
        .limits = options->limits,
        .as = as,
        .now = PKI_NOW,
        .parent = options->parent != NULL ? &parent : NULL,
        .address = "127.0.0.1:8080",
    };
    struct session_shared *shared = shared_new(&config, &err);
    CHECK(shared != NULL);
    policy_unref(policy);
    profile_unref(as);
    // Without the shell of pki_remove, which takes longer than all else here.
    CHECK(unlink(file.path) == 0 && rmdir(file.folder) == 0);
    free(file.folder);
    return shared;
}
