// The client leg is answered with what the server chose, and with the defect of its certificate.
#include "tests/unit/proxy/session/playbook.h"

static void the_version_is_the_servers(void) {
    static const char *const names[] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
    static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};
    for (uint16_t i = 0; i < ARRAY_LEN(names); i++) {
        for (int by_client = 0; by_client < 2; by_client++) {
            struct setup setup = {SETUP_TLS};
            *(by_client ? &setup.client.max_version : &setup.server.max_version) =
                (uint16_t)(TLS1_VERSION + i);
            playf(&setup,
                  OPEN ">> server tls\n"
                       ">> client tls\n"
                       "<< client established %s * -\n"
                       "<< server established %s * -\n"
                       ">> stop\n"
                       "<< record final\n"
                       "== legs.client.tls.version %s\n"
                       "== legs.server.tls.version %s\n"
                       "== legs.client.tls.established yes\n"
                       "== legs.server.tls.established yes\n"
                       "== legs.client.timing_ms.finished *\n",
                  names[i], names[i], versions[i], versions[i]);
        }
    }
}

static void the_protocol_is_the_servers(void) {
    static const struct {
        const char *client, *server, *chosen;
    } rows[] = {
        {"h2,http/1.1", "h2,http/1.1", "h2"},
        {"h2,http/1.1", "http/1.1", "http/1.1"},
        {"http/1.1,h2", "h2", "h2"},
        {"h2,http/1.1", NULL, "-"},
        {NULL, "h2", "-"},
        {"h3", "h2", "-"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            struct setup setup = {SETUP_TLS};
            setup.client.alpn = rows[i].client;
            setup.server.alpn = rows[i].server;
            setup.client.max_version = version;
            playf(&setup,
                  OPEN ">> server tls\n"
                       ">> client tls\n"
                       "<< client established * * %s\n"
                       "<< server established * * %s\n"
                       ">> stop\n"
                       "<< record final\n"
                       "== legs.client.tls.next_protocol %s\n"
                       "== legs.server.tls.next_protocol %s\n",
                  rows[i].chosen, rows[i].chosen, rows[i].chosen, rows[i].chosen);
        }
    }
}

static void ciphers_are_those_that_the_client_offers(void) {
    static const char *const suites[] = {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA",
    };
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        struct setup setup = {SETUP_TLS};
        setup.client.max_version = TLS1_2_VERSION;
        setup.client.ciphers = suites[i];
        play(&setup, HANDSHAKE ">> client says x\n<< server hears x\n");
    }
}

static void clients_that_know_only_rsa(void) {
    for (uint16_t version = TLS1_VERSION; version <= TLS1_2_VERSION; version++) {
        static const char *const suites[] = {"AES128-SHA", "ECDHE-RSA-AES128-SHA"};
        for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
            struct setup setup = {SETUP_TLS};
            setup.client.max_version = version;
            setup.client.ciphers = suites[i];
            setup.server.chain[0] = world_get()->rsa;
            play(&setup, HANDSHAKE ">> client says x\n"
                                   "<< server hears x\n"
                                   ">> stop\n"
                                   "<< record final\n"
                                   "== legs.client.chain *RSA*\n");
        }
    }
    static const uint16_t sigalgs[] = {SSL_SIGN_RSA_PSS_RSAE_SHA256};
    struct setup setup = {SETUP_TLS};
    setup.client.sigalgs = sigalgs;
    setup.client.num_sigalgs = 1;
    setup.server.chain[0] = world_get()->rsa;
    play(&setup, HANDSHAKE "<< client established TLSv1.3 * *\n");
}

// The server is asked for another key share, and the client is not, or the other way around.
static void retries_are_each_legs_own(void) {
    struct setup setup = {SETUP_TLS};
    setup.server.curves = "P-384";
    setup.client.curves = "X25519:P-256:P-384";
    play(&setup, HANDSHAKE ">> client says x\n"
                           "<< server hears x\n"
                           ">> stop\n"
                           "<< record final\n"
                           "== legs.server.answer.hello_retry_request group\n"
                           "== legs.server.offer.raw_second *\n"
                           "== legs.server.tls.curve secp384r1\n"
                           "== legs.client.answer.hello_retry_request -\n"
                           "== legs.client.tls.curve x25519\n");
    setup.server.curves = NULL;
    setup.client.curves = "P-521";
    setup.server.curves = "P-521";
    play(&setup, HANDSHAKE ">> stop\n"
                           "<< record final\n"
                           "== legs.client.tls.curve secp521r1\n");
}

static void defects_are_mirrored(void) {
    const struct world *w = world_get();
    const struct {
        const struct pki_cert *cert;
        const char *says, *defect;
        int alert;
    } rows[] = {
        {w->expired, "certificate has expired", "expired", 45},
        {w->early, "certificate is not yet valid", "not-yet-valid", 42},
        {w->self_signed, "self signed certificate", "self-signed", 48},
        {w->unknown, "unable to get local issuer certificate", "*", 48},
        {w->wrong_name, "Hostname mismatch", "wrong-host", 42},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            struct setup setup = {SETUP_TLS};
            setup.server.chain[0] = rows[i].cert;
            setup.client.max_version = version;
            playf(&setup,
                  OPEN ">> server tls\n"
                       ">> client tls\n"
                       "<< client rejects %s\n"
                       "<< server established * * *\n"
                       "<< record final\n"
                       "== legs.server.verification.ok no\n"
                       "== legs.server.verification.defects %s *\n"
                       "== legs.client.alerts client certificate fatal *\n"
                       "== legs.client.end.by client\n"
                       "== legs.client.end.how alert\n"
                       "== legs.client.end.at certificate\n"
                       "== legs.server.end.by client\n"
                       "<< server notified\n"
                       ">> client eof\n"
                       "<< done\n",
                  rows[i].says, rows[i].defect);
        }
    }
}

static void defects_can_be_kept_from_the_client(void) {
    struct setup setup = {
        SETUP_TLS,
        .policy = "{\"default\": {\"server_leg\": {\"verify\": false}}}",
    };
    setup.server.chain[0] = world_get()->expired;
    play(&setup, HANDSHAKE ">> stop\n"
                           "<< record final\n"
                           "== policy.verify_server no\n"
                           "== legs.server.verification.ok no\n"
                           "== legs.server.verification.defects expired *\n");
}

static void each_alert_of_a_client_is_told(void) {
    static const uint8_t alerts[] = {40, 42, 43, 44, 45, 46,  47,  48,  49,
                                     50, 51, 70, 71, 80, 109, 113, 115, 116};
    for (size_t i = 0; i < ARRAY_LEN(alerts); i++) {
        for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            struct setup setup = {SETUP_TLS};
            setup.client.ca = NULL;
            setup.client.reject = alerts[i];
            setup.client.max_version = version;
            playf(&setup,
                  OPEN ">> server tls\n"
                       ">> client tls\n"
                       "<< record final\n"
                       "== legs.client.alerts client certificate fatal %d *\n"
                       "== legs.client.end.by client\n"
                       "== legs.client.end.how alert\n"
                       "== legs.client.tls.established -\n"
                       "== legs.server.tls.established yes\n"
                       "<< client fin\n"
                       "<< server closed\n",
                  alerts[i]);
        }
    }
}

// In TLS 1.3 a client can finish and reject the certificate only then.
static void an_alert_behind_the_finished(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> client alert 48\n"
                           "<< server alerted 48\n"
                           "<< record final\n"
                           "== legs.client.alerts client finished fatal 48 unknown_ca *\n"
                           "== legs.client.end.at finished\n");
}

static void a_client_vanishes_after_our_certificate(void) {
    struct setup setup = {SETUP_TLS};
    static const char *const ends[][2] = {{"eof", "fin"}, {"broken", "rst"}};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        playf(&setup,
              OPEN ">> server tls\n"
                   ">> client hello\n"
                   "<< client gets \\x16\\x03\\x03*\n"
                   ">> client %s\n"
                   "<< record final\n"
                   "== legs.client.end.by client\n"
                   "== legs.client.end.how %s\n"
                   "== legs.client.end.at certificate\n"
                   "== legs.server.end.by client\n"
                   "<< server notified\n"
                   "<< server closed\n"
                   "<< done\n",
              ends[i][0], ends[i][1]);
    }
}

static void a_client_falls_silent_after_our_certificate(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, OPEN ">> server tls\n"
                      ">> client hello\n"
                      ">> timer 31\n"
                      "<< record interim\n"
                      "<< record final\n"
                      "== legs.client.end.by client\n"
                      "== legs.client.end.how timeout\n"
                      "== legs.client.end.at certificate\n");
}

static void nonsense_instead_of_a_finished(void) {
    struct setup setup = {SETUP_TLS};
    setup.client.max_version = TLS1_2_VERSION;
    play(&setup, OPEN ">> server tls\n"
                      ">> client hello\n"
                      "<< client gets *\n"
                      ">> client bytes \\x16\\x03\\x03\\x00\\x04\\x14\\x00\\x00\\x00\n"
                      "<< client gets \\x15\\x03\\x03\\x00\\x02\\x02*\n"
                      "<< record final\n"
                      "== legs.client.end.by proxy\n"
                      "== legs.client.end.how alert\n"
                      "== legs.client.alerts server certificate fatal *\n");
}

// What the server says and does while we speak with the client waits for the relay.
// Our Finished to the server goes with what the client says behind its own, if that comes at once;
// a server that judges a certificate of ours does not wait, nor one of TLS 1.2, which answers.
static void our_finished_goes_with_the_request(void) {
    for (int i = 0; i < 3; i++) {
        struct setup setup = {SETUP_TLS};
        setup.server.max_version = i == 1 ? TLS1_2_VERSION : TLS1_3_VERSION;
        setup.server.ask = i == 2;
        struct play *p = play_new(&setup);
        play_run(p, OPEN ">> server tls\n"
                         ">> client stops\n"
                         ">> client tls\n");
        CU_ASSERT_EQUAL(SSL_in_init(play_peer(p, SIDE_SERVER)->ssl), i == 0);
        play_run(p, ">> client takes\n"
                    "<< client established * * *\n"
                    "<< server established * * *\n"
                    ">> client says x\n"
                    "<< server hears x\n");
        play_free(p);
    }
}

static void the_server_does_not_wait_for_the_client(void) {
    struct setup setup = {SETUP_TLS};
    struct play *p = play_new(&setup);
    play_run(p, OPEN ">> server tls\n"
                     ">> client stops\n"
                     ">> client tls\n"
                     ">> timer\n"
                     "<< server established * * *\n"
                     ">> server says early\n"
                     ">> server notify\n"
                     ">> server eof\n"
                     ">> client takes\n"
                     "<< client established * * *\n"
                     "<< client hears early\n"
                     "<< client notified\n"
                     "<< client fin\n"
                     ">> client notify\n"
                     ">> client eof\n"
                     "<< record final\n"
                     "== legs.server.end.by server\n"
                     "<< done\n");
    play_free(p);
    play(&setup, OPEN ">> server tls\n"
                      ">> client stops\n"
                      ">> client tls\n"
                      ">> server broken\n"
                      ">> client takes\n"
                      "<< client reset\n"
                      "<< record final\n"
                      "== legs.server.end.by server\n"
                      "== legs.server.end.how rst\n"
                      "<< done\n");
}

static void policy_bounds_the_client_leg(void) {
    struct setup setup = {
        SETUP_TLS,
        .policy = "{\"default\": {\"client_leg\": {\"max_version\": \"1.2\"}}}",
    };
    play(&setup, OPEN ">> server tls\n"
                      ">> client tls\n"
                      "<< client established TLSv1.2 * *\n"
                      "<< server established TLSv1.3 * *\n");
    setup.policy = "{\"default\": {\"client_leg\": {\"min_version\": \"1.3\"}}}";
    setup.server.max_version = TLS1_2_VERSION;
    play(&setup, OPEN ">> server tls\n"
                      ">> client tls\n"
                      "<< client established TLSv1.3 * *\n"
                      "<< server established TLSv1.2 * *\n");
    setup.client.max_version = TLS1_2_VERSION;
    play(&setup, OPEN ">> server tls\n"
                      ">> client tls\n"
                      "<< client alerted 70\n"
                      "<< record final\n"
                      "== legs.client.alerts server * fatal 70 protocol_version *\n");
}

static void certificates_of_clients_are_not_asked_for(void) {
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct setup setup = {SETUP_TLS};
        setup.server.ask = true;
        setup.server.max_version = version;
        play(&setup, HANDSHAKE ">> client says x\n"
                               "<< server hears x\n"
                               ">> stop\n"
                               "<< record final\n"
                               "== legs.server.answer.certificate_request yes\n"
                               "== legs.server.answer.client_certificate_sent no\n"
                               "== legs.client.answer.certificate_request -\n");
    }
    struct setup setup = {SETUP_TLS};
    setup.server.need = true;
    play(&setup, OPEN ">> server tls\n"
                      ">> client tls\n"
                      "<< client alerted 116\n"
                      "<< record final\n"
                      "== legs.server.alerts server * fatal 116 certificate_required *\n"
                      "== legs.server.answer.certificate_request yes\n");
    setup.server.max_version = TLS1_2_VERSION;
    play(&setup, OPEN ">> server tls\n"
                      ">> client tls\n"
                      "<< client alerted 40\n"
                      "<< record final\n"
                      "== legs.server.alerts server certificate fatal 40 *\n"
                      "== legs.server.answer.certificate_request yes\n");
}

// As OpenSSL's clients do in TLS 1.3 until their Finished.
static void an_alert_in_the_clear(void) {
    for (size_t piece = 0; piece < 2; piece++) {
        struct setup setup = {SETUP_TLS, .piece = piece};
        play(&setup, OPEN ">> server tls\n"
                          ">> client hello\n"
                          ">> client bytes \\x14\\x03\\x03\\x00\\x01\\x01\n"
                          ">> client bytes \\x15\\x03\\x03\\x00\\x02\\x02\\x30\n"
                          "<< record final\n"
                          "== legs.client.tls.version 1.3\n"
                          "== legs.client.end.by client\n"
                          "== legs.client.end.how alert\n"
                          "== legs.client.end.at certificate\n"
                          "== legs.client.alerts client certificate fatal 48 unknown_ca *\n"
                          "== verdict.cause proxy-ca-not-installed\n");
    }
}

const struct unit_case unit_cases[] = {
    {"the version is the server's", the_version_is_the_servers},
    {"the protocol is the server's", the_protocol_is_the_servers},
    {"ciphers are those that the client offers", ciphers_are_those_that_the_client_offers},
    {"clients that know only RSA", clients_that_know_only_rsa},
    {"retries are each leg's own", retries_are_each_legs_own},
    {"defects are mirrored", defects_are_mirrored},
    {"defects can be kept from the client", defects_can_be_kept_from_the_client},
    {"each alert of a client is told", each_alert_of_a_client_is_told},
    {"an alert behind the Finished", an_alert_behind_the_finished},
    {"a client vanishes after our certificate", a_client_vanishes_after_our_certificate},
    {"a client falls silent after our certificate", a_client_falls_silent_after_our_certificate},
    {"nonsense instead of a Finished", nonsense_instead_of_a_finished},
    {"our Finished goes with the request", our_finished_goes_with_the_request},
    {"the server does not wait for the client", the_server_does_not_wait_for_the_client},
    {"policy bounds the client leg", policy_bounds_the_client_leg},
    {"certificates of clients are not asked for", certificates_of_clients_are_not_asked_for},
    {"an alert in the clear", an_alert_in_the_clear},
    {NULL, NULL},
};
