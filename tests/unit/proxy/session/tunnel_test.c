// The tunnel: the same bytes go on, and are watched as they pass.
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/session/playbook.h"

static const char tunnel_all[] = "{\"default\": {\"action\": \"tunnel\"}}";

// In a tunnel the client sees the server's own certificate.
#define SETUP_TUNNEL                                                                               \
    .policy = tunnel_all, .client = {.host = WORLD_HOST, .ca = world_get()->root->x509},           \
    .server = {.chain = {world_get()->leaf}}

static void tls_passes_untouched(void) {
    for (uint16_t version = TLS1_VERSION; version <= TLS1_3_VERSION; version++) {
        struct setup setup = {SETUP_TUNNEL};
        setup.client.max_version = version;
        play(&setup, HANDSHAKE ">> client says ping\n"
                               "<< server hears ping\n"
                               ">> server says pong\n"
                               "<< client hears pong\n"
                               ">> client notify\n"
                               ">> client eof\n"
                               "<< server notified\n"
                               "<< server fin\n"
                               ">> server eof\n"
                               "<< client closed\n"
                               "<< record final\n"
                               "== mode tunnel\n"
                               "== policy.action tunnel\n"
                               "== legs.client.tls.client.server_name example.test\n"
                               "== legs.client.tls.version 1.*\n"
                               "== legs.client.tls.established yes\n"
                               "== legs.client.end.by client\n"
                               "== legs.client.end.how fin\n"
                               "<< done\n");
    }
}

static void what_a_tunnel_shows_of_tls12(void) {
    struct setup setup = {SETUP_TUNNEL};
    setup.client.max_version = TLS1_2_VERSION;
    setup.client.alpn = "h2,http/1.1";
    setup.server.alpn = "http/1.1";
    play(&setup, HANDSHAKE ">> client says x\n"
                           ">> stop\n"
                           "<< record final\n"
                           "== legs.client.tls.version 1.2\n"
                           "== legs.client.tls.next_protocol http/1.1\n"
                           "== legs.client.offer.alpn h2, http/1.1\n"
                           "== legs.client.tls.server.subject CN=example.test\n"
                           "== legs.client.offer.raw *\n"
                           "== legs.client.end.at data\n");
}

static void the_bytes_are_equal(void) {
    static const size_t pieces[] = {1, 3, 1000, 0};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct setup setup = {.piece = pieces[i]};
        play(&setup, OPEN ">> client bytes SSH-2.0-x|\n"
                          "<< server gets SSH-2.0-x|\n"
                          ">> client queues 30000\n"
                          ">> server fills 20000\n"
                          "<< server got 30000\n"
                          "<< client got 20000\n");
    }
}

static void a_reset_goes_on_as_a_reset(void) {
    play(NULL, OPEN ">> client bytes SSH-2.0-x|\n"
                    ">> client broken\n"
                    "<< server reset\n"
                    "<< record final\n"
                    "== legs.client.end.by client\n"
                    "== legs.client.end.how rst\n"
                    "== legs.server.end.by client\n"
                    "<< done\n");
    play(NULL, OPEN ">> server bytes 220 x|\n"
                    ">> server broken ETIMEDOUT\n"
                    "<< client reset\n"
                    "<< record final\n"
                    "== legs.server.end.by server\n"
                    "<< done\n");
}

static void each_end_goes_on_in_either_order(void) {
    play(NULL, OPEN ">> server bytes 220 x|\n"
                    ">> server eof\n"
                    "<< client fin\n"
                    "<< server open\n"
                    ">> client bytes QUIT|\n"
                    "<< server gets QUIT|\n"
                    ">> client eof\n"
                    "<< server closed\n"
                    "<< client closed\n"
                    "<< record final\n"
                    "== legs.client.end.by server\n"
                    "<< done\n");
}

static void a_half_closed_tunnel_lingers_only_so_long(void) {
    play(NULL, OPEN ">> client bytes SSH-2.0-x|\n"
                    ">> client eof\n"
                    "<< server fin\n"
                    ">> timer 119\n"
                    ">> server bytes still here\n"
                    ">> timer 119\n"
                    "<< server fin\n"
                    "<< going\n"
                    ">> timer 2\n"
                    "<< server closed\n"
                    "<< client closed\n"
                    "<< record interim\n"
                    "<< record final\n"
                    "<< done\n");
}

static void both_end_at_once(void) {
    play(NULL, OPEN ">> client bytes SSH-2.0-x|\n"
                    ">> server stops\n"
                    ">> client stops\n"
                    ">> client eof\n"
                    ">> server eof\n"
                    ">> server takes\n"
                    ">> client takes\n"
                    "<< server gets SSH-2.0-x|\n"
                    "<< done\n");
}

static void reading_stops_when_the_other_side_does(void) {
    struct play *p = play_new(NULL);
    play_run(p, OPEN ">> client bytes SSH-2.0-x|\n"
                     "<< server gets SSH-2.0-x|\n"
                     ">> server stops\n"
                     ">> client fills 1000000\n"
                     "<< client unread\n"
                     "<< server read\n"
                     ">> server fills 1000\n"
                     "<< client got 1000\n"
                     ">> server takes\n"
                     "<< client read\n"
                     "<< server got 1000000\n");
    CU_ASSERT(play_most(p, SIDE_SERVER) <= (256 + 16) * 1024);
    play_free(p);
}

static void eof_waits_behind_what_is_to_be_written(void) {
    play(NULL, OPEN ">> client bytes SSH-2.0-x|\n"
                    "<< server gets SSH-2.0-x|\n"
                    ">> server stops\n"
                    ">> client fills 100000\n"
                    ">> client eof\n"
                    "<< server open\n"
                    ">> server takes\n"
                    "<< server got 100000\n"
                    "<< server fin\n");
}

// Once a tunnel carries much its bytes are no longer looked at. They are counted all the same.
static void much_goes_by_unseen(void) {
    static const size_t pieces[] = {0, 1000};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct setup setup = {SETUP_TUNNEL, .piece = pieces[i]};
        struct play *p = play_new(&setup);
        play_run(p, HANDSHAKE ">> client says ping\n"
                              "<< server hears ping\n");
        CU_ASSERT_EQUAL(play_spliced(p), 0);
        play_run(p, ">> server fills 60000\n"
                    "<< client got 60000\n");
        CU_ASSERT_EQUAL(play_spliced(p), 0);
        play_run(p, ">> server fills 1000000\n"
                    "<< client got 1000000\n"
                    ">> client stops\n"
                    ">> server fills 1000000\n"
                    ">> client says pong\n"
                    "<< server hears pong\n"
                    "<< server unread\n"
                    ">> client takes\n"
                    "<< client got 1000000\n"
                    ">> server notify\n"
                    ">> server eof\n"
                    "<< client fin\n"
                    ">> client eof\n"
                    "<< record final\n"
                    "== legs.server.end.by server\n"
                    "<< done\n");
        CU_ASSERT(play_spliced(p) > 1900000);
        int64_t received = 0, sent = 0, data = 0;
        const struct obj *client = record_leg(play_record(p), false);
        const struct obj *server = record_leg(play_record(p), true);
        CU_ASSERT(obj_int(server, F_LEG_BYTES_RECEIVED, &received));
        CU_ASSERT(obj_int(client, F_LEG_BYTES_SENT, &sent));
        CU_ASSERT(obj_int(client, F_LEG_DATA_SENT, &data));
        CU_ASSERT(received > 2060000 && received < 2070000);
        CU_ASSERT_EQUAL(sent, received + 39); // the answer to the CONNECT
        CU_ASSERT(data > 2060000 && data < received);
        play_free(p);
    }
}

// What waits in a pipe is delivered before the end is, and lost with a reset.
static void what_was_spliced_comes_before_the_end(void) {
    play(NULL, OPEN ">> server fills 100000\n"
                    "<< client got 100000\n"
                    ">> client stops\n"
                    ">> server fills 10000\n"
                    ">> stop\n"
                    "<< record final\n"
                    "<< done\n");
    play(NULL, OPEN ">> server fills 100000\n"
                    "<< client got 100000\n"
                    ">> client stops\n"
                    ">> server fills 10000\n"
                    ">> server eof\n"
                    "<< client open\n"
                    ">> client takes\n"
                    "<< client got 10000\n"
                    "<< client fin\n"
                    ">> client eof\n"
                    "<< done\n");
    play(NULL, OPEN ">> server fills 100000\n"
                    "<< client got 100000\n"
                    ">> client stops\n"
                    ">> server fills 10000\n"
                    ">> server broken\n"
                    "<< client reset\n"
                    "<< record final\n"
                    "== legs.server.end.how rst\n"
                    "<< done\n");
}

static void a_tunnel_that_goes_wrong_is_told(void) {
    struct setup setup = {SETUP_TUNNEL};
    setup.client.ca = NULL;
    setup.client.reject = SSL_AD_UNKNOWN_CA;
    setup.client.max_version = TLS1_2_VERSION;
    play(&setup, OPEN ">> server tls\n"
                      ">> client tls\n"
                      "<< server alerted 48\n"
                      ">> client eof\n"
                      ">> server eof\n"
                      "<< record final\n"
                      "== legs.client.alerts client certificate fatal 48 unknown_ca *\n"
                      "== legs.client.tls.established -\n"
                      "<< done\n");
    play(&setup, OPEN ">> client tls\n"
                      ">> server bytes HTTP/1.1 400 Bad Request||\n"
                      ">> server eof\n"
                      ">> client eof\n"
                      "<< record final\n"
                      "== legs.client.answer.not_tls http answer\n");
}

const struct unit_case unit_cases[] = {
    {"TLS passes untouched", tls_passes_untouched},
    {"what a tunnel shows of TLS 1.2", what_a_tunnel_shows_of_tls12},
    {"the bytes are equal", the_bytes_are_equal},
    {"a reset goes on as a reset", a_reset_goes_on_as_a_reset},
    {"each end goes on, in either order", each_end_goes_on_in_either_order},
    {"a half-closed tunnel lingers only so long", a_half_closed_tunnel_lingers_only_so_long},
    {"both end at once", both_end_at_once},
    {"reading stops when the other side does", reading_stops_when_the_other_side_does},
    {"EOF waits behind what is to be written", eof_waits_behind_what_is_to_be_written},
    {"much goes by unseen", much_goes_by_unseen},
    {"what was spliced comes before the end", what_was_spliced_comes_before_the_end},
    {"a tunnel that goes wrong is told", a_tunnel_that_goes_wrong_is_told},
    {NULL, NULL},
};
