#include <string.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"

static struct hello_draft draft;
static struct client_hello parsed;
static struct note_sink notes;
static struct buf message;

static void begin(const char *name) {
    struct err err;
    const struct sample *hello = hellos_get(name);
    hello_draft_init(&draft);
    buf_init(&message, HELLO_DRAFT_MAX);
    CU_ASSERT_FATAL(hello_draft_read_wire(&draft, NULL, hello->p, hello->len, &err));
}

// Writes the draft and parses it; nothing may be malformed.
static void parse(void) {
    struct err err;
    notes = (struct note_sink){0};
    buf_cleanup(&message);
    CU_ASSERT_FATAL(hello_draft_message(&draft, &message, &err));
    CU_ASSERT(client_hello_parse(&parsed, &notes, buf_data(&message), message.len));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_MALFORMED), 0);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSIONS_LENGTH), 0);
    CU_ASSERT_EQUAL(CBS_len(&parsed.trailing), 0);
}

static void end(void) {
    hello_draft_cleanup(&draft);
    buf_cleanup(&message);
}

static void test_sni(void) {
    begin("gnutls");
    size_t position = hello_edit_position(&draft, EXT_SERVER_NAME);
    hello_edit_sni(&draft, "other.example");
    parse();
    CU_ASSERT(CBS_mem_equal(&parsed.sni, (const uint8_t *)"other.example", 13));
    CU_ASSERT_EQUAL(hello_edit_position(&draft, EXT_SERVER_NAME), position);
    hello_edit_sni(&draft, NULL);
    parse();
    CU_ASSERT_EQUAL(parsed.num_sni, 0);
    CU_ASSERT_PTR_NULL(hello_edit_find(&draft, EXT_SERVER_NAME));
    hello_edit_sni(&draft, "again.example");
    CU_ASSERT_EQUAL(hello_edit_position(&draft, EXT_SERVER_NAME), 0);
    end();
}

static void test_lists(void) {
    begin("curl");
    hello_edit_versions(&draft, (const uint16_t[]){0x0303}, 1);
    hello_edit_sigalgs(&draft, (const uint16_t[]){0x0804, 0x0403}, 2);
    hello_edit_alpn(&draft, (const char *const[]){"h2", "spdy/3"}, 2);
    parse();
    CU_ASSERT_EQUAL(parsed.versions.num, 1);
    CU_ASSERT_EQUAL(code_list_at(&parsed.sigalgs, 1), 0x0403);
    CU_ASSERT_EQUAL(parsed.num_alpn, 2);
    hello_edit_versions(&draft, NULL, 0);
    hello_edit_sigalgs(&draft, NULL, 0);
    hello_edit_alpn(&draft, NULL, 0);
    parse();
    CU_ASSERT_PTR_NULL(parsed.versions.p);
    CU_ASSERT_PTR_NULL(parsed.sigalgs.p);
    CU_ASSERT_EQUAL(parsed.num_alpn, 0);
    char name[300];
    memset(name, 'x', sizeof(name) - 1);
    name[299] = '\0';
    hello_edit_alpn(&draft, (const char *const[]){name}, 1);
    CU_ASSERT(draft.overflow);
    end();
}

static void test_groups_and_shares(void) {
    begin("firefox"); // shares: X25519MLKEM768, X25519, P-256
    hello_edit_groups(&draft, (const uint16_t[]){29, 24}, 2);
    parse();
    CU_ASSERT_EQUAL(parsed.groups.num, 2);
    CU_ASSERT_EQUAL(parsed.num_key_shares, 1);
    hello_edit_key_share(&draft, 24, (const uint8_t *)"share", 5);
    hello_edit_key_share(&draft, 29, (const uint8_t *)"other", 5);
    parse();
    struct key_share share;
    CU_ASSERT(key_share_next(&parsed.key_shares, &share) && share.group == 29);
    CU_ASSERT(CBS_mem_equal(&share.key, (const uint8_t *)"other", 5));
    CU_ASSERT(key_share_next(&parsed.key_shares, &share) && share.group == 24);
    CU_ASSERT(hello_edit_remove_key_share(&draft, 29));
    CU_ASSERT_FALSE(hello_edit_remove_key_share(&draft, 29));
    hello_edit_no_key_shares(&draft);
    parse();
    CU_ASSERT_EQUAL(parsed.num_key_shares, 0);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_KEY_SHARE_EMPTY), 1);
    CU_ASSERT(hello_edit_remove(&draft, EXT_KEY_SHARE));
    CU_ASSERT_FALSE(hello_edit_remove_key_share(&draft, 29));
    hello_edit_key_share(&draft, 29, (const uint8_t *)"new", 3);
    parse();
    CU_ASSERT_EQUAL(parsed.num_key_shares, 1);
    end();
}

static void test_versions_below_13(void) {
    static const struct {
        const char *client;
        uint16_t max;
        bool sigalgs;
    } cases[] = {{"chromium", 0x0303, true}, {"curl", 0x0302, false}, {"firefox", 0x0301, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin(cases[i].client);
        hello_edit_version_range(&draft, 0x0301, cases[i].max);
        parse();
        CU_ASSERT_EQUAL(client_hello_max_version(&parsed), cases[i].max);
        CU_ASSERT_EQUAL(parsed.legacy_version, cases[i].max);
        CU_ASSERT_PTR_NULL(parsed.versions.p);
        CU_ASSERT_EQUAL(parsed.num_key_shares, 0);
        CU_ASSERT_EQUAL(CBS_len(&parsed.session_id), 0);
        CU_ASSERT_FALSE(code_list_has(&parsed.ciphers, 0x1301));
        CU_ASSERT(code_list_has(&parsed.ciphers, 0xc013));
        CU_ASSERT((parsed.sigalgs.p != NULL) == cases[i].sigalgs);
        CU_ASSERT_EQUAL(parsed.ech.form, ECH_NONE);
        end();
    }
}

static void test_versions_13(void) {
    begin("curl");
    hello_edit_version_range(&draft, 0x0304, 0x0304);
    parse();
    CU_ASSERT_EQUAL(parsed.versions.num, 1);
    CU_ASSERT_EQUAL(code_list_at(&parsed.versions, 0), 0x0304);
    CU_ASSERT_EQUAL(parsed.ciphers.num, 3);
    CU_ASSERT_EQUAL(parsed.legacy_version, 0x0303);
    hello_edit_version_range(&draft, 0x0303, 0x0304); // and back: what is missing comes in
    parse();
    CU_ASSERT_EQUAL(parsed.versions.num, 2);
    CU_ASSERT(code_list_has(&parsed.ciphers, 0xc02f));
    end();

    begin("chromium");
    hello_edit_version_range(&draft, 0x0304, 0x0304);
    parse();
    CU_ASSERT_EQUAL(parsed.versions.num, 2); // GREASE is still there
    CU_ASSERT(parsed.grease & GREASE_VERSION);
    CU_ASSERT(parsed.grease & GREASE_CIPHER);
    end();
}

static void test_pad(void) {
    begin("openssl");
    size_t len = hello_draft_len(&draft);
    CU_ASSERT(hello_edit_pad(&draft, 1800));
    CU_ASSERT_EQUAL(hello_draft_len(&draft), 1800);
    parse();
    CU_ASSERT_EQUAL(parsed.padding_len, 1800 - len - 4);
    CU_ASSERT(hello_edit_pad(&draft, 512));
    CU_ASSERT_EQUAL(hello_draft_len(&draft), 512);
    CU_ASSERT(hello_edit_pad(&draft, len + 2));
    CU_ASSERT_EQUAL(hello_draft_len(&draft), len + 4);
    CU_ASSERT(hello_edit_pad(&draft, len));
    CU_ASSERT_PTR_NULL(hello_edit_find(&draft, EXT_PADDING));
    CU_ASSERT_FALSE(hello_edit_pad(&draft, len - 1));
    CU_ASSERT_FALSE(draft.overflow);
    CU_ASSERT_FALSE(hello_edit_pad(&draft, HELLO_DRAFT_MAX + 1));
    CU_ASSERT(draft.overflow);
    end();

    hello_draft_init(&draft);
    len = hello_draft_len(&draft);
    CU_ASSERT(hello_edit_pad(&draft, 500)); // the block comes with it
    CU_ASSERT_EQUAL(hello_draft_len(&draft), 500);
    hello_draft_cleanup(&draft);
}

static void test_ticket(void) {
    begin("go");
    hello_edit_ticket(&draft, (const uint8_t *)"ticket", 6);
    parse();
    CU_ASSERT(CBS_mem_equal(&parsed.session_ticket, (const uint8_t *)"ticket", 6));
    hello_edit_ticket(&draft, NULL, 0);
    parse();
    CU_ASSERT_EQUAL(CBS_len(&parsed.session_ticket), 0);
    CU_ASSERT_PTR_NOT_NULL(CBS_data(&parsed.session_ticket));
    end();
}

const struct unit_case unit_cases[] = {
    {"SNI", test_sni},
    {"versions, signature algorithms, ALPN", test_lists},
    {"groups and key shares", test_groups_and_shares},
    {"a hello of before TLS 1.3", test_versions_below_13},
    {"a hello of TLS 1.3 alone, and back", test_versions_13},
    {"padding to a size", test_pad},
    {"session ticket", test_ticket},
    {NULL, NULL},
};
