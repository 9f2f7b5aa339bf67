#include "proxy/tls/client_extension.h"

#include "logs/record/codepoint.h"
#include "proxy/tls/extension.h"

enum { RECORD_SIZE_MIN = 64, RECORD_SIZE_MAX = 16385, DRAFT_MAJOR = 0x7f };

// Returns `bit` when `list` holds a GREASE value of `registry`, else 0.
static uint16_t grease_bit(const struct code_list *list, enum registry registry, uint16_t bit) {
    for (size_t i = 0; i < list->num; i++) {
        if (codepoint_is_grease(registry, (uint16_t)code_list_at(list, i))) {
            return bit;
        }
    }
    return 0;
}

static bool max_fragment_length(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u8(body, &ch->max_fragment_length)) {
        return false;
    }
    bool valid = ch->max_fragment_length >= 1 && ch->max_fragment_length <= 4;
    parse_note(ps, valid ? NOTE_CH_MAX_FRAGMENT_LENGTH : NOTE_CH_MAX_FRAGMENT_LENGTH_INVALID, at);
    return true;
}

static bool status_request(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    CBS responders, extensions;
    return CBS_get_u8(body, &ch->status_type) && CBS_get_u16_length_prefixed(body, &responders) &&
           CBS_get_u16_length_prefixed(body, &extensions);
}

static bool status_request_v2(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    CBS list, request;
    ch->has_status_v2 = true;
    if (!CBS_get_u16_length_prefixed(body, &list)) {
        return false;
    }
    while (CBS_len(&list) != 0) {
        uint8_t type;
        if (!CBS_get_u8(&list, &type) || !CBS_get_u16_length_prefixed(&list, &request)) {
            return false;
        }
        ch->num_status_v2++;
    }
    return ch->num_status_v2 != 0;
}

static bool supported_groups(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    bool ok = parse_codes16(&ch->groups, body, 2);
    if (ok && ch->groups.num == 0) {
        parse_note(ps, NOTE_CH_GROUPS_EMPTY, at);
    }
    if (parse_has_duplicate(&ch->groups)) {
        parse_note(ps, NOTE_CH_GROUPS_DUPLICATE, at);
    }
    ch->grease |= grease_bit(&ch->groups, REGISTRY_GROUP, GREASE_GROUP);
    return ok;
}

static bool ec_point_formats(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    bool ok = parse_codes8(&ch->point_formats, body, 1);
    if (ok && !code_list_has(&ch->point_formats, 0)) {
        parse_note(ps, NOTE_CH_POINT_FORMATS_WITHOUT_UNCOMPRESSED, at);
    }
    return ok;
}

static bool signature_algorithms(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    bool ok = parse_codes16(&ch->sigalgs, body, 2);
    if (ok && ch->sigalgs.num == 0) {
        parse_note(ps, NOTE_CH_SIGALGS_EMPTY, at);
    }
    if (parse_has_duplicate(&ch->sigalgs)) {
        parse_note(ps, NOTE_CH_SIGALGS_DUPLICATE, at);
    }
    ch->grease |= grease_bit(&ch->sigalgs, REGISTRY_SIGNATURE_SCHEME, GREASE_SIGALG);
    return ok;
}

static bool signature_algorithms_cert(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    return parse_codes16(&ch->sigalgs_cert, body, 2) && ch->sigalgs_cert.num != 0;
}

static bool heartbeat(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    parse_note(ps, NOTE_CH_HEARTBEAT_OFFERED, CBS_data(body));
    return CBS_get_u8(body, &ch->heartbeat_mode) &&
           (ch->heartbeat_mode == 1 || ch->heartbeat_mode == 2);
}

static bool sct(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct client_hello *)out)->sct, body);
}

static bool padding(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    ch->has_padding = true;
    ch->padding_len = (uint16_t)CBS_len(body);
    const uint8_t *p = CBS_data(body), *end = p + ch->padding_len;
    while (p != end && *p == 0) {
        p++;
    }
    if (p != end) {
        parse_note(ps, NOTE_CH_PADDING_NOT_ZERO, p);
    }
    return CBS_skip(body, CBS_len(body));
}

static bool encrypt_then_mac(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct client_hello *)out)->encrypt_then_mac, body);
}

static bool extended_master_secret(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct client_hello *)out)->extended_master_secret, body);
}

static bool token_binding(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    return CBS_get_u16(body, &ch->token_binding_version) &&
           parse_codes8(&ch->token_binding, body, 1);
}

static bool compress_certificate(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    return parse_codes8(&ch->cert_compressions, body, 2) && ch->cert_compressions.num != 0;
}

static bool record_size_limit(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u16(body, &ch->record_size_limit)) {
        return false;
    }
    bool valid =
        ch->record_size_limit >= RECORD_SIZE_MIN && ch->record_size_limit <= RECORD_SIZE_MAX;
    parse_note(ps, valid ? NOTE_CH_RECORD_SIZE_LIMIT : NOTE_CH_RECORD_SIZE_LIMIT_INVALID, at);
    return true;
}

static bool delegated_credential(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    return parse_codes16(&ch->delegated, body, 2) && ch->delegated.num != 0;
}

static bool session_ticket(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    return CBS_get_bytes(body, &ch->session_ticket, CBS_len(body));
}

static bool early_data(void *out, struct parse *ps, CBS *body) {
    parse_note(ps, NOTE_CH_EARLY_DATA, CBS_data(body));
    return parse_flag(&((struct client_hello *)out)->early_data, body);
}

static bool supported_versions(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    bool ok = parse_codes8(&ch->versions, body, 2);
    if (ok && ch->versions.num == 0) {
        parse_note(ps, NOTE_CH_VERSIONS_EMPTY, at);
    } else if (ok && !code_list_has(&ch->versions, 0x0304)) {
        parse_note(ps, NOTE_CH_VERSIONS_WITHOUT_TLS13, at);
    }
    for (size_t i = 0; i < ch->versions.num; i++) {
        if (code_list_at(&ch->versions, i) >> 8 == DRAFT_MAJOR) {
            parse_note(ps, NOTE_CH_VERSIONS_DRAFT, ch->versions.p + 2 * i);
        }
    }
    ch->grease |= grease_bit(&ch->versions, REGISTRY_VERSION, GREASE_VERSION);
    return ok;
}

static bool cookie(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    return CBS_get_u16_length_prefixed(body, &ch->cookie) && CBS_len(&ch->cookie) != 0;
}

static bool psk_key_exchange_modes(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    bool ok = parse_codes8(&ch->psk_modes, body, 1);
    ch->grease |= grease_bit(&ch->psk_modes, REGISTRY_PSK_MODE, GREASE_PSK_MODE);
    return ok && ch->psk_modes.num != 0;
}

static bool certificate_authorities(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    if (!CBS_get_u16_length_prefixed(body, &ch->authorities)) {
        return false;
    }
    CBS names = ch->authorities, name;
    for (; dn_next(&names, &name); ch->num_authorities++) {
    }
    return CBS_len(&names) == 0 && ch->num_authorities != 0;
}

static bool post_handshake_auth(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct client_hello *)out)->post_handshake_auth, body);
}

static bool quic_parameters(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct client_hello *ch = out;
    return CBS_get_bytes(body, &ch->quic_parameters, CBS_len(body));
}

static bool channel_id(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(&((struct client_hello *)out)->channel_id, body);
}

static bool encrypted_client_hello(void *out, struct parse *ps, CBS *body) {
    return ech_parse(&((struct client_hello *)out)->ech, ps, body);
}

static bool esni(void *out, struct parse *ps, CBS *body) {
    (void)out;
    parse_note(ps, NOTE_CH_ESNI, CBS_data(body));
    return CBS_skip(body, CBS_len(body));
}

static bool renegotiation_info(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u8_length_prefixed(body, &ch->renegotiation_info)) {
        return false;
    }
    if (CBS_len(&ch->renegotiation_info) != 0) {
        parse_note(ps, NOTE_CH_RENEGOTIATION_INFO_NOT_EMPTY, at);
    }
    return true;
}

// clang-format off
static const struct parse_extension rows[] = {
    {EXT_SERVER_NAME,               client_server_name},
    {EXT_MAX_FRAGMENT_LENGTH,       max_fragment_length},
    {EXT_STATUS_REQUEST,            status_request},
    {EXT_SUPPORTED_GROUPS,          supported_groups},
    {EXT_EC_POINT_FORMATS,          ec_point_formats},
    {EXT_SIGNATURE_ALGORITHMS,      signature_algorithms},
    {EXT_HEARTBEAT,                 heartbeat},
    {EXT_ALPN,                      client_alpn},
    {EXT_STATUS_REQUEST_V2,         status_request_v2},
    {EXT_SCT,                       sct},
    {EXT_PADDING,                   padding},
    {EXT_ENCRYPT_THEN_MAC,          encrypt_then_mac},
    {EXT_EXTENDED_MASTER_SECRET,    extended_master_secret},
    {EXT_TOKEN_BINDING,             token_binding},
    {EXT_COMPRESS_CERTIFICATE,      compress_certificate},
    {EXT_RECORD_SIZE_LIMIT,         record_size_limit},
    {EXT_DELEGATED_CREDENTIAL,      delegated_credential},
    {EXT_SESSION_TICKET,            session_ticket},
    {EXT_PRE_SHARED_KEY,            client_pre_shared_key},
    {EXT_EARLY_DATA,                early_data},
    {EXT_SUPPORTED_VERSIONS,        supported_versions},
    {EXT_COOKIE,                    cookie},
    {EXT_PSK_KEY_EXCHANGE_MODES,    psk_key_exchange_modes},
    {EXT_CERTIFICATE_AUTHORITIES,   certificate_authorities},
    {EXT_POST_HANDSHAKE_AUTH,       post_handshake_auth},
    {EXT_SIGNATURE_ALGORITHMS_CERT, signature_algorithms_cert},
    {EXT_KEY_SHARE,                 client_key_share},
    {EXT_QUIC_PARAMETERS,           quic_parameters},
    {EXT_QUIC_PARAMETERS_DRAFT,     quic_parameters},
    {EXT_NEXT_PROTOCOL,             client_next_protocol},
    {EXT_ALPS_OLD,                  client_alps_old},
    {EXT_ALPS,                      client_alps},
    {EXT_CHANNEL_ID_OLD,            channel_id},
    {EXT_CHANNEL_ID,                channel_id},
    {EXT_ECH,                       encrypted_client_hello},
    {EXT_ESNI,                      esni},
    {EXT_RENEGOTIATION_INFO,        renegotiation_info},
};
// clang-format on

void client_extensions_parse(struct client_hello *ch, struct parse *ps, CBS *cbs,
                             const struct parse_ids *ids) {
    parse_extensions(ps, &ch->extensions, &ch->num_extensions, cbs, ch, ids, rows, ARRAY_LEN(rows));
    client_key_shares_check(ch, ps);
    if (CBS_data(&ch->psk_identities) != NULL && ch->psk_modes.p == NULL) {
        parse_note(ps, NOTE_CH_PSK_WITHOUT_MODES, CBS_data(&ch->psk_identities));
    }
    if (ps->ext_grease) {
        ch->grease |= GREASE_EXTENSION;
    }
    if (ps->ext_unknown != NULL) {
        parse_note(ps, NOTE_CH_EXTENSION_UNKNOWN, ps->ext_unknown);
    }
}
