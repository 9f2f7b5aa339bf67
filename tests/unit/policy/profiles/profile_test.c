#include "policy/profiles/profile.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct profile *parse(const char *text, struct err *err) {
    *err = (struct err){0};
    return profile_parse("box.json", text, strlen(text), err);
}

static void test_client_names(void) {
    CU_ASSERT_STRING_EQUAL(profile_client_name(PROFILE_CLIENT_CURL), "curl");
    CU_ASSERT_STRING_EQUAL(profile_client_name(PROFILE_NUM_CLIENTS - 1), "go");
}

static void test_every_knob(void) {
    static const char text[] =
        "{\"name\": \"box\", \"number\": 7, \"line\": \"l\", \"story\": \"s\", \"date\": "
        "\"2016-12\","
        " \"sources\": [\"a\", \"b\"], \"confidence\": \"measured\","
        " \"symptoms\": {\"go\": \"EOF\"}, \"approximations\": [\"x\"], \"learned\": [\"k\"],"
        " \"not_learned\": [\"l\", \"m\"],"
        " \"mode\": \"tunnel\", \"order\": \"server_first\","
        " \"client_leg\": {\"min_version\": \"1.0\", \"max_version\": \"1.2\","
        "   \"ciphers\": [\"TLS_RSA_WITH_RC4_128_MD5\", \"0x00ff\"], \"groups\": [\"0x11ec\"],"
        "   \"signature_algorithms\": [\"0x0401\"], \"alpn\": \"fixed\","
        "   \"alpn_protocols\": [\"http/1.1\"], \"session_tickets\": \"bad\","
        "   \"force_hello_retry_request\": true, \"sentinel\": \"copy_upstream\","
        "   \"echo_session_id\": true, \"record_max\": 100, \"flight_split\": 5,"
        "   \"flight_delay_ms\": 6, \"change_cipher_spec\": \"omit\", \"staple\": \"stale\","
        "   \"client_certificate\": \"require\"},"
        " \"server_leg\": {\"sni\": \"replace\", \"sni_name\": \"x.test\", \"hello\": \"edit\","
        "   \"edit\": {\"strip_extensions\": [\"supported_versions\"], \"drop_grease\": true},"
        "   \"verify\": {\"dates\": false, \"revocation\": \"hard\"},"
        "   \"on_invalid\": \"alert\", \"on_invalid_alert\": 46},"
        " \"cert\": {\"key\": \"rsa1024\", \"key_reuse\": \"shipped\", \"digest\": \"md5\","
        "   \"subject\": \"host\", \"subject_add\": [\"OU=A\", \"OU=A\"], \"san\": \"wildcard\","
        "   \"serial\": \"fixed\", \"serial_fixed\": \"0xfedcba9876543210\","
        "   \"not_before\": \"-90m\", \"not_after\": \"copy\", \"key_usage\": \"none\","
        "   \"ext_key_usage\": \"wrong\", \"basic_constraints\": \"ca\","
        "   \"authority_key_id\": false, \"crl\": \"own\", \"crl_url\": \"http://c.test/\","
        "   \"copy_scts\": true, \"issuer\": \"untrusted\", \"chain\": \"doubled\","
        "   \"ca\": {\"subject\": [\"CN=A\"], \"untrusted_subject\": [\"CN=B\"],"
        "     \"key\": \"rsa2048\", \"basic_constraints_critical\": false,"
        "     \"path_len\": \"zero\", \"permitted_dns\": [\"example.test\"]},"
        "   \"cache\": {\"key\": \"hash32\", \"hash_bits\": 8, \"ttl_seconds\": 60}},"
        " \"reactions\": [{\"at\": \"answer\", \"action\": \"drop_after\", \"bytes\": 3,"
        "   \"side\": \"server\", \"residual_seconds\": 9, \"when\": {\"sni\": [\"*.test\"],"
        "   \"has_sni\": true, \"grease\": false, \"versions\": [\"TLS 1.3\"],"
        "   \"hello_over\": 1400, \"segments_over\": 1, \"extensions\": [\"0xfe0d\"],"
        "   \"nth\": 2, \"probability\": 0.25}}]}";
    struct err err;
    struct profile *p = parse(text, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_STRING_EQUAL(p->symptoms[PROFILE_CLIENT_GO], "EOF");
    CU_ASSERT_EQUAL(p->confidence, PROFILE_MEASURED);
    CU_ASSERT_EQUAL(p->learned.num, 1);
    CU_ASSERT_STRING_EQUAL(p->not_learned.items[1], "m");
    CU_ASSERT_EQUAL(p->mode, PROFILE_TUNNEL);
    CU_ASSERT_EQUAL(p->order, PROFILE_SERVER_FIRST);
    CU_ASSERT_EQUAL(p->client_leg.min_version, 0x0301);
    CU_ASSERT_EQUAL(p->client_leg.max_version, 0x0303);
    CU_ASSERT_EQUAL(p->client_leg.ciphers.num, 2);
    CU_ASSERT_EQUAL(p->client_leg.ciphers.ids[0], 0x0004);
    CU_ASSERT_EQUAL(p->client_leg.ciphers.ids[1], 0x00ff);
    CU_ASSERT_EQUAL(p->client_leg.groups.ids[0], 0x11ec);
    CU_ASSERT_EQUAL(p->client_leg.tickets, PROFILE_TICKETS_BAD);
    CU_ASSERT_EQUAL(p->client_leg.sentinel, PROFILE_SENTINEL_COPY_UPSTREAM);
    CU_ASSERT_TRUE(p->client_leg.force_hrr && p->client_leg.echo_session_id);
    CU_ASSERT_EQUAL(p->client_leg.ccs, PROFILE_CCS_OMIT);
    CU_ASSERT_EQUAL(p->server_leg.hello, PROFILE_HELLO_EDIT);
    CU_ASSERT_EQUAL(p->server_leg.edit.strip_extensions.ids[0], 0x002b);
    CU_ASSERT_TRUE(p->server_leg.verify.no_dates);
    CU_ASSERT_FALSE(p->server_leg.verify.no_chain);
    CU_ASSERT_EQUAL(p->server_leg.verify.revocation, PROFILE_REVOCATION_HARD);
    CU_ASSERT_EQUAL(p->server_leg.on_invalid_alert, 46);
    CU_ASSERT_EQUAL(p->cert.serial_fixed, 0xfedcba9876543210);
    CU_ASSERT_EQUAL(p->cert.not_before.from, CERT_KNOB_DATE_NOW);
    CU_ASSERT_EQUAL(p->cert.not_before.seconds, -90 * 60);
    CU_ASSERT_EQUAL(p->cert.not_after.from, CERT_KNOB_DATE_COPY);
    CU_ASSERT_TRUE(p->cert.no_aki && !p->cert.no_ski);
    CU_ASSERT_TRUE(p->cert.ca.constraints_not_critical);
    CU_ASSERT_EQUAL(p->cert.ca.path_len, CA_KNOB_PATH_LEN_ZERO);
    CU_ASSERT_EQUAL(p->num_reactions, 1);
    const struct profile_reaction *reaction = &p->reactions[0];
    CU_ASSERT_EQUAL(reaction->at, PROFILE_AT_ANSWER);
    CU_ASSERT_EQUAL(reaction->action, PROFILE_DROP_AFTER);
    CU_ASSERT_EQUAL(reaction->side, PROFILE_SERVER);
    CU_ASSERT_EQUAL(reaction->when.has_sni, PROFILE_YES);
    CU_ASSERT_EQUAL(reaction->when.grease, PROFILE_NO);
    CU_ASSERT_EQUAL(reaction->when.resumption, PROFILE_ANY);
    CU_ASSERT_EQUAL(reaction->when.versions.ids[0], 0x0304);
    CU_ASSERT_DOUBLE_EQUAL(reaction->when.probability, 0.25, 1e-9);

    struct buf out, again;
    buf_init(&out, PROFILE_MAX_LEN);
    buf_init(&again, PROFILE_MAX_LEN);
    CU_ASSERT_TRUE(profile_print(&out, p));
    struct profile *q = profile_parse("again", (const char *)buf_data(&out), out.len, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(q);
    CU_ASSERT_TRUE(profile_print(&again, q));
    CU_ASSERT_TRUE(out.len == again.len && memcmp(buf_data(&out), buf_data(&again), out.len) == 0);
    buf_cleanup(&out);
    buf_cleanup(&again);
    profile_unref(q);
    profile_unref(p);
}

// One mistake a row, and how the message that it must give goes on after "box.json: ".
#define HEX16 "0123456789abcdef"
#define TEMPLATE(more) "\"hello\": \"template\", \"template\": {\"ciphers\": [\"0x2f\"], " more "}"
#define HEX64 HEX16 HEX16 HEX16 HEX16

static const struct {
    const char *text, *says;
} BAD[] = {
    // clang-format off
    {"", "line 1, column 0"},
    {"[]", "expected an object"},
    {"{}", "name: expected small letters"},
    {"{\"name\": \"Box\"}", "name: expected small letters"},
    {"{\"name\": \"a\", \"name\": \"a\"}", "line 1"},
    {"{\"name\": \"a\", \"modes\": \"tunnel\"}", "modes: unknown key of a profile; did you mean \"mode\"?"},
    {"{\"name\": \"a\", \"zzz\": 1}", "zzz: unknown key of a profile; 'tlsblame profiles keys'"},
    {"{\"name\": \"a\", \"mode\": \"tunel\"}", "mode: expected \"intercept\" or \"tunnel\", found \"tunel\"; did you mean \"tunnel\"?"},
    {"{\"name\": \"a\", \"mode\": 1}", "mode: expected \"intercept\" or \"tunnel\", found 1"},
    {"{\"name\": \"a\", \"number\": -1}", "number: expected a number from 0 to 999, found -1"},
    {"{\"name\": \"a\", \"sources\": [\"\"]}", "sources[0]: expected a string that is not empty"},
    {"{\"name\": \"a\", \"sources\": \"x\"}", "sources: expected a list, each item a string"},
    {"{\"name\": \"a\", \"symptoms\": {\"crul\": \"x\"}}", "symptoms.crul: expected one of curl"},
    {"{\"name\": \"a\", \"client_leg\": []}", "client_leg: expected an object, found an empty list"},
    {"{\"name\": \"a\", \"client_leg\": {\"ciphers\": [\"0x2f\", \"RC5\"]}}", "client_leg.ciphers[1]: expected a cipher suite"},
    {"{\"name\": \"a\", \"client_leg\": {\"min_version\": \"1.3\", \"max_version\": \"1.2\"}}", "client_leg.min_version: expected \"min_version\" to be at most"},
    {"{\"name\": \"a\", \"client_leg\": {\"min_version\": \"1.4\"}}", "client_leg.min_version: expected \"any\""},
    {"{\"name\": \"a\", \"client_leg\": {\"alpn\": \"fixed\"}}", "client_leg.alpn_protocols: expected at least one"},
    {"{\"name\": \"a\", \"client_leg\": {\"alpn_protocols\": [\"h2\"]}}", "client_leg.alpn_protocols: is only for"},
    {"{\"name\": \"a\", \"client_leg\": {\"flight_delay_ms\": 3}}", "client_leg.flight_delay_ms: needs a \"flight_split\""},
    {"{\"name\": \"a\", \"client_leg\": {\"echo_session_id\": true}}", "client_leg.echo_session_id: needs a \"max_version\""},
    {"{\"name\": \"a\", \"server_leg\": {\"sni\": \"replace\"}}", "server_leg.sni_name: is needed for"},
    {"{\"name\": \"a\", \"server_leg\": {\"hello\": \"template\"}}", "server_leg.template: is needed for"},
    {"{\"name\": \"a\", \"server_leg\": {" TEMPLATE("\"version\": \"1.3\"") "}}", "server_leg.template.version: expected at most \"1.2\""},
    {"{\"name\": \"a\", \"server_leg\": {" TEMPLATE("\"groups\": [\"x25519\"]") "}}", "server_leg.template.groups: its extension is not among"},
    {"{\"name\": \"a\", \"server_leg\": {" TEMPLATE("\"point_formats\": [\"uncompressed\"]") "}}", "server_leg.template.point_formats: its extension"},
    {"{\"name\": \"a\", \"server_leg\": {" TEMPLATE("\"extensions\": [\"supported_groups\"]") "}}", "server_leg.template.groups: is needed"},
    {"{\"name\": \"a\", \"server_leg\": {" TEMPLATE("\"extensions\": [\"supported_versions\"]") "}}", "server_leg.template.versions: is needed"},
    {"{\"name\": \"a\", \"server_leg\": {" TEMPLATE("\"extensions\": [\"pre_shared_key\"]") "}}", "server_leg.template.extensions: pre_shared_key"},
    {"{\"name\": \"a\", \"server_leg\": {" TEMPLATE("\"extensions\": [\"key_share\"], \"key_shares\": [\"x448\"]") "}}", "server_leg.template.key_shares: expected x25519"},
    {"{\"name\": \"a\", \"server_leg\": {\"edit\": {\"sni\": \"x\"}}}", "server_leg.edit: is only for"},
    {"{\"name\": \"a\", \"server_leg\": {\"hello\": \"edit\", \"edit\": {\"sni\": \"x\"}}}", "server_leg.hello: \"edit\" needs the \"mode\""},
    {"{\"name\": \"a\", \"server_leg\": {\"on_invalid\": \"alert\"}}", "server_leg.on_invalid_alert: is needed"},
    {"{\"name\": \"a\", \"server_leg\": {\"on_invalid\": \"alert\", \"on_invalid_alert\": 0}}", "server_leg.on_invalid_alert: expected an alert"},
    {"{\"name\": \"a\", \"server_leg\": {\"verify\": {\"pins\": [\"ab\"]}}}", "server_leg.verify.pins[0]: expected a SHA-256"},
    {"{\"name\": \"a\", \"server_leg\": {\"verify\": {\"aia\": true}}}", "server_leg.verify.aia: is not to be had"},
    {"{\"name\": \"a\", \"server_leg\": {\"verify\": {\"pins\": [\"" HEX64 "\"]}}}", "server_leg.verify.pins: needs an \"on_invalid\""},
    {"{\"name\": \"a\", \"server_leg\": {\"verify\": {\"revocation\": \"hard\"}}}", "server_leg.verify.revocation: \"hard\" needs"},
    {"{\"name\": \"a\", \"order\": \"client_first\"}", "order: \"client_first\" is not to be had"},
    {"{\"name\": \"a\", \"order\": \"server_first\", \"reactions\": [{\"action\": \"plain_http\"}]}", "order: \"server_first\" leaves no room"},
    {"{\"name\": \"a\", \"server_leg\": {\"verify\": {\"chain\": \"no\"}}}", "server_leg.verify.chain: expected true or false"},
    {"{\"name\": \"a\", \"cert\": {\"not_after\": \"tomorrow\"}}", "cert.not_after: expected \"auto\", \"copy\""},
    {"{\"name\": \"a\", \"cert\": {\"not_after\": \"+999999d\"}}", "cert.not_after: expected"},
    {"{\"name\": \"a\", \"cert\": {\"serial_fixed\": \"12345678901234567\"}}", "cert.serial_fixed: expected a number in hexadecimal"},
    {"{\"name\": \"a\", \"cert\": {\"extension_order\": [\"sans\"]}}", "cert.extension_order[0]: expected \"basic_constraints\""},
    {"{\"name\": \"../a\"}", "name: expected small letters"},
    {"{\"name\": \"a\", \"cert\": {\"digest\": \"sha1\"}}", "cert.digest: \"sha1\", \"md5\" and \"sha512\" need a \"ca\""},
    {"{\"name\": \"a\", \"cert\": {\"key_usage\": \"wrong\"}}", "cert.key_usage: \"wrong\" needs a \"key\" that is RSA"},
    {"{\"name\": \"a\", \"cert\": {\"chain\": \"intermediate\"}}", "cert.chain: \"intermediate\" needs"},
    {"{\"name\": \"a\", \"cert\": {\"crl\": \"own\"}}", "cert.crl_url: is needed for"},
    {"{\"name\": \"a\", \"cert\": {\"ca\": {\"key\": \"p256\"}}}", "cert.ca.subject: is needed"},
    {"{\"name\": \"a\", \"cert\": {\"ca\": {\"subject\": [\"X=1\"]}}}", "cert.ca.subject[0]: expected an attribute"},
    {"{\"name\": \"a\", \"cert\": {\"ca\": {\"subject\": [\"CN=1\"], \"digest\": \"md5\"}}}", "cert.ca.digest: \"sha1\""},
    {"{\"name\": \"a\", \"cert\": {\"cache\": {\"hash_bits\": 3}}}", "cert.cache: \"hash_bits\" is only for"},
    {"{\"name\": \"a\", \"reactions\": [{\"action\": \"rst\"}, {\"action\": \"alert\"}]}", "reactions[1].alert: is needed for the action \"alert\""},
    {"{\"name\": \"a\", \"reactions\": [{\"action\": \"rst\", \"ms\": 3}]}", "reactions[0].ms: has no meaning with the action \"rst\""},
    {"{\"name\": \"a\", \"reactions\": [{\"action\": \"plain_http\", \"at\": \"answer\"}]}", "reactions[0].at: that action can only"},
    {"{\"name\": \"a\", \"reactions\": [{\"when\": {\"sni\": [\"A.test\"]}}]}", "reactions[0].when.sni[0]: expected a name or glob such as \"*.example.test\", found \"A.test\"; it is compared in lower case"},
    {"{\"name\": \"a\", \"reactions\": [{\"when\": {\"probability\": 1.5}}]}", "reactions[0].when.probability: expected a number from 0 to 1"},
    {"{\"name\": \"a\", \"reactions\": [{\"when\": {\"groups\": [17]}}]}", "reactions[0].when.groups[0]: expected a group"},
    // clang-format on
};

static void test_bad_values(void) {
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct err err;
        struct profile *profile = parse(BAD[i].text, &err);
        bool says = strncmp(err.msg, "box.json: ", 10) == 0 &&
                    strncmp(err.msg + 10, BAD[i].says, strlen(BAD[i].says)) == 0;
        if (profile != NULL || !says) {
            printf("\n%s\n  said: %s\n", BAD[i].text, err.msg);
        }
        CU_ASSERT_TRUE(profile == NULL && says);
        profile_unref(profile);
    }
}

static void test_ceilings(void) {
    struct buf text;
    struct err err;
    buf_init(&text, 2 * PROFILE_MAX_LEN);
    CU_ASSERT_TRUE(buf_printf(&text, "{\"name\": \"a\", \"reactions\": ["));
    for (int i = 0; i < PROFILE_MAX_REACTIONS + 1; i++) {
        CU_ASSERT_TRUE(buf_printf(&text, "%s{}", i == 0 ? "" : ","));
    }
    CU_ASSERT_TRUE(buf_printf(&text, "]}"));
    CU_ASSERT_PTR_NULL(profile_parse("x", (const char *)buf_data(&text), text.len, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "at most 64"));
    CU_ASSERT_TRUE(buf_printf(&text, "%*s", PROFILE_MAX_LEN, ""));
    CU_ASSERT_PTR_NULL(profile_parse("x", (const char *)buf_data(&text), text.len, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "expected at most 262144 bytes"));
    buf_cleanup(&text);
}

const struct unit_case unit_cases[] = {
    {"client names", test_client_names},
    {"every knob", test_every_knob},
    {"bad values", test_bad_values},
    {"ceilings", test_ceilings},
    {NULL, NULL},
};
