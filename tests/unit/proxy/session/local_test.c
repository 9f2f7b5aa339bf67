// Our own site, in the clear and behind a CONNECT.
#include <string.h>

#include "tests/unit/proxy/session/playbook.h"

#define END                                                                                        \
    "<< client fin\n"                                                                              \
    ">> client eof\n"                                                                              \
    "<< client closed\n"                                                                           \
    "<< record none\n"                                                                             \
    "<< done\n"

static void pages_are_served(void) {
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {"GET http://tlsblame.test/ HTTP/1.1||",
         "HTTP/1.1 200 OK|Content-Type: text/html*ca.p12*fingerprint*</html>*"},
        {"GET http://TLSblame.test HTTP/1.1||", "HTTP/1.1 200 OK|*</html>*"},
        {"GET http://tlsblame.test:8080/?x HTTP/1.1||", "HTTP/1.1 200 OK|*</html>*"},
        {"GET / HTTP/1.1|Host: 127.0.0.1:8080||", "HTTP/1.1 200 OK|*</html>*"},
        {"GET http://tlsblame.test/ca.pem HTTP/1.1||",
         "HTTP/1.1 200 *x-pem-file*-----BEGIN CERTIFICATE-----*"},
        {"GET /ca.der HTTP/1.1||", "HTTP/1.1 200 *||\\x30\\x82*"},
        {"GET /ca.crt?v=1 HTTP/1.1||", "HTTP/1.1 200 *||\\x30\\x82*"},
        {"GET /ca.p12 HTTP/1.1||", "HTTP/1.1 200 *pkcs12*||\\x30*"},
        {"GET /proxy.pac HTTP/1.1||",
         "HTTP/1.1 200 *x-ns-proxy-autoconfig*PROXY 127.0.0.1:8080\";*"},
        {"GET /nothing HTTP/1.1||", "HTTP/1.1 404 *"},
        {"GET /ca.pem/ HTTP/1.1||", "HTTP/1.1 404 *"},
        {"POST / HTTP/1.1|Content-Length: 0||", "HTTP/1.1 405 *"},
        {"GET http://tlsblame.test?x HTTP/1.1||", "HTTP/1.1 *"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL, ">> client bytes %s\n<< client gets %s\n" END, rows[i].request, rows[i].answer);
    }
}

static void a_head_has_no_body(void) {
    play(NULL, ">> client bytes HEAD /ca.pem HTTP/1.1||\n"
               "<< client gets HTTP/1.1 200 *Connection: close||\n" END);
}

static void the_site_speaks_tls_too(void) {
    for (uint16_t version = TLS1_VERSION; version <= TLS1_3_VERSION; version++) {
        struct setup setup = {
            .client = {.host = "tlsblame.test", .ca = world_get()->ca, .max_version = version}};
        play(&setup, ">> client bytes CONNECT tlsblame.test:443 HTTP/1.1||\n"
                     "<< client gets HTTP/1.1 200 *||\n"
                     ">> client tls\n"
                     "<< client established * * -\n"
                     ">> client says GET /ca.pem HTTP/1.1|Host: tlsblame.test||\n"
                     "<< client hears HTTP/1.1 200 *BEGIN CERTIFICATE*\n"
                     "<< client notified\n" END);
    }
}

static void a_request_may_come_in_pieces(void) {
    struct setup setup = {.piece = 1};
    play(&setup, ">> client bytes GET /ca.pem HTTP/1.1||\n"
                 "<< client gets HTTP/1.1 200 *BEGIN CERTIFICATE*\n" END);
}

static void clients_of_the_site_that_leave(void) {
    struct setup setup = {.client = {.host = "tlsblame.test", .ca = world_get()->ca}};
    static const char *const ends[] = {"client eof", "client broken",   "client notify",
                                       "stop",       "client alert 48", "client says nonsense|",
                                       "timer"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        playf(&setup,
              ">> client bytes CONNECT tlsblame.test:443 HTTP/1.1||\n"
              "<< client gets HTTP/1.1 200 *||\n"
              ">> client tls\n"
              "<< client established * * -\n"
              ">> %s\n",
              ends[i]);
    }
    setup.client.ca = NULL;
    setup.client.reject = SSL_AD_UNKNOWN_CA;
    play(&setup, ">> client bytes CONNECT tlsblame.test:443 HTTP/1.1||\n"
                 "<< client gets HTTP/1.1 200 *||\n"
                 ">> client tls\n"
                 "<< record final\n"
                 "== legs.client.alerts client certificate fatal 48 *\n");
    setup.client.reject = 0;
    setup.client.alpn = "h2";
    play(&setup, ">> client bytes CONNECT tlsblame.test:443 HTTP/1.1||\n"
                 "<< client gets HTTP/1.1 200 *||\n"
                 ">> client tls\n"
                 "<< client alerted 40\n"
                 "<< record final\n");
}

// Nothing but TLS comes behind a CONNECT to the site, and there is no server to tunnel to.
static void the_site_is_not_tunnelled_to(void) {
    static const char *const texts[] = {"GET / HTTP/1.1||", "SSH-2.0-x|", "\\x00\\x01\\x02\\x03"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        playf(NULL,
              ">> client bytes CONNECT tlsblame.test:80 HTTP/1.1||\n"
              "<< client gets HTTP/1.1 200 *||\n"
              ">> client bytes %s\n"
              "<< client gets HTTP/1.1 400 *\n"
              ">> client eof\n"
              "<< done\n",
              texts[i]);
    }
    play(NULL, ">> client bytes CONNECT tlsblame.test:80 HTTP/1.1||\n"
               ">> timer\n"
               ">> timer\n"
               ">> client eof\n"
               "<< done\n");
}

const struct unit_case unit_cases[] = {
    {"pages are served", pages_are_served},
    {"a HEAD has no body", a_head_has_no_body},
    {"the site speaks TLS, too", the_site_speaks_tls_too},
    {"a request may come in pieces", a_request_may_come_in_pieces},
    {"clients of the site that leave", clients_of_the_site_that_leave},
    {"the site is not tunnelled to", the_site_is_not_tunnelled_to},
    {NULL, NULL},
};
