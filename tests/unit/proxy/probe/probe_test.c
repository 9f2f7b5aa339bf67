#include "proxy/probe/probe.h"

#include <string.h>

#include "logs/base/check.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/unit.h"

static struct hello_keys *keys;
static struct hello_draft asked, client, draft;
static struct probe_material material;

static void begin(const char *shape) {
    keys = hello_keys_new(NULL, NULL);
    hello_draft_init(&asked);
    hello_draft_init(&client);
    hello_draft_init(&draft);
    hello_shape_make(&asked, hello_shape_find(shape), "a.example", keys);
    struct hello_keys *theirs = hello_keys_new(NULL, NULL);
    hello_shape_make(&client, hello_shape_find("chromium"), "a.example", theirs);
    hello_keys_free(theirs);
    material = (struct probe_material){.asked = &asked,
                                       .client = &client,
                                       .keys = keys,
                                       .host = "a.example",
                                       .control = "control.example",
                                       .nonce = "0123.invalid",
                                       .seed = 5};
}

static void end(void) {
    hello_draft_cleanup(&asked);
    hello_draft_cleanup(&client);
    hello_draft_cleanup(&draft);
    hello_keys_free(keys);
}

static bool make(const char *text) {
    struct probe_pick pick;
    struct err err;
    CHECK(probe_find(&pick, text, &err));
    return probe_make(&pick, &material, &draft);
}

static bool named(const char *name) {
    const struct hello_extension *sni = hello_edit_find(&draft, EXT_SERVER_NAME);
    return name == NULL ? sni == NULL
                        : sni != NULL && memmem(sni->body.p, sni->body.len, name, strlen(name));
}

// Every row makes a hello that can be written, or none.
static void test_all(void) {
    static const char *const shapes[] = {"openssl", "chromium", "tls12"};
    size_t num, made = 0;
    const struct probe *probes = probe_list(&num);
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        for (size_t i = 0; i < num; i++) {
            begin(shapes[s]);
            struct probe_pick pick = {.probe = &probes[i]};
            if (strcmp(probes[i].name, "group") == 0) {
                strcpy(pick.argument, "x25519");
            } else if (strcmp(probes[i].name, "cipher") == 0) {
                strcpy(pick.argument, "0x1301");
            } else if (strcmp(probes[i].name, "sigalg") == 0) {
                strcpy(pick.argument, "0x0804");
            } else if (strcmp(probes[i].name, "without") == 0) {
                strcpy(pick.argument, "0x000a");
            }
            if (probe_make(&pick, &material, &draft) && probes[i].sends == EXCHANGE_SENDS_HELLO) {
                struct buf wire;
                buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
                CU_ASSERT_TRUE(hello_draft_wire(&draft, &wire, NULL, NULL));
                buf_cleanup(&wire);
                made++;
            }
            CU_ASSERT_TRUE(*probes[i].says != '\0');
            end();
        }
    }
    CU_ASSERT_TRUE(made > 80);
}

static void test_names(void) {
    begin("openssl");
    CU_ASSERT(make("base") && hello_draft_equal(&draft, &asked));
    CU_ASSERT(make("no-sni") && named(NULL));
    CU_ASSERT(make("other-name") && named("control.example"));
    CU_ASSERT(make("nonce-name") && named("0123.invalid"));
    CU_ASSERT(make("other-address") && named("a.example"));
    CU_ASSERT(make("control") && named("control.example"));
    CU_ASSERT(make("control=nonce-name") && named("0123.invalid"));
    CU_ASSERT(make("control=grease") && named("control.example"));
    CU_ASSERT_FALSE(make("control=no-grease")); // there is none
    material.control = NULL;
    CU_ASSERT_FALSE(make("other-name"));
    CU_ASSERT_FALSE(make("other-address"));
    CU_ASSERT_FALSE(make("control"));
    end();
}

// What the hello has, or lacks, already would tell nothing.
static void test_no_change(void) {
    begin("openssl");
    CU_ASSERT_FALSE(make("no-grease"));
    CU_ASSERT_FALSE(make("no-ech"));
    CU_ASSERT_FALSE(make("small"));
    CU_ASSERT_FALSE(make("one"));
    CU_ASSERT_TRUE(make("grease"));
    end();
    begin("chromium");
    CU_ASSERT_FALSE(make("grease"));
    CU_ASSERT_FALSE(make("ech-grease"));
    CU_ASSERT_FALSE(make("pq"));
    CU_ASSERT_TRUE(make("no-grease"));
    CU_ASSERT_TRUE(make("small"));
    CU_ASSERT_TRUE(hello_draft_len(&draft) <= 517);
    // Small, but with what else may be disliked.
    CU_ASSERT_PTR_NOT_NULL(hello_edit_find(&draft, EXT_ECH));
    static const char *const as_long[] = {"no-ech", "no-sni", "no-grease", "tls12"};
    for (size_t i = 0; i < ARRAY_LEN(as_long); i++) {
        CU_ASSERT_TRUE(make(as_long[i]));
        CU_ASSERT_EQUAL(hello_draft_len(&draft), hello_draft_len(&asked));
    }
    material.control = "b.test";
    CU_ASSERT_TRUE(make("control=no-grease"));
    CU_ASSERT_TRUE(hello_draft_len(&draft) >= hello_draft_len(&asked));
    CU_ASSERT_TRUE(make("other-name")); // there is no padding of fewer than 4 bytes
    CU_ASSERT_EQUAL(hello_draft_len(&draft), hello_draft_len(&asked) + 1);
    CU_ASSERT_TRUE(make("control=small") && hello_draft_len(&draft) <= 517);
    end();
    begin("tls12");
    CU_ASSERT_FALSE(make("tls12"));
    CU_ASSERT_FALSE(make("pq"));
    end();
}

static void test_resumption(void) {
    begin("openssl");
    CU_ASSERT_TRUE(make("psk"));
    CU_ASSERT_EQUAL(draft.extensions[draft.num_extensions - 1].type, EXT_PRE_SHARED_KEY);
    CU_ASSERT_PTR_NULL(hello_edit_find(&draft, EXT_EARLY_DATA));
    CU_ASSERT_TRUE(make("early-data"));
    CU_ASSERT_EQUAL(draft.extensions[draft.num_extensions - 1].type, EXT_PRE_SHARED_KEY);
    CU_ASSERT_PTR_NOT_NULL(hello_edit_find(&draft, EXT_EARLY_DATA));
    hello_draft_copy(&asked, &draft);
    CU_ASSERT_FALSE(make("psk"));
    CU_ASSERT_TRUE(make("no-early-data"));
    CU_ASSERT_PTR_NOT_NULL(hello_edit_find(&draft, EXT_PRE_SHARED_KEY));
    end();
    begin("tls12");
    CU_ASSERT_FALSE(make("psk"));
    end();
}

static void test_sizes(void) {
    begin("openssl");
    CU_ASSERT(make("big") && hello_draft_len(&draft) == 1800);
    CU_ASSERT(make("pq") && hello_draft_len(&draft) > 1400);
    CU_ASSERT(make("split-tcp") && draft.num_segment_cuts == 1);
    CU_ASSERT(make("split-record") && draft.num_record_cuts == 1);
    end();
}

static void test_the_clients(void) {
    begin("openssl");
    CU_ASSERT(make("replay-verbatim") && hello_draft_equal(&draft, &client));
    CU_ASSERT(make("replay") && hello_draft_len(&draft) == hello_draft_len(&client));
    CU_ASSERT_FALSE(hello_draft_equal(&draft, &client));
    material.client = NULL;
    CU_ASSERT_FALSE(make("replay"));
    CU_ASSERT_FALSE(make("replay-verbatim"));
    end();
}

static void test_library(void) {
    struct library_config library;
    struct probe_pick ech = probe_pick_of("ech"), shown = probe_pick_of("with-cert");
    begin("openssl");
    CU_ASSERT_FALSE(make("ech") || make("ech-retry") || make("public-name") || make("with-cert"));
    CU_ASSERT(make("library") && make("without-cert"));
    material.ech = (struct span){(const uint8_t *)"x", 1};
    material.ech_name = "public.example";
    material.shown = &(struct client_cert){0};
    CU_ASSERT(make("ech") && !make("ech-retry") && make("with-cert"));
    CU_ASSERT(make("public-name") && named("public.example"));
    CU_ASSERT(probe_library(&library, &ech, &material));
    CU_ASSERT(library.ech_len == 1 && library.shown == NULL);
    CU_ASSERT(probe_library(&library, &shown, &material));
    CU_ASSERT(library.ech == NULL && library.shown == material.shown);
    CU_ASSERT_STRING_EQUAL(library.server_name, "a.example");
    material.host = NULL; // nothing to hide
    CU_ASSERT_FALSE(make("ech"));
    end();
}

static void test_arguments(void) {
    struct probe_pick pick;
    struct err err;
    char name[PROBE_NAME_MAX];
    CU_ASSERT_TRUE(probe_find(&pick, "group=x25519", &err));
    probe_name(name, &pick);
    CU_ASSERT_STRING_EQUAL(name, "group=x25519");
    probe_factor(name, &pick);
    CU_ASSERT_STRING_EQUAL(name, "groups=x25519");
    CU_ASSERT(probe_ttl(&pick) == 0 && probe_find(&pick, "ttl=12", &err) && probe_ttl(&pick) == 12);
    static const char *const bad[] = {
        "",           "nonsense", "no-sni=1", "group",   "group=", "group=zz", "control=legacy",
        "control=zz", "ttl",      "ttl=0",    "ttl=256", "ttl=5x", "grease=",  NULL};
    for (size_t i = 0; bad[i] != NULL; i++) {
        bool empty = strcmp(bad[i], "grease=") == 0;
        CU_ASSERT_EQUAL(probe_find(&pick, bad[i], &err), empty);
    }
}

const struct unit_case unit_cases[] = {
    {"all", test_all},
    {"names", test_names},
    {"no change", test_no_change},
    {"resumption", test_resumption},
    {"sizes", test_sizes},
    {"the library's", test_library},
    {"the client's", test_the_clients},
    {"arguments", test_arguments},
    {NULL, NULL},
};
