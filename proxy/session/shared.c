#include "proxy/session/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/session/emulate.h"
#include "proxy/tls/certificate_inflate.h"

enum {
    GREASE = 4,                    // index bit of client_ctx beside COMPRESS_*
    CERTIFICATE_MAX = 1280 * 1024, // of a peer's Certificate message
};

const struct limits limits_default = {
    .front_us = 30 * 1000000LL,
    .sniff_us = 60 * 1000000LL,
    .handshake_us = 30 * 1000000LL,
    .silent_us = 120 * 1000000LL,
    .linger_us = 120 * 1000000LL,
    .closing_us = 10 * 1000000LL,
    .interim_us = 30 * 1000000LL,
};

static int inflate(uint16_t algorithm, CRYPTO_BUFFER **out, size_t out_len, const uint8_t *in,
                   size_t in_len) {
    uint8_t *data;
    *out = out_len <= CERTIFICATE_MAX ? CRYPTO_BUFFER_alloc(&data, out_len) : NULL;
    return *out != NULL && certificate_inflate(data, out_len, algorithm, in, in_len);
}

static int inflate_zlib(SSL *ssl, CRYPTO_BUFFER **out, size_t out_len, const uint8_t *in,
                        size_t in_len) {
    (void)ssl;
    return inflate(CERTIFICATE_ZLIB, out, out_len, in, in_len);
}

static int inflate_brotli(SSL *ssl, CRYPTO_BUFFER **out, size_t out_len, const uint8_t *in,
                          size_t in_len) {
    (void)ssl;
    return inflate(CERTIFICATE_BROTLI, out, out_len, in, in_len);
}

static void keylog(const SSL *ssl, const char *line) {
    const struct session_shared *shared = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct session *s = SSL_get_app_data(ssl);
    if (shared->keylog != NULL) {
        shared->keylog(shared->keylog_ctx, line);
    }
    if (s != NULL) {
        bool server = s->lanes[SIDE_SERVER].ssl == ssl;
        session_secret(s, server ? SIDE_SERVER : SIDE_CLIENT, line);
    }
}

static SSL_CTX *ctx_new(struct session_shared *shared) {
    static const int groups[] = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1,
                                 NID_secp224r1};
    SSL_CTX *ctx = SSL_CTX_new(TLS_with_buffers_method());
    CHECK(ctx != NULL && SSL_CTX_set_app_data(ctx, shared) &&
          SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) &&
          SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) &&
          SSL_CTX_set_strict_cipher_list(ctx, "ALL") &&
          SSL_CTX_set1_curves(ctx, groups, ARRAY_LEN(groups)));
    SSL_CTX_set0_buffer_pool(ctx, shared->certificates);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, CERTIFICATE_MAX);
    SSL_CTX_set_keylog_callback(ctx, keylog);
    return ctx;
}

static enum ssl_verify_result_t any_certificate(SSL *ssl, uint8_t *out_alert) {
    (void)ssl;
    (void)out_alert;
    return ssl_verify_ok;
}

// hello_read takes back what let a long ClientHello in: no certificate is asked of the client.
static enum ssl_select_cert_result_t hello_read(const SSL_CLIENT_HELLO *hello) {
    SSL_set_custom_verify(hello->ssl, emulate_wants_client_cert(SSL_get_app_data(hello->ssl)),
                          any_certificate);
    return ssl_select_cert_success;
}

static SSL_CTX *client_ctx_new(void *shared, unsigned kind) {
    SSL_CTX *ctx = ctx_new(shared);
    CHECK((kind & COMPRESS_ZLIB) == 0 ||
          SSL_CTX_add_cert_compression_alg(ctx, CERTIFICATE_ZLIB, NULL, inflate_zlib));
    CHECK((kind & COMPRESS_BROTLI) == 0 ||
          SSL_CTX_add_cert_compression_alg(ctx, CERTIFICATE_BROTLI, NULL, inflate_brotli));
    SSL_CTX_set_grease_enabled(ctx, (kind & GREASE) != 0);
    return ctx;
}

static void contexts_make(struct session_shared *shared) {
    shared->lane_methods = lane_methods();
    shared->certificates = CRYPTO_BUFFER_POOL_new();
    CHECK(shared->certificates != NULL);
    shared->server_ctx = ctx_new(shared);
    SSL_CTX_set_options(shared->server_ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_alpn_select_cb(shared->server_ctx, downstream_alpn, NULL);
    // BoringSSL's servers take no message above 16 KiB, unless they might be sent certificates.
    SSL_CTX_set_verify(shared->server_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_select_certificate_cb(shared->server_ctx, hello_read);
    SSL_CTX_set_dos_protection_cb(shared->server_ctx, emulate_session);
    for (unsigned i = 0; i < ARRAY_LEN(shared->client_ctx); i++) {
        shared->client_ctx[i] = client_ctx_new(shared, i);
    }
    shared->offers = offers_new();
}

// files_join returns the files of the configuration, then those of a rule; the caller frees it.
static const char **files_join(char *const *a, size_t num_a, char *const *b, size_t num_b) {
    const char **files = xcalloc(num_a + num_b + 1, sizeof(*files));
    for (size_t i = 0; i < num_a + num_b; i++) {
        files[i] = i < num_a ? a[i] : b[i - num_a];
    }
    return files;
}

// trust_for loads the roots of one rule, the system's, those of the configuration, its own, and the
// revocation lists.
static struct trust *trust_for(const struct shared_config *config, const struct policy_rule *rule,
                               struct err *err) {
    const char **files = files_join(config->trust, config->num_trust, rule->trust, rule->num_trust);
    const char **crls = files_join(config->crls, config->num_crls, rule->crls, rule->num_crls);
    struct trust *trust = trust_new(config->roots, files, config->num_trust + rule->num_trust, err);
    if (trust != NULL && !trust_add_crls(trust, crls, config->num_crls + rule->num_crls, err)) {
        trust_free(trust);
        trust = NULL;
    }
    free(files);
    free(crls);
    return trust;
}

// trusts_load shares one set of roots and lists among all rules that add none of their own.
static bool trusts_load(struct session_shared *shared, const struct shared_config *config,
                        struct err *err) {
    size_t num = policy_num_rules(shared->policy);
    shared->trusts = xcalloc(num, sizeof(*shared->trusts));
    shared->num_trusts = num;
    for (size_t i = 0; i < num; i++) {
        const struct policy_rule *rule = policy_rule(shared->policy, i);
        bool plain = rule->num_trust == 0 && rule->num_crls == 0;
        if (plain && shared->plain_trust != NULL) {
            shared->trusts[i] = shared->plain_trust;
            continue;
        }
        shared->trusts[i] = trust_for(config, rule, err);
        if (shared->trusts[i] == NULL) {
            return false;
        }
        if (plain) {
            shared->plain_trust = shared->trusts[i];
        }
    }
    return true;
}

// emulated_open makes the forge of `profile`, whose reference it takes over.
static bool emulated_open(struct emulated *out, struct profile *profile,
                          const struct shared_config *config, struct err *err) {
    char dir[4096];
    snprintf(dir, sizeof(dir), "%s/%s", config->boxes != NULL ? config->boxes : "", profile->name);
    out->profile = profile;
    out->forge = forge_open(config->boxes != NULL ? dir : NULL, &profile->cert, config->authority,
                            config->now, err);
    return out->forge != NULL;
}

static void emulated_close(struct emulated *emulated) {
    forge_free(emulated->forge);
    profile_unref(emulated->profile);
}

// boxes_open makes the boxes that the command line and the policy's rules name.
static bool boxes_open(struct session_shared *shared, const struct shared_config *config,
                       struct err *err) {
    shared->boxes = xcalloc(shared->num_trusts, sizeof(*shared->boxes));
    if (config->as != NULL && !emulated_open(&shared->as, profile_ref(config->as), config, err)) {
        return false;
    }
    for (size_t i = 0; i < shared->num_trusts; i++) {
        const struct policy_rule *rule = policy_rule(shared->policy, i);
        if (rule->action != ACTION_EMULATE) {
            continue;
        }
        struct profile *profile = profile_load(rule->profile, err);
        if (profile == NULL || !emulated_open(&shared->boxes[i], profile, config, err)) {
            struct err why = *err;
            return err_set(err, "%s.profile: %s", rule->path, why.msg);
        }
    }
    return true;
}

// What makes each form of a leaf; the ordinary one has none of it.
static const struct cert_knobs form_knobs[LEAF_FORMS] = {
    [LEAF_FORM_RSA] = {.key = CERT_KNOB_KEY_RSA_2048},
    [LEAF_FORM_SHORT] = {.not_before = {CERT_KNOB_DATE_NOW, -3600},
                         .not_after = {CERT_KNOB_DATE_NOW, 14 * 24 * 3600}},
    [LEAF_FORM_EXACT_NAME] = {.subject = CERT_KNOB_SUBJECT_HOST, .san = CERT_KNOB_SAN_HOST},
    [LEAF_FORM_NO_AKI] = {.no_aki = true},
    [LEAF_FORM_WITH_ROOT] = {.chain = CERT_KNOB_CHAIN_FULL},
    [LEAF_FORM_SHA384] = {.digest = CERT_KNOB_SHA384},
};
static const struct cert_knobs untrusted_knobs = {.issuer = CERT_KNOB_UNTRUSTED};

// tries_open makes what experiments with clients need, where a rule allows any.
static bool tries_open(struct session_shared *shared, const struct shared_config *config,
                       struct err *err) {
    bool any = false, forms[LEAF_FORMS] = {false}, canary = false;
    for (size_t i = 0; i < policy_num_rules(shared->policy); i++) {
        const struct retry_policy *retry = &policy_rule(shared->policy, i)->retry;
        any = any || retry->tunnel || retry->canary || retry->num_forms != 0;
        canary = canary || retry->canary;
        for (size_t k = 0; k < retry->num_forms; k++) {
            forms[retry->forms[k]] = true;
        }
    }
    bool ok = true;
    if (config->tries != NULL) {
        shared->tries = tries_ref(config->tries);
    } else if (any) {
        shared->tries = tries_new();
    }
    for (size_t i = 0; i < LEAF_FORMS && ok; i++) {
        if (forms[i]) {
            shared->forms[i] =
                forge_open(NULL, &form_knobs[i], shared->authority, config->now, err);
            ok = shared->forms[i] != NULL;
        }
    }
    if (canary && ok) {
        shared->untrusted = forge_open(NULL, &untrusted_knobs, shared->authority, config->now, err);
        ok = shared->untrusted != NULL;
    }
    return ok;
}

const struct authority *shared_root(const struct session_shared *shared) {
    return shared->as.forge != NULL ? forge_root(shared->as.forge) : shared->authority;
}

struct session_shared *shared_new(const struct shared_config *config, struct err *err) {
    struct session_shared *shared = xcalloc(1, sizeof(*shared));
    atomic_init(&shared->refs, 1);
    shared->policy = policy_ref(config->policy);
    shared->authority = config->authority;
    shared->leaves = config->leaves;
    shared->verifications = config->verifications;
    shared->history = config->history;
    shared->limits = config->limits != NULL ? *config->limits : limits_default;
    if (config->parent != NULL) {
        shared->parent = *config->parent;
    }
    uint8_t id[4];
    RAND_bytes(id, sizeof(id));
    snprintf(shared->via, sizeof(shared->via), "tlsblame-%02x%02x%02x%02x", id[0], id[1], id[2],
             id[3]);
    shared->clock_known = config->clock_known;
    shared->clock_kept = config->clock_kept;
    shared->address = config->address != NULL ? xstrdup(config->address) : NULL;
    shared->keylog = config->keylog;
    shared->keylog_ctx = config->keylog_ctx;
    shared->memory = memory_new(config->seed);
    if (!trusts_load(shared, config, err) || !boxes_open(shared, config, err) ||
        !tries_open(shared, config, err)) {
        shared_unref(shared);
        return NULL;
    }
    contexts_make(shared);
    return shared;
}

struct session_shared *shared_ref(struct session_shared *shared) {
    atomic_fetch_add(&shared->refs, 1);
    return shared;
}

void shared_unref(struct session_shared *shared) {
    if (shared == NULL || atomic_fetch_sub(&shared->refs, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < shared->num_trusts; i++) {
        if (shared->trusts[i] != shared->plain_trust) {
            trust_free(shared->trusts[i]);
        }
    }
    trust_free(shared->plain_trust);
    for (size_t i = 0; shared->boxes != NULL && i < shared->num_trusts; i++) {
        emulated_close(&shared->boxes[i]);
    }
    free(shared->boxes);
    emulated_close(&shared->as);
    memory_free(shared->memory);
    tries_unref(shared->tries);
    for (size_t i = 0; i < LEAF_FORMS; i++) {
        forge_free(shared->forms[i]);
    }
    forge_free(shared->untrusted);
    free(shared->trusts);
    for (size_t i = 0; i < ARRAY_LEN(shared->client_ctx); i++) {
        SSL_CTX_free(shared->client_ctx[i]);
    }
    offers_free(shared->offers);
    SSL_CTX_free(shared->server_ctx);
    CRYPTO_BUFFER_POOL_free(shared->certificates);
    if (shared->lane_methods != NULL) {
        BIO_meth_free(shared->lane_methods);
    }
    policy_unref(shared->policy);
    free(shared->address);
    free(shared);
}

static unsigned client_kind(unsigned compressions, bool grease) {
    return (compressions & 3) | (grease ? GREASE : 0);
}

SSL_CTX *shared_client_ctx(const struct session_shared *shared, unsigned compressions,
                           bool grease) {
    return shared->client_ctx[client_kind(compressions, grease)];
}

SSL_CTX *shared_offer_ctx(struct session_shared *shared, unsigned compressions, bool grease,
                          const struct offer *offer) {
    unsigned kind = client_kind(compressions, grease);
    if (offer->num == 0) {
        SSL_CTX_up_ref(shared->client_ctx[kind]);
        return shared->client_ctx[kind];
    }
    return offers_get(shared->offers, offer, kind, client_ctx_new, shared);
}
