// The hello of a box's template, as it stands on the wire.
#include <string.h>

#include "proxy/session/emulate.h"
#include "proxy/session/lane_own.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_list.h"

enum {
    TLS10 = 0x0301,
    TLS12 = 0x0303,
    SNI_MAX = 255,
    PADDED_LEN = 512, // RFC 7685: what padding was made for
    ECH_PAYLOAD_LEN = 144,
};

// Contents that are the same in every hello. What is neither here nor made below is empty.
// clang-format off
static const struct {
    uint16_t type;
    const char *body;
    size_t len;
} BODIES[] = {
#define BODY(text) text, sizeof(text) - 1
    {EXT_MAX_FRAGMENT_LENGTH,    BODY("\4")},                 // 4,096 bytes
    {EXT_STATUS_REQUEST,         BODY("\1\0\0\0\0")},         // OCSP
    {EXT_HEARTBEAT,              BODY("\1")},                 // peer_allowed_to_send
    {EXT_STATUS_REQUEST_V2,      BODY("\0\7\2\0\4\0\0\0\0")}, // ocsp_multi
    {EXT_COMPRESS_CERTIFICATE,   BODY("\2\0\2")},             // brotli
    {EXT_RECORD_SIZE_LIMIT,      BODY("\100\1")},
    {EXT_PSK_KEY_EXCHANGE_MODES, BODY("\1\1")},               // psk_dhe_ke
    {EXT_ALPS_OLD,               BODY("\0\3\2h2")},
    {EXT_ALPS,                   BODY("\0\3\2h2")},
    {EXT_RENEGOTIATION_INFO,     BODY("\0")},
#undef BODY
};
// clang-format on

static uint64_t seed_make(struct hello_keys *keys) {
    uint64_t seed;
    hello_keys_random(keys, (uint8_t *)&seed, sizeof(seed));
    return seed;
}

static void codes_put(struct hello_draft *draft, uint16_t type, size_t prefix, size_t width,
                      const struct profile_codes *codes) {
    struct hello_list list = {0};
    for (size_t i = 0; i < codes->num; i++) {
        hello_list_number(&list, codes->ids[i], width);
    }
    hello_list_set(draft, type, prefix, &list);
}

static void sni_put(struct hello_draft *draft, const struct profile_server_leg *leg,
                    const struct client_hello *hello) {
    char name[SNI_MAX + 1];
    size_t len = CBS_len(&hello->sni);
    if (leg->sni == PROFILE_SNI_REPLACE) {
        hello_edit_sni(draft, leg->sni_name);
    } else if (leg->sni == PROFILE_SNI_STRIP || len == 0 || len > SNI_MAX ||
               memchr(CBS_data(&hello->sni), '\0', len) != NULL) {
        hello_edit_sni(draft, NULL);
    } else {
        memcpy(name, CBS_data(&hello->sni), len);
        name[len] = '\0';
        hello_edit_sni(draft, name);
    }
}

static void alpn_put(struct hello_draft *draft, const struct profile_server_leg *leg,
                     const struct client_hello *hello) {
    struct hello_list list = {0};
    const struct profile_strings *fixed = &leg->alpn_protocols;
    if (leg->alpn == PROFILE_ALPN_MIRROR && hello->num_alpn != 0) {
        hello_list_bytes(&list, CBS_data(&hello->alpn), CBS_len(&hello->alpn));
    }
    for (size_t i = 0; leg->alpn == PROFILE_ALPN_FIXED && i < fixed->num; i++) {
        size_t len = strlen(fixed->items[i]);
        hello_list_name(&list, (const uint8_t *)fixed->items[i], len < 256 ? len : 255, 1);
    }
    if (list.len != 0) {
        hello_list_set(draft, EXT_ALPN, 2, &list);
    } else {
        (void)hello_edit_remove(draft, EXT_ALPN);
        hello_list_cleanup(&list);
    }
}

static void shares_put(struct hello_draft *draft, const struct profile_codes *groups,
                       struct hello_keys *keys) {
    uint8_t share[HELLO_SHARE_MAX];
    hello_edit_no_key_shares(draft);
    for (size_t i = 0; i < groups->num; i++) {
        size_t len = hello_keys_share(keys, groups->ids[i], share);
        if (len == 0) { // GREASE
            share[0] = 0;
            len = 1;
        }
        hello_edit_key_share(draft, groups->ids[i], share, len);
    }
}

static void body_put(struct hello_draft *draft, uint16_t type) {
    for (size_t i = 0; i < ARRAY_LEN(BODIES); i++) {
        if (BODIES[i].type == type) {
            hello_edit_set(draft, type, (const uint8_t *)BODIES[i].body, BODIES[i].len);
        }
    }
}

// extension_put puts an extension behind those that are there.
static void extension_put(struct hello_draft *draft, uint16_t type,
                          const struct profile_server_leg *leg, const struct client_hello *hello,
                          struct hello_keys *keys) {
    static const uint8_t uncompressed[] = {1, 0};
    const struct profile_template *template = &leg->template;
    hello_edit_insert(draft, draft->num_extensions, type, NULL, 0);
    switch (type) {
    case EXT_SERVER_NAME:
        sni_put(draft, leg, hello);
        break;
    case EXT_ALPN:
        alpn_put(draft, leg, hello);
        break;
    case EXT_SUPPORTED_GROUPS:
        codes_put(draft, type, 2, 2, &template->groups);
        break;
    case EXT_EC_POINT_FORMATS:
        if (template->point_formats.num != 0) {
            codes_put(draft, type, 1, 1, &template->point_formats);
        } else {
            hello_edit_set(draft, type, uncompressed, sizeof(uncompressed));
        }
        break;
    case EXT_SIGNATURE_ALGORITHMS:
    case EXT_SIGNATURE_ALGORITHMS_CERT:
    case EXT_DELEGATED_CREDENTIAL:
        codes_put(draft, type, 2, 2, &template->sigalgs);
        break;
    case EXT_SUPPORTED_VERSIONS:
        codes_put(draft, type, 1, 2, &template->versions);
        break;
    case EXT_KEY_SHARE:
        shares_put(draft, &template->key_shares, keys);
        break;
    case EXT_ECH:
        hello_edit_ech_grease(draft, seed_make(keys), ECH_PAYLOAD_LEN);
        break;
    default:
        body_put(draft, type);
    }
}

static void hello_make(struct hello_draft *draft, const struct profile_server_leg *leg,
                       const struct client_hello *hello, struct hello_keys *keys) {
    const struct profile_template *template = &leg->template;
    uint8_t session_id[32], list[PROFILE_MAX_LIST];
    draft->record_version = template->record_version != 0 ? template->record_version : TLS10;
    draft->legacy_version = template->version != 0 ? template->version : TLS12;
    hello_keys_random(keys, draft->random, sizeof(draft->random));
    if (template->session_id_len != 0) {
        hello_keys_random(keys, session_id, template->session_id_len);
        hello_edit_session_id(draft, session_id, template->session_id_len);
    }
    uint32_t ciphers[PROFILE_MAX_LIST];
    for (size_t i = 0; i < template->ciphers.num; i++) {
        ciphers[i] = template->ciphers.ids[i];
    }
    hello_edit_ciphers(draft, ciphers, template->ciphers.num);
    for (size_t i = 0; i < template->compression.num; i++) {
        list[i] = (uint8_t) template->compression.ids[i];
    }
    if (template->compression.num != 0) {
        hello_edit_compressions(draft, list, template->compression.num);
    }
    for (size_t i = 0; i < template->extensions.num; i++) {
        extension_put(draft, template->extensions.ids[i], leg, hello, keys);
    }
    if (hello_edit_find(draft, EXT_PADDING) != NULL) {
        (void)hello_edit_pad(draft, PADDED_LEN);
    }
    draft->has_extensions = draft->num_extensions != 0;
}

static void on_secret(void *ctx, const char *line) {
    struct session *s = ctx;
    if (s->shared->keylog != NULL) {
        s->shared->keylog(s->shared->keylog_ctx, line);
    }
    session_secret(s, SIDE_SERVER, line);
}

bool emulate_hello_template(struct session *s, const struct client_hello *hello,
                            uint8_t (*chain)(void *session)) {
    if (s->profile == NULL || s->profile->server_leg.hello != PROFILE_HELLO_TEMPLATE) {
        return false;
    }
    struct own_config config = {
        .keys = hello_keys_new(NULL, NULL),
        .ctx = s,
        .chain = chain,
        .secret = on_secret,
    };
    struct hello_draft draft;
    hello_draft_init(&draft);
    hello_make(&draft, &s->profile->server_leg, hello, config.keys);
    config.hello = &draft;
    own_start(&s->lanes[SIDE_SERVER], &config);
    hello_draft_cleanup(&draft);
    return true;
}
