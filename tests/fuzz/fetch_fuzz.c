// Target functions: fetch_url_parse, fetch_input, fetch_output.
//
// The first byte is how the connection ends and whether a parent proxy is asked, the second the
// size of the pieces. Then comes the address that a certificate names, up to a line feed, and then
// all that the server says. However it is cut, the same must come of it; no address makes a second
// header, and no answer a body beyond the ceiling or a fetch that outlives its deadline.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "proxy/probe/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { ENDS = 3, BY_PARENT = 4, BODY_MAX = 512, TOTAL_US = 1000, SAID_MAX = 64 * 1024 };

// check_request holds the request against its own lines: the address brings none.
static void check_request(const struct fetch *fetch, bool by_parent) {
    struct span out = fetch_output(fetch);
    size_t lines = 0, spaces = 0;
    CHECK(out.len > 4 && memcmp(out.p, "GET ", 4) == 0);
    CHECK(memcmp(out.p + out.len - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < out.len; i++) {
        CHECK(out.p[i] != '\0');
        CHECK((out.p[i] == '\n') == (i > 0 && out.p[i - 1] == '\r'));
        lines += out.p[i] == '\n';
        spaces += lines == 0 && out.p[i] == ' ';
    }
    CHECK(lines == (by_parent ? 6 : 5) && spaces == 2);
}

static void input_end(struct fetch *fetch, int how) {
    static const struct event ends[] = {
        {.kind = EVENT_EOF},
        {.kind = EVENT_BROKEN, .errnum = ECONNRESET},
        {.kind = EVENT_TIMER, .now_us = TOTAL_US},
        {.kind = EVENT_STOP},
    };
    fetch_input(fetch, &ends[how]);
    CHECK(fetch_result(fetch) != FETCH_PENDING);
}

static struct fetch *fetch_play(const char *url, uint8_t how, const uint8_t *said, size_t said_len,
                                size_t piece) {
    const struct fetch_config config = {.url = url,
                                        .max = BODY_MAX,
                                        .total_us = TOTAL_US,
                                        .by_parent = (how & BY_PARENT) != 0,
                                        .parent_authorization = "Basic eA=="};
    struct fetch *fetch = fetch_new(&config, 0);
    CHECK(fetch_output(fetch).len == 0);
    fetch_input(fetch, &(struct event){.kind = EVENT_CONNECTED});
    check_request(fetch, config.by_parent);
    fetch_output_done(fetch, fetch_output(fetch).len);
    for (size_t at = 0; at < said_len;) {
        size_t n = said_len - at < piece ? said_len - at : piece;
        fetch_input(fetch, &(struct event){.kind = EVENT_BYTES, .bytes = {said + at, n}});
        CHECK(fetch_body(fetch).len <= BODY_MAX);
        at += n;
    }
    input_end(fetch, how & ENDS);
    CHECK(fetch_says(fetch)[0] != '\0' && fetch_output(fetch).len == 0);
    return fetch;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct fetch_url parsed;
    const uint8_t *feed = data_len > 2 ? memchr(data + 2, '\n', data_len - 2) : NULL;
    if (feed == NULL || data_len > SAID_MAX) {
        return 0;
    }
    char *url = xcalloc(1, (size_t)(feed - data) - 1);
    memcpy(url, data + 2, (size_t)(feed - data) - 2);
    if (fetch_url_parse(&parsed, url)) {
        const uint8_t *said = feed + 1;
        size_t said_len = (size_t)(data + data_len - said);
        CHECK(parsed.host[0] != '\0' && parsed.port != 0 && strpbrk(parsed.host, " /@\r") == NULL);
        struct fetch *whole = fetch_play(url, data[0], said, said_len, SIZE_MAX);
        struct fetch *cut = fetch_play(url, data[0], said, said_len, data[1] % 64 + 1);
        CHECK(fetch_result(whole) == fetch_result(cut));
        CHECK(strcmp(fetch_says(whole), fetch_says(cut)) == 0);
        if (fetch_result(whole) == FETCH_GOT) {
            struct span a = fetch_body(whole), b = fetch_body(cut);
            CHECK(a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0));
        }
        fetch_free(whole);
        fetch_free(cut);
    }
    free(url);
    return 0;
}
