// What the client is stapled follows from what the server stapled.
#include "proxy/session/staple.h"

#include <string.h>

#include "policy/ca/ocsp.h"
#include "tests/unit/policy/ca/test_ocsp.h"
#include "tests/unit/proxy/session/playbook.h"

static struct arena arena;
static struct ocsp_facts facts;

// shown returns what the client makes of its staple: a result, or "none".
static const char *shown(struct setup *setup) {
    struct play *p = play_new(setup);
    const uint8_t *der;
    size_t der_len;
    CBS response;
    struct cert_facts leaf, issuer;
    const struct world *w = world_get();
    arena_cleanup(&arena);
    play_run(p, HANDSHAKE);
    SSL *ssl = play_peer(p, SIDE_CLIENT)->ssl;
    SSL_get0_ocsp_response(ssl, &der, &der_len);
    const char *result = "none";
    if (der_len != 0) {
        uint8_t *cert = NULL, *ca = NULL;
        X509 *x509 = SSL_get_peer_certificate(ssl);
        int cert_len = i2d_X509(x509, &cert), ca_len = i2d_X509(w->ca, &ca);
        const uint8_t *kept = arena_dup(&arena, der, der_len);
        CHECK(cert_facts_parse(&leaf, &arena, arena_dup(&arena, cert, (size_t)cert_len),
                               (size_t)cert_len));
        CHECK(cert_facts_parse(&issuer, &arena, arena_dup(&arena, ca, (size_t)ca_len),
                               (size_t)ca_len));
        CBS_init(&response, kept, der_len);
        ocsp_check(&facts, &arena, response, &leaf, &issuer, PKI_NOW);
        result = ocsp_result_id(facts.result);
        OPENSSL_free(cert);
        OPENSSL_free(ca);
        X509_free(x509);
    }
    play_free(p);
    return result;
}

static const char *shown_for(const char *policy, const struct ocsp_options *options,
                             uint16_t version) {
    const struct world *w = world_get();
    struct setup setup = {SETUP_TLS, .policy = policy};
    uint8_t *response = NULL;
    setup.client.staple = true;
    setup.client.max_version = version;
    if (options != NULL) {
        struct ocsp_options made = *options;
        made.cert = made.cert != NULL ? made.cert : w->leaf;
        made.issuer = w->root;
        setup.server.response = response = ocsp_make(&made, &setup.server.response_len);
    }
    const char *result = shown(&setup);
    OPENSSL_free(response);
    return result;
}

static void what_the_server_showed(void) {
    const struct world *w = world_get();
    const struct {
        struct ocsp_options options;
        const char *result;
    } rows[] = {
        {{.kind = OCSP_KIND_GOOD}, "good"},
        {{.kind = OCSP_KIND_REVOKED, .reason = 1}, "revoked"},
        {{.kind = OCSP_KIND_REVOKED, .reason = -1}, "revoked"},
        {{.kind = OCSP_KIND_UNKNOWN}, "unknown"},
        {{.this_update = PKI_NOW - 9 * PKI_DAY, .next_update = PKI_NOW - PKI_DAY}, "stale"},
        {{.this_update = PKI_NOW + PKI_DAY, .next_update = -1}, "future"},
        {{.break_signature = true}, "bad-signature"},
        {{.signer = w->expired}, "bad-signature"},
        {{.cert = w->expired}, "wrong-certificate"},
        {{.refusal = 3}, "try-later"},
        {{.refusal = 4}, "unreadable"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            CU_ASSERT_STRING_EQUAL(shown_for(NULL, &rows[i].options, version), rows[i].result);
        }
    }
    struct ocsp_options revoked = {.kind = OCSP_KIND_REVOKED, .reason = 4};
    CU_ASSERT_STRING_EQUAL(shown_for(NULL, &revoked, TLS1_3_VERSION), "revoked");
    CU_ASSERT_STRING_EQUAL(facts.reason, "superseded");
    CU_ASSERT_EQUAL(facts.revoked_at, PKI_NOW - 5 * PKI_DAY);
    CU_ASSERT_EQUAL(facts.next_update, PKI_NOW + PKI_DAY);
}

// The CA goes along where the server sends its issuer too.
static void the_issuer_goes_along(void) {
    const struct world *w = world_get();
    for (int sent = 0; sent < 2; sent++) {
        struct setup setup = {SETUP_TLS};
        struct ocsp_options options = {.cert = w->leaf, .issuer = w->root};
        uint8_t *response = ocsp_make(&options, &setup.server.response_len);
        setup.server.response = response;
        setup.server.chain[1] = sent ? w->root : NULL;
        for (int asked = 0; asked < 2; asked++) {
            setup.client.staple = asked;
            struct play *p = play_new(&setup);
            play_run(p, HANDSHAKE);
            const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(play_peer(p, SIDE_CLIENT)->ssl);
            CU_ASSERT_EQUAL(sk_X509_num(chain), sent && asked ? 2 : 1);
            play_free(p);
        }
        OPENSSL_free(response);
    }
}

static void nothing_where_nothing_came(void) {
    struct setup setup = {SETUP_TLS};
    CU_ASSERT_STRING_EQUAL(shown_for(NULL, NULL, TLS1_3_VERSION), "none");
    // Nor where the client does not ask: the server is not asked either.
    struct ocsp_options options = {.cert = world_get()->leaf, .issuer = world_get()->root};
    uint8_t *response = ocsp_make(&options, &setup.server.response_len);
    setup.server.response = response;
    CU_ASSERT_STRING_EQUAL(shown(&setup), "none");
    OPENSSL_free(response);
}

// Policy may hide the server's defects: then the staple is sound, whatever the server's is.
static void hidden(void) {
    static const char policy[] = "{\"default\": {\"server_leg\": {\"verify\": false}}}";
    struct ocsp_options revoked = {.kind = OCSP_KIND_REVOKED}, broken = {.refusal = 3};
    CU_ASSERT_STRING_EQUAL(shown_for(policy, &revoked, TLS1_3_VERSION), "good");
    CU_ASSERT_STRING_EQUAL(shown_for(policy, &broken, TLS1_3_VERSION), "good");
    CU_ASSERT_STRING_EQUAL(shown_for(policy, NULL, TLS1_3_VERSION), "none");
}

// A demand for a staple is mirrored with its absence.
static void a_missing_staple(void) {
    const struct world *w = world_get();
    struct pki_cert *leaf = pki_make((struct pki_options){
        .cn = WORLD_HOST, .issuer = w->root, .san = "DNS:" WORLD_HOST, .must_staple = true});
    struct setup setup = {SETUP_TLS};
    setup.client.staple = true;
    setup.server.chain[0] = leaf;
    play(&setup, HANDSHAKE ">> stop\n"
                           "<< record final\n"
                           "== legs.server.staple missing *\n"
                           "== legs.client.answer.ocsp_staple -\n");
    struct play *p = play_new(&setup);
    play_run(p, HANDSHAKE);
    X509 *shown_leaf = SSL_get_peer_certificate(play_peer(p, SIDE_CLIENT)->ssl);
    ASN1_OBJECT *feature = OBJ_txt2obj("1.3.6.1.5.5.7.1.24", 1);
    CU_ASSERT_TRUE(X509_get_ext_by_OBJ(shown_leaf, feature, -1) >= 0);
    ASN1_OBJECT_free(feature);
    X509_free(shown_leaf);
    play_free(p);
    setup.policy = "{\"default\": {\"server_leg\": {\"verify\": false}}}";
    CU_ASSERT_STRING_EQUAL(shown(&setup), "good");
    pki_free(leaf);
}

static void end(void) { arena_cleanup(&arena); }

const struct unit_case unit_cases[] = {
    {"what the server showed", what_the_server_showed},
    {"the issuer goes along", the_issuer_goes_along},
    {"nothing where nothing came", nothing_where_nothing_came},
    {"hidden by policy", hidden},
    {"missing", a_missing_staple},
    {"end", end},
    {NULL, NULL},
};
