#include "tests/unit/proxy/session/playbook.h"

// The TLS peer on the server's side is the parent itself.
#define OUTER .parent = "https://" WORLD_HOST ":8443", .server = {.chain = {world_get()->leaf}}
#define DIALLED                                                                                    \
    ">> client bytes CONNECT other.test:443 HTTP/1.1||\n<< dial example.test:8443\n"               \
    ">> resolved\n>> tried 0\n>> server tls\n>> connected\n"

static void test_tunnel(void) {
    static const size_t pieces[] = {0, 1, 700};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        play(&(struct setup){OUTER, .piece = pieces[i]},
             DIALLED "<< server established * * *\n"
                     "<< server hears CONNECT other.test:443 HTTP/1.1|Host: other.test:443|"
                     "Via: 1.1 tlsblame-*||\n"
                     ">> server says HTTP/1.1 200 OK||\n"
                     "<< client gets HTTP/1.1 200 Connection established||\n"
                     ">> client bytes SSH-2.0-c|\n<< server hears SSH-2.0-c|\n"
                     ">> server says SSH-2.0-s|\n<< client gets SSH-2.0-s|\n"
                     ">> client fills 300000\n<< server got 300000\n"
                     ">> server fills 300000\n<< client got 300000\n"
                     ">> client eof\n<< server fin\n>> server eof\n<< done\n<< record final\n"
                     "== parent.tls yes\n== parent.failure -\n");
    }
}

static void test_untrusted(void) {
    play(&(struct setup){.parent = "https://" WORLD_HOST,
                         .server = {.chain = {world_get()->unknown}}},
         ">> client bytes CONNECT other.test:443 HTTP/1.1||\n<< dial example.test:443\n"
         ">> resolved\n>> tried 0\n>> server tls\n>> connected\n"
         "<< client gets HTTP/1.1 502 *\n<< record final\n== parent.failure untrusted\n"
         "== verdict.party box-behind\n== verdict.cause corporate-proxy-chain\n");
    play(&(struct setup){.parent = "https://wrong.test", .server = {.chain = {world_get()->leaf}}},
         ">> client bytes CONNECT other.test:443 HTTP/1.1||\n<< dial wrong.test:443\n"
         ">> resolved\n>> tried 0\n>> server tls\n>> connected\n"
         "<< client gets HTTP/1.1 502 *\n<< record final\n== parent.failure untrusted\n");
}

static void test_not_tls(void) {
    play(&(struct setup){.parent = "https://" WORLD_HOST},
         ">> client bytes CONNECT other.test:443 HTTP/1.1||\n<< dial example.test:443\n"
         ">> resolved\n>> tried 0\n>> connected\n>> server bytes HTTP/1.1 400 Bad Request||\n"
         "<< client gets HTTP/1.1 502 *\n<< record final\n== parent.failure tls\n");
    play(&(struct setup){.parent = "https://" WORLD_HOST},
         ">> client bytes CONNECT other.test:443 HTTP/1.1||\n<< dial example.test:443\n"
         ">> resolved\n>> tried 0\n>> connected\n>> server eof\n"
         "<< client gets HTTP/1.1 502 *\n<< record final\n== parent.failure closed\n");
    play(&(struct setup){.parent = "https://" WORLD_HOST},
         ">> client bytes CONNECT other.test:443 HTTP/1.1||\n<< dial example.test:443\n"
         ">> resolved\n>> tried 0\n>> connected\n>> timer 31\n"
         "<< client gets HTTP/1.1 504 *\n<< record interim\n<< record final\n"
         "== parent.failure stalled\n");
}

// A record that is broken on its way ends the connection.
static void test_broken_record(void) {
    play(&(struct setup){OUTER, .flip_side = SIDE_SERVER, .flip_at = 3000, .flip = 1},
         DIALLED "<< server established * * *\n>> server says HTTP/1.1 200 OK||\n"
                 ">> client bytes SSH-2.0-c|\n>> server fills 9000\n"
                 ">> client eof\n");
}

static void test_plain(void) {
    play(&(struct setup){OUTER},
         ">> client bytes GET http://other.test/ HTTP/1.1||\n<< dial example.test:8443\n"
         ">> resolved\n>> tried 0\n>> server tls\n>> connected\n"
         "<< server hears GET http://other.test/ HTTP/1.1|Host: other.test||\n"
         ">> server says HTTP/1.1 200 OK|Content-Length: 2||hi\n"
         "<< client gets HTTP/1.1 200 OK|Content-Length: 2||hi\n");
}

const struct unit_case unit_cases[] = {
    {"a tunnel inside TLS", test_tunnel},
    {"a parent that is not trusted", test_untrusted},
    {"a parent that does not speak TLS", test_not_tls},
    {"a broken record", test_broken_record},
    {"http:// inside TLS", test_plain},
    {NULL, NULL},
};
