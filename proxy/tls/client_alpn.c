#include "logs/record/codepoint.h"
#include "proxy/tls/client_extension.h"
#include "proxy/tls/extension.h"

// RFC 8701, section 2: the protocol names of GREASE have the two bytes of the other registries.
static bool alpn_is_grease(CBS name) {
    uint16_t code;
    return CBS_len(&name) == 2 && CBS_get_u16(&name, &code) &&
           codepoint_is_grease(REGISTRY_EXTENSION, code);
}

static bool alpn_has(CBS names, const CBS *end, const CBS *name) {
    CBS other;
    while (CBS_data(&names) != CBS_data(end) && name_next(&names, &other)) {
        if (CBS_mem_equal(&other, CBS_data(name), CBS_len(name))) {
            return true;
        }
    }
    return false;
}

enum { ALPN_COMPARED = 32 }; // names beyond these are not compared: the cost is quadratic

bool client_alpn(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u16_length_prefixed(body, &ch->alpn)) {
        parse_note(ps, NOTE_CH_ALPN_MALFORMED, at);
        return false;
    }
    CBS names = ch->alpn, name;
    for (CBS before = names; name_next(&names, &name); before = names, ch->num_alpn++) {
        if (CBS_len(&name) == 0) {
            parse_note(ps, NOTE_CH_ALPN_EMPTY_NAME, CBS_data(&before));
        }
        if (alpn_is_grease(name)) {
            ch->grease |= GREASE_ALPN;
        }
        if (ch->num_alpn < ALPN_COMPARED && alpn_has(ch->alpn, &before, &name)) {
            parse_note(ps, NOTE_CH_ALPN_DUPLICATE, CBS_data(&before));
        }
    }
    if (CBS_len(&names) != 0) {
        parse_note(ps, NOTE_CH_ALPN_MALFORMED, CBS_data(&names));
        return false;
    }
    if (ch->num_alpn == 0) {
        parse_note(ps, NOTE_CH_ALPN_EMPTY, at);
    }
    return true;
}

static bool alps_parse(struct client_hello *ch, CBS *body, uint16_t type) {
    CBS names, name;
    if (!CBS_get_u16_length_prefixed(body, &names)) {
        return false;
    }
    ch->alps = names;
    ch->alps_type = type;
    for (ch->num_alps = 0; name_next(&names, &name); ch->num_alps++) {
    }
    return CBS_len(&names) == 0 && ch->num_alps != 0;
}

bool client_alps(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return alps_parse(out, body, EXT_ALPS);
}

bool client_alps_old(void *out, struct parse *ps, CBS *body) {
    parse_note(ps, NOTE_CH_ALPS_LEGACY, CBS_data(body));
    return alps_parse(out, body, EXT_ALPS_OLD);
}

bool client_next_protocol(void *out, struct parse *ps, CBS *body) {
    parse_note(ps, NOTE_CH_NPN_OFFERED, CBS_data(body));
    return parse_flag(&((struct client_hello *)out)->npn, body);
}
