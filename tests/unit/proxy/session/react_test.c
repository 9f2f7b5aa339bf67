// Each reaction, byte by byte.
#include "tests/unit/proxy/session/playbook.h"

#define AS(what) .as = "{\"reactions\": [{" what "}]}"
#define TUNNEL_AS(what) .as = "{\"mode\": \"tunnel\", \"reactions\": [{" what "}]}"
#define ACTED(action)                                                                              \
    "<< record final\n== emulation.profile test\n== emulation.reaction reactions[0]\n"             \
    "== emulation.action " action "\n== verdict.party proxy\n== verdict.cause emulated\n"
#define SAYS_HELLO OPEN ">> client hello\n"

static void test_rst(void) {
    play(&(struct setup){AS("\"action\": \"rst\"")},
         SAYS_HELLO "<< client gets \n<< client reset\n<< server gets \n<< server reset\n"
                    "<< done\n" ACTED("rst") "== legs.client.end.by proxy\n"
                                             "== legs.client.end.how rst\n");
    play(&(struct setup){AS("\"action\": \"rst\", \"side\": \"client\"")},
         SAYS_HELLO "<< client reset\n<< server closed\n" ACTED("rst"));
    play(&(struct setup){TUNNEL_AS("\"action\": \"rst\", \"side\": \"server\"")},
         SAYS_HELLO "<< client fin\n<< server reset\n" ACTED("rst"));
}

static void test_fin(void) {
    play(&(struct setup){AS("\"action\": \"fin\", \"side\": \"client\"")},
         SAYS_HELLO "<< client gets \n<< client fin\n" ACTED("fin"));
}

static void test_alert(void) {
    play(&(struct setup){AS(
             "\"action\": \"alert\", \"side\": \"client\", \"alert\": \"illegal_parameter\"")},
         SAYS_HELLO "<< client gets \\x15\\x03\\x03\\x00\\x02\\x02\\x2f\n<< client fin\n"
                    "<< server gets \n" ACTED("alert"));
    play(&(struct setup){TUNNEL_AS(
             "\"action\": \"alert\", \"side\": \"both\", \"alert\": \"decode_error\"")},
         SAYS_HELLO "<< client gets \\x15\\x03\\x03\\x00\\x02\\x02\\x32\n"
                    "<< server gets \\x15\\x03\\x03\\x00\\x02\\x02\\x32\n" ACTED("alert"));
}

static void test_stall(void) {
    play(&(struct setup){AS("\"action\": \"stall\""), SETUP_TLS}, SAYS_HELLO
         ">> timer 40\n<< client gets \n<< server gets \n<< client open\n"
         "<< record interim\n>> client eof\n" ACTED("stall") "== legs.client.end.by client\n");
    play(&(struct setup){AS("\"action\": \"stall\", \"ms\": 8000"), SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n>> timer 9\n"
              "<< client established * * *\n<< server established * * *\n>> client says hi\n"
              "<< server hears hi\n>> client notify\n>> server notify\n"
              ">> client eof\n>> server eof\n<< record final\n== emulation.action stall\n"
              "== verdict.cause healthy\n");
}

static void test_stall_answer(void) {
    play(&(struct setup){AS("\"at\": \"answer\", \"action\": \"stall\", \"ms\": 8000"), SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n<< server established * * *\n"
              ">> timer 9\n<< client established * * *\n");
    play(&(struct setup){TUNNEL_AS("\"at\": \"answer\", \"action\": \"stall\", \"ms\": 8000"),
                         .client = {.host = WORLD_HOST}, .server = {.chain = {world_get()->leaf}}},
         OPEN ">> server tls\n>> client tls\n>> timer 9\n"
              "<< client established * * *\n<< server established * * *\n");
}

static void test_drop_after(void) {
    play(&(struct setup){TUNNEL_AS(
             "\"action\": \"drop_after\", \"side\": \"server\", \"bytes\": 5")},
         SAYS_HELLO "<< server gets *\n>> server bytes 123456789\n<< client gets 12345\n"
                    ">> server bytes more\n<< client gets \n>> client bytes on\n"
                    "<< server gets on\n>> client eof\n>> server eof\n" ACTED("drop_after"));
    play(&(struct setup){TUNNEL_AS(
             "\"action\": \"drop_after\", \"side\": \"client\", \"bytes\": 0")},
         SAYS_HELLO "<< server gets \n>> server eof\n<< client fin\n>> client eof\n"
                    "<< done\n" ACTED("drop_after"));
}

static void test_blackhole(void) {
    play(&(struct setup){TUNNEL_AS("\"at\": \"answer\", \"action\": \"blackhole_big\", "
                                   "\"side\": \"server\", \"bytes\": 5")},
         SAYS_HELLO "<< server gets *\n>> server bytes 123456789\n<< client gets 12345\n"
                    ">> client bytes on\n<< server gets on\n>> server bytes abc\n"
                    "<< client gets abc\n>> client eof\n>> server eof\n" ACTED("blackhole_big"));
}

static void test_plain_http(void) {
    play(&(struct setup){AS("\"action\": \"plain_http\", \"status\": 403, \"page\": \"no\"")},
         SAYS_HELLO "<< client gets HTTP/1.0 403 Emulated|Content-Type: text/html|"
                    "Content-Length: 2|Connection: close||no\n<< client fin\n" ACTED("plain_http"));
}

static void test_pages(void) {
    play(&(struct setup){AS("\"action\": \"block_page\", \"page\": \"blocked\""), SETUP_TLS},
         OPEN ">> client tls\n<< client established * * *\n>> client says GET / HTTP/1.1||\n"
              "<< client hears HTTP/1.1 403 Forbidden|*Connection: close||blocked\n"
              "<< server gets \n>> client eof\n" ACTED("block_page"));
    play(&(struct setup){AS("\"action\": \"foreign_cert\", \"cert_host\": \"portal.test\", "
                            "\"status\": 302, \"location\": \"http://portal.test/\""),
                         .client = {.host = WORLD_HOST}},
         OPEN ">> client tls\n<< client established * * *\n>> client says GET / HTTP/1.1||\n"
              "<< client hears HTTP/1.1 302 Found|*Location: http://portal.test/|*\n"
              ">> client eof\n" ACTED("foreign_cert"));
    play(&(struct setup){AS("\"action\": \"foreign_cert\", \"cert_host\": \"portal.test\""),
                         SETUP_TLS},
         OPEN ">> client tls\n<< client rejects Hostname mismatch\n" ACTED("foreign_cert"));
}

// What is told to pass is asked nothing more.
static void test_pass(void) {
    play(&(struct setup){.as = "{\"reactions\": [{\"when\": {\"sni\": [\"example.test\"]}, "
                               "\"action\": \"pass\"}, {\"action\": \"rst\"}, "
                               "{\"at\": \"established\", \"action\": \"rst\"}]}",
                         SETUP_TLS},
         HANDSHAKE ">> client says hi\n<< server hears hi\n>> client notify\n>> server notify\n"
                   ">> client eof\n>> server eof\n<< record final\n== emulation.action pass\n"
                   "== verdict.cause healthy\n");
}

static void test_established(void) {
    play(&(struct setup){AS("\"at\": \"established\", \"action\": \"rst\", \"side\": \"client\""),
                         SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n<< client established * * *\n"
              "<< client reset\n" ACTED("rst"));
    play(&(struct setup){AS("\"at\": \"established\", \"action\": \"alert\", \"side\": \"client\", "
                            "\"alert\": \"access_denied\""),
                         SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n<< client established * * *\n"
              "<< client alerted 49\n" ACTED("alert"));
}

// Clients and servers that misbehave while the box has them wait.
static void test_misbehaviour(void) {
    static const char *const ends[] = {"client eof", "client broken", "stop"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        playf(&(struct setup){AS("\"action\": \"stall\"")},
              SAYS_HELLO ">> server broken\n<< client open\n>> client fills 70000\n>> %s\n"
                         "<< record final\n== emulation.action stall\n",
              ends[i]);
    }
    play(&(struct setup){AS("\"action\": \"stall\", \"ms\": 1000"), SETUP_TLS},
         SAYS_HELLO ">> server broken\n>> timer 2\n<< client reset\n");
    play(&(struct setup){AS("\"action\": \"block_page\"")},
         SAYS_HELLO ">> client bytes garbage that is no TLS record at all\n<< record final\n"
                    "== emulation.action block_page\n");
    play(&(struct setup){AS("\"action\": \"block_page\"")},
         SAYS_HELLO ">> timer 70\n<< record interim\n<< record final\n");
}

const struct unit_case unit_cases[] = {
    {"rst", test_rst},
    {"fin", test_fin},
    {"alert", test_alert},
    {"stall", test_stall},
    {"stall at the answer", test_stall_answer},
    {"drop_after", test_drop_after},
    {"blackhole_big", test_blackhole},
    {"plain_http", test_plain_http},
    {"block_page and foreign_cert", test_pages},
    {"pass", test_pass},
    {"when all is established", test_established},
    {"misbehaviour", test_misbehaviour},
    {NULL, NULL},
};
