#include "tests/unit/proxy/tls/hellos.h"

#include <string.h>

#include "logs/base/check.h"

const struct sample hellos[] = {
#define SAMPLE(name, len, bytes) {name, len, (const uint8_t *)(bytes)},
#include "tests/unit/proxy/tls/hellos.inc"
#undef SAMPLE
    {NULL, 0, NULL},
};

const struct sample *hellos_get(const char *name) {
    const struct sample *hello = hellos;
    while (hello->name != NULL && strcmp(hello->name, name) != 0) {
        hello++;
    }
    CHECK(hello->name != NULL);
    return hello;
}

void hellos_random(void *ctx, uint8_t *out, size_t out_len) {
    uint64_t *state = ctx;
    for (size_t i = 0; i < out_len; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*state >> 56);
    }
}
