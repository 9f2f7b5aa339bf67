// The server leg of an emulated box: the hello that the server gets, and what becomes of a bad
// chain.
#include <string.h>
#include <strings.h>

#include "proxy/session/emulate.h"
#include "proxy/session/mirror.h"
#include "proxy/session/upstream.h"

enum { ALPN_MAX = 1024 };

static uint16_t newer(uint16_t a, uint16_t b) { return a > b ? a : b; }

static uint16_t older_bound(uint16_t a, uint16_t b) {
    return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

struct leg_policy emulate_bounds(const struct session *s, enum side leg) {
    static const struct leg_policy any;
    bool client = leg == SIDE_CLIENT;
    struct leg_policy bounds = s->rule == NULL ? any
                               : client        ? s->rule->client_leg
                                               : s->rule->server_leg;
    if (s->profile != NULL) {
        const struct profile *p = s->profile;
        uint16_t min = client ? p->client_leg.min_version : p->server_leg.min_version;
        uint16_t max = client ? p->client_leg.max_version : p->server_leg.max_version;
        bounds.min_version = newer(bounds.min_version, min);
        bounds.max_version = older_bound(bounds.max_version, max);
    }
    return bounds;
}

static void set_alpn(SSL *ssl, const struct profile_server_leg *leg) {
    uint8_t list[ALPN_MAX];
    size_t len = 0;
    if (leg->alpn == PROFILE_ALPN_MIRROR) {
        return;
    }
    for (size_t i = 0; leg->alpn == PROFILE_ALPN_FIXED && i < leg->alpn_protocols.num; i++) {
        size_t n = strlen(leg->alpn_protocols.items[i]);
        if (n != 0 && n < 256 && len + 1 + n <= sizeof(list)) {
            list[len++] = (uint8_t)n;
            memcpy(list + len, leg->alpn_protocols.items[i], n);
            len += n;
        }
    }
    (void)SSL_set_alpn_protos(ssl, list, (unsigned)len);
}

static void set_sni(SSL *ssl, const struct profile_server_leg *leg) {
    if (leg->sni == PROFILE_SNI_STRIP) {
        (void)SSL_set_tlsext_host_name(ssl, NULL);
    } else if (leg->sni == PROFILE_SNI_REPLACE && leg->sni_name != NULL) {
        (void)SSL_set_tlsext_host_name(ssl, leg->sni_name);
    }
}

static bool has_code(const struct profile_codes *codes, uint32_t id) {
    for (size_t i = 0; i < codes->num; i++) {
        if (codes->ids[i] == id) {
            return true;
        }
    }
    return false;
}

// set_extensions turns those on and off that the library leaves to us.
static void set_extensions(SSL *ssl, const struct profile_codes *extensions) {
    if (extensions->num == 0) {
        return;
    }
    if (has_code(extensions, TLSEXT_TYPE_status_request)) {
        SSL_enable_ocsp_stapling(ssl);
    }
    if (has_code(extensions, TLSEXT_TYPE_certificate_timestamp)) {
        SSL_enable_signed_cert_timestamps(ssl);
    }
    if (!has_code(extensions, TLSEXT_TYPE_session_ticket)) {
        (void)SSL_set_options(ssl, SSL_OP_NO_TICKET);
    }
}

SSL *emulate_server_leg(struct session *s, const struct client_hello *hello) {
    if (s->profile == NULL) {
        return NULL;
    }
    const struct profile_server_leg *leg = &s->profile->server_leg;
    struct leg_policy bounds = emulate_bounds(s, SIDE_SERVER);
    bool own = leg->hello == PROFILE_HELLO_OWN;
    SSL *ssl = own ? mirror_own(s->shared, hello, &bounds) : mirror_new(s->shared, hello, &bounds);
    mirror_ciphers(ssl, &leg->ciphers);
    mirror_groups(ssl, &leg->groups);
    mirror_sigalgs(ssl, &leg->sigalgs);
    if (own) {
        set_extensions(ssl, &leg->extensions);
    }
    set_alpn(ssl, leg);
    set_sni(ssl, leg);
    return ssl;
}

bool emulate_judges(const struct session *s) {
    const struct profile_server_leg *leg = s->profile == NULL ? NULL : &s->profile->server_leg;
    return leg != NULL && (leg->on_invalid != PROFILE_INVALID_MIRROR || leg->verify.no_chain ||
                           leg->verify.no_host || leg->verify.no_dates || leg->verify.no_strength ||
                           leg->verify.revocation == PROFILE_REVOCATION_NONE);
}

// ignored returns whether the box does not check what `kind` is about.
static bool ignored(const struct profile_verify *verify, enum trust_defect_kind kind) {
    switch (kind) {
    case TRUST_EXPIRED:
    case TRUST_NOT_YET_VALID:
    case TRUST_ISSUER_EXPIRED:
    case TRUST_ISSUER_NOT_YET_VALID:
    case TRUST_VALIDITY_TOO_LONG:
        return verify->no_dates;
    case TRUST_WRONG_HOST:
    case TRUST_CN_ONLY:
    case TRUST_NO_SAN:
        return verify->no_host;
    case TRUST_WEAK_SIGNATURE:
    case TRUST_WEAK_KEY:
        return verify->no_strength;
    case TRUST_REVOKED:
    case TRUST_CRL_STALE:
    case TRUST_CRL_BAD_SIGNATURE:
        return verify->no_chain || verify->revocation == PROFILE_REVOCATION_NONE;
    default:
        return verify->no_chain;
    }
}

// pinned returns whether a key of the chain that came is one of the pins.
static bool pinned(const struct obj *leg, const struct profile_strings *pins) {
    for (size_t i = 0; i < obj_num(leg, F_LEG_CHAIN); i++) {
        const char *key = obj_str(obj_at(leg, F_LEG_CHAIN, i), F_CERT_SPKI_SHA256);
        for (size_t k = 0; key != NULL && k < pins->num; k++) {
            if (strcasecmp(key, pins->items[k]) == 0) {
                return true;
            }
        }
    }
    return false;
}

// staple_says returns whether the server's staple, to be believed, says `result` of the leaf.
static bool staple_says(const struct obj *leg, const char *result) {
    return obj_str_is(obj_get(leg, F_LEG_STAPLE), F_STAPLE_RESULT, result);
}

// revoked returns whether the leaf is bad by what is known of its revocation, lists apart.
static bool revoked(const struct session *s, const struct verification *verification) {
    const struct obj *leg = s->lanes[SIDE_SERVER].observe.leg;
    switch (s->profile->server_leg.verify.revocation) {
    case PROFILE_REVOCATION_NONE:
        return false;
    case PROFILE_REVOCATION_SOFT:
        return s->profile->server_leg.on_invalid != PROFILE_INVALID_MIRROR &&
               staple_says(leg, "revoked");
    case PROFILE_REVOCATION_HARD:
        return verification->crl.status != CRL_GOOD && !staple_says(leg, "good");
    }
    return false;
}

// found_bad returns whether the box finds a defect that it cares about.
static bool found_bad(const struct session *s) {
    const struct verified *verified = s->upstream->verified;
    const struct profile_verify *verify = &s->profile->server_leg.verify;
    const struct obj *leg = s->lanes[SIDE_SERVER].observe.leg;
    if (verified != NULL && (revoked(s, &verified->verification) ||
                             (verify->pins.num != 0 && !pinned(leg, &verify->pins)))) {
        return true;
    }
    for (size_t i = 0; verified != NULL && i < verified->verification.num_defects; i++) {
        const struct trust_defect *defect = &verified->verification.defects[i];
        if (defect->fatal && !ignored(verify, defect->kind)) {
            return true;
        }
    }
    return false;
}

bool emulate_breaks_off(const struct session *s, uint8_t *out_alert) {
    if (s->profile == NULL || !s->profile->server_leg.breaks_off || !emulate_judges(s) ||
        !found_bad(s)) {
        return false;
    }
    const struct verification *verification = &s->upstream->verified->verification;
    enum trust_defect_kind first = TRUST_WRONG_HOST;
    for (size_t i = verification->num_defects; i > 0; i--) {
        const struct trust_defect *defect = &verification->defects[i - 1];
        first = defect->fatal ? defect->kind : first;
    }
    switch (first) {
    case TRUST_EXPIRED:
    case TRUST_NOT_YET_VALID:
        *out_alert = SSL_AD_CERTIFICATE_EXPIRED;
        break;
    case TRUST_SELF_SIGNED:
    case TRUST_UNKNOWN_ROOT:
    case TRUST_UNTRUSTED_ISSUER:
    case TRUST_MISSING_INTERMEDIATE:
        *out_alert = SSL_AD_UNKNOWN_CA;
        break;
    default:
        *out_alert = SSL_AD_BAD_CERTIFICATE;
        break;
    }
    return true;
}

static bool refuse(struct session *s, bool reset, uint8_t alert) {
    end_both(s, "proxy", reset ? "rst" : "alert", "as the emulated box does");
    if (!reset) {
        alert_send(s, alert);
    } else {
        record_finish(s);
        session_reset(s, SIDE_CLIENT);
    }
    session_close(s);
    return true;
}

bool emulate_invalid(struct session *s) {
    static const struct profile_reaction page = {.action = PROFILE_BLOCK_PAGE};
    if (!emulate_judges(s) || !found_bad(s)) {
        return false;
    }
    const struct profile_server_leg *leg = &s->profile->server_leg;
    if (leg->on_invalid != PROFILE_INVALID_MIRROR) {
        emulate_did(s, NULL, "on_invalid");
    }
    switch (leg->on_invalid) {
    case PROFILE_INVALID_MIRROR:
        return false;
    case PROFILE_INVALID_RESIGN_TRUSTED:
        s->emulation.issuer = LEAF_ISSUER_TRUSTED;
        return false;
    case PROFILE_INVALID_RESIGN_UNTRUSTED:
        s->emulation.issuer = LEAF_ISSUER_UNTRUSTED;
        return false;
    case PROFILE_INVALID_SELF_SIGNED:
        s->emulation.issuer = LEAF_ISSUER_SELF;
        return false;
    case PROFILE_INVALID_RESET:
        return refuse(s, true, 0);
    case PROFILE_INVALID_ALERT:
        return refuse(s, false, leg->on_invalid_alert);
    case PROFILE_INVALID_BLOCK_PAGE:
        return react(s, &page, NULL);
    case PROFILE_INVALID_PASS_THROUGH:
        upstream_redial(s);
        return true;
    }
    return false;
}

const struct verification *emulate_shown(const struct session *s) {
    const struct upstream *upstream = s->upstream;
    if (upstream->verified == NULL || !s->rule->server_leg.verify) {
        return NULL;
    }
    bool sound = s->emulation.issuer != LEAF_ISSUER_AUTO || (emulate_judges(s) && !found_bad(s));
    return sound ? NULL : &upstream->verified->verification;
}
