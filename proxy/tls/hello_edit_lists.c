#include <stdlib.h>
#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/cipher.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_list.h"
#include "proxy/tls/hello_shape.h"

enum { HOST_NAME = 0, TLS12 = 0x0303, TLS13 = 0x0304 };

void hello_edit_sni(struct hello_draft *draft, const char *host) {
    if (host == NULL) {
        hello_edit_remove(draft, EXT_SERVER_NAME);
        return;
    }
    struct hello_list list = {0};
    hello_list_number(&list, HOST_NAME, 1);
    hello_list_name(&list, (const uint8_t *)host, strlen(host), 2);
    if (hello_edit_find(draft, EXT_SERVER_NAME) == NULL) {
        hello_edit_insert(draft, 0, EXT_SERVER_NAME, NULL, 0); // where most clients have it
    }
    hello_list_set(draft, EXT_SERVER_NAME, 2, &list);
}

static void codes_set(struct hello_draft *draft, uint16_t type, size_t prefix,
                      const uint16_t *codes, size_t num_codes) {
    struct hello_list list = {0};
    for (size_t i = 0; i < num_codes; i++) {
        hello_list_number(&list, codes[i], 2);
    }
    if (num_codes == 0) {
        hello_edit_remove(draft, type);
    } else {
        hello_list_set(draft, type, prefix, &list);
    }
}

void hello_edit_versions(struct hello_draft *draft, const uint16_t *versions, size_t num_versions) {
    codes_set(draft, EXT_SUPPORTED_VERSIONS, 1, versions, num_versions);
}

void hello_edit_sigalgs(struct hello_draft *draft, const uint16_t *sigalgs, size_t num_sigalgs) {
    codes_set(draft, EXT_SIGNATURE_ALGORITHMS, 2, sigalgs, num_sigalgs);
}

void hello_edit_alpn(struct hello_draft *draft, const char *const *names, size_t num_names) {
    struct hello_list list = {0};
    for (size_t i = 0; i < num_names; i++) {
        hello_list_name(&list, (const uint8_t *)names[i], strlen(names[i]), 1);
    }
    if (num_names == 0) {
        hello_edit_remove(draft, EXT_ALPN);
    } else {
        hello_list_set(draft, EXT_ALPN, 2, &list);
    }
}

// shares_view sets `*out` to the list inside key_share. It returns false when there is none.
static bool shares_view(CBS *out, const struct hello_draft *draft) {
    const struct hello_extension *extension = hello_edit_find(draft, EXT_KEY_SHARE);
    CBS body;
    if (extension == NULL) {
        return false;
    }
    CBS_init(&body, extension->body.p, extension->body.len);
    return CBS_get_u16_length_prefixed(&body, out);
}

static void share_add(struct hello_list *list, uint16_t group, const uint8_t *key, size_t key_len) {
    hello_list_number(list, group, 2);
    hello_list_name(list, key, key_len, 2);
}

void hello_edit_key_share(struct hello_draft *draft, uint16_t group, const uint8_t *key,
                          size_t key_len) {
    struct hello_list list = {0};
    struct key_share share;
    CBS shares;
    bool replaced = false;
    for (bool any = shares_view(&shares, draft); any && key_share_next(&shares, &share);) {
        bool same = share.group == group;
        if (!same) {
            share_add(&list, share.group, CBS_data(&share.key), CBS_len(&share.key));
        } else if (!replaced) {
            share_add(&list, group, key, key_len);
        }
        replaced = replaced || same;
    }
    if (!replaced) {
        share_add(&list, group, key, key_len);
    }
    hello_list_set(draft, EXT_KEY_SHARE, 2, &list);
}

// Keeps the shares whose group is in `groups`, or, with `but`, those whose group is not.
static bool shares_filter(struct hello_draft *draft, const uint16_t *groups, size_t num_groups,
                          bool but) {
    struct hello_list list = {0};
    struct key_share share;
    CBS shares;
    bool removed = false;
    if (!shares_view(&shares, draft)) {
        return false;
    }
    while (key_share_next(&shares, &share)) {
        bool listed = false;
        for (size_t i = 0; i < num_groups; i++) {
            listed = listed || groups[i] == share.group;
        }
        if (listed != but) {
            share_add(&list, share.group, CBS_data(&share.key), CBS_len(&share.key));
        }
        removed = removed || listed == but;
    }
    if (removed) {
        hello_list_set(draft, EXT_KEY_SHARE, 2, &list);
    }
    hello_list_cleanup(&list);
    return removed;
}

bool hello_edit_remove_key_share(struct hello_draft *draft, uint16_t group) {
    return shares_filter(draft, &group, 1, true);
}

void hello_edit_no_key_shares(struct hello_draft *draft) {
    hello_edit_set(draft, EXT_KEY_SHARE, (const uint8_t[]){0, 0}, 2);
}

void hello_edit_groups(struct hello_draft *draft, const uint16_t *groups, size_t num_groups) {
    codes_set(draft, EXT_SUPPORTED_GROUPS, 2, groups, num_groups);
    shares_filter(draft, groups, num_groups, false);
}

// What TLS 1.2 knows nothing of.
// clang-format off
static const uint16_t tls13_only[] = {
    EXT_COMPRESS_CERTIFICATE, EXT_DELEGATED_CREDENTIAL, EXT_PRE_SHARED_KEY, EXT_EARLY_DATA,
    EXT_SUPPORTED_VERSIONS, EXT_COOKIE, EXT_PSK_KEY_EXCHANGE_MODES, EXT_CERTIFICATE_AUTHORITIES,
    EXT_POST_HANDSHAKE_AUTH, EXT_KEY_SHARE, EXT_QUIC_PARAMETERS, EXT_ALPS_OLD, EXT_ALPS, EXT_ECH,
};
// clang-format on

static bool is_grease(uint32_t cipher) {
    return cipher <= UINT16_MAX && codepoint_is_grease(REGISTRY_CIPHER, (uint16_t)cipher);
}

static bool is_scsv(uint32_t cipher) { return cipher == 0x00ff || cipher == 0x5600; }

static void ciphers_from(struct hello_list *list, enum hello_suites kind) {
    size_t num;
    const uint32_t *ciphers = hello_suites(kind, &num);
    for (size_t i = 0; i < num; i++) {
        hello_list_number(list, ciphers[i], 2);
    }
}

// Leaves the suites that can be chosen in `min` to `max`. Where none is left the usual ones come
// in.
static void ciphers_limit(struct hello_draft *draft, uint16_t min, uint16_t max) {
    struct hello_list list = {0};
    bool any_old = false, any_new = false;
    for (size_t at = 0; at + 2 <= draft->ciphers.len; at += 2) {
        uint32_t cipher = hello_list_at(draft->ciphers.p + at, 2);
        bool is_new = cipher_is_tls13(cipher), neutral = is_grease(cipher);
        bool keep = neutral || (is_new ? max >= TLS13 : min < TLS13);
        any_new = any_new || (keep && is_new);
        any_old = any_old || (keep && !is_new && !neutral && !is_scsv(cipher));
        if (keep) {
            hello_list_number(&list, cipher, 2);
        }
    }
    if (max >= TLS13 && !any_new) {
        ciphers_from(&list, HELLO_SUITES_TLS13);
    }
    if (min < TLS13 && !any_old) {
        ciphers_from(&list, HELLO_SUITES_ECDHE);
        ciphers_from(&list, HELLO_SUITES_CBC);
    }
    hello_bytes_set(&draft->ciphers, list.p, list.len);
    hello_list_cleanup(&list);
}

static void versions_limit(struct hello_draft *draft, uint16_t min, uint16_t max) {
    struct hello_list list = {0};
    const struct hello_extension *extension = hello_edit_find(draft, EXT_SUPPORTED_VERSIONS);
    bool have[TLS13 + 1 - 0x0300] = {false};
    for (size_t at = 1; extension != NULL && at + 2 <= extension->body.len; at += 2) {
        uint16_t version = (uint16_t)hello_list_at(extension->body.p + at, 2);
        bool keep = version >= min && version <= max;
        if (keep) {
            have[version - 0x0300] = true;
        }
        if (keep || codepoint_is_grease(REGISTRY_VERSION, version)) {
            hello_list_number(&list, version, 2);
        }
    }
    for (uint16_t version = max; version >= min; version--) {
        if (!have[version - 0x0300]) {
            hello_list_number(&list, version, 2);
        }
    }
    hello_list_set(draft, EXT_SUPPORTED_VERSIONS, 1, &list);
}

void hello_edit_version_range(struct hello_draft *draft, uint16_t min, uint16_t max) {
    CHECK(min >= 0x0300 && min <= max && max <= TLS13);
    draft->legacy_version = max < TLS12 ? max : TLS12;
    if (draft->format == HELLO_FORMAT_SSLV2) {
        return;
    }
    ciphers_limit(draft, min, max);
    if (max >= TLS13) {
        versions_limit(draft, min, max);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(tls13_only); i++) {
        hello_edit_remove(draft, tls13_only[i]);
    }
    if (max < TLS12) {
        hello_edit_remove(draft, EXT_SIGNATURE_ALGORITHMS); // RFC 5246, section 7.4.1.4.1
        hello_edit_remove(draft, EXT_SIGNATURE_ALGORITHMS_CERT);
    }
    hello_edit_session_id(draft, NULL, 0); // that of RFC 8446, appendix D.4, has no use
}

bool hello_edit_pad(struct hello_draft *draft, size_t total) {
    size_t position = hello_edit_position(draft, EXT_PADDING);
    if (position == draft->num_extensions && position != 0 &&
        draft->extensions[position - 1].type == EXT_PRE_SHARED_KEY) {
        position--;
    }
    size_t block = draft->has_extensions ? 0 : 2, len;
    if (total > HELLO_DRAFT_MAX) {
        draft->overflow = true;
        return false;
    }
    hello_edit_remove(draft, EXT_PADDING);
    len = hello_draft_len(draft);
    if (len >= total) {
        return len == total;
    }
    len += block + EXTENSION_HEADER_LEN;
    size_t body_len = total > len ? total - len : 0;
    uint8_t *zeros = xcalloc(body_len + 1, 1);
    hello_edit_insert(draft, position, EXT_PADDING, zeros, body_len);
    free(zeros);
    return true;
}

void hello_edit_ticket(struct hello_draft *draft, const uint8_t *ticket, size_t ticket_len) {
    hello_edit_set(draft, EXT_SESSION_TICKET, ticket, ticket_len);
}
