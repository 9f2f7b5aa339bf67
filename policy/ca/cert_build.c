#include "policy/ca/cert_build.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "policy/ca/cert_oid.h"
#include "policy/ca/cert_time.h"

static EVP_PKEY *make_rsa(int bits) {
    EVP_PKEY *key = EVP_PKEY_new();
    RSA *rsa = RSA_new();
    BIGNUM *e = BN_new();
    CHECK(key != NULL && rsa != NULL && e != NULL && BN_set_word(e, RSA_F4) &&
          RSA_generate_key_ex(rsa, bits, e, NULL) && EVP_PKEY_assign_RSA(key, rsa));
    BN_free(e);
    return key;
}

static EVP_PKEY *make_ec(int curve) {
    EVP_PKEY *key = EVP_PKEY_new();
    EC_KEY *ec = EC_KEY_new_by_curve_name(curve);
    CHECK(key != NULL && ec != NULL && EC_KEY_generate_key(ec) && EVP_PKEY_assign_EC_KEY(key, ec));
    return key;
}

static EVP_PKEY *make_ed25519(void) {
    uint8_t public_key[ED25519_PUBLIC_KEY_LEN], private_key[ED25519_PRIVATE_KEY_LEN];
    ED25519_keypair(public_key, private_key);
    // The first 32 bytes are the seed, which is the private key of RFC 8032.
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, 32);
    CHECK(key != NULL);
    OPENSSL_cleanse(private_key, sizeof(private_key));
    return key;
}

static EVP_PKEY *make_key(enum cert_key_type type) {
    switch (type) {
    case CERT_KEY_RSA_1024:
        return make_rsa(1024);
    case CERT_KEY_RSA_2048:
        return make_rsa(2048);
    case CERT_KEY_RSA_3072:
        return make_rsa(3072);
    case CERT_KEY_RSA_4096:
        return make_rsa(4096);
    case CERT_KEY_ED25519:
        return make_ed25519();
    case CERT_KEY_P384:
        return make_ec(NID_secp384r1);
    case CERT_KEY_P256:
        break;
    }
    return make_ec(NID_X9_62_prime256v1);
}

// RFC 5280 section 4.2.1.2 (1): SHA-1 over the BIT STRING without its count of unused bits.
static void set_id(struct cert_key *key) {
    CBS spki, contents, bits;
    CBS_init(&spki, key->spki, key->spki_len);
    CHECK(CBS_get_asn1(&spki, &contents, CBS_ASN1_SEQUENCE) &&
          CBS_get_asn1(&contents, NULL, CBS_ASN1_SEQUENCE) &&
          CBS_get_asn1(&contents, &bits, CBS_ASN1_BITSTRING) && CBS_skip(&bits, 1));
    SHA1(CBS_data(&bits), CBS_len(&bits), key->id);
    key->id_len = SHA_DIGEST_LENGTH;
}

struct cert_key *cert_key_new(enum cert_key_type type) {
    return cert_key_wrap(make_key(type));
}

struct cert_key *cert_key_wrap(EVP_PKEY *key) {
    struct cert_key *wrapped = xcalloc(1, sizeof(*wrapped));
    CBB cbb;
    wrapped->key = key;
    CHECK(CBB_init(&cbb, 128) && EVP_marshal_public_key(&cbb, key) &&
          CBB_finish(&cbb, &wrapped->spki, &wrapped->spki_len));
    set_id(wrapped);
    return wrapped;
}

void cert_key_free(struct cert_key *key) {
    if (key == NULL) {
        return;
    }
    EVP_PKEY_free(key->key);
    OPENSSL_free(key->spki);
    free(key);
}

// How a key signs: the row of cert_oid_signatures that fits it.
static const struct cert_oid *signature_of(const EVP_PKEY *key, enum cert_knob_digest digest) {
    static const char *const RSA_NAMES[] = {[CERT_KNOB_SHA256] = "sha256WithRSAEncryption",
                                            [CERT_KNOB_SHA1] = "sha1WithRSAEncryption",
                                            [CERT_KNOB_MD5] = "md5WithRSAEncryption",
                                            [CERT_KNOB_SHA384] = "sha384WithRSAEncryption",
                                            [CERT_KNOB_SHA512] = "sha512WithRSAEncryption"};
    const char *name = RSA_NAMES[digest];
    if (EVP_PKEY_id(key) == EVP_PKEY_ED25519) {
        name = "Ed25519";
    } else if (EVP_PKEY_id(key) == EVP_PKEY_EC) {
        int bits = EVP_PKEY_bits(key);
        bool larger = bits > 256 || digest == CERT_KNOB_SHA384;
        name = !larger       ? "ecdsa-with-SHA256"
               : bits <= 384 ? "ecdsa-with-SHA384"
                             : "ecdsa-with-SHA512";
    }
    return cert_oid_named(cert_oid_signatures, name);
}

static bool add_oid(CBB *cbb, const uint8_t *der, size_t der_len) {
    CBB oid;
    return CBB_add_asn1(cbb, &oid, CBS_ASN1_OBJECT) && CBB_add_bytes(&oid, der, der_len) &&
           CBB_flush(cbb);
}

static bool add_signature_algorithm(CBB *cbb, const EVP_PKEY *key, enum cert_knob_digest digest) {
    const struct cert_oid *row = signature_of(key, digest);
    CBB sequence, null;
    return CBB_add_asn1(cbb, &sequence, CBS_ASN1_SEQUENCE) &&
           add_oid(&sequence, row->der, row->len) &&
           (EVP_PKEY_id(key) != EVP_PKEY_RSA || CBB_add_asn1(&sequence, &null, CBS_ASN1_NULL)) &&
           CBB_flush(cbb);
}

static bool add_signature(CBB *cbb, const uint8_t *tbs, size_t tbs_len, EVP_PKEY *key,
                          enum cert_knob_digest knob) {
    const struct cert_oid *row = signature_of(key, knob);
    const EVP_MD *digest = row->value != NID_undef ? EVP_get_digestbynid(row->value) : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = EVP_PKEY_size(key);
    CBB bits;
    uint8_t *out;
    bool ok = ctx != NULL && CBB_add_asn1(cbb, &bits, CBS_ASN1_BITSTRING) && CBB_add_u8(&bits, 0) &&
              CBB_reserve(&bits, &out, len) && EVP_DigestSignInit(ctx, NULL, digest, NULL, key) &&
              EVP_DigestSign(ctx, out, &len, tbs, tbs_len) && CBB_did_write(&bits, len) &&
              CBB_flush(cbb);
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool cert_build_signature(CBB *cbb, const uint8_t *tbs, size_t tbs_len, EVP_PKEY *key) {
    return add_signature_algorithm(cbb, key, CERT_KNOB_SHA256) &&
           add_signature(cbb, tbs, tbs_len, key, CERT_KNOB_SHA256);
}

bool cert_build_can_sign(EVP_PKEY *key) {
    static const uint8_t message[] = "does this key sign?";
    CBB cbb;
    CHECK(CBB_init(&cbb, 600));
    bool ok = add_signature(&cbb, message, sizeof(message), key, CERT_KNOB_SHA256);
    CBB_cleanup(&cbb);
    return ok;
}

bool cert_build_attribute(CBB *name, const char *type, CBS value, unsigned tag) {
    const struct cert_oid *row = cert_oid_named(cert_oid_attributes, type);
    CBB set, sequence, string;
    return CBB_add_asn1(name, &set, CBS_ASN1_SET) &&
           CBB_add_asn1(&set, &sequence, CBS_ASN1_SEQUENCE) &&
           add_oid(&sequence, row->der, row->len) && CBB_add_asn1(&sequence, &string, tag) &&
           CBB_add_bytes(&string, CBS_data(&value), CBS_len(&value)) && CBB_flush(name);
}

bool cert_build_name(CBB *cbb, CBS cn, unsigned cn_tag, const char *o) {
    CBS organisation;
    CBS_init(&organisation, (const uint8_t *)o, strlen(o));
    CBB name;
    return CBB_add_asn1(cbb, &name, CBS_ASN1_SEQUENCE) &&
           (CBS_len(&organisation) == 0 ||
            cert_build_attribute(&name, "O", organisation, CBS_ASN1_UTF8STRING)) &&
           (CBS_len(&cn) == 0 || cert_build_attribute(&name, "CN", cn, cn_tag)) && CBB_flush(cbb);
}

// Opens an Extension; the caller fills `value`, the inside of its OCTET STRING, and flushes.
static bool open_extension(CBB *extensions, uint8_t id_ce, bool critical, CBB *extension,
                           CBB *value) {
    const uint8_t oid[] = {0x55, 0x1d, id_ce};
    return CBB_add_asn1(extensions, extension, CBS_ASN1_SEQUENCE) &&
           add_oid(extension, oid, sizeof(oid)) && (!critical || CBB_add_asn1_bool(extension, 1)) &&
           CBB_add_asn1(extension, value, CBS_ASN1_OCTETSTRING);
}

bool cert_build_extension(CBB *extensions, CBS oid, bool critical, CBS value) {
    CBB extension, octets;
    return CBB_add_asn1(extensions, &extension, CBS_ASN1_SEQUENCE) &&
           add_oid(&extension, CBS_data(&oid), CBS_len(&oid)) &&
           (!critical || CBB_add_asn1_bool(&extension, 1)) &&
           CBB_add_asn1(&extension, &octets, CBS_ASN1_OCTETSTRING) &&
           CBB_add_bytes(&octets, CBS_data(&value), CBS_len(&value)) && CBB_flush(extensions);
}

static bool add_raw_extension(CBB *extensions, uint8_t id_ce, bool critical, const void *value,
                              size_t value_len) {
    const uint8_t der[] = {0x55, 0x1d, id_ce};
    CBS oid, octets;
    CBS_init(&oid, der, sizeof(der));
    CBS_init(&octets, value, value_len);
    return cert_build_extension(extensions, oid, critical, octets);
}

static bool add_key_ids(CBB *extensions, const struct cert_template *t) {
    CBB extension, octets, sequence, id;
    if (!open_extension(extensions, 0x0e, false, &extension, &octets) ||
        !CBB_add_asn1(&octets, &id, CBS_ASN1_OCTETSTRING) ||
        !CBB_add_bytes(&id, t->subject_key->id, t->subject_key->id_len) || !CBB_flush(extensions)) {
        return false;
    }
    return open_extension(extensions, 0x23, false, &extension, &octets) &&
           CBB_add_asn1(&octets, &sequence, CBS_ASN1_SEQUENCE) &&
           CBB_add_asn1(&sequence, &id, CBS_ASN1_CONTEXT_SPECIFIC | 0) &&
           CBB_add_bytes(&id, t->issuer_key->id, t->issuer_key->id_len) && CBB_flush(extensions);
}

// clang-format off
static const uint8_t ca_constraints[] = {0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00}; // CA, path length 0
static const uint8_t no_ca[]          = {0x30, 0x00};
static const uint8_t usage_ca[]       = {0x03, 0x02, 0x01, 0x06}; // keyCertSign, cRLSign
static const uint8_t usage_ec[]       = {0x03, 0x02, 0x07, 0x80}; // digitalSignature
static const uint8_t usage_rsa[]      = {0x03, 0x02, 0x05, 0xa0}; // and keyEncipherment
static const uint8_t server_auth[]    = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
// clang-format on

static bool add_san(CBB *extensions, const struct cert_template *t) {
    CBB extension, octets, names;
    bool critical = CBS_len(&t->subject) == 2; // RFC 5280 section 4.1.2.6: an empty subject
    return CBS_len(&t->san) == 0 ||
           (open_extension(extensions, 0x11, critical, &extension, &octets) &&
            CBB_add_asn1(&octets, &names, CBS_ASN1_SEQUENCE) &&
            CBB_add_bytes(&names, CBS_data(&t->san), CBS_len(&t->san)) && CBB_flush(extensions));
}

// RFC 7633: the TLS feature status_request.
static bool add_must_staple(CBB *extensions) {
    static const uint8_t extension[] = {0x30, 0x11, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
                                        0x01, 0x18, 0x04, 0x05, 0x30, 0x03, 0x02, 0x01, 0x05};
    return CBB_add_bytes(extensions, extension, sizeof(extension));
}

// Those of the template, which may be none at all.
static bool add_own_extensions(CBB *tbs, CBS own) {
    CBB wrapped, extensions;
    return CBS_len(&own) == 0 ||
           (CBB_add_asn1(tbs, &wrapped, CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3) &&
            CBB_add_asn1(&wrapped, &extensions, CBS_ASN1_SEQUENCE) &&
            CBB_add_bytes(&extensions, CBS_data(&own), CBS_len(&own)) && CBB_flush(tbs));
}

static bool add_extensions(CBB *tbs, const struct cert_template *t) {
    if (t->extensions != NULL) {
        return add_own_extensions(tbs, *t->extensions);
    }
    CBB wrapped, extensions;
    bool rsa = EVP_PKEY_id(t->subject_key->key) == EVP_PKEY_RSA;
    if (!CBB_add_asn1(tbs, &wrapped, CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3) ||
        !CBB_add_asn1(&wrapped, &extensions, CBS_ASN1_SEQUENCE)) {
        return false;
    }
    if (t->ca) {
        return add_raw_extension(&extensions, 0x13, true, ca_constraints, sizeof(ca_constraints)) &&
               add_raw_extension(&extensions, 0x0f, true, usage_ca, sizeof(usage_ca)) &&
               add_key_ids(&extensions, t) && CBB_flush(tbs);
    }
    // A usage without keyCertSign would forbid what a self-signed certificate does: verifiers then
    // look for another issuer, and have another word for it than for the server's own.
    bool self_signed = t->issuer_key == t->subject_key;
    return add_raw_extension(&extensions, 0x13, true, no_ca, sizeof(no_ca)) &&
           (self_signed ||
            add_raw_extension(&extensions, 0x0f, true, rsa ? usage_rsa : usage_ec, 4)) &&
           add_raw_extension(&extensions, 0x25, false, server_auth, sizeof(server_auth)) &&
           add_key_ids(&extensions, t) && add_san(&extensions, t) &&
           (!t->must_staple || add_must_staple(&extensions)) && CBB_flush(tbs);
}

static bool add_serial(CBB *tbs, CBS own) {
    uint8_t serial[16];
    CBB integer;
    if (CBS_len(&own) != 0) {
        return CBB_add_asn1(tbs, &integer, CBS_ASN1_INTEGER) &&
               CBB_add_bytes(&integer, CBS_data(&own), CBS_len(&own)) && CBB_flush(tbs);
    }
    RAND_bytes(serial, sizeof(serial));
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); // positive, and never shorter in DER
    return CBB_add_asn1(tbs, &integer, CBS_ASN1_INTEGER) &&
           CBB_add_bytes(&integer, serial, sizeof(serial)) && CBB_flush(tbs);
}

static bool add_cbs(CBB *cbb, CBS bytes) {
    return CBB_add_bytes(cbb, CBS_data(&bytes), CBS_len(&bytes));
}

static bool add_tbs(CBB *cbb, const struct cert_template *t) {
    CBB tbs, version, validity;
    return CBB_add_asn1(cbb, &tbs, CBS_ASN1_SEQUENCE) &&
           CBB_add_asn1(&tbs, &version, CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
           CBB_add_asn1_uint64(&version, 2) && add_serial(&tbs, t->serial) &&
           add_signature_algorithm(&tbs, t->issuer_key->key, t->digest) &&
           add_cbs(&tbs, t->issuer) && CBB_add_asn1(&tbs, &validity, CBS_ASN1_SEQUENCE) &&
           cert_time_add(&validity, t->not_before) && cert_time_add(&validity, t->not_after) &&
           add_cbs(&tbs, t->subject) &&
           CBB_add_bytes(&tbs, t->subject_key->spki, t->subject_key->spki_len) &&
           add_extensions(&tbs, t) && CBB_flush(cbb);
}

CRYPTO_BUFFER *cert_build(const struct cert_template *template) {
    CBB tbs, cbb, certificate;
    uint8_t *der;
    size_t der_len, size = 1024 + CBS_len(&template->san);
    CHECK(CBB_init(&tbs, size) && add_tbs(&tbs, template) && CBB_init(&cbb, size) &&
          CBB_add_asn1(&cbb, &certificate, CBS_ASN1_SEQUENCE) &&
          CBB_add_bytes(&certificate, CBB_data(&tbs), CBB_len(&tbs)) &&
          add_signature_algorithm(&certificate, template->issuer_key->key, template->digest) &&
          add_signature(&certificate, CBB_data(&tbs), CBB_len(&tbs), template->issuer_key->key,
                        template->digest) &&
          CBB_finish(&cbb, &der, &der_len));
    CRYPTO_BUFFER *built = CRYPTO_BUFFER_new(der, der_len, NULL);
    CHECK(built != NULL);
    CBB_cleanup(&tbs);
    OPENSSL_free(der);
    return built;
}
