// Experiments on the client leg: what a client meets when it comes again.
#include "proxy/session/trial.h"

#include <string.h>

#include "tests/unit/proxy/session/playbook.h"

#define POLICY(keys) "{\"default\": {\"client_leg\": {" keys "}}}"
#define TUNNEL "\"retry_tunnel\": true"
#define CANARY "\"canary\": true"

// A client that does not know our CA, but the server's root.
#define REFUSE                                                                                     \
    OPEN ">> server tls\n"                                                                         \
         ">> client tls\n"                                                                         \
         "<< record final\n"

static struct setup setup_of(struct session_shared *shared, X509 *trusts, uint16_t version) {
    struct setup setup = {SETUP_TLS, .shared = shared};
    setup.client.ca = trusts;
    setup.client.max_version = version;
    return setup;
}

static X509 *root_of_servers(void) { return world_get()->root->x509; }

static void refuse(struct setup *setup) {
    play(setup, REFUSE "== client_try -\n"
                       "== mode intercept\n"
                       "== experiments -\n"
                       "== verdict.cause proxy-ca-not-installed\n");
}

// It goes on in the tunnel, and both records say what that means.
static void tunnelled(void) {
    static const uint16_t versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct session_shared *shared = world_shared(POLICY(TUNNEL), NULL);
        struct setup setup = setup_of(shared, root_of_servers(), versions[i]);
        refuse(&setup);
        play(&setup, HANDSHAKE ">> client fills 2000\n"
                               "<< server got 2000\n"
                               ">> server fills 3000\n"
                               "<< client got 3000\n"
                               ">> client notify\n"
                               ">> client eof\n"
                               ">> server eof\n"
                               "<< record final\n"
                               "== mode tunnel\n"
                               "== client_try client-tunnel\n"
                               "== verdict.party client\n"
                               "== verdict.cause proxy-ca-not-installed\n"
                               "<< record final\n"
                               "== mode intercept\n"
                               "== client_try -\n"
                               "== verdict.cause proxy-ca-not-installed\n"
                               "== verdict.evidence *client-tunnel answered*\n");
        shared_unref(shared);
    }
}

// Without the policy nothing of that happens, nor to another client.
static void not_tunnelled(void) {
    struct session_shared *shared = world_shared(POLICY("\"retry_tunnel\": false"), NULL);
    struct setup setup = setup_of(shared, root_of_servers(), TLS1_3_VERSION);
    CU_ASSERT_PTR_NULL(shared->tries);
    refuse(&setup);
    refuse(&setup);
    shared_unref(shared);
    shared = world_shared(POLICY(TUNNEL), NULL);
    setup = setup_of(shared, root_of_servers(), TLS1_3_VERSION);
    refuse(&setup);
    setup = setup_of(shared, world_get()->ca, TLS1_3_VERSION);
    setup.client.ciphers = "AES256-SHA";
    setup.client.max_version = TLS1_2_VERSION;
    setup.server.chain[0] = world_get()->rsa;
    play(&setup, HANDSHAKE ">> stop\n<< record final\n== mode intercept\n== client_try -\n");
    shared_unref(shared);
}

// A defect of the server's is mirrored: that the client refuses it tells nothing of us.
static void mirrored(void) {
    struct session_shared *shared = world_shared(POLICY(TUNNEL), NULL);
    struct setup setup = setup_of(shared, world_get()->ca, TLS1_3_VERSION);
    setup.server.chain[0] = world_get()->expired;
    for (int i = 0; i < 2; i++) {
        play(&setup, REFUSE "== mode intercept\n== client_try -\n"
                            "== verdict.cause server-cert-expired\n");
    }
    CU_ASSERT_EQUAL(tries_num(shared->tries), 0);
    shared_unref(shared);
}

// Each form is what it says, and nothing else: the client that trusts us takes it.
static void forms(void) {
    static const struct {
        const char *name, *shows;
    } rows[] = {
        {"rsa", "== legs.client.chain *RSA*\n"},
        {"short", "== legs.client.chain *EC*\n"},
        {"exact-name", "== legs.client.tls.server.subject CN=example.test\n"},
        {"no-aki", "== legs.client.chain *EC*\n"},
        {"with-root", "== legs.client.chain *\n"},
        {"sha384", "== legs.client.chain *ecdsa-with-SHA384*\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char policy[128], script[1024];
        snprintf(policy, sizeof(policy), POLICY("\"retry_leaf\": [\"%s\"]"), rows[i].name);
        struct session_shared *shared = world_shared(policy, NULL);
        struct setup setup = setup_of(shared, root_of_servers(), TLS1_3_VERSION);
        refuse(&setup);
        snprintf(script, sizeof(script),
                 HANDSHAKE ">> client says x\n"
                           "<< server hears x\n"
                           ">> client notify\n"
                           ">> client eof\n"
                           ">> server eof\n"
                           "<< record final\n"
                           "== client_try client-leaf=%s\n"
                           "%s"
                           "== verdict.cause forged-leaf-defect\n"
                           "== verdict.party proxy\n"
                           "<< record final\n"
                           "== verdict.cause forged-leaf-defect\n",
                 rows[i].name, rows[i].shows);
        setup.client.ca = world_get()->ca; // it has learned
        play(&setup, script);
        shared_unref(shared);
    }
}

// The client refuses all of them, one a connection.
static void no_form_helps(void) {
    struct session_shared *shared =
        world_shared(POLICY("\"retry_leaf\": [\"with-root\", \"rsa\", \"short\"]"), NULL);
    struct setup setup = setup_of(shared, root_of_servers(), TLS1_3_VERSION);
    static const char *const names[] = {"with-root", "rsa", "short"};
    refuse(&setup);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char script[512];
        snprintf(script, sizeof(script), REFUSE "== client_try client-leaf=%s\n", names[i]);
        play(&setup, script);
    }
    refuse(&setup);
    shared_unref(shared);
}

// An RSA leaf is no other form for a client that gets one anyway.
static void nothing_to_change(void) {
    struct session_shared *shared = world_shared(POLICY("\"retry_leaf\": [\"rsa\"]"), NULL);
    static const uint16_t sigalgs[] = {SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256};
    struct setup setup = setup_of(shared, root_of_servers(), TLS1_3_VERSION);
    setup.client.sigalgs = sigalgs;
    setup.client.num_sigalgs = ARRAY_LEN(sigalgs);
    setup.server.chain[0] = world_get()->rsa;
    play(&setup, REFUSE "== client_try -\n");
    play(&setup, REFUSE "== client_try -\n");
    shared_unref(shared);
}

static void work(struct setup *setup) {
    play(setup, HANDSHAKE ">> client says x\n"
                          "<< server hears x\n"
                          ">> stop\n"
                          "<< record final\n"
                          "== client_try -\n");
}

// Who validates refuses the canaries, and that is no failure of anybody's.
static void canaries_refused(void) {
    struct session_shared *shared = world_shared(POLICY(CANARY), NULL);
    struct setup setup = setup_of(shared, world_get()->ca, TLS1_3_VERSION);
    work(&setup);
    play(&setup, REFUSE "== client_try canary=untrusted\n"
                        "== verdict.party none\n"
                        "== verdict.cause healthy\n");
    play(&setup, REFUSE "== client_try canary=wrong-name\n"
                        "== verdict.party none\n"
                        "== verdict.cause healthy\n");
    work(&setup);
    shared_unref(shared);
}

// Who does not validate is found out by what it says, and nobody hears that.
static void canaries_taken(void) {
    static const char *const names[] = {"untrusted", "wrong-name"};
    static const uint16_t versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
        struct session_shared *shared = world_shared(POLICY(CANARY), NULL);
        struct setup setup = setup_of(shared, NULL, versions[v]);
        setup.client.host = NULL;
        work(&setup);
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            char script[1024];
            snprintf(script, sizeof(script),
                     HANDSHAKE ">> client says a secret\n"
                               "<< client reset\n"
                               "<< record final\n"
                               "== client_try canary=%s\n"
                               "== verdict.party client\n"
                               "== verdict.cause client-does-not-validate\n"
                               "== legs.server.bytes.data_sent 0\n"
                               "== legs.client.bytes.data_sent 0\n",
                     names[i]);
            play(&setup, script);
        }
        work(&setup);
        shared_unref(shared);
    }
}

// Who completes the handshake and says nothing has not taken it.
static void canary_unused(void) {
    struct session_shared *shared = world_shared(POLICY(CANARY), NULL);
    struct setup setup = setup_of(shared, NULL, TLS1_3_VERSION);
    setup.client.host = NULL;
    work(&setup);
    play(&setup, HANDSHAKE ">> timer 3\n"
                           "<< client reset\n"
                           "<< record final\n"
                           "== client_try canary=untrusted\n"
                           "== verdict.party none\n"
                           "== verdict.cause client-abort-speculative\n");
    play(&setup, HANDSHAKE ">> client notify\n"
                           "<< record final\n"
                           "== client_try canary=wrong-name\n"
                           "== verdict.party none\n"
                           "== verdict.cause healthy\n");
    shared_unref(shared);
}

// A client of a server whose certificate is not good gets no canary: it is shown that already.
static void no_canary(void) {
    struct session_shared *shared = world_shared(POLICY(CANARY), NULL);
    struct setup setup = setup_of(shared, world_get()->ca, TLS1_3_VERSION);
    work(&setup);
    setup.server.chain[0] = world_get()->expired;
    play(&setup, REFUSE "== client_try -\n== verdict.cause server-cert-expired\n");
    shared_unref(shared);
}

const struct unit_case unit_cases[] = {
    {"tunnelled", tunnelled},
    {"not tunnelled", not_tunnelled},
    {"mirrored", mirrored},
    {"forms", forms},
    {"no form helps", no_form_helps},
    {"nothing to change", nothing_to_change},
    {"canaries refused", canaries_refused},
    {"canaries taken", canaries_taken},
    {"canary unused", canary_unused},
    {"no canary", no_canary},
    {NULL, NULL},
};
