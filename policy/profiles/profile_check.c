#include "policy/profiles/profile_check.h"

#include <stddef.h>
#include <string.h>

#include "logs/base/check.h"
#include "policy/profiles/knob_value.h"

// refuse_at refuses the knob `key` of the object that the reader is in.
static bool refuse_at(struct reader *reader, const char *key, const char *why) {
    reader_enter_key(reader, key);
    return reader_refuse(reader, "%s", why);
}

static bool check_versions(struct reader *reader, uint16_t min, uint16_t max) {
    return max == 0 || min <= max ||
           refuse_at(reader, "min_version",
                     "expected \"min_version\" to be at most \"max_version\"");
}

static bool check_alpn(struct reader *reader, enum profile_alpn alpn, size_t num) {
    if ((alpn == PROFILE_ALPN_FIXED) == (num != 0)) {
        return true;
    }
    return refuse_at(reader, "alpn_protocols",
                     num == 0 ? "expected at least one, because \"alpn\" is \"fixed\""
                              : "is only for an \"alpn\" that is \"fixed\"");
}

static bool check_client_leg(struct reader *reader, const struct profile_client_leg *leg) {
    return check_versions(reader, leg->min_version, leg->max_version) &&
           check_alpn(reader, leg->alpn, leg->alpn_protocols.num) &&
           (leg->flight_delay_ms == 0 || leg->flight_split != 0 ||
            refuse_at(reader, "flight_delay_ms", "needs a \"flight_split\"")) &&
           (!leg->echo_session_id || (leg->max_version != 0 && leg->max_version < 0x0304) ||
            refuse_at(reader, "echo_session_id", "needs a \"max_version\" of \"1.2\" or less"));
}

static bool edit_is_empty(const struct profile_edit *edit) {
    return edit->strip_extensions.num == 0 && edit->strip_groups.num == 0 &&
           edit->strip_ciphers.num == 0 && !edit->drop_grease && edit->sni == NULL;
}

// only_for says that a knob is given exactly where it is needed; `is` and `needed` are that.
static bool only_for(struct reader *reader, const char *key, bool is, bool needed,
                     const char *what) {
    if (is == needed) {
        return true;
    }
    reader_enter_key(reader, key);
    return needed ? reader_refuse(reader, "is needed for %s", what)
                  : reader_refuse(reader, "is only for %s", what);
}

// check_verify refuses what nobody would notice: a check that fails is shown by "on_invalid".
static bool check_verify(struct reader *reader, const struct profile_server_leg *leg) {
    const struct profile_verify *verify = &leg->verify;
    bool shows = leg->on_invalid != PROFILE_INVALID_MIRROR;
    size_t back = reader_enter_key(reader, "verify");
    bool ok =
        (!verify->aia || refuse_at(reader, "aia",
                                   "is not to be had: nothing is fetched while a handshake "
                                   "waits")) &&
        (shows || verify->pins.num == 0 ||
         refuse_at(reader, "pins", "needs an \"on_invalid\" other than \"mirror\"")) &&
        (shows || verify->revocation != PROFILE_REVOCATION_HARD ||
         refuse_at(reader, "revocation", "\"hard\" needs an \"on_invalid\" other than \"mirror\""));
    if (ok) {
        reader_leave(reader, back);
    }
    return ok;
}

static bool codes_have(const struct profile_codes *codes, uint16_t code) {
    for (size_t i = 0; i < codes->num; i++) {
        if (codes->ids[i] == code) {
            return true;
        }
    }
    return false;
}

// The lists of a template, each of which is the content of an extension.
// clang-format off
static const struct {
    const char *key;
    uint16_t extension, also; // `also`: another extension with the same content
    size_t at;
    bool needed;
} LISTS[] = {
    {"groups",               10, 10, offsetof(struct profile_template, groups),        true},
    {"point_formats",        11, 11, offsetof(struct profile_template, point_formats), false},
    {"signature_algorithms", 13, 50, offsetof(struct profile_template, sigalgs),       true},
    {"versions",             43, 43, offsetof(struct profile_template, versions),      true},
    {"key_shares",           51, 51, offsetof(struct profile_template, key_shares),    false},
};
// clang-format on

static bool check_lists(struct reader *reader, const struct profile_template *template) {
    for (size_t i = 0; i < ARRAY_LEN(LISTS); i++) {
        const struct profile_codes *list =
            (const struct profile_codes *)((const char *)template + LISTS[i].at);
        bool has = codes_have(&template->extensions, LISTS[i].extension) ||
                   codes_have(&template->extensions, LISTS[i].also);
        if (list->num != 0 && !has) {
            return refuse_at(reader, LISTS[i].key, "its extension is not among \"extensions\"");
        }
        if (list->num == 0 && has && LISTS[i].needed) {
            return refuse_at(reader, LISTS[i].key, "is needed for an extension that is named");
        }
    }
    return true;
}

// check_template refuses what a client of our own could not go on from.
static bool check_template(struct reader *reader, const struct profile_template *template) {
    static const uint16_t barred[] = {41, 42, 44}, shares[] = {23, 24, 25, 29, 4588};
    size_t back = reader_enter_key(reader, "template");
    if (template->version > 0x0303) {
        return refuse_at(reader, "version",
                         "expected at most \"1.2\": TLS 1.3 is offered by \"versions\"");
    }
    for (size_t i = 0; i < ARRAY_LEN(barred); i++) {
        if (codes_have(&template->extensions, barred[i])) {
            return refuse_at(reader, "extensions",
                             "pre_shared_key, early_data and cookie are not to be had: their "
                             "contents come from an earlier connection or answer");
        }
    }
    for (size_t i = 0; i < template->key_shares.num; i++) {
        uint16_t id = template->key_shares.ids[i];
        bool known = (id & 0x0f0f) == 0x0a0a;
        for (size_t k = 0; k < ARRAY_LEN(shares); k++) {
            known = known || shares[k] == id;
        }
        if (!known) {
            return refuse_at(reader, "key_shares",
                             "expected x25519, secp256r1, secp384r1, secp521r1, X25519MLKEM768 or "
                             "GREASE: no others can be made");
        }
    }
    bool ok = check_lists(reader, template);
    if (ok) {
        reader_leave(reader, back);
    }
    return ok;
}

static bool check_server_leg(struct reader *reader, const struct profile_server_leg *leg,
                             enum profile_mode mode) {
    return check_versions(reader, leg->min_version, leg->max_version) &&
           check_alpn(reader, leg->alpn, leg->alpn_protocols.num) &&
           only_for(reader, "sni_name", leg->sni_name != NULL, leg->sni == PROFILE_SNI_REPLACE,
                    "\"sni\": \"replace\"") &&
           only_for(reader, "template", leg->template.ciphers.num != 0,
                    leg->hello == PROFILE_HELLO_TEMPLATE, "\"hello\": \"template\"") &&
           check_template(reader, &leg->template) &&
           only_for(reader, "edit", !edit_is_empty(&leg->edit), leg->hello == PROFILE_HELLO_EDIT,
                    "\"hello\": \"edit\"") &&
           (leg->hello != PROFILE_HELLO_EDIT || mode == PROFILE_TUNNEL ||
            refuse_at(reader, "hello", "\"edit\" needs the \"mode\" \"tunnel\"")) &&
           only_for(reader, "on_invalid_alert", leg->on_invalid_alert != 0,
                    leg->on_invalid == PROFILE_INVALID_ALERT, "\"on_invalid\": \"alert\"") &&
           (!leg->breaks_off || leg->on_invalid == PROFILE_INVALID_ALERT ||
            leg->on_invalid == PROFILE_INVALID_RESET ||
            leg->on_invalid == PROFILE_INVALID_BLOCK_PAGE ||
            refuse_at(reader, "breaks_off",
                      "is for \"on_invalid\": \"alert\", \"reset\" or \"block_page\"")) &&
           check_verify(reader, leg);
}

static bool is_rsa(enum cert_knob_key key) {
    return key == CERT_KNOB_KEY_RSA_1024 || key == CERT_KNOB_KEY_RSA_2048 ||
           key == CERT_KNOB_KEY_RSA_3072 || key == CERT_KNOB_KEY_RSA_4096;
}

// needs_rsa returns whether no other key signs with `digest`.
static bool needs_rsa(enum cert_knob_digest digest) {
    return digest != CERT_KNOB_SHA256 && digest != CERT_KNOB_SHA384;
}

static bool check_ca(struct reader *reader, const struct ca_knobs *ca) {
    json_t *turned = knob_object_json(ca, KNOB_CA);
    bool any = json_object_size(turned) != 0;
    json_decref(turned);
    if (any && ca->subject.num == 0) {
        return refuse_at(reader, "subject", "is needed for a CA of the profile's own");
    }
    if (needs_rsa(ca->digest) && !is_rsa(ca->key)) {
        return refuse_at(reader, "digest",
                         "\"sha1\", \"md5\" and \"sha512\" need a \"key\" that is RSA");
    }
    return ca->no_constraints == false || !ca->constraints_not_critical ||
           refuse_at(reader, "basic_constraints_critical", "is about \"basic_constraints\"");
}

static bool is_purpose(const char *word) {
#define PURPOSE_TEXT(text) text,
    static const char *const words[] = {CERT_KNOB_PURPOSES(PURPOSE_TEXT)};
#undef PURPOSE_TEXT
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

// check_own refuses what belongs to "own" and is there without it.
static bool check_own(struct reader *reader, const struct cert_knobs *cert) {
    for (size_t i = 0; i < cert->ext_key_usages.num; i++) {
        if (!is_purpose(cert->ext_key_usages.items[i])) {
            return refuse_at(reader, "ext_key_usages", "unknown extended key usage");
        }
    }
    return only_for(reader, "san_names", cert->san_names.num != 0, cert->san == CERT_KNOB_SAN_OWN,
                    "\"san\": \"own\"") &&
           only_for(reader, "key_usage_bits", cert->key_usage_bits != 0,
                    cert->key_usage == CERT_KNOB_USAGE_OWN, "\"key_usage\": \"own\"") &&
           only_for(reader, "ext_key_usages", cert->ext_key_usages.num != 0,
                    cert->ext_key_usage == CERT_KNOB_USAGE_OWN, "\"ext_key_usage\": \"own\"") &&
           only_for(reader, "subject_attributes", cert->subject_attributes.num != 0,
                    cert->subject == CERT_KNOB_SUBJECT_ATTRIBUTES, "\"subject\": \"attributes\"");
}

static bool check_cert(struct reader *reader, const struct cert_knobs *cert) {
    bool self = cert->issuer == CERT_KNOB_SELF;
    if (needs_rsa(cert->digest) && !is_rsa(self ? cert->key : cert->ca.key)) {
        return refuse_at(reader, "digest",
                         self ? "\"sha1\", \"md5\" and \"sha512\" need a \"key\" that is RSA"
                              : "\"sha1\", \"md5\" and \"sha512\" need a \"ca\" whose "
                                "\"key\" is RSA");
    }
    if (cert->key_usage == CERT_KNOB_USAGE_WRONG && !is_rsa(cert->key)) {
        return refuse_at(reader, "key_usage",
                         "\"wrong\" needs a \"key\" that is RSA: the TLS library shows no other "
                         "certificate that may not sign");
    }
    if (cert->chain == CERT_KNOB_CHAIN_INTERMEDIATE && cert->ca.intermediate_subject.num == 0) {
        return refuse_at(reader, "chain", "\"intermediate\" needs an \"intermediate_subject\"");
    }
    if (cert->issuer == CERT_KNOB_UNTRUSTED && cert->ca.subject.num != 0 &&
        cert->ca.untrusted_subject.num == 0) {
        return refuse_at(reader, "issuer", "\"untrusted\" needs an \"untrusted_subject\"");
    }
    if (!check_own(reader, cert) ||
        !only_for(reader, "crl_url", cert->crl_url != NULL, cert->crl == CERT_KNOB_URL_OWN,
                  "\"crl\": \"own\"") ||
        !only_for(reader, "ocsp_url", cert->ocsp_url != NULL, cert->ocsp == CERT_KNOB_URL_OWN,
                  "\"ocsp\": \"own\"") ||
        (cert->cache.hash_bits != 0 && cert->cache.key != LEAF_CACHE_HASH_32 &&
         !refuse_at(reader, "cache", "\"hash_bits\" is only for \"key\": \"hash32\""))) {
        return false;
    }
    size_t back = reader_enter_key(reader, "ca");
    if (!check_ca(reader, &cert->ca)) {
        return false;
    }
    reader_leave(reader, back);
    return true;
}

// What an action takes beside "at", "when" and "action"; those before the bar it cannot do without.
// clang-format off
static const struct {
    const char *needs, *takes;
} ACTIONS[] = {
    [PROFILE_PASS]          = {"",           ""},
    [PROFILE_RST]           = {"",           "side residual_seconds"},
    [PROFILE_FIN]           = {"",           "side residual_seconds"},
    [PROFILE_ALERT]         = {"alert",      "side residual_seconds"},
    [PROFILE_STALL]         = {"",           "ms residual_seconds"},
    [PROFILE_DROP_AFTER]    = {"",           "bytes side residual_seconds"},
    [PROFILE_BLACKHOLE_BIG] = {"bytes",      "side"},
    [PROFILE_BLOCK_PAGE]    = {"",           "status page"},
    [PROFILE_FOREIGN_CERT]  = {"cert_host",  "status location page"},
    [PROFILE_PLAIN_HTTP]    = {"",           "status page"},
    [PROFILE_EDIT_HELLO]    = {"edit",       ""},
};
// clang-format on

// holds_word returns whether `word` is one of those in `words`.
static bool holds_word(const char *words, const char *word) {
    size_t len = strlen(word);
    for (const char *p = words; (p = strstr(p, word)) != NULL; p += len) {
        if ((p == words || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool is_early(enum profile_action action) {
    return action >= PROFILE_BLOCK_PAGE && action <= PROFILE_EDIT_HELLO;
}

static bool check_reaction(struct reader *reader, const struct profile_reaction *reaction) {
    json_t *json = knob_object_json(reaction, KNOB_REACTION), *value;
    const char *needs = ACTIONS[reaction->action].needs, *takes = ACTIONS[reaction->action].takes;
    const char *action = knob_find(KNOB_REACTION, "action")->words[reaction->action];
    const char *name, *wrong = NULL;
    json_object_foreach(json, name, value) {
        if (!holds_word("at when action", name) && !holds_word(needs, name) &&
            !holds_word(takes, name)) {
            wrong = knob_find(KNOB_REACTION, name)->name;
        }
    }
    bool missing = needs[0] != '\0' && json_object_get(json, needs) == NULL;
    json_decref(json);
    if (wrong != NULL || missing) {
        reader_enter_key(reader, missing ? needs : wrong);
        return missing ? reader_refuse(reader, "is needed for the action \"%s\"", action)
                       : reader_refuse(reader, "has no meaning with the action \"%s\"", action);
    }
    bool late = reaction->at != PROFILE_AT_HELLO;
    return !late || !is_early(reaction->action) ||
           refuse_at(reader, "at", "that action can only be taken at \"hello\"");
}

static bool check_order(struct reader *reader, const struct profile *profile) {
    if (profile->order == PROFILE_CLIENT_FIRST) {
        return refuse_at(reader, "order",
                         "\"client_first\" is not to be had: the client is answered with what the "
                         "server showed");
    }
    for (size_t i = 0; i < profile->num_reactions; i++) {
        if (profile->order == PROFILE_SERVER_FIRST && is_early(profile->reactions[i].action)) {
            return refuse_at(reader, "order",
                             "\"server_first\" leaves no room for actions in the server's place");
        }
    }
    return true;
}

static bool check_name(struct reader *reader, const struct profile *profile) {
    const char *name = profile->name != NULL ? profile->name : "";
    size_t len = strlen(name);
    if (len > 0 && len <= PROFILE_MAX_NAME && name[0] != '.' &&
        len == strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.,")) {
        return true;
    }
    return refuse_at(reader, "name",
                     "expected small letters, digits, \"-\", \"_\" and \".\", not in front");
}

bool profile_check(struct reader *reader, const struct profile *profile) {
    if (!check_name(reader, profile) || !check_order(reader, profile)) {
        return false;
    }
    size_t back = reader_enter_key(reader, "client_leg");
    if (!check_client_leg(reader, &profile->client_leg)) {
        return false;
    }
    reader_leave(reader, back);
    (void)reader_enter_key(reader, "server_leg");
    if (!check_server_leg(reader, &profile->server_leg, profile->mode)) {
        return false;
    }
    reader_leave(reader, back);
    (void)reader_enter_key(reader, "cert");
    if (!check_cert(reader, &profile->cert)) {
        return false;
    }
    reader_leave(reader, back);
    (void)reader_enter_key(reader, "reactions");
    for (size_t i = 0; i < profile->num_reactions; i++) {
        size_t back_item = reader_enter_item(reader, i);
        if (!check_reaction(reader, &profile->reactions[i])) {
            return false;
        }
        reader_leave(reader, back_item);
    }
    reader_leave(reader, back);
    return true;
}
