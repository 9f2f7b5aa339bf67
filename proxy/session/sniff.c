// After the CONNECT: who speaks first, and is it TLS?
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proxy/session/emulate.h"
#include "proxy/session/trial.h"
#include "proxy/tls/banner.h"
#include "proxy/tls/hello_peek.h"

// refuse_direct ends a connection of a client that speaks TLS to the proxy's own port.
static void refuse_direct(struct session *s) {
    end_set(s, SIDE_CLIENT, "client", "error", "TLS was spoken to the proxy's own port");
    alert_send(s, SSL_AD_HANDSHAKE_FAILURE);
    session_close(s);
}

// refuse_unknown ends a connection for which there is no server: whoever is meant, it is us.
static void refuse_unknown(struct session *s) {
    end_set(s, SIDE_CLIENT, "client", "error", "neither HTTP nor TLS");
    if (s->direct) { // no: it only began like TLS
        obj_set_str(s->record->root, F_RECORD_MODE, "plain");
        obj_unset(s->record->root, F_RECORD_FRONT);
    }
    respond_text(s, 400,
                 s->direct ? "This is an HTTP proxy, and this is not an HTTP request."
                           : "After a CONNECT to the proxy's own site comes TLS.");
}

// pass_on passes on what is not TLS, unless policy, which may have waited for an SNI, refuses.
static void pass_on(struct session *s, const char *application) {
    if (s->rule == NULL) {
        front_decide(s, NULL, false);
    }
    if (s->rule->action == ACTION_REFUSE) {
        end_both(s, "proxy", "fin", "refused by policy");
        session_close(s);
        return;
    }
    tunnel_begin(s, application);
}

// wire_begin tells the wire's log what policy wants, and that early data, if there is any, follows
// the hello.
static void wire_begin(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    wire_log_policy(&client->wire, record_policy(s));
    if (obj_is(client->observe.leg, F_LEG_OFFER_EARLY_DATA, true)) {
        wire_log_sure(&client->wire, WIRE_FROM_PEER, s->peek.wire_len);
        wire_log_data(&client->wire, WIRE_FROM_PEER);
    }
}

static void tls_begin(struct session *s) {
    struct observe *observe = &s->lanes[SIDE_CLIENT].observe;
    if (s->direct) {
        refuse_direct(s);
        return;
    }
    if (site_is(s->host)) {
        downstream_begin(s);
        return;
    }
    if (s->rule == NULL) {
        front_decide(s, obj_str(observe->leg, F_LEG_SERVER_NAME), false);
    }
    wire_begin(s);
    emulate_begin(s);
    if (emulate_hello(s)) {
        return;
    }
    trial_begin(s);
    sniff_go_on(s);
}

void sniff_go_on(struct session *s) {
    const struct profile *profile = s->profile;
    if (profile != NULL && profile->mode == PROFILE_TUNNEL) {
        if (profile->server_leg.hello == PROFILE_HELLO_EDIT) {
            emulate_edit_hello(s, &profile->server_leg.edit);
        } else {
            tunnel_begin(s, NULL);
        }
        return;
    }
    if (s->trial.try.kind == TRY_TUNNEL) {
        tunnel_begin(s, NULL);
        return;
    }
    switch (s->rule->action) {
    case ACTION_INTERCEPT:
    case ACTION_EMULATE:
        upstream_begin(s);
        return;
    case ACTION_TUNNEL:
        tunnel_begin(s, NULL);
        return;
    case ACTION_REFUSE:
        end_both(s, "proxy", "alert", "refused by policy");
        alert_send(s, SSL_AD_ACCESS_DENIED);
        session_close(s);
    }
}

void sniff_begin(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    if (s->emulation.pass_through) {
        tunnel_begin(s, NULL);
        return;
    }
    if (!s->direct) {
        greeting_accept(s);
    }
    client->num_reads = 0;
    lane_wire_begin(client);
    observe_step(&client->observe, STEP_HELLO, s->now_us);
    session_enter(s, STATE_SNIFF, s->shared->limits.sniff_us);
    if (lane_waiting(client) != 0) {
        client->num_reads = 1;
        sniff_input(s, NULL);
    }
}

// alert_waits returns whether what the server said, before it could know of a hello, begins as a
// TLS alert: a TLS server whose own set-up fails it. The hello then goes to it as to any other.
static bool alert_waits(struct lane *server) {
    struct span said = lane_peek(server);
    return said.len > 1 && said.p[0] == SSL3_RT_ALERT && said.p[1] == SSL3_VERSION_MAJOR;
}

// ended handles a side that ended, or kept silent, before a whole hello was said.
static void ended(struct session *s, const struct event *event) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    struct lane *server = &s->lanes[SIDE_SERVER];
    struct span half = lane_peek(client);
    bool over = client->eof || server->eof || (event != NULL && event->kind == EVENT_TIMER);
    if (over && half.len != 0) {
        observe_hello(&client->observe, half.p, half.len, client->num_reads, s->now_us);
    }
    const char *detail = half.len != 0 ? "in the middle of the ClientHello" : NULL;
    if (client->eof) {
        end_both(s, "client", client->closed ? "rst" : "fin", detail);
        session_close(s);
    } else if (server->eof && !alert_waits(server)) {
        end_both(s, "server", server->closed ? "rst" : "fin", NULL);
        session_close(s);
    } else if (event != NULL && event->kind == EVENT_TIMER) {
        end_both(s, "client", "timeout",
                 detail != NULL ? detail : "nothing was said after the CONNECT");
        session_close(s);
    }
}

// broken_hello answers what begins as TLS and cannot become a ClientHello: with a decode_error, as
// any server would (RFC 8446 section 6).
static void broken_hello(struct session *s, struct span span) {
    struct observe *observe = &s->lanes[SIDE_CLIENT].observe;
    observe_hello(observe, span.p, span.len, s->lanes[SIDE_CLIENT].num_reads, s->now_us);
    end_both(s, "client", "error", hello_broken_says(s->peek.broken));
    alert_send(s, SSL_AD_DECODE_ERROR);
    session_close(s);
}

static void not_tls(struct session *s, enum banner banner) {
    if (s->direct || site_is(s->host)) {
        refuse_unknown(s);
    } else {
        pass_on(s, banner_name(banner));
    }
}

// is_text returns whether a stream that begins with `first` is no TLS, whatever follows. The server
// may wait for just these few bytes, so they are not held back until they have a name.
static bool is_text(uint8_t first) { return isprint(first) || isspace(first); }

void sniff_input(struct session *s, const struct event *event) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    struct lane *server = &s->lanes[SIDE_SERVER];
    if (lane_waiting(server) != 0 && !alert_waits(server)) {
        pass_on(s, "server-first");
        return;
    }
    struct span span = lane_peek(client);
    if (span.len != 0 && client->num_reads == 1) {
        // A client may wait before it speaks, but then it has the time of a handshake.
        int64_t until_us = s->now_us + s->shared->limits.handshake_us;
        s->deadline_us = until_us < s->deadline_us ? until_us : s->deadline_us;
    }
    switch (span.len == 0 ? HELLO_NEED_MORE : hello_peek(&s->peek, span.p, span.len)) {
    case HELLO_NEED_MORE:
        if (span.len != 0 && is_text(span.p[0])) {
            not_tls(s, banner_classify(span.p, span.len, true));
        } else {
            ended(s, event);
        }
        return;
    case HELLO_WHOLE:
    case HELLO_SSLV2:
        observe_hello(&client->observe, span.p, s->peek.wire_len, client->num_reads, s->now_us);
        tls_begin(s);
        return;
    case HELLO_BROKEN:
        broken_hello(s, span);
        return;
    case HELLO_NOT_TLS:
        not_tls(s, s->peek.banner);
    }
}
