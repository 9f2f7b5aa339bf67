#include "proxy/session/mirror.h"

#include <string.h>

#include "proxy/tls/extension.h"

enum {
    ALG_ZLIB = 1, // RFC 8879 section 7.3
    ALG_BROTLI = 2,
    TYPE_STATUS_REQUEST_OCSP = 1,
    LIST_MAX = 32,
    SNI_MAX = 255,
    SCSV_FALLBACK = 0x5600,
};

bool mirror_versions(const struct client_hello *hello, const struct leg_policy *leg,
                     uint16_t *out_min, uint16_t *out_max) {
    uint16_t floor = leg->min_version > TLS1_VERSION ? leg->min_version : TLS1_VERSION;
    uint16_t top = leg->max_version != 0 ? leg->max_version : TLS1_3_VERSION;
    *out_min = UINT16_MAX;
    *out_max = 0;
    for (uint16_t version = floor; version <= top; version++) {
        bool offered = hello->versions.p != NULL
                           ? code_list_has(&hello->versions, version)
                           : version <= hello->legacy_version && version <= TLS1_2_VERSION;
        if (offered) {
            *out_min = version < *out_min ? version : *out_min;
            *out_max = version;
        }
    }
    return *out_max != 0;
}

int mirror_group(uint32_t group) {
    switch (group) {
    case SSL_CURVE_SECP224R1:
        return NID_secp224r1;
    case SSL_CURVE_SECP256R1:
        return NID_X9_62_prime256v1;
    case SSL_CURVE_SECP384R1:
        return NID_secp384r1;
    case SSL_CURVE_SECP521R1:
        return NID_secp521r1;
    case SSL_CURVE_X25519:
        return NID_X25519;
    case SSL_CURVE_CECPQ2:
        return NID_CECPQ2;
    default:
        return NID_undef;
    }
}

static void set_groups(SSL *ssl, const struct code_list *groups) {
    int nids[LIST_MAX];
    size_t num = 0;
    for (size_t i = 0; i < groups->num && num < LIST_MAX; i++) {
        int nid = mirror_group(code_list_at(groups, i));
        if (nid != NID_undef) {
            nids[num++] = nid;
        }
    }
    if (num != 0) {
        (void)SSL_set1_curves(ssl, nids, num);
    }
}

static bool sigalg_known(uint32_t sigalg) {
    return SSL_get_signature_algorithm_name((uint16_t)sigalg, 0) != NULL;
}

static void set_sigalgs(SSL *ssl, const struct code_list *sigalgs) {
    uint16_t prefs[LIST_MAX];
    size_t num = 0;
    for (size_t i = 0; i < sigalgs->num && num < LIST_MAX; i++) {
        uint16_t sigalg = (uint16_t)code_list_at(sigalgs, i);
        bool twice = false;
        for (size_t k = 0; k < num; k++) {
            twice = twice || prefs[k] == sigalg;
        }
        if (!twice && sigalg_known(sigalg)) {
            prefs[num++] = sigalg;
        }
    }
    if (num != 0) {
        (void)SSL_set_verify_algorithm_prefs(ssl, prefs, num);
    }
}

static void set_name(SSL *ssl, const struct client_hello *hello) {
    char name[SNI_MAX + 1];
    size_t len = CBS_len(&hello->sni);
    if (CBS_data(&hello->sni) == NULL || len == 0 || len > SNI_MAX ||
        memchr(CBS_data(&hello->sni), '\0', len) != NULL) {
        return;
    }
    memcpy(name, CBS_data(&hello->sni), len);
    name[len] = '\0';
    (void)SSL_set_tlsext_host_name(ssl, name);
}

// order_place returns where BoringSSL writes an extension when it does not permute them, 0 for
// those of which that is not known.
static unsigned order_place(uint16_t type) {
    static const uint16_t order[] = {
        EXT_SERVER_NAME,
        EXT_EXTENDED_MASTER_SECRET,
        EXT_RENEGOTIATION_INFO,
        EXT_SUPPORTED_GROUPS,
        EXT_EC_POINT_FORMATS,
        EXT_SESSION_TICKET,
        EXT_ALPN,
        EXT_STATUS_REQUEST,
        EXT_SIGNATURE_ALGORITHMS,
        EXT_SCT,
        EXT_KEY_SHARE,
        EXT_PSK_KEY_EXCHANGE_MODES,
        EXT_EARLY_DATA,
        EXT_SUPPORTED_VERSIONS,
        EXT_COMPRESS_CERTIFICATE,
    };
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        if (order[i] == type) {
            return i + 1;
        }
    }
    return 0;
}

// permuted tells whether the client shuffles its extensions, which one hello cannot prove: those
// that send GREASE are BoringSSL's kin, whose fixed order is known.
static bool permuted(const struct client_hello *hello) {
    CBS block = hello->extensions;
    struct extension extension;
    unsigned last = 0;
    while (hello->grease != 0 && extension_next(&block, &extension)) {
        unsigned place = order_place(extension.type);
        if (place != 0 && place < last) {
            return true;
        }
        last = place != 0 ? place : last;
    }
    return false;
}

static unsigned compressions(const struct client_hello *hello) {
    unsigned found = 0;
    for (size_t i = 0; i < hello->cert_compressions.num; i++) {
        uint32_t alg = code_list_at(&hello->cert_compressions, i);
        found |= alg == ALG_ZLIB ? COMPRESS_ZLIB : alg == ALG_BROTLI ? COMPRESS_BROTLI : 0;
    }
    return found;
}

// version_nearest chooses a version where none is offered that policy allows and we speak: the
// policy's one that is nearest to the offer.
static uint16_t version_nearest(const struct client_hello *hello, const struct leg_policy *leg) {
    static const struct leg_policy any;
    uint16_t min, max;
    if (leg->max_version != 0 && mirror_versions(hello, &any, &min, &max) &&
        leg->max_version < min) {
        return leg->max_version;
    }
    return leg->min_version > TLS1_VERSION ? leg->min_version : TLS1_VERSION;
}

SSL *mirror_new(struct session_shared *shared, const struct client_hello *hello,
                const struct leg_policy *leg) {
    uint16_t min, max;
    bool offered = mirror_versions(hello, leg, &min, &max);
    if (!offered) {
        min = max = version_nearest(hello, leg);
    }
    struct offer offer = {0};
    if (offered) {
        offer_init(&offer, &hello->ciphers); // else they were meant for another version
    }
    SSL_CTX *ctx = shared_offer_ctx(shared, compressions(hello), hello->grease != 0, &offer);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx); // `ssl` holds it
    CHECK(ssl != NULL && SSL_set_min_proto_version(ssl, min) &&
          SSL_set_max_proto_version(ssl, max));
    set_groups(ssl, &hello->groups);
    set_sigalgs(ssl, &hello->sigalgs);
    set_name(ssl, hello);
    if (hello->num_alpn != 0) {
        (void)SSL_set_alpn_protos(ssl, CBS_data(&hello->alpn), (unsigned)CBS_len(&hello->alpn));
    }
    if (hello->status_type == TYPE_STATUS_REQUEST_OCSP) {
        SSL_enable_ocsp_stapling(ssl);
    }
    if (hello->sct) {
        SSL_enable_signed_cert_timestamps(ssl);
    }
    if (CBS_data(&hello->session_ticket) == NULL) {
        SSL_set_options(ssl, SSL_OP_NO_TICKET);
    }
    if (code_list_has(&hello->ciphers, SCSV_FALLBACK)) {
        SSL_set_mode(ssl, SSL_MODE_SEND_FALLBACK_SCSV);
    }
    SSL_set_permute_extensions(ssl, permuted(hello));
    SSL_set_enable_ech_grease(ssl, hello->ech.form == ECH_OUTER);
    return ssl;
}

SSL *mirror_own(const struct session_shared *shared, const struct client_hello *hello,
                const struct leg_policy *leg) {
    uint16_t min = leg->min_version > TLS1_VERSION ? leg->min_version : TLS1_VERSION;
    uint16_t max = leg->max_version != 0 ? leg->max_version : TLS1_3_VERSION;
    SSL *ssl = SSL_new(shared_client_ctx(shared, 0, false));
    CHECK(ssl != NULL && SSL_set_min_proto_version(ssl, min < max ? min : max) &&
          SSL_set_max_proto_version(ssl, max));
    set_name(ssl, hello);
    if (hello->num_alpn != 0) {
        (void)SSL_set_alpn_protos(ssl, CBS_data(&hello->alpn), (unsigned)CBS_len(&hello->alpn));
    }
    return ssl;
}

// struct wire_codes is a list as hellos carry it.
struct wire_codes {
    uint8_t bytes[2 * PROFILE_MAX_LIST];
    struct code_list list;
};

static void wire_codes_init(struct wire_codes *out, const struct profile_codes *codes) {
    size_t num = codes->num < PROFILE_MAX_LIST ? codes->num : PROFILE_MAX_LIST;
    for (size_t i = 0; i < num; i++) {
        out->bytes[2 * i] = (uint8_t)(codes->ids[i] >> 8);
        out->bytes[2 * i + 1] = (uint8_t)codes->ids[i];
    }
    out->list = (struct code_list){out->bytes, (uint16_t)num, 2};
}

void mirror_ciphers(SSL *ssl, const struct profile_codes *ciphers) {
    struct wire_codes wire;
    struct offer offer;
    wire_codes_init(&wire, ciphers);
    offer_init(&offer, &wire.list);
    offer_set(&offer, NULL, ssl);
}

void mirror_groups(SSL *ssl, const struct profile_codes *groups) {
    struct wire_codes wire;
    wire_codes_init(&wire, groups);
    set_groups(ssl, &wire.list);
}

void mirror_sigalgs(SSL *ssl, const struct profile_codes *sigalgs) {
    struct wire_codes wire;
    wire_codes_init(&wire, sigalgs);
    set_sigalgs(ssl, &wire.list);
}
