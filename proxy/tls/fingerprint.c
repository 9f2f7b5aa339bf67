#include "proxy/tls/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/text_sink.h"

enum {
    CODES_MAX = 32768, // more two-byte codes than any list of a hello holds
    SMALL_SORT = 128,
    JA4_A_LEN = 10,
    JA4_HASH_LEN = 12,
    COUNT_MAX = 99,
};

// clang-format off
static const struct {
    uint16_t version;
    char name[3];
} ja4_versions[] = {
    {0x0304, "13"},
    {0x0303, "12"},
    {0x0302, "11"},
    {0x0301, "10"},
    {0x0300, "s3"},
    {0x0002, "s2"},
    {0xfeff, "d1"},
    {0xfefd, "d2"},
    {0xfefc, "d3"},
};
// clang-format on

// Collects `list` without its GREASE values and returns how many are left.
static size_t codes_of_list(uint16_t *out, const struct code_list *list, enum registry registry) {
    size_t num = 0;
    for (size_t i = 0; i < list->num; i++) {
        uint16_t code = (uint16_t)code_list_at(list, i);
        if (!codepoint_is_grease(registry, code)) {
            out[num++] = code;
        }
    }
    return num;
}

static size_t codes_of_extensions(uint16_t *out, CBS block, bool grease) {
    size_t num = 0;
    struct extension ext;
    while (extension_next(&block, &ext)) {
        if (grease || !codepoint_is_grease(REGISTRY_EXTENSION, ext.type)) {
            out[num++] = ext.type;
        }
    }
    return num;
}

static int code_cmp(const void *a, const void *b) {
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

// Real hellos have a score of codes, where an insertion sort is several times faster than qsort.
static void codes_sort(uint16_t *codes, size_t num) {
    if (num > SMALL_SORT) {
        qsort(codes, num, sizeof(*codes), code_cmp);
        return;
    }
    for (size_t i = 1; i < num; i++) {
        uint16_t code = codes[i];
        size_t k = i;
        for (; k > 0 && codes[k - 1] > code; k--) {
            codes[k] = codes[k - 1];
        }
        codes[k] = code;
    }
}

static void decimals(struct text_sink *sink, const uint16_t *codes, size_t num) {
    for (size_t i = 0; i < num; i++) {
        if (i != 0) {
            text_sink_char(sink, '-');
        }
        text_sink_decimal(sink, codes[i]);
    }
}

static void hexes(struct text_sink *sink, const uint16_t *codes, size_t num) {
    for (size_t i = 0; i < num; i++) {
        if (i != 0) {
            text_sink_char(sink, ',');
        }
        text_sink_hex16(sink, codes[i]);
    }
}

static void ja3_write(struct text_sink *sink, const struct client_hello *hello) {
    uint16_t codes[CODES_MAX];
    text_sink_decimal(sink, hello->legacy_version);
    text_sink_char(sink, ',');
    decimals(sink, codes, codes_of_list(codes, &hello->ciphers, REGISTRY_CIPHER));
    text_sink_char(sink, ',');
    decimals(sink, codes, codes_of_extensions(codes, hello->extensions, false));
    text_sink_char(sink, ',');
    decimals(sink, codes, codes_of_list(codes, &hello->groups, REGISTRY_GROUP));
    text_sink_char(sink, ',');
    decimals(sink, codes, codes_of_list(codes, &hello->point_formats, REGISTRY_POINT_FORMAT));
}

static void ja3s_write(struct text_sink *sink, const struct server_hello *hello) {
    uint16_t codes[CODES_MAX];
    text_sink_decimal(sink, hello->legacy_version);
    text_sink_char(sink, ',');
    text_sink_decimal(sink, hello->cipher);
    text_sink_char(sink, ',');
    decimals(sink, codes, codes_of_extensions(codes, hello->extensions, true));
}

bool fingerprint_ja3(char out[JA3_SIZE], const struct client_hello *hello) {
    if (hello->sslv2) {
        return false;
    }
    struct text_sink sink;
    text_sink_md5(&sink);
    ja3_write(&sink, hello);
    text_sink_hash(&sink, out, JA3_SIZE - 1);
    return true;
}

bool fingerprint_ja3_text(struct buf *out, const struct client_hello *hello) {
    if (hello->sslv2) {
        return false;
    }
    struct text_sink sink;
    text_sink_buf(&sink, out);
    ja3_write(&sink, hello);
    return text_sink_end(&sink);
}

bool fingerprint_ja3s(char out[JA3_SIZE], const struct server_hello *hello) {
    struct text_sink sink;
    text_sink_md5(&sink);
    ja3s_write(&sink, hello);
    text_sink_hash(&sink, out, JA3_SIZE - 1);
    return true;
}

bool fingerprint_ja3s_text(struct buf *out, const struct server_hello *hello) {
    struct text_sink sink;
    text_sink_buf(&sink, out);
    ja3s_write(&sink, hello);
    return text_sink_end(&sink);
}

static const char *ja4_version(const struct client_hello *hello) {
    uint16_t version = client_hello_max_version(hello);
    for (size_t i = 0; i < ARRAY_LEN(ja4_versions); i++) {
        if (ja4_versions[i].version == version) {
            return ja4_versions[i].name;
        }
    }
    return "00";
}

static bool is_alphanumeric(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// The first and last character of the first name, or of its hexadecimal form when either is not
// alphanumeric.
static void ja4_alpn(char out[2], const struct client_hello *hello) {
    static const char digits[] = "0123456789abcdef";
    CBS names = hello->alpn, name;
    out[0] = out[1] = '0';
    if (!name_next(&names, &name) || CBS_len(&name) == 0) {
        return;
    }
    uint8_t first = CBS_data(&name)[0], last = CBS_data(&name)[CBS_len(&name) - 1];
    bool plain = is_alphanumeric(first) && is_alphanumeric(last);
    out[0] = plain ? (char)first : digits[first >> 4];
    out[1] = plain ? (char)last : digits[last & 0xf];
}

static void two_digits(char *out, size_t n) {
    n = n < COUNT_MAX ? n : COUNT_MAX;
    out[0] = (char)('0' + n / 10);
    out[1] = (char)('0' + n % 10);
}

// The sorted lists of a JA4.
struct ja4_lists {
    size_t num_ciphers, num_extensions; // as counted
    size_t num_sorted;                  // extensions without server_name and ALPN
    bool server_name;
    uint16_t ciphers[CODES_MAX], extensions[CODES_MAX];
};

static void ja4_a(char out[JA4_A_LEN], enum ja4_transport transport,
                  const struct client_hello *hello, const struct ja4_lists *lists) {
    out[0] = (char)transport;
    memcpy(out + 1, ja4_version(hello), 2);
    out[3] = lists->server_name ? 'd' : 'i';
    two_digits(out + 4, lists->num_ciphers);
    two_digits(out + 6, lists->num_extensions);
    ja4_alpn(out + 8, hello);
}

static void ja4_collect(struct ja4_lists *lists, const struct client_hello *hello) {
    lists->num_ciphers = codes_of_list(lists->ciphers, &hello->ciphers, REGISTRY_CIPHER);
    codes_sort(lists->ciphers, lists->num_ciphers);
    lists->num_extensions = codes_of_extensions(lists->extensions, hello->extensions, false);
    lists->num_sorted = 0;
    lists->server_name = false;
    for (size_t i = 0; i < lists->num_extensions; i++) {
        uint16_t type = lists->extensions[i];
        lists->server_name |= type == EXT_SERVER_NAME;
        if (type != EXT_SERVER_NAME && type != EXT_ALPN) {
            lists->extensions[lists->num_sorted++] = type;
        }
    }
    codes_sort(lists->extensions, lists->num_sorted);
}

static void ja4_c_write(struct text_sink *sink, const struct ja4_lists *lists,
                        const struct client_hello *hello) {
    hexes(sink, lists->extensions, lists->num_sorted);
    bool any = false;
    for (size_t i = 0; i < hello->sigalgs.num; i++) {
        uint16_t scheme = (uint16_t)code_list_at(&hello->sigalgs, i);
        if (!codepoint_is_grease(REGISTRY_SIGNATURE_SCHEME, scheme)) {
            text_sink_char(sink, any ? ',' : '_');
            text_sink_hex16(sink, scheme);
            any = true;
        }
    }
}

static void ja4_hash(char *out, struct text_sink *sink) {
    if (sink->total == 0) {
        memset(out, '0', JA4_HASH_LEN);
        out[JA4_HASH_LEN] = '\0';
    } else {
        text_sink_hash(sink, out, JA4_HASH_LEN);
    }
}

bool fingerprint_ja4(char out[JA4_SIZE], enum ja4_transport transport,
                     const struct client_hello *hello) {
    if (hello->sslv2) {
        return false;
    }
    struct ja4_lists lists;
    ja4_collect(&lists, hello);
    ja4_a(out, transport, hello, &lists);
    struct text_sink sink;
    char *b = out + JA4_A_LEN + 1, *c = b + JA4_HASH_LEN + 1;
    text_sink_sha256(&sink);
    hexes(&sink, lists.ciphers, lists.num_ciphers);
    ja4_hash(b, &sink);
    text_sink_sha256(&sink);
    ja4_c_write(&sink, &lists, hello);
    ja4_hash(c, &sink);
    b[-1] = c[-1] = '_';
    return true;
}

bool fingerprint_ja4_raw(struct buf *out, enum ja4_transport transport,
                         const struct client_hello *hello) {
    if (hello->sslv2) {
        return false;
    }
    struct ja4_lists lists;
    ja4_collect(&lists, hello);
    char a[JA4_A_LEN];
    ja4_a(a, transport, hello, &lists);
    struct text_sink sink;
    text_sink_buf(&sink, out);
    for (size_t i = 0; i < JA4_A_LEN; i++) {
        text_sink_char(&sink, a[i]);
    }
    text_sink_char(&sink, '_');
    hexes(&sink, lists.ciphers, lists.num_ciphers);
    text_sink_char(&sink, '_');
    ja4_c_write(&sink, &lists, hello);
    return text_sink_end(&sink);
}
