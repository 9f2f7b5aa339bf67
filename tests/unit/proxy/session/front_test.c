// The request to the proxy, and the dial that it asks for.
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/session/playbook.h"

static void a_connect_is_dialled_and_answered(void) {
    play(NULL, OPEN ">> client eof\n"
                    "<< record final\n"
                    "== mode intercept\n"
                    "== host example.test\n"
                    "== port 443\n"
                    "== front connect\n"
                    "== http.request.method CONNECT\n"
                    "== http.response.status_code 200\n"
                    "== legs.client.address ::1\n"
                    "== legs.client.port 50000\n"
                    "== legs.client.end.by client\n"
                    "== legs.client.end.how fin\n"
                    "== legs.server.address 192.0.2.1\n"
                    "== legs.server.dns.answers 192.0.2.1\n"
                    "== legs.server.tried 192.0.2.1 connected*\n"
                    "<< server closed\n"
                    "<< client closed\n"
                    "<< done\n");
}

static void hosts_are_read(void) {
    static const struct {
        const char *target, *dial;
    } rows[] = {
        {"example.test:443", "example.test:443"},
        {"Example.TEST:8443", "example.test:8443"},
        {"example.test.:443", "example.test:443"},
        {"example.test", "example.test:443"},
        {"192.0.2.7:443", "192.0.2.7:443"},
        {"[2001:db8::1]:443", "2001:db8::1:443"},
        {"[::1]", "::1:443"},
        {"a-b_c.example.test:1", "a-b_c.example.test:1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              ">> client bytes CONNECT %s HTTP/1.1||\n"
              "<< dial %s\n"
              "<< client gets \n",
              rows[i].target, rows[i].dial);
    }
}

static void hosts_that_cannot_be_are_refused(void) {
    static const char *const targets[] = {
        "example.test:0",
        "example.test:65536",
        "example.test:99999999999",
        ":443",
        "[]:443",
        ".:443",
        "a%%2fb.test:443",
        "a\"b.test:443",
        "a<b.test:443",
    };
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        playf(NULL,
              ">> client bytes CONNECT %s HTTP/1.1||\n"
              "<< client gets HTTP/1.1 400 Bad Request|*\n"
              "<< record final\n"
              "== http.response.status_code 400\n"
              "== host -\n"
              ">> client eof\n"
              "<< client closed\n"
              "<< done\n",
              targets[i]);
    }
}

static void long_hosts_are_refused(void) {
    char host[300];
    memset(host, 'a', sizeof(host));
    host[254] = '\0';
    playf(NULL,
          ">> client bytes CONNECT %s:443 HTTP/1.1||\n"
          "<< client gets HTTP/1.1 400 *\n",
          host);
    host[253] = '\0';
    playf(NULL,
          ">> client bytes CONNECT %s:443 HTTP/1.1||\n"
          "<< dial %s:443\n",
          host, host);
}

static void a_request_may_come_in_pieces(void) {
    struct setup setup = {.piece = 1};
    play(&setup, OPEN ">> client eof\n"
                      "<< record final\n"
                      "== legs.client.bytes.received 57\n"
                      "<< done\n");
}

static void what_is_no_request_to_a_proxy(void) {
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {"hello|", "HTTP/1.1 400 *not an HTTP request*"},
        {"\\x00\\x01\\x02", "HTTP/1.1 400 *"},
        {"SSH-2.0-x|", "HTTP/1.1 400 *"},
        {"GET https://example.test/ HTTP/1.1||", "HTTP/1.1 400 *must send CONNECT*"},
        {"GET ftp://example.test/ HTTP/1.1||", "HTTP/1.1 400 *"},
        {"GET http:// HTTP/1.1||", "HTTP/1.1 400 *"},
        {"GET http://user@:0/ HTTP/1.1||", "HTTP/1.1 400 *"},
        {"OPTIONS * HTTP/1.1||", "HTTP/1.1 400 *"},
        {"GET http://example.test:99999/ HTTP/1.1||", "HTTP/1.1 400 *"},
        {"PRI * HTTP/2.0||SM||", "HTTP/1.1 4*"},
        {"GET / HTTP/1.1|Bad header||", "HTTP/1.1 400 *"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              ">> client bytes %s\n"
              "<< client gets %s\n"
              "<< record final\n"
              "== legs.client.end.how *\n"
              ">> client eof\n"
              "<< done\n",
              rows[i].request, rows[i].answer);
    }
}

// head_of makes a request whose head has `len` bytes.
static char *head_of(size_t len) {
    static const char before[] = "CONNECT example.test:443 HTTP/1.1\r\nX: ", after[] = "\r\n\r\n";
    char *head = xmalloc(len + 1);
    memset(head, 'x', len);
    memcpy(head, before, sizeof(before) - 1);
    memcpy(head + len - (sizeof(after) - 1), after, sizeof(after));
    return head;
}

static void heads_have_a_ceiling(void) {
    char *head = head_of(64 * 1024);
    struct play *p = play_new(NULL);
    play_bytes(p, SIDE_CLIENT, head, 64 * 1024);
    play_run(p, "<< dial example.test:443\n<< client gets \n");
    play_free(p);
    free(head);

    head = head_of(64 * 1024 + 1);
    p = play_new(NULL);
    play_bytes(p, SIDE_CLIENT, head, 64 * 1024 + 1);
    play_run(p, "<< client gets HTTP/1.1 431 *\n"
                "<< record final\n"
                "== http.response.status_code 431\n"
                "== legs.client.end.by client\n");
    play_free(p);
    free(head);
}

static void a_client_that_says_nothing_leaves_no_record(void) {
    play(NULL, ">> client eof\n<< client closed\n<< record none\n<< done\n");
    play(NULL, ">> client broken\n<< record none\n<< done\n");
    play(NULL, ">> stop\n<< record none\n<< done\n");
    play(NULL, ">> timer\n<< client gets HTTP/1.1 408 *\n<< record none\n");
}

static void a_client_that_stops_in_the_middle(void) {
    play(NULL, ">> client bytes CONNECT exam\n"
               ">> client eof\n"
               "<< record final\n"
               "== legs.client.end.by client\n"
               "== legs.client.end.how fin\n"
               "== legs.client.end.at front\n"
               "<< done\n");
    play(NULL, ">> client bytes CONNECT exam\n"
               ">> client broken\n"
               "<< record final\n"
               "== legs.client.end.how rst\n"
               "<< done\n");
    play(NULL, ">> client bytes CONNECT exam\n"
               ">> timer 29\n"
               "<< client gets \n"
               ">> timer 1\n"
               "<< client gets HTTP/1.1 408 *\n"
               "<< record final\n"
               "== http.response.status_code 408\n"
               "== legs.client.end.by client\n"
               "== legs.client.end.how timeout\n"
               ">> timer\n"
               "<< client reset\n"
               "<< done\n");
}

#define CONNECT ">> client bytes CONNECT example.test:443 HTTP/1.1||\n<< dial example.test:443\n"

static void names_that_do_not_resolve(void) {
    static const struct {
        const char *error;
        int status;
    } rows[] = {
        {"not-found", 502}, {"no-data", 502}, {"server-failure", 502},
        {"refused", 502},   {"timeout", 504}, {"other", 502},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              CONNECT ">> unresolved %s\n"
                      "<< client gets HTTP/1.1 %d *example.test*verdict*\n"
                      "<< record final\n"
                      "== legs.server.dns.error %s\n"
                      "== legs.server.end.by network\n"
                      "== legs.server.end.how dns\n"
                      "== legs.server.end.at dns\n"
                      "== legs.client.end.by proxy\n"
                      "== http.response.status_code %d\n"
                      ">> client eof\n"
                      "<< client closed\n"
                      "<< done\n",
              rows[i].error, rows[i].status, rows[i].error, rows[i].status);
    }
}

static void servers_that_do_not_answer(void) {
    static const struct {
        const char *error;
        int status;
        const char *by, *how, *result;
    } rows[] = {
        {"ECONNREFUSED", 502, "server", "refused", "refused"},
        {"ECONNRESET", 502, "server", "rst", "other"},
        {"ETIMEDOUT", 504, "network", "timeout", "timeout"},
        {"EHOSTUNREACH", 502, "network", "unreachable", "unreachable"},
        {"ENETUNREACH", 502, "network", "unreachable", "unreachable"},
        {"EMFILE", 502, "proxy", "error", "other"},
        {"EACCES", 502, "network", "error", "other"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              CONNECT ">> resolved\n"
                      ">> tried %s\n"
                      ">> dial-failed %s\n"
                      "<< client gets HTTP/1.1 %d *verdict*\n"
                      "<< record final\n"
                      "== legs.server.tried 192.0.2.1 %s *\n"
                      "== legs.server.end.by %s\n"
                      "== legs.server.end.how %s\n"
                      "== legs.server.end.at connect\n",
              rows[i].error, rows[i].error, rows[i].status, rows[i].result, rows[i].by,
              rows[i].how);
    }
}

// There is no name to look up, so that is not where it ends.
static void addresses_that_do_not_answer(void) {
    play(NULL, ">> client bytes CONNECT [2001:db8::1]:443 HTTP/1.1||\n"
               "<< dial 2001:db8::1:443\n"
               ">> tried ECONNREFUSED\n"
               ">> dial-failed ECONNREFUSED\n"
               "<< client gets HTTP/1.1 502 *tcp-refused*\n"
               "<< record final\n"
               "== legs.server.end.at connect\n"
               "== verdict.cause tcp-refused\n");
    play(NULL, ">> client bytes GET http://192.0.2.1/ HTTP/1.1||\n"
               "<< dial 192.0.2.1:80\n"
               ">> tried ETIMEDOUT\n"
               ">> dial-failed ETIMEDOUT\n"
               "<< client gets HTTP/1.1 504 *tcp-timeout*\n"
               "<< record final\n"
               "== legs.server.end.at connect\n"
               "== verdict.cause tcp-timeout\n");
}

static void several_addresses_are_tried(void) {
    play(NULL, CONNECT ">> resolved\n"
                       ">> tried ECONNREFUSED\n"
                       ">> tried ECANCELED\n"
                       ">> tried 0\n"
                       ">> connected\n"
                       ">> client eof\n"
                       "<< record final\n"
                       "== legs.server.tried *refused*, *abandoned*, *connected*\n");
}

static void the_client_leaves_while_we_dial(void) {
    play(NULL, CONNECT ">> client eof\n"
                       "<< record final\n"
                       "== legs.client.end.by client\n"
                       "== legs.client.end.how fin\n"
                       "== legs.server.end.by client\n"
                       "<< client closed\n"
                       "<< done\n");
    play(NULL, CONNECT ">> resolved\n"
                       ">> client broken\n"
                       "<< record final\n"
                       "== legs.client.end.how rst\n"
                       "<< done\n");
    play(NULL, CONNECT ">> stop\n"
                       "<< record final\n"
                       "== legs.client.end.by proxy\n"
                       "<< done\n");
}

static void policy_refuses(void) {
    struct setup setup = {.policy = "{\"default\": {\"action\": \"refuse\"}}"};
    play(&setup, ">> client bytes CONNECT example.test:443 HTTP/1.1||\n"
                 "<< client gets HTTP/1.1 403 *\n"
                 "<< record final\n"
                 "== policy.action refuse\n"
                 "== policy.rule default\n"
                 "== policy.verify_server yes\n"
                 "== http.response.status_code 403\n"
                 "== legs.client.end.detail refused by policy\n"
                 "== legs.server -\n");
}

static void the_user_agent_is_kept(void) {
    play(NULL, ">> client bytes CONNECT example.test:443 HTTP/1.1|user-agent:  a b \t||\n"
               ">> stop\n"
               "<< record final\n"
               "== user_agent.original a b\n");
}

// A hello behind the CONNECT, in the same segment.
static void the_hello_may_come_with_the_connect(void) {
    struct setup setup = {SETUP_TLS};
    struct play *p = play_new(&setup);
    struct peer *hasty = peer_new(true, &setup.client);
    struct buf bytes;
    buf_init(&bytes, 64 * 1024);
    CHECK(buf_printf(&bytes, "CONNECT example.test:443 HTTP/1.1\r\n\r\n"));
    peer_start(hasty);
    peer_take(hasty, &bytes);
    play_bytes(p, SIDE_CLIENT, buf_data(&bytes), bytes.len);
    play_run(p, "<< dial example.test:443\n"
                ">> server tls\n"
                ">> resolved\n"
                ">> connected\n"
                "<< client gets HTTP/1.1 200 *\\x16\\x03\\x03*\n"
                ">> client eof\n"
                "<< record final\n"
                "== legs.server.answer.version TLS 1.3\n");
    play_free(p);
    buf_cleanup(&bytes);
    peer_free(hasty);
}

static void tls_to_the_port_itself_is_refused(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, ">> client tls\n"
                 "<< client alerted 40\n"
                 "<< record final\n"
                 "== front direct\n"
                 "== legs.client.end.detail TLS was spoken to the proxy's own port\n"
                 "== legs.client.tls.client.server_name example.test\n"
                 "== host -\n");
}

const struct unit_case unit_cases[] = {
    {"a CONNECT is dialled and answered", a_connect_is_dialled_and_answered},
    {"hosts are read", hosts_are_read},
    {"hosts that cannot be are refused", hosts_that_cannot_be_are_refused},
    {"long hosts are refused", long_hosts_are_refused},
    {"a request may come in pieces", a_request_may_come_in_pieces},
    {"what is no request to a proxy", what_is_no_request_to_a_proxy},
    {"heads have a ceiling", heads_have_a_ceiling},
    {"a client that says nothing leaves no record", a_client_that_says_nothing_leaves_no_record},
    {"a client that stops in the middle", a_client_that_stops_in_the_middle},
    {"names that do not resolve", names_that_do_not_resolve},
    {"servers that do not answer", servers_that_do_not_answer},
    {"addresses that do not answer", addresses_that_do_not_answer},
    {"several addresses are tried", several_addresses_are_tried},
    {"the client leaves while we dial", the_client_leaves_while_we_dial},
    {"policy refuses", policy_refuses},
    {"the User-Agent is kept", the_user_agent_is_kept},
    {"the hello may come with the CONNECT", the_hello_may_come_with_the_connect},
    {"TLS to the port itself is refused", tls_to_the_port_itself_is_refused},
    {NULL, NULL},
};
