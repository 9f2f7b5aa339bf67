// Which box a session is, and when its reactions are weighed.
#include "tests/unit/proxy/session/playbook.h"

#define RST_ON(when) "{\"reactions\": [{\"when\": {" when "}, \"action\": \"rst\"}]}"

// Without --as a rule of the policy says it; what it tunnels or refuses is left alone.
static void test_policy(void) {
    play(
        &(struct setup){.policy =
                            "{\"rules\": [{\"hosts\": [\"example.test\"], \"action\": \"emulate\", "
                            "\"profile\": \"plain-http-answer\"}]}"},
        OPEN ">> client hello\n<< client gets HTTP/1.0 403 *\n<< record final\n"
             "== policy.action emulate\n== emulation.profile plain-http-answer\n");
    play(&(struct setup){.policy = "{\"default\": {\"action\": \"tunnel\"}}", .as = RST_ON("")},
         OPEN ">> client hello\n<< client open\n<< server gets *\n");
}

static void test_nth(void) {
    struct session_shared *shared =
        world_shared_with(&(struct world_options){.as = RST_ON("\"nth\": 2")});
    static const char *const expected[] = {"open", "reset", "open"};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        playf(&(struct setup){.shared = shared}, OPEN ">> client hello\n<< client %s\n",
              expected[i]);
    }
    shared_unref(shared);
}

// One that was stalled brings stalls upon everything to the same server for a while.
static void test_residual(void) {
    struct session_shared *shared = world_shared_with(&(struct world_options){
        .as = "{\"mode\": \"tunnel\", \"reactions\": [{\"when\": {\"sni\": [\"example.test\"]}, "
              "\"action\": \"rst\", \"residual_seconds\": 120}]}"});
    static const char other[] = ">> client bytes CONNECT other.test:443 HTTP/1.1||\n"
                                "<< dial other.test:443\n>> resolved\n>> tried 0\n>> connected\n"
                                ">> client hello\n";
    const struct setup setup = {.shared = shared, .client = {.host = "other.test"}};
    playf(&setup, "%s<< client open\n", other);
    play(&(struct setup){.shared = shared, .client = {.host = WORLD_HOST}},
         OPEN ">> client hello\n<< client reset\n");
    playf(&setup,
          "%s<< client reset\n<< record final\n== emulation.reaction residual\n"
          "== emulation.action rst\n",
          other);
    struct play *late = play_new(&setup);
    play_run(late, ">> timer 130\n");
    play_free(late);
    shared_unref(shared);
}

static void test_seed(void) {
    int resets[2] = {0, 0};
    for (int run = 0; run < 2; run++) {
        struct session_shared *shared = world_shared_with(&(struct world_options){
            .as = "{\"mode\": \"tunnel\", \"reactions\": [{\"when\": {\"probability\": 0.5}, "
                  "\"action\": \"rst\"}]}"});
        for (int i = 0; i < 20; i++) {
            struct play *p = play_new(&(struct setup){.shared = shared});
            play_run(p, OPEN ">> client hello\n");
            resets[run] += play_record(p) != NULL ? 1 : 0;
            play_run(p, ">> stop\n<< record final\n");
            resets[run] += obj_str(play_record(p), F_RECORD_EMULATION_ACTION) != NULL ? 1 << i : 0;
            play_free(p);
        }
        shared_unref(shared);
    }
    CU_ASSERT(resets[0] != 0 && resets[0] != (1 << 20) - 1);
    CU_ASSERT_EQUAL(resets[0], resets[1]);
}

// The moment of the second hello, of a server's HelloRetryRequest and of our own.
static void test_second_hello(void) {
    play(&(struct setup){.as = "{\"client_leg\": {\"force_hello_retry_request\": true}, "
                               "\"reactions\": [{\"at\": \"second_hello\", \"action\": \"rst\", "
                               "\"side\": \"client\"}]}",
                         .client = {.host = WORLD_HOST, .curves = "X25519:P-256"},
                         .server = {.chain = {world_get()->leaf}}},
         OPEN ">> server tls\n>> client tls\n<< client reset\n<< record final\n"
              "== emulation.action rst\n== legs.client.answer.hello_retry_request group\n");
    play(&(struct setup){.as = "{\"mode\": \"tunnel\", \"reactions\": [{\"at\": \"second_hello\", "
                               "\"action\": \"rst\"}]}",
                         .client = {.host = WORLD_HOST, .curves = "X25519:P-256"},
                         .server = {.chain = {world_get()->leaf}, .curves = "P-256"}},
         OPEN ">> server tls\n>> client tls\n<< client reset\n<< server reset\n"
              "<< record final\n== emulation.action rst\n");
}

// Bad hellos meet the box as they meet the proxy.
static void test_bad_hellos(void) {
    static const char *const bad[] = {
        "\\x16\\x03\\x01\\x00\\x05\\x01\\x00\\x00\\x01\\x00", // too short
        "\\x16\\x03\\x01\\xff\\xff",                          // a record too long
        "\\x16\\x03\\x01\\x00\\x04\\x02\\x00\\x00\\x00",      // no ClientHello
        "GET / HTTP/1.1||",
        "\\x80\\x2e\\x01\\x03\\x03",
        "\\x15\\x03\\x01\\x00\\x02\\x02\\x28",
    };
    static const char *const boxes[] = {
        RST_ON(""),
        ("{\"mode\": \"tunnel\", \"server_leg\": {\"hello\": \"edit\", \"edit\": "
         "{\"strip_extensions\": [\"supported_versions\"]}}}"),
        "{\"reactions\": [{\"action\": \"block_page\"}]}"};
    for (size_t b = 0; b < ARRAY_LEN(boxes); b++) {
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
            playf(&(struct setup){.as = boxes[b], .piece = i % 3},
                  OPEN ">> client bytes %s\n>> client eof\n>> server eof\n", bad[i]);
        }
    }
}

// Reactions to the hello wait for the server's answer, in both modes.
static void test_server_first(void) {
#define FIRST(mode, when)                                                                          \
    "{\"mode\": \"" mode "\", \"order\": \"server_first\", \"reactions\": [{\"when\": {" when      \
    "}, \"action\": \"rst\"}]}"
    play(&(struct setup){.as = FIRST("intercept", ""), SETUP_TLS},
         OPEN ">> client tls\n<< record none\n>> server tls\n<< client reset\n<< record final\n"
              "== emulation.reaction reactions[0]\n== legs.server.tls.established yes\n");
    play(&(struct setup){.as = FIRST("tunnel", ""), SETUP_TLS},
         OPEN ">> client tls\n<< record none\n>> server tls\n<< client reset\n<< record final\n"
              "== emulation.action rst\n");
    play(&(struct setup){.as = FIRST("intercept", "\"sni\": [\"other.test\"]"), SETUP_TLS},
         HANDSHAKE);
    // In the ordinary order the server hears nothing.
    play(&(struct setup){.as = RST_ON(""), SETUP_TLS},
         OPEN ">> client tls\n<< client reset\n<< record final\n"
              "== legs.server.tls.established -\n");
}

static void test_aimed(void) {
    play(&(struct setup){.as = RST_ON("\"host\": [\"example.test\"]"), .aim = WORLD_HOST},
         ">> resolved\n>> tried 0\n>> connected\n>> client hello\n<< client reset\n"
         "<< record final\n== front fixed\n== emulation.action rst\n");
}

const struct unit_case unit_cases[] = {
    {"a rule that emulates", test_policy},
    {"the nth connection", test_nth},
    {"residual blocking", test_residual},
    {"chance is the same again", test_seed},
    {"the second hello", test_second_hello},
    {"bad hellos", test_bad_hellos},
    {"without a CONNECT", test_aimed},
    {"the server goes first", test_server_first},
    {NULL, NULL},
};
