// Playbooks: planted boxes, of which each lets through what it likes.
#include "proxy/probe/ddmin.h"

#include <stdio.h>
#include <string.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"

enum { CONNECTIONS_ALLOWED = 40, KIND_RESET = 7, KIND_ALERT = 8 };

// What a box may look at.
enum look {
    NOTHING,
    CIPHER,
    EXTENSION,
    NO_EXTENSION,
    GROUP,
    SIGALG,
    ALPN,
    VERSION,
    SHARE,
    NAME,
    LONGER,
    ORDER, // ALPN stands behind key_share
    RECORDS,
    SEGMENTS,
    RECORD_VERSION,
    SESSION_ID,
    GREASE,
};

struct trigger {
    enum look look;
    uint32_t code;
    const char *says; // part of the result's sentence
};

struct hello_seen {
    struct hello_draft *draft;
    struct client_hello parsed;
    struct hello_segments segments;
    size_t len, num_records;
};

static bool has_share(const struct client_hello *hello, uint32_t group) {
    CBS shares = hello->key_shares;
    struct key_share share;
    while (key_share_next(&shares, &share)) {
        if (share.group == group) {
            return true;
        }
    }
    return false;
}

static bool triggers(const struct trigger *trigger, const struct hello_seen *seen) {
    const struct client_hello *hello = &seen->parsed;
    uint32_t code = trigger->code;
    switch (trigger->look) {
    case NOTHING:
        return true;
    case CIPHER:
        return code_list_has(&hello->ciphers, code);
    case EXTENSION:
        return hello_edit_find(seen->draft, (uint16_t)code) != NULL;
    case NO_EXTENSION:
        return hello_edit_find(seen->draft, (uint16_t)code) == NULL;
    case GROUP:
        return code_list_has(&hello->groups, code);
    case SIGALG:
        return code_list_has(&hello->sigalgs, code);
    case ALPN:
        return hello->num_alpn != 0 &&
               memmem(CBS_data(&hello->alpn), CBS_len(&hello->alpn), "\x02h2", 3) != NULL;
    case VERSION:
        return code_list_has(&hello->versions, code);
    case SHARE:
        return has_share(hello, code);
    case NAME:
        return CBS_mem_equal(&hello->sni, (const uint8_t *)"blocked.example", 15);
    case LONGER:
        return seen->len > code;
    case ORDER:
        return hello_edit_position(seen->draft, EXT_ALPN) < seen->draft->num_extensions &&
               hello_edit_position(seen->draft, EXT_ALPN) >
                   hello_edit_position(seen->draft, EXT_KEY_SHARE);
    case RECORDS:
        return seen->num_records > 1;
    case SEGMENTS:
        return seen->segments.num > 1;
    case RECORD_VERSION:
        return seen->draft->record_version == code;
    case SESSION_ID:
        return CBS_len(&hello->session_id) != 0;
    case GREASE:
        return (hello->grease & code) != 0;
    }
    return false;
}

// A server refuses an offer of TLS 1.3 that lacks something (RFC 8446, section 9.2), and one
// without a suite that it likes.
static bool server_takes(const struct client_hello *hello) {
    bool tls13 = code_list_has(&hello->versions, 0x0304);
    if (tls13 &&
        (hello->num_key_shares == 0 || hello->groups.num == 0 || hello->sigalgs.num == 0)) {
        return false;
    }
    return (tls13 && code_list_has(&hello->ciphers, 0x1301)) ||
           code_list_has(&hello->ciphers, 0xc02f) || code_list_has(&hello->ciphers, 0xc013);
}

struct box {
    struct trigger triggers[2];
    const char *passing, *failing;
    unsigned percent; // how often it acts; 0: always
};

static uint64_t seed;

static unsigned chance(void) {
    uint8_t byte[2];
    hellos_random(&seed, byte, 2);
    return (unsigned)(byte[0] << 8 | byte[1]) % 100;
}

// box_try lets a hello meet the box, and the server behind it.
static void box_try(const struct box *box, struct hello_draft *draft, bool *passed,
                    uint32_t *kind) {
    struct hello_seen seen = {.draft = draft};
    struct buf message, wire;
    struct err err;
    buf_init(&message, HELLO_DRAFT_MAX);
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    CU_ASSERT_FATAL(hello_draft_message(draft, &message, &err));
    CU_ASSERT_FATAL(hello_draft_wire(draft, &wire, &seen.segments, &err));
    seen.len = message.len;
    seen.num_records = (wire.len - message.len) / 5;
    CU_ASSERT(client_hello_parse(&seen.parsed, NULL, buf_data(&message), message.len));
    bool acts = triggers(&box->triggers[0], &seen) && triggers(&box->triggers[1], &seen);
    acts = acts && (box->percent == 0 || chance() < box->percent);
    *passed = !acts && server_takes(&seen.parsed);
    *kind = acts ? KIND_RESET : KIND_ALERT;
    buf_cleanup(&message);
    buf_cleanup(&wire);
}

static char said[1024];

static struct ddmin_result play(const struct box *box, struct hello_draft *passing,
                                struct hello_draft *failing) {
    struct ddmin *dd = ddmin_new(passing, failing, CONNECTIONS_ALLOWED - 1);
    struct hello_draft hello;
    struct buf text;
    hello_draft_init(&hello);
    buf_init(&text, sizeof(said) - 1);
    while (ddmin_next(dd, &hello)) {
        bool passed;
        uint32_t kind;
        box_try(box, &hello, &passed, &kind);
        ddmin_tell(dd, passed, kind);
    }
    CU_ASSERT(ddmin_says(dd, &text));
    memcpy(said, buf_data(&text), text.len);
    said[text.len] = '\0';
    buf_cleanup(&text);
    struct ddmin_result result = *ddmin_result(dd);
    ddmin_free(dd);
    hello_draft_cleanup(&hello);
    return result;
}

static struct hello_draft passing, failing;

static void make(struct hello_draft *draft, const char *shape, const char *host) {
    struct hello_keys *keys = hello_keys_new(hellos_random, &seed);
    hello_draft_init(draft);
    hello_shape_make(draft, hello_shape_find(shape), host, keys);
    hello_keys_free(keys);
}

static void begin(const struct box *box) {
    seed = 4711;
    make(&passing, box->passing, "free.example");
    make(&failing, box->failing, "blocked.example");
    for (size_t i = 0; i < 2; i++) {
        if (box->triggers[i].look == RECORDS) {
            hello_edit_cut_record(&failing, 40);
        } else if (box->triggers[i].look == SEGMENTS) {
            hello_edit_cut_segment(&failing, HELLO_CUT_IN_SNI, 20);
        } else if (box->triggers[i].look == RECORD_VERSION) {
            failing.record_version = 0x0303;
        } else if (box->triggers[i].look == ORDER) {
            hello_edit_move(&failing, hello_edit_position(&failing, EXT_ALPN),
                            failing.num_extensions - 1);
        }
    }
}

static void end(void) {
    hello_draft_cleanup(&passing);
    hello_draft_cleanup(&failing);
}

#define HYBRID HELLO_GROUP_X25519MLKEM768

// clang-format off
static const struct box boxes[] = {
    // One factor.
    {{{CIPHER, 0x009f, "the suite TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"}}, "tls12", "curl", 0},
    {{{CIPHER, 0x1303, "the suite TLS_CHACHA20_POLY1305_SHA256"}}, "tls12", "chromium", 0},
    {{{CIPHER, 0x00ff, "the suite TLS_EMPTY_RENEGOTIATION_INFO_SCSV"}}, "chromium", "curl", 0},
    {{{EXTENSION, EXT_COMPRESS_CERTIFICATE, "the extension compress_certificate"}}, "tls13", "chromium", 0},
    {{{EXTENSION, EXT_ECH, "the extension encrypted_client_hello"}}, "curl", "firefox", 0},
    {{{EXTENSION, EXT_ENCRYPT_THEN_MAC, "the extension encrypt_then_mac"}}, "chromium", "curl", 0},
    {{{EXTENSION, EXT_STATUS_REQUEST_V2, "the extension status_request_v2"}}, "tls12", "java", 0},
    {{{EXTENSION, EXT_KEY_SHARE, "the extension key_share"}}, "tls12", "firefox", 0},
    {{{EXTENSION, EXT_SESSION_TICKET, "the extension session_ticket"}}, "go", "openssl", 0},
    {{{NO_EXTENSION, EXT_ALPN, "no extension application_layer_protocol_negotiation"}}, "curl", "openssl", 0},
    {{{NO_EXTENSION, EXT_PADDING, "no extension padding"}}, "curl", "node", 0},
    {{{GROUP, HYBRID, "the group X25519MLKEM768"}}, "tls12", "chromium", 0},
    {{{GROUP, 0x0100, "the group ffdhe2048"}}, "tls13", "gnutls", 0},
    {{{SIGALG, 0x0203, "the signature algorithm ecdsa_sha1"}}, "chromium", "go", 0},
    {{{SIGALG, 0x0807, "the signature algorithm ed25519"}}, "tls12", "gnutls", 0},
    {{{ALPN, 0, "the ALPN protocol h2"}}, "openssl", "curl", 0},
    {{{VERSION, 0x0304, "the version TLS 1.3"}}, "tls12", "curl", 0},
    {{{VERSION, 0x0301, "the version TLS 1.0"}}, "go", "openssl", 0},
    {{{SHARE, HYBRID, "the key share of X25519MLKEM768"}}, "tls13", "firefox", 0},
    {{{SHARE, 23, "the key share of secp256r1"}}, "openssl", "firefox", 0},
    {{{NAME, 0, "the server name blocked.example"}}, "curl", "curl", 0},
    {{{NAME, 0, "the server name blocked.example"}}, "tls12", "chromium", 0},
    {{{ORDER, 0, "that order of extensions"}}, "curl", "curl", 0},
    {{{RECORDS, 0, "its split over 2 records"}}, "tls12", "chromium", 0},
    {{{SEGMENTS, 0, "its split over 2 segments"}}, "go", "go", 0},
    {{{RECORD_VERSION, 0x0303, "the record version 0x0303"}}, "gnutls", "go", 0},
    {{{SESSION_ID, 0, "a session id of 32 bytes"}}, "tls12", "openssl", 0},
    {{{GREASE, GREASE_CIPHER, "the suite GREASE"}}, "go", "chromium", 0},
    {{{GREASE, GREASE_GROUP, "the group GREASE"}}, "firefox", "chromium", 0},
    {{{GREASE, GREASE_EXTENSION, "the extension GREASE"}}, "firefox", "chromium", 0},
    // Two together.
    {{{NAME, 0, "the server name blocked.example"}, {EXTENSION, EXT_ECH, "the extension encrypted_client_hello"}}, "curl", "chromium", 0},
    {{{NAME, 0, "the server name blocked.example"}, {SEGMENTS, 0, "its split over 2 segments"}}, "tls12", "firefox", 0},
    {{{VERSION, 0x0304, "the version TLS 1.3"}, {CIPHER, 0x1303, "the suite TLS_CHACHA20_POLY1305_SHA256"}}, "tls12", "go", 0},
    {{{EXTENSION, EXT_COMPRESS_CERTIFICATE, "the extension compress_certificate"}, {SHARE, HYBRID, "the key share of X25519MLKEM768"}}, "tls13", "chromium", 0},
    {{{CIPHER, 0xc0ad, "the suite TLS_ECDHE_ECDSA_WITH_AES_256_CCM"}, {NAME, 0, "the server name blocked.example"}}, "tls12", "gnutls", 0},
    {{{GROUP, 25, "the group secp521r1"}, {SIGALG, 0x0203, "the signature algorithm ecdsa_sha1"}}, "tls13", "firefox", 0},
    {{{NO_EXTENSION, EXT_EXTENDED_MASTER_SECRET, "no extension extended_main_secret"}, {NAME, 0, "the server name blocked.example"}}, "curl", "go", 0},
    {{{RECORDS, 0, "its split over 2 records"}, {ALPN, 0, "the ALPN protocol h2"}}, "openssl", "go", 0},
    {{{GREASE, GREASE_EXTENSION, "the extension GREASE"}, {CIPHER, 0x0035, "the suite TLS_RSA_WITH_AES_256_CBC_SHA"}}, "tls13", "chromium", 0},
    {{{EXTENSION, EXT_RECORD_SIZE_LIMIT, "the extension record_size_limit"}, {VERSION, 0x0304, "version"}}, "tls12", "firefox", 0},
};
// clang-format on

static size_t most; // connections that a box took

static void check_box(const struct box *box) {
    begin(box);
    struct ddmin_result result = play(box, &passing, &failing);
    size_t expected = box->triggers[1].look == NOTHING ? 1 : 2;
    bool only = box->triggers[0].code != EXT_KEY_SHARE; // without it there is no TLS 1.3
    bool right = result.end == DDMIN_FOUND && result.num_needed == expected &&
                 result.only == only && !result.otherwise &&
                 result.num_connections < CONNECTIONS_ALLOWED;
    most = result.num_connections > most ? result.num_connections : most;
    for (size_t i = 0; i < expected; i++) {
        right = right && strstr(said, box->triggers[i].says) != NULL;
    }
    if (!right) {
        printf("\n    %s, %s, wants %s: %zu connections: %s\n", box->passing, box->failing,
               box->triggers[0].says, result.num_connections, said);
    }
    CU_ASSERT(right);
    end();
}

static void test_planted(void) {
    for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
        check_box(&boxes[i]);
    }
    printf("at most %zu connections ... ", most);
}

// Whether a trigger alone tells the failing hello from the passing one.
static bool tells_apart(const struct trigger *trigger) {
    const struct box box = {.triggers = {*trigger}};
    bool passed, failed;
    uint32_t kind;
    box_try(&box, &passing, &passed, &kind);
    box_try(&box, &failing, &failed, &kind);
    return passed && !failed;
}

// Two triggers of which none is a part of the other. An order of what only one hello has is not one
// factor, and TLS 1.3 without a key share cannot be tried.
static bool are_two(const struct trigger *a, const struct trigger *b) {
    bool share = a->look == EXTENSION && a->code == EXT_KEY_SHARE;
    return a->look != b->look && a->look != ORDER && b->look != ORDER &&
           !(share && (b->look == SHARE || b->look == VERSION));
}

// Two triggers of the table that can be planted between the same hellos: a third of all such pairs,
// for the time it takes.
static void test_pairs(void) {
    size_t num = 0, largest = 0;
    for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
        for (size_t k = i + 1 + i % 3; k < ARRAY_LEN(boxes); k += 3) {
            struct box box = {.passing = "tls12", .failing = "chromium"};
            box.triggers[0] = boxes[i].triggers[0];
            box.triggers[1] = boxes[k].triggers[0];
            begin(&box);
            if (are_two(&box.triggers[0], &box.triggers[1]) && tells_apart(&box.triggers[0]) &&
                tells_apart(&box.triggers[1])) {
                struct ddmin_result result = play(&box, &passing, &failing);
                bool right = result.end == DDMIN_FOUND && result.num_needed == 2 &&
                             !result.otherwise && strstr(said, box.triggers[0].says) != NULL &&
                             strstr(said, box.triggers[1].says) != NULL;
                if (!right) {
                    printf("\n    %s, %s: %zu connections: %s\n", box.triggers[0].says,
                           box.triggers[1].says, result.num_connections, said);
                }
                CU_ASSERT(right);
                num++;
                largest = result.num_connections > largest ? result.num_connections : largest;
            }
            end();
        }
    }
    printf("%zu pairs, at most %zu connections ... ", num, largest);
    CU_ASSERT(num > 50);
    CU_ASSERT(largest < CONNECTIONS_ALLOWED);
}

static void play_one(const struct box *box, enum ddmin_end how, const char *says) {
    begin(box);
    struct ddmin_result result = play(box, &passing, &failing);
    if (result.end != how || strstr(said, says) == NULL) {
        printf("\n    %s\n", said);
    }
    CU_ASSERT_EQUAL(result.end, how);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, says));
    CU_ASSERT(result.num_connections < CONNECTIONS_ALLOWED);
    end();
}

static void test_size(void) {
    play_one(&(struct box){{{LONGER, 1400, ""}}, "tls12", "chromium", 0}, DDMIN_SIZE,
             "longer than 1400 bytes, whatever is in it; one of 1401 bytes fails.");
    play_one(&(struct box){{{LONGER, 300, ""}}, "go", "curl", 0}, DDMIN_SIZE,
             "longer than 300 bytes");
    // That the padding is what is not liked is another thing.
    play_one(&(struct box){{{EXTENSION, EXT_PADDING, ""}}, "go", "curl", 0}, DDMIN_FOUND,
             "if and only if the ClientHello has the extension padding.");
}

// Any of several does it: one of them is named, and that it is not alone.
static void test_any(void) {
    play_one(&(struct box){{{GREASE, 0xff, ""}}, "firefox", "chromium", 0}, DDMIN_FOUND,
             "if and only if the ClientHello has the extension GREASE");
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "(or another like it)"));
    play_one(&(struct box){{{EXTENSION, EXT_KEY_SHARE, ""}}, "tls12", "firefox", 0}, DDMIN_FOUND,
             "The handshake fails if the ClientHello has the extension key_share.");
}

// Two causes: the first that is found is named, and that there is another.
static bool either_tries(struct hello_draft *draft) {
    return hello_edit_find(draft, EXT_RECORD_SIZE_LIMIT) == NULL &&
           hello_edit_find(draft, EXT_DELEGATED_CREDENTIAL) == NULL;
}

static void script(bool (*passes)(struct hello_draft *draft), const char *says,
                   enum ddmin_end how) {
    struct ddmin *dd = ddmin_new(&passing, &failing, 40);
    struct hello_draft hello;
    struct buf text;
    hello_draft_init(&hello);
    buf_init(&text, sizeof(said));
    while (ddmin_next(dd, &hello)) {
        ddmin_tell(dd, passes(&hello), 1);
    }
    CU_ASSERT_EQUAL(ddmin_result(dd)->end, how);
    CU_ASSERT(ddmin_says(dd, &text));
    if (text.len != strlen(says)) {
        printf("\n    %.*s\n", (int)text.len, (const char *)buf_data(&text));
    }
    CU_ASSERT(text.len == strlen(says) && memcmp(buf_data(&text), says, text.len) == 0);
    buf_cleanup(&text);
    hello_draft_cleanup(&hello);
    ddmin_free(dd);
}

static void test_either(void) {
    begin(&(struct box){.passing = "tls13", .failing = "firefox"});
    script(either_tries,
           "The handshake fails if the ClientHello has the extension record_size_limit; something "
           "else makes it fail, too.",
           DDMIN_FOUND);
    end();
}

// A server that fails for a group, but only where TLS 1.3 is spoken: what carries it is told apart.
static bool group_intolerant_server(struct hello_draft *draft, uint32_t *kind) {
    struct hello_seen seen = {.draft = draft};
    struct buf message;
    buf_init(&message, HELLO_DRAFT_MAX);
    CHECK(hello_draft_message(draft, &message, NULL));
    CU_ASSERT(client_hello_parse(&seen.parsed, NULL, buf_data(&message), message.len));
    bool takes = server_takes(&seen.parsed);
    bool fails = code_list_has(&seen.parsed.versions, 0x0304) && has_share(&seen.parsed, HYBRID);
    *kind = takes ? KIND_RESET : KIND_ALERT;
    buf_cleanup(&message);
    return takes && !fails;
}

static void test_context(void) {
    begin(&(struct box){.passing = "tls12", .failing = "firefox"});
    struct ddmin *dd = ddmin_new(&passing, &failing, 40);
    struct hello_draft hello;
    struct buf text;
    hello_draft_init(&hello);
    buf_init(&text, sizeof(said) - 1);
    while (ddmin_next(dd, &hello)) {
        uint32_t kind;
        bool passed = group_intolerant_server(&hello, &kind);
        ddmin_tell(dd, passed, kind);
    }
    CU_ASSERT_EQUAL(ddmin_result(dd)->end, DDMIN_FOUND);
    CU_ASSERT(ddmin_says(dd, &text));
    memcpy(said, buf_data(&text), text.len);
    said[text.len] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "the key share of X25519MLKEM768"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "the version TLS 1.3"));
    CU_ASSERT_PTR_NULL(strstr(said, "else"));
    buf_cleanup(&text);
    hello_draft_cleanup(&hello);
    ddmin_free(dd);
    end();
}

// By chance: never a cause that is not the planted one, and nearly always the chance is seen.
static void test_flaky(void) {
    static const unsigned percents[] = {20, 50, 70, 90};
    const struct box *planted = &boxes[4]; // ECH
    size_t flaky = 0, tried = 0;
    for (size_t i = 0; i < ARRAY_LEN(percents); i++) {
        for (uint64_t run = 0; run < 20; run++, tried++) {
            struct box box = *planted;
            box.percent = percents[i];
            begin(&box);
            seed = 1000 * run + i;
            struct ddmin_result result = play(&box, &passing, &failing);
            flaky += result.end == DDMIN_FLAKY;
            bool right = result.end != DDMIN_FOUND || strstr(said, planted->triggers[0].says);
            if (!right) {
                printf("\n    %u%%: %s\n", percents[i], said);
            }
            CU_ASSERT(right);
            CU_ASSERT(result.num_connections < CONNECTIONS_ALLOWED);
            CU_ASSERT(result.end != DDMIN_FLAKY ||
                      (result.flaky_failed != 0 && result.flaky_failed < result.flaky_tried));
            end();
        }
    }
    printf("%zu of %zu seen ... ", flaky, tried);
    CU_ASSERT(flaky * 10 >= tried * 7);
}

static bool all_pass(struct hello_draft *draft) {
    (void)draft;
    return true;
}

static bool all_fail(struct hello_draft *draft) {
    (void)draft;
    return false;
}

static void test_controls(void) {
    begin(&(struct box){.passing = "tls12", .failing = "curl"});
    script(all_pass, "The handshake that failed does not fail any more.", DDMIN_PASSES);
    script(all_fail, "The handshake fails for the ClientHello that passed, too.", DDMIN_FAILS);
    hello_draft_copy(&failing, &passing);
    script(all_pass, "The two ClientHellos do not differ.", DDMIN_SAME);
    end();
}

static void test_few_connections(void) {
    begin(&boxes[0]);
    struct ddmin *dd = ddmin_new(&passing, &failing, 9);
    struct hello_draft hello;
    hello_draft_init(&hello);
    size_t num = 0;
    for (; ddmin_next(dd, &hello); num++) {
        bool passed;
        uint32_t kind;
        box_try(&boxes[0], &hello, &passed, &kind);
        ddmin_tell(dd, passed, kind);
    }
    CU_ASSERT_EQUAL(num, 9);
    CU_ASSERT_EQUAL(ddmin_result(dd)->end, DDMIN_UNFINISHED);
    hello_draft_cleanup(&hello);
    ddmin_free(dd);
    end();
}

static void test_no_room_to_say(void) {
    struct buf small;
    begin(&(struct box){.passing = "tls12", .failing = "curl"});
    struct ddmin *dd = ddmin_new(&passing, &failing, 0);
    struct hello_draft hello;
    hello_draft_init(&hello);
    CU_ASSERT_FALSE(ddmin_next(dd, &hello));
    buf_init(&small, 10);
    CU_ASSERT_FALSE(ddmin_says(dd, &small));
    buf_cleanup(&small);
    hello_draft_cleanup(&hello);
    ddmin_free(dd);
    ddmin_free(NULL);
    end();
}

const struct unit_case unit_cases[] = {
    {"40 planted boxes", test_planted},
    {"pairs of their triggers", test_pairs},
    {"sizes", test_size},
    {"one of several", test_any},
    {"two causes", test_either},
    {"what carries the cause", test_context},
    {"boxes that act by chance", test_flaky},
    {"hellos that don't do what they did", test_controls},
    {"too few connections", test_few_connections},
    {"no connection, and no room to say so", test_no_room_to_say},
    {NULL, NULL},
};
