#include "proxy/tls/certificate_request.h"

#include <string.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/parse.h"

enum { TLS12 = 0x0303, AUTHORITIES_HUGE = 16384 };

static const struct parse_ids ids = {
    .truncated = NOTE_CR_TRUNCATED,
    .trailing = NOTE_CR_TRAILING_BYTES,
    .ext_length = NOTE_CR_TRUNCATED,
    .ext_duplicate = NOTE_CR_EXTENSION_DUPLICATE,
    .ext_malformed = NOTE_CR_EXTENSION_MALFORMED,
    .ext_forbidden = NOTE_CR_EXTENSION_FORBIDDEN,
    .ext_message = EXT_IN_CR,
};

static bool authorities_parse(struct certificate_request *cr, struct parse *ps, CBS *body) {
    if (!CBS_get_u16_length_prefixed(body, &cr->authorities)) {
        return false;
    }
    CBS names = cr->authorities, name, dn;
    for (; dn_next(&names, &name); cr->num_authorities++) {
        const uint8_t *at = CBS_data(&name);
        if (!CBS_get_asn1(&name, &dn, CBS_ASN1_SEQUENCE) || CBS_len(&name) != 0) {
            parse_note(ps, NOTE_CR_AUTHORITY_MALFORMED, at);
        }
    }
    if (CBS_len(&cr->authorities) > AUTHORITIES_HUGE) {
        parse_note(ps, NOTE_CR_AUTHORITIES_HUGE, CBS_data(&cr->authorities));
    }
    return CBS_len(&names) == 0;
}

static bool status_request(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct certificate_request *)out)->status_request, body);
}

static bool signature_algorithms(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_codes16(&((struct certificate_request *)out)->sigalgs, body, 2);
}

static bool sct(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct certificate_request *)out)->sct, body);
}

static bool compress_certificate(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_codes8(&((struct certificate_request *)out)->cert_compressions, body, 2);
}

static bool delegated_credential(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_codes16(&((struct certificate_request *)out)->delegated, body, 2);
}

static bool certificate_authorities(void *out, struct parse *ps, CBS *body) {
    return authorities_parse(out, ps, body);
}

static bool oid_filters(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return CBS_get_u16_length_prefixed(body, &((struct certificate_request *)out)->oid_filters);
}

static bool signature_algorithms_cert(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_codes16(&((struct certificate_request *)out)->sigalgs_cert, body, 2);
}

// clang-format off
static const struct parse_extension rows[] = {
    {EXT_STATUS_REQUEST,            status_request},
    {EXT_SIGNATURE_ALGORITHMS,      signature_algorithms},
    {EXT_SCT,                       sct},
    {EXT_COMPRESS_CERTIFICATE,      compress_certificate},
    {EXT_DELEGATED_CREDENTIAL,      delegated_credential},
    {EXT_CERTIFICATE_AUTHORITIES,   certificate_authorities},
    {EXT_OID_FILTERS,               oid_filters},
    {EXT_SIGNATURE_ALGORITHMS_CERT, signature_algorithms_cert},
};
// clang-format on

static bool body_parse_tls13(struct certificate_request *cr, struct parse *ps, CBS *body) {
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u8_length_prefixed(body, &cr->context)) {
        return parse_broken(ps, NOTE_CR_TRUNCATED, at);
    }
    parse_extensions(ps, &cr->extensions, &cr->num_extensions, body, cr, &ids, rows,
                     ARRAY_LEN(rows));
    return true;
}

static bool body_parse(struct certificate_request *cr, struct parse *ps, CBS *body,
                       uint16_t version) {
    const uint8_t *at = CBS_data(body);
    if (!parse_codes8(&cr->types, body, 1)) {
        return parse_broken(ps, NOTE_CR_TRUNCATED, at);
    }
    if (cr->types.num == 0) {
        parse_note(ps, NOTE_CR_TYPES_EMPTY, at);
    }
    at = CBS_data(body);
    if (version >= TLS12 && !parse_codes16(&cr->sigalgs, body, 2)) {
        return parse_broken(ps, NOTE_CR_TRUNCATED, at);
    }
    at = CBS_data(body);
    return authorities_parse(cr, ps, body) || parse_broken(ps, NOTE_CR_TRUNCATED, at);
}

bool certificate_request_parse(struct certificate_request *out, struct note_sink *notes,
                               uint16_t version, const uint8_t *p, size_t p_len) {
    memset(out, 0, sizeof(*out));
    CBS_init(&out->raw, p, p_len);
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &ids, notes, HANDSHAKE_CERTIFICATE_REQUEST, p, p_len)) {
        return false;
    }
    const uint8_t *at = CBS_data(&body);
    bool ok =
        version > TLS12 ? body_parse_tls13(out, &ps, &body) : body_parse(out, &ps, &body, version);
    if (!ok) {
        return false;
    }
    if (version >= TLS12 && out->sigalgs.num == 0) {
        parse_note(&ps, NOTE_CR_SIGALGS_EMPTY, at);
    }
    out->trailing = body;
    parse_close(&ps, &body, &ids);
    return ps.ok;
}
