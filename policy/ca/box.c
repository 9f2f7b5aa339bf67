#include "policy/ca/box.h"

#include <stdlib.h>
#include <string.h>

#include "policy/ca/box_extensions.h"
#include "policy/ca/box_files.h"
#include "policy/ca/kept_key.h"

enum { DAY = 24 * 60 * 60, BACKDATED_DAYS = 2, VALID_DAYS = 3650 };

enum cert_key_type box_key_type(enum cert_knob_key knob, enum cert_key_type otherwise) {
    switch (knob) {
    case CERT_KNOB_KEY_RSA_1024:
        return CERT_KEY_RSA_1024;
    case CERT_KNOB_KEY_RSA_2048:
        return CERT_KEY_RSA_2048;
    case CERT_KNOB_KEY_RSA_3072:
        return CERT_KEY_RSA_3072;
    case CERT_KNOB_KEY_P256:
        return CERT_KEY_P256;
    case CERT_KNOB_KEY_ED25519:
        return CERT_KEY_ED25519;
    case CERT_KNOB_KEY_RSA_4096:
        return CERT_KEY_RSA_4096;
    case CERT_KNOB_KEY_P384:
        return CERT_KEY_P384;
    case CERT_KNOB_KEY_AUTO:
        break;
    }
    return otherwise;
}

// attribute_tag returns the string type of the attribute `type`.
static unsigned attribute_tag(const char *type) {
#define ATTRIBUTE_ROW(name, kind) {name, CBS_ASN1_##kind##STRING},
    static const struct {
        const char *name;
        unsigned tag;
    } rows[] = {CERT_KNOB_ATTRIBUTES(ATTRIBUTE_ROW)};
#undef ATTRIBUTE_ROW
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].name, type) == 0) {
            return rows[i].tag;
        }
    }
    return CBS_ASN1_UTF8STRING;
}

bool box_name(CBB *cbb, CBS base, const struct cert_knob_strings *attributes) {
    CBB name;
    bool ok = CBB_add_asn1(cbb, &name, CBS_ASN1_SEQUENCE) &&
              CBB_add_bytes(&name, CBS_data(&base), CBS_len(&base));
    for (size_t i = 0; ok && i < attributes->num; i++) {
        const char *text = attributes->items[i], *equals = strchr(text, '=');
        char type[16] = {0};
        CHECK(equals != NULL && (size_t)(equals - text) < sizeof(type));
        memcpy(type, text, (size_t)(equals - text));
        CBS value;
        CBS_init(&value, (const uint8_t *)equals + 1, strlen(equals + 1));
        ok = cert_build_attribute(&name, type, value, attribute_tag(type));
    }
    return ok && CBB_flush(cbb);
}

// struct ca_request is one CA certificate of the box.
struct ca_request {
    const struct cert_knob_strings *subject;
    const struct authority *issuer; // NULL: itself
    unsigned below;                 // how many CAs stand under it
};

static CRYPTO_BUFFER *build_ca(const struct ca_knobs *knobs, const struct cert_key *key,
                               const struct ca_request *request, int64_t now) {
    const struct cert_key *issuer_key = request->issuer != NULL ? request->issuer->key : key;
    int64_t days = knobs->lifetime_days != 0 ? knobs->lifetime_days : VALID_DAYS;
    CBB name, extensions;
    CBS empty, contents;
    CBS_init(&empty, NULL, 0);
    CHECK(CBB_init(&name, 128) && box_name(&name, empty, request->subject) &&
          CBB_init(&extensions, 256) &&
          box_extensions_ca(&extensions, knobs, key, issuer_key, request->below));
    CBS_init(&contents, CBB_data(&extensions), CBB_len(&extensions));
    struct cert_template template = {
        .subject_key = key,
        .issuer_key = issuer_key,
        .not_before = now - BACKDATED_DAYS * DAY,
        .not_after = now + (days - BACKDATED_DAYS) * DAY,
        .digest = knobs->digest,
        .extensions = &contents,
    };
    CBS_init(&template.subject, CBB_data(&name), CBB_len(&name));
    template.issuer = request->issuer != NULL ? request->issuer->subject : template.subject;
    CRYPTO_BUFFER *cert = cert_build(&template);
    CBB_cleanup(&name);
    CBB_cleanup(&extensions);
    return cert;
}

static struct authority *make_ca(const struct ca_knobs *knobs, struct cert_key *key,
                                 const struct ca_request *request, int64_t now) {
    return authority_wrap(build_ca(knobs, key, request, now), key);
}

static struct cert_key *new_key(const struct ca_knobs *knobs) {
    return cert_key_new(box_key_type(knobs->key, CERT_KEY_P256));
}

// finish makes what is never kept: the intermediate and the CA that nobody trusts.
static struct box *finish(struct box *box, int64_t now) {
    const struct ca_knobs *knobs = &box->knobs->ca;
    if (knobs->intermediate_subject.num != 0) {
        const struct ca_request request = {&knobs->intermediate_subject, box->root, 0};
        box->intermediate = make_ca(knobs, new_key(knobs), &request, now);
    }
    if (knobs->untrusted_subject.num != 0) {
        const struct ca_request request = {&knobs->untrusted_subject, NULL, 0};
        box->untrusted = make_ca(knobs, new_key(knobs), &request, now);
    }
    return box;
}

static unsigned num_below(const struct ca_knobs *knobs) {
    return knobs->intermediate_subject.num != 0 ? 1 : 0;
}

struct box *box_new(const struct cert_knobs *knobs, int64_t now) {
    struct box *box = xcalloc(1, sizeof(*box));
    box->knobs = knobs;
    if (knobs->ca.subject.num != 0) {
        const struct ca_request request = {&knobs->ca.subject, NULL, num_below(&knobs->ca)};
        box->root = make_ca(&knobs->ca, new_key(&knobs->ca), &request, now);
    }
    if (knobs->reuse == CERT_KNOB_REUSE_SHIPPED) {
        box->leaf_key = cert_key_new(box_key_type(knobs->key, CERT_KEY_P256));
    }
    return finish(box, now);
}

static bool open_root(struct box *box, const char *dir, int64_t now, struct err *err) {
    const struct ca_knobs *knobs = &box->knobs->ca;
    const struct ca_request request = {&knobs->subject, NULL, num_below(knobs)};
    struct cert_key *key =
        kept_key_open(dir, AUTHORITY_KEY_FILE, box_key_type(knobs->key, CERT_KEY_P256), err);
    if (key == NULL) {
        return false;
    }
    CRYPTO_BUFFER *fresh = build_ca(knobs, key, &request, now);
    box->root = box_files_root(dir, key, fresh, now, err);
    CRYPTO_BUFFER_free(fresh);
    return box->root != NULL;
}

struct box *box_open(const char *dir, const struct cert_knobs *knobs, int64_t now,
                     struct err *err) {
    struct box *box = xcalloc(1, sizeof(*box));
    box->knobs = knobs;
    bool shipped = knobs->reuse == CERT_KNOB_REUSE_SHIPPED;
    bool ok = knobs->ca.subject.num == 0 || open_root(box, dir, now, err);
    if (ok && shipped) {
        box->leaf_key =
            kept_key_open(dir, BOX_LEAF_KEY_FILE, box_key_type(knobs->key, CERT_KEY_P256), err);
        ok = box->leaf_key != NULL;
    }
    if (!ok) {
        box_free(box);
        return NULL;
    }
    return finish(box, now);
}

void box_free(struct box *box) {
    if (box == NULL) {
        return;
    }
    authority_free(box->root);
    authority_free(box->intermediate);
    authority_free(box->untrusted);
    cert_key_free(box->leaf_key);
    free(box);
}
