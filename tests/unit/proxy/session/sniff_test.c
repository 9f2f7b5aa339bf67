// After the CONNECT: who speaks first, and is it TLS?
#include "tests/unit/proxy/session/playbook.h"

static void the_server_speaks_first(void) {
    play(NULL, OPEN ">> server bytes 220 mail.test ESMTP|\n"
                    "<< client gets 220 mail.test ESMTP|\n"
                    ">> client bytes EHLO x|\n"
                    "<< server gets EHLO x|\n"
                    ">> client eof\n"
                    "<< server fin\n"
                    ">> server eof\n"
                    "<< record final\n"
                    "== mode tunnel\n"
                    "== application server-first\n"
                    "== legs.client.end.at data\n"
                    "== legs.server.bytes.received 21\n"
                    "<< done\n");
}

// OpenSSL's servers without a usable version say so when they accept, and leave.
static void a_server_may_say_an_alert_first(void) {
    static const char *const ends[] = {"", ">> server eof\n"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct setup setup = {SETUP_TLS};
        playf(&setup,
              OPEN ">> server bytes \\x15\\x03\\x01\\x00\\x02\\x02\\x46\n"
                   "%s"
                   ">> client tls\n"
                   "<< client alerted 70\n"
                   "<< record final\n"
                   "== mode intercept\n"
                   "== application -\n"
                   "== legs.server.alerts server connect fatal 70 protocol_version *\n"
                   "== legs.server.end.by server\n"
                   "== verdict.cause version-mismatch-old-server\n",
              ends[i]);
    }
}

static void what_is_not_tls_is_tunnelled(void) {
    static const struct {
        const char *bytes, *application;
    } rows[] = {
        {"SSH-2.0-OpenSSH|", "ssh"},
        {"GET / HTTP/1.1||", "http request"},
        {"\\x00\\x00\\x00\\x01abcdefgh", "binary"},
        {"PRI * HTTP/2.0||SM||", "http/2*"},
        {"x", "text"},
        {"GE", "text"},
        {"|", "text"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              OPEN ">> client bytes %s\n"
                   "<< server gets %s\n"
                   ">> server bytes fine\n"
                   "<< client gets fine\n"
                   ">> stop\n"
                   "<< record final\n"
                   "== mode tunnel\n"
                   "== application %s\n"
                   "== legs.client.end.by proxy\n"
                   "<< done\n",
              rows[i].bytes, rows[i].bytes, rows[i].application);
    }
}

static void hellos_that_cannot_be_get_a_decode_error(void) {
    static const char *const hellos[] = {
        "\\x16\\x03\\x01\\x00\\x04\\x02\\x00\\x00\\x00", // a ServerHello
        "\\x16\\x03\\x01\\xff\\xff\\x01\\x00\\x00\\x00", // a record too long
        "\\x16\\x03\\x01\\x00\\x04\\x01\\x00\\x00\\x00", // an empty hello
        "\\x16\\x03\\x01\\x00\\x04\\x01\\xff\\xff\\xff", // a hello of 16 MiB
        "\\x16\\x03\\x01\\x00\\x01\\x01\\x17\\x03\\x03\\x00\\x01\\x00",
    };
    for (size_t i = 0; i < ARRAY_LEN(hellos); i++) {
        playf(NULL,
              OPEN ">> client bytes %s\n"
                   "<< client gets \\x15\\x03\\x03\\x00\\x02\\x02\\x32\n"
                   "<< record final\n"
                   "== legs.client.end.by client\n"
                   "== legs.client.end.how error\n"
                   "== legs.client.end.at hello\n"
                   "== legs.client.alerts server * fatal 50 decode_error *\n"
                   "== legs.client.offer.raw *\n"
                   "<< server closed\n"
                   ">> client eof\n"
                   "<< done\n",
              hellos[i]);
    }
}

static void nobody_says_anything(void) {
    play(NULL, OPEN ">> timer 59\n"
                    "<< record interim\n"
                    "<< going\n"
                    ">> timer 1\n"
                    "<< record final\n"
                    "== legs.client.end.how timeout\n"
                    "== legs.client.end.at hello\n"
                    "<< server closed\n"
                    ">> client eof\n"
                    "<< done\n");
}

static void one_side_leaves_before_anything_is_said(void) {
    static const struct {
        const char *event, *by, *how;
    } rows[] = {
        {"client eof", "client", "fin"},
        {"client broken", "client", "rst"},
        {"server eof", "server", "fin"},
        {"server broken", "server", "rst"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              OPEN ">> %s\n"
                   "<< record final\n"
                   "== legs.client.end.by %s\n"
                   "== legs.client.end.how %s\n",
              rows[i].event, rows[i].by, rows[i].how);
    }
}

static void half_a_hello(void) {
    play(NULL, OPEN ">> client bytes \\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xfc\n"
                    ">> client eof\n"
                    "<< record final\n"
                    "== legs.client.end.by client\n"
                    "== legs.client.end.at hello\n"
                    "<< done\n");
    play(NULL, OPEN ">> client bytes \\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xfc\n"
                    ">> timer\n"
                    ">> timer\n"
                    "<< record interim\n"
                    "<< record final\n"
                    "== legs.client.end.how timeout\n");
}

static void half_a_hello_has_the_time_of_a_handshake(void) {
    play(NULL, OPEN ">> timer 20\n"
                    ">> client bytes \\x16\\x03\\x01\\x02\\x00\\x01\n"
                    ">> timer 10\n"
                    "<< record interim\n"
                    ">> timer 19\n"
                    ">> client bytes \\x00\n"
                    "<< going\n"
                    ">> timer 1\n"
                    "<< record final\n"
                    "== legs.client.end.how timeout\n"
                    "== legs.client.end.at hello\n"
                    "== legs.client.end.detail in the middle of the ClientHello\n"
                    "== legs.client.offer.raw *\n");
}

static void a_hello_in_vain(void) {
    play(NULL, OPEN ">> server bytes SSH-2.0-x|\n"
                    "<< client gets SSH-2.0-x|\n"
                    ">> client hello\n"
                    ">> client eof\n"
                    ">> server eof\n"
                    "<< record final\n"
                    "== mode tunnel\n"
                    "== legs.client.answer.not_tls ssh\n"
                    "== legs.client.offer.ciphers *\n"
                    "<< done\n");
    play(NULL, OPEN ">> server bytes SSH-2.0-x|\n"
                    ">> client bytes SSH-2.0-y|\n"
                    ">> client eof\n"
                    ">> server eof\n"
                    "<< record final\n"
                    "== legs.client.answer.not_tls -\n"
                    "== notes -\n"
                    "<< done\n");
}

static void nobody_is_behind_us(void) {
    static const char refused[] = "<< client gets HTTP/1.1 400 *\n"
                                  "<< record final\n"
                                  "== legs.client.end.by client\n"
                                  "== legs.client.end.how error\n"
                                  ">> client eof\n"
                                  "<< done\n";
    playf(NULL, ">> client bytes \\x16abc\n%s", refused);
    playf(NULL, ">> client bytes \\x90abc\n%s", refused);
    playf(NULL,
          ">> client bytes CONNECT tlsblame.test:443 HTTP/1.1||\n"
          "<< client gets HTTP/1.1 200 *\n"
          ">> client bytes GET / HTTP/1.1||\n%s",
          refused);
}

static void a_hello_may_come_byte_by_byte(void) {
    struct setup setup = {SETUP_TLS, .piece = 1};
    play(&setup, HANDSHAKE ">> stop\n"
                           "<< record final\n"
                           "== mode intercept\n"
                           "== legs.client.offer.segments *\n"
                           "== legs.client.offer.records 1\n"
                           "== legs.client.tls.established yes\n"
                           "== legs.server.tls.established yes\n");
}

// An SSLv2 ClientHello that allows TLS 1.0 with TLS_RSA_WITH_AES_128_CBC_SHA.
#define SSLV2                                                                                      \
    "\\x80\\x1c\\x01\\x03\\x01\\x00\\x03\\x00\\x00\\x00\\x10\\x00\\x00\\x2f"                       \
    "0123456789abcdef"

static void an_sslv2_hello_is_a_hello(void) {
    struct setup setup = {SETUP_TLS};
    setup.server.chain[0] = world_get()->rsa;
    play(&setup, OPEN ">> server tls\n"
                      ">> client bytes " SSLV2 "\n"
                      ">> stop\n"
                      "<< record final\n"
                      "== legs.client.offer.sslv2_format yes\n"
                      "== legs.client.offer.versions *TLS 1.0*\n"
                      "== legs.server.tls.version 1.0\n");
}

static void policy_is_asked_again_with_the_name_of_the_hello(void) {
    struct setup setup = {
        SETUP_TLS,
        .policy = "{\"rules\": [{\"hosts\": [\"example.test\"], \"action\": \"refuse\"}]}",
    };
    play(&setup, ">> client bytes CONNECT 192.0.2.1:443 HTTP/1.1||\n"
                 ">> connected\n"
                 "<< client gets HTTP/1.1 200 *\n"
                 ">> client tls\n"
                 "<< client alerted 49\n"
                 "<< record final\n"
                 "== policy.rule rules[0]\n"
                 "== policy.action refuse\n"
                 "== legs.client.end.by proxy\n"
                 "== legs.client.end.how alert\n");
}

// An address may be refused by the SNI, so policy waits for it; where none can come, it is asked
// without.
static void policy_is_asked_where_no_hello_comes(void) {
    static const char *const events[] = {"client bytes GET / HTTP/1.0||", "server bytes 220 mail|"};
    struct setup setup = {
        .policy = "{\"rules\": [{\"hosts\": [\"*.test\"]},"
                  "{\"hosts\": [\"192.0.2.0/24\"], \"action\": \"refuse\"}]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        playf(&setup,
              ">> client bytes CONNECT 192.0.2.1:443 HTTP/1.1||\n"
              "<< dial 192.0.2.1:443\n"
              ">> connected\n"
              "<< client gets HTTP/1.1 200 *\n"
              ">> %s\n"
              "<< server gets \n"
              "<< client gets \n"
              "<< record final\n"
              "== policy.action refuse\n"
              "== legs.client.end.detail refused by policy\n"
              "== verdict.cause proxy-auth-or-acl\n",
              events[i]);
    }
}

const struct unit_case unit_cases[] = {
    {"the server speaks first", the_server_speaks_first},
    {"a server may say an alert first", a_server_may_say_an_alert_first},
    {"what is not TLS is tunnelled", what_is_not_tls_is_tunnelled},
    {"hellos that cannot be get a decode_error", hellos_that_cannot_be_get_a_decode_error},
    {"nobody says anything", nobody_says_anything},
    {"one side leaves before anything is said", one_side_leaves_before_anything_is_said},
    {"half a hello", half_a_hello},
    {"half a hello has the time of a handshake", half_a_hello_has_the_time_of_a_handshake},
    {"a hello in vain", a_hello_in_vain},
    {"nobody is behind us", nobody_is_behind_us},
    {"a hello may come byte by byte", a_hello_may_come_byte_by_byte},
    {"an SSLv2 hello is a hello", an_sslv2_hello_is_a_hello},
    {"policy is asked where no hello comes", policy_is_asked_where_no_hello_comes},
    {"policy is asked again with the name of the hello",
     policy_is_asked_again_with_the_name_of_the_hello},
    {NULL, NULL},
};
