// The server leg has failed: what the client is shown.
#include "proxy/session/upstream.h"

// The alert that says to the client what is wrong with the server's chain; the first that applies
// (RFC 8446 section 6.2).
static uint8_t defect_alert(const struct verification *verification) {
    static const struct {
        enum trust_defect_kind kind;
        uint8_t alert;
    } rows[] = {
        {TRUST_EXPIRED, SSL_AD_CERTIFICATE_EXPIRED},
        {TRUST_NOT_YET_VALID, SSL_AD_CERTIFICATE_EXPIRED},
        {TRUST_SELF_SIGNED, SSL_AD_UNKNOWN_CA},
        {TRUST_UNKNOWN_ROOT, SSL_AD_UNKNOWN_CA},
        {TRUST_UNTRUSTED_ISSUER, SSL_AD_UNKNOWN_CA},
        {TRUST_MISSING_INTERMEDIATE, SSL_AD_UNKNOWN_CA},
        {TRUST_WRONG_HOST, SSL_AD_BAD_CERTIFICATE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct trust_defect *defect = verification_find(verification, rows[i].kind);
        if (defect != NULL && defect->fatal) {
            return rows[i].alert;
        }
    }
    return SSL_AD_BAD_CERTIFICATE;
}

static uint8_t failure_alert(const struct upstream *upstream) {
    switch (upstream->failure) {
    case FAILURE_ALERT:
        return upstream->alert;
    case FAILURE_CERTIFICATE:
        return defect_alert(&upstream->verified->verification);
    case FAILURE_PROTOCOL:
        return SSL_AD_HANDSHAKE_FAILURE;
    default:
        return SSL_AD_INTERNAL_ERROR;
    }
}

// mirror does to the client what the server did to us.
static void mirror(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    const struct lane *server = &s->lanes[SIDE_SERVER];
    switch (s->upstream->failure) {
    case FAILURE_RST:
        end_set(s, SIDE_CLIENT, "proxy", "rst", "as the server did");
        record_finish(s);
        session_reset(s, SIDE_CLIENT);
        break;
    case FAILURE_FIN:
        end_set(s, SIDE_CLIENT, "proxy", "fin", "as the server did");
        break;
    case FAILURE_TIMEOUT:
        session_reset(s, SIDE_SERVER);
        end_set(s, SIDE_CLIENT, "proxy", "timeout", "as the server did");
        record_finish(s);
        session_enter(s, STATE_SILENT, s->shared->limits.silent_us);
        return;
    case FAILURE_NOT_TLS:
        end_set(s, SIDE_CLIENT, "proxy", "fin", "the server's own bytes, which are not TLS");
        (void)!lane_put(client, server->head, server->head_len);
        break;
    default:
        end_set(s, SIDE_CLIENT, "proxy", "alert", NULL);
        alert_send(s, failure_alert(s->upstream));
    }
    session_close(s);
}

void failure_show(struct session *s) {
    switch (s->rule->on_failure) {
    case ON_FAILURE_MIRROR:
        mirror(s);
        return;
    case ON_FAILURE_ALERT:
        end_set(s, SIDE_CLIENT, "proxy", "alert", NULL);
        alert_send(s, failure_alert(s->upstream));
        session_close(s);
        return;
    case ON_FAILURE_PAGE:
        downstream_begin(s);
    }
}
