#include "tests/unit/proxy/session/playbook.h"

#define REFUSE "{\"rules\": [{\"hosts\": [\"example.test\"], \"action\": \"refuse\"}]}"

// A connection that is known to go somewhere is asked nothing and told nothing.
static void test_aimed(void) {
    play(&(struct setup){.aim = WORLD_HOST, SETUP_TLS},
         "<< dial example.test:443\n>> resolved\n>> tried 0\n>> connected\n"
         "<< client gets \n>> server tls\n>> client tls\n<< client established * * *\n"
         ">> client says hello\n<< server hears hello\n>> client notify\n>> server notify\n"
         ">> client eof\n>> server eof\n<< done\n<< record final\n== front fixed\n"
         "== mode intercept\n== verdict.cause healthy\n== http.request.method -\n");
}

// A hello may come before the server is connected.
static void test_aimed_early(void) {
    play(&(struct setup){.aim = WORLD_HOST, SETUP_TLS},
         ">> client tls\n<< dial example.test:443\n>> resolved\n>> tried 0\n>> server tls\n"
         ">> connected\n<< client established * * *\n");
}

// Who never asked anything cannot be told in words that there is no way.
static void test_aimed_refused(void) {
    play(&(struct setup){.aim = WORLD_HOST},
         "<< dial example.test:443\n>> resolved\n>> tried ECONNREFUSED\n>> dial-failed "
         "ECONNREFUSED\n"
         "<< client gets \n<< client reset\n<< done\n<< record final\n"
         "== verdict.cause tcp-refused\n== legs.client.end.how rst\n");
    play(&(struct setup){.aim = WORLD_HOST, .policy = REFUSE, SETUP_TLS},
         "<< client reset\n<< done\n<< record final\n== verdict.cause proxy-auth-or-acl\n");
}

static void test_aimed_nowhere(void) { play(&(struct setup){.aim = "no host"}, "<< client fin\n"); }

const struct unit_case unit_cases[] = {
    {"an aimed connection", test_aimed},
    {"a hello before the server is connected", test_aimed_early},
    {"an aimed connection that leads nowhere", test_aimed_refused},
    {"an aim that no host can be", test_aimed_nowhere},
    {NULL, NULL},
};
