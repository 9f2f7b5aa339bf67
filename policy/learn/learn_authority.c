// The chain that comes with a leaf, and the CA at its end.
#include "policy/learn/internal.h"

#include <string.h>

enum { DAY = 24 * 60 * 60 };

static bool names(const struct cert_facts *below, const struct cert_facts *above) {
    return CBS_mem_equal(&below->raw.issuer, CBS_data(&above->raw.subject),
                         CBS_len(&above->raw.subject));
}

static bool is_doubled(const struct seen *seen) {
    size_t half = seen->num_chain / 2;
    for (size_t i = 0; i < half; i++) {
        if (memcmp(seen->chain[i].sha256, seen->chain[half + i].sha256, SHA256_DIGEST_LENGTH) !=
            0) {
            return false;
        }
    }
    return half != 0 && seen->num_chain == 2 * half;
}

// is_repeated returns whether what follows the leaf comes twice.
static bool is_repeated(const struct seen *seen) {
    size_t half = (seen->num_chain - 1) / 2;
    for (size_t i = 1; i <= half; i++) {
        if (memcmp(seen->chain[i].sha256, seen->chain[half + i].sha256, SHA256_DIGEST_LENGTH) !=
            0) {
            return false;
        }
    }
    return half != 0 && seen->num_chain == 1 + 2 * half;
}

// chain_word returns the setting that sends such a chain, or NULL.
static const char *chain_word(const struct seen *seen) {
    const struct cert_facts *chain = seen->chain;
    if (seen->num_chain == 1) {
        return "leaf";
    }
    if (is_doubled(seen) || is_repeated(seen)) {
        return is_repeated(seen) ? "repeated" : "doubled";
    }
    bool root = chain[1].self_issued, above = names(&chain[0], &chain[1]);
    if (seen->num_chain == 2) {
        return root ? above ? "full" : "root" : above ? "intermediate" : NULL;
    }
    if (seen->num_chain == 3 && above && names(&chain[1], &chain[2]) && chain[2].self_issued) {
        return "full";
    }
    return seen->num_chain == 3 && root && names(&chain[0], &chain[2]) ? "reversed" : NULL;
}

static void learn_chain(struct learn *learn) {
    struct sources sources = {.num = 0};
    const char *word = NULL;
    for (size_t i = 0; i < learn->num; i++) {
        if (learn_leaf(learn->seen[i]) == NULL) {
            continue;
        }
        const char *next = chain_word(learn->seen[i]);
        if (next == NULL || (word != NULL && strcmp(word, next) != 0)) {
            learn_miss(learn, "cert.chain", "a chain of %zu that no setting makes",
                       learn->seen[i]->num_chain);
            return;
        }
        word = next;
        sources_add(&sources, learn->seen[i]);
    }
    learn_set(learn, "cert.chain", json_string(word), &sources, NULL);
}

// key_by_signature returns the word for the key that made the signature of `facts`.
static const char *key_by_signature(const struct cert_facts *facts) {
    size_t len = CBS_len(&facts->raw.signature);
    if (facts->signature_algorithm == NULL) {
        return NULL;
    }
    if (strstr(facts->signature_algorithm, "WithRSA") != NULL) {
        return len == 128   ? "rsa1024"
               : len == 256 ? "rsa2048"
               : len == 384 ? "rsa3072"
               : len == 512 ? "rsa4096"
                            : NULL;
    }
    // Two numbers of the size of the curve, in DER (RFC 3279, section 2.2.3).
    bool ecdsa = strncmp(facts->signature_algorithm, "ecdsa-with-", 11) == 0;
    return !ecdsa ? NULL : len <= 72 ? "p256" : len <= 104 ? "p384" : NULL;
}

// above_in returns the certificate that names `below` as its subject's issuer, or NULL.
static const struct cert_facts *above_in(const struct seen *seen, const struct cert_facts *below) {
    for (size_t i = 1; i < seen->num_chain; i++) {
        if (names(below, &seen->chain[i])) {
            return &seen->chain[i];
        }
    }
    return NULL;
}

static void set_word(struct learn *learn, const char *path, const char *word,
                     const struct sources *from) {
    if (word != NULL) {
        learn_set(learn, path, json_string(word), from, NULL);
    } else {
        learn_miss(learn, path, "no setting has it");
    }
}

// learn_root turns the knobs of the CA's own certificate.
static void learn_root(struct learn *learn, const struct cert_facts *root,
                       const struct sources *from) {
    int64_t days = (root->not_after - root->not_before + DAY / 2) / DAY;
    set_word(learn, "cert.ca.key", knob_of_key(root), from);
    set_word(learn, "cert.ca.digest", knob_of_digest(root), from);
    if (days > 0 && days <= 36500) {
        learn_set(learn, "cert.ca.lifetime_days", json_integer(days), from, NULL);
    }
    learn_set(learn, "cert.ca.basic_constraints", json_boolean(root->has_basic_constraints), from,
              NULL);
    if (root->has_basic_constraints) {
        learn_set(learn, "cert.ca.basic_constraints_critical",
                  json_boolean(root->basic_constraints_critical), from, NULL);
        learn_set(learn, "cert.ca.path_len",
                  json_string(root->path_len < 0    ? "none"
                              : root->path_len == 0 ? "zero"
                                                    : "auto"),
                  from, NULL);
    }
    learn_set(learn, "cert.ca.subject_key_id", json_boolean(root->ski != NULL), from, NULL);
    learn_set(learn, "cert.ca.key_usage", json_boolean(root->has_key_usage), from, NULL);
}

// drop_digest takes back what only an RSA key can sign.
static void drop_digest(struct learn *learn, const char *of, json_t *object, const json_t *key) {
    const char *digest = json_string_value(json_object_get(object, "digest"));
    bool weak = digest != NULL && strcmp(digest, "sha256") != 0 && strcmp(digest, "sha384") != 0;
    bool rsa = json_is_string(key) && strncmp(json_string_value(key), "rsa", 3) == 0;
    if (weak && !rsa) {
        learn_miss(learn, of, "%s, but the key that signs is none of the RSA keys of profiles",
                   digest);
        json_object_del(object, "digest");
    }
}

static void learn_issuer(struct learn *learn, const struct seen *seen, const struct sources *from) {
    const struct cert_facts *leaf = learn_leaf(seen), *issuer = above_in(seen, leaf);
    bool inside = issuer != NULL && !issuer->self_issued;
    const struct cert_facts *root = inside ? above_in(seen, issuer) : issuer;
    CBS name = inside ? issuer->raw.issuer : leaf->raw.issuer;
    json_t *subject = name_attributes(name, &learn->arena);
    json_t *between = inside ? name_attributes(issuer->raw.subject, &learn->arena) : NULL;
    if (subject == NULL || json_array_size(subject) == 0 || (inside && between == NULL)) {
        learn_miss(learn, "cert.ca.subject", "it has attributes that a profile cannot say: %s",
                   leaf->issuer);
        json_decref(subject);
        json_decref(between);
        return;
    }
    learn_set(learn, "cert.ca.subject", subject, from, NULL);
    if (inside) {
        learn_set(learn, "cert.ca.intermediate_subject", between, from, NULL);
    }
    if (root != NULL) {
        learn_root(learn, root, from);
        return;
    }
    learn_miss(learn, "cert.ca",
               "its certificate was not sent, so only its name and key are known");
    const char *key = inside ? knob_of_key(issuer) : key_by_signature(leaf);
    set_word(learn, "cert.ca.key", key, from);
}

void learn_authority(struct learn *learn) {
    struct sources from = {.num = 0};
    const struct seen *longest = NULL;
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        if (learn_leaf(seen) != NULL) {
            longest = longest == NULL || seen->num_chain > longest->num_chain ? seen : longest;
            sources_add(&from, seen);
        }
    }
    CHECK(longest != NULL);
    learn_chain(learn);
    bool self = longest->chain[0].self_issued;
    learn_set(learn, "cert.issuer", json_string(self ? "self" : "trusted"), &from, NULL);
    if (!self) {
        learn_issuer(learn, longest, &from);
    }
    json_t *cert = json_object_get(learn->root, "cert"), *ca = json_object_get(cert, "ca");
    drop_digest(learn, "cert.ca.digest", ca, json_object_get(ca, "key"));
    drop_digest(learn, "cert.digest", cert, json_object_get(self ? cert : ca, "key"));
    const char *chain = json_string_value(json_object_get(cert, "chain"));
    if (chain != NULL && strcmp(chain, "intermediate") == 0 &&
        json_object_get(ca, "intermediate_subject") == NULL) {
        json_object_del(cert, "chain");
    }
}
