// One HTTP GET, without I/O: what a CA serves at an address that a certificate names (RFC 5280
// sections 4.2.1.13 and 4.2.2.1). Nothing is believed of the other end: it gets HTTP/1.0, no
// redirect is followed, the body has a ceiling, and all of it a deadline.
#ifndef PROXY_PROBE_FETCH_H_
#define PROXY_PROBE_FETCH_H_

#include "proxy/session/parent_tls.h"
#include "proxy/session/session.h"

enum { FETCH_HOST_MAX = 256, FETCH_URL_MAX = 2048 };

enum fetch_result {
    FETCH_PENDING,
    FETCH_GOT,         // 200, and the whole body
    FETCH_REFUSED,     // another status
    FETCH_REDIRECTED,  // 3xx
    FETCH_TOO_LONG,    // the body passes the ceiling, or says that it will
    FETCH_CUT,         // the connection ended in the middle
    FETCH_SLOW,        // it was not all there in time
    FETCH_NOT_HTTP,    // what came is no answer of HTTP/1
    FETCH_UNREACHABLE, // there was no connection
    FETCH_STOPPED,     // it was ended from here
};

// fetch_result_id is the name of `result` in records: "got", "too-long".
const char *fetch_result_id(enum fetch_result result);

// struct fetch_url is where something is.
struct fetch_url {
    char host[FETCH_HOST_MAX];
    uint16_t port;
    const char *path; // of the text that was parsed; may be "" or begin with "?"
};

// fetch_url_parse returns false for what is no well-formed address in plain HTTP, or one with a
// user in it. `url` must outlive `out`.
WUNRES bool fetch_url_parse(struct fetch_url *out, const char *url);

struct fetch;

// struct fetch_config is copied by fetch_new, with its strings.
struct fetch_config {
    const char *url; // one that fetch_url_parse takes
    size_t max;      // bytes of the body
    int64_t total_us;
    bool by_parent;                      // the connection is to a parent proxy, asked for it
    const struct parent_tls *parent_tls; //   in TLS; NULL: in the clear. It is borrowed
    const char *parent_authorization;    // "Basic ..."; NULL or "": none
};

WUNRES struct fetch *fetch_new(const struct fetch_config *config, int64_t now_us);
void fetch_free(struct fetch *fetch); // NULL does nothing

// fetch_input takes an event of the connection; after the end it does nothing.
void fetch_input(struct fetch *fetch, const struct event *event);

// fetch_output is what is to be sent, and fetch_output_done tells that `n` bytes of it were.
struct span fetch_output(const struct fetch *fetch);
void fetch_output_done(struct fetch *fetch, size_t n);

int64_t fetch_deadline_us(const struct fetch *fetch); // of the EVENT_TIMER

// fetch_result is FETCH_PENDING until it is over. fetch_says is then a clause about it, as "the
// answer is 404", and fetch_body what FETCH_GOT got. Both live as long as `fetch`.
enum fetch_result fetch_result(const struct fetch *fetch);
const char *fetch_says(const struct fetch *fetch);
struct span fetch_body(const struct fetch *fetch);

#endif // PROXY_PROBE_FETCH_H_
