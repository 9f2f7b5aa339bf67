// A box whose hello is a template's, byte for byte, and the connection behind it.
#include "tests/unit/proxy/session/playbook.h"

#define TEMPLATE(what) .as = "{\"server_leg\": {\"hello\": \"template\", \"template\": {" what "}}}"
#define TRIES OPEN ">> server tls\n>> client tls\n"
#define TALK                                                                                       \
    ">> client says GET / HTTP/1.1||\n<< server hears GET / HTTP/1.1||\n"                          \
    ">> server says HTTP/1.1 200 OK||\n<< client hears HTTP/1.1 200 OK||\n"

// Every field of the template stands in the hello: what the library would never say among them.
static void test_fields(void) {
    play(
        &(struct setup){
            TEMPLATE("\"record_version\": \"1.1\", \"version\": \"1.2\", \"session_id_len\": 7, "
                     "\"ciphers\": [\"TLS_RSA_WITH_RC4_128_MD5\", "
                     "\"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA\"], "
                     "\"extensions\": [\"heartbeat\", \"supported_groups\", \"server_name\", "
                     "\"ec_point_formats\", \"signature_algorithms\"], "
                     "\"groups\": [\"sect571r1\", \"secp256r1\"], "
                     "\"signature_algorithms\": [\"ecdsa_sha1\", \"ecdsa_secp256r1_sha256\"], "
                     "\"point_formats\": [\"ansiX962_compressed_prime\", \"uncompressed\"], "
                     "\"compression\": [\"DEFLATE\", \"NULL\"]"),
            SETUP_TLS},
        TRIES "<< server established TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA -\n" TALK
              ">> stop\n<< record final\n"
              "== legs.server.offer.extensions heartbeat, supported_groups, server_name, "
              "ec_point_formats, signature_algorithms\n"
              "== legs.server.offer.ciphers TLS_RSA_WITH_RC4_128_MD5, "
              "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA\n"
              "== legs.server.offer.groups sect571r1, secp256r1\n"
              "== legs.server.offer.ec_point_formats ansiX962_compressed_prime, uncompressed\n"
              "== legs.server.offer.compression_methods DEFLATE, NULL\n"
              "== legs.server.tls.cipher TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA\n"
              "== legs.server.tls.established yes\n"
              "== legs.server.verification.ok yes\n"
              "== emulation.action -\n");
}

static const char *const tls13 =
    "{\"server_leg\": {\"alpn\": \"fixed\", \"alpn_protocols\": "
    "[\"http/1.1\"], \"hello\": \"template\", \"template\": {\"session_id_len\": 32, "
    "\"ciphers\": [\"TLS_AES_128_GCM_SHA256\", \"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"], "
    "\"extensions\": [\"key_share\", \"supported_versions\", \"supported_groups\", "
    "\"signature_algorithms\", \"server_name\", \"psk_key_exchange_modes\", "
    "\"application_layer_protocol_negotiation\", \"compress_certificate\", \"padding\"], "
    "\"groups\": [\"x25519\", \"secp384r1\"], \"key_shares\": [\"x25519\"], "
    "\"versions\": [\"TLS 1.3\", \"TLS 1.2\"], "
    "\"signature_algorithms\": [\"ecdsa_secp256r1_sha256\"]}}}";

static void test_tls13(void) {
    static const struct peer_options client = {.host = WORLD_HOST, .alpn = "http/1.1"};
    struct setup setup = {.as = tls13,
                          .client = client,
                          .server = {.chain = {world_get()->leaf}, .alpn = "http/1.1"}};
    play(&setup, TRIES "<< server established TLSv1.3 TLS_AES_128_GCM_SHA256 http/1.1\n" TALK
                       ">> server key-update\n" TALK ">> server notify\n<< client notified\n");
    setup.server.curves = "P-384"; // a HelloRetryRequest
    play(&setup, TRIES "<< server established TLSv1.3 TLS_AES_128_GCM_SHA256 http/1.1\n" TALK
                       ">> stop\n<< record final\n== legs.server.tls.curve secp384r1\n");
    setup.server.curves = NULL;
    setup.server.max_version = TLS1_2_VERSION;
    play(&setup, TRIES "<< server established TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "
                       "http/1.1\n" TALK);
}

#define OLD                                                                                        \
    "\"version\": \"1.0\", \"ciphers\": [\"TLS_RSA_WITH_RC4_128_SHA\", "                           \
    "\"TLS_RSA_WITH_3DES_EDE_CBC_SHA\"], \"extensions\": [\"server_name\"]"

// The client that is behind an old box gets the version of the server leg.
static void test_tls10(void) {
    static const struct peer_options client = {.host = WORLD_HOST, .min_version = TLS1_VERSION};
    play(&(struct setup){TEMPLATE(OLD), .client = client,
                         .server = {.chain = {world_get()->rsa}, .min_version = TLS1_VERSION}},
         TRIES "<< server established TLSv1 TLS_RSA_WITH_3DES_EDE_CBC_SHA -\n" TALK
               ">> client notify\n<< server notified\n");
    play(&(struct setup){TEMPLATE(OLD), .client = client,
                         .server = {.chain = {world_get()->rsa}, .min_version = TLS1_2_VERSION}},
         TRIES "<< client alerted 70\n>> client eof\n<< record final\n"
               "== legs.server.end.by server\n== emulation.profile test\n");
}

// Defects of the server's chain are shown as on any other leg.
static void test_chain(void) {
    play(
        &(struct setup){
            TEMPLATE(OLD),
            .client = {.host = WORLD_HOST, .ca = world_get()->ca, .min_version = TLS1_VERSION},
            .server = {.chain = {world_get()->wrong_name}, .min_version = TLS1_VERSION}},
        TRIES "<< client alerted 40\n");
    play(&(struct setup){.as = tls13,
                         .client = {.host = WORLD_HOST, .ca = world_get()->ca},
                         .server = {.chain = {world_get()->expired}}},
         TRIES "<< client rejects certificate has expired\n");
}

static void test_sni(void) {
#define SNI(knobs)                                                                                 \
    .as =                                                                                          \
        "{\"server_leg\": {" knobs ", \"hello\": \"template\", \"template\":"                      \
        " {\"ciphers\": [\"TLS_RSA_WITH_AES_128_CBC_SHA\"], \"extensions\": [\"server_name\"]}}}"
    play(&(struct setup){SNI("\"sni\": \"strip\""), .client = {.host = WORLD_HOST},
                         .server = {.chain = {world_get()->rsa}}},
         TRIES "<< server established * * *\n>> stop\n<< record final\n"
               "== legs.server.tls.client.server_name -\n== legs.server.offer.extensions -\n");
    play(&(struct setup){SNI("\"sni\": \"replace\", \"sni_name\": \"other.test\""),
                         .client = {.host = WORLD_HOST}, .server = {.chain = {world_get()->rsa}}},
         TRIES "<< server established * * *\n>> stop\n<< record final\n"
               "== legs.server.tls.client.server_name other.test\n");
}

// Lies and ends at every byte of the server: the session ends, and says why.
static void test_flipped(void) {
    struct setup setup = {.as = tls13, SETUP_TLS};
    setup.flip_side = SIDE_SERVER;
    setup.flip = 0x40;
    for (setup.flip_at = 0; setup.flip_at < 900; setup.flip_at += setup.flip_at < 140 ? 1 : 13) {
        play(&setup, TRIES);
    }
    setup.server.max_version = TLS1_2_VERSION;
    for (setup.flip_at = 0; setup.flip_at < 900; setup.flip_at += setup.flip_at < 140 ? 1 : 13) {
        play(&setup, TRIES);
    }
}

static void test_bad_peers(void) {
    static const struct setup setup = {.as = tls13};
    struct setup tls12 = {.as = tls13, SETUP_TLS};
    tls12.server.max_version = TLS1_2_VERSION;
    play(&setup, OPEN ">> client hello\n>> server bytes HTTP/1.1 400 Bad Request||\n"
                      ">> server eof\n<< record final\n== legs.server.end.how error\n");
    play(&setup, OPEN ">> client hello\n>> server bytes \\x15\\x03\\x03\\x00\\x02\\x02\\x28\n"
                      "<< client gets \\x15\\x03\\x03\\x00\\x02\\x02\\x28\n");
    play(&setup, OPEN ">> client hello\n>> server bytes \\x16\\x03\\x03\n>> server eof\n"
                      "<< record final\n== legs.server.end.by server\n");
    play(&setup, OPEN ">> client hello\n>> server broken\n<< client reset\n");
    // A renegotiation is refused, and the connection goes on.
    play(&tls12, TRIES "<< client established * * *\n>> server hello-request\n"
                       ">> client says still here\n<< server hears still here\n");
    play(&tls12, TRIES "<< client established * * *\n>> server alert 80\n<< client alerted 80\n");
    play(&tls12, TRIES "<< client established * * *\n>> server eof\n<< client fin\n");
    play(&tls12, TRIES "<< client established * * *\n>> server broken\n<< client reset\n");
}

// Much data, in both directions and with a reader that is slow.
static void test_much(void) {
    play(&(struct setup){.as = tls13, SETUP_TLS},
         TRIES "<< client established * * *\n>> server fills 3000000\n<< client got 3000000\n"
               ">> client fills 3000000\n<< server got 3000000\n>> client stops\n"
               ">> server queues 1000000\n>> client takes\n<< client got 1000000\n");
}

// The server chose Camellia. Its certificate is none of worth: so far nobody gets.
static void test_unspoken(void) {
    static const struct setup setup = {
        TEMPLATE("\"version\": \"1.0\", \"ciphers\": [\"TLS_RSA_WITH_CAMELLIA_128_CBC_SHA\"]")};
    play(&setup, OPEN
         ">> client hello\n>> server bytes "
         "\\x16\\x03\\x01\\x00\\x3c\\x02\\x00\\x00\\x26\\x03\\x01"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\\x00\\x00\\x41\\x00"
         "\\x0b\\x00\\x00\\x0a\\x00\\x00\\x07\\x00\\x00\\x04\\x30\\x02\\x05\\x00"
         "\\x0e\\x00\\x00\\x00\n<< client gets \\x15\\x03\\x03\\x00\\x02\\x02\\x28\n"
         ">> client eof\n<< record final\n"
         "== emulation.action template_unspoken\n== verdict.cause emulated\n"
         ""
         "== legs.server.end.detail the server chose a cipher suite that is not spoken here\n");
}

const struct unit_case unit_cases[] = {
    {"every field of the template", test_fields},
    {"TLS 1.3", test_tls13},
    {"TLS 1.0", test_tls10},
    {"the server's chain", test_chain},
    {"SNI", test_sni},
    {"flipped bytes", test_flipped},
    {"bad peers", test_bad_peers},
    {"much data", test_much},
    {"a choice that is not spoken", test_unspoken},
    {NULL, NULL},
};
