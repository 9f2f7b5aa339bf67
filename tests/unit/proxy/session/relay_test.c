// Both legs are established: what one says is told to the other.
#include "tests/unit/proxy/session/playbook.h"

static void every_version_relays(void) {
    for (uint16_t version = TLS1_VERSION; version <= TLS1_3_VERSION; version++) {
        struct setup setup = {SETUP_TLS};
        setup.server.max_version = version;
        play(&setup, HANDSHAKE ">> client says ping\n"
                               "<< server hears ping\n"
                               ">> server says pong\n"
                               "<< client hears pong\n"
                               ">> stop\n"
                               "<< record final\n"
                               "== legs.client.end.at data\n"
                               "== legs.server.end.at data\n"
                               "== legs.client.bytes.data_received 4\n"
                               "== legs.client.bytes.data_sent 4\n"
                               "== legs.server.bytes.data_received 4\n"
                               "== legs.server.bytes.data_sent 4\n"
                               "<< done\n");
    }
}

// Where the CONNECT names no User-Agent the first request inside does, and nothing else is kept of
// it.
static void the_user_agent_inside_is_kept(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> client says GET /secret HTTP/1.1|User-Agent: x y|A: b||\n"
                           ">> client says GET / HTTP/1.1|User-Agent: z||\n"
                           ">> stop\n"
                           "<< record final\n"
                           "== user_agent.original x y\n"
                           "== http.request.method CONNECT\n"
                           "<< done\n");
    play(&setup, HANDSHAKE ">> client says User-Agent: x y\n"
                           ">> stop\n"
                           "<< record final\n"
                           "== user_agent.original -\n"
                           "<< done\n");
}

static void close_notify_goes_on(void) {
    static const char *const sides[][2] = {{"client", "server"}, {"server", "client"}};
    struct setup setup = {SETUP_TLS};
    for (size_t i = 0; i < 2; i++) {
        const char *a = sides[i][0], *b = sides[i][1];
        playf(&setup,
              HANDSHAKE ">> %s says bye\n"
                        ">> %s notify\n"
                        "<< %s hears bye\n"
                        "<< %s notified\n"
                        "<< %s open\n"
                        ">> %s says one more thing\n"
                        "<< %s hears one more thing\n"
                        ">> %s notify\n"
                        "<< %s notified\n"
                        "<< record final\n"
                        "== legs.client.end.by %s\n"
                        "== legs.client.end.how fin\n"
                        "== legs.client.end.detail -\n"
                        "== legs.server.end.by %s\n"
                        "<< client fin\n"
                        "<< server closed\n"
                        ">> client eof\n"
                        "<< done\n",
              a, a, b, b, b, b, a, b, a, a, a);
    }
}

static void fin_goes_on_without_a_close_notify(void) {
    static const char *const sides[][2] = {{"client", "server"}, {"server", "client"}};
    struct setup setup = {SETUP_TLS};
    for (size_t i = 0; i < 2; i++) {
        const char *a = sides[i][0], *b = sides[i][1];
        playf(&setup,
              HANDSHAKE ">> %s says bye\n"
                        ">> %s eof\n"
                        "<< %s hears bye\n"
                        "<< %s fin\n"
                        ">> %s says still here\n"
                        "<< %s hears still here\n"
                        ">> %s eof\n"
                        "<< record final\n"
                        "== legs.%s.end.by %s\n"
                        "== legs.%s.end.how fin\n"
                        "== legs.%s.end.detail without close_notify\n"
                        "<< done\n",
              a, a, b, b, b, a, b, a, a, a, a);
    }
}

static void notify_and_fin_go_on_together(void) {
    static const char *const sides[][2] = {{"client", "server"}, {"server", "client"}};
    struct setup setup = {SETUP_TLS};
    for (size_t i = 0; i < 2; i++) {
        const char *a = sides[i][0], *b = sides[i][1];
        playf(&setup,
              HANDSHAKE ">> %s notify\n"
                        ">> %s eof\n"
                        "<< %s notified\n"
                        "<< %s fin\n"
                        ">> %s eof\n"
                        "<< record final\n"
                        "== legs.%s.end.by %s\n"
                        "== legs.%s.end.detail -\n"
                        "<< done\n",
              a, a, b, b, b, a, a, a);
    }
}

static void a_reset_goes_on_as_a_reset(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> client broken\n"
                           "<< server reset\n"
                           "<< record final\n"
                           "== legs.client.end.by client\n"
                           "== legs.client.end.how rst\n"
                           "<< done\n");
    play(&setup, HANDSHAKE ">> server broken ETIMEDOUT\n"
                           "<< client reset\n"
                           "<< record final\n"
                           "== legs.server.end.by server\n"
                           "== legs.server.end.how timeout\n"
                           "<< done\n");
}

// Once its data has ended, a peer that resets tells nothing new; but the session must end.
static void a_reset_behind_a_close_notify(void) {
    static const char *const sides[][2] = {{"client", "server"}, {"server", "client"}};
    struct setup setup = {SETUP_TLS};
    for (size_t i = 0; i < 2; i++) {
        playf(&setup,
              HANDSHAKE ">> %s notify\n"
                        ">> %s broken\n"
                        "<< %s notified\n"
                        ">> %s notify\n"
                        ">> %s eof\n"
                        "<< record final\n"
                        "== legs.client.end.how fin\n"
                        "<< done\n",
              sides[i][0], sides[i][0], sides[i][1], sides[i][1], sides[i][1]);
    }
}

static void both_leave_at_once(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> client notify\n"
                           ">> server notify\n"
                           ">> client eof\n"
                           ">> server eof\n"
                           "<< record final\n"
                           "<< done\n");
    play(&setup, HANDSHAKE ">> client broken\n"
                           ">> server broken\n"
                           "<< record final\n"
                           "<< done\n");
}

static void alerts_after_the_handshake_go_on(void) {
    static const char *const sides[][2] = {{"client", "server"}, {"server", "client"}};
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct setup setup = {SETUP_TLS};
        setup.client.max_version = version;
        for (size_t i = 0; i < 2; i++) {
            const char *a = sides[i][0], *b = sides[i][1];
            playf(&setup,
                  HANDSHAKE ">> %s says x\n"
                            ">> %s alert 42\n"
                            "<< %s alerted 42\n"
                            "<< record final\n"
                            "== legs.%s.alerts %s data fatal 42 bad_certificate *\n"
                            "== legs.%s.end.by %s\n"
                            "== legs.%s.end.how alert\n",
                  a, a, b, a, a, a, a, a);
        }
    }
}

static void garbage_instead_of_records(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> client bytes GARBAGE GARBAGE\n"
                           "<< server alerted 80\n"
                           "<< record final\n"
                           "== legs.client.end.by proxy\n"
                           "== legs.client.end.how alert\n"
                           "== legs.client.end.detail *\n");
    play(&setup, HANDSHAKE ">> server bytes \\x17\\x03\\x03\\x00\\x20"
                           "0123456789abcdef0123456789abcdef\n"
                           "<< client alerted 80\n"
                           "<< server alerted 20\n"
                           "<< record final\n"
                           "== legs.server.alerts client finished fatal 20 bad_record_mac *\n");
}

static void reading_stops_when_the_other_side_does(void) {
    static const char *const sides[][2] = {{"client", "server"}, {"server", "client"}};
    for (size_t i = 0; i < 2; i++) {
        const char *a = sides[i][0], *b = sides[i][1];
        struct setup setup = {SETUP_TLS};
        struct play *p = play_new(&setup);
        char script[512];
        snprintf(script, sizeof(script),
                 ">> %s stops\n"
                 ">> %s fills 1000000\n"
                 "<< %s unread\n"
                 "<< %s read\n"
                 ">> %s fills 1000\n"
                 "<< %s got 1000\n"
                 ">> %s takes\n"
                 "<< %s got 1000000\n"
                 "<< %s read\n",
                 b, a, a, b, b, a, b, b, a);
        play_run(p, HANDSHAKE);
        play_run(p, script);
        CU_ASSERT(play_most(p, i == 0 ? SIDE_SERVER : SIDE_CLIENT) <= 512 * 1024);
        play_free(p);
    }
}

static void large_transfers_both_ways_at_once(void) {
    for (uint16_t version = TLS1_VERSION; version <= TLS1_3_VERSION; version++) {
        struct setup setup = {SETUP_TLS};
        setup.client.max_version = version;
        play(&setup, HANDSHAKE ">> client queues 1000000\n"
                               ">> server fills 1000000\n"
                               "<< server got 1000000\n"
                               "<< client got 1000000\n"
                               ">> client queues 10\n"
                               ">> client notify\n"
                               "<< server got 10\n"
                               "<< server notified\n");
    }
}

static void the_last_bytes_come_before_the_end(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> client stops\n"
                           ">> server queues 1000000\n"
                           ">> server notify\n"
                           ">> server eof\n"
                           "<< client open\n"
                           ">> client takes\n"
                           "<< client got 1000000\n"
                           "<< client notified\n"
                           "<< client fin\n"
                           ">> client notify\n"
                           ">> client eof\n"
                           "<< record final\n"
                           "== legs.server.bytes.data_received 1000000\n"
                           "<< done\n");
}

// The peer's connection broke, but what it had said before goes on first.
static void a_reset_behind_data_under_backpressure(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> client stops\n"
                           ">> server fills 1000000\n"
                           "<< server unread\n"
                           ">> server broken\n"
                           ">> client takes\n"
                           "<< record final\n"
                           "== legs.server.end.how rst\n"
                           "<< done\n");
    play(&setup, HANDSHAKE ">> client stops\n"
                           ">> server fills 1000000\n"
                           ">> client broken\n"
                           "<< server reset\n"
                           "<< record final\n"
                           "== legs.client.end.how rst\n"
                           "<< done\n");
}

static void key_updates_are_answered(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> client key-update\n"
                           ">> client says one\n"
                           "<< server hears one\n"
                           ">> server key-update\n"
                           ">> server says two\n"
                           "<< client hears two\n"
                           ">> client says three\n"
                           "<< server hears three\n"
                           "<< client alerted -\n"
                           "<< server alerted -\n");
}

// A server that wants to renegotiate is refused, and the record says so.
static void renegotiation_is_refused(void) {
    struct setup setup = {SETUP_TLS};
    setup.server.max_version = TLS1_2_VERSION;
    setup.server.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
    play(&setup, HANDSHAKE ">> client says GET /private HTTP/1.1||\n"
                           "<< server hears GET*\n"
                           ">> server hello-request\n"
                           "<< server alerted 100\n"
                           "<< client alerted 80\n"
                           "<< record final\n"
                           "== legs.server.alerts client * 100 no_renegotiation *\n"
                           "== legs.server.end.by proxy\n"
                           "== legs.server.end.how alert\n"
                           "== legs.server.end.detail *RENEGOTIATION*\n");
}

static void a_half_closed_relay_lingers_only_so_long(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> client notify\n"
                           "<< server notified\n"
                           ">> timer 119\n"
                           ">> server says still\n"
                           "<< client hears still\n"
                           ">> timer 119\n"
                           "<< going\n"
                           "<< server open\n"
                           ">> timer 2\n"
                           "<< record interim\n"
                           "<< record final\n"
                           "== legs.client.end.by client\n"
                           "<< server closed\n"
                           "<< client fin\n"
                           ">> timer\n"
                           "<< client reset\n"
                           "<< done\n");
}

static void a_long_connection_is_recorded_twice(void) {
    struct setup setup = {SETUP_TLS};
    play(&setup, HANDSHAKE ">> timer 29\n"
                           "<< record none\n"
                           ">> timer 1\n"
                           "<< record interim\n"
                           "== legs.client.end.by -\n"
                           "== legs.client.tls.established yes\n"
                           "== verdict.party *\n"
                           ">> timer 1000\n"
                           "<< record none\n"
                           ">> client says x\n"
                           ">> client notify\n"
                           ">> server notify\n"
                           "<< record final\n"
                           "== legs.client.end.by client\n"
                           "== legs.client.bytes.data_received 1\n");
}

const struct unit_case unit_cases[] = {
    {"the User-Agent inside is kept", the_user_agent_inside_is_kept},
    {"every version relays", every_version_relays},
    {"close_notify goes on", close_notify_goes_on},
    {"FIN goes on without a close_notify", fin_goes_on_without_a_close_notify},
    {"notify and FIN go on together", notify_and_fin_go_on_together},
    {"a reset goes on as a reset", a_reset_goes_on_as_a_reset},
    {"a reset behind a close_notify", a_reset_behind_a_close_notify},
    {"both leave at once", both_leave_at_once},
    {"alerts after the handshake go on", alerts_after_the_handshake_go_on},
    {"garbage instead of records", garbage_instead_of_records},
    {"reading stops when the other side does", reading_stops_when_the_other_side_does},
    {"large transfers both ways at once", large_transfers_both_ways_at_once},
    {"the last bytes come before the end", the_last_bytes_come_before_the_end},
    {"a reset behind data under backpressure", a_reset_behind_data_under_backpressure},
    {"key updates are answered", key_updates_are_answered},
    {"renegotiation is refused", renegotiation_is_refused},
    {"a half-closed relay lingers only so long", a_half_closed_relay_lingers_only_so_long},
    {"a long connection is recorded twice", a_long_connection_is_recorded_twice},
    {NULL, NULL},
};
