#include "policy/ca/trust_checks.h"

#include <string.h>

#include "policy/ca/cert_time.h"
#include "policy/ca/host_name.h"

enum { DAY = 24 * 60 * 60, MAX_PUBLIC_DAYS = 398, MAX_APPLE_DAYS = 825 };

int trust_checks_depth(const struct verification *out, int index) {
    for (size_t i = 0; i < out->num_path; i++) {
        if (out->path[i].index == index) {
            return (int)i;
        }
    }
    return -1;
}

// Where the next defect goes. In a full list a fatal one takes the place of the last that is not.
static struct trust_defect *new_defect(struct verification *out, bool fatal) {
    if (out->num_defects < TRUST_MAX_DEFECTS) {
        return &out->defects[out->num_defects++];
    }
    for (size_t i = TRUST_MAX_DEFECTS; fatal && i > 0; i--) {
        if (!out->defects[i - 1].fatal) {
            return &out->defects[i - 1];
        }
    }
    return NULL;
}

void trust_checks_add(struct verification *out, enum trust_defect_kind kind, bool fatal, int index,
                      int code, const char *says) {
    struct trust_defect *defect = NULL;
    for (size_t i = 0; i < out->num_defects && defect == NULL; i++) {
        if (out->defects[i].kind == kind && out->defects[i].index == index) {
            defect = &out->defects[i];
        }
    }
    if (defect == NULL) {
        defect = new_defect(out, fatal);
        if (defect == NULL) {
            return;
        }
        *defect = (struct trust_defect){.kind = kind, .index = index, .says = says};
        defect->depth = trust_checks_depth(out, index);
    }
    defect->fatal = defect->fatal || fatal;
    if (defect->code == 0 && code != 0) {
        defect->code = code;
        defect->code_text = X509_verify_cert_error_string(code);
    }
}

const char *trust_checks_who(struct verification *out, int index, const char *subject) {
    if (index == 0) {
        return "the server's certificate";
    }
    if (subject == NULL || subject[0] == '\0') {
        subject = "no name";
    }
    return index < 0
               ? arena_printf(&out->arena, "the root (%s)", subject)
               : arena_printf(&out->arena, "certificate %d of the chain (%s)", index + 1, subject);
}

static void check_malformed(const struct trust_chain *chain, int i, struct verification *out) {
    const struct cert_facts *facts = chain->facts[i];
    if (chain->certs[i] != NULL && facts->problem == NULL && !facts->serial_negative) {
        return;
    }
    const char *what = facts->problem != NULL    ? facts->problem
                       : chain->certs[i] == NULL ? "BoringSSL refuses it"
                                                 : "its serial number is negative";
    trust_checks_add(out, TRUST_MALFORMED, chain->certs[i] == NULL && i == 0, i, 0,
                     arena_printf(&out->arena, "%s is malformed: %s",
                                  trust_checks_who(out, i, facts->subject), what));
}

static void add_date(struct verification *out, enum trust_defect_kind kind, bool fatal, int i,
                     const char *subject, const char *how, int64_t limit, int64_t now) {
    char when[CERT_TIME_TEXT];
    cert_time_format(limit, when);
    int64_t days = (now > limit ? now - limit : limit - now) / DAY;
    trust_checks_add(out, kind, fatal, i, 0,
                     arena_printf(&out->arena, "%s %s %s (%lld days %s)%s",
                                  trust_checks_who(out, i, subject), how, when, (long long)days,
                                  now > limit ? "ago" : "from now",
                                  fatal ? "" : ", but is not needed"));
}

void trust_checks_note_dates(struct verification *out, int64_t not_before, int64_t not_after,
                             int64_t now) {
    if (not_after < now && (out->fatal_not_after == 0 || not_after < out->fatal_not_after)) {
        out->fatal_not_after = not_after;
    }
    if (not_before > now && not_before > out->fatal_not_before) {
        out->fatal_not_before = not_before;
    }
}

static void check_dates(const struct cert_facts *facts, int i, int64_t now,
                        struct verification *out) {
    bool fatal = i == 0 || trust_checks_depth(out, i) >= 0;
    if (i > 0 && fatal && facts->has_not_before && facts->has_not_after) {
        trust_checks_note_dates(out, facts->not_before, facts->not_after, now);
    }
    if (facts->has_not_after && facts->not_after < now) {
        add_date(out, i == 0 ? TRUST_EXPIRED : TRUST_ISSUER_EXPIRED, fatal, i, facts->subject,
                 "expired at", facts->not_after, now);
    }
    if (facts->has_not_before && facts->not_before > now) {
        add_date(out, i == 0 ? TRUST_NOT_YET_VALID : TRUST_ISSUER_NOT_YET_VALID, fatal, i,
                 facts->subject, "is not valid before", facts->not_before, now);
    }
}

static void check_strength(const struct cert_facts *facts, int i, struct verification *out) {
    bool needed = i == 0 || trust_checks_depth(out, i) >= 0;
    // Nobody relies on the signature that a root gives itself.
    if (facts->signature_weak && !facts->self_issued) {
        trust_checks_add(
            out, TRUST_WEAK_SIGNATURE, needed, i, 0,
            arena_printf(&out->arena, "%s is signed with %s, which today's clients refuse",
                         trust_checks_who(out, i, facts->subject), facts->signature_algorithm));
    }
    bool rsa = facts->key_type != NULL && strcmp(facts->key_type, "RSA") == 0;
    bool ec = facts->key_type != NULL && strcmp(facts->key_type, "EC") == 0;
    if (facts->key_bits != 0 &&
        ((rsa && facts->key_bits < 2048) || (ec && facts->key_bits < 256))) {
        trust_checks_add(out, TRUST_WEAK_KEY, needed && rsa && facts->key_bits < 1024, i, 0,
                         arena_printf(&out->arena,
                                      "%s has a key of %u bits (%s), which some clients refuse",
                                      trust_checks_who(out, i, facts->subject), facts->key_bits,
                                      facts->key_type));
    }
}

// What OpenSSL's X509_V_FLAG_X509_STRICT, and with it Python from 3.13, wants beyond the rest.
static void check_strict(const struct cert_facts *facts, int i, struct verification *out) {
    const char *what = NULL;
    if (i == 0 && facts->aki == NULL && !facts->self_issued) {
        what = "has no authority key identifier";
    } else if (facts->ca && !facts->basic_constraints_critical) {
        what = "has basic constraints that are not critical";
    } else if (facts->ca && facts->ski == NULL) {
        what = "has no subject key identifier";
    }
    if (what != NULL) {
        trust_checks_add(out, TRUST_NOT_STRICT, false, i, 0,
                         arena_printf(&out->arena, "%s %s, which strict clients refuse",
                                      trust_checks_who(out, i, facts->subject), what));
    }
}

static void check_leaf(const struct cert_facts *leaf, struct verification *out) {
    if (leaf->has_ext_key_usage && !leaf->server_auth) {
        trust_checks_add(out, TRUST_EXT_KEY_USAGE, true, 0, 0,
                         "the server's certificate is not for servers: its extended key usage "
                         "lacks serverAuth");
    }
    if (leaf->has_key_usage && !(leaf->key_usage & CERT_KU_DIGITAL_SIGNATURE)) {
        trust_checks_add(out, TRUST_KEY_USAGE, false, 0, 0,
                         "the server's certificate may not sign (key usage lacks "
                         "digitalSignature), as ECDHE and TLS 1.3 need");
    }
    if (leaf->ca) {
        trust_checks_add(out, TRUST_BASIC_CONSTRAINTS, false, 0, 0,
                         "the server's certificate is that of a CA, which some clients refuse");
    }
    if (leaf->has_not_before && leaf->has_not_after &&
        leaf->not_after - leaf->not_before > (int64_t)MAX_PUBLIC_DAYS * DAY) {
        int64_t days = (leaf->not_after - leaf->not_before) / DAY;
        trust_checks_add(
            out, TRUST_VALIDITY_TOO_LONG, false, 0, 0,
            arena_printf(&out->arena,
                         "the server's certificate is valid for %lld days; clients "
                         "refuse more than %d from a public CA%s",
                         (long long)days, MAX_PUBLIC_DAYS,
                         days > MAX_APPLE_DAYS ? ", Apple's more than 825 from any" : ""));
    }
}

static bool cn_matches(const struct cert_facts *leaf, const struct host_name *host) {
    struct host_name ip;
    CBS cn;
    if (leaf->subject_cn == NULL) {
        return false;
    }
    CBS_init(&cn, (const uint8_t *)leaf->subject_cn, strlen(leaf->subject_cn));
    if (host->ip_len == 0) {
        return host_name_matches(host, cn);
    }
    return host_name_init(&ip, leaf->subject_cn) && ip.ip_len == host->ip_len &&
           memcmp(ip.ip, host->ip, ip.ip_len) == 0;
}

// The names a certificate is for, a few of them.
static const char *names_text(const struct cert_facts *leaf, struct verification *out) {
    const struct cert_strings *lists[] = {&leaf->dns, &leaf->ip};
    const char *text = NULL;
    size_t shown = 0;
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l]->num && shown < 4; i++, shown++) {
            text = text == NULL ? lists[l]->items[i]
                                : arena_printf(&out->arena, "%s, %s", text, lists[l]->items[i]);
        }
    }
    size_t more = leaf->dns.total + leaf->ip.total - shown;
    if (text == NULL) {
        return leaf->subject_cn != NULL ? leaf->subject_cn : "no host";
    }
    return more == 0 ? text : arena_printf(&out->arena, "%s and %zu more", text, more);
}

static void check_host(const struct cert_facts *leaf, const char *host, struct verification *out) {
    struct host_name name;
    if (host_name_init(&name, host) && host_name_in_san(&name, leaf->raw.san, NULL)) {
        out->host_ok = true;
        return;
    }
    bool identifiers = host_name_has_identifiers(leaf->raw.san);
    if (!identifiers && cn_matches(leaf, &name)) {
        trust_checks_add(out, TRUST_CN_ONLY, true, 0, 0,
                         arena_printf(&out->arena,
                                      "the server's certificate names %s only in its subject, "
                                      "where clients no longer look",
                                      name.text));
        return;
    }
    trust_checks_add(out, TRUST_WRONG_HOST, true, 0, 0,
                     arena_printf(&out->arena, "the server's certificate is for %s, not for %.253s",
                                  names_text(leaf, out), host));
    if (!identifiers) {
        trust_checks_add(out, TRUST_NO_SAN, false, 0, 0,
                         "the server's certificate has no subject alternative name");
    }
}

static void check_order(const struct trust_chain *chain, struct verification *out) {
    for (size_t i = 1; i < chain->num; i++) {
        const struct cert_facts *above = chain->facts[i], *below = chain->facts[i - 1];
        if (CBS_len(&above->raw.subject) != 0 && CBS_len(&below->raw.issuer) != 0 &&
            !CBS_mem_equal(&above->raw.subject, CBS_data(&below->raw.issuer),
                           CBS_len(&below->raw.issuer))) {
            trust_checks_add(
                out, TRUST_WRONG_ORDER, false, (int)i, 0,
                arena_printf(&out->arena, "%s did not issue the one before it (%s did)",
                             trust_checks_who(out, (int)i, above->subject), below->issuer));
            return;
        }
    }
}

void trust_checks_run(const struct trust_chain *chain, const char *host, int64_t now,
                      struct verification *out) {
    for (size_t i = 0; i < chain->num; i++) {
        check_malformed(chain, (int)i, out);
        check_dates(chain->facts[i], (int)i, now, out);
        check_strength(chain->facts[i], (int)i, out);
        check_strict(chain->facts[i], (int)i, out);
    }
    check_leaf(chain->facts[0], out);
    if (host != NULL) {
        check_host(chain->facts[0], host, out);
    }
    check_order(chain, out);
}
