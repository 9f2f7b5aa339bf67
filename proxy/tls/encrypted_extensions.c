#include "proxy/tls/encrypted_extensions.h"

#include <string.h>

#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/parse.h"

static const struct parse_ids ids = {
    .truncated = NOTE_EE_TRUNCATED,
    .trailing = NOTE_EE_TRAILING_BYTES,
    .ext_length = NOTE_EE_TRUNCATED,
    .ext_duplicate = NOTE_EE_EXTENSION_DUPLICATE,
    .ext_malformed = NOTE_EE_EXTENSION_MALFORMED,
    .ext_forbidden = NOTE_EE_EXTENSION_FORBIDDEN,
    .ext_message = EXT_IN_EE,
};

static bool server_name(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct encrypted_extensions *)out)->server_name, body);
}

static bool max_fragment_length(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return CBS_get_u8(body, &((struct encrypted_extensions *)out)->max_fragment_length);
}

static bool supported_groups(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_codes16(&((struct encrypted_extensions *)out)->groups, body, 2);
}

static bool alpn(void *out, struct parse *ps, CBS *body) {
    bool one;
    const uint8_t *at = CBS_data(body);
    bool ok = parse_one_name(&((struct encrypted_extensions *)out)->alpn, &one, body);
    if (!one) {
        parse_note(ps, NOTE_EE_ALPN_SEVERAL, at);
    }
    return ok;
}

static bool record_size_limit(void *out, struct parse *ps, CBS *body) {
    parse_note(ps, NOTE_EE_RECORD_SIZE_LIMIT, CBS_data(body));
    return CBS_get_u16(body, &((struct encrypted_extensions *)out)->record_size_limit);
}

static bool early_data(void *out, struct parse *ps, CBS *body) {
    parse_note(ps, NOTE_EE_EARLY_DATA_ACCEPTED, CBS_data(body));
    return parse_flag(&((struct encrypted_extensions *)out)->early_data, body);
}

static bool quic_parameters(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct encrypted_extensions *ee = out;
    return CBS_get_bytes(body, &ee->quic_parameters, CBS_len(body));
}

static bool alps_parse(struct encrypted_extensions *ee, CBS *body, uint16_t type) {
    ee->alps_type = type;
    return CBS_get_bytes(body, &ee->alps, CBS_len(body));
}

static bool alps(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return alps_parse(out, body, EXT_ALPS);
}

static bool alps_old(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return alps_parse(out, body, EXT_ALPS_OLD);
}

static bool ech(void *out, struct parse *ps, CBS *body) {
    parse_note(ps, NOTE_EE_ECH_RETRY, CBS_data(body));
    CBS *configs = &((struct encrypted_extensions *)out)->ech_retry_configs;
    return CBS_get_u16_length_prefixed(body, configs) && CBS_len(configs) != 0;
}

// clang-format off
static const struct parse_extension rows[] = {
    {EXT_SERVER_NAME,           server_name},
    {EXT_MAX_FRAGMENT_LENGTH,   max_fragment_length},
    {EXT_SUPPORTED_GROUPS,      supported_groups},
    {EXT_ALPN,                  alpn},
    {EXT_RECORD_SIZE_LIMIT,     record_size_limit},
    {EXT_EARLY_DATA,            early_data},
    {EXT_QUIC_PARAMETERS,       quic_parameters},
    {EXT_QUIC_PARAMETERS_DRAFT, quic_parameters},
    {EXT_ALPS_OLD,              alps_old},
    {EXT_ALPS,                  alps},
    {EXT_ECH,                   ech},
};
// clang-format on

bool encrypted_extensions_parse(struct encrypted_extensions *out, struct note_sink *notes,
                                const uint8_t *p, size_t p_len) {
    memset(out, 0, sizeof(*out));
    CBS_init(&out->raw, p, p_len);
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &ids, notes, HANDSHAKE_ENCRYPTED_EXTENSIONS, p, p_len)) {
        return false;
    }
    parse_extensions(&ps, &out->extensions, &out->num_extensions, &body, out, &ids, rows,
                     ARRAY_LEN(rows));
    out->trailing = body;
    parse_close(&ps, &body, &ids);
    return ps.ok;
}
