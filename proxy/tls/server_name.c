#include <arpa/inet.h>
#include <string.h>

#include "proxy/tls/client_extension.h"

enum { NAME_MAX_LEN = 253, LABEL_MAX_LEN = 63 };

// Which note a byte of a host name deserves; NOTE_COUNT for none.
static enum note_id character_note(uint8_t c) {
    if (c == 0) {
        return NOTE_CH_SNI_NUL;
    }
    if (c >= 0x80) {
        return NOTE_CH_SNI_NON_ASCII;
    }
    if (c == '_') {
        return NOTE_CH_SNI_UNDERSCORE;
    }
    bool host = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '-' || c == '.';
    return host ? NOTE_COUNT : NOTE_CH_SNI_BAD_CHARACTER;
}

static bool is_address(const CBS *name) {
    char text[INET6_ADDRSTRLEN + 2];
    size_t len = CBS_len(name);
    if (len >= sizeof(text) || memchr(CBS_data(name), 0, len) != NULL) {
        return false;
    }
    const uint8_t *p = CBS_data(name);
    if (len >= 2 && p[0] == '[' && p[len - 1] == ']') {
        p++;
        len -= 2;
    }
    memcpy(text, p, len);
    text[len] = '\0';
    struct in6_addr address;
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static void server_name_check(struct parse *ps, const CBS *name) {
    const uint8_t *p = CBS_data(name);
    size_t len = CBS_len(name);
    if (len == 0) {
        parse_note(ps, NOTE_CH_SNI_EMPTY, p);
        return;
    }
    if (is_address(name)) {
        parse_note(ps, NOTE_CH_SNI_IP_ADDRESS, p);
        return;
    }
    if (p[len - 1] == '.') {
        parse_note(ps, NOTE_CH_SNI_TRAILING_DOT, p + len - 1);
        len--;
    }
    bool long_label = false;
    for (size_t i = 0, label = 0; i < len; i++) {
        enum note_id id = character_note(p[i]);
        if (id != NOTE_COUNT) {
            parse_note(ps, id, p + i);
        }
        label = p[i] == '.' ? 0 : label + 1;
        long_label |= label > LABEL_MAX_LEN;
    }
    if (len > NAME_MAX_LEN || long_label) {
        parse_note(ps, NOTE_CH_SNI_TOO_LONG, p);
    }
}

bool client_server_name(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    CBS list, name;
    uint16_t list_len;
    if (!CBS_get_u16(body, &list_len)) {
        return false;
    }
    // The list is read whatever its length says: of all fields the name is the last to lose.
    bool fits = list_len == CBS_len(body);
    CHECK(CBS_get_bytes(body, &list, CBS_len(body)));
    while (CBS_len(&list) != 0) {
        const uint8_t *at = CBS_data(&list);
        uint8_t type;
        if (!CBS_get_u8(&list, &type) || !CBS_get_u16_length_prefixed(&list, &name)) {
            return false;
        }
        if (++ch->num_sni == 2) {
            parse_note(ps, NOTE_CH_SNI_SEVERAL, at);
        }
        if (type != 0) {
            parse_note(ps, NOTE_CH_SNI_TYPE_UNKNOWN, at);
        } else if (CBS_data(&ch->sni) == NULL) {
            ch->sni = name;
            server_name_check(ps, &name);
        }
    }
    return fits && ch->num_sni != 0;
}
