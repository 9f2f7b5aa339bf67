// The request to the proxy in SOCKS: version 5 without credentials (RFC 1928), 4 and 4a.
#include <string.h>

#include "proxy/session/internal.h"

enum {
    SOCKS4 = 4,
    SOCKS5 = 5,
    COMMAND_CONNECT = 1,
    METHOD_NONE = 0,
    METHODS_REFUSED = 0xff,
    TYPE_IPV4 = 1,
    TYPE_NAME = 3,
    TYPE_IPV6 = 4,
    REPLY_COMMAND = 7, // "command not supported"
    REPLY_TYPE = 8,    // "address type not supported"
    SOCKS4_REJECTED = 91,
    TEXT_MAX = 255,
};

enum result { NEED_MORE, WHOLE, WRONG };

// struct request views the client's bytes.
struct request {
    CBS host; // a name, or an address of 4 or 16 bytes
    bool is_name;
    uint16_t port;
    uint8_t code;      // WRONG: of the reply
    const char *wrong; // likewise, in words
};

bool socks_is(uint8_t first) { return first == SOCKS4 || first == SOCKS5; }

static enum result wrong(struct request *out, uint8_t code, const char *says) {
    out->code = code;
    out->wrong = says;
    return WRONG;
}

// read5 reads version, command, reserved, type of address, address, port.
static enum result read5(CBS *in, struct request *out) {
    uint8_t version, command, reserved, type;
    if (!CBS_get_u8(in, &version) || !CBS_get_u8(in, &command) || !CBS_get_u8(in, &reserved) ||
        !CBS_get_u8(in, &type)) {
        return NEED_MORE;
    }
    if (version != SOCKS5 || command != COMMAND_CONNECT) {
        return wrong(out, REPLY_COMMAND, "SOCKS 5 with another command than CONNECT");
    }
    out->is_name = type == TYPE_NAME;
    if (!out->is_name && type != TYPE_IPV4 && type != TYPE_IPV6) {
        return wrong(out, REPLY_TYPE, "SOCKS 5 with an unknown type of address");
    }
    bool whole = (out->is_name ? CBS_get_u8_length_prefixed(in, &out->host)
                               : CBS_get_bytes(in, &out->host, type == TYPE_IPV4 ? 4 : 16)) &&
                 CBS_get_u16(in, &out->port);
    return whole ? WHOLE : NEED_MORE;
}

// text_take takes a text that a NUL ends.
static enum result text_take(CBS *in, CBS *out, struct request *request) {
    size_t len = CBS_len(in) == 0 ? 0 : strnlen((const char *)CBS_data(in), CBS_len(in));
    if (len > TEXT_MAX) {
        return wrong(request, SOCKS4_REJECTED, "SOCKS 4 with a text that has no end");
    }
    return len < CBS_len(in) && CBS_get_bytes(in, out, len) && CBS_skip(in, 1) ? WHOLE : NEED_MORE;
}

// read4 reads version, command, port, address, user. Version 4a says 0.0.0.x for the address, and
// the name behind the user.
static enum result read4(CBS *in, struct request *out) {
    uint8_t version, command;
    CBS user;
    if (!CBS_get_u8(in, &version) || !CBS_get_u8(in, &command) || !CBS_get_u16(in, &out->port) ||
        !CBS_get_bytes(in, &out->host, 4)) {
        return NEED_MORE;
    }
    if (command != COMMAND_CONNECT) {
        return wrong(out, SOCKS4_REJECTED, "SOCKS 4 with another command than CONNECT");
    }
    const uint8_t *ip = CBS_data(&out->host);
    out->is_name = ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] != 0;
    enum result result = text_take(in, &user, out);
    return result == WHOLE && out->is_name ? text_take(in, &out->host, out) : result;
}

// target_set takes over what is asked for.
static bool target_set(struct session *s, const struct request *request) {
    char text[IP_TEXT_MAX];
    const char *host = (const char *)CBS_data(&request->host);
    size_t host_len = CBS_len(&request->host);
    if (!request->is_name) {
        struct address address = {.ip = {[10] = 0xff, [11] = 0xff}};
        memcpy(address.ip + sizeof(address.ip) - host_len, host, host_len);
        host = ip_text(text, &address);
        host_len = strlen(host);
    }
    if (request->port == 0 || !front_set_target(s, host, host_len, request->port)) {
        s->host[0] = '\0';
        return false;
    }
    obj_set_str(s->record->root, F_RECORD_HOST, s->host);
    obj_set_int(s->record->root, F_RECORD_PORT, s->port);
    return true;
}

static void reject(struct session *s, uint8_t code, const char *says) {
    const uint8_t five[] = {SOCKS5, code, 0, TYPE_IPV4, 0, 0, 0, 0, 0, 0};
    const uint8_t four[] = {0, code, 0, 0, 0, 0, 0, 0};
    bool is_five = s->greeting == GREETING_SOCKS5;
    CHECK(lane_put(&s->lanes[SIDE_CLIENT], is_five ? five : four,
                   is_five ? sizeof(five) : sizeof(four)));
    end_set(s, SIDE_CLIENT, "client", "error", says);
    session_close(s);
}

static void request_take(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    bool five = s->greeting == GREETING_SOCKS5;
    struct span span = lane_peek(client);
    struct request request = {0};
    CBS in;
    CBS_init(&in, span.p, span.len);
    enum result result = five ? read5(&in, &request) : read4(&in, &request);
    if (result == NEED_MORE) {
        return;
    }
    bool named = result == WHOLE && target_set(s, &request);
    lane_drop(client, span.len - CBS_len(&in));
    if (result == WRONG) {
        reject(s, request.code, request.wrong);
    } else if (!named) {
        reject(s, five ? REPLY_TYPE : SOCKS4_REJECTED, "SOCKS with what no host can be");
    } else {
        front_go(s);
    }
}

// methods_take answers the first message of SOCKS 5 and returns whether the request may follow.
static bool methods_take(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    struct span span = lane_peek(client);
    uint8_t version;
    CBS in, methods;
    CBS_init(&in, span.p, span.len);
    if (!CBS_get_u8(&in, &version) || !CBS_get_u8_length_prefixed(&in, &methods)) {
        return false;
    }
    bool open = CBS_len(&methods) != 0 &&
                memchr(CBS_data(&methods), METHOD_NONE, CBS_len(&methods)) != NULL;
    lane_drop(client, span.len - CBS_len(&in));
    const uint8_t reply[] = {SOCKS5, open ? METHOD_NONE : METHODS_REFUSED};
    CHECK(lane_put(client, reply, sizeof(reply)));
    if (!open) {
        end_set(s, SIDE_CLIENT, "client", "error", "SOCKS 5, but not without credentials");
        session_close(s);
        return false;
    }
    s->greeting = GREETING_SOCKS5;
    return true;
}

void socks_input(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    struct span span = lane_peek(client);
    if (s->greeting == GREETING_HTTP && span.len != 0) {
        bool five = span.p[0] == SOCKS5;
        obj_set_str(s->record->root, F_RECORD_FRONT, five ? "socks5" : "socks4");
        s->greeting = five ? s->greeting : GREETING_SOCKS4;
        if (five && !methods_take(s)) {
            return;
        }
    }
    if (lane_waiting(client) != 0) {
        request_take(s);
    }
}
