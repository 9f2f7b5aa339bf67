// The server leg's handshake, which goes first.
#include "tests/unit/proxy/session/playbook.h"

static void the_server_leg_goes_first(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, OPEN ">> client hello\n"
                      "<< client gets \n"
                      "<< server gets \\x16\\x03\\x01*\n"
                      ">> timer 5\n"
                      "<< client gets \n"
                      ">> stop\n"
                      "<< record final\n"
                      "== legs.server.end.at hello\n"
                      "== legs.server.offer.segments 1\n"
                      "== legs.client.alerts -\n");
}

static void what_the_server_showed(void) {
    struct setup setup = {SETUP_TLS};
    setup.client.alpn = setup.server.alpn = "h2";
    play(&setup, HANDSHAKE ">> stop\n"
                           "<< record final\n"
                           "== policy.action intercept\n"
                           "== legs.server.tls.version 1.3\n"
                           "== legs.server.tls.cipher TLS_*\n"
                           "== legs.server.tls.curve x25519\n"
                           "== legs.server.tls.next_protocol h2\n"
                           "== legs.server.tls.established yes\n"
                           "== legs.server.tls.resumed no\n"
                           "== legs.server.tls.client.server_name example.test\n"
                           "== legs.server.tls.server.subject CN=example.test\n"
                           "== legs.server.tls.server.issuer CN=Test root\n"
                           "== legs.server.tls.server.certificate_chain * bytes\n"
                           "== legs.server.answer.raw *\n"
                           "== legs.server.answer.encrypted_extensions *\n"
                           "== legs.server.answer.signature_scheme *\n"
                           "== legs.server.verification.ok yes\n"
                           "== legs.server.verification.name example.test\n"
                           "== legs.server.verification.path CN=example.test, CN=Test root\n"
                           "== legs.server.timing_ms.dns *\n"
                           "== legs.server.timing_ms.connect *\n"
                           "== legs.server.timing_ms.hello *\n"
                           "== legs.server.timing_ms.answer *\n"
                           "== legs.server.timing_ms.certificate *\n"
                           "== legs.server.timing_ms.finished *\n"
                           "== legs.server.end.at finished\n");
}

static void the_server_answers_byte_by_byte(void) {
    for (uint16_t version = TLS1_VERSION; version <= TLS1_3_VERSION; version++) {
        struct setup setup = {SETUP_TLS, .piece = 1};
        setup.server.max_version = version;
        play(&setup, HANDSHAKE ">> server says x\n<< client hears x\n");
    }
}

// After half of the server's flight each kind of end, and what it is called.
static void the_server_leaves_in_the_middle(void) {
    static const struct {
        const char *event, *by, *how;
    } rows[] = {
        {"eof", "server", "fin"},
        {"broken", "server", "rst"},
        {"broken ETIMEDOUT", "server", "timeout"},
        {"bytes \\x15\\x03\\x03\\x00\\x02\\x02\\x50", "server", "alert"},
        {"bytes \\x16\\x03\\x03\\x00\\x04\\x77\\x00\\x00\\x00", "proxy", "alert"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct setup setup = {SETUP_TLS, .piece = 100};
        setup.server.max_version = TLS1_2_VERSION;
        struct play *p = play_new(&setup);
        play_run(p, OPEN ">> client hello\n");
        struct peer *server = peer_new(false, &setup.server);
        struct buf flight;
        buf_init(&flight, 64 * 1024);
        struct span hello = play_got(p, SIDE_SERVER);
        peer_feed(server, hello.p, hello.len);
        peer_take(server, &flight);
        CU_ASSERT_FATAL(flight.len > 300);
        // The ServerHello's record and a part of the next.
        size_t first = 5 + (size_t)(buf_data(&flight)[3] << 8 | buf_data(&flight)[4]);
        play_bytes(p, SIDE_SERVER, buf_data(&flight), first);
        char script[512];
        snprintf(script, sizeof(script),
                 ">> server %s\n"
                 "<< record final\n"
                 "== legs.server.end.by %s\n"
                 "== legs.server.end.how %s\n"
                 "== legs.server.end.at answer\n"
                 "== legs.server.tls.version 1.2\n"
                 "== legs.server.tls.established -\n"
                 "== legs.client.end.by proxy\n",
                 rows[i].event, rows[i].by, rows[i].how);
        play_run(p, script);
        play_free(p);
        peer_free(server);
        buf_cleanup(&flight);
    }
}

static void an_alert_may_be_a_warning(void) {
    struct setup setup = {SETUP_TLS};
    setup.client.max_version = TLS1_2_VERSION;
    // unrecognized_name as a warning, as old servers send it, goes before the ServerHello.
    struct play *p = play_new(&setup);
    play_run(p, OPEN ">> client tls\n"
                     ">> server bytes \\x15\\x03\\x01\\x00\\x02\\x01\\x70\n"
                     ">> server tls\n"
                     "<< client established * * *\n"
                     ">> stop\n"
                     "<< record final\n"
                     "== legs.server.alerts server client_hello warning 112 *\n"
                     "== legs.server.tls.established yes\n");
    play_free(p);
}

static void compressed_certificates_are_read(void) {
    struct setup setup = {SETUP_TLS};
    setup.client.compress = setup.server.compress = true;
    play(&setup, HANDSHAKE ">> stop\n"
                           "<< record final\n"
                           "== legs.client.offer.compress_certificate zlib\n"
                           "== legs.server.offer.compress_certificate zlib\n"
                           "== legs.server.answer.compress_certificate zlib\n"
                           "== legs.server.tls.server.subject CN=example.test\n"
                           "== legs.server.chain CN=example.test *\n"
                           "== legs.server.verification.ok yes\n"
                           "== legs.client.tls.server.subject CN=example.test\n");
}

static void the_client_leaves_while_the_server_answers(void) {
    static const char *const ends[][2] = {{"eof", "fin"}, {"broken", "rst"}};
    struct setup setup = {SETUP_TLS};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        playf(&setup,
              OPEN ">> client hello\n"
                   ">> client %s\n"
                   "<< record final\n"
                   "== legs.client.end.by client\n"
                   "== legs.client.end.how %s\n"
                   "== legs.client.end.at hello\n"
                   "<< server closed\n"
                   "<< done\n",
              ends[i][0], ends[i][1]);
    }
}

static void what_the_client_says_meanwhile_waits(void) {
    struct setup setup = {SETUP_TLS};
    struct play *p = play_new(&setup);
    play_run(p, OPEN ">> client hello\n"
                     ">> client fills 400000\n"
                     "<< client unread\n"
                     ">> stop\n"
                     "<< record final\n"
                     "<< done\n");
    play_free(p);
}

static void a_host_that_is_an_address(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, ">> client bytes CONNECT 192.0.2.1:443 HTTP/1.1||\n"
                 "<< dial 192.0.2.1:443\n"
                 ">> connected\n"
                 "<< client gets HTTP/1.1 200 *\n"
                 ">> server tls\n"
                 ">> client tls\n"
                 "<< client established * * *\n"
                 ">> stop\n"
                 "<< record final\n"
                 "== host 192.0.2.1\n"
                 "== legs.server.verification.name example.test\n"
                 "== legs.server.verification.ok yes\n");
}

// As with `curl --connect-to`.
static void the_sni_is_the_name_that_counts(void) {
    static const struct {
        const char *sni, *ok;
    } rows[] = {
        {WORLD_HOST, "yes"},
        {"other.test", "no"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct setup setup = {SETUP_TLS};
        setup.client.host = rows[i].sni;
        playf(&setup,
              ">> client bytes CONNECT front.test:443 HTTP/1.1||\n"
              "<< dial front.test:443\n"
              ">> resolved\n"
              ">> connected\n"
              "<< client gets HTTP/1.1 200 *\n"
              ">> server tls\n"
              ">> client tls\n"
              ">> stop\n"
              "<< record final\n"
              "== host front.test\n"
              "== legs.server.verification.name %s\n"
              "== legs.server.verification.ok %s\n",
              rows[i].sni, rows[i].ok);
    }
}

static void clients_without_a_common_version_get_the_servers_alert(void) {
    struct setup setup = {SETUP_TLS};
    setup.client.max_version = TLS1_1_VERSION;
    setup.server.min_version = TLS1_2_VERSION;
    play(&setup, OPEN ">> server tls\n"
                      ">> client tls\n"
                      "<< client alerted 70\n"
                      "<< record final\n"
                      "== legs.server.alerts server client_hello fatal 70 protocol_version *\n"
                      "== legs.server.end.by server\n"
                      "== legs.client.end.by proxy\n"
                      "== legs.client.alerts server client_hello fatal 70 *\n");
}

const struct unit_case unit_cases[] = {
    {"the server leg goes first", the_server_leg_goes_first},
    {"what the server showed", what_the_server_showed},
    {"the server answers byte by byte", the_server_answers_byte_by_byte},
    {"the server leaves in the middle", the_server_leaves_in_the_middle},
    {"an alert may be a warning", an_alert_may_be_a_warning},
    {"compressed certificates are read", compressed_certificates_are_read},
    {"the client leaves while the server answers", the_client_leaves_while_the_server_answers},
    {"what the client says meanwhile waits", what_the_client_says_meanwhile_waits},
    {"a host that is an address", a_host_that_is_an_address},
    {"the SNI is the name that counts", the_sni_is_the_name_that_counts},
    {"clients without a common version get the server's alert",
     clients_without_a_common_version_get_the_servers_alert},
    {NULL, NULL},
};
