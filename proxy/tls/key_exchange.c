#include "proxy/tls/key_exchange.h"

#include <string.h>

#include "proxy/tls/group.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/parse.h"

enum { TLS12 = 0x0303, CURVE_NAMED = 3, DH_BITS_MIN = 2048 };

static const struct parse_ids ids = {
    .truncated = NOTE_SKE_TRUNCATED,
    .trailing = NOTE_SKE_TRAILING_BYTES,
};

static const struct parse_ids verify_ids = {
    .truncated = NOTE_CV_TRUNCATED,
    .trailing = NOTE_CV_TRAILING_BYTES,
};

static uint16_t number_bits(CBS number) {
    while (CBS_len(&number) != 0 && CBS_data(&number)[0] == 0) {
        CHECK(CBS_skip(&number, 1));
    }
    size_t bits = CBS_len(&number) * 8;
    for (uint8_t top = 0x80; bits != 0 && (CBS_data(&number)[0] & top) == 0; top >>= 1) {
        bits--;
    }
    return (uint16_t)(bits < UINT16_MAX ? bits : UINT16_MAX);
}

static bool ecdhe_parse(struct server_key_exchange *ske, struct parse *ps, CBS *body) {
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u8(body, &ske->curve_type)) {
        return false;
    }
    if (ske->curve_type != CURVE_NAMED) {
        // Nobody has sent these for a decade; without their length nothing behind them can be read.
        parse_note(ps, NOTE_SKE_CURVE_EXPLICIT, at);
        return false;
    }
    if (!CBS_get_u16(body, &ske->group) || !CBS_get_u8_length_prefixed(body, &ske->public_key)) {
        return false;
    }
    if (!group_share_fits(ske->group, CBS_len(&ske->public_key), false)) {
        parse_note(ps, NOTE_SKE_KEY_LENGTH, CBS_data(&ske->public_key));
    }
    return true;
}

static bool dhe_parse(struct server_key_exchange *ske, struct parse *ps, CBS *body) {
    if (!CBS_get_u16_length_prefixed(body, &ske->prime) ||
        !CBS_get_u16_length_prefixed(body, &ske->generator) ||
        !CBS_get_u16_length_prefixed(body, &ske->public_key)) {
        return false;
    }
    ske->prime_bits = number_bits(ske->prime);
    if (ske->prime_bits < DH_BITS_MIN) {
        parse_note(ps, NOTE_SKE_DH_SMALL, CBS_data(&ske->prime));
    }
    return true;
}

static bool rsa_export_parse(struct server_key_exchange *ske, CBS *body) {
    return CBS_get_u16_length_prefixed(body, &ske->public_key) &&
           CBS_get_u16_length_prefixed(body, &ske->generator);
}

static bool srp_parse(struct server_key_exchange *ske, CBS *body) {
    CBS salt;
    if (!CBS_get_u16_length_prefixed(body, &ske->prime) ||
        !CBS_get_u16_length_prefixed(body, &ske->generator) ||
        !CBS_get_u8_length_prefixed(body, &salt) ||
        !CBS_get_u16_length_prefixed(body, &ske->public_key)) {
        return false;
    }
    ske->prime_bits = number_bits(ske->prime);
    return true;
}

static bool parameters_parse(struct server_key_exchange *ske, struct parse *ps, CBS *body) {
    switch (ske->exchange.kind) {
    case KEY_EXCHANGE_ECDHE:
        return ecdhe_parse(ske, ps, body);
    case KEY_EXCHANGE_DHE:
        return dhe_parse(ske, ps, body);
    case KEY_EXCHANGE_RSA_EXPORT:
        return rsa_export_parse(ske, body);
    case KEY_EXCHANGE_SRP:
        return srp_parse(ske, body);
    case KEY_EXCHANGE_NONE:
    case KEY_EXCHANGE_UNKNOWN:
        break;
    }
    return true;
}

static bool signature_parse(bool *out_has_scheme, uint16_t *out_scheme, CBS *out_signature,
                            CBS *body, uint16_t version) {
    *out_has_scheme = version >= TLS12;
    return (!*out_has_scheme || CBS_get_u16(body, out_scheme)) &&
           CBS_get_u16_length_prefixed(body, out_signature);
}

bool server_key_exchange_parse(struct server_key_exchange *out, struct note_sink *notes,
                               uint16_t version, uint16_t cipher, const uint8_t *p, size_t p_len) {
    memset(out, 0, sizeof(*out));
    CBS_init(&out->raw, p, p_len);
    out->exchange = cipher_exchange(cipher);
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &ids, notes, HANDSHAKE_SERVER_KEY_EXCHANGE, p, p_len)) {
        return false;
    }
    if (out->exchange.kind == KEY_EXCHANGE_UNKNOWN) {
        return ps.ok;
    }
    if (out->exchange.kind == KEY_EXCHANGE_NONE && !out->exchange.psk) {
        parse_note(&ps, NOTE_SKE_UNEXPECTED, p);
        return ps.ok;
    }
    const uint8_t *at = CBS_data(&body);
    if ((out->exchange.psk && !CBS_get_u16_length_prefixed(&body, &out->psk_hint)) ||
        !parameters_parse(out, &ps, &body) ||
        (!out->exchange.anon &&
         !signature_parse(&out->has_scheme, &out->scheme, &out->signature, &body, version))) {
        return parse_broken(&ps, NOTE_SKE_TRUNCATED, at);
    }
    parse_close(&ps, &body, &ids);
    return ps.ok;
}

// RFC 8446, section 4.2.3: neither PKCS#1 v1.5 nor SHA-1, nor the pairs of TLS 1.2.
static bool scheme_is_forbidden(uint16_t scheme) {
    uint8_t signature = scheme & 0xff, hash = scheme >> 8;
    return hash <= 0x06 && (signature != 0x03 || hash <= 0x03);
}

bool certificate_verify_parse(struct certificate_verify *out, struct note_sink *notes,
                              uint16_t version, const uint8_t *p, size_t p_len) {
    memset(out, 0, sizeof(*out));
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &verify_ids, notes, HANDSHAKE_CERTIFICATE_VERIFY, p, p_len)) {
        return false;
    }
    const uint8_t *at = CBS_data(&body);
    if (!signature_parse(&out->has_scheme, &out->scheme, &out->signature, &body, version)) {
        return parse_broken(&ps, NOTE_CV_TRUNCATED, at);
    }
    if (CBS_len(&out->signature) == 0) {
        parse_note(&ps, NOTE_CV_SIGNATURE_EMPTY, CBS_data(&out->signature));
    }
    if (version > TLS12 && scheme_is_forbidden(out->scheme)) {
        parse_note(&ps, NOTE_CV_SCHEME_FORBIDDEN, at);
    }
    parse_close(&ps, &body, &verify_ids);
    return ps.ok;
}
