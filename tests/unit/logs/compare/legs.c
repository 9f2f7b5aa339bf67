#include "tests/unit/logs/compare/legs.h"

#include <string.h>

#define NOW_MS INT64_C(1795209543120) // 2026-11-20

enum { DAY_S = 24 * 3600 };

static struct span bytes(const char *s) { return (struct span){(const uint8_t *)s, strlen(s)}; }

static void leg_fill(struct obj *leg) {
    obj_set_str(leg, F_LEG_SERVER_NAME, "a.test");
    obj_set_str(leg, F_LEG_JA3, "11112222333344445555666677778888");
    obj_set_str(leg, F_LEG_JA4, "t13d0102h2_aaaaaaaaaaaa_bbbbbbbbbbbb");
    obj_set_codes(leg, F_LEG_OFFER_CIPHERS, (const uint16_t[]){0x1301, 0x1302}, 2);
    obj_set_codes(leg, F_LEG_OFFER_EXTENSIONS, (const uint16_t[]){0, 16}, 2);
    obj_add_str(leg, F_LEG_OFFER_ALPN, "h2", 2);
    obj_set_int(leg, F_LEG_OFFER_RECORDS, 1);
    obj_set_int(leg, F_LEG_ANSWER_VERSION, 0x0303);
    obj_set_bytes(leg, F_LEG_ANSWER_RAW, "answer", 6);
    struct obj *leaf = obj_add(leg, F_LEG_CHAIN);
    obj_set_str(leaf, F_CERT_SUBJECT, "CN=a.test");
    obj_set_str(leaf, F_CERT_ISSUER, "CN=Real CA");
    obj_add_str(leaf, F_CERT_SANS, "a.test", 6);
    obj_set_str(leaf, F_CERT_SERIAL, "01");
    obj_set_int(leaf, F_CERT_NOT_BEFORE, NOW_MS / 1000 - DAY_S);
    obj_set_int(leaf, F_CERT_NOT_AFTER, NOW_MS / 1000 + DAY_S);
    obj_set_str(leaf, F_CERT_AKI, "aa");
    obj_set_str(leaf, F_CERT_SHA256, "5e");
}

static void side_fill(struct comparison_side *side, const struct obj *leg) {
    *side = (struct comparison_side){
        .leg = leg,
        .time_ms = NOW_MS,
        .hello = {.message = bytes("random session key-share name h2"),
                  .random = bytes("random"),
                  .session_id = bytes("session"),
                  .key_shares = {bytes("other-share"), bytes("key-share")},
                  .num_key_shares = 2,
                  .extensions = {{0, bytes("name")}, {16, bytes("h2")}},
                  .num_extensions = 2},
    };
}

void legs_pair_begin(struct legs_pair *pair) {
    *pair = (struct legs_pair){.a = NULL};
    pair->a = obj_new(&pair->arena, KIND_LEG);
    pair->b = obj_new(&pair->arena, KIND_LEG);
    leg_fill(pair->a);
    leg_fill(pair->b);
    side_fill(&pair->sides[0], pair->a);
    side_fill(&pair->sides[1], pair->b);
}

void legs_pair_end(struct legs_pair *pair) { arena_cleanup(&pair->arena); }

void legs_pair_other_hello(struct legs_pair *pair) {
    struct hello_parts *hello = &pair->sides[1].hello;
    hello->message = bytes("anew");
    hello->random = bytes("RANDOM");
    hello->session_id = bytes("SESSION");
    hello->key_shares[0] = bytes("KEY-SHARE");
    hello->num_key_shares = 1;
}

void legs_pair_compare(struct legs_pair *pair, enum pair_reason reason) {
    pair->out = obj_new(&pair->arena, KIND_COMPARISON);
    comparison_write(pair->out, &pair->sides[0], &pair->sides[1], reason);
}

bool legs_pair_is(const struct legs_pair *pair, enum field field, const char *value) {
    return obj_str_is(pair->out, field, value);
}

static bool has_row(const struct obj *obj, enum field list, enum field key, const char *value) {
    for (size_t i = 0; i < obj_num(obj, list); i++) {
        if (obj_str_is(obj_at(obj, list, i), key, value)) {
            return true;
        }
    }
    return false;
}

bool legs_pair_found(const struct legs_pair *pair, const char *id) {
    return has_row(pair->out, F_COMPARISON_FINDINGS, F_NOTE_ID, id);
}

bool legs_pair_differs(const struct legs_pair *pair, enum field field) {
    bool leaf = field >= F_CERT_FIRST && field < F_CERT_END;
    return has_row(pair->out, leaf ? F_COMPARISON_CERT_CHANGED : F_COMPARISON_DIFFERENCES,
                   F_CHANGE_FIELD, field_row(field)->path);
}
