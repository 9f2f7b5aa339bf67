// A TCP server of 127.0.0.1 in the loop of a test: it answers whatever comes with a text of the
// test's, or not at all, and counts.
#ifndef TESTS_UNIT_PROXY_PROBE_ECHO_H_
#define TESTS_UNIT_PROXY_PROBE_ECHO_H_

#include <ev.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/net/resolve.h"
#include "proxy/tls/hello_draft.h"
#include "proxy/tls/hello_keys.h"

enum echo_mode { ECHO_ANSWER, ECHO_RESET, ECHO_CLOSE, ECHO_SILENT };

enum { ECHO_MAX = 256 };

struct echo {
    struct ev_loop *loop;
    ev_io listener, clients[ECHO_MAX];
    size_t num, open, most_open;
    // What to do with the first bytes; `answer` for ECHO_ANSWER. May be NULL: `mode`.
    enum echo_mode (*choose)(void *ctx, const uint8_t *p, size_t p_len);
    void *ctx;
    enum echo_mode mode;
    const void *answer;
    size_t answer_len;
    uint16_t port;
};

void echo_init(struct echo *echo, struct ev_loop *loop, enum echo_mode mode);
void echo_cleanup(struct echo *echo);

// echo_run runs the server's loop until it is broken; 20 seconds are too long.
void echo_run(struct echo *echo);

// struct echo_ask is what asking such a server takes: a loop, a hello of a shape for a.example, and
// a resolver that finds nobody. The server answers with an alert in the mode ECHO_ANSWER.
struct echo_ask {
    struct ev_loop *loop;
    struct hello_keys *keys;
    struct hello_draft hello;
    struct resolver *resolver;
};

void echo_ask_begin(struct echo_ask *ask, struct echo *server, enum echo_mode mode,
                    const char *shape);
void echo_ask_end(struct echo_ask *ask, struct echo *server);

#endif // TESTS_UNIT_PROXY_PROBE_ECHO_H_
