// Logs and captures of connections seen at two places, for the tests of `diff`.
#ifndef TESTS_UNIT_PROXY_CLI_TWO_PLACES_H_
#define TESTS_UNIT_PROXY_CLI_TWO_PLACES_H_

#include "logs/record/record.h"

// struct place_row is one connection. The hellos of its legs have `client` and `server` as every
// byte of their random, 0 being no leg at all; both offer `name` and, with `alpn`, h2.
struct place_row {
    const char *id;
    int64_t ms; // when
    const char *name;
    uint8_t client, server;
    bool alpn;
    const char *address; // the client's; NULL: 192.0.2.1
    uint16_t port;       // the server's; 0: 443
};

// place_path returns the path of `name` in the folder for this test's files, which lives until the
// next four calls.
const char *place_path(const char *name);

// place_record makes the record of `row`, which the caller frees.
WUNRES struct record *place_record(const struct place_row *row);

// place_log writes a log of `rows`, place_capture a capture of their client legs; the last row has
// no id.
void place_log(const char *path, const struct place_row *rows);
void place_capture(const char *path, const struct place_row *rows);

// place_text writes a file of this text.
void place_text(const char *path, const char *text);

#endif // TESTS_UNIT_PROXY_CLI_TWO_PLACES_H_
