#include "proxy/tls/client_hello.h"

#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/cipher.h"
#include "proxy/tls/client_extension.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/parse.h"

static const struct parse_ids ids = {
    .truncated = NOTE_CH_TRUNCATED,
    .trailing = NOTE_CH_TRAILING_BYTES,
    .ext_length = NOTE_CH_EXTENSIONS_LENGTH,
    .ext_duplicate = NOTE_CH_EXTENSION_DUPLICATE,
    .ext_malformed = NOTE_CH_EXTENSION_MALFORMED,
    .ext_forbidden = NOTE_CH_EXTENSION_FORBIDDEN,
    .ext_message = EXT_IN_CH,
};

enum { SCSV_RENEGOTIATION = 0x00ff, SCSV_FALLBACK = 0x5600, HELLO_MAX_RECORD = 16384 };

static void ciphers_check(struct client_hello *ch, struct parse *ps) {
    const uint8_t *at = ch->ciphers.p;
    if (ch->ciphers.num == 0) {
        parse_note(ps, NOTE_CH_CIPHERS_EMPTY, at);
    }
    for (size_t i = 0; i < ch->ciphers.num; i++, at += ch->ciphers.width) {
        uint32_t suite = code_list_at(&ch->ciphers, i);
        if (suite == SCSV_RENEGOTIATION) {
            parse_note(ps, NOTE_CH_SCSV_RENEGOTIATION, at);
        } else if (suite == SCSV_FALLBACK) {
            parse_note(ps, NOTE_CH_SCSV_FALLBACK, at);
        } else if (suite <= UINT16_MAX && codepoint_is_grease(REGISTRY_CIPHER, (uint16_t)suite)) {
            ch->grease |= GREASE_CIPHER;
        }
    }
    if (ch->ciphers.width == 2 && parse_has_duplicate(&ch->ciphers)) {
        parse_note(ps, NOTE_CH_CIPHERS_DUPLICATE, ch->ciphers.p);
    }
}

static void compressions_check(struct client_hello *ch, struct parse *ps) {
    const struct code_list *list = &ch->compressions;
    bool has_null = code_list_has(list, 0);
    if (!has_null) {
        parse_note(ps, NOTE_CH_COMPRESSION_NULL_MISSING, list->p);
    }
    if (list->num > (has_null ? 1 : 0)) {
        parse_note(ps, NOTE_CH_COMPRESSION_OFFERED, list->p);
    }
}

// Everything up to the extensions. The order is the wire's; it stops at the first field that is
// cut.
static bool fixed_parse(struct client_hello *ch, struct parse *ps, CBS *body) {
    CBS list;
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u16(body, &ch->legacy_version) || !CBS_get_bytes(body, &ch->random, 32) ||
        !CBS_get_u8_length_prefixed(body, &ch->session_id)) {
        return parse_broken(ps, NOTE_CH_TRUNCATED, at);
    }
    if (CBS_len(&ch->session_id) > 32) {
        parse_note(ps, NOTE_CH_SESSION_ID_TOO_LONG, CBS_data(&ch->session_id) - 1);
    }
    at = CBS_data(body);
    if (!CBS_get_u16_length_prefixed(body, &list)) {
        return parse_broken(ps, NOTE_CH_TRUNCATED, at);
    }
    if (!parse_codes(&ch->ciphers, &list, 2)) {
        parse_broken(ps, NOTE_CH_CIPHERS_ODD_LENGTH, at);
    }
    ciphers_check(ch, ps);
    at = CBS_data(body);
    if (!parse_codes8(&ch->compressions, body, 1)) {
        return parse_broken(ps, NOTE_CH_TRUNCATED, at);
    }
    compressions_check(ch, ps);
    return true;
}

static bool ciphers_have_tls13(const struct client_hello *ch) {
    for (size_t i = 0; i < ch->ciphers.num; i++) {
        if (cipher_is_tls13(code_list_at(&ch->ciphers, i))) {
            return true;
        }
    }
    return false;
}

static void versions_check(struct client_hello *ch, struct parse *ps) {
    const uint8_t *at = CBS_data(&ch->random) - 2;
    if (ch->legacy_version == 0x0304) {
        parse_note(ps, NOTE_CH_LEGACY_VERSION_TLS13, at);
    } else if (ch->legacy_version < 0x0300 || ch->legacy_version > 0x0303 ||
               (ch->versions.p != NULL && ch->legacy_version != 0x0303)) {
        parse_note(ps, NOTE_CH_LEGACY_VERSION_ODD, at);
    }
}

// What TLS 1.3 demands of a hello that offers it (RFC 8446, section 9.2).
static void tls13_check(struct client_hello *ch, struct parse *ps) {
    const uint8_t *at = ch->versions.p;
    if (CBS_len(&ch->session_id) == 0) {
        parse_note(ps, NOTE_CH_SESSION_ID_EMPTY_TLS13, CBS_data(&ch->session_id) - 1);
    }
    if (!ciphers_have_tls13(ch)) {
        parse_note(ps, NOTE_CH_CIPHERS_WITHOUT_TLS13, ch->ciphers.p);
    }
    if (!parse_has_extension(ps, EXT_KEY_SHARE)) {
        parse_note(ps, NOTE_CH_KEY_SHARE_MISSING, at);
    }
    if (!parse_has_extension(ps, EXT_SIGNATURE_ALGORITHMS)) {
        parse_note(ps, NOTE_CH_SIGALGS_MISSING, at);
    }
}

static void groups_check(const struct client_hello *ch, struct parse *ps) {
    if (parse_has_extension(ps, EXT_SUPPORTED_GROUPS)) {
        return;
    }
    for (size_t i = 0; i < ch->ciphers.num; i++) {
        if (cipher_needs_group(code_list_at(&ch->ciphers, i))) {
            parse_note(ps, NOTE_CH_GROUPS_MISSING, ch->ciphers.p + 2 * i);
            return;
        }
    }
}

bool client_hello_parse(struct client_hello *out, struct note_sink *notes, const uint8_t *p,
                        size_t p_len) {
    memset(out, 0, sizeof(*out));
    CBS_init(&out->raw, p, p_len);
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &ids, notes, HANDSHAKE_CLIENT_HELLO, p, p_len) ||
        !fixed_parse(out, &ps, &body)) {
        return false;
    }
    if (p_len > 4 + HELLO_MAX_RECORD) {
        parse_note(&ps, NOTE_CH_OVER_16K, p);
    }
    if (CBS_len(&body) == 0) {
        parse_note(&ps, NOTE_CH_EXTENSIONS_MISSING, CBS_data(&body));
    } else {
        out->has_extensions = true;
        client_extensions_parse(out, &ps, &body, &ids);
    }
    versions_check(out, &ps);
    if (code_list_has(&out->versions, 0x0304)) {
        tls13_check(out, &ps);
    }
    groups_check(out, &ps);
    out->trailing = body;
    parse_close(&ps, &body, &ids);
    return ps.ok;
}

bool client_hello_parse_sslv2(struct client_hello *out, struct note_sink *notes, const uint8_t *p,
                              size_t p_len) {
    memset(out, 0, sizeof(*out));
    CBS_init(&out->raw, p, p_len);
    out->sslv2 = true;
    struct parse ps = {.base = p, .notes = notes, .ok = true};
    parse_note(&ps, NOTE_CH_SSLV2, p);

    CBS cbs = out->raw, specs;
    uint16_t length, specs_len, session_id_len, challenge_len;
    uint8_t type;
    if (!CBS_get_u16(&cbs, &length) || !CBS_get_u8(&cbs, &type) ||
        !CBS_get_u16(&cbs, &out->legacy_version) || !CBS_get_u16(&cbs, &specs_len) ||
        !CBS_get_u16(&cbs, &session_id_len) || !CBS_get_u16(&cbs, &challenge_len)) {
        return parse_broken(&ps, NOTE_CH_TRUNCATED, p);
    }
    if (type != HANDSHAKE_CLIENT_HELLO || length < 0x8000) {
        return false;
    }
    const uint8_t *at = CBS_data(&cbs);
    if (!CBS_get_bytes(&cbs, &specs, specs_len)) {
        return parse_broken(&ps, NOTE_CH_TRUNCATED, at);
    }
    if (!parse_codes(&out->ciphers, &specs, 3)) {
        parse_broken(&ps, NOTE_CH_CIPHERS_ODD_LENGTH, at);
    }
    ciphers_check(out, &ps);
    at = CBS_data(&cbs);
    if (!CBS_get_bytes(&cbs, &out->session_id, session_id_len) ||
        !CBS_get_bytes(&cbs, &out->random, challenge_len)) {
        return parse_broken(&ps, NOTE_CH_TRUNCATED, at);
    }
    out->trailing = cbs;
    parse_close(&ps, &cbs, &ids);
    return ps.ok;
}

uint16_t client_hello_max_version(const struct client_hello *hello) {
    uint16_t max = 0;
    for (size_t i = 0; i < hello->versions.num; i++) {
        uint16_t version = (uint16_t)code_list_at(&hello->versions, i);
        if (!codepoint_is_grease(REGISTRY_VERSION, version) && version > max) {
            max = version;
        }
    }
    return max != 0 ? max : hello->legacy_version;
}

// CBS_get_* may have eaten a length when it fails: the rest has to stay whole, so that the caller
// sees that there is one.
bool key_share_next(CBS *shares, struct key_share *out) {
    CBS rest = *shares;
    if (!CBS_get_u16(&rest, &out->group) || !CBS_get_u16_length_prefixed(&rest, &out->key)) {
        return false;
    }
    *shares = rest;
    return true;
}

bool psk_identity_next(CBS *identities, struct psk_identity *out) {
    CBS rest = *identities;
    if (!CBS_get_u16_length_prefixed(&rest, &out->identity) ||
        !CBS_get_u32(&rest, &out->obfuscated_age)) {
        return false;
    }
    *identities = rest;
    return true;
}

bool name_next(CBS *names, CBS *out) {
    CBS rest = *names;
    if (!CBS_get_u8_length_prefixed(&rest, out)) {
        return false;
    }
    *names = rest;
    return true;
}

bool dn_next(CBS *names, CBS *out) {
    CBS rest = *names;
    if (!CBS_get_u16_length_prefixed(&rest, out)) {
        return false;
    }
    *names = rest;
    return true;
}
