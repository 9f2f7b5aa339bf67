#include "proxy/tls/server_hello.h"

#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/cipher.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/group.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/parse.h"

enum {
    TLS13 = 0x0304,
    DRAFT_MAJOR = 0x7f,
    EXT_KEY_SHARE_DRAFT = 40, // up to draft 22
    SCSV_RENEGOTIATION = 0x00ff,
    SCSV_FALLBACK = 0x5600,
    SENTINEL_LEN = 8,
    ECH_CONFIRMATION_LEN = 8,
};

// SHA-256 of "HelloRetryRequest" (RFC 8446, section 4.1.3).
static const uint8_t retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

// clang-format off
static const struct {
    enum downgrade downgrade;
    enum note_id note;
    uint8_t sentinel[SENTINEL_LEN];
} sentinels[] = {
    {DOWNGRADE_TLS12, NOTE_SH_DOWNGRADE_TLS12, {'D', 'O', 'W', 'N', 'G', 'R', 'D', 1}},
    {DOWNGRADE_TLS11, NOTE_SH_DOWNGRADE_TLS11, {'D', 'O', 'W', 'N', 'G', 'R', 'D', 0}},
    {DOWNGRADE_JDK11, NOTE_SH_DOWNGRADE_JDK11, {0xed, 0xbf, 0xb4, 0xa8, 0xc2, 0x47, 0x10, 0xff}},
};
// clang-format on

static const struct parse_ids ids = {
    .truncated = NOTE_SH_TRUNCATED,
    .trailing = NOTE_SH_TRAILING_BYTES,
    .ext_length = NOTE_SH_EXTENSIONS_LENGTH,
    .ext_duplicate = NOTE_SH_EXTENSION_DUPLICATE,
    .ext_malformed = NOTE_SH_EXTENSION_MALFORMED,
    .ext_forbidden = NOTE_SH_EXTENSION_FORBIDDEN,
};

static bool server_name(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct server_hello *)out)->server_name, body);
}

static bool max_fragment_length(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return CBS_get_u8(body, &((struct server_hello *)out)->max_fragment_length);
}

static bool status_request(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct server_hello *)out)->status_request, body);
}

static bool ec_point_formats(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_codes8(&((struct server_hello *)out)->point_formats, body, 1);
}

static bool heartbeat(void *out, struct parse *ps, CBS *body) {
    parse_note(ps, NOTE_SH_HEARTBEAT_ACCEPTED, CBS_data(body));
    return CBS_get_u8(body, &((struct server_hello *)out)->heartbeat_mode);
}

static bool alpn(void *out, struct parse *ps, CBS *body) {
    bool one;
    const uint8_t *at = CBS_data(body);
    bool ok = parse_one_name(&((struct server_hello *)out)->alpn, &one, body);
    if (!one) {
        parse_note(ps, NOTE_SH_ALPN_SEVERAL, at);
    }
    return ok;
}

static bool status_request_v2(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct server_hello *)out)->status_request_v2, body);
}

static bool sct(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return CBS_get_u16_length_prefixed(body, &((struct server_hello *)out)->scts);
}

static bool encrypt_then_mac(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct server_hello *)out)->encrypt_then_mac, body);
}

static bool extended_master_secret(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct server_hello *)out)->extended_master_secret, body);
}

static bool record_size_limit(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return CBS_get_u16(body, &((struct server_hello *)out)->record_size_limit);
}

static bool session_ticket(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct server_hello *)out)->session_ticket, body);
}

static bool pre_shared_key(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct server_hello *sh = out;
    return sh->has_psk = CBS_get_u16(body, &sh->psk_index);
}

static bool supported_versions(void *out, struct parse *ps, CBS *body) {
    struct server_hello *sh = out;
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u16(body, &sh->supported_version)) {
        return false;
    }
    if (sh->supported_version < TLS13) {
        parse_note(ps, NOTE_SH_VERSIONS_BELOW_TLS13, at);
    }
    return true;
}

static bool cookie(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    CBS *view = &((struct server_hello *)out)->cookie;
    return CBS_get_u16_length_prefixed(body, view) && CBS_len(view) != 0;
}

static bool key_share(void *out, struct parse *ps, CBS *body) {
    struct server_hello *sh = out;
    const uint8_t *at = CBS_data(body);
    sh->has_key_share = CBS_get_u16(body, &sh->group);
    if (sh->retry || !sh->has_key_share) {
        return sh->has_key_share;
    }
    if (!CBS_get_u16_length_prefixed(body, &sh->key_share)) {
        return false;
    }
    if (!group_share_fits(sh->group, CBS_len(&sh->key_share), false)) {
        parse_note(ps, NOTE_SH_KEY_SHARE_LENGTH, at);
    }
    return true;
}

static bool next_protocol(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return CBS_get_bytes(body, &((struct server_hello *)out)->npn, CBS_len(body));
}

static bool channel_id(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct server_hello *)out)->channel_id, body);
}

static bool ech(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct server_hello *sh = out;
    return CBS_get_bytes(body, &sh->ech_confirmation, ECH_CONFIRMATION_LEN);
}

static bool renegotiation_info(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return CBS_get_u8_length_prefixed(body, &((struct server_hello *)out)->renegotiation_info);
}

// clang-format off
static const struct parse_extension rows[] = {
    {EXT_SERVER_NAME,            server_name},
    {EXT_MAX_FRAGMENT_LENGTH,    max_fragment_length},
    {EXT_STATUS_REQUEST,         status_request},
    {EXT_EC_POINT_FORMATS,       ec_point_formats},
    {EXT_HEARTBEAT,              heartbeat},
    {EXT_ALPN,                   alpn},
    {EXT_STATUS_REQUEST_V2,      status_request_v2},
    {EXT_SCT,                    sct},
    {EXT_ENCRYPT_THEN_MAC,       encrypt_then_mac},
    {EXT_EXTENDED_MASTER_SECRET, extended_master_secret},
    {EXT_RECORD_SIZE_LIMIT,      record_size_limit},
    {EXT_SESSION_TICKET,         session_ticket},
    {EXT_KEY_SHARE_DRAFT,        key_share},
    {EXT_PRE_SHARED_KEY,         pre_shared_key},
    {EXT_SUPPORTED_VERSIONS,     supported_versions},
    {EXT_COOKIE,                 cookie},
    {EXT_KEY_SHARE,              key_share},
    {EXT_NEXT_PROTOCOL,          next_protocol},
    {EXT_CHANNEL_ID_OLD,         channel_id},
    {EXT_CHANNEL_ID,             channel_id},
    {EXT_ECH,                    ech},
    {EXT_RENEGOTIATION_INFO,     renegotiation_info},
};
// clang-format on

static void random_check(struct server_hello *sh, struct parse *ps) {
    const uint8_t *random = CBS_data(&sh->random);
    sh->retry = CBS_mem_equal(&sh->random, retry_random, sizeof(retry_random));
    if (sh->retry) {
        parse_note(ps, NOTE_SH_HELLO_RETRY_REQUEST, random);
    }
    const uint8_t *end = random + CBS_len(&sh->random) - SENTINEL_LEN;
    for (size_t i = 0; i < ARRAY_LEN(sentinels); i++) {
        if (memcmp(end, sentinels[i].sentinel, SENTINEL_LEN) == 0) {
            sh->downgrade = sentinels[i].downgrade;
            parse_note(ps, sentinels[i].note, end);
        }
    }
}

static bool fixed_parse(struct server_hello *sh, struct parse *ps, CBS *body) {
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u16(body, &sh->legacy_version) || !CBS_get_bytes(body, &sh->random, 32)) {
        return parse_broken(ps, NOTE_SH_TRUNCATED, at);
    }
    sh->version = sh->legacy_version;
    random_check(sh, ps);
    // Up to draft 21, TLS 1.3 had neither session id nor compression here.
    bool draft = sh->legacy_version >> 8 == DRAFT_MAJOR;
    at = CBS_data(body);
    if ((!draft && !CBS_get_u8_length_prefixed(body, &sh->session_id)) ||
        !CBS_get_u16(body, &sh->cipher) || (!draft && !CBS_get_u8(body, &sh->compression))) {
        return parse_broken(ps, NOTE_SH_TRUNCATED, at);
    }
    if (CBS_len(&sh->session_id) > 32) {
        parse_note(ps, NOTE_SH_SESSION_ID_TOO_LONG, at);
    }
    if (sh->compression != 0) {
        parse_note(ps, NOTE_SH_COMPRESSION_CHOSEN, CBS_data(body) - 1);
    }
    return true;
}

// The version decides which extensions belong here, so it is looked up before they are walked.
static uint16_t message_of(const struct server_hello *sh, const CBS *body) {
    if (sh->retry) {
        return EXT_IN_HRR;
    }
    CBS block, version;
    CBS_init(&block, CBS_data(body) + 2, CBS_len(body) > 2 ? CBS_len(body) - 2 : 0);
    bool tls13 = sh->legacy_version >> 8 == DRAFT_MAJOR ||
                 extension_find(&version, block, EXT_SUPPORTED_VERSIONS);
    return tls13 ? EXT_IN_SH : EXT_IN_S12;
}

static void cipher_check(const struct server_hello *sh, struct parse *ps, bool tls13) {
    // Drafts of TLS 1.3 have no session id before the suite.
    const CBS *before = CBS_data(&sh->session_id) != NULL ? &sh->session_id : &sh->random;
    const uint8_t *at = CBS_data(before) + CBS_len(before);
    if (sh->cipher == SCSV_RENEGOTIATION || sh->cipher == SCSV_FALLBACK ||
        codepoint_is_grease(REGISTRY_CIPHER, sh->cipher)) {
        parse_note(ps, NOTE_SH_CIPHER_NOT_REAL, at);
    } else if (cipher_is_tls13(sh->cipher) != tls13) {
        parse_note(ps, NOTE_SH_CIPHER_WRONG_VERSION, at);
    }
}

static void version_check(struct server_hello *sh, struct parse *ps) {
    const uint8_t *at = CBS_data(&sh->raw) + 4;
    bool draft = sh->version >> 8 == DRAFT_MAJOR;
    bool tls13 = draft || sh->version == TLS13;
    if (draft) {
        parse_note(ps, NOTE_SH_VERSION_DRAFT, at);
    }
    if (!draft && (sh->legacy_version < 0x0300 || sh->legacy_version > 0x0303 ||
                   (tls13 && sh->legacy_version != 0x0303))) {
        parse_note(ps, NOTE_SH_LEGACY_VERSION_ODD, at);
    }
    if (tls13 && !sh->retry && !sh->has_key_share && !sh->has_psk) {
        parse_note(ps, NOTE_SH_KEY_SHARE_MISSING, at);
    }
    if (!tls13 && CBS_data(&sh->renegotiation_info) == NULL) {
        parse_note(ps, NOTE_SH_RENEGOTIATION_INFO_MISSING, at);
    }
    if (!draft) { // the first drafts took the suites of TLS 1.2
        cipher_check(sh, ps, tls13);
    }
}

bool server_hello_parse(struct server_hello *out, struct note_sink *notes, const uint8_t *p,
                        size_t p_len) {
    memset(out, 0, sizeof(*out));
    CBS_init(&out->raw, p, p_len);
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &ids, notes, HANDSHAKE_SERVER_HELLO, p, p_len) ||
        !fixed_parse(out, &ps, &body)) {
        return false;
    }
    if (CBS_len(&body) != 0) {
        struct parse_ids with = ids;
        with.ext_message = message_of(out, &body);
        out->has_extensions = true;
        parse_extensions(&ps, &out->extensions, &out->num_extensions, &body, out, &with, rows,
                         ARRAY_LEN(rows));
    }
    if (out->supported_version != 0) {
        out->version = out->supported_version;
    }
    version_check(out, &ps);
    out->trailing = body;
    parse_close(&ps, &body, &ids);
    return ps.ok;
}
