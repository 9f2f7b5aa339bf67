// How a client that asked for a connection hears of it: in HTTP, in SOCKS, or not at all.
#include <string.h>

#include "proxy/session/internal.h"

// Replies of SOCKS 5 (RFC 1928 section 6) and SOCKS 4.
enum {
    SOCKS5_SUCCEEDED = 0,
    SOCKS5_FAILURE = 1,
    SOCKS5_NOT_ALLOWED = 2,
    SOCKS5_HOST_UNREACHABLE = 4,
    SOCKS5_REFUSED = 5,
    SOCKS4_GRANTED = 90,
    SOCKS4_REJECTED = 91,
};

static void socks5_reply(struct session *s, uint8_t code) {
    const uint8_t reply[] = {5, code, 0, 1, 0, 0, 0, 0, 0, 0};
    CHECK(lane_put(&s->lanes[SIDE_CLIENT], reply, sizeof(reply)));
}

static void socks4_reply(struct session *s, uint8_t code) {
    const uint8_t reply[] = {0, code, 0, 0, 0, 0, 0, 0};
    CHECK(lane_put(&s->lanes[SIDE_CLIENT], reply, sizeof(reply)));
}

void greeting_accept(struct session *s) {
    static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    switch (s->greeting) {
    case GREETING_HTTP:
        CHECK(lane_put(&s->lanes[SIDE_CLIENT], established, sizeof(established) - 1));
        obj_set_int(s->record->root, F_RECORD_RESPONSE_STATUS, 200);
        return;
    case GREETING_SOCKS4:
        socks4_reply(s, SOCKS4_GRANTED);
        return;
    case GREETING_SOCKS5:
        socks5_reply(s, SOCKS5_SUCCEEDED);
        return;
    case GREETING_NONE:
        return;
    }
}

static uint8_t socks5_code(const struct session *s, int status) {
    const char *how = obj_str(s->lanes[SIDE_SERVER].observe.leg, F_LEG_END_HOW);
    if (status == 403) {
        return SOCKS5_NOT_ALLOWED;
    }
    if (how == NULL || obj_has(s->record->root, F_RECORD_PARENT_FAILURE)) {
        return SOCKS5_FAILURE;
    }
    return strcmp(how, "refused") == 0 ? SOCKS5_REFUSED : SOCKS5_HOST_UNREACHABLE;
}

void greeting_refuse(struct session *s, int status) {
    switch (s->greeting) {
    case GREETING_HTTP:
        respond_verdict(s, status);
        return;
    case GREETING_SOCKS4:
        socks4_reply(s, SOCKS4_REJECTED);
        break;
    case GREETING_SOCKS5:
        socks5_reply(s, socks5_code(s, status));
        break;
    case GREETING_NONE: // as if the server itself had not let it in
        end_set(s, SIDE_CLIENT, "proxy", "rst", "there is no way to the server");
        record_finish(s);
        session_reset(s, SIDE_CLIENT);
        break;
    }
    end_set(s, SIDE_CLIENT, "proxy", "fin", NULL);
    session_close(s);
}
