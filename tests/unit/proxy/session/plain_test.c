// http:// requests in absolute form.
#include <errno.h>

#include "tests/unit/proxy/session/playbook_driver.h"

#define DIALLED                                                                                    \
    "<< dial example.test:80\n"                                                                    \
    ">> resolved\n"                                                                                \
    ">> tried 0\n"                                                                                 \
    ">> connected\n"

#define GET                                                                                        \
    ">> client bytes GET http://example.test/a?b=c HTTP/1.1|Host: example.test||\n" DIALLED        \
    "<< server gets GET /a?b=c HTTP/1.1|Host: example.test||\n"

#define OK_HI "HTTP/1.1 200 OK|Content-Length: 2||hi"

static void a_request_is_forwarded(void) {
    play(NULL, GET ">> server bytes " OK_HI "\n"
                   "<< client gets " OK_HI "\n"
                   "<< client open\n"
                   ">> client eof\n"
                   "<< record final\n"
                   "== mode plain\n"
                   "== application http\n"
                   "== host example.test\n"
                   "== port 80\n"
                   "== front absolute-form\n"
                   "== http.request.method GET\n"
                   "== legs.client.end.by client\n"
                   "== legs.server.end.at data\n"
                   "<< server closed\n"
                   "<< client closed\n"
                   "<< done\n");
}

static void targets_and_headers_are_made_for_the_origin(void) {
    static const struct {
        const char *request, *dial, *forwarded;
    } rows[] = {
        {"GET http://a.test HTTP/1.1|Host: other.test||", "a.test:80",
         "GET / HTTP/1.1|Host: a.test||"},
        {"GET HTTP://A.test:81?x HTTP/1.0||", "a.test:81", "GET /?x HTTP/1.0|Host: A.test:81||"},
        {"GET http://u:p@a.test/x HTTP/1.1||", "a.test:80", "GET /x HTTP/1.1|Host: a.test||"},
        {"GET http://[::1]:8080/ HTTP/1.1||", "::1:8080", "GET / HTTP/1.1|Host: [::1]:8080||"},
        {"HEAD http://a.test/ HTTP/1.1|Proxy-Connection: keep-alive|X: y|Keep-Alive: 5|"
         "Proxy-Authorization: Basic eA==||",
         "a.test:80", "HEAD / HTTP/1.1|Host: a.test|X: y||"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              ">> client bytes %s\n"
              "<< dial %s\n"
              ">> connected\n"
              "<< server gets %s\n",
              rows[i].request, rows[i].dial, rows[i].forwarded);
    }
}

static void requests_follow_one_another(void) {
    static const size_t pieces[] = {0, 1, 7};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct setup setup = {.piece = pieces[i]};
        play(&setup,
             GET ">> server bytes " OK_HI "\n"
                 "<< client gets " OK_HI "\n"
                 ">> client bytes GET http://example.test/2 HTTP/1.1||\n"
                 "<< server gets GET /2 HTTP/1.1|Host: example.test||\n"
                 ">> server bytes " OK_HI "\n"
                 "<< client gets " OK_HI "\n"
                 ">> client bytes POST http://example.test/3 HTTP/1.1|"
                 "Content-Length: 3||abc\n"
                 "<< server gets POST /3 HTTP/1.1|Host: example.test|Content-Length: 3||abc\n"
                 ">> server bytes " OK_HI "\n"
                 "<< client gets " OK_HI "\n"
                 "<< record none\n"
                 ">> client eof\n"
                 "<< record final\n"
                 "== legs.client.end.by client\n"
                 "<< done\n");
    }
}

static void requests_may_be_pipelined(void) {
    play(NULL, ">> client bytes GET http://example.test/1 HTTP/1.1||"
               "GET http://example.test/2 HTTP/1.1||GET http://example.test/3 HTTP/1.1||\n" DIALLED
               "<< server gets GET /1 HTTP/1.1|Host: example.test||\n"
               ">> server bytes " OK_HI "\n"
               "<< client gets " OK_HI "\n"
               "<< server gets GET /2 HTTP/1.1|Host: example.test||\n"
               ">> server bytes " OK_HI "\n"
               "<< client gets " OK_HI "\n"
               "<< server gets GET /3 HTTP/1.1|Host: example.test||\n"
               ">> server bytes " OK_HI "\n"
               "<< client gets " OK_HI "\n");
}

static void another_origin_is_another_record(void) {
    play(NULL, GET ">> server bytes " OK_HI "\n"
                   "<< client gets " OK_HI "\n"
                   ">> client bytes GET http://b.test/ HTTP/1.1|User-Agent: x||\n"
                   "<< record final\n"
                   "== host example.test\n"
                   "== legs.client.end.detail the client went on to another origin\n"
                   "<< dial b.test:80\n"
                   ">> connected\n"
                   "<< server gets GET / HTTP/1.1|Host: b.test|User-Agent: x||\n"
                   ">> server bytes " OK_HI "\n"
                   "<< client gets " OK_HI "\n"
                   ">> client eof\n"
                   "<< record final\n"
                   "== host b.test\n"
                   "== user_agent.original x\n"
                   "== legs.server.address 192.0.2.1\n"
                   "<< done\n");
}

static void many_origins_pipelined(void) {
    struct play *p = play_new(NULL);
    for (int i = 0; i < 10; i++) {
        play_run(p, ">> client bytes GET http://a.test/ HTTP/1.1||GET http://b.test/ HTTP/1.1||\n");
    }
    play_run(p, "<< dial a.test:80\n"
                ">> connected\n"
                "<< server gets GET / HTTP/1.1|Host: a.test||\n"
                ">> server bytes " OK_HI "\n"
                "<< client gets " OK_HI "\n"
                "<< dial b.test:80\n"
                ">> connected\n"
                "<< server gets GET / HTTP/1.1|Host: b.test||\n"
                ">> server bytes " OK_HI "\n"
                "<< dial a.test:80\n"
                ">> unresolved not-found\n"
                "<< client gets HTTP/1.1 200 *hiHTTP/1.1 502 *\n");
    play_free(p);
}

static void an_origin_that_closes_between_two_is_dialled_again(void) {
    static const char *const ends[] = {"eof", "broken"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        playf(NULL,
              GET ">> server bytes " OK_HI "\n"
                  "<< client gets " OK_HI "\n"
                  ">> server %s\n"
                  "<< record final\n"
                  "== legs.server.end.by server\n"
                  "<< client open\n"
                  ">> client bytes GET http://example.test/2 HTTP/1.1||\n"
                  "<< dial example.test:80\n"
                  ">> connected\n"
                  "<< server gets GET /2 HTTP/1.1|Host: example.test||\n"
                  ">> server bytes " OK_HI "\n"
                  "<< client gets " OK_HI "\n"
                  ">> client eof\n"
                  "<< record final\n"
                  "<< done\n",
              ends[i]);
    }
}

// The old origin's reset may be told late, while the next one is dialled.
static void a_late_reset_is_the_old_origins(void) {
    struct play *p = play_new(NULL);
    play_run(p, GET ">> server bytes " OK_HI "\n"
                    "<< client gets " OK_HI "\n"
                    ">> client bytes GET http://b.test/ HTTP/1.1||\n"
                    "<< record final\n"
                    "<< dial b.test:80\n");
    play_event(p, (struct event){.kind = EVENT_BROKEN, .side = SIDE_SERVER, .errnum = ECONNRESET});
    play_run(p, "<< client open\n"
                ">> connected\n"
                "<< server gets GET / HTTP/1.1|Host: b.test||\n"
                ">> server bytes " OK_HI "\n"
                "<< client gets " OK_HI "\n");
    play_free(p);
}

static void bodies_are_measured(void) {
    static const char *const answers[] = {
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello|0||",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked||5;ext=1|hello|0|Trailer: x||",
        "HTTP/1.1 204 No Content||",
        "HTTP/1.1 304 Not Modified|Content-Length: 10||",
        "HTTP/1.1 200 OK|Content-Length: 0||",
    };
    static const size_t pieces[] = {0, 1};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
            struct setup setup = {.piece = pieces[k]};
            playf(&setup,
                  GET ">> server bytes %s\n"
                      "<< client gets %s\n"
                      ">> client bytes GET http://example.test/2 HTTP/1.1||\n"
                      "<< server gets GET /2 HTTP/1.1|Host: example.test||\n",
                  answers[i], answers[i]);
        }
    }
}

static void an_answer_to_head_has_no_body(void) {
    play(NULL, ">> client bytes HEAD http://example.test/ HTTP/1.1||\n" DIALLED
               "<< server gets HEAD / HTTP/1.1|Host: example.test||\n"
               ">> server bytes HTTP/1.1 200 OK|Content-Length: 100||\n"
               "<< client gets HTTP/1.1 200 OK|Content-Length: 100||\n"
               ">> client bytes GET http://example.test/2 HTTP/1.1||\n"
               "<< server gets GET /2 HTTP/1.1|Host: example.test||\n");
}

static void chunked_requests_pass(void) {
    static const size_t pieces[] = {0, 1};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct setup setup = {.piece = pieces[i]};
        play(&setup, ">> client bytes PUT http://example.test/ HTTP/1.1|"
                     "Transfer-Encoding: chunked||3|abc|0||\n" DIALLED
                     "<< server gets PUT / HTTP/1.1|Host: example.test|Transfer-Encoding: "
                     "chunked||3|abc|0||\n"
                     ">> server bytes " OK_HI "\n"
                     "<< client gets " OK_HI "\n"
                     ">> client bytes GET http://example.test/2 HTTP/1.1||\n"
                     "<< server gets GET /2 HTTP/1.1|Host: example.test||\n");
    }
}

static void continue_comes_before_the_body(void) {
    play(NULL, ">> client bytes POST http://example.test/ HTTP/1.1|Expect: 100-continue|"
               "Content-Length: 3||\n" DIALLED "<< server gets POST / HTTP/1.1|Host: "
               "example.test|Expect: 100-continue|Content-Length: 3||\n"
               ">> server bytes HTTP/1.1 100 Continue||\n"
               "<< client gets HTTP/1.1 100 Continue||\n"
               ">> client bytes abc\n"
               "<< server gets abc\n"
               ">> server bytes HTTP/1.1 103 Early Hints|Link: x||" OK_HI "\n"
               "<< client gets HTTP/1.1 103 Early Hints|Link: x||" OK_HI "\n"
               ">> client bytes GET http://example.test/2 HTTP/1.1||\n"
               "<< server gets GET /2 HTTP/1.1|Host: example.test||\n");
}

static void an_upgrade_becomes_a_tunnel(void) {
    play(NULL, ">> client bytes GET http://example.test/ HTTP/1.1|Connection: Upgrade|"
               "Upgrade: websocket||\n" DIALLED "<< server gets GET / HTTP/1.1|Host: "
               "example.test|Connection: Upgrade|Upgrade: websocket||\n"
               ">> server bytes HTTP/1.1 101 Switching Protocols|Upgrade: websocket|"
               "Connection: Upgrade||frame\n"
               "<< client gets HTTP/1.1 101 Switching Protocols|Upgrade: websocket|"
               "Connection: Upgrade||frame\n"
               ">> client fills 50000\n"
               "<< server got 50000\n"
               ">> server fills 50000\n"
               "<< client got 50000\n"
               ">> client eof\n"
               "<< server fin\n"
               ">> server bytes bye\n"
               "<< client gets bye\n"
               ">> server eof\n"
               "<< record final\n"
               "== legs.client.end.by client\n"
               "<< done\n");
}

static void an_upgrade_that_is_refused_stays_http(void) {
    play(NULL, ">> client bytes GET http://example.test/ HTTP/1.1|Connection: Upgrade|"
               "Upgrade: websocket||\n" DIALLED "<< server gets *\n"
               ">> server bytes " OK_HI "\n"
               "<< client gets " OK_HI "\n"
               ">> client bytes GET http://example.test/2 HTTP/1.1||\n"
               "<< server gets GET /2 HTTP/1.1|Host: example.test||\n");
}

// Each end of a tunnel after 101, half-closed or broken.
static void an_upgraded_connection_ends(void) {
    static const struct {
        const char *script, *by, *how;
    } rows[] = {
        {">> client broken\n<< server reset\n", "client", "rst"},
        {">> server broken\n<< client reset\n", "server", "rst"},
        {">> client eof\n<< server fin\n>> timer 121\n<< record interim\n", "client", "fin"},
        {">> server eof\n<< client fin\n>> timer 121\n<< record interim\n", "server", "fin"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              ">> client bytes GET http://example.test/ HTTP/1.1|Upgrade: x|"
              "Connection: Upgrade||\n" DIALLED
              ">> server bytes HTTP/1.1 101 Switching|Upgrade: x|Connection: Upgrade||\n%s"
              "<< record final\n"
              "== mode plain\n"
              "== legs.client.end.by %s\n"
              "== legs.client.end.how %s\n",
              rows[i].script, rows[i].by, rows[i].how);
    }
}

static void a_body_may_end_with_the_connection(void) {
    play(NULL, GET ">> server bytes HTTP/1.1 200 OK||hello\n"
                   "<< client gets HTTP/1.1 200 OK||hello\n"
                   ">> server eof\n"
                   "<< client fin\n"
                   "<< record final\n"
                   "== legs.server.end.by server\n"
                   "== legs.server.end.how fin\n"
                   "== legs.server.end.detail -\n"
                   ">> client eof\n"
                   "<< done\n");
    play(NULL, GET ">> server bytes HTTP/1.0 200 OK|Content-Length: 2||hi\n"
                   "<< client gets HTTP/1.0 200 OK|Content-Length: 2||hi\n"
                   "<< client fin\n"
                   "<< record final\n");
}

// The answer is over for the origin, but not for a client that has yet to read it.
static void a_slow_reader_gets_the_end(void) {
    play(NULL, GET ">> client stops\n"
                   ">> server bytes HTTP/1.1 200 OK|Connection: close|Content-Length: 5||hello\n"
                   "<< record final\n"
                   ">> timer 100\n"
                   "<< client open\n"
                   ">> client takes\n"
                   "<< client gets HTTP/1.1 200 OK|Connection: close|Content-Length: 5||hello\n"
                   "<< client fin\n"
                   ">> timer 9\n"
                   "<< going\n"
                   ">> timer 2\n"
                   "<< client reset\n"
                   "<< done\n");
}

static void a_response_that_is_cut(void) {
    static const struct {
        const char *answer, *end, *how;
    } rows[] = {
        {"HTTP/1.1 200 OK|Content-Length: 10||hello", "eof", "fin"},
        {"HTTP/1.1 200 OK|Content-Length: 10||hello", "broken", "rst"},
        {"HTTP/1.1 200 OK|Content-Le", "eof", "fin"},
        {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hel", "eof", "fin"},
        {"HTTP/1.1 200 OK||hello", "broken", "rst"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              GET ">> server bytes %s\n"
                  "<< client gets %s\n"
                  ">> server %s\n"
                  "<< client reset\n"
                  "<< record final\n"
                  "== legs.server.end.by server\n"
                  "== legs.server.end.how %s\n"
                  "== legs.server.end.detail in the middle of the response\n"
                  "<< done\n",
              rows[i].answer, rows[i].answer, rows[i].end, rows[i].how);
    }
}

static void no_response_is_a_502(void) {
    static const char *const ends[] = {"eof", "broken"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        playf(NULL,
              GET ">> server %s\n"
                  "<< client gets HTTP/1.1 502 *text/plain*verdict*\n"
                  "<< record final\n"
                  "== http.response.status_code 502\n"
                  "== legs.server.end.by server\n"
                  "== legs.server.end.detail before the response\n"
                  ">> client eof\n"
                  "<< done\n",
              ends[i]);
    }
    play(NULL, ">> client bytes GET http://example.test/ HTTP/1.1|Accept: text/html,x||\n"
               ">> dial-failed ECONNREFUSED\n"
               "<< client gets HTTP/1.1 502 *text/html*<h1>*example.test*\n"
               "<< record final\n"
               "== legs.server.end.how refused\n");
}

static void a_response_that_is_not_http(void) {
    play(NULL, GET ">> server bytes SSH-2.0-x|\n"
                   "<< record final\n"
                   "== legs.server.end.by server\n"
                   "== legs.server.end.how error\n"
                   "<< server closed\n");
}

static void requests_that_go_wrong(void) {
    static const struct {
        const char *bytes, *answer;
    } rows[] = {
        {"GET / HTTP/1.1||", "HTTP/1.1 400 *"},
        {"CONNECT example.test:443 HTTP/1.1||", "HTTP/1.1 400 *"},
        {"\\x16\\x03\\x01", "HTTP/1.1 400 *"},
        {"GET https://example.test/ HTTP/1.1||", "HTTP/1.1 400 *"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              GET ">> server bytes " OK_HI "\n"
                  "<< client gets " OK_HI "\n"
                  ">> client bytes %s\n"
                  "<< client gets %s\n"
                  "<< record final\n"
                  "<< server closed\n"
                  ">> client eof\n"
                  "<< done\n",
              rows[i].bytes, rows[i].answer);
    }
    play(NULL, ">> client bytes PUT http://example.test/ HTTP/1.1|Transfer-Encoding: chunked||"
               "zz|\n" DIALLED "<< record final\n"
               "== legs.client.end.by client\n"
               "== legs.client.end.how error\n");
}

static void policy_refuses(void) {
    struct setup setup = {.policy =
                              "{\"rules\": [{\"hosts\": [\"b.test\"], \"action\": \"refuse\"}]}"};
    play(&setup, ">> client bytes GET http://b.test/ HTTP/1.1||\n"
                 "<< client gets HTTP/1.1 403 *\n"
                 "<< record final\n"
                 "== policy.action refuse\n");
    play(&setup, GET ">> server bytes " OK_HI "\n"
                     "<< client gets " OK_HI "\n"
                     ">> client bytes GET http://b.test/ HTTP/1.1||\n"
                     "<< client gets HTTP/1.1 403 *\n"
                     "<< server closed\n"
                     "<< record final\n"
                     "<< record final\n"
                     "== policy.action refuse\n");
}

static void an_answer_that_nobody_asked_for(void) {
    static const char *const rows[] = {OK_HI OK_HI "\n", OK_HI "\n>> server bytes " OK_HI "\n"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              GET ">> server bytes %s"
                  "<< client gets " OK_HI "\n"
                  "<< server closed\n"
                  "<< record final\n"
                  "== legs.server.end.by server\n"
                  "== legs.server.end.how error\n"
                  ">> client bytes GET http://example.test/2 HTTP/1.1||\n"
                  "<< dial example.test:80\n"
                  ">> connected\n"
                  "<< server gets GET /2 HTTP/1.1|Host: example.test||\n",
              rows[i]);
    }
}

// The origin closes a connection as the next request is on its way: the client is to ask again.
static void an_end_that_crosses_a_request(void) {
    static const char *const ends[] = {"eof", "broken"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        playf(NULL,
              GET ">> server bytes " OK_HI "\n"
                  "<< client gets " OK_HI "\n"
                  ">> client bytes GET http://example.test/2 HTTP/1.1||\n"
                  "<< server gets GET /2 HTTP/1.1|Host: example.test||\n"
                  ">> server %s\n"
                  "<< client gets \n"
                  "<< client fin\n"
                  "<< record final\n"
                  "== legs.server.end.by server\n",
              ends[i]);
    }
}

static void our_own_site_comes_next(void) {
    play(NULL, GET ">> server bytes " OK_HI "\n"
                   "<< client gets " OK_HI "\n"
                   ">> client bytes GET http://tlsblame.test/nothing HTTP/1.1||\n"
                   "<< client gets HTTP/1.1 404 *\n"
                   "<< record final\n"
                   "== host example.test\n"
                   "<< record none\n");
}

static void the_client_leaves(void) {
    static const struct {
        const char *script, *how;
    } rows[] = {
        {">> client eof\n", "fin"},
        {">> client broken\n", "rst"},
        {">> resolved\n>> client broken\n", "rst"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              ">> client bytes PUT http://example.test/ HTTP/1.1|Content-Length: 3||\n%s"
              "<< record final\n"
              "== legs.client.end.by client\n"
              "== legs.client.end.how %s\n"
              "<< done\n",
              rows[i].script, rows[i].how);
    }
    play(NULL, GET ">> client broken\n"
                   "<< server closed\n"
                   "<< record final\n"
                   "== legs.client.end.how rst\n"
                   "<< done\n");
    play(NULL, ">> client bytes PUT http://example.test/ HTTP/1.1|Content-Length: 9||abc\n" DIALLED
               ">> client eof\n"
               "<< record final\n"
               "== legs.client.end.by client\n"
               "<< done\n");
}

// A client may close its sending side and still wait for the answer.
static void a_half_closed_client_gets_its_answer(void) {
    static const char *const rows[] = {
        ">> client eof\n" DIALLED,
        ">> resolved\n>> client eof\n>> connected\n",
        DIALLED ">> client eof\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              ">> client bytes GET http://example.test/ HTTP/1.1||\n%s"
              "<< server gets GET / HTTP/1.1|Host: example.test||\n"
              ">> server bytes " OK_HI "\n"
              "<< client gets " OK_HI "\n"
              "<< record final\n"
              "== legs.client.end.by client\n"
              "<< client closed\n"
              "<< done\n",
              rows[i]);
    }
}

static void an_idle_client_is_let_go(void) {
    play(NULL, GET ">> server bytes " OK_HI "\n"
                   "<< client gets " OK_HI "\n"
                   ">> timer 119\n"
                   "<< client open\n"
                   ">> timer 2\n"
                   "<< client fin\n"
                   "<< server closed\n"
                   "<< record interim\n"
                   "<< record final\n"
                   "== legs.client.end.how timeout\n");
}

static void large_bodies_have_backpressure(void) {
    struct play *p = play_new(NULL);
    play_run(p, GET ">> client stops\n"
                    ">> server bytes HTTP/1.1 200 OK|Content-Length: 3000000||\n"
                    ">> server fills 3000000\n"
                    "<< server unread\n"
                    ">> client takes\n");
    CU_ASSERT(play_got(p, SIDE_CLIENT).len == 3000000 + 44);
    CU_ASSERT(play_most(p, SIDE_CLIENT) <= 512 * 1024);
    play_run(p, ">> server stops\n"
                ">> client bytes PUT http://example.test/ HTTP/1.1|Content-Length: 3000000||\n"
                ">> client fills 3000000\n"
                "<< client unread\n"
                ">> server takes\n"
                "<< client read\n");
    CU_ASSERT(play_most(p, SIDE_SERVER) <= 512 * 1024);
    play_free(p);
}

const struct unit_case unit_cases[] = {
    {"a request is forwarded", a_request_is_forwarded},
    {"targets and headers are made for the origin", targets_and_headers_are_made_for_the_origin},
    {"requests follow one another", requests_follow_one_another},
    {"requests may be pipelined", requests_may_be_pipelined},
    {"another origin is another record", another_origin_is_another_record},
    {"many origins, pipelined", many_origins_pipelined},
    {"an origin that closes between two is dialled again",
     an_origin_that_closes_between_two_is_dialled_again},
    {"a late reset is the old origin's", a_late_reset_is_the_old_origins},
    {"bodies are measured", bodies_are_measured},
    {"an answer to HEAD has no body", an_answer_to_head_has_no_body},
    {"chunked requests pass", chunked_requests_pass},
    {"100 Continue comes before the body", continue_comes_before_the_body},
    {"an upgrade becomes a tunnel", an_upgrade_becomes_a_tunnel},
    {"an upgrade that is refused stays HTTP", an_upgrade_that_is_refused_stays_http},
    {"an upgraded connection ends", an_upgraded_connection_ends},
    {"a body may end with the connection", a_body_may_end_with_the_connection},
    {"a slow reader gets the end", a_slow_reader_gets_the_end},
    {"a response that is cut", a_response_that_is_cut},
    {"no response is a 502", no_response_is_a_502},
    {"a response that is not HTTP", a_response_that_is_not_http},
    {"requests that go wrong", requests_that_go_wrong},
    {"policy refuses", policy_refuses},
    {"an answer that nobody asked for", an_answer_that_nobody_asked_for},
    {"an end that crosses a request", an_end_that_crosses_a_request},
    {"our own site comes next", our_own_site_comes_next},
    {"the client leaves", the_client_leaves},
    {"a half-closed client gets its answer", a_half_closed_client_gets_its_answer},
    {"an idle client is let go", an_idle_client_is_let_go},
    {"large bodies have backpressure", large_bodies_have_backpressure},
    {NULL, NULL},
};
