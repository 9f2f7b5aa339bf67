// First flights of real clients, for the tests of what writes and replays them.
#ifndef TESTS_UNIT_PROXY_TLS_HELLOS_H_
#define TESTS_UNIT_PROXY_TLS_HELLOS_H_

#include "tests/unit/proxy/tls/samples.h"

extern const struct sample hellos[]; // records, as sent; ends with a row whose name is NULL

// hellos_get returns the row called `name`; there must be one.
const struct sample *hellos_get(const char *name);

// hellos_random is a hello_random_fn: the bytes depend on `ctx`, a uint64_t that it counts up.
void hellos_random(void *ctx, uint8_t *out, size_t out_len);

#endif // TESTS_UNIT_PROXY_TLS_HELLOS_H_
