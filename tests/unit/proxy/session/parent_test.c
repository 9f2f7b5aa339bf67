#include "tests/unit/proxy/session/playbook.h"

#define PARENT .parent = "http://user:p%40ss@gw.test:3128"
#define ASKED                                                                                      \
    ">> client bytes CONNECT example.test:443 HTTP/1.1||\n<< dial gw.test:3128\n"                  \
    ">> resolved\n>> tried 0\n>> connected\n<< client gets \n"                                     \
    "<< server gets CONNECT example.test:443 HTTP/1.1|Host: example.test:443|Via: 1.1 tlsblame-*|" \
    "Proxy-Authorization: Basic dXNlcjpwQHNz||\n"
#define FAILED "<< client gets HTTP/1.1 502 *\n<< record final\n== legs.server.end.by parent\n"

static void test_through(void) {
    play(&(struct setup){PARENT, SETUP_TLS},
         ASKED ">> server bytes HTTP/1.1 100 Continue||HTTP/1.0 200 OK|Content-Length: 9||\n"
               "<< client gets HTTP/1.1 200 Connection established||\n"
               ">> server tls\n>> client tls\n<< client established * * *\n"
               "<< server established * * *\n>> client says hello\n<< server hears hello\n"
               ">> client notify\n>> server notify\n>> client eof\n>> server eof\n<< done\n"
               "<< record final\n== parent.host gw.test\n== parent.port 3128\n"
               "== parent.status 200\n== parent.failure -\n== verdict.cause healthy\n"
               "== host example.test\n");
}

// What the server says first may come with the parent's answer.
static void test_server_first(void) {
    play(&(struct setup){PARENT, .piece = 7},
         ASKED ">> server bytes HTTP/1.1 200 OK||SSH-2.0-x\n"
               "<< client gets HTTP/1.1 200 Connection established||SSH-2.0-x\n");
}

static void test_refusals(void) {
    play(&(struct setup){PARENT}, ASKED
         ">> server bytes HTTP/1.1 407 Who are you|Proxy-Authenticate: Basic realm=x||\n" FAILED
         "== parent.failure credentials\n== parent.status 407\n"
         "== parent.says HTTP/1.1 407 Who are you\n== parent.challenge Basic realm=x\n"
         "== verdict.party box-behind\n== verdict.cause corporate-proxy-chain\n"
         "== verdict.confidence certain\n");
    play(&(struct setup){PARENT}, ASKED ">> server bytes HTTP/1.1 403 No||\n" FAILED
                                        "== parent.failure refused\n== verdict.party box-behind\n");
    play(&(struct setup){PARENT},
         ASKED ">> server bytes HTTP/1.1 302 Elsewhere||\n" FAILED "== parent.failure refused\n");
    play(&(struct setup){PARENT},
         ASKED ">> server bytes HTTP/1.1 502 Bad Gateway||\n" FAILED
               "== parent.failure gateway\n== verdict.party undetermined\n");
    play(&(struct setup){PARENT}, ASKED ">> server bytes HTTP/1.1 504 Late||\n"
                                        "<< client gets HTTP/1.1 504 *\n");
}

static void test_misbehaviour(void) {
    play(&(struct setup){PARENT},
         ASKED ">> server bytes SSH-2.0-OpenSSH_9|\n" FAILED
               "== parent.failure garbage\n== parent.says SSH-2.0-OpenSSH_9\n"
               "== verdict.party box-behind\n");
    play(&(struct setup){PARENT},
         ASKED ">> server bytes HTTP/1.1 2\n>> server eof\n" FAILED "== parent.failure closed\n");
    play(&(struct setup){PARENT}, ASKED ">> server eof\n" FAILED "== parent.failure closed\n");
    play(&(struct setup){PARENT}, ASKED ">> server broken\n" FAILED
                                        "== parent.failure reset\n== verdict.party box-behind\n");
    play(&(struct setup){PARENT},
         ASKED ">> timer 31\n<< client gets HTTP/1.1 504 *\n<< record interim\n"
               "<< record final\n== parent.failure stalled\n== verdict.party undetermined\n");
}

// An answer without end is not read for ever.
static void test_endless_head(void) {
    struct play *p = play_new(&(struct setup){PARENT});
    play_run(p, ASKED);
    char line[1024];
    memset(line, 'x', sizeof(line));
    play_run(p, ">> server bytes HTTP/1.1 200 OK|X: \n");
    for (int i = 0; i < 100; i++) {
        play_bytes(p, SIDE_SERVER, line, sizeof(line));
    }
    play_run(p, FAILED "== parent.failure garbage\n");
    play_free(p);
}

static void test_unreached(void) {
    play(&(struct setup){PARENT},
         ">> client bytes CONNECT example.test:443 HTTP/1.1||\n<< dial gw.test:3128\n"
         ">> unresolved not-found\n<< client gets HTTP/1.1 502 *\n<< record final\n"
         "== parent.failure dns\n== verdict.cause corporate-proxy-chain\n"
         "== verdict.party undetermined\n");
    play(&(struct setup){.parent = "http://192.0.2.9"},
         ">> client bytes CONNECT example.test:443 HTTP/1.1||\n<< dial 192.0.2.9:80\n"
         ">> tried ECONNREFUSED\n>> dial-failed ECONNREFUSED\n<< client gets HTTP/1.1 502 *\n<< "
         "record final\n"
         "== parent.failure connect\n== verdict.cause corporate-proxy-chain\n");
}

static void test_client_leaves(void) {
    play(&(struct setup){PARENT}, ASKED ">> client eof\n<< record final\n"
                                        "== legs.server.end.by client\n== parent.failure -\n");
}

static void test_excepted(void) {
    play(&(struct setup){PARENT,
                         .policy =
                             "{\"rules\": [{\"hosts\": [\"*.inside.test\", \"192.0.2.0/24\"], "
                             "\"parent\": false}]}"},
         ">> client bytes CONNECT a.inside.test:443 HTTP/1.1||\n<< dial a.inside.test:443\n");
    play(&(struct setup){PARENT, .policy =
                                     "{\"rules\": [{\"hosts\": [\"192.0.2.0/24\"], \"parent\": "
                                     "false}]}"},
         ">> client bytes CONNECT 192.0.2.7:443 HTTP/1.1||\n<< dial 192.0.2.7:443\n");
}

// A parent takes http:// in absolute form, and our credentials in place of the client's.
static void test_plain(void) {
    play(&(struct setup){PARENT},
         ">> client bytes GET http://example.test/a?b HTTP/1.1|Host: example.test|"
         "Proxy-Authorization: Basic xxx||\n<< dial gw.test:3128\n>> resolved\n>> tried 0\n"
         ">> connected\n"
         "<< server gets GET http://example.test/a?b HTTP/1.1|Host: example.test|"
         "Proxy-Authorization: Basic dXNlcjpwQHNz||\n"
         ">> server bytes HTTP/1.1 200 OK|Content-Length: 2||hi\n"
         "<< client gets HTTP/1.1 200 OK|Content-Length: 2||hi\n");
    play(&(struct setup){.parent = "http://gw.test"},
         ">> client bytes GET http://example.test HTTP/1.1||\n<< dial gw.test:80\n>> resolved\n"
         ">> tried 0\n>> connected\n"
         "<< server gets GET http://example.test/ HTTP/1.1|Host: example.test||\n");
}

// The CONNECT of a fixed target and of SOCKS goes the same way.
static void test_other_fronts(void) {
    play(&(struct setup){.parent = "http://gw.test", .aim = "2001:db8::7"},
         "<< dial gw.test:80\n>> resolved\n>> tried 0\n>> connected\n"
         "<< server gets CONNECT [2001:db8::7]:443 HTTP/1.1|Host: [2001:db8::7]:443|Via: *||\n"
         ">> server bytes HTTP/1.1 407 No||\n<< client gets \n<< client reset\n");
}

// Our own Via comes back: the parent leads to us.
static void test_loop(void) {
    struct play *p = play_new(&(struct setup){PARENT});
    play_run(p, ">> client bytes CONNECT example.test:443 HTTP/1.1||\n>> resolved\n>> tried 0\n"
                ">> connected\n");
    struct span said = play_got(p, SIDE_SERVER);
    struct play *again = play_new(&(struct setup){.shared = play_shared(p)});
    play_bytes(again, SIDE_CLIENT, said.p, said.len);
    play_run(again, "<< client gets HTTP/1.1 508 *\n<< record final\n"
                    "== legs.client.end.detail the parent proxy leads back to this one\n");
    play_free(again);
    play_free(p);
}

const struct unit_case unit_cases[] = {
    {"through a parent", test_through},           {"the server speaks first", test_server_first},
    {"a parent refuses", test_refusals},          {"a parent misbehaves", test_misbehaviour},
    {"an answer without end", test_endless_head}, {"a parent that is not there", test_unreached},
    {"the client leaves", test_client_leaves},    {"hosts excepted by policy", test_excepted},
    {"http:// through a parent", test_plain},     {"other fronts", test_other_fronts},
    {"a parent that leads back", test_loop},      {NULL, NULL},
};
