// The server leg of a box: its hello, and what it makes of a bad chain.
#include "tests/unit/policy/ca/test_ocsp.h"
#include "tests/unit/proxy/session/playbook.h"

#define LEG(what) .as = "{\"server_leg\": {" what "}}"
#define CLIENT .client = {.host = WORLD_HOST, .ca = world_get()->ca}
#define BAD(which) .server = {.chain = {world_get()->which}}
#define TRIES OPEN ">> server tls\n>> client tls\n"

static void test_hello(void) {
    play(
        &(struct setup){
            LEG("\"max_version\": \"1.2\", \"ciphers\": "
                "[\"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\", "
                "\"TLS_RSA_WITH_RC4_128_MD5\"], \"groups\": [\"secp384r1\", \"secp256r1\"], "
                "\"hello\": \"own\""),
            SETUP_TLS},
        TRIES "<< server established TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 *\n>> stop\n"
              "<< record final\n== legs.server.tls.curve secp384r1\n"
              "== legs.server.offer.versions TLS 1.2, TLS 1.1, TLS 1.0, SSL 3.0\n"
              "== legs.server.offer.groups secp384r1, secp256r1\n");
    play(&(struct setup){LEG("\"min_version\": \"1.3\""), SETUP_TLS},
         TRIES "<< server established TLSv1.3 * *\n");
}

static void test_alpn_and_sni(void) {
    static const struct peer_options client = {.host = WORLD_HOST, .alpn = "h2,http/1.1"};
    const struct peer_options server = {.chain = {world_get()->leaf}, .alpn = "h2,http/1.1"};
    play(&(struct setup){LEG("\"alpn\": \"strip\", \"sni\": \"strip\""), .client = client,
                         .server = server},
         TRIES "<< server established * * -\n>> stop\n<< record final\n"
               "== legs.server.tls.client.server_name -\n"
               "== legs.client.tls.client.server_name example.test\n");
    play(&(struct setup){LEG("\"alpn\": \"fixed\", \"alpn_protocols\": [\"http/1.1\"], \"sni\": "
                             "\"replace\", \"sni_name\": \"other.test\""),
                         .client = client, .server = server},
         TRIES "<< server established * * http/1.1\n>> stop\n<< record final\n"
               "== legs.server.tls.client.server_name other.test\n");
}

static void test_no_checks(void) {
    play(&(struct setup){LEG("\"verify\": {\"dates\": false}"), CLIENT, BAD(expired)},
         TRIES "<< client established * * *\n");
    play(&(struct setup){LEG("\"verify\": {\"host\": false}"), CLIENT, BAD(wrong_name)},
         TRIES "<< server established * * *\n");
    play(&(struct setup){LEG("\"verify\": {\"chain\": false}"), CLIENT, BAD(self_signed)},
         TRIES "<< client established * * *\n");
    // What is checked still shows.
    play(&(struct setup){LEG("\"verify\": {\"dates\": false}"), CLIENT, BAD(self_signed)},
         TRIES "<< client rejects unable to get local issuer certificate\n");
}

// A signature with SHA-1, where that is looked at and where it is not.
static void test_strength(void) {
    struct pki_cert *weak = pki_make((struct pki_options){.cn = WORLD_HOST,
                                                          .issuer = world_get()->root,
                                                          .san = "DNS:" WORLD_HOST,
                                                          .ext_key_usage = "serverAuth",
                                                          .digest = EVP_sha1()});
#define STRENGTH(word) LEG("\"on_invalid\": \"reset\", \"verify\": {\"strength\": " word "}")
    play(&(struct setup){STRENGTH("true"), CLIENT, .server = {.chain = {weak}}},
         TRIES "<< client reset\n<< record final\n== emulation.action on_invalid\n");
    play(&(struct setup){STRENGTH("false"), CLIENT, .server = {.chain = {weak}}}, HANDSHAKE);
    pki_free(weak);
}

static void test_on_invalid(void) {
    play(&(struct setup){LEG("\"on_invalid\": \"resign_trusted\""), CLIENT, BAD(expired)},
         TRIES "<< client established * * *\n>> stop\n<< record final\n"
               "== emulation.action on_invalid\n");
    play(&(struct setup){LEG("\"on_invalid\": \"resign_untrusted\""), CLIENT, BAD(expired)},
         TRIES "<< client rejects unable to get local issuer certificate\n>> client eof\n<< "
               "record final\n"
               "== verdict.cause emulated\n");
    play(&(struct setup){LEG("\"on_invalid\": \"self_signed\""), CLIENT, BAD(unknown)},
         TRIES "<< client rejects unable to get local issuer certificate\n");
    play(&(struct setup){LEG("\"on_invalid\": \"reset\""), CLIENT, BAD(expired)},
         TRIES "<< client reset\n<< record final\n== emulation.action on_invalid\n");
    play(&(struct setup){LEG("\"on_invalid\": \"alert\", \"on_invalid_alert\": "
                             "\"certificate_expired\""),
                         CLIENT, BAD(expired)},
         TRIES "<< client alerted 45\n");
    play(&(struct setup){LEG("\"on_invalid\": \"block_page\""), CLIENT, BAD(expired)},
         TRIES "<< client established * * *\n>> client says GET / HTTP/1.1||\n"
               "<< client hears HTTP/1.1 403 *\n");
    // The server gets an alert at its certificate, or is done with.
    play(&(struct setup){LEG("\"on_invalid\": \"block_page\", \"breaks_off\": true"), CLIENT,
                         BAD(expired)},
         TRIES "<< server alerted 45\n<< client established * * *\n"
               ">> client says GET / HTTP/1.1||\n<< client hears HTTP/1.1 403 *\n");
    play(&(struct setup){LEG("\"on_invalid\": \"reset\", \"breaks_off\": true"), CLIENT,
                         BAD(unknown)},
         TRIES "<< server alerted 48\n<< client reset\n");
    // A good chain is none of it.
    play(&(struct setup){LEG("\"on_invalid\": \"reset\""), SETUP_TLS}, HANDSHAKE);
    play(&(struct setup){LEG("\"on_invalid\": \"reset\", \"breaks_off\": true"), SETUP_TLS},
         HANDSHAKE);
}

#define PINS "\"on_invalid\": \"reset\", \"verify\": {\"pins\": [\"%s\"]}"
#define REVOCATION(word) "\"on_invalid\": \"reset\", \"verify\": {\"revocation\": \"" word "\"}"

// A pin is a key anywhere in the chain that came.
static void test_pins(void) {
    static const char other[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char as[300], hex[65] = "";
    const struct pki_cert *leaf = world_get()->leaf;
    uint8_t *spki = NULL, hash[32];
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf->x509), &spki);
    SHA256(spki, (size_t)len, hash);
    OPENSSL_free(spki);
    for (size_t i = 0; i < sizeof(hash); i++) {
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    }
    snprintf(as, sizeof(as), "{\"server_leg\": {" PINS "}}", hex);
    play(&(struct setup){.as = as, SETUP_TLS}, HANDSHAKE);
    snprintf(as, sizeof(as), "{\"server_leg\": {" PINS "}}", other);
    play(&(struct setup){.as = as, SETUP_TLS},
         TRIES "<< client reset\n<< record final\n== emulation.action on_invalid\n");
}

// revocation plays a box whose server staples a response of `status`, or none (-1).
static void revocation(const char *as, int status, const char *script) {
    struct setup setup = {.as = as, SETUP_TLS};
    struct ocsp_options options = {.cert = world_get()->leaf,
                                   .issuer = world_get()->root,
                                   .kind = status == 1 ? OCSP_KIND_REVOKED : OCSP_KIND_GOOD};
    uint8_t *response = NULL;
    setup.client.staple = true;
    if (status >= 0) {
        setup.server.response = response = ocsp_make(&options, &setup.server.response_len);
    }
    play(&setup, script);
    OPENSSL_free(response);
}

static void test_revocation(void) {
#define BOX(word) "{\"server_leg\": {" REVOCATION(word) "}}"
    revocation(BOX("hard"), -1, TRIES "<< client reset\n");
    revocation(BOX("hard"), 0, HANDSHAKE);
    revocation(BOX("hard"), 1, TRIES "<< client reset\n");
    revocation(BOX("soft"), -1, HANDSHAKE);
    revocation(BOX("soft"), 1, TRIES "<< client reset\n");
    revocation(BOX("none"), 1, HANDSHAKE);
}

// The client is to see for itself: another connection, in which nothing is touched.
static void test_pass_through(void) {
    play(&(struct setup){LEG("\"on_invalid\": \"pass_through\""),
                         .client = {.host = WORLD_HOST, .ca = world_get()->ca}, BAD(expired)},
         OPEN ">> server tls\n>> client tls\n<< dial example.test:443\n>> resolved\n>> tried 0\n"
              ">> server tls\n>> connected\n<< client rejects unable to get local issuer "
              "certificate\n>> client eof\n>> server eof\n"
              "<< record final\n== mode tunnel\n== emulation.action on_invalid\n");
    play(&(struct setup){LEG("\"on_invalid\": \"pass_through\""), CLIENT, BAD(expired)},
         OPEN ">> server tls\n>> client tls\n<< dial example.test:443\n>> resolved\n"
              ">> tried ECONNREFUSED\n>> dial-failed ECONNREFUSED\n<< record final\n");
}

const struct unit_case unit_cases[] = {
    {"its hello", test_hello},
    {"ALPN and SNI", test_alpn_and_sni},
    {"checks that are not made", test_no_checks},
    {"weak signatures", test_strength},
    {"a bad chain", test_on_invalid},
    {"pins", test_pins},
    {"revocation", test_revocation},
    {"a bad chain is passed through", test_pass_through},
    {NULL, NULL},
};
