// What a record names people and machines by.
#include <stdlib.h>
#include <string.h>

#include "policy/redact/internal.h"

enum { NAME_MAX_LEN = 255, TEXT_MAX = 16 * 1024 };

void text_learn(struct redact *redact, const char *text, const char *to, size_t len) {
    static const char breaks[] = "/:@ \"'<>()[],;=\r\n";
    redact_pairs_add_text(&redact->pairs, text, to, len);
    for (size_t at = 0; at < len;) {
        size_t run = 0;
        while (at + run < len && memchr(breaks, text[at + run], sizeof(breaks)) == NULL) {
            run++;
        }
        if (redact_is_name(text + at, run)) {
            name_learn(redact, text + at, run);
        }
        at += run + 1;
    }
}

// domains_learn has the domains that a name is under replaced, too, but for the last label alone.
static void domains_learn(struct redact *redact, const char *name, const char *to, size_t len) {
    for (size_t at = 0; at < len; at++) {
        if ((at == 0 || name[at - 1] == '.') && name[at] != '*' &&
            (at == 0 || memchr(name + at, '.', len - at) != NULL)) {
            redact_pairs_add_text(&redact->pairs, name + at, to + at, len - at);
        }
    }
}

void name_learn(struct redact *redact, const char *name, size_t name_len) {
    char text[NAME_MAX_LEN + 1], to[NAME_MAX_LEN + 1], address[ADDRESS_TEXT_MAX];
    if (name_len == 0 || name_len > NAME_MAX_LEN) {
        return;
    }
    memcpy(text, name, name_len);
    text[name_len] = '\0';
    if (address_map(redact, address, text)) {
        address_learn(redact, text);
        return;
    }
    size_t before = redact->pairs.num;
    redact_name(&redact->salt, to, text, name_len);
    domains_learn(redact, text, to, name_len);
    redact->counts.names += redact->pairs.num != before;
}

static void dn_learn(struct redact *redact, const char *dn, size_t len) {
    char to[TEXT_MAX];
    if (len > sizeof(to)) {
        return;
    }
    redact_dn(&redact->salt, to, dn, len);
    for (size_t at = 0; at < len;) { // each attribute's value, with its escapes
        size_t value = at;
        while (value < len && dn[value] != '=') {
            value++;
        }
        size_t end = value < len ? ++value : len;
        while (end < len && dn[end] != ',' && dn[end] != '+') {
            end += dn[end] == '\\' && end + 1 < len ? 2 : 1;
        }
        if (value < end) {
            text_learn(redact, dn + value, to + value, end - value);
        }
        at = end + 1;
    }
}

static void agent_learn(struct redact *redact, const char *agent, size_t len) {
    char to[TEXT_MAX];
    if (len <= sizeof(to)) {
        redact_agent(&redact->salt, to, agent, len);
        size_t before = redact->pairs.num;
        redact_pairs_add_text(&redact->pairs, agent, to, len);
        redact->counts.agents += redact->pairs.num != before;
    }
}

static void words_learn(struct redact *redact, const char *text, size_t len) {
    char to[TEXT_MAX];
    if (len <= sizeof(to)) {
        redact_words(&redact->salt, to, text, len);
        text_learn(redact, text, to, len);
    }
}

static void string_learn(struct redact *redact, enum field field, const char *s, size_t len) {
    switch (redact_how(field)) {
    case REDACT_NAME:
        name_learn(redact, s, len);
        break;
    case REDACT_ADDRESS:
        address_learn(redact, s);
        break;
    case REDACT_DN:
        dn_learn(redact, s, len);
        break;
    case REDACT_AGENT:
        agent_learn(redact, s, len);
        break;
    case REDACT_WORDS:
        words_learn(redact, s, len);
        break;
    default:
        break;
    }
}

static void field_learn(struct redact *redact, const struct obj *obj, enum field field) {
    switch (field_row(field)->type) {
    case TYPE_STR: {
        struct span span = obj_span(obj, field);
        string_learn(redact, field, (const char *)span.p, span.len);
        break;
    }
    case TYPE_STRS:
        for (size_t i = 0; i < obj_num(obj, field); i++) {
            struct span item = obj_item(obj, field, i);
            char *text = xmemdup(item.p, item.len);
            string_learn(redact, field, text, item.len);
            free(text);
        }
        break;
    case TYPE_OBJ:
        record_learn(redact, obj_get(obj, field));
        break;
    case TYPE_OBJS:
        for (size_t i = 0; i < obj_num(obj, field); i++) {
            record_learn(redact, obj_at(obj, field, i));
        }
        break;
    default:
        break;
    }
}

static void leg_learn(struct redact *redact, const struct obj *leg) {
    static const enum field raws[] = {F_LEG_OFFER_RAW, F_LEG_OFFER_RAW_2};
    static const enum field chains[] = {F_LEG_CERTIFICATE_CHAIN, F_LEG_CLIENT_CERTIFICATE_CHAIN};
    for (size_t c = 0; c < ARRAY_LEN(chains); c++) {
        for (size_t i = 0; i < obj_num(leg, chains[c]); i++) {
            struct span der = obj_item(leg, chains[c], i);
            certificate_learn(redact, der.p, der.len);
        }
    }
    for (size_t i = 0; obj_has(leg, F_LEG_OFFER_AUTHORITIES) && i < ARRAY_LEN(raws); i++) {
        struct span raw = obj_span(leg, raws[i]);
        attributes_learn(redact, raw.p, raw.len);
    }
    struct span first = obj_span(leg, F_LEG_ANSWER_FIRST_BYTES);
    char *text = xmemdup(first.p, first.len);
    text_learn(redact, text, text, strlen(text));
    free(text);
}

void record_learn(struct redact *redact, const struct obj *obj) {
    const struct kind_row *kind = kind_row(obj_kind(obj));
    if (obj_kind(obj) == KIND_LEG) {
        leg_learn(redact, obj);
    }
    for (enum field f = obj_next(obj, kind->first); f < kind->end; f = obj_next(obj, f + 1)) {
        if (field_row(f)->held == f) {
            field_learn(redact, obj, f);
        }
    }
}
