#include "policy/ca/cert_time.h"
#include "policy/ca/trust_checks.h"

// issuer_facts reads the certificate at `depth` of the path, sent or not.
static bool issuer_facts(const struct trust_chain *chain, STACK_OF(X509) * path, size_t depth,
                         struct verification *out, struct cert_facts *facts) {
    int index = out->path[depth].index;
    if (index >= 0) {
        *facts = *chain->facts[index];
        return true;
    }
    uint8_t *der = NULL;
    int len = i2d_X509(sk_X509_value(path, depth), &der);
    if (len <= 0) {
        return false;
    }
    const uint8_t *copy = arena_dup(&out->arena, der, (size_t)len);
    OPENSSL_free(der);
    (void)cert_facts_parse(facts, &out->arena, copy, (size_t)len);
    return true;
}

static void tell(const struct crl_answer *answer, const struct cert_facts *issuer, int index,
                 const char *subject, struct verification *out) {
    char when[CERT_TIME_TEXT];
    const char *who = trust_checks_who(out, index, subject);
    const char *name = issuer->subject != NULL ? issuer->subject : "no name";
    switch (answer->status) {
    case CRL_REVOKED:
        cert_time_format(answer->revoked_at, when);
        trust_checks_add(out, TRUST_REVOKED, true, index, X509_V_ERR_CERT_REVOKED,
                         arena_printf(&out->arena, "%s was revoked by %s at %s%s%s%s", who, name,
                                      when, answer->reason != NULL ? " (" : "",
                                      answer->reason != NULL ? answer->reason : "",
                                      answer->reason != NULL ? ")" : ""));
        return;
    case CRL_STALE:
        cert_time_format(answer->next_update, when);
        trust_checks_add(out, TRUST_CRL_STALE, false, index, X509_V_ERR_CRL_HAS_EXPIRED,
                         arena_printf(&out->arena,
                                      "%s is not in the revocation list of %s, but that was due "
                                      "for renewal at %s",
                                      who, name, when));
        return;
    case CRL_BAD_SIGNATURE:
        trust_checks_add(out, TRUST_CRL_BAD_SIGNATURE, false, index,
                         X509_V_ERR_CRL_SIGNATURE_FAILURE,
                         arena_printf(&out->arena,
                                      "the revocation list of %s is not signed with its key, so it "
                                      "says nothing of %s",
                                      name, who));
        return;
    default:
        return;
    }
}

static void note_due(const struct crl_answer *answer, int64_t now, struct verification *out) {
    int64_t due = answer->next_update + 1;
    bool counts = answer->status == CRL_GOOD && answer->has_next_update && due > now;
    if (counts && (out->crl_due == 0 || due < out->crl_due)) {
        out->crl_due = due;
    }
}

void trust_checks_crl(const struct trust *trust, const struct trust_chain *chain,
                      STACK_OF(X509) * path, int64_t now, struct verification *out) {
    struct crl_set *crls = trust_crls(trust);
    for (size_t i = 0; crl_set_num(crls) != 0 && i + 1 < out->num_path; i++) {
        struct cert_facts cert, issuer;
        struct crl_answer answer;
        if (!issuer_facts(chain, path, i, out, &cert) ||
            !issuer_facts(chain, path, i + 1, out, &issuer)) {
            return;
        }
        crl_set_ask(crls, &answer, &cert, &issuer, now);
        tell(&answer, &issuer, out->path[i].index, out->path[i].subject, out);
        note_due(&answer, now, out);
        if (i == 0) {
            out->crl = answer;
        }
    }
}
