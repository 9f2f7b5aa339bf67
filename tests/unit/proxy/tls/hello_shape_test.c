#include "proxy/tls/hello_shape.h"

#include <string.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/fingerprint.h"
#include "proxy/tls/hello_edit.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"

static struct hello_draft draft;
static struct client_hello parsed;
static struct buf message;
static uint64_t seed;

static void begin(const char *name, const char *host) {
    struct err err;
    struct note_sink notes = {0};
    struct hello_keys *keys = hello_keys_new(hellos_random, &seed);
    hello_draft_init(&draft);
    buf_init(&message, HELLO_DRAFT_MAX);
    const struct hello_shape *shape = hello_shape_find(name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shape);
    hello_shape_make(&draft, shape, host, keys);
    CU_ASSERT_FATAL(hello_draft_message(&draft, &message, &err));
    if (draft.format == HELLO_FORMAT_SSLV2) {
        CU_ASSERT(client_hello_parse_sslv2(&parsed, &notes, buf_data(&message), message.len));
    } else {
        CU_ASSERT(client_hello_parse(&parsed, &notes, buf_data(&message), message.len));
    }
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_MALFORMED), 0);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_KEY_SHARE_LENGTH), 0);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_KEY_SHARE_GROUP_NOT_OFFERED), 0);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_CIPHERS_ODD_LENGTH), 0);
    hello_keys_free(keys);
}

static void end(void) {
    hello_draft_cleanup(&draft);
    buf_cleanup(&message);
}

static void test_all_are_well_formed(void) {
    size_t num;
    const struct hello_shape *shapes = hello_shapes(&num);
    CU_ASSERT(num >= 10);
    for (size_t i = 0; i < num; i++) {
        begin(shapes[i].name, "host.example");
        CU_ASSERT(strlen(shapes[i].says) != 0);
        bool named = CBS_len(&parsed.sni) == 12;
        CU_ASSERT_EQUAL(named, parsed.has_extensions);
        end();
        begin(shapes[i].name, NULL);
        CU_ASSERT_EQUAL(parsed.num_sni, 0);
        end();
        begin(shapes[i].name, "192.0.2.1");
        CU_ASSERT_EQUAL(parsed.num_sni, 0);
        end();
    }
    CU_ASSERT_PTR_NULL(hello_shape_find("netscape"));
}

static void extensions_are(const struct hello_draft *a, const struct hello_draft *b) {
    CU_ASSERT_EQUAL_FATAL(a->num_extensions, b->num_extensions);
    for (size_t i = 0; i < a->num_extensions; i++) {
        const struct hello_extension *x = &a->extensions[i], *y = &b->extensions[i];
        CU_ASSERT_EQUAL(x->type, y->type);
        bool made = x->type == EXT_KEY_SHARE || x->type == EXT_ECH || x->type == EXT_SERVER_NAME ||
                    x->type == EXT_PADDING;
        CU_ASSERT(made || (x->body.len == y->body.len &&
                           (x->body.len == 0 || memcmp(x->body.p, y->body.p, x->body.len) == 0)));
    }
}

// Field by field what the client sent, but for what is made anew.
static void test_as_recorded(void) {
    static const char *const names[] = {"curl", "openssl", "gnutls", "go",
                                        "java", "node",    "firefox"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct hello_draft client;
        struct err err;
        const struct sample *hello = hellos_get(names[i]);
        hello_draft_init(&client);
        CU_ASSERT_FATAL(hello_draft_read_wire(&client, NULL, hello->p, hello->len, &err));
        begin(names[i], strcmp(names[i], "java") == 0 ? "a.localhost.test" : "a.localhost");
        CU_ASSERT_EQUAL(draft.record_version, client.record_version);
        CU_ASSERT_EQUAL(draft.session_id.len, client.session_id.len);
        CU_ASSERT_EQUAL(draft.ciphers.len, client.ciphers.len);
        CU_ASSERT(memcmp(draft.ciphers.p, client.ciphers.p, client.ciphers.len) == 0);
        CU_ASSERT_EQUAL(hello_draft_len(&draft), hello_draft_len(&client));
        extensions_are(&draft, &client);
        hello_draft_cleanup(&client);
        end();
    }
}

// Chromium's order changes: a fingerprint that sorts sees the same.
static void test_chromium(void) {
    struct client_hello client;
    char ours[JA4_SIZE], theirs[JA4_SIZE];
    const struct sample *hello = hellos_get("chromium");
    struct hello_draft recorded, first;
    struct err err;
    CU_ASSERT(client_hello_parse(&client, NULL, hello->p + 5, hello->len - 5));
    hello_draft_init(&recorded);
    hello_draft_init(&first);
    CU_ASSERT(hello_draft_read_wire(&recorded, NULL, hello->p, hello->len, &err));
    CU_ASSERT(hello_edit_remove(&recorded, 0xca34)); // trust anchors
    struct buf out;
    buf_init(&out, HELLO_DRAFT_MAX);
    CU_ASSERT(hello_draft_message(&recorded, &out, &err));
    CU_ASSERT(client_hello_parse(&client, NULL, buf_data(&out), out.len));
    CU_ASSERT(fingerprint_ja4(theirs, JA4_TCP, &client));
    begin("chromium", "a.localhost");
    CU_ASSERT(fingerprint_ja4(ours, JA4_TCP, &parsed));
    CU_ASSERT_STRING_EQUAL(ours, theirs);
    CU_ASSERT_EQUAL(parsed.grease, client.grease);
    CU_ASSERT_EQUAL(parsed.num_key_shares, 3);
    hello_draft_copy(&first, &draft);
    end();
    begin("chromium", "a.localhost");
    bool same = true;
    for (size_t i = 1; i + 1 < draft.num_extensions; i++) {
        same = same && draft.extensions[i].type == first.extensions[i].type;
    }
    CU_ASSERT_FALSE(same);
    end();
    buf_cleanup(&out);
    hello_draft_cleanup(&first);
    hello_draft_cleanup(&recorded);
}

static void test_old_ones(void) {
    static const struct {
        const char *name;
        uint16_t version;
        uint32_t cipher;
    } cases[] = {
        {"ssl3", 0x0300, 0x0005},   {"sslv2", 0x0301, 0x010080}, {"tls10", 0x0301, 0x0016},
        {"tls11", 0x0302, 0xc012},  {"tls12", 0x0303, 0xc02f},   {"tls13", 0x0304, 0x1303},
        {"sparse", 0x0303, 0xc02b}, {"legacy", 0x0303, 0x0003},  {"legacy", 0x0303, 0x0033}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin(cases[i].name, "host.example");
        CU_ASSERT_EQUAL(client_hello_max_version(&parsed), cases[i].version);
        CU_ASSERT(code_list_has(&parsed.ciphers, cases[i].cipher));
        end();
    }
}

static void test_suites(void) {
    for (int kind = 0; kind < HELLO_SUITES_NUM; kind++) {
        size_t num;
        const uint32_t *suites = hello_suites((enum hello_suites)kind, &num);
        CU_ASSERT(num != 0);
        for (size_t i = 0; i < num; i++) {
            CU_ASSERT_EQUAL(suites[i] >> 8 == 0x13, kind == HELLO_SUITES_TLS13);
        }
    }
}

const struct unit_case unit_cases[] = {
    {"all are well-formed, with a name and without", test_all_are_well_formed},
    {"as they were recorded", test_as_recorded},
    {"Chromium's changes its order", test_chromium},
    {"versions and suites of before", test_old_ones},
    {"suites by kind", test_suites},
    {NULL, NULL},
};
