#include "proxy/tls/hello_shape.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_list.h"

enum { SESSION_ID_LEN = 32, NAME_MAX_LEN = 255 };

// Session id, GREASE and the order of extensions.
enum {
    SHAPE_SESSION_ID = 1 << 0, // 32 random bytes (RFC 8446, appendix D.4)
    SHAPE_GREASE = 1 << 1,
    SHAPE_PERMUTED = 1 << 2, // in an order that is other each time
    SHAPE_SSLV2 = 1 << 3,
};

// Suites and extensions are hexadecimal, as they stand on the wire. An extension has a body behind
// "=" or one that is made behind "@": server_name; key_share of the groups that follow;
// encrypted_client_hello with a payload of so many bytes and padding to so many bytes of message,
// in hexadecimal.
struct hello_shape_row {
    uint16_t record_version, legacy_version;
    unsigned flags;
    const char *ciphers, *extensions;
};

#define CIPHERS_OPENSSL                                                                            \
    "1302 1303 1301 c02c c030 009f cca9 cca8 ccaa c02b c02f 009e c024 c028 006b c023 c027 0067 "   \
    "c00a c014 0039 c009 c013 0033 009d 009c 003d 003c 0035 002f 00ff"
#define SIGALGS_OPENSSL                                                                            \
    "000d=0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602 "
#define SIGALGS_JAVA                                                                               \
    "002a040305030603080708080804080508060809080a080b0401050106010402030303010302020302010202 "

// clang-format off
static const struct hello_shape_row
    ssl3 = {0x0300, 0x0300, 0, "0035 002f 000a 0005 0004 00ff", ""},
    sslv2 = {0x0301, 0x0301, SHAPE_SSLV2,
             "000039 000035 000033 00002f 000016 00000a 000005 000004 0700c0 010080 0000ff", ""},
    tls10 = {0x0301, 0x0301, 0,
             "c014 c013 0039 0033 0035 002f c012 0016 000a 00ff",
             "0000@ 000b=0100 000a=0006001700180019"},
    tls11 = {0x0301, 0x0302, 0,
             "c014 c013 0039 0033 0035 002f c012 0016 000a 00ff",
             "0000@ 000b=0100 000a=0006001700180019"},
    sparse = {0x0301, 0x0303, 0, "c02b c02f cca9 cca8",
              "0000@ 000b=0100 000a=0004001d0017 000d=0006040308040401"},
    tls12 = {0x0301, 0x0303, 0,
             "c02b c02f c02c c030 cca9 cca8 c00a c014 c009 c013 009c 009d 0035 002f 00ff",
             "0000@ 000b=0100 000a=0008001d001700180019 "
             "000d=001604030503060308040805080604010501060102030201 0017="},
    tls13 = {0x0301, 0x0303, SHAPE_SESSION_ID,
             "1301 1302 1303",
             "0000@ 000a=0006001d00170018 000d=0012040305030603080408050806040105010601 "
             "002b=020304 002d=0101 0033@001d"},
    legacy = {0x0301, 0x0303, 0,
              "009f 009e 006b 0067 0039 0033 0088 0045 009d 009c 003d 003c 0035 002f 0084 0041 "
              "006a 0040 0038 0032 c012 c008 0016 0013 000a c011 c007 0005 0004 0066 0096 0007 "
              "0015 0012 0009 0014 0011 0019 0008 0006 0017 0003 0062 0064 00ff",
              "0000@ 000b=03000102 000a=000e001700180019001d010001010102 0023= "
              "000d=00200403050306030804080508060401050106010203020104020502060202020101"},
    openssl = {0x0301, 0x0303, SHAPE_SESSION_ID, CIPHERS_OPENSSL,
               "0000@ 000b=03000102 000a=0014001d0017001e0019001801000101010201030104 0023= 0016= "
               "0017= " SIGALGS_OPENSSL "002b=080304030303020301 002d=0101 0033@001d"},
    curl = {0x0301, 0x0303, SHAPE_SESSION_ID, CIPHERS_OPENSSL,
            "0000@ 000b=03000102 000a=0014001d0017001e0019001801000101010201030104 "
            "0010=000c02683208687474702f312e31 0016= 0017= 0031= "
            SIGALGS_OPENSSL "002b=080304030303020301 002d=0101 0033@001d 0015@0200"},
    gnutls = {0x0301, 0x0303, SHAPE_SESSION_ID,
              "1302 1303 1301 1304 c02c cca9 c0ad c00a c02b c0ac c009 c030 cca8 c014 c02f c013 "
              "009d c09d 0035 009c c09c 002f 009f ccaa c09f 0039 009e c09e 0033",
              "0005=0100000000 000a=0014001700180019001d001e01000101010201030104 000b=0100 "
              "000d=0020040108090804040308070501080a0805050308080601080b0806060302010203 0016= "
              "0017= 0023= 0033@0017001d 002b=080304030303020301 ff01=00 0000@ 002d=020100 "
              "001c=4001"},
    go = {0x0301, 0x0303, SHAPE_SESSION_ID,
          "c02b c02f c02c c030 cca9 cca8 c009 c013 c00a c014 009c 009d 002f 0035 c012 000a 1301 "
          "1302 1303",
          "0000@ 0005=0100000000 000a=0008001d001700180019 000b=0100 "
          "000d=0018080404030807080508060401050106010503060302010203 ff01=00 "
          "0010=000c02683208687474702f312e31 0012= 002b=0403040303 0033@001d"},
    java = {0x0303, 0x0303, SHAPE_SESSION_ID,
            "1302 1301 1303 c02c c02b cca9 c030 cca8 c02f 009f ccaa 00a3 009e 00a2 c024 c028 c023 "
            "c027 006b 006a 0067 0040 c00a c014 c009 c013 0039 0038 0033 0032 009d 009c 003d 003c "
            "0035 002f 00ff",
            "0000@ 0005=0100000000 000a=0014001d001700180019001e01000101010201030104 000b=0100 "
            "0011=000702000400000000 0017= 0023= 000d=" SIGALGS_JAVA
            "002b=0403040303 002d=0101 0032=" SIGALGS_JAVA "0033@001d0017"},
    node = {0x0301, 0x0303, SHAPE_SESSION_ID,
            "1302 1303 1301 c02f c02b c030 c02c 009e c027 0067 c028 006b 00a3 009f cca9 cca8 ccaa "
            "c0af c0ad c0a3 c09f c05d c061 c057 c053 00a2 c0ae c0ac c0a2 c09e c05c c060 c056 c052 "
            "c024 006a c023 0040 c00a c014 0039 0038 c009 c013 0033 0032 009d c0a1 c09d c051 009c "
            "c0a0 c09c c050 003d 003c 0035 002f 00ff",
            "0000@ 000b=03000102 000a=0014001d0017001e0019001801000101010201030104 0023= 0016= "
            "0017= " SIGALGS_OPENSSL "002b=0403040303 002d=0101 0033@001d"},
    chromium = {0x0301, 0x0303, SHAPE_SESSION_ID | SHAPE_GREASE | SHAPE_PERMUTED,
                "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035",
                "002b=0403040303 44cd=0003026832 0010=000c02683208687474702f312e31 001b=020002 "
                "0033@11ec001d ff01=00 002d=0101 0023= 0012= 000a=000811ec001d00170018 000b=0100 "
                "fe0d@00d0 000d=001609040905090604030804040105030805050108060601 0017= "
                "0005=0100000000 0000@"},
    firefox = {0x0301, 0x0303, SHAPE_SESSION_ID,
               "1301 1303 1302 c02b c02f cca9 cca8 c02c c030 c00a c009 c013 c014 009c 009d 002f "
               "0035",
               "0000@ 0017= ff01=00 000a=000e11ec001d00170018001901000101 000b=0100 0023= "
               "0010=000c02683208687474702f312e31 0005=0100000000 0022=00080403050306030203 0012= "
               "0033@11ec001d0017 002b=0403040303 "
               "000d=001604030503060308040805080604010501060102030201 002d=0101 001c=4001 "
               "001b=06000100020003 fe0d@00ef"};

static const struct hello_shape shapes[] = {
    {"tls13",    "TLS 1.3 alone, with no more than it needs", &tls13},
    {"tls12",    "TLS 1.2 with no more than it needs", &tls12},
    {"sparse",   "TLS 1.2 with so little that not every server takes it", &sparse},
    {"tls11",    "TLS 1.1", &tls11},
    {"tls10",    "TLS 1.0", &tls10},
    {"ssl3",     "SSL 3.0, with RC4 and 3DES", &ssl3},
    {"sslv2",    "TLS 1.0 in SSLv2 format, with suites of SSL 2.0", &sslv2},
    {"legacy",   "TLS 1.2 with DHE, RSA, DSS, 3DES, RC4, DES and export suites", &legacy},
    {"openssl",  "OpenSSL 3.0", &openssl},
    {"curl",     "curl 7.88 with OpenSSL 3.0", &curl},
    {"gnutls",   "GnuTLS 3.7", &gnutls},
    {"go",       "Go 1.19", &go},
    {"java",     "Java 17", &java},
    {"node",     "Node.js 20", &node},
    {"chromium", "Chromium 156, without its trust anchors", &chromium},
    {"firefox",  "Firefox ESR 140", &firefox},
};

static const uint32_t
    suites_tls13[] = {0x1301, 0x1302, 0x1303},
    suites_ecdhe[] = {0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8},
    suites_cbc[] = {0xc009, 0xc013, 0xc00a, 0xc014, 0xc023, 0xc027, 0xc024, 0xc028, 0x002f,
                    0x0035},
    suites_dhe[] = {0x009f, 0x009e, 0xccaa, 0x006b, 0x0067, 0x0039, 0x0033, 0x0088, 0x0045,
                    0x0016},
    suites_rsa[] = {0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x0084, 0x0041},
    suites_3des[] = {0xc008, 0xc012, 0x0016, 0x0013, 0x000a},
    suites_rc4[] = {0xc007, 0xc011, 0x0005, 0x0004},
    suites_export[] = {0x0014, 0x0011, 0x0019, 0x0008, 0x0006, 0x0017, 0x0003, 0x0062, 0x0064};

#define SUITES(name) {name, ARRAY_LEN(name)}

static const struct {
    const uint32_t *ciphers;
    size_t num;
} suites[HELLO_SUITES_NUM] = {
    [HELLO_SUITES_TLS13]  = SUITES(suites_tls13),
    [HELLO_SUITES_ECDHE]  = SUITES(suites_ecdhe),
    [HELLO_SUITES_CBC]    = SUITES(suites_cbc),
    [HELLO_SUITES_DHE]    = SUITES(suites_dhe),
    [HELLO_SUITES_RSA]    = SUITES(suites_rsa),
    [HELLO_SUITES_3DES]   = SUITES(suites_3des),
    [HELLO_SUITES_RC4]    = SUITES(suites_rc4),
    [HELLO_SUITES_EXPORT] = SUITES(suites_export),
};
// clang-format on

const struct hello_shape *hello_shapes(size_t *out_num) {
    *out_num = ARRAY_LEN(shapes);
    return shapes;
}

const struct hello_shape *hello_shape_find(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        if (strcmp(shapes[i].name, name) == 0) {
            return &shapes[i];
        }
    }
    return NULL;
}

const uint32_t *hello_suites(enum hello_suites kind, size_t *out_num) {
    CHECK(kind < HELLO_SUITES_NUM);
    *out_num = suites[kind].num;
    return suites[kind].ciphers;
}

static unsigned nibble(char c) {
    CHECK((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

// Takes bytes up to the next blank, or to the end.
static const char *hex_next(struct hello_list *out, const char *text) {
    for (; *text != '\0' && *text != ' '; text += 2) {
        hello_list_number(out, nibble(text[0]) << 4 | nibble(text[1]), 1);
    }
    return text;
}

static void ciphers_make(struct hello_draft *draft, const struct hello_shape_row *row) {
    struct hello_list list = {0};
    for (const char *text = row->ciphers; *text != '\0'; text += *text == ' ') {
        text = hex_next(&list, text);
    }
    hello_bytes_set(&draft->ciphers, list.p, list.len);
    hello_list_cleanup(&list);
}

static uint64_t seed_make(struct hello_keys *keys) {
    uint8_t bytes[8];
    hello_keys_random(keys, bytes, sizeof(bytes));
    return (uint64_t)hello_list_at(bytes, 4) << 32 | hello_list_at(bytes + 4, 4);
}

static bool is_name(const char *host) {
    struct in6_addr address;
    size_t len = host != NULL ? strlen(host) : 0;
    return len != 0 && len <= NAME_MAX_LEN && inet_pton(AF_INET, host, &address) != 1 &&
           inet_pton(AF_INET6, host, &address) != 1;
}

static void shares_make(struct hello_draft *draft, const struct hello_list *groups,
                        struct hello_keys *keys) {
    uint16_t codes[8];
    size_t num = 0;
    for (; num < ARRAY_LEN(codes) && 2 * num + 2 <= groups->len; num++) {
        codes[num] = (uint16_t)hello_list_at(groups->p + 2 * num, 2);
    }
    hello_keys_offer(keys, draft, codes, num);
}

// An extension whose body is made.
static void extension_make(struct hello_draft *draft, uint16_t type, const struct hello_list *how,
                           const char *host, struct hello_keys *keys) {
    hello_edit_insert(draft, draft->num_extensions, type, NULL, 0);
    switch (type) {
    case EXT_SERVER_NAME:
        hello_edit_sni(draft, is_name(host) ? host : NULL);
        break;
    case EXT_KEY_SHARE:
        shares_make(draft, how, keys);
        break;
    case EXT_ECH:
        hello_edit_ech_grease(draft, seed_make(keys), hello_list_at(how->p, 2));
        break;
    case EXT_PADDING:
        (void)hello_edit_pad(draft, hello_list_at(how->p, 2));
        break;
    default:
        CHECK(false);
    }
}

static void extensions_make(struct hello_draft *draft, const struct hello_shape_row *row,
                            const char *host, struct hello_keys *keys) {
    const char *text = row->extensions;
    while (*text != '\0') {
        struct hello_list body = {0};
        unsigned type = 0;
        for (; *text != '=' && *text != '@'; text++) {
            type = type << 4 | nibble(*text);
        }
        bool made = *text == '@';
        text = hex_next(&body, text + 1);
        if (made) {
            extension_make(draft, (uint16_t)type, &body, host, keys);
        } else {
            hello_edit_insert(draft, draft->num_extensions, (uint16_t)type, body.p, body.len);
        }
        hello_list_cleanup(&body);
        text += *text == ' ';
    }
}

// Fisher and Yates' shuffle.
static void permute(struct hello_draft *draft, uint64_t seed) {
    for (size_t i = draft->num_extensions; i > 1; i--) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        hello_edit_move(draft, (size_t)((seed >> 33) % i), i - 1);
    }
}

void hello_shape_make(struct hello_draft *draft, const struct hello_shape *shape, const char *host,
                      struct hello_keys *keys) {
    const struct hello_shape_row *row = shape->row;
    uint8_t session_id[SESSION_ID_LEN];
    hello_draft_cleanup(draft);
    hello_draft_init(draft);
    draft->record_version = row->record_version;
    draft->legacy_version = row->legacy_version;
    hello_keys_random(keys, draft->random, sizeof(draft->random));
    ciphers_make(draft, row);
    if (row->flags & SHAPE_SSLV2) {
        draft->format = HELLO_FORMAT_SSLV2;
        hello_bytes_set(&draft->compressions, NULL, 0);
        return;
    }
    if (row->flags & SHAPE_SESSION_ID) {
        hello_keys_random(keys, session_id, sizeof(session_id));
        hello_edit_session_id(draft, session_id, sizeof(session_id));
    }
    extensions_make(draft, row, host, keys);
    if (row->flags & SHAPE_PERMUTED) {
        permute(draft, seed_make(keys));
    }
    if (row->flags & SHAPE_GREASE) {
        hello_edit_add_grease(draft, seed_make(keys));
    }
}
