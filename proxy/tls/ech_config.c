#include "proxy/tls/ech_config.h"

#include <string.h>

#include "third_party/boringssl/boringssl.h"

enum {
    VERSION = 0xfe0d,
    KEM_X25519 = 0x0020,
    KDF_SHA256 = 1,
    AEAD_MAX = 3, // AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305
    MANDATORY = 0x8000,
    LABEL_MAX = 63,
};

// suites_known returns whether a suite of the list is known.
static bool suites_known(CBS suites) {
    uint16_t kdf, aead;
    while (CBS_get_u16(&suites, &kdf) && CBS_get_u16(&suites, &aead)) {
        if (kdf == KDF_SHA256 && aead >= 1 && aead <= AEAD_MAX) {
            return true;
        }
    }
    return false;
}

static bool extensions_known(CBS extensions, bool *out_known) {
    *out_known = true;
    while (CBS_len(&extensions) != 0) {
        uint16_t type;
        CBS body;
        if (!CBS_get_u16(&extensions, &type) || !CBS_get_u16_length_prefixed(&extensions, &body)) {
            return false;
        }
        *out_known &= (type & MANDATORY) == 0;
    }
    return true;
}

// label_is_number returns whether the last label `p` makes an address of a name, as 0x7f does
// (WHATWG URL, "ends in a number").
static bool label_is_number(const uint8_t *p, size_t len) {
    bool hex = len >= 2 && p[0] == '0' && (p[1] | 0x20) == 'x';
    for (size_t i = hex ? 2 : 0; i < len; i++) {
        uint8_t lower = p[i] | 0x20;
        if (!(p[i] >= '0' && p[i] <= '9') && !(hex && lower >= 'a' && lower <= 'f')) {
            return false;
        }
    }
    return true;
}

static bool label_is_good(const uint8_t *p, size_t len) {
    for (size_t i = 0; i < len; i++) {
        uint8_t lower = p[i] | 0x20;
        bool inner = i != 0 && i != len - 1 && p[i] == '-';
        if (!(lower >= 'a' && lower <= 'z') && !(p[i] >= '0' && p[i] <= '9') && !inner) {
            return false;
        }
    }
    return len != 0 && len <= LABEL_MAX;
}

// name_is_host holds `name` against RFC 9849 section 4: labels of letters, digits and hyphens, and
// no address.
static bool name_is_host(const CBS *name) {
    const uint8_t *p = CBS_data(name);
    size_t left = CBS_len(name);
    for (;;) {
        const uint8_t *dot = memchr(p, '.', left);
        size_t len = dot != NULL ? (size_t)(dot - p) : left;
        if (!label_is_good(p, len)) {
            return false;
        }
        if (dot == NULL) {
            return !label_is_number(p, len);
        }
        p += len + 1;
        left -= len + 1;
    }
}

// key_is_good returns whether something can be encrypted to `key`. The library says no hello at all
// with one that is none, or a point of small order.
static bool key_is_good(uint16_t kem, const CBS *key) {
    static const uint8_t any[X25519_PRIVATE_KEY_LEN] = {1};
    uint8_t shared[X25519_SHARED_KEY_LEN];
    return kem != KEM_X25519 ||
           (CBS_len(key) == X25519_PUBLIC_VALUE_LEN && X25519(shared, any, CBS_data(key)));
}

// contents_read reads the ECHConfigContents. `*out_usable` says whether the library can take it.
static bool contents_read(struct ech_config *out, bool *out_usable, CBS contents) {
    uint16_t kem;
    uint8_t name_max;
    CBS key, suites, name, extensions;
    bool known;
    if (!CBS_get_u8(&contents, &out->id) || !CBS_get_u16(&contents, &kem) ||
        !CBS_get_u16_length_prefixed(&contents, &key) || CBS_len(&key) == 0 ||
        !key_is_good(kem, &key) || !CBS_get_u16_length_prefixed(&contents, &suites) ||
        CBS_len(&suites) == 0 || CBS_len(&suites) % 4 != 0 || !CBS_get_u8(&contents, &name_max) ||
        !CBS_get_u8_length_prefixed(&contents, &name) || CBS_len(&name) == 0 ||
        !CBS_get_u16_length_prefixed(&contents, &extensions) || CBS_len(&contents) != 0 ||
        !extensions_known(extensions, &known)) {
        return false;
    }
    memcpy(out->public_name, CBS_data(&name), CBS_len(&name));
    out->public_name[CBS_len(&name)] = '\0';
    *out_usable = kem == KEM_X25519 && known && suites_known(suites) && name_is_host(&name);
    return true;
}

bool ech_config_read(struct ech_config *out, const uint8_t *p, size_t p_len, struct err *err) {
    CBS in, list;
    bool found = false;
    CBS_init(&in, p, p_len);
    if (!CBS_get_u16_length_prefixed(&in, &list) || CBS_len(&in) != 0 || CBS_len(&list) == 0) {
        return err_set(err, "no ECHConfigList: its length does not fit");
    }
    while (CBS_len(&list) != 0) {
        uint16_t version;
        CBS contents;
        struct ech_config config;
        bool usable = false;
        if (!CBS_get_u16(&list, &version) || !CBS_get_u16_length_prefixed(&list, &contents) ||
            (version == VERSION && !contents_read(&config, &usable, contents))) {
            return err_set(err, "the ECHConfigList is malformed");
        }
        if (usable && !found) {
            *out = config;
            found = true;
        }
    }
    return found || err_set(err, "the ECHConfigList has no configuration that the proxy's library "
                                 "can use: it takes X25519 with HKDF-SHA256");
}
