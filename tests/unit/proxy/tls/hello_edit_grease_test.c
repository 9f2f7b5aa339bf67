#include <string.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"

enum {
    EVERYWHERE_CHROMIUM = GREASE_CIPHER | GREASE_EXTENSION | GREASE_GROUP | GREASE_VERSION |
                          GREASE_KEY_SHARE | GREASE_SIGALG
};

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

static void parse(void) {
    struct err err;
    notes = (struct note_sink){0};
    buf_cleanup(&message);
    CU_ASSERT_FATAL(hello_draft_message(&draft, &message, &err));
    CU_ASSERT(client_hello_parse(&parsed, &notes, buf_data(&message), message.len));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_MALFORMED), 0);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_DUPLICATE), 0);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_PSK_NOT_LAST), 0);
}

static void end(void) {
    hello_draft_cleanup(&draft);
    buf_cleanup(&message);
}

static void test_remove(void) {
    begin("chromium");
    parse();
    CU_ASSERT_EQUAL(parsed.grease, EVERYWHERE_CHROMIUM);
    uint16_t num = parsed.num_extensions, shares = parsed.num_key_shares;
    hello_edit_alpn(&draft, (const char *const[]){"\x0a\x0a", "h2"}, 2);
    CU_ASSERT(hello_edit_remove_grease(&draft));
    CU_ASSERT_FALSE(hello_edit_remove_grease(&draft));
    parse();
    CU_ASSERT_EQUAL(parsed.grease, 0);
    CU_ASSERT_EQUAL(parsed.num_extensions, num - 2);
    CU_ASSERT_EQUAL(parsed.num_key_shares, shares - 1);
    CU_ASSERT_EQUAL(parsed.num_alpn, 1);
    CU_ASSERT_EQUAL(code_list_at(&parsed.ciphers, 0), 0x1301);
    end();
}

static void test_add(void) {
    struct hello_draft first;
    begin("curl"); // padding is its last extension
    hello_draft_init(&first);
    hello_edit_add_grease(&draft, 7);
    hello_draft_copy(&first, &draft);
    parse();
    CU_ASSERT_EQUAL(parsed.grease, EVERYWHERE_CHROMIUM);
    CU_ASSERT_EQUAL(draft.extensions[draft.num_extensions - 1].type, EXT_PADDING);
    CU_ASSERT_EQUAL(code_list_at(&parsed.groups, 0) & 0x0f0f, 0x0a0a);
    end();
    begin("curl");
    hello_edit_add_grease(&draft, 7);
    CU_ASSERT(hello_draft_equal(&draft, &first)); // the same seed
    end();
    begin("curl");
    hello_edit_add_grease(&draft, 8);
    CU_ASSERT_FALSE(hello_draft_equal(&draft, &first));
    CU_ASSERT(hello_edit_remove_grease(&draft));
    struct buf out;
    struct err err;
    buf_init(&out, HELLO_DRAFT_WIRE_MAX);
    CU_ASSERT(hello_draft_wire(&draft, &out, NULL, &err));
    CU_ASSERT(out.len == 517 && memcmp(buf_data(&out), hellos_get("curl")->p, 517) == 0);
    buf_cleanup(&out);
    hello_draft_cleanup(&first);
    end();
}

// ALPN's own GREASE goes in front, and only where there is ALPN.
static void test_alpn(void) {
    begin("curl");
    hello_edit_alpn_grease(&draft, 7);
    const struct hello_extension *alpn = hello_edit_find(&draft, EXT_ALPN);
    CU_ASSERT(alpn->body.len == 14 + 3 && alpn->body.p[1] == 15 && alpn->body.p[2] == 2);
    CU_ASSERT((alpn->body.p[3] & 0x0f) == 0x0a && memcmp(alpn->body.p + 5, "\x02h2", 3) == 0);
    CU_ASSERT(hello_edit_remove_grease(&draft));
    CU_ASSERT_EQUAL(hello_edit_find(&draft, EXT_ALPN)->body.len, 14);
    end();
    begin("openssl");
    hello_edit_alpn_grease(&draft, 7);
    CU_ASSERT_PTR_NULL(hello_edit_find(&draft, EXT_ALPN));
    end();
}

// Whatever the seed, no two extensions are of one type.
static void test_seeds(void) {
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin("openssl");
        hello_edit_add_grease(&draft, seed);
        parse();
        end();
    }
}

static void test_ech(void) {
    begin("curl");
    hello_edit_ech_grease(&draft, 1, 208);
    parse();
    CU_ASSERT_EQUAL(parsed.ech.form, ECH_OUTER);
    CU_ASSERT_EQUAL(parsed.ech.looks, ECH_LOOKS_EITHER);
    CU_ASSERT_EQUAL(CBS_len(&parsed.ech.enc), 32);
    CU_ASSERT_EQUAL(CBS_len(&parsed.ech.payload), 208);
    hello_edit_ech_grease(&draft, 1, 144);
    parse();
    CU_ASSERT_EQUAL(CBS_len(&parsed.ech.payload), 144);
    CU_ASSERT(hello_edit_remove(&draft, EXT_ECH));
    hello_edit_ech_grease(&draft, 1, 0x10000);
    CU_ASSERT(draft.overflow);
    end();
}

static void test_psk(void) {
    begin("go");
    hello_edit_psk(&draft, 3, 200, true);
    hello_edit_psk(&draft, 4, 100, true);
    hello_edit_add_grease(&draft, 4);
    parse();
    CU_ASSERT_EQUAL(parsed.num_psk_identities, 1);
    CU_ASSERT_EQUAL(parsed.num_psk_binders, 1);
    CU_ASSERT_EQUAL(parsed.psk_modes.num, 1);
    CU_ASSERT(parsed.early_data);
    struct psk_identity identity;
    CU_ASSERT(psk_identity_next(&parsed.psk_identities, &identity));
    CU_ASSERT_EQUAL(CBS_len(&identity.identity), 100);
    hello_edit_psk(&draft, 3, 0x10000, true);
    CU_ASSERT(draft.overflow);
    end();
}

const struct unit_case unit_cases[] = {
    {"GREASE goes from everywhere", test_remove},
    {"GREASE comes where Chromium has it, and goes again", test_add},
    {"ALPN's GREASE", test_alpn},
    {"no seed makes an extension come twice", test_seeds},
    {"ECH GREASE", test_ech},
    {"a PSK and early data", test_psk},
    {NULL, NULL},
};
