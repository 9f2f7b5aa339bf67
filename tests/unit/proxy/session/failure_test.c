// The server leg has failed: what the client is shown.
#include "tests/unit/proxy/session/playbook.h"

#define POLICY(how) "{\"default\": {\"on_server_failure\": \"" how "\"}}"

// A raw server that has got our hello, and a client whose answer can be read byte by byte.
#define ASKED                                                                                      \
    OPEN ">> client hello\n"                                                                       \
         "<< client gets \n"                                                                       \
         "<< server gets \\x16\\x03\\x01*\n"

static const struct failure_row {
    const char *event;    // what the server does
    const char *by, *how; // of the server leg's end
    const char *mirrored; // what the client is then shown
    const char *state;    // of its connection
    int alert;            // instead, where policy wants alerts
} rows[] = {
    {"bytes \\x15\\x03\\x03\\x00\\x02\\x02\\x28", "server", "alert",
     "\\x15\\x03\\x03\\x00\\x02\\x02\\x28", "fin", 0x28},
    {"bytes \\x15\\x03\\x01\\x00\\x02\\x02\\x46", "server", "alert",
     "\\x15\\x03\\x03\\x00\\x02\\x02\\x46", "fin", 0x46},
    {"eof", "server", "fin", "", "fin", 0x50},
    {"broken", "server", "rst", "", "reset", 0x50},
    {"broken ETIMEDOUT", "server", "timeout", "", "reset", 0x50},
    {"bytes HTTP/1.1 400 Bad Request|Server: x||", "proxy", "error",
     "HTTP/1.1 400 Bad Request|Server: x||", "fin", 0x50},
    {"bytes \\x16\\x03\\x03\\x00\\x04\\x02\\x00\\x00\\x00", "proxy", "alert",
     "\\x15\\x03\\x03\\x00\\x02\\x02\\x28", "fin", 0x28},
    {"bytes \\x16\\x03\\x03\\xff\\xff", "proxy", "alert", "\\x15\\x03\\x03\\x00\\x02\\x02\\x28",
     "fin", 0x28},
};

static void failures_are_mirrored(void) {
    struct setup setup = {SETUP_TLS};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(&setup,
              ASKED ">> server %s\n"
                    "<< client gets %s\n"
                    "<< client %s\n"
                    "<< record final\n"
                    "== mode intercept\n"
                    "== policy.on_server_failure mirror\n"
                    "== legs.server.end.by %s\n"
                    "== legs.server.end.how %s\n"
                    "== legs.server.end.at *\n"
                    "== legs.client.end.by proxy\n"
                    "== legs.client.tls.established -\n",
              rows[i].event, rows[i].mirrored, rows[i].state, rows[i].by, rows[i].how);
    }
}

static void a_closed_connection_is_mirrored_as_such(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, ASKED ">> server eof\n<< client fin\n>> client eof\n<< client closed\n<< done\n");
    play(&setup, ASKED ">> server broken\n<< client reset\n<< done\n");
}

static void failures_become_alerts(void) {
    struct setup setup = {SETUP_TLS, .policy = POLICY("alert")};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(&setup,
              ASKED ">> server %s\n"
                    "<< client gets \\x15\\x03\\x03\\x00\\x02\\x02\\x%02x\n"
                    "<< record final\n"
                    "== policy.on_server_failure alert\n"
                    "== legs.server.end.how %s\n"
                    "== legs.client.end.by proxy\n"
                    "== legs.client.end.how alert\n"
                    "== legs.client.alerts server client_hello fatal %d *\n"
                    ">> client eof\n"
                    "<< client closed\n"
                    "<< done\n",
              rows[i].event, (unsigned)rows[i].alert, rows[i].how, rows[i].alert);
    }
}

static void failures_become_pages(void) {
    struct setup setup = {SETUP_TLS, .policy = POLICY("page")};
    for (uint16_t version = TLS1_VERSION; version <= TLS1_3_VERSION; version++) {
        setup.client.max_version = version;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            playf(&setup,
                  OPEN ">> client tls\n"
                       ">> server %s\n"
                       "<< client established * * -\n"
                       ">> client says GET / HTTP/1.1|Host: example.test||\n"
                       "<< client hears HTTP/1.1 502 *text/html*example.test*verdict*\n"
                       "<< client notified\n"
                       "<< record final\n"
                       "== policy.on_server_failure page\n"
                       "== legs.server.end.how %s\n"
                       "== legs.client.tls.established yes\n"
                       "== legs.client.end.by proxy\n"
                       ">> client eof\n"
                       "<< client closed\n"
                       "<< done\n",
                  rows[i].event, rows[i].how);
        }
    }
}

static void a_page_needs_http1(void) {
    struct setup setup = {SETUP_TLS, .policy = POLICY("page")};
    setup.client.alpn = "h2";
    play(&setup, ASKED ">> server eof\n"
                       "<< client gets \\x15\\x03\\x03\\x00\\x02\\x02\\x28\n"
                       "<< record final\n"
                       "== legs.client.end.detail a page cannot be shown to this client\n");
    setup.client.alpn = "h2,http/1.1";
    play(&setup, OPEN ">> client tls\n"
                      ">> server eof\n"
                      "<< client established * * http/1.1\n");
}

static void silence_is_mirrored_as_silence(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, ASKED ">> timer 31\n"
                       "<< record interim\n"
                       "<< server reset\n"
                       "<< client gets \n"
                       "<< record final\n"
                       "== legs.server.end.by server\n"
                       "== legs.server.end.how timeout\n"
                       "== legs.client.end.how timeout\n"
                       "<< client open\n"
                       "<< going\n"
                       ">> client bytes more\n"
                       ">> timer 110\n"
                       "<< client open\n"
                       ">> timer 10\n"
                       "<< client fin\n"
                       ">> client eof\n"
                       "<< done\n");
    play(&setup, ASKED ">> timer 31\n"
                       ">> client eof\n"
                       "<< client closed\n"
                       "<< done\n");
    play(&setup, ASKED ">> timer 31\n"
                       ">> client broken\n"
                       "<< done\n");
    play(&setup, ASKED ">> timer 31\n"
                       ">> stop\n"
                       "<< done\n");
}

static void silence_after_a_server_hello(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, ASKED ">> server bytes \\x16\\x03\\x03\\x00\\x7a\n"
                       ">> timer 31\n"
                       "<< record interim\n"
                       "<< record final\n"
                       "== legs.server.end.how timeout\n"
                       "== legs.server.bytes.received 5\n");
}

static void bad_certificates_become_alerts(void) {
    const struct world *w = world_get();
    const struct {
        const struct pki_cert *cert;
        int alert;
    } certs[] = {
        {w->expired, SSL_AD_CERTIFICATE_EXPIRED}, {w->early, SSL_AD_CERTIFICATE_EXPIRED},
        {w->self_signed, SSL_AD_UNKNOWN_CA},      {w->unknown, SSL_AD_UNKNOWN_CA},
        {w->wrong_name, SSL_AD_BAD_CERTIFICATE},
    };
    for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
        struct setup setup = {SETUP_TLS, .policy = POLICY("alert")};
        setup.server.chain[0] = certs[i].cert;
        playf(&setup,
              OPEN ">> server tls\n"
                   ">> client tls\n"
                   "<< client alerted %d\n"
                   "<< record final\n"
                   "== legs.server.tls.established yes\n"
                   "== legs.server.verification.ok no\n"
                   "== legs.server.end.by proxy\n"
                   "== legs.server.end.detail the server's certificate is not good\n"
                   "== legs.client.end.how alert\n"
                   "<< server closed\n",
              certs[i].alert);
    }
}

static void bad_certificates_become_pages(void) {
    struct setup setup = {SETUP_TLS, .policy = POLICY("page")};
    setup.server.chain[0] = world_get()->expired;
    setup.server.alpn = "h2";
    setup.client.alpn = "h2,http/1.1";
    play(&setup, OPEN ">> server tls\n"
                      ">> client tls\n"
                      "<< client established * * http/1.1\n"
                      ">> client says GET / HTTP/1.1||\n"
                      "<< client hears HTTP/1.1 502 *\n"
                      "<< record final\n"
                      "== legs.server.verification.defects expired*\n"
                      "== legs.client.tls.next_protocol http/1.1\n");
}

static void a_client_may_leave_a_page_alone(void) {
    struct setup setup = {SETUP_TLS, .policy = POLICY("page")};
    play(&setup, OPEN ">> client tls\n"
                      ">> server eof\n"
                      ">> client notify\n"
                      ">> client eof\n"
                      "<< record final\n"
                      "== legs.client.end.by client\n"
                      "<< client closed\n"
                      "<< done\n");
    play(&setup, OPEN ">> client tls\n"
                      ">> server eof\n"
                      ">> timer\n"
                      "<< record interim\n"
                      ">> timer\n"
                      "<< record final\n"
                      "== legs.client.end.how timeout\n");
    play(&setup, OPEN ">> client tls\n"
                      ">> server eof\n"
                      ">> client alert 48\n"
                      "<< record final\n"
                      "== legs.client.end.how alert\n"
                      "== legs.client.alerts client finished fatal 48 *\n");
    play(&setup, OPEN ">> client tls\n"
                      ">> server eof\n"
                      ">> client broken\n"
                      "<< record final\n"
                      "== legs.client.end.how rst\n"
                      "<< done\n");
}

const struct unit_case unit_cases[] = {
    {"failures are mirrored", failures_are_mirrored},
    {"a closed connection is mirrored as such", a_closed_connection_is_mirrored_as_such},
    {"failures become alerts", failures_become_alerts},
    {"failures become pages", failures_become_pages},
    {"a page needs HTTP/1", a_page_needs_http1},
    {"silence is mirrored as silence", silence_is_mirrored_as_silence},
    {"silence after a ServerHello", silence_after_a_server_hello},
    {"bad certificates become alerts", bad_certificates_become_alerts},
    {"bad certificates become pages", bad_certificates_become_pages},
    {"a client may leave a page alone", a_client_may_leave_a_page_alone},
    {NULL, NULL},
};
