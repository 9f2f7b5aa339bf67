#include "proxy/session/trigger.h"

#include <string.h>

#include "policy/decide/glob.h"
#include "proxy/tls/extension.h"

enum { SEGMENT = 1448 }; // of 1500 bytes, less headers with timestamps

size_t trigger_segments(size_t wire_len, size_t num_reads) {
    size_t cut = (wire_len + SEGMENT - 1) / SEGMENT;
    return cut > num_reads ? cut : num_reads;
}

static bool any_glob(const struct profile_strings *globs, const char *text, size_t len) {
    for (size_t i = 0; i < globs->num; i++) {
        if (text != NULL && glob_matches(globs->items[i], text, len)) {
            return true;
        }
    }
    return globs->num == 0;
}

static bool any_text(const struct profile_strings *globs, const char *text) {
    return any_glob(globs, text, text == NULL ? 0 : strlen(text));
}

static bool is(enum profile_tri wanted, bool found) {
    return wanted == PROFILE_ANY || (wanted == PROFILE_YES) == found;
}

static bool any_version(const struct profile_codes *wanted, const struct client_hello *hello) {
    for (size_t i = 0; i < wanted->num; i++) {
        uint16_t version = wanted->ids[i];
        if (hello->versions.p != NULL ? code_list_has(&hello->versions, version)
                                      : version <= hello->legacy_version) {
            return true;
        }
    }
    return wanted->num == 0;
}

static bool sends_extension(const struct client_hello *hello, uint16_t type) {
    CBS block = hello->extensions;
    struct extension extension;
    while (extension_next(&block, &extension)) {
        if (extension.type == type) {
            return true;
        }
    }
    return false;
}

static bool any_extension(const struct profile_codes *wanted, const struct client_hello *hello) {
    for (size_t i = 0; i < wanted->num; i++) {
        if (sends_extension(hello, wanted->ids[i])) {
            return true;
        }
    }
    return wanted->num == 0;
}

static bool sends_share(const struct client_hello *hello, uint16_t group) {
    CBS shares = hello->key_shares;
    struct key_share share;
    while (key_share_next(&shares, &share)) {
        if (share.group == group) {
            return true;
        }
    }
    return false;
}

static bool any_group(const struct profile_codes *wanted, const struct client_hello *hello) {
    for (size_t i = 0; i < wanted->num; i++) {
        if (code_list_has(&hello->groups, wanted->ids[i]) || sends_share(hello, wanted->ids[i])) {
            return true;
        }
    }
    return wanted->num == 0;
}

static bool any_cipher(const struct profile_codes *wanted, const struct client_hello *hello) {
    for (size_t i = 0; i < wanted->num; i++) {
        if (code_list_has(&hello->ciphers, wanted->ids[i])) {
            return true;
        }
    }
    return wanted->num == 0;
}

static bool any_alpn(const struct profile_strings *wanted, const struct client_hello *hello) {
    for (size_t i = 0; i < wanted->num; i++) {
        CBS names = hello->alpn, name;
        while (hello->num_alpn != 0 && name_next(&names, &name)) {
            if (CBS_mem_equal(&name, (const uint8_t *)wanted->items[i], strlen(wanted->items[i]))) {
                return true;
            }
        }
    }
    return wanted->num == 0;
}

bool trigger_met(const struct reaction_when *when, const struct trigger_facts *facts) {
    const struct client_hello *hello = facts->hello;
    bool resumption = hello->num_psk_identities != 0 || CBS_len(&hello->session_ticket) != 0;
    bool above = CBS_len(&hello->raw) > when->hello_over && facts->segments > when->segments_over &&
                 facts->records > when->records_over;
    return any_glob(&when->sni, (const char *)CBS_data(&hello->sni), CBS_len(&hello->sni)) &&
           any_text(&when->host, facts->host) && any_text(&when->user_agent, facts->user_agent) &&
           is(when->has_sni, CBS_data(&hello->sni) != NULL) &&
           is(when->grease, hello->grease != 0) && is(when->resumption, resumption) && above &&
           any_version(&when->versions, hello) && any_extension(&when->extensions, hello) &&
           any_group(&when->groups, hello) && any_cipher(&when->ciphers, hello) &&
           any_alpn(&when->alpn, hello) && (when->nth == 0 || when->nth == facts->nth) &&
           (when->probability == 0 || facts->draw < when->probability);
}
