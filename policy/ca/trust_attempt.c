#include "policy/ca/trust_attempt.h"

#include <string.h>

#include "policy/ca/cert_signature.h"

static void add_complaint(struct trust_attempt *attempt, int code, int depth) {
    if (attempt->num_errors < TRUST_ATTEMPT_MAX_ERRORS) {
        attempt->errors[attempt->num_errors].code = code;
        attempt->errors[attempt->num_errors].depth = depth;
        attempt->num_errors++;
    }
}

static int on_event(int ok, X509_STORE_CTX *ctx) {
    if (!ok) {
        add_complaint(X509_STORE_CTX_get_ex_data(ctx, 0), X509_STORE_CTX_get_error(ctx),
                      X509_STORE_CTX_get_error_depth(ctx));
    }
    return 1;
}

int trust_attempt_index(const struct trust_chain *chain, X509 *cert) {
    for (size_t i = 0; i < chain->num; i++) {
        if (chain->certs[i] == cert) {
            return (int)i;
        }
    }
    for (size_t i = 0; i < chain->num; i++) {
        if (chain->certs[i] != NULL && X509_cmp(chain->certs[i], cert) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void trust_attempt_hash(const struct trust_chain *chain, X509 *cert,
                        uint8_t out[SHA256_DIGEST_LENGTH]) {
    int index = trust_attempt_index(chain, cert);
    if (index >= 0) {
        memcpy(out, chain->facts[index]->sha256, SHA256_DIGEST_LENGTH);
    } else {
        trust_root_hash(cert, out);
    }
}

static void check_signature(struct trust_attempt *attempt, X509 *cert, X509 *issuer, int depth) {
    EVP_PKEY *key = X509_get_pubkey(issuer);
    if (key == NULL) {
        add_complaint(attempt, X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, depth);
        return;
    }
    bool ok;
    if (depth == 0) {
        ok = X509_verify(cert, key) > 0; // what became of a leaf is remembered with its chain
    } else {
        uint8_t hash[SHA256_DIGEST_LENGTH], issuer_hash[SHA256_DIGEST_LENGTH];
        trust_attempt_hash(attempt->chain, cert, hash);
        trust_attempt_hash(attempt->chain, issuer, issuer_hash);
        ok = cert_signature_link(cert, hash, key, issuer_hash);
    }
    if (!ok) {
        add_complaint(attempt, X509_V_ERR_CERT_SIGNATURE_FAILURE, depth);
    }
    EVP_PKEY_free(key);
}

// check_date adds what is wrong with one of the dates; `outside` is the sign of a comparison with
// now that is bad.
static void check_date(struct trust_attempt *attempt, const ASN1_TIME *date, int outside,
                       int unreadable, int bad, int depth) {
    time_t now = attempt->now;
    int order = X509_cmp_time(date, &now);
    if (order == 0) {
        add_complaint(attempt, unreadable, depth);
    } else if (order == outside) {
        add_complaint(attempt, bad, depth);
    }
}

// verify_links is the last step of X509_verify_cert, what libcrypto's internal_verify does under
// X509_V_FLAG_PARTIAL_CHAIN with a callback that goes on after each complaint: from the top, which
// is trusted or complained about already, each signature and both dates.
static int verify_links(X509_STORE_CTX *ctx) {
    struct trust_attempt *attempt = X509_STORE_CTX_get_ex_data(ctx, 0);
    const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    size_t num = sk_X509_num(path);
    for (size_t i = num; i-- > 0;) {
        X509 *cert = sk_X509_value(path, i);
        if (i + 1 < num) {
            check_signature(attempt, cert, sk_X509_value(path, i + 1), (int)i);
        }
        check_date(attempt, X509_get0_notBefore(cert), 1, X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
                   X509_V_ERR_CERT_NOT_YET_VALID, (int)i);
        check_date(attempt, X509_get0_notAfter(cert), -1, X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD,
                   X509_V_ERR_CERT_HAS_EXPIRED, (int)i);
    }
    return 1;
}

void trust_attempt_run(struct trust_attempt *attempt, const struct trust *trust,
                       const struct trust_chain *chain, const bool *skip, int64_t now) {
    *attempt = (struct trust_attempt){.chain = chain, .now = now};
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    CHECK(ctx != NULL && others != NULL);
    for (size_t i = 1; i < chain->num; i++) {
        CHECK(skip[i] || chain->certs[i] == NULL || sk_X509_push(others, chain->certs[i]));
    }
    CHECK(X509_STORE_CTX_init(ctx, trust_store(trust), chain->certs[0], others) &&
          X509_STORE_CTX_set_default(ctx, "ssl_server") &&
          X509_STORE_CTX_set_ex_data(ctx, 0, attempt));
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_CTX_set_depth(ctx, TRUST_MAX_PATH);
    X509_STORE_CTX_set_time(ctx, 0, now);
    X509_STORE_CTX_set_verify_cb(ctx, on_event);
    if (X509_verify_cert(ctx) <= 0 && attempt->num_errors == 0) {
        on_event(0, ctx);
    }
    attempt->path = X509_STORE_CTX_get1_chain(ctx);
    X509_STORE_CTX_free(ctx);
    sk_X509_free(others);
    ERR_clear_error();
}

void trust_attempt_cleanup(struct trust_attempt *attempt) {
    sk_X509_pop_free(attempt->path, X509_free);
    *attempt = (struct trust_attempt){0};
}

void trust_attempt_prepare(X509_STORE *store) { X509_STORE_set_verify(store, verify_links); }
