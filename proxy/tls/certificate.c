#include "proxy/tls/certificate.h"

#include <string.h>

#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/parse.h"

enum { CHAIN_HUGE = 10, STATUS_OCSP = 1, STATUS_OCSP_MULTI = 2 };

static const struct parse_ids ids = {
    .truncated = NOTE_CERT_TRUNCATED,
    .trailing = NOTE_CERT_TRAILING_BYTES,
    .ext_length = NOTE_CERT_TRUNCATED,
    .ext_duplicate = NOTE_CERT_EXTENSION_DUPLICATE,
    .ext_malformed = NOTE_CERT_EXTENSION_MALFORMED,
    .ext_forbidden = NOTE_CERT_EXTENSION_FORBIDDEN,
    .ext_message = EXT_IN_CT,
};

static const struct parse_ids status_ids = {
    .truncated = NOTE_CERT_STATUS_MALFORMED,
    .trailing = NOTE_CERT_STATUS_MALFORMED,
};

static bool staple_parse(CBS *out, CBS *body) {
    uint8_t type;
    return CBS_get_u8(body, &type) && type == STATUS_OCSP && CBS_get_u24_length_prefixed(body, out);
}

static bool status_request(void *out, struct parse *ps, CBS *body) {
    const uint8_t *at = CBS_data(body);
    if (!staple_parse(&((struct certificate_entry *)out)->staple, body)) {
        parse_note(ps, NOTE_CERT_STATUS_MALFORMED, at);
        return false;
    }
    return true;
}

static bool sct(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return CBS_get_u16_length_prefixed(body, &((struct certificate_entry *)out)->scts);
}

static bool delegated_credential(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    CBS *view = &((struct certificate_entry *)out)->delegated_credential;
    return CBS_get_bytes(body, view, CBS_len(body));
}

// clang-format off
static const struct parse_extension rows[] = {
    {EXT_STATUS_REQUEST,       status_request},
    {EXT_SCT,                  sct},
    {EXT_DELEGATED_CREDENTIAL, delegated_credential},
};
// clang-format on

static bool entry_parse(struct certificate_entry *out, struct parse *ps, CBS *entries, bool tls13) {
    memset(out, 0, sizeof(*out));
    const uint8_t *at = CBS_data(entries);
    if (!CBS_get_u24_length_prefixed(entries, &out->der)) {
        return parse_broken(ps, NOTE_CERT_TRUNCATED, at);
    }
    if (tls13) {
        parse_extensions(ps, &out->extensions, &out->num_extensions, entries, out, &ids, rows,
                         ARRAY_LEN(rows));
    }
    return true;
}

static void der_check(struct parse *ps, const CBS *der) {
    CBS rest = *der, certificate;
    if (CBS_len(der) == 0) {
        parse_note(ps, NOTE_CERT_ENTRY_EMPTY, CBS_data(der));
    } else if (!CBS_get_asn1_element(&rest, &certificate, CBS_ASN1_SEQUENCE)) {
        parse_note(ps, NOTE_CERT_DER_MALFORMED, CBS_data(der));
    } else if (CBS_len(&rest) != 0) {
        parse_note(ps, NOTE_CERT_DER_TRAILING_BYTES, CBS_data(&rest));
    }
}

bool certificate_parse(struct certificate_message *out, struct note_sink *notes, bool tls13,
                       const uint8_t *p, size_t p_len) {
    memset(out, 0, sizeof(*out));
    CBS_init(&out->raw, p, p_len);
    out->tls13 = tls13;
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &ids, notes, HANDSHAKE_CERTIFICATE, p, p_len)) {
        return false;
    }
    const uint8_t *at = CBS_data(&body);
    uint32_t list_len;
    if ((tls13 && !CBS_get_u8_length_prefixed(&body, &out->context)) ||
        !CBS_get_u24(&body, &list_len)) {
        return parse_broken(&ps, NOTE_CERT_TRUNCATED, at);
    }
    if (list_len > CBS_len(&body)) {
        parse_broken(&ps, NOTE_CERT_TRUNCATED, CBS_data(&body) + CBS_len(&body));
        list_len = (uint32_t)CBS_len(&body);
    }
    CHECK(CBS_get_bytes(&body, &out->entries, list_len));
    CBS entries = out->entries;
    struct certificate_entry entry;
    while (CBS_len(&entries) != 0 && entry_parse(&entry, &ps, &entries, tls13)) {
        der_check(&ps, &entry.der);
        if (++out->num_entries == CHAIN_HUGE + 1) {
            parse_note(&ps, NOTE_CERT_CHAIN_HUGE, CBS_data(&entry.der));
        }
    }
    if (out->num_entries == 0) {
        parse_note(&ps, NOTE_CERT_LIST_EMPTY, CBS_data(&out->entries));
    }
    out->trailing = body;
    parse_close(&ps, &body, &ids);
    return ps.ok;
}

bool certificate_next(const struct certificate_message *message, CBS *entries,
                      struct certificate_entry *out) {
    struct parse ps = {.base = CBS_data(&message->raw), .notes = NULL, .ok = true};
    return CBS_len(entries) != 0 && entry_parse(out, &ps, entries, message->tls13);
}

bool compressed_certificate_parse(struct compressed_certificate *out, struct note_sink *notes,
                                  const uint8_t *p, size_t p_len) {
    memset(out, 0, sizeof(*out));
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &ids, notes, HANDSHAKE_COMPRESSED_CERTIFICATE, p, p_len)) {
        return false;
    }
    const uint8_t *at = CBS_data(&body);
    if (!CBS_get_u16(&body, &out->algorithm) || !CBS_get_u24(&body, &out->uncompressed_len) ||
        !CBS_get_u24_length_prefixed(&body, &out->compressed)) {
        return parse_broken(&ps, NOTE_CERT_TRUNCATED, at);
    }
    parse_close(&ps, &body, &ids);
    return ps.ok;
}

static bool staples_parse(struct certificate_status *out, CBS *body) {
    if (!CBS_get_u24_length_prefixed(body, &out->staples)) {
        return false;
    }
    CBS staples = out->staples, staple;
    for (; CBS_len(&staples) != 0; out->num_staples++) {
        if (!CBS_get_u24_length_prefixed(&staples, &staple)) {
            return false;
        }
        if (out->num_staples == 0) {
            out->staple = staple;
        }
    }
    return true;
}

bool certificate_status_parse(struct certificate_status *out, struct note_sink *notes,
                              const uint8_t *p, size_t p_len) {
    memset(out, 0, sizeof(*out));
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &status_ids, notes, HANDSHAKE_CERTIFICATE_STATUS, p, p_len)) {
        return false;
    }
    const uint8_t *at = CBS_data(&body);
    bool ok = CBS_get_u8(&body, &out->type);
    if (ok && out->type == STATUS_OCSP) {
        ok = CBS_get_u24_length_prefixed(&body, &out->staple);
    } else if (ok && out->type == STATUS_OCSP_MULTI) {
        ok = staples_parse(out, &body);
    } else {
        ok = false;
    }
    if (!ok) {
        return parse_broken(&ps, NOTE_CERT_STATUS_MALFORMED, at);
    }
    parse_close(&ps, &body, &status_ids);
    return ps.ok;
}
