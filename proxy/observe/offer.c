// The client's offer.
#include <string.h>

#include "proxy/observe/internal.h"
#include "proxy/tls/fingerprint_memo.h"

enum {
    SCSV_RENEGOTIATION = 0x00ff, // RFC 5746 section 3.3
    SCSV_FALLBACK = 0x5600,      // RFC 7507
    VERSION_LOWEST = 0x0300,
    VERSION_TLS12 = 0x0303,
    STATUS_OCSP = 1,
};

static const char *ech_text(const struct ech *ech) {
    switch (ech->form) {
    case ECH_OUTER:
        return ech->looks == ECH_LOOKS_GREASE ? "grease"
               : ech->looks == ECH_LOOKS_REAL ? "outer"
                                              : "unclear";
    case ECH_INNER:
        return "inner";
    case ECH_UNREADABLE:
        return "unreadable";
    default:
        return NULL;
    }
}

static void set_text(struct obj *leg, enum field field, const struct buf *text) {
    if (text->len != 0) {
        obj_set_strn(leg, field, buf_data(text), text->len);
    }
}

void offer_fingerprints(struct observe *observe, const struct client_hello *hello) {
    const struct fingerprints *prints = fingerprint_memo_client(hello);
    if (prints != NULL) {
        obj_set_str(observe->leg, F_LEG_JA3, prints->ja3);
        obj_set_str(observe->leg, F_LEG_JA4, prints->ja4);
        set_text(observe->leg, F_LEG_JA3_RAW, &prints->ja3_text);
        set_text(observe->leg, F_LEG_JA4_RAW, &prints->ja4_raw);
    }
}

// versions lists what is offered, highest first: supported_versions, or all that legacy_version
// stands for (RFC 5246 appendix E.1).
static void versions(struct observe *observe, const struct client_hello *hello) {
    if (hello->versions.p != NULL) {
        observe_codes(observe, F_LEG_OFFER_VERSIONS, &hello->versions);
        return;
    }
    uint16_t top = hello->legacy_version > VERSION_TLS12 ? VERSION_TLS12 : hello->legacy_version;
    for (uint16_t version = top; version >= VERSION_LOWEST; version--) {
        obj_add_code(observe->leg, F_LEG_OFFER_VERSIONS, version);
    }
}

// ciphers tells the suites of TLS from the cipher kinds of SSL 2.0, which have a first byte that is
// not zero (RFC 5246 appendix E.2).
static void ciphers(struct observe *observe, const struct client_hello *hello) {
    if (!hello->sslv2) {
        observe_codes(observe, F_LEG_OFFER_CIPHERS, &hello->ciphers);
        return;
    }
    obj_touch(observe->leg, F_LEG_OFFER_CIPHERS);
    for (size_t i = 0; i < hello->ciphers.num; i++) {
        char text[CODEPOINT_NAME_MAX];
        uint32_t code = code_list_at(&hello->ciphers, i);
        if (code <= UINT16_MAX) {
            obj_add_code(observe->leg, F_LEG_OFFER_CIPHERS, (uint16_t)code);
        } else {
            const char *name = codepoint_sslv2_name(code, text);
            obj_add_str(observe->leg, F_LEG_OFFER_SSLV2_KINDS, name, strlen(name));
        }
    }
}

static void key_shares(struct observe *observe, const struct client_hello *hello) {
    CBS shares = hello->key_shares;
    struct key_share share;
    if (CBS_data(&shares) == NULL) {
        return;
    }
    obj_touch(observe->leg, F_LEG_OFFER_KEY_SHARES);
    while (key_share_next(&shares, &share)) {
        struct obj *row = obj_add(observe->leg, F_LEG_OFFER_KEY_SHARES);
        obj_set_int(row, F_KEY_SHARE_GROUP, share.group);
        obj_set_int(row, F_KEY_SHARE_LENGTH, (int64_t)CBS_len(&share.key));
    }
}

// names adds the protocols of a list.
static void names(struct observe *observe, enum field field, CBS list) {
    CBS name;
    while (name_next(&list, &name)) {
        obj_add_str(observe->leg, field, CBS_data(&name), CBS_len(&name));
    }
}

static void flags(struct observe *observe, const struct client_hello *hello) {
    const struct {
        enum field field;
        bool value;
    } rows[] = {
        {F_LEG_OFFER_EARLY_DATA, hello->early_data},
        {F_LEG_OFFER_STATUS_REQUEST, hello->status_type == STATUS_OCSP},
        {F_LEG_OFFER_SCT, hello->sct},
        {F_LEG_OFFER_EMS, hello->extended_master_secret},
        {F_LEG_OFFER_RENEGOTIATION, CBS_data(&hello->renegotiation_info) != NULL ||
                                        code_list_has(&hello->ciphers, SCSV_RENEGOTIATION)},
        {F_LEG_OFFER_FALLBACK, code_list_has(&hello->ciphers, SCSV_FALLBACK)},
        {F_LEG_OFFER_GREASE, hello->grease != 0},
        {F_LEG_OFFER_SSLV2, hello->sslv2},
        {F_LEG_OFFER_POST_AUTH, hello->post_handshake_auth},
        {F_LEG_OFFER_ETM, hello->encrypt_then_mac},
        {F_LEG_OFFER_STATUS_V2, hello->has_status_v2},
        {F_LEG_OFFER_NPN, hello->npn},
        {F_LEG_OFFER_CHANNEL_ID, hello->channel_id},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].value) {
            obj_set_int(observe->leg, rows[i].field, true);
        }
    }
}

// sizes writes numbers that are 0 where their extension was not sent.
static void sizes(struct observe *observe, const struct client_hello *hello) {
    const struct {
        enum field field;
        size_t value;
    } rows[] = {
        {F_LEG_OFFER_PSK, hello->num_psk_identities},
        {F_LEG_OFFER_RECORD_LIMIT, hello->record_size_limit},
        {F_LEG_OFFER_AUTHORITIES, hello->num_authorities},
        {F_LEG_OFFER_COOKIE, CBS_len(&hello->cookie)},
        {F_LEG_OFFER_FRAGMENT, hello->max_fragment_length},
        {F_LEG_OFFER_HEARTBEAT, hello->heartbeat_mode},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].value != 0) {
            obj_set_int(observe->leg, rows[i].field, (int64_t)rows[i].value);
        }
    }
}

static void ech(struct observe *observe, const struct ech *ech) {
    char kdf[CODEPOINT_NAME_MAX], aead[CODEPOINT_NAME_MAX], kem[CODEPOINT_NAME_MAX];
    obj_set_str(observe->leg, F_LEG_OFFER_ECH, ech_text(ech));
    if (ech->form != ECH_OUTER) {
        return;
    }
    obj_set_strf(observe->leg, F_LEG_OFFER_ECH_SUITE, "%s, %s, %s",
                 ech->kem != 0 ? codepoint_name(REGISTRY_HPKE_KEM, ech->kem, kem) : "no known KEM",
                 codepoint_name(REGISTRY_HPKE_KDF, ech->kdf, kdf),
                 codepoint_name(REGISTRY_HPKE_AEAD, ech->aead, aead));
    obj_set_int(observe->leg, F_LEG_OFFER_ECH_CONFIG, ech->config_id);
    obj_set_int(observe->leg, F_LEG_OFFER_ECH_PAYLOAD, (int64_t)CBS_len(&ech->payload));
}

void offer_write(struct observe *observe, const struct client_hello *hello) {
    struct obj *leg = observe->leg;
    if (CBS_data(&hello->sni) != NULL) {
        obj_set_strn(leg, F_LEG_SERVER_NAME, CBS_data(&hello->sni), CBS_len(&hello->sni));
    }
    obj_set_int(leg, F_LEG_OFFER_LEGACY_VERSION, hello->legacy_version);
    versions(observe, hello);
    ciphers(observe, hello);
    observe_codes(observe, F_LEG_OFFER_GROUPS, &hello->groups);
    key_shares(observe, hello);
    observe_codes(observe, F_LEG_OFFER_SIGALGS, &hello->sigalgs);
    observe_codes(observe, F_LEG_OFFER_SIGALGS_CERT, &hello->sigalgs_cert);
    names(observe, F_LEG_OFFER_ALPN, hello->alpn);
    names(observe, F_LEG_OFFER_ALPS, hello->alps);
    if (hello->has_extensions) {
        observe_extensions(observe, F_LEG_OFFER_EXTENSIONS, hello->extensions);
    }
    observe_codes(observe, F_LEG_OFFER_COMPRESSION, &hello->compressions);
    observe_codes(observe, F_LEG_OFFER_POINT_FORMATS, &hello->point_formats);
    observe_codes(observe, F_LEG_OFFER_PSK_MODES, &hello->psk_modes);
    observe_codes(observe, F_LEG_OFFER_CERT_COMPRESSION, &hello->cert_compressions);
    observe_codes(observe, F_LEG_OFFER_DELEGATED, &hello->delegated);
    sizes(observe, hello);
    if (CBS_data(&hello->session_ticket) != NULL) {
        obj_set_int(leg, F_LEG_OFFER_TICKET, (int64_t)CBS_len(&hello->session_ticket));
    }
    if (CBS_data(&hello->session_id) != NULL) {
        obj_set_int(leg, F_LEG_OFFER_SESSION_ID, (int64_t)CBS_len(&hello->session_id));
    }
    ech(observe, &hello->ech);
    if (hello->has_padding) {
        obj_set_int(leg, F_LEG_OFFER_PADDING, hello->padding_len);
    }
    flags(observe, hello);
    obj_set_int(leg, F_LEG_OFFER_SIZE, (int64_t)CBS_len(&hello->raw));
}
