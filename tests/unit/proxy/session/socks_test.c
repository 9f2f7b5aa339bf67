#include "tests/unit/proxy/session/playbook.h"

#define METHODS ">> client bytes \\x05\\x01\\x00\n<< client gets \\x05\\x00\n"
#define NAMED                                                                                      \
    METHODS ">> client bytes \\x05\\x01\\x00\\x03\\x0cexample.test\\x01\\xbb\n"                    \
            "<< dial example.test:443\n"
#define TLS_THROUGH                                                                                \
    ">> server tls\n>> client tls\n<< client established * * *\n<< server established * * *\n"

static void test_socks5(void) {
    play(&(struct setup){SETUP_TLS},
         NAMED ">> resolved\n>> tried 0\n>> connected\n"
               "<< client gets \\x05\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\n" TLS_THROUGH
               ">> client says hi\n<< server hears hi\n>> client notify\n>> server notify\n>> "
               "client eof\n>> server eof\n<< done\n"
               "<< record final\n== front socks5\n== host example.test\n== port 443\n"
               "== http.request.method -\n== verdict.cause healthy\n");
}

static void test_socks5_addresses(void) {
    play(NULL, METHODS ">> client bytes \\x05\\x01\\x00\\x01\\xc0\\x00\\x02\\x07\\x01\\xbb\n"
                       "<< dial 192.0.2.7:443\n");
    play(NULL,
         METHODS ">> client bytes \\x05\\x01\\x00\\x04\\x20\\x01\\x0d\\xb8\\x00\\x00\\x00\\x00"
                 "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x01\\x01\\xbb\n"
                 "<< dial 2001:db8::1:443\n");
}

// A byte at a time, and everything at once with the first words of what follows.
static void test_pieces(void) {
    play(&(struct setup){.piece = 1, SETUP_TLS},
         NAMED ">> resolved\n>> tried 0\n>> connected\n"
               "<< client gets \\x05\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\n" TLS_THROUGH);
    play(NULL,
         ">> client bytes \\x05\\x01\\x00\\x05\\x01\\x00\\x03\\x0cexample.test\\x00\\x16SSH-2.0-x\n"
         "<< dial example.test:22\n>> resolved\n>> tried 0\n>> connected\n"
         "<< server gets SSH-2.0-x\n");
}

static void test_socks5_failures(void) {
    play(NULL, NAMED ">> resolved\n>> tried ECONNREFUSED\n>> dial-failed ECONNREFUSED\n"
                     "<< client gets \\x05\\x05\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\n"
                     "<< record final\n== verdict.cause tcp-refused\n");
    play(NULL, NAMED ">> unresolved not-found\n"
                     "<< client gets \\x05\\x04\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\n"
                     "<< record final\n== verdict.cause dns-failure\n");
    play(&(struct setup){.policy = "{\"default\": {\"action\": \"refuse\"}}"},
         METHODS ">> client bytes \\x05\\x01\\x00\\x03\\x0cexample.test\\x01\\xbb\n"
                 "<< client gets \\x05\\x02\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\n"
                 "<< record final\n== verdict.cause proxy-auth-or-acl\n");
}

// What we do not speak: other methods, commands, types, and what no host can be.
static void test_socks5_bad(void) {
    play(NULL, ">> client bytes \\x05\\x01\\x02\n<< client gets \\x05\\xff\n<< client fin\n");
    play(NULL, ">> client bytes \\x05\\x00\n<< client gets \\x05\\xff\n<< client fin\n");
    play(NULL, METHODS ">> client bytes \\x05\\x02\\x00\\x01\\xc0\\x00\\x02\\x07\\x01\\xbb\n"
                       "<< client gets \\x05\\x07\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\n"
                       "<< client fin\n");
    play(NULL, METHODS ">> client bytes \\x05\\x01\\x00\\x09\\xc0\n"
                       "<< client gets \\x05\\x08\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\n");
    play(NULL, METHODS ">> client bytes \\x05\\x01\\x00\\x03\\x03a/b\\x01\\xbb\n"
                       "<< client gets \\x05\\x08\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\n");
    play(NULL, METHODS ">> client bytes \\x05\\x01\\x00\\x03\\x00\\x01\\xbb\n"
                       "<< client gets \\x05\\x08\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\n");
}

static void test_socks4(void) {
    play(NULL, ">> client bytes \\x04\\x01\\x01\\xbb\\xc0\\x00\\x02\\x07me\\x00\n"
               "<< dial 192.0.2.7:443\n>> tried 0\n>> connected\n"
               "<< client gets \\x00Z\\x00\\x00\\x00\\x00\\x00\\x00\n");
    play(NULL, ">> client bytes \\x04\\x01\\x01\\xbb\\x00\\x00\\x00\\x01\\x00example.test\\x00\n"
               "<< dial example.test:443\n>> resolved\n>> tried ECONNREFUSED\n>> dial-failed "
               "ECONNREFUSED\n"
               "<< client gets \\x00[\\x00\\x00\\x00\\x00\\x00\\x00\n<< record final\n"
               "== front socks4\n== verdict.cause tcp-refused\n");
    play(NULL, ">> client bytes \\x04\\x02\\x01\\xbb\\xc0\\x00\\x02\\x07me\\x00\n"
               "<< client gets \\x00[\\x00\\x00\\x00\\x00\\x00\\x00\n<< client fin\n");
}

// A user that never ends is cut off.
static void test_socks4_endless(void) {
    struct play *p = play_new(NULL);
    play_run(p, ">> client bytes \\x04\\x01\\x01\\xbb\\xc0\\x00\\x02\\x07\n");
    char user[256];
    memset(user, 'u', sizeof(user));
    play_bytes(p, SIDE_CLIENT, user, sizeof(user));
    play_run(p, "<< client gets \\x00[\\x00\\x00\\x00\\x00\\x00\\x00\n<< client fin\n");
    play_free(p);
}

static void test_ends(void) {
    play(NULL, METHODS ">> client eof\n<< record final\n== legs.client.end.how fin\n");
    play(NULL,
         ">> client bytes \\x05\n>> timer 31\n<< record final\n== legs.client.end.how timeout\n");
    play(NULL, METHODS ">> client broken\n<< record final\n== legs.client.end.how rst\n");
}

const struct unit_case unit_cases[] = {
    {"SOCKS 5 with a name", test_socks5},
    {"SOCKS 5 with addresses", test_socks5_addresses},
    {"in pieces", test_pieces},
    {"SOCKS 5: the way is not open", test_socks5_failures},
    {"SOCKS 5: bad requests", test_socks5_bad},
    {"SOCKS 4 and 4a", test_socks4},
    {"SOCKS 4 without end", test_socks4_endless},
    {"clients that end", test_ends},
    {NULL, NULL},
};
