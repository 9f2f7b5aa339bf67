#include "logs/view/legs.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/unit.h"

static struct record *record;
static struct obj *client, *server;
static struct buf out;
static struct page page;

// begin makes two legs that both saw an offer, and a page whose columns are 19 wide.
static void begin(void) {
    record = record_new();
    client = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    server = obj_sub(record->root, F_RECORD_LEG_SERVER);
    obj_add_code(client, F_LEG_OFFER_CIPHERS, 0x1301);
    obj_add_code(server, F_LEG_OFFER_CIPHERS, 0x1301);
    buf_init(&out, 10000);
    page = (struct page){.out = &out, .width = 60};
}

static void field_is(const struct legs *legs, enum field field, const char *wanted) {
    CU_ASSERT_EQUAL(legs_field(&page, legs, field), *wanted != '\0');
    bool same =
        out.len == strlen(wanted) && (out.len == 0 || memcmp(buf_data(&out), wanted, out.len) == 0);
    CU_ASSERT(same);
    if (!same) {
        printf("\nis:\n%.*swanted:\n%s", (int)out.len, (const char *)buf_data(&out), wanted);
    }
    buf_cleanup(&out);
}

static void end(void) { record_free(record); }

static void test_values(void) {
    begin();
    const struct legs legs = {.client = client, .server = server};
    field_is(&legs, F_LEG_SERVER_NAME, "");
    obj_set_str(client, F_LEG_SERVER_NAME, "a.test");
    field_is(&legs, F_LEG_SERVER_NAME, "SNI               a.test              <\n");
    obj_set_str(server, F_LEG_SERVER_NAME, "a.test");
    field_is(&legs, F_LEG_SERVER_NAME, "SNI               a.test              = a.test\n");
    obj_set_str(server, F_LEG_SERVER_NAME, "a-longer.example.test");
    field_is(&legs, F_LEG_SERVER_NAME,
             "SNI               a.test              ~ a-longer.example.\n"
             "                                        test\n");
    obj_unset(client, F_LEG_SERVER_NAME);
    field_is(&legs, F_LEG_SERVER_NAME,
             "SNI                                   > a-longer.example.\n"
             "                                        test\n");
    end();
}

static void test_nothing_to_compare(void) {
    begin();
    struct legs legs = {.client = client, .server = server};
    obj_set_str(client, F_LEG_JA3, "one");
    obj_set_str(server, F_LEG_JA3, "two");
    field_is(&legs, F_LEG_JA3, "JA3               one                   two\n");
    legs.mark_all = true;
    field_is(&legs, F_LEG_JA3, "JA3               one                 ~ two\n");
    legs.mark_all = false;
    // The server leg saw no answer, so nothing is missing there.
    obj_set_int(client, F_LEG_TLS_CIPHER, 0x1301);
    field_is(&legs, F_LEG_TLS_CIPHER,
             "cipher suite      TLS_AES_128_GCM_\n"
             "                  SHA256\n");
    obj_set_int(server, F_LEG_ANSWER_VERSION, 0x0303);
    field_is(&legs, F_LEG_TLS_CIPHER,
             "cipher suite      TLS_AES_128_GCM_    <\n"
             "                  SHA256\n");
    end();
}

static void test_lists(void) {
    begin();
    const struct legs legs = {.client = client, .server = server};
    obj_set_codes(client, F_LEG_OFFER_GROUPS, (const uint16_t[]){0x1a1a, 29, 23, 24}, 4);
    obj_set_codes(server, F_LEG_OFFER_GROUPS, (const uint16_t[]){0x2a2a, 24, 29, 25}, 4);
    field_is(&legs, F_LEG_OFFER_GROUPS,
             "groups            GREASE (0x1a1a)     = GREASE (0x2a2a)\n"
             "                  x25519              ~\n"
             "                  secp256r1           <\n"
             "                  secp384r1           = secp384r1\n"
             "                                      ~ x25519\n"
             "                                      > secp521r1\n");
    obj_touch(client, F_LEG_OFFER_ALPN);
    field_is(&legs, F_LEG_OFFER_ALPN, "ALPN offered      (empty)             <\n");
    obj_touch(server, F_LEG_OFFER_ALPN);
    field_is(&legs, F_LEG_OFFER_ALPN, "ALPN offered      (empty)             = (empty)\n");
    obj_add_str(server, F_LEG_DNS_ANSWERS, "192.0.2.1", 9);
    obj_add_str(server, F_LEG_DNS_ANSWERS, "192.0.2.2", 9);
    field_is(&legs, F_LEG_DNS_ANSWERS,
             "DNS answers                             192.0.2.1\n"
             "                                        192.0.2.2\n");
    end();
}

static void test_one_leg(void) {
    begin();
    const struct legs legs = {.client = client};
    obj_set_codes(client, F_LEG_OFFER_GROUPS, (const uint16_t[]){29, 23, 24}, 3);
    field_is(&legs, F_LEG_OFFER_GROUPS, "groups            x25519, secp256r1, secp384r1\n");
    obj_set_str(client, F_LEG_SERVER_NAME, "a.test");
    field_is(&legs, F_LEG_SERVER_NAME, "SNI               a.test\n");
    obj_touch(client, F_LEG_OFFER_ALPN);
    field_is(&legs, F_LEG_OFFER_ALPN, "ALPN offered      (empty)\n");
    struct obj *verification = obj_sub(client, F_LEG_VERIFICATION);
    obj_add_str(verification, F_VERIFICATION_PATH, "CN=a, O=b", 9);
    obj_add_str(verification, F_VERIFICATION_PATH, "CN=c", 4);
    field_is(&(struct legs){.server = verification}, F_VERIFICATION_PATH,
             "path              CN=a, O=b\n"
             "                  CN=c\n");
    legs_row(&page, &legs, "peer", "here", "nowhere");
    CU_ASSERT(out.len == 23 && memcmp(buf_data(&out), "peer              here\n", 23) == 0);
    buf_cleanup(&out);
    end();
}

const struct unit_case unit_cases[] = {
    {"values", test_values},
    {"where there is nothing to compare", test_nothing_to_compare},
    {"lists", test_lists},
    {"one leg", test_one_leg},
    {NULL, NULL},
};
