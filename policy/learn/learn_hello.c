// What the box says on each leg: its own hello to the server, and what it grants the client.
#include "policy/learn/internal.h"

#include <string.h>

#include "logs/record/codepoint.h"

enum { TLS12 = 0x0303, TLS13 = 0x0304 };

// struct half is the sightings in which the box spoke itself.
static bool speaks(const struct seen *seen) {
    return !seen->passed && obj_num(seen->behind, F_LEG_OFFER_CIPHERS) != 0;
}

static json_t *code_text(enum registry registry, uint16_t code) {
    char text[CODEPOINT_NAME_MAX];
    return json_string(codepoint_name(registry, code, text));
}

// codes_json leaves GREASE out: those values are others each time.
static json_t *codes_json(const struct obj *leg, enum field field, enum registry registry) {
    json_t *list = json_array();
    for (size_t i = 0; i < obj_num(leg, field); i++) {
        uint16_t code = obj_code(leg, field, i);
        if (!codepoint_is_grease(registry, code)) {
            CHECK(json_array_append_new(list, code_text(registry, code)) == 0);
        }
    }
    return list;
}

static json_t *strings_json(const struct obj *leg, enum field field) {
    json_t *list = json_array();
    for (size_t i = 0; i < obj_num(leg, field); i++) {
        struct span item = obj_item(leg, field, i);
        json_t *text = json_stringn((const char *)item.p, item.len);
        if (text != NULL) {
            CHECK(json_array_append_new(list, text) == 0);
        }
    }
    return list;
}

// A list of the hello, and the knob for it.
static const struct list {
    const char *own, *template;
    enum field field;
    enum registry registry;
} LISTS[] = {
    {"server_leg.ciphers", "server_leg.template.ciphers", F_LEG_OFFER_CIPHERS, REGISTRY_CIPHER},
    {"server_leg.groups", "server_leg.template.groups", F_LEG_OFFER_GROUPS, REGISTRY_GROUP},
    {"server_leg.signature_algorithms", "server_leg.template.signature_algorithms",
     F_LEG_OFFER_SIGALGS, REGISTRY_SIGNATURE_SCHEME},
    {"server_leg.extensions", "server_leg.template.extensions", F_LEG_OFFER_EXTENSIONS,
     REGISTRY_EXTENSION},
    {NULL, "server_leg.template.versions", F_LEG_OFFER_VERSIONS, REGISTRY_VERSION},
    {NULL, "server_leg.template.point_formats", F_LEG_OFFER_POINT_FORMATS, REGISTRY_POINT_FORMAT},
    {NULL, "server_leg.template.compression", F_LEG_OFFER_COMPRESSION, REGISTRY_COMPRESSION_METHOD},
};

// lists_agree tells how the lists of all hellos compare: each with the first, each with the
// client's own, and each client's with the first one's.
static void lists_agree(const struct learn *learn, bool *out_own, bool *out_mirror,
                        bool *out_one_client) {
    const struct seen *first = NULL;
    *out_own = *out_mirror = *out_one_client = true;
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        if (!speaks(seen)) {
            continue;
        }
        first = first == NULL ? seen : first;
        for (size_t j = 0; j < 3; j++) {
            json_t *one = codes_json(first->behind, LISTS[j].field, LISTS[j].registry);
            json_t *list = codes_json(seen->behind, LISTS[j].field, LISTS[j].registry);
            json_t *client = codes_json(seen->front, LISTS[j].field, LISTS[j].registry);
            json_t *one_client = codes_json(first->front, LISTS[j].field, LISTS[j].registry);
            *out_own = *out_own && json_equal(one, list);
            *out_mirror = *out_mirror && json_equal(client, list);
            *out_one_client = *out_one_client && json_equal(client, one_client);
            json_decref(one);
            json_decref(list);
            json_decref(client);
            json_decref(one_client);
        }
    }
}

static json_t *version_json(uint16_t version) {
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};
    return version >= 0x0301 && version <= TLS13 ? json_string(names[version - 0x0301]) : NULL;
}

static void versions_of(const struct obj *leg, uint16_t *out_min, uint16_t *out_max) {
    *out_min = 0xffff;
    *out_max = 0;
    for (size_t i = 0; i < obj_num(leg, F_LEG_OFFER_VERSIONS); i++) {
        uint16_t version = obj_code(leg, F_LEG_OFFER_VERSIONS, i);
        if (version >= 0x0301 && version <= TLS13) {
            *out_min = version < *out_min ? version : *out_min;
            *out_max = version > *out_max ? version : *out_max;
        }
    }
}

static void set_version(struct learn *learn, const char *path, uint16_t version,
                        const struct sources *from, const char *beside) {
    json_t *json = version_json(version);
    if (json != NULL) {
        learn_set(learn, path, json, from, beside);
    }
}

static uint16_t share_group(const struct obj *hello, size_t i) {
    int64_t group = 0;
    (void)obj_int(obj_at(hello, F_LEG_OFFER_KEY_SHARES, i), F_KEY_SHARE_GROUP, &group);
    return (uint16_t)group;
}

// has_template returns whether a template can say `hello`: not what an earlier connection or an
// answer put into it, nor a share of a group that we lack.
static bool has_template(const struct obj *hello) {
    static const uint16_t barred[] = {41, 42, 44}, shares[] = {23, 24, 25, 29, 4588};
    bool ok = true;
    for (size_t i = 0; i < ARRAY_LEN(barred); i++) {
        ok = ok && !obj_has_code(hello, F_LEG_OFFER_EXTENSIONS, barred[i]);
    }
    for (size_t i = 0; i < obj_num(hello, F_LEG_OFFER_KEY_SHARES); i++) {
        uint16_t group = share_group(hello, i);
        bool known = codepoint_is_grease(REGISTRY_GROUP, group);
        for (size_t k = 0; k < ARRAY_LEN(shares); k++) {
            known = known || shares[k] == group;
        }
        ok = ok && known;
    }
    return ok;
}

// learn_template takes over a hello as it stands.
static void learn_template(struct learn *learn, const struct obj *hello, bool template,
                           const struct sources *from) {
    int64_t code;
    for (size_t i = 0; i < ARRAY_LEN(LISTS); i++) {
        const char *path = template ? LISTS[i].template : LISTS[i].own;
        json_t *list = codes_json(hello, LISTS[i].field, LISTS[i].registry);
        // Without its extension the list of versions is one of ours.
        bool said = LISTS[i].field != F_LEG_OFFER_VERSIONS ||
                    obj_has_code(hello, F_LEG_OFFER_EXTENSIONS, 43);
        if (path != NULL && said && json_array_size(list) != 0 && json_array_size(list) <= 256) {
            learn_set(learn, path, json_incref(list), from, NULL);
        }
        json_decref(list);
    }
    if (!template) {
        learn_rough(learn, "The order of the hello's extensions is the library's, and so are its "
                           "TLS 1.3 suites; of the other suites, groups and signature algorithms "
                           "it offers those that the library has.");
        return;
    }
    json_t *shares = json_array();
    for (size_t i = 0; i < obj_num(hello, F_LEG_OFFER_KEY_SHARES); i++) {
        uint16_t group = share_group(hello, i);
        CHECK(codepoint_is_grease(REGISTRY_GROUP, group) ||
              json_array_append_new(shares, code_text(REGISTRY_GROUP, group)) == 0);
    }
    if (json_array_size(shares) != 0) {
        learn_set(learn, "server_leg.template.key_shares", json_incref(shares), from, NULL);
    }
    json_decref(shares);
    if (obj_int(hello, F_LEG_OFFER_LEGACY_VERSION, &code)) {
        set_version(learn, "server_leg.template.version", (uint16_t)code, from, NULL);
    }
    if (obj_int(hello, F_LEG_OFFER_RECORD_VERSION, &code)) {
        set_version(learn, "server_leg.template.record_version", (uint16_t)code, from, NULL);
    }
    if (obj_int(hello, F_LEG_OFFER_SESSION_ID, &code) && code > 0 && code <= 32) {
        learn_set(learn, "server_leg.template.session_id_len", json_integer(code), from, NULL);
    }
    learn_rough(learn, "Extensions have their usual contents, but for the lists that were seen, "
                       "and GREASE is left out.");
}

static void learn_versions(struct learn *learn, const struct obj *hello, bool template,
                           const struct sources *from) {
    uint16_t min, max;
    versions_of(hello, &min, &max);
    if (max == 0) {
        learn_miss(learn, "server_leg.max_version", "the hello offers no version from TLS 1.0 on");
        return;
    }
    // Without supported_versions a hello does not tell the oldest one; a template has them.
    if (template && obj_has_code(hello, F_LEG_OFFER_EXTENSIONS, 43)) {
        return;
    }
    if (obj_has_code(hello, F_LEG_OFFER_EXTENSIONS, 43)) {
        set_version(learn, "server_leg.min_version", min, from, NULL);
    } else {
        learn_miss(learn, "server_leg.min_version", "the hello does not say it");
    }
    if (!template) {
        set_version(learn, "server_leg.max_version", max, from, NULL);
    }
}

static void learn_server_hello(struct learn *learn) {
    struct sources from = {.num = 0};
    const struct seen *first = NULL;
    bool own, mirror, one_client;
    uint16_t min, max;
    for (size_t i = 0; i < learn->num; i++) {
        if (speaks(learn->seen[i])) {
            bool better = first == NULL ||
                          (!has_template(first->behind) && has_template(learn->seen[i]->behind));
            first = better ? learn->seen[i] : first;
            sources_add(&from, learn->seen[i]);
        }
    }
    if (first == NULL) {
        learn_miss(learn, "server_leg.hello", "no hello of the box was seen");
        return;
    }
    lists_agree(learn, &own, &mirror, &one_client);
    versions_of(first->behind, &min, &max);
    bool template = own && !mirror && max != 0 && has_template(first->behind);
    if (!own && !mirror) {
        learn_miss(learn, "server_leg.hello",
                   "it is neither the client's nor the same for all clients");
        return;
    }
    learn_set(learn, "server_leg.hello",
              json_string(mirror     ? "mirror"
                          : template ? "template"
                                     : "own"),
              &from,
              one_client ? "there was one kind of client only, and another may get another hello"
                         : NULL);
    if (!mirror) {
        learn_template(learn, first->behind, template, &from);
        learn_versions(learn, first->behind, template, &from);
    }
}

// learn_list_alpn turns server_leg.alpn, from hellos of clients that offered some.
static void learn_offered_alpn(struct learn *learn) {
    struct sources from = {.num = 0};
    bool strip = true, mirror = true, fixed = true;
    json_t *first = NULL;
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        if (!speaks(seen) || obj_num(seen->front, F_LEG_OFFER_ALPN) == 0) {
            continue;
        }
        json_t *client = strings_json(seen->front, F_LEG_OFFER_ALPN);
        json_t *box = strings_json(seen->behind, F_LEG_OFFER_ALPN);
        first = first == NULL ? json_incref(box) : first;
        strip = strip && json_array_size(box) == 0;
        mirror = mirror && json_equal(client, box);
        fixed = fixed && json_equal(first, box);
        json_decref(client);
        json_decref(box);
        sources_add(&from, seen);
    }
    if (from.num == 0 || (!strip && !mirror && !fixed)) {
        learn_miss(learn, "server_leg.alpn",
                   from.num == 0 ? "no client offered a protocol" : "it depends on the client");
    } else {
        learn_set(learn, "server_leg.alpn",
                  json_string(strip    ? "strip"
                              : mirror ? "mirror"
                                       : "fixed"),
                  &from, NULL);
        if (!strip && !mirror) {
            learn_set(learn, "server_leg.alpn_protocols", json_incref(first), &from, NULL);
        }
    }
    json_decref(first);
}

// learn_chosen_alpn turns client_leg.alpn.
static void learn_chosen_alpn(struct learn *learn) {
    struct sources from = {.num = 0};
    bool strip = true, mirror = true, fixed = true;
    const char *first = NULL;
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        const char *told = obj_str(seen->front, F_LEG_TLS_NEXT_PROTOCOL);
        const char *got = obj_str(seen->behind, F_LEG_TLS_NEXT_PROTOCOL);
        if (!speaks(seen) || seen->minded || obj_num(seen->front, F_LEG_OFFER_ALPN) == 0 ||
            !obj_has(seen->front, F_LEG_TLS_VERSION)) {
            continue;
        }
        // What TLS 1.3 encrypts was seen where the extensions beside it were.
        if (obj_str_is(seen->front, F_LEG_TLS_VERSION, "1.3") &&
            !obj_has(seen->front, F_LEG_ANSWER_ENCRYPTED)) {
            continue;
        }
        strip = strip && told == NULL;
        mirror =
            mirror && (told == NULL) == (got == NULL) && (told == NULL || strcmp(told, got) == 0);
        fixed = fixed && told != NULL && (first == NULL || strcmp(first, told) == 0);
        first = told;
        sources_add(&from, seen);
    }
    if (from.num == 0 || (!strip && !mirror && !fixed)) {
        learn_miss(learn, "client_leg.alpn",
                   from.num == 0 ? "no answer to a client that offered a "
                                   "protocol was seen"
                                 : "it is neither the server's nor one");
        return;
    }
    learn_set(learn, "client_leg.alpn",
              json_string(strip    ? "strip"
                          : mirror ? "mirror"
                                   : "fixed"),
              &from, NULL);
    if (!strip && !mirror) {
        learn_set(learn, "client_leg.alpn_protocols", json_pack("[s]", first), &from, NULL);
    }
}

static void learn_sni(struct learn *learn) {
    struct sources from = {.num = 0};
    bool strip = true, copy = true, replace = true;
    const char *first = NULL;
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        const char *client = obj_str(seen->front, F_LEG_SERVER_NAME);
        const char *box = obj_str(seen->behind, F_LEG_SERVER_NAME);
        if (!speaks(seen) || client == NULL) {
            continue;
        }
        strip = strip && box == NULL;
        copy = copy && box != NULL && strcmp(box, client) == 0;
        replace = replace && box != NULL && (first == NULL || strcmp(first, box) == 0);
        first = box;
        sources_add(&from, seen);
    }
    if (from.num == 0 || (!strip && !copy && !replace)) {
        learn_miss(learn, "server_leg.sni",
                   from.num == 0 ? "no client sent a server name"
                                 : "it is neither the client's nor one");
        return;
    }
    learn_set(learn, "server_leg.sni",
              json_string(copy    ? "copy"
                          : strip ? "strip"
                                  : "replace"),
              &from, NULL);
    if (!copy && !strip) {
        learn_set(learn, "server_leg.sni_name", json_string(first), &from, NULL);
    }
}

static bool chosen_version(const struct obj *leg, uint16_t *out) {
    int64_t code;
    bool seen = obj_int(leg, F_LEG_ANSWER_VERSION, &code);
    *out = seen ? (uint16_t)code : 0;
    return seen;
}

// learn_cap: a box that never answers with the newest version that its clients offer, although its
// own server leg speaks that, or could not, caps it.
static void learn_cap(struct learn *learn) {
    struct sources from = {.num = 0};
    uint16_t cap = 0;
    bool capped = true;
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        uint16_t min, offered, own, version, got;
        versions_of(seen->front, &min, &offered);
        versions_of(seen->behind, &min, &own);
        if (!speaks(seen) || !chosen_version(seen->front, &version) || version > TLS13) {
            continue;
        }
        // The server's own choice says nothing of the box that only follows it.
        bool follows = chosen_version(seen->behind, &got) && got == version && own > version;
        capped = capped && version < offered && !follows;
        cap = version > cap ? version : cap;
        sources_add(&from, seen);
    }
    if (from.num == 0) {
        learn_miss(learn, "client_leg.max_version", "no answer of the box was seen");
    } else if (capped) {
        set_version(learn, "client_leg.max_version", cap, &from, NULL);
    } else {
        learn_miss(learn, "client_leg.max_version",
                   "nobody offered more than the box granted, or the server chose");
    }
    learn_miss(learn, "client_leg.min_version",
               "records of connections that worked do not tell it");
}

// struct pick is what a server chooses among what its client offers, and what an emulation has
// beside that.
static const struct pick {
    const char *path;
    enum field chosen, offer;
    enum registry registry;
    uint16_t rest[14];
} PICKS[] = {
    {"client_leg.ciphers",
     F_LEG_TLS_CIPHER,
     F_LEG_OFFER_CIPHERS,
     REGISTRY_CIPHER,
     {0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x009c,
      0x009d, 0x002f, 0x0035}},
    {"client_leg.groups", F_LEG_TLS_CURVE, F_LEG_OFFER_GROUPS, REGISTRY_GROUP, {29, 23, 24, 25}},
};

// picked_of returns what was chosen up to TLS 1.2, and whether the client would rather have had
// something else. 0: it was not seen.
static uint16_t picked_of(const struct seen *seen, const struct pick *pick, bool *out_other) {
    int64_t chosen;
    uint16_t version;
    size_t i = 0;
    if (!speaks(seen) || !obj_int(seen->front, pick->chosen, &chosen) ||
        !chosen_version(seen->front, &version) || version > TLS12) {
        return 0;
    }
    while (i < obj_num(seen->front, pick->offer) &&
           codepoint_is_grease(pick->registry, obj_code(seen->front, pick->offer, i))) {
        i++;
    }
    *out_other = i < obj_num(seen->front, pick->offer) &&
                 obj_code(seen->front, pick->offer, i) != (uint16_t)chosen;
    return (uint16_t)chosen;
}

// pick_set puts `code` before all the others.
static void pick_set(struct learn *learn, const struct pick *pick, uint16_t code,
                     const struct sources *from) {
    json_t *list = json_array();
    bool known = false;
    CHECK(json_array_append_new(list, code_text(pick->registry, code)) == 0);
    for (size_t i = 0; i < ARRAY_LEN(pick->rest) && pick->rest[i] != 0; i++) {
        known = known || pick->rest[i] == code;
        CHECK(pick->rest[i] == code ||
              json_array_append_new(list, code_text(pick->registry, pick->rest[i])) == 0);
    }
    if (known) {
        learn_set(learn, pick->path, json_incref(list), from,
                  "the first is what it chose; what it would have chosen next is not known");
    } else {
        learn_miss(learn, pick->path, "the library lacks what it chose, %s",
                   json_string_value(json_array_get(list, 0)));
    }
    json_decref(list);
}

// learn_pick: a box that chooses otherwise than its clients would have prefers that, or has nothing
// else; an emulation that prefers it answers alike.
static bool learn_pick(struct learn *learn, const struct pick *pick, bool anyway) {
    struct sources from = {.num = 0};
    uint16_t first = 0;
    bool same = true, other = false;
    for (size_t i = 0; i < learn->num; i++) {
        bool before = false;
        uint16_t code = picked_of(learn->seen[i], pick, &before);
        if (code != 0) {
            first = first == 0 ? code : first;
            same = same && first == code;
            other = other || before;
            sources_add(&from, learn->seen[i]);
        }
    }
    if (first == 0 || !same || !(other || anyway)) {
        learn_miss(learn, pick->path,
                   first == 0 ? "no choice of the box was seen up to TLS 1.2"
                   : !same    ? "it chose more than one"
                              : "it chose what the client would have");
    } else {
        pick_set(learn, pick, first, &from);
        return true;
    }
    return false;
}

void learn_hellos(struct learn *learn) {
    learn_server_hello(learn);
    learn_offered_alpn(learn);
    learn_sni(learn);
    learn_chosen_alpn(learn);
    learn_cap(learn);
    // A box that has an order of its own for one has it for the other.
    bool groups = learn_pick(learn, &PICKS[1], false);
    (void)learn_pick(learn, &PICKS[0], groups);
}
