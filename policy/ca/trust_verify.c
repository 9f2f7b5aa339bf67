#include "policy/ca/trust_verify.h"

#include <stdlib.h>
#include <string.h>

#include "policy/ca/cert_memo.h"
#include "policy/ca/cert_text.h"
#include "policy/ca/cert_time.h"
#include "policy/ca/trust_attempt.h"
#include "policy/ca/trust_checks.h"
#include "policy/ca/verification_pack.h"

// The longest time, in seconds, for which an answer is called the same.
enum { SAME_MAX = 60 * 60, SAME_INCOMPLETE = 60 };

// What libcrypto's complaint about the leaf, and about any other certificate, means.
static const struct {
    int code;
    enum trust_defect_kind leaf, other;
    const char *says;
} meanings[] = {
    // clang-format off
    {X509_V_ERR_CERT_HAS_EXPIRED, TRUST_EXPIRED, TRUST_ISSUER_EXPIRED, "has expired"},
    {X509_V_ERR_CERT_NOT_YET_VALID, TRUST_NOT_YET_VALID, TRUST_ISSUER_NOT_YET_VALID, "is not yet valid"},
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, TRUST_MALFORMED, TRUST_MALFORMED, "has no readable notBefore"},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, TRUST_MALFORMED, TRUST_MALFORMED, "has no readable notAfter"},
    {X509_V_ERR_INVALID_EXTENSION, TRUST_MALFORMED, TRUST_MALFORMED, "has a malformed or repeated extension"},
    {X509_V_ERR_INVALID_POLICY_EXTENSION, TRUST_MALFORMED, TRUST_MALFORMED, "has a malformed policy extension"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TRUST_SELF_SIGNED, TRUST_UNKNOWN_ROOT, "is self-signed"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TRUST_SELF_SIGNED, TRUST_UNKNOWN_ROOT, "is a root that is not trusted here"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TRUST_MISSING_INTERMEDIATE, TRUST_UNTRUSTED_ISSUER, "was issued by"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TRUST_MISSING_INTERMEDIATE, TRUST_UNTRUSTED_ISSUER, "was issued by"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, TRUST_MISSING_INTERMEDIATE, TRUST_UNTRUSTED_ISSUER, "was issued by"},
    {X509_V_ERR_CERT_UNTRUSTED, TRUST_UNTRUSTED_ISSUER, TRUST_UNKNOWN_ROOT, "is not trusted for servers"},
    {X509_V_ERR_CERT_REJECTED, TRUST_UNTRUSTED_ISSUER, TRUST_UNKNOWN_ROOT, "is explicitly distrusted"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, TRUST_BAD_SIGNATURE, TRUST_BAD_SIGNATURE, "has a signature that is not its issuer's"},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, TRUST_BAD_SIGNATURE, TRUST_BAD_SIGNATURE, "has an unreadable signature"},
    {X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, TRUST_BAD_SIGNATURE, TRUST_BAD_SIGNATURE, "has an issuer whose key cannot be used"},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, TRUST_TOO_LONG, TRUST_TOO_LONG, "is at the end of a path that is too long"},
    {X509_V_ERR_INVALID_CA, TRUST_BASIC_CONSTRAINTS, TRUST_BASIC_CONSTRAINTS, "is no CA but was used as one"},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, TRUST_BASIC_CONSTRAINTS, TRUST_BASIC_CONSTRAINTS, "is further from the leaf than its path length allows"},
    {X509_V_ERR_INVALID_NON_CA, TRUST_BASIC_CONSTRAINTS, TRUST_BASIC_CONSTRAINTS, "is a CA where none may be"},
    {X509_V_ERR_INVALID_PURPOSE, TRUST_EXT_KEY_USAGE, TRUST_EXT_KEY_USAGE, "is not for TLS servers"},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, TRUST_KEY_USAGE, TRUST_KEY_USAGE, "may not sign certificates (key usage lacks keyCertSign)"},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, TRUST_UNKNOWN_CRITICAL, TRUST_UNKNOWN_CRITICAL, "has a critical extension that is unknown:"},
    {X509_V_ERR_PERMITTED_VIOLATION, TRUST_NAME_CONSTRAINTS, TRUST_NAME_CONSTRAINTS, "has a name that its CA is not permitted to certify"},
    {X509_V_ERR_EXCLUDED_VIOLATION, TRUST_NAME_CONSTRAINTS, TRUST_NAME_CONSTRAINTS, "has a name that its CA is excluded from"},
    {X509_V_ERR_SUBTREE_MINMAX, TRUST_NAME_CONSTRAINTS, TRUST_NAME_CONSTRAINTS, "has name constraints with minimum or maximum"},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, TRUST_NAME_CONSTRAINTS, TRUST_NAME_CONSTRAINTS, "has name constraints of an unknown type"},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, TRUST_NAME_CONSTRAINTS, TRUST_NAME_CONSTRAINTS, "has malformed name constraints"},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, TRUST_NAME_CONSTRAINTS, TRUST_NAME_CONSTRAINTS, "has a name that constraints cannot be checked for"},
    {X509_V_ERR_NAME_CONSTRAINTS_WITHOUT_SANS, TRUST_NAME_CONSTRAINTS, TRUST_NAME_CONSTRAINTS, "has no alternative names, below a CA with name constraints"},
    {0, TRUST_OTHER, TRUST_OTHER, "does not verify"},
    // clang-format on
};

// Picks a certificate that was sent and spoils the path, so that another way may be tried without
// it: cross-signed intermediates come in a good and a stale copy. 0: there is none.
static size_t pick_culprit(const struct trust_attempt *attempt, const struct trust_chain *chain) {
    for (size_t i = 0; i < attempt->num_errors; i++) {
        int depth = attempt->errors[i].depth;
        if (attempt->errors[i].code == X509_V_ERR_CERT_SIGNATURE_FAILURE) {
            depth++; // the issuer may be a namesake
        }
        X509 *cert = depth > 0 && (size_t)depth < sk_X509_num(attempt->path)
                         ? sk_X509_value(attempt->path, (size_t)depth)
                         : NULL;
        int index = cert != NULL ? trust_attempt_index(chain, cert) : -1;
        if (index > 0) {
            return (size_t)index;
        }
    }
    return 0;
}

// The subject of a certificate of the path.
static const char *subject_of(X509 *cert, const struct trust_chain *chain, struct arena *arena) {
    const uint8_t *der;
    size_t der_len;
    CBS name, contents;
    const char *subject = "";
    int index = trust_attempt_index(chain, cert);
    if (index >= 0) {
        return chain->facts[index]->subject != NULL ? chain->facts[index]->subject : "";
    }
    if (X509_NAME_get0_der(X509_get_subject_name(cert), &der, &der_len)) {
        CBS_init(&name, der, der_len);
        if (CBS_get_asn1(&name, &contents, CBS_ASN1_SEQUENCE)) {
            (void)cert_text_name(contents, arena, &subject);
        }
    }
    return subject;
}

// Keeps what became of a path, unless the first one is good at once.
static void note_try(const struct trust_attempt *attempt, const struct trust_chain *chain,
                     struct verification *out) {
    if (attempt->num_errors == 0 && out->num_tries == 0) {
        return;
    }
    struct trust_try *try = &out->tries[out->num_tries++];
    size_t num = attempt->path != NULL ? sk_X509_num(attempt->path) : 0;
    for (size_t i = 0; i < num && i < ARRAY_LEN(try->subjects); i++) {
        try->subjects[try->num_subjects++] =
            subject_of(sk_X509_value(attempt->path, i), chain, &out->arena);
    }
    for (size_t i = 0; i < attempt->num_errors && i < ARRAY_LEN(try->because); i++) {
        try->because[try->num_because++] =
            arena_printf(&out->arena, "%d: %s", attempt->errors[i].depth,
                         X509_verify_cert_error_string(attempt->errors[i].code));
    }
}

// Finds the path that verifies, else the first that was built.
static void find_path(struct trust_attempt *best, const struct trust *trust,
                      const struct trust_chain *chain, int64_t now, struct verification *out) {
    bool skip[TRUST_MAX_CHAIN] = {false};
    trust_attempt_run(best, trust, chain, skip, now);
    note_try(best, chain, out);
    struct trust_attempt *last = best, next = {0};
    for (int tries = 1; tries < TRUST_MAX_TRIES && last->num_errors != 0; tries++) {
        size_t culprit = pick_culprit(last, chain);
        if (culprit == 0) {
            break;
        }
        skip[culprit] = true;
        trust_attempt_cleanup(&next);
        trust_attempt_run(&next, trust, chain, skip, now);
        note_try(&next, chain, out);
        last = &next;
    }
    if (last != best && last->num_errors == 0) {
        trust_attempt_cleanup(best);
        *best = next;
    } else {
        trust_attempt_cleanup(&next);
    }
}

static bool is_trust_error(int code) {
    switch (code) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
        return true;
    default:
        return false;
    }
}

static void keep_issuer(X509 *cert, struct verification *out) {
    uint8_t *der = NULL;
    int len = i2d_X509(cert, &der);
    if (len > 0) {
        CBS_init(&out->issuer, arena_dup(&out->arena, der, (size_t)len), (size_t)len);
        OPENSSL_free(der);
    }
}

static void copy_path(const struct trust_attempt *attempt, const struct trust_chain *chain,
                      struct verification *out) {
    size_t num = attempt->path != NULL ? sk_X509_num(attempt->path) : 0;
    for (size_t i = 0; i < num && i < TRUST_MAX_STEPS; i++) {
        X509 *cert = sk_X509_value(attempt->path, i);
        struct trust_step *step = &out->path[out->num_path++];
        step->index = trust_attempt_index(chain, cert);
        step->subject = subject_of(cert, chain, &out->arena);
        trust_attempt_hash(chain, cert, step->sha256);
    }
    if (num > 1 && out->path[1].index < 0) {
        keep_issuer(sk_X509_value(attempt->path, 1), out);
    }
    out->complete = num != 0;
    for (size_t i = 0; i < attempt->num_errors; i++) {
        out->complete = out->complete && !is_trust_error(attempt->errors[i].code);
    }
}

// libcrypto found no issuer for `index`: is there one in the chain that it would not take?
static bool explain_refused_issuer(const struct trust_chain *chain, int index,
                                   struct verification *out) {
    const struct cert_facts *facts = chain->facts[index];
    for (size_t i = 1; i < chain->num; i++) {
        if ((int)i == index || chain->certs[i] == NULL || chain->certs[index] == NULL ||
            !CBS_mem_equal(&chain->facts[i]->raw.subject, CBS_data(&facts->raw.issuer),
                           CBS_len(&facts->raw.issuer))) {
            continue;
        }
        int code = X509_check_issued(chain->certs[i], chain->certs[index]);
        const char *who = trust_checks_who(out, (int)i, chain->facts[i]->subject);
        if (code == X509_V_ERR_KEYUSAGE_NO_CERTSIGN) {
            trust_checks_add(out, TRUST_KEY_USAGE, true, (int)i, code,
                             arena_printf(&out->arena,
                                          "%s may not sign certificates (key usage lacks "
                                          "keyCertSign)",
                                          who));
            return true;
        }
    }
    return false;
}

static void add_missing_issuer(const struct trust_chain *chain, int index, size_t num_path,
                               int code, struct verification *out) {
    const struct cert_facts *facts = chain->facts[index < 0 ? 0 : index];
    const char *who = trust_checks_who(out, index, facts->subject);
    if (num_path > TRUST_MAX_PATH) {
        trust_checks_add(out, TRUST_TOO_LONG, true, index, X509_V_ERR_CERT_CHAIN_TOO_LONG,
                         arena_printf(&out->arena,
                                      "the path to a root has more than %d certificates",
                                      TRUST_MAX_PATH));
        return;
    }
    if (index >= 0 && explain_refused_issuer(chain, index, out)) {
        return;
    }
    if (index >= 0 && facts->self_issued && cert_facts_self_signed(facts)) {
        // libcrypto does not take a certificate without keyCertSign for its own issuer.
        trust_checks_add(out, index == 0 ? TRUST_SELF_SIGNED : TRUST_UNKNOWN_ROOT, true, index,
                         code, arena_printf(&out->arena, "%s is self-signed", who));
        return;
    }
    out->missing_issuer = facts->issuer;
    out->ca_issuers = facts->ca_issuers.num != 0 ? facts->ca_issuers.items[0] : NULL;
    trust_checks_add(out, index == 0 ? TRUST_MISSING_INTERMEDIATE : TRUST_UNTRUSTED_ISSUER, true,
                     index, code,
                     arena_printf(&out->arena,
                                  "%s was issued by %s, which is neither in the chain nor trusted "
                                  "here",
                                  who, facts->issuer != NULL ? facts->issuer : "no name"));
}

// root_dates reads both dates of a certificate that is not in the chain as sent.
static bool root_dates(X509 *root, int64_t *out_not_before, int64_t *out_not_after) {
    const ASN1_TIME *times[] = {X509_get0_notBefore(root), X509_get0_notAfter(root)};
    int64_t *const out[] = {out_not_before, out_not_after};
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        CBS text;
        bool der;
        CBS_init(&text, ASN1_STRING_get0_data(times[i]), (size_t)ASN1_STRING_length(times[i]));
        if (!cert_time_parse(text, (unsigned)ASN1_STRING_type(times[i]), out[i], &der)) {
            return false;
        }
    }
    return true;
}

static void note_root_dates(X509 *root, int64_t now, struct verification *out) {
    int64_t not_before, not_after;
    if (root_dates(root, &not_before, &not_after)) {
        trust_checks_note_dates(out, not_before, not_after, now);
    }
}

// same_narrow keeps the interval of the same answer away from the moment `at`, which belongs to
// what comes after it.
static void same_narrow(struct verification *out, int64_t at, int64_t now) {
    if (at <= now) {
        out->same_from = at > out->same_from ? at : out->same_from;
    } else {
        out->same_until = at < out->same_until ? at : out->same_until;
    }
}

// same_interval finds how long the answer stays the same. A path that could not be built may be
// built at another time with another root, so that is asked again soon.
static void same_interval(const struct trust_attempt *attempt, const struct trust_chain *chain,
                          int64_t now, struct verification *out) {
    int64_t span = out->complete ? SAME_MAX : SAME_INCOMPLETE;
    out->same_from = now - span;
    out->same_until = now + span;
    for (size_t i = 0; i < chain->num; i++) {
        const struct cert_facts *facts = chain->facts[i];
        if (facts->has_not_before) {
            same_narrow(out, facts->not_before, now);
        }
        if (facts->has_not_after) {
            same_narrow(out, facts->not_after, now);
            same_narrow(out, facts->not_after + 1, now);
        }
    }
    if (out->crl_due != 0) {
        same_narrow(out, out->crl_due, now);
    }
    size_t num = attempt->path != NULL ? sk_X509_num(attempt->path) : 0;
    int64_t not_before, not_after;
    if (num != 0 && root_dates(sk_X509_value(attempt->path, num - 1), &not_before, &not_after)) {
        same_narrow(out, not_before, now);
        same_narrow(out, not_after, now);
        same_narrow(out, not_after + 1, now);
    }
}

// The library has one code where the record has two causes.
static enum trust_defect_kind refine(enum trust_defect_kind kind, const struct cert_facts *facts) {
    if (kind == TRUST_EXT_KEY_USAGE && facts != NULL && facts->server_auth) {
        return TRUST_KEY_USAGE;
    }
    if (kind == TRUST_EXT_KEY_USAGE && facts != NULL && !facts->has_ext_key_usage) {
        return facts->has_key_usage ? TRUST_KEY_USAGE : TRUST_BASIC_CONSTRAINTS;
    }
    if (kind == TRUST_SELF_SIGNED && facts != NULL && !cert_facts_self_signed(facts)) {
        return TRUST_BAD_SIGNATURE;
    }
    return kind;
}

static void add_error(const struct trust_attempt *attempt, const struct trust_chain *chain,
                      int code, int depth, int64_t now, struct verification *out) {
    size_t m = 0, num_path = attempt->path != NULL ? sk_X509_num(attempt->path) : 0;
    while (meanings[m].code != code && meanings[m].code != 0) {
        m++;
    }
    X509 *cert =
        depth >= 0 && (size_t)depth < num_path ? sk_X509_value(attempt->path, (size_t)depth) : NULL;
    int index = cert != NULL ? trust_attempt_index(chain, cert) : 0;
    enum trust_defect_kind kind = index == 0 ? meanings[m].leaf : meanings[m].other;
    if (kind == TRUST_MISSING_INTERMEDIATE || kind == TRUST_UNTRUSTED_ISSUER) {
        add_missing_issuer(chain, index, num_path, code, out);
        return;
    }
    if (index < 0) {
        note_root_dates(cert, now, out);
    }
    const struct cert_facts *facts = index >= 0 ? chain->facts[index] : NULL;
    const char *subject = facts != NULL                   ? facts->subject
                          : (size_t)depth < out->num_path ? out->path[depth].subject
                                                          : NULL;
    bool names_extension =
        kind == TRUST_UNKNOWN_CRITICAL && facts != NULL && facts->unknown_critical.num != 0;
    trust_checks_add(out, refine(kind, facts), true, index, code,
                     arena_printf(&out->arena, "%s %s%s%s", trust_checks_who(out, index, subject),
                                  meanings[m].says, names_extension ? " " : "",
                                  names_extension ? facts->unknown_critical.items[0] : ""));
}

static void finish(struct verification *out) {
    struct trust_defect sorted[TRUST_MAX_DEFECTS];
    size_t num = 0;
    out->ok = true;
    out->dates_only = true;
    for (int fatal = 1; fatal >= 0; fatal--) {
        for (size_t i = 0; i < out->num_defects; i++) {
            const struct trust_defect *defect = &out->defects[i];
            if (defect->fatal != (fatal == 1)) {
                continue;
            }
            sorted[num++] = *defect;
            out->ok = out->ok && !defect->fatal;
            bool date = defect->kind == TRUST_EXPIRED || defect->kind == TRUST_NOT_YET_VALID ||
                        defect->kind == TRUST_ISSUER_EXPIRED ||
                        defect->kind == TRUST_ISSUER_NOT_YET_VALID;
            out->dates_only = out->dates_only && (date || !defect->fatal);
        }
    }
    out->dates_only = out->dates_only && !out->ok;
    if (num != 0) {
        memcpy(out->defects, sorted, num * sizeof(sorted[0]));
    }
}

static bool check_size(const CBS *chain, size_t num_chain, struct verification *out) {
    size_t bytes = 0;
    for (size_t i = 0; i < num_chain && i < TRUST_MAX_CHAIN; i++) {
        bytes += CBS_len(&chain[i]);
    }
    if (num_chain == 0) {
        trust_checks_add(out, TRUST_EMPTY_CHAIN, true, -1, 0, "the server sent no certificate");
        return false;
    }
    if (num_chain > TRUST_MAX_CHAIN || bytes > TRUST_MAX_CHAIN_BYTES) {
        trust_checks_add(out, TRUST_TOO_LONG, true, -1, 0,
                         arena_printf(&out->arena,
                                      "the server sent %zu certificates, more than the %d, or more "
                                      "than the %d bytes, that are looked into",
                                      num_chain, TRUST_MAX_CHAIN, TRUST_MAX_CHAIN_BYTES));
        return false;
    }
    return true;
}

// verify points to `facts`, those of `chain`, in `out`.
static void verify(const struct trust *trust, const CBS *chain, size_t num_chain,
                   const struct cert_facts **facts, const char *host, int64_t now,
                   struct verification *out) {
    X509 *certs[TRUST_MAX_CHAIN];
    struct trust_chain sent = {.num = num_chain, .facts = facts, .certs = certs};
    for (size_t i = 0; i < num_chain; i++) {
        certs[i] = i == 0 ? cert_facts_x509(chain[i]) : cert_memo_x509(chain[i]);
    }
    struct trust_attempt attempt = {0};
    if (sent.certs[0] != NULL) {
        find_path(&attempt, trust, &sent, now, out);
        copy_path(&attempt, &sent, out);
    }
    trust_checks_run(&sent, host, now, out);
    trust_checks_crl(trust, &sent, attempt.path, now, out);
    for (size_t i = 0; i < attempt.num_errors; i++) {
        add_error(&attempt, &sent, attempt.errors[i].code, attempt.errors[i].depth, now, out);
    }
    same_interval(&attempt, &sent, now, out);
    trust_attempt_cleanup(&attempt);
    for (size_t i = 0; i < num_chain; i++) {
        X509_free(certs[i]);
    }
    ERR_clear_error();
}

void trust_verify(const struct trust *trust, const CBS *chain, size_t num_chain, const char *host,
                  int64_t now, struct verification *out) {
    struct trust_defect defects[TRUST_MAX_DEFECTS];
    struct trust_step path[TRUST_MAX_STEPS];
    struct trust_try tries[TRUST_MAX_TRIES] = {{.num_subjects = 0}};
    *out = (struct verification){
        .defects = defects, .path = path, .tries = tries, .same_from = now, .same_until = now + 1};
    const struct cert_facts *facts[TRUST_MAX_CHAIN];
    size_t num_facts = check_size(chain, num_chain, out) ? num_chain : 0;
    for (size_t i = 0; i < num_facts; i++) {
        facts[i] = cert_memo_hold(chain[i]);
    }
    if (num_facts != 0) {
        verify(trust, chain, num_chain, facts, host, now, out);
    }
    finish(out);
    verification_pack(out); // copies what it has of the facts
    for (size_t i = 0; i < num_facts; i++) {
        cert_memo_release(facts[i]);
    }
}

void verification_cleanup(struct verification *verification) {
    arena_cleanup(&verification->arena);
    free(verification->held);
    *verification = (struct verification){0};
}

const struct trust_defect *verification_find(const struct verification *verification,
                                             enum trust_defect_kind kind) {
    for (size_t i = 0; i < verification->num_defects; i++) {
        if (verification->defects[i].kind == kind) {
            return &verification->defects[i];
        }
    }
    return NULL;
}

const char *trust_defect_id(enum trust_defect_kind kind) {
    static const char *const ids[] = {
#define DEFECT(name, id) id,
#include "policy/ca/trust_defects.inc"
#undef DEFECT
    };
    CHECK((size_t)kind < ARRAY_LEN(ids));
    return ids[kind];
}
