#include "logs/record/codepoint.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CODEPOINT(code, mark, name) {code, mark, sizeof(name) - 1, name},
static const struct codepoint versions[] = {
#include "logs/record/versions.inc"
};
static const struct codepoint ciphers[] = {
#include "logs/record/ciphers.inc"
};
static const struct codepoint groups[] = {
#include "logs/record/groups.inc"
};
static const struct codepoint signature_schemes[] = {
#include "logs/record/signature_schemes.inc"
};
static const struct codepoint extensions[] = {
#include "logs/record/extensions.inc"
};
static const struct codepoint alerts[] = {
#include "logs/record/alerts.inc"
};
static const struct codepoint handshake_types[] = {
#include "logs/record/handshake_types.inc"
};
static const struct codepoint content_types[] = {
#include "logs/record/content_types.inc"
};
static const struct codepoint cert_compression[] = {
#include "logs/record/cert_compression.inc"
};
static const struct codepoint compression_methods[] = {
#include "logs/record/compression_methods.inc"
};
static const struct codepoint point_formats[] = {
#include "logs/record/point_formats.inc"
};
static const struct codepoint psk_modes[] = {
#include "logs/record/psk_modes.inc"
};
static const struct codepoint client_certificate_types[] = {
#include "logs/record/client_certificate_types.inc"
};
static const struct codepoint hpke_kem[] = {
#include "logs/record/hpke_kem.inc"
};
static const struct codepoint hpke_kdf[] = {
#include "logs/record/hpke_kdf.inc"
};
static const struct codepoint hpke_aead[] = {
#include "logs/record/hpke_aead.inc"
};
#undef CODEPOINT

struct table {
    const struct codepoint *rows;
    size_t num_rows;
    int digits; // of a code in hexadecimal
};

#define ROWS(rows) rows, ARRAY_LEN(rows)

// clang-format off
static const struct table tables[REGISTRY_COUNT] = {
    [REGISTRY_VERSION]                   = {ROWS(versions),                 4},
    [REGISTRY_CIPHER]                    = {ROWS(ciphers),                  4},
    [REGISTRY_GROUP]                     = {ROWS(groups),                   4},
    [REGISTRY_SIGNATURE_SCHEME]          = {ROWS(signature_schemes),        4},
    [REGISTRY_EXTENSION]                 = {ROWS(extensions),               4},
    [REGISTRY_ALERT]                     = {ROWS(alerts),                   2},
    [REGISTRY_HANDSHAKE_TYPE]            = {ROWS(handshake_types),          2},
    [REGISTRY_CONTENT_TYPE]              = {ROWS(content_types),            2},
    [REGISTRY_CERT_COMPRESSION]          = {ROWS(cert_compression),         4},
    [REGISTRY_COMPRESSION_METHOD]        = {ROWS(compression_methods),      2},
    [REGISTRY_POINT_FORMAT]              = {ROWS(point_formats),            2},
    [REGISTRY_PSK_MODE]                  = {ROWS(psk_modes),                2},
    [REGISTRY_CLIENT_CERTIFICATE_TYPE]   = {ROWS(client_certificate_types), 2},
    [REGISTRY_HPKE_KEM]                  = {ROWS(hpke_kem),                 4},
    [REGISTRY_HPKE_KDF]                  = {ROWS(hpke_kdf),                 4},
    [REGISTRY_HPKE_AEAD]                 = {ROWS(hpke_aead),                4},
};
// clang-format on

// The rows again, sorted by name: made once, on the first parse, and kept.
static const struct codepoint **by_name[REGISTRY_COUNT];
static pthread_once_t by_name_once = PTHREAD_ONCE_INIT;

static const struct table *table_of(enum registry registry) {
    CHECK((unsigned)registry < REGISTRY_COUNT);
    return &tables[registry];
}

// The search is not left to bsearch, whose calls cost more than the search: a hello has fifty
// codes.
const struct codepoint *codepoint_find(enum registry registry, uint16_t code) {
    const struct table *t = table_of(registry);
    const struct codepoint *row = t->rows;
    for (size_t num = t->num_rows; num > 1;) {
        size_t half = num / 2;
        row = row[half].code <= code ? row + half : row;
        num -= half;
    }
    return row->code == code ? row : NULL;
}

const char *codepoint_name(enum registry registry, uint16_t code, char out[CODEPOINT_NAME_MAX]) {
    const struct codepoint *row = codepoint_find(registry, code);
    if (row != NULL) {
        return row->name;
    }
    bool grease = codepoint_is_grease(registry, code);
    snprintf(out, CODEPOINT_NAME_MAX, "%s0x%0*x%s", grease ? "GREASE (" : "",
             table_of(registry)->digits, code, grease ? ")" : " (unknown)");
    return out;
}

const char *codepoint_sslv2_name(uint32_t kind, char out[CODEPOINT_NAME_MAX]) {
    static const struct {
        uint32_t kind;
        const char *name;
    } rows[] = {
#define SSLV2_CIPHER_KIND(kind, name) {kind, name},
#include "logs/record/sslv2_cipher_kinds.inc"
#undef SSLV2_CIPHER_KIND
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].kind == kind) {
            return rows[i].name;
        }
    }
    snprintf(out, CODEPOINT_NAME_MAX, "0x%06x (unknown)", (unsigned)kind);
    return out;
}

static int row_cmp(const void *a, const void *b) {
    return strcasecmp((*(const struct codepoint *const *)a)->name,
                      (*(const struct codepoint *const *)b)->name);
}

static int name_cmp(const void *key, const void *row) {
    return strcasecmp(key, (*(const struct codepoint *const *)row)->name);
}

static void by_name_make(void) {
    for (size_t r = 0; r < REGISTRY_COUNT; r++) {
        const struct table *t = &tables[r];
        by_name[r] = xcalloc(t->num_rows, sizeof(by_name[r][0]));
        for (size_t i = 0; i < t->num_rows; i++) {
            by_name[r][i] = &t->rows[i];
        }
        qsort(by_name[r], t->num_rows, sizeof(by_name[r][0]), row_cmp);
    }
}

// hex_parse reads "0x" and one to four digits and sets `*out_rest` to what follows them.
static bool hex_parse(uint16_t *out_code, const char **out_rest, const char *s) {
    if (strncasecmp(s, "0x", 2) != 0) {
        return false;
    }
    size_t num_digits = strspn(s + 2, "0123456789abcdefABCDEF");
    if (num_digits < 1 || num_digits > 4) {
        return false;
    }
    *out_code = (uint16_t)strtoul(s + 2, NULL, 16);
    *out_rest = s + 2 + num_digits;
    return true;
}

bool codepoint_parse(enum registry registry, uint16_t *out_code, const char *name) {
    const struct table *t = table_of(registry);
    pthread_once(&by_name_once, by_name_make);
    const struct codepoint *const *row =
        bsearch(name, by_name[registry], t->num_rows, sizeof(by_name[registry][0]), name_cmp);
    if (row != NULL) {
        *out_code = (*row)->code;
        return true;
    }
    bool grease = strncasecmp(name, "GREASE (", 8) == 0;
    uint16_t code;
    const char *rest;
    if (!hex_parse(&code, &rest, grease ? name + 8 : name)) {
        return false;
    }
    bool whole = grease ? strcmp(rest, ")") == 0 && codepoint_is_grease(registry, code)
                        : *rest == '\0' || strcasecmp(rest, " (unknown)") == 0;
    if (!whole) {
        return false;
    }
    *out_code = code;
    return true;
}

const struct codepoint *codepoint_list(enum registry registry, size_t *out_num) {
    const struct table *t = table_of(registry);
    *out_num = t->num_rows;
    return t->rows;
}
