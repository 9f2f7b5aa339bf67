// What an emulated box does when a connection meets its conditions.
#include <stdio.h>
#include <string.h>

#include "proxy/session/emulate.h"

static bool concerns(const struct profile_reaction *reaction, enum side side) {
    return reaction->side == PROFILE_BOTH ||
           reaction->side == (side == SIDE_CLIENT ? PROFILE_CLIENT : PROFILE_SERVER);
}

static bool do_rst(struct session *s, const struct profile_reaction *reaction) {
    end_both(s, "proxy", "rst", "as the emulated box does");
    record_finish(s);
    for (int side = 0; side < 2; side++) {
        if (concerns(reaction, (enum side)side)) {
            session_reset(s, (enum side)side);
        }
    }
    session_close(s);
    return true;
}

static bool do_fin(struct session *s) {
    end_both(s, "proxy", "fin", "as the emulated box does");
    session_close(s);
    return true;
}

// alert_to sends an alert in the clear, or through the TLS that there is.
static void alert_to(struct session *s, enum side side, uint8_t alert) {
    struct lane *lane = &s->lanes[side];
    if (lane_tls(lane)) {
        lane_alert(lane, alert);
    } else if (side == SIDE_CLIENT) {
        alert_send(s, alert);
    } else {
        const uint8_t record[] = {SSL3_RT_ALERT, 3, 3, 0, 2, SSL3_AL_FATAL, alert};
        (void)!lane_put(lane, record, sizeof(record));
    }
}

static bool do_alert(struct session *s, const struct profile_reaction *reaction) {
    end_both(s, "proxy", "alert", "as the emulated box does");
    for (int side = 0; side < 2; side++) {
        if (concerns(reaction, (enum side)side)) {
            alert_to(s, (enum side)side, reaction->alert);
        }
    }
    session_close(s);
    return true;
}

static bool do_drop(struct session *s, const struct profile_reaction *reaction) {
    for (int side = 0; side < 2; side++) {
        if (concerns(reaction, (enum side)side)) {
            struct valve *valve = &session_valves(s)[!side];
            valve->left = reaction->bytes;
            valve->flight = reaction->action == PROFILE_BLACKHOLE_BIG ? reaction->bytes : 0;
        }
    }
    return false; // the rest goes on
}

// do_plain answers in the clear what should have been TLS.
static bool do_plain(struct session *s, const struct profile_reaction *reaction) {
    char head[256];
    const char *page = reaction->page != NULL ? reaction->page : "<h1>Forbidden</h1>\n";
    int len = snprintf(head, sizeof(head),
                       "HTTP/1.0 %d Emulated\r\nContent-Type: text/html\r\nContent-Length: "
                       "%zu\r\nConnection: close\r\n\r\n",
                       reaction->status != 0 ? reaction->status : 403, strlen(page));
    struct lane *client = &s->lanes[SIDE_CLIENT];
    end_both(s, "proxy", "fin", "as the emulated box does");
    (void)!(lane_put(client, head, (size_t)len) && lane_put(client, page, strlen(page)));
    session_close(s);
    return true;
}

static bool do_page(struct session *s, const struct profile_reaction *reaction) {
    if (s->lanes[SIDE_CLIENT].ssl != NULL) {
        return do_fin(s); // too late for another certificate
    }
    s->emulation.page = reaction;
    downstream_begin(s);
    return true;
}

bool react_page(struct session *s) {
    const struct profile_reaction *reaction = s->emulation.page;
    if (reaction == NULL) {
        return false;
    }
    const char *page = reaction->page != NULL
                           ? reaction->page
                           : "<!doctype html><title>Blocked</title><h1>This site is blocked</h1>\n";
    int status = reaction->status != 0 ? reaction->status : 403;
    end_both(s, "proxy", "fin", "as the emulated box does");
    respond_at(s, status, reaction->location, "text/html; charset=utf-8", page, strlen(page));
    return true;
}

bool react(struct session *s, const struct profile_reaction *reaction,
           void (*resume)(struct session *s)) {
    switch (reaction->action) {
    case PROFILE_PASS:
        s->emulation.passed = true;
        return false;
    case PROFILE_RST:
        return do_rst(s, reaction);
    case PROFILE_FIN:
        return do_fin(s);
    case PROFILE_ALERT:
        return do_alert(s, reaction);
    case PROFILE_STALL:
        emulate_hold(s, reaction->ms * INT64_C(1000), resume);
        return true;
    case PROFILE_DROP_AFTER:
    case PROFILE_BLACKHOLE_BIG:
        return do_drop(s, reaction);
    case PROFILE_BLOCK_PAGE:
    case PROFILE_FOREIGN_CERT:
        return do_page(s, reaction);
    case PROFILE_PLAIN_HTTP:
        return do_plain(s, reaction);
    case PROFILE_EDIT_HELLO:
        if (s->state == STATE_SNIFF) {
            emulate_edit_hello(s, &reaction->edit);
        }
        return s->state != STATE_SNIFF;
    }
    return false;
}
