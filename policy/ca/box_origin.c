#include "policy/ca/box_origin.h"

bool box_origin_serial(CBS cert, CBS *out_serial, CBS *out_issuer) {
    CBS outer, tbs;
    return CBS_get_asn1(&cert, &outer, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&outer, &tbs, CBS_ASN1_SEQUENCE) &&
           CBS_get_optional_asn1(&tbs, NULL, NULL,
                                 CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
           CBS_get_asn1(&tbs, out_serial, CBS_ASN1_INTEGER) &&
           CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1_element(&tbs, out_issuer, CBS_ASN1_SEQUENCE);
}

bool box_origin_hash(CBS cert, uint8_t out[MD5_DIGEST_LENGTH]) {
    CBS serial, issuer;
    if (!box_origin_serial(cert, &serial, &issuer)) {
        return false;
    }
    MD5_CTX md5;
    MD5_Init(&md5);
    MD5_Update(&md5, CBS_data(&serial), CBS_len(&serial));
    MD5_Update(&md5, CBS_data(&issuer), CBS_len(&issuer));
    MD5_Final(out, &md5);
    return true;
}

bool box_origin_extensions(CBS cert, CBS *out) {
    CBS outer, tbs, wrapped, skipped;
    unsigned tag;
    int has;
    bool ok = CBS_get_asn1(&cert, &outer, CBS_ASN1_SEQUENCE) &&
              CBS_get_asn1(&outer, &tbs, CBS_ASN1_SEQUENCE) &&
              CBS_get_optional_asn1(&tbs, NULL, NULL,
                                    CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0);
    // Serial number, signature, issuer, validity, subject, key.
    for (int i = 0; ok && i < 6; i++) {
        ok = CBS_get_any_asn1(&tbs, &skipped, &tag);
    }
    return ok && CBS_get_optional_asn1(&tbs, NULL, NULL, CBS_ASN1_CONTEXT_SPECIFIC | 1) &&
           CBS_get_optional_asn1(&tbs, NULL, NULL, CBS_ASN1_CONTEXT_SPECIFIC | 2) &&
           CBS_get_optional_asn1(&tbs, &wrapped, &has,
                                 CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3) &&
           has && CBS_get_asn1(&wrapped, out, CBS_ASN1_SEQUENCE);
}

bool box_origin_extension(CBS cert, CBS oid, CBS *out) {
    CBS extensions;
    if (!box_origin_extensions(cert, &extensions)) {
        return false;
    }
    while (CBS_get_asn1_element(&extensions, out, CBS_ASN1_SEQUENCE)) {
        CBS element = *out, extension, id;
        if (CBS_get_asn1(&element, &extension, CBS_ASN1_SEQUENCE) &&
            CBS_get_asn1(&extension, &id, CBS_ASN1_OBJECT) &&
            CBS_mem_equal(&id, CBS_data(&oid), CBS_len(&oid))) {
            return true;
        }
    }
    return false;
}
