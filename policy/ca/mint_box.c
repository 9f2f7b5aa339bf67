#include "policy/ca/mint_box.h"

#include <string.h>

#include "policy/ca/box_extensions.h"
#include "policy/ca/box_origin.h"

enum { SERIAL_MAX = 64 };

// A serial number as DER has it: positive, and no longer than it must be.
struct serial {
    uint8_t bytes[SERIAL_MAX + 1];
    size_t len;
};

static struct serial serial_of(const uint8_t *p, size_t p_len) {
    struct serial serial = {0};
    while (p_len > 1 && *p == 0) {
        p++;
        p_len--;
    }
    if (p_len == 0 || (p[0] & 0x80) != 0) {
        serial.len = 1; // a zero before it
    }
    memcpy(serial.bytes + serial.len, p, p_len);
    serial.len += p_len;
    return serial;
}

static struct serial serial_of_u64(uint64_t number) {
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    return serial_of(bytes, sizeof(bytes));
}

static struct serial serial_random(size_t len) {
    uint8_t bytes[CERT_KNOB_SERIAL_MAX];
    RAND_bytes(bytes, len);
    bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40); // positive, and never shorter in DER
    return serial_of(bytes, len);
}

static struct serial serial_plus_random(CBS origin) {
    uint8_t sum[SERIAL_MAX] = {0}, add[4];
    size_t len = CBS_len(&origin);
    memcpy(sum + sizeof(sum) - len, CBS_data(&origin), len);
    RAND_bytes(add, sizeof(add));
    unsigned carry = 0;
    for (size_t i = 0; i < sizeof(sum); i++) {
        unsigned digit = sum[sizeof(sum) - 1 - i] + carry;
        digit += i < sizeof(add) ? add[sizeof(add) - 1 - i] : 0;
        sum[sizeof(sum) - 1 - i] = (uint8_t)digit;
        carry = digit >> 8;
    }
    return serial_of(sum, sizeof(sum));
}

// serial_from_origin returns a random one where the server's number is missing or far too long.
static struct serial serial_from_origin(enum cert_knob_serial knob, CBS cert) {
    CBS number, issuer;
    uint8_t hash[MD5_DIGEST_LENGTH];
    if (!box_origin_serial(cert, &number, &issuer) || CBS_len(&number) == 0 ||
        CBS_len(&number) > SERIAL_MAX - 1) {
        return serial_random(16);
    }
    if (knob == CERT_KNOB_SERIAL_COPY_PLUS_RANDOM_32) {
        return serial_plus_random(number);
    }
    if (knob == CERT_KNOB_SERIAL_HASH_32 && box_origin_hash(cert, hash)) {
        return serial_of(hash, 4);
    }
    struct serial copy = {.len = CBS_len(&number)};
    memcpy(copy.bytes, CBS_data(&number), copy.len);
    return copy;
}

static struct serial serial_make(const struct mint_box_request *request) {
    const struct cert_knobs *knobs = request->box->knobs;
    CBS cert;
    switch (knobs->serial) {
    case CERT_KNOB_SERIAL_RANDOM_32:
        return serial_random(4);
    case CERT_KNOB_SERIAL_SEQUENTIAL:
        return serial_of_u64(request->count);
    case CERT_KNOB_SERIAL_FIXED:
        return serial_of_u64(knobs->serial_fixed);
    case CERT_KNOB_SERIAL_RANDOM_128:
        return serial_random(knobs->serial_len != 0 ? knobs->serial_len : 16);
    case CERT_KNOB_SERIAL_COPY:
    case CERT_KNOB_SERIAL_COPY_PLUS_RANDOM_32:
    case CERT_KNOB_SERIAL_HASH_32:
        break;
    }
    CBS_init(&cert, request->spec->origin, request->spec->origin_len);
    return serial_from_origin(knobs->serial, cert);
}

// The issuer of one leaf. `ca` is NULL for a leaf that signs itself.
struct issuer {
    const struct authority *ca, *root; // the same where no intermediate stands between
};

static struct issuer issuer_of(const struct mint_box_request *request) {
    const struct box *box = request->box;
    if (request->spec->defects & LEAF_SELF_SIGNED) {
        return (struct issuer){NULL, NULL};
    }
    if (request->spec->defects & LEAF_UNTRUSTED) {
        const struct authority *ca = box->untrusted != NULL ? box->untrusted : request->untrusted;
        return (struct issuer){ca, ca};
    }
    const struct authority *root = box->root != NULL ? box->root : request->authority;
    return (struct issuer){box->intermediate != NULL ? box->intermediate : root, root};
}

static void chain_add(struct leaf *leaf, CRYPTO_BUFFER *cert) {
    if (leaf->num_chain < ARRAY_LEN(leaf->chain)) {
        CRYPTO_BUFFER_up_ref(cert);
        leaf->chain[leaf->num_chain++] = cert;
        leaf->bytes += CRYPTO_BUFFER_len(cert);
    }
}

// chain_add_ca adds the CA's own certificate; of an installation that has an intermediate CA, also
// those above it.
static void chain_add_ca(struct leaf *leaf, const struct authority *ca) {
    for (size_t i = 0; i < ca->num_chain; i++) {
        chain_add(leaf, ca->chain[i]);
    }
}

static void chain_make(struct leaf *leaf, enum cert_knob_chain knob, const struct issuer *issuer) {
    bool inside = issuer->ca != issuer->root || (issuer->root != NULL && !issuer->root->is_root);
    CRYPTO_BUFFER *first = leaf->chain[0];
    if (issuer->ca == NULL) {
        return;
    }
    switch (knob) {
    case CERT_KNOB_CHAIN_LEAF:
        return;
    case CERT_KNOB_CHAIN_AUTO:
    case CERT_KNOB_CHAIN_INTERMEDIATE:
        if (inside) {
            chain_add_ca(leaf, issuer->ca);
        }
        return;
    case CERT_KNOB_CHAIN_FULL:
    case CERT_KNOB_CHAIN_DOUBLED:
    case CERT_KNOB_CHAIN_REPEATED:
        for (int times = knob == CERT_KNOB_CHAIN_FULL ? 1 : 2; times > 0; times--) {
            if (times == 1 && knob == CERT_KNOB_CHAIN_DOUBLED) {
                chain_add(leaf, first);
            }
            if (issuer->ca != issuer->root) {
                chain_add_ca(leaf, issuer->ca);
            }
            chain_add_ca(leaf, issuer->root);
        }
        return;
    case CERT_KNOB_CHAIN_ROOT:
    case CERT_KNOB_CHAIN_REVERSED:
        chain_add_ca(leaf, issuer->root);
        if (knob == CERT_KNOB_CHAIN_REVERSED && issuer->ca != issuer->root) {
            chain_add_ca(leaf, issuer->ca);
        }
        return;
    }
}

// add_subject appends the leaf's Name: the contents that the spec has, or its CN, and what the
// knobs add.
static bool add_subject(CBB *cbb, const struct mint_box_request *request) {
    const struct leaf_spec *spec = request->spec;
    CBB common_name;
    CBS base, cn;
    CBS_init(&base, buf_data(&spec->subject), spec->subject.len);
    CBS_init(&cn, spec->cn, spec->cn_len);
    bool ok = CBB_init(&common_name, 128);
    if (spec->subject.len == 0 && spec->cn_len != 0) {
        ok = ok && cert_build_attribute(&common_name, "CN", cn, spec->cn_tag);
        CBS_init(&base, CBB_data(&common_name), CBB_len(&common_name));
    }
    ok = ok && box_name(cbb, base, &request->box->knobs->subject_add);
    CBB_cleanup(&common_name);
    return ok;
}

void mint_box_issue(struct leaf *leaf, const struct mint_box_request *request) {
    const struct leaf_spec *spec = request->spec;
    const struct cert_knobs *knobs = request->box->knobs;
    struct issuer issuer = issuer_of(request);
    struct serial serial = serial_make(request);
    CBB subject, extensions;
    CBS contents;
    CHECK(CBB_init(&subject, 128) && add_subject(&subject, request) && CBB_init(&extensions, 512));
    struct cert_template template = {
        .subject_key = request->key,
        .issuer_key = issuer.ca != NULL ? issuer.ca->key : request->key,
        .not_before = spec->not_before,
        .not_after = spec->not_after,
        .extensions = &contents,
    };
    CBS_init(&template.subject, CBB_data(&subject), CBB_len(&subject));
    CBS_init(&template.serial, serial.bytes, serial.len);
    template.issuer = issuer.ca != NULL ? issuer.ca->subject : template.subject;
    // A digest that the issuer's key has no signature with is none of the box.
    if (EVP_PKEY_id(template.issuer_key->key) == EVP_PKEY_RSA ||
        knobs->digest == CERT_KNOB_SHA384) {
        template.digest = knobs->digest;
    }
    struct box_leaf parts = {.key = request->key,
                             .issuer_key = template.issuer_key,
                             .empty_subject = CBB_len(&subject) == 2};
    CBS_init(&parts.san, spec->san.len != 0 ? buf_data(&spec->san) : NULL, spec->san.len);
    CBS_init(&parts.origin, spec->origin, spec->origin_len);
    CBS_init(&parts.issuer, NULL, 0);
    if (issuer.ca != NULL) {
        parts.issuer = authority_der(issuer.ca);
    }
    CHECK(box_extensions_leaf(&extensions, knobs, &parts));
    CBS_init(&contents, CBB_data(&extensions), CBB_len(&extensions));
    leaf->chain[0] = cert_build(&template);
    leaf->num_chain = 1;
    leaf->bytes = CRYPTO_BUFFER_len(leaf->chain[0]);
    chain_make(leaf, knobs->chain, &issuer);
    if (issuer.ca == request->untrusted && spec->send_issuer &&
        knobs->chain == CERT_KNOB_CHAIN_AUTO) {
        chain_add_ca(leaf, issuer.ca); // as the ordinary proxy does
    }
    CBB_cleanup(&subject);
    CBB_cleanup(&extensions);
}
