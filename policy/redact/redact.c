#include "policy/redact/redact.h"

#include <stdlib.h>
#include <string.h>

#include "policy/redact/internal.h"
#include "third_party/boringssl/boringssl.h"

enum { TEXT_MAX = 16 * 1024 * 1024, FIRST_LINE_MAX = 64, PORT_FIRST = 49152, PORTS = 16384 };

// What is not listed is text, in which only what was learned is replaced; bytes likewise.
static const struct {
    enum field field;
    enum redact_how how;
} rows[] = {
    // clang-format off
    {F_RECORD_HOST,                    REDACT_NAME},
    {F_RECORD_USER_AGENT,              REDACT_AGENT},
    {F_RECORD_VIA,                     REDACT_WORDS},
    {F_RECORD_PARENT_HOST,             REDACT_NAME},
    {F_RECORD_PARENT_SAYS,             REDACT_WORDS},
    {F_RECORD_PARENT_CHALLENGE,        REDACT_WORDS},
    {F_LEG_ADDRESS,                    REDACT_ADDRESS},
    {F_LEG_LOCAL_ADDRESS,              REDACT_ADDRESS},
    {F_LEG_SERVER_NAME,                REDACT_NAME},
    {F_LEG_CLIENT_SUBJECT,             REDACT_DN},
    {F_LEG_CLIENT_ISSUER,              REDACT_DN},
    {F_LEG_CLIENT_SHA256,              REDACT_HEX},
    {F_LEG_CLIENT_CERTIFICATE_CHAIN,   REDACT_DROP},
    {F_LEG_SUBJECT,                    REDACT_DN},
    {F_LEG_ISSUER,                     REDACT_DN},
    {F_LEG_LEAF_SHA256,                REDACT_HEX},
    {F_LEG_ANSWER_CERT_REQUEST_NAMES,  REDACT_DN},
    {F_LEG_DNS_ANSWERS,                REDACT_ADDRESS},
    {F_LEG_SECRETS,                    REDACT_DROP},
    {F_CERT_SUBJECT,                   REDACT_DN},
    {F_CERT_ISSUER,                    REDACT_DN},
    {F_CERT_SANS,                      REDACT_NAME},
    {F_CERT_SERIAL,                    REDACT_HEX},
    {F_CERT_SKI,                       REDACT_HEX},
    {F_CERT_AKI,                       REDACT_HEX},
    {F_CERT_SHA256,                    REDACT_HEX},
    {F_CERT_SPKI_SHA256,               REDACT_HEX},
    {F_CERT_AIA_OCSP,                  REDACT_WORDS},
    {F_CERT_AIA_ISSUERS,               REDACT_WORDS},
    {F_CERT_CRL,                       REDACT_WORDS},
    {F_STAPLE_RESPONDER,               REDACT_DN},
    {F_STAPLE_SERIAL,                  REDACT_HEX},
    {F_STAPLE_RAW,                     REDACT_DROP},
    {F_VERIFICATION_NAME,              REDACT_NAME},
    {F_VERIFICATION_PATH,              REDACT_DN},
    {F_VERIFICATION_MISSING_ISSUER,    REDACT_DN},
    {F_VERIFICATION_CA_ISSUERS,        REDACT_WORDS},
    {F_VERIFICATION_COMPLETED_BY,      REDACT_DN},
    {F_TRY_SUBJECTS,                   REDACT_DN},
    {F_FETCH_URL,                      REDACT_WORDS},
    {F_TRIED_ADDRESS,                  REDACT_ADDRESS},
    {F_EXPERIMENT_ECH_NAME,            REDACT_NAME},
    {F_EXPERIMENT_ECH_RETRY,           REDACT_DROP},
    {F_PATH_CONTROL_NAME,              REDACT_NAME},
    {F_PATH_BOX_ADDRESS,               REDACT_ADDRESS},
    {F_PATH_BOX_AFTER_ADDRESS,         REDACT_ADDRESS},
    {F_HOP_ADDRESS,                    REDACT_ADDRESS},
    // clang-format on
};

const char redact_tells[] =
    "Replaced, each by something of the same length and the same by the same in all files: host\n"
    "names (label by label, under reserved names), IP addresses (by those of documentation),\n"
    "clients' ports, what certificates say of their owners (subjects, issuers, names, serial\n"
    "numbers of more than four bytes, keys and their ids, signatures, addresses of revocation\n"
    "services), and what in a User-Agent is not a well-known program or system. Hashes are those\n"
    "of what is there now. The same goes for these strings inside ClientHellos, certificates and\n"
    "the bytes of handshakes. Secrets of TLS, OCSP responses, ECH configurations, clients'\n"
    "certificates, and the bytes of connections that hold one, names of client CAs or what is no\n"
    "TLS are left out. What was used for the replacement is not kept, so it cannot be undone.\n"
    "\n"
    "Kept, because the verdict rests on it: times, versions, suites, extensions, fingerprints (no\n"
    "name is in JA3 and JA4), randoms, session ids and tickets, alerts, sizes; names and\n"
    "certificates of public CAs, names of products that inspect TLS, large public domains\n"
    "(google.com, ...), \"www\", localhost and loopback addresses, countries, and generic words\n"
    "such as \"Root CA\". Of a server that everybody can reach, the dates of its certificate\n"
    "and the times of its entries in public logs may be enough to find it there.\n";

enum redact_how redact_how(enum field field) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].field == field) {
            return rows[i].how;
        }
    }
    return REDACT_TEXT;
}

struct redact *redact_new(const uint8_t seed[REDACT_SEED_LEN]) {
    struct redact *redact = xcalloc(1, sizeof(*redact));
    memcpy(redact->salt.bytes, seed, sizeof(redact->salt.bytes));
    return redact;
}

void redact_free(struct redact *redact) {
    if (redact == NULL) {
        return;
    }
    for (size_t i = 0; i < redact->num_certificates; i++) {
        free(redact->certificates[i].from);
        free(redact->certificates[i].to);
    }
    free(redact->certificates);
    free(redact->addresses);
    redact_pairs_cleanup(&redact->pairs);
    OPENSSL_cleanse(redact, sizeof(*redact));
    free(redact);
}

void redact_learn(struct redact *redact, const struct obj *root) { record_learn(redact, root); }

const struct redact_counts *redact_counts(const struct redact *redact) { return &redact->counts; }

bool redact_text(struct redact *redact, struct buf *out, const void *p, size_t p_len) {
    return redact_pairs_text(&redact->pairs, out, p, p_len);
}

int64_t port_map(const struct redact *redact, int64_t port) {
    uint16_t other;
    redact_fill(&redact->salt, (uint8_t *)&other, sizeof(other), 'p', &port, sizeof(port));
    return PORT_FIRST + other % PORTS;
}

// ---- strings

// hex_fill replaces a number whose certificate is not there to tell by what.
static void hex_fill(const struct redact *redact, char *text, size_t len) {
    static const char digits[] = "0123456789abcdef";
    uint8_t *fill = xmalloc(len + 1);
    redact_fill(&redact->salt, fill, len, 'h', text, len);
    for (size_t i = 0; i < len; i++) {
        text[i] = digits[fill[i] & 15];
    }
    free(fill);
}

// string_redact appends what stands for the string `in`, which ends with a NUL.
static void string_redact(struct redact *redact, struct buf *out, enum redact_how how,
                          const char *in, size_t len) {
    enum { HEX_SHORT = 10 };
    char address[ADDRESS_TEXT_MAX];
    char *copy = xmemdup(in, len);
    if ((how == REDACT_NAME || how == REDACT_ADDRESS) && address_map(redact, address, in)) {
        CHECK(buf_append(out, address, strlen(address)));
    } else if (how == REDACT_NAME) {
        redact_name(&redact->salt, copy, in, len);
        CHECK(buf_append(out, copy, len));
    } else if (how == REDACT_DN) {
        redact_dn(&redact->salt, copy, in, len);
        CHECK(buf_append(out, copy, len));
    } else if (how == REDACT_AGENT) {
        redact_agent(&redact->salt, copy, in, len);
        CHECK(buf_append(out, copy, len));
    } else if (how == REDACT_WORDS) {
        redact_words(&redact->salt, copy, in, len);
        CHECK(buf_append(out, copy, len));
    } else {
        size_t before = out->len;
        CHECK(redact_pairs_text(&redact->pairs, out, in, len));
        char *now = (char *)buf_data(out) + before;
        if (how == REDACT_HEX && len >= HEX_SHORT && redact->num_certificates == 0 &&
            memcmp(now, in, len) == 0) {
            hex_fill(redact, now, len);
        }
    }
    free(copy);
}

static void strings_redact(struct redact *redact, struct obj *obj, enum field field) {
    enum redact_how how = redact_how(field);
    size_t num = obj_num(obj, field), *ends = xcalloc(num + 1, sizeof(*ends));
    struct buf all;
    buf_init(&all, TEXT_MAX);
    for (size_t i = 0; i < num; i++) {
        struct span item = obj_item(obj, field, i);
        char *text = xmemdup(item.p, item.len);
        string_redact(redact, &all, how, text, item.len);
        ends[i] = all.len;
        free(text);
    }
    obj_unset(obj, field);
    obj_touch(obj, field);
    for (size_t i = 0; i < num; i++) {
        size_t begin = i == 0 ? 0 : ends[i - 1];
        obj_add_str(obj, field, buf_data(&all) + begin, ends[i] - begin);
    }
    buf_cleanup(&all);
    free(ends);
}

// ---- bytes

static void bytes_redact(struct redact *redact, struct obj *obj, enum field field) {
    struct span span = obj_span(obj, field);
    uint8_t *copy = xmemdup(span.p, span.len);
    redact_pairs_raw(&redact->pairs, copy, span.len);
    obj_set_bytes(obj, field, copy, span.len);
    free(copy);
}

static void chain_redact(struct redact *redact, struct obj *leg) {
    size_t num = obj_num(leg, F_LEG_CERTIFICATE_CHAIN);
    struct span *ders = xcalloc(num + 1, sizeof(*ders));
    for (size_t i = 0; i < num; i++) {
        struct span der = obj_item(leg, F_LEG_CERTIFICATE_CHAIN, i);
        ders[i] = (struct span){certificate_map(redact, der.p, der.len), der.len};
    }
    obj_unset(leg, F_LEG_CERTIFICATE_CHAIN);
    obj_touch(leg, F_LEG_CERTIFICATE_CHAIN);
    for (size_t i = 0; i < num; i++) {
        if (ders[i].p != NULL) {
            obj_add_bytes(leg, F_LEG_CERTIFICATE_CHAIN, ders[i].p, ders[i].len);
        }
    }
    free(ders);
}

// first_bytes_redact leaves the first line, which tells what it is, and the form of the rest.
static void first_bytes_redact(struct redact *redact, struct obj *leg) {
    struct span span = obj_span(leg, F_LEG_ANSWER_FIRST_BYTES);
    uint8_t *copy = xmemdup(span.p, span.len);
    redact_pairs_raw(&redact->pairs, copy, span.len);
    size_t line = 0;
    while (line < span.len && line < FIRST_LINE_MAX && copy[line] != '\n') {
        line++;
    }
    for (size_t i = line; i < span.len; i++) {
        bool form = copy[i] < 0x80 && strchr("\r\n :/<>=\"", copy[i]) != NULL;
        copy[i] = form ? copy[i] : 'x';
    }
    obj_set_bytes(leg, F_LEG_ANSWER_FIRST_BYTES, copy, span.len);
    free(copy);
}

// ---- the wire

// wire_may_tell returns whether the bytes of a leg may name somebody whom nothing else does.
static bool wire_may_tell(const struct obj *leg) {
    return obj_has(leg, F_LEG_ANSWER_CLIENT_CERT) || obj_has(leg, F_LEG_ANSWER_CERT_REQUEST) ||
           obj_has(leg, F_LEG_ANSWER_FIRST_KIND) || obj_has(leg, F_LEG_ANSWER_FIRST_BYTES) ||
           !obj_has(leg, F_LEG_OFFER_RAW) || obj_is(leg, F_LEG_ANSWER_STAPLE, 1);
}

// side_redact replaces in the bytes of one side as a whole: pieces may end inside a name.
static void side_redact(struct redact *redact, struct obj *leg, const char *from) {
    struct buf all;
    size_t at = 0;
    buf_init(&all, TEXT_MAX);
    for (int writing = 0; writing < 2; writing++) {
        for (size_t i = 0; i < obj_num(leg, F_LEG_WIRE); i++) {
            struct obj *piece = obj_at(leg, F_LEG_WIRE, i);
            struct span bytes = obj_span(piece, F_PIECE_BYTES);
            if (!obj_str_is(piece, F_PIECE_FROM, from) || bytes.p == NULL) {
                continue;
            }
            if (writing == 0) {
                CHECK(buf_append(&all, bytes.p, bytes.len));
            } else {
                obj_set_bytes(piece, F_PIECE_BYTES, buf_data(&all) + at, bytes.len);
                at += bytes.len;
            }
        }
        if (writing == 0 && all.len != 0) {
            redact_pairs_raw(&redact->pairs, all.data + all.off, all.len);
        }
    }
    buf_cleanup(&all);
}

static void wire_redact(struct redact *redact, struct obj *leg) {
    if (wire_may_tell(leg)) {
        redact->counts.wires++;
        obj_unset(leg, F_LEG_WIRE);
        return;
    }
    side_redact(redact, leg, "client");
    side_redact(redact, leg, "server");
}

// ---- the whole

static void obj_redact(struct redact *redact, struct obj *obj);

static void field_redact(struct redact *redact, struct obj *obj, enum field field) {
    struct buf text;
    struct span span;
    switch (field_row(field)->type) {
    case TYPE_STR:
        span = obj_span(obj, field);
        buf_init(&text, TEXT_MAX);
        string_redact(redact, &text, redact_how(field), (const char *)span.p, span.len);
        obj_set_strn(obj, field, buf_data(&text), text.len);
        buf_cleanup(&text);
        break;
    case TYPE_STRS:
        strings_redact(redact, obj, field);
        break;
    case TYPE_BYTES:
        bytes_redact(redact, obj, field);
        break;
    case TYPE_OBJ:
        obj_redact(redact, obj_get(obj, field));
        break;
    case TYPE_OBJS:
        for (size_t i = 0; i < obj_num(obj, field) && field != F_LEG_WIRE; i++) {
            obj_redact(redact, obj_at(obj, field, i));
        }
        break;
    default:
        break;
    }
}

static void leg_redact(struct redact *redact, struct obj *leg, enum field port) {
    int64_t number;
    if (obj_int(leg, port, &number)) {
        obj_set_int(leg, port, port_map(redact, number));
    }
    if (obj_has(leg, F_LEG_CERTIFICATE_CHAIN)) {
        chain_redact(redact, leg);
    }
    if (obj_has(leg, F_LEG_WIRE)) {
        wire_redact(redact, leg);
    }
    if (obj_has(leg, F_LEG_ANSWER_FIRST_BYTES)) {
        first_bytes_redact(redact, leg);
    }
}

static void obj_redact(struct redact *redact, struct obj *obj) {
    const struct kind_row *kind = kind_row(obj_kind(obj));
    for (enum field f = obj_next(obj, kind->first); f < kind->end; f = obj_next(obj, f + 1)) {
        if (field_row(f)->held != f) {
            continue;
        }
        if (redact_how(f) == REDACT_DROP) {
            obj_unset(obj, f);
        } else {
            field_redact(redact, obj, f);
        }
    }
}

struct record *redact_record(struct redact *redact, const struct obj *root) {
    struct record *record = record_new();
    obj_copy(record->root, root);
    struct obj *client = record_leg(record->root, false);
    struct obj *server = record_leg(record->root, true);
    if (client != NULL) {
        leg_redact(redact, client, F_LEG_PORT);
    }
    if (server != NULL) {
        leg_redact(redact, server, F_LEG_LOCAL_PORT);
    }
    for (size_t i = 0; i < obj_num(record->root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *experiment = obj_at(record->root, F_RECORD_EXPERIMENTS, i);
        struct obj *leg = obj_get(experiment, F_EXPERIMENT_LEG);
        if (leg != NULL) {
            leg_redact(redact, leg, F_LEG_LOCAL_PORT);
        }
    }
    obj_redact(redact, record->root);
    return record;
}
