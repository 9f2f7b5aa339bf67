// A box that edits the hello and passes on the rest.
#include "proxy/tls/client_hello.h"
#include "proxy/tls/extension.h"
#include "tests/unit/proxy/session/playbook.h"

#define EDIT(what)                                                                                 \
    .as = "{\"mode\": \"tunnel\", \"server_leg\": {\"hello\": \"edit\", \"edit\": {" what "}}}"

// edited returns what the server got in the place of the client's hello, parsed. The bytes live
// with the play.
static struct play *edited(struct client_hello *out, const struct setup *setup) {
    struct play *p = play_new(setup);
    play_run(p, OPEN ">> client hello\n");
    struct span got = play_got(p, SIDE_SERVER);
    CU_ASSERT_FATAL(got.len > 9 && got.p[0] == 0x16);
    CU_ASSERT_FATAL(client_hello_parse(out, NULL, got.p + 5, got.len - 5));
    return p;
}

static bool has_extension(const struct client_hello *hello, uint16_t type) {
    CBS block = hello->extensions;
    struct extension extension;
    while (extension_next(&block, &extension)) {
        if (extension.type == type) {
            return true;
        }
    }
    return false;
}

static void test_strip_extension(void) {
    struct client_hello hello;
    struct play *p = edited(&hello, &(struct setup){EDIT("\"strip_extensions\": "
                                                         "[\"supported_versions\"]"),
                                                    .client = {.host = WORLD_HOST}});
    CU_ASSERT(!has_extension(&hello, 43) && has_extension(&hello, 51));
    CU_ASSERT(CBS_mem_equal(&hello.sni, (const uint8_t *)WORLD_HOST, strlen(WORLD_HOST)));
    // The record has both hellos.
    play_run(p, ">> client eof\n>> server eof\n<< record final\n== mode tunnel\n"
                "== emulation.profile test\n== emulation.action -\n");
    const struct obj *root = play_record(p);
    const struct obj *client = obj_get(root, F_RECORD_LEG_CLIENT);
    const struct obj *server = obj_get(root, F_RECORD_LEG_SERVER);
    CU_ASSERT_EQUAL(obj_num(client, F_LEG_OFFER_EXTENSIONS),
                    obj_num(server, F_LEG_OFFER_EXTENSIONS) + 1);
    play_free(p);
}

static void test_drop_grease(void) {
    struct client_hello hello;
    const struct peer_options client = {.host = WORLD_HOST, .grease = true};
    struct play *p =
        edited(&hello, &(struct setup){EDIT("\"drop_grease\": true"), .client = client});
    CU_ASSERT_EQUAL(hello.grease, 0);
    play_free(p);
}

static void test_lists_and_name(void) {
    struct client_hello hello;
    struct play *p = edited(
        &hello, &(struct setup){EDIT("\"strip_groups\": [\"x25519\"], \"strip_ciphers\": "
                                     "[\"TLS_AES_128_GCM_SHA256\"], \"sni\": \"other.test\""),
                                .client = {.host = WORLD_HOST}});
    CU_ASSERT(!code_list_has(&hello.groups, 29) && code_list_has(&hello.groups, 23));
    CU_ASSERT(!code_list_has(&hello.ciphers, 0x1301) && code_list_has(&hello.ciphers, 0x1302));
    CU_ASSERT_EQUAL(hello.num_key_shares, 0);
    CU_ASSERT(CBS_mem_equal(&hello.sni, (const uint8_t *)"other.test", 10));
    play_free(p);
}

// Without supported_versions a server of TLS 1.3 answers with 1.2 and the sentinel, which a client
// of TLS 1.3 refuses (RFC 8446 section 4.1.3).
static void test_downgrade(void) {
    play(&(struct setup){EDIT("\"strip_extensions\": [\"supported_versions\"]"), SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n<< server alerted 47\n");
}

// As a reaction, for those that meet its conditions.
static void test_reaction(void) {
    struct client_hello hello;
    struct play *p =
        edited(&hello,
               &(struct setup){.as = "{\"reactions\": [{\"when\": {\"sni\": [\"example.test\"]}, "
                                     "\"action\": \"edit_hello\", \"edit\": {\"strip_extensions\": "
                                     "[\"supported_versions\"]}}]}",
                               .client = {.host = WORLD_HOST}});
    CU_ASSERT(!has_extension(&hello, 43));
    play_run(p, ">> stop\n<< record final\n== emulation.action edit_hello\n== mode tunnel\n");
    play_free(p);
}

// What follows the hello goes on untouched, also what came with it, and in pieces.
static void test_the_rest(void) {
    static const size_t pieces[] = {0, 1, 100};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct play *p =
            play_new(&(struct setup){EDIT("\"drop_grease\": true"), .piece = pieces[i]});
        play_run(p, OPEN ">> client hello\n>> client fills 50000\n");
        CU_ASSERT(play_got(p, SIDE_SERVER).len > 50000);
        play_run(p, "<< server gets *\n>> server fills 50000\n<< client got 50000\n");
        play_free(p);
    }
}

// SSLv2 format has nothing that could be edited.
static void test_sslv2(void) {
    play(&(struct setup){EDIT("\"drop_grease\": true")}, OPEN
         ">> client bytes \\x80\\x1c\\x01\\x03\\x01\\x00\\x03\\x00\\x00\\x00\\x10\\x00\\x00\\x2f"
         "0123456789abcdef\n"
         "<< server gets \\x80\\x1c\\x01\\x03\\x01\\x00\\x03\\x00\\x00\\x00\\x10\\x00\\x00\\x2f"
         "0123456789abcdef\n");
}

const struct unit_case unit_cases[] = {
    {"an extension", test_strip_extension},
    {"GREASE", test_drop_grease},
    {"groups, suites and the name", test_lists_and_name},
    {"what becomes of it", test_downgrade},
    {"as a reaction", test_reaction},
    {"the rest goes on", test_the_rest},
    {"SSLv2 format", test_sslv2},
    {NULL, NULL},
};
