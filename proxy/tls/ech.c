#include "proxy/tls/client_extension.h"
#include "proxy/tls/group.h"

enum {
    TYPE_OUTER = 0,
    TYPE_INNER = 1,
    TAG_LEN = 16,     // of every AEAD that HPKE knows
    PAD_TO = 32,      // an inner hello is padded to a multiple of this (RFC 9849, section 6.1.3)
    INNER_MIN = 64,   // an inner hello holds at least version, random, a suite and three extensions
    GREASE_MAX = 240, // the longest payload of GREASE that BoringSSL and NSS make
};

static enum ech_looks looks(const struct ech *ech) {
    size_t len = CBS_len(&ech->payload);
    if (CBS_len(&ech->enc) == 0) {
        return ECH_LOOKS_REAL; // only the real one leaves it out, in a second hello
    }
    if (ech->kem == 0 || len < INNER_MIN + TAG_LEN || (len - TAG_LEN) % PAD_TO != 0) {
        return ECH_LOOKS_GREASE;
    }
    return len > GREASE_MAX ? ECH_LOOKS_REAL : ECH_LOOKS_EITHER;
}

bool ech_parse(struct ech *out, struct parse *ps, CBS *body) {
    const uint8_t *at = CBS_data(body);
    uint8_t type;
    out->form = ECH_UNREADABLE;
    if (!CBS_get_u8(body, &type)) {
        return false;
    }
    if (type == TYPE_INNER) {
        out->form = ECH_INNER;
        parse_note(ps, NOTE_CH_ECH_INNER, at);
        return true;
    }
    if (type != TYPE_OUTER || !CBS_get_u16(body, &out->kdf) || !CBS_get_u16(body, &out->aead) ||
        !CBS_get_u8(body, &out->config_id) || !CBS_get_u16_length_prefixed(body, &out->enc) ||
        !CBS_get_u16_length_prefixed(body, &out->payload)) {
        return false;
    }
    out->form = ECH_OUTER;
    out->kem = group_kem(CBS_len(&out->enc));
    out->looks = looks(out);
    return true;
}
