// What an emulated box remembers from one connection to the next. Usable by any number of threads.
#ifndef PROXY_SESSION_MEMORY_H_
#define PROXY_SESSION_MEMORY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

// It holds so many facts of each kind; the oldest go first.
enum { MEMORY_MAX = 1024 };

struct memory;

// memory_new makes an empty memory; what memory_draw gives depends on `seed` alone.
WUNRES struct memory *memory_new(uint64_t seed);
void memory_free(struct memory *memory); // NULL does nothing

// memory_count counts a connection of the client with the address `ip` (16 bytes) to `host`, and
// returns which it is, from 1.
uint32_t memory_count(struct memory *memory, const uint8_t *ip, const char *host);

// memory_draw returns a number from 0 to below 1, another one each time.
double memory_draw(struct memory *memory);

// memory_punish remembers that until `until_us` what goes from `ip` to `server` (text: address and
// port) meets reaction number `reaction`. memory_punished returns whether that is so at `now_us`.
void memory_punish(struct memory *memory, const uint8_t *ip, const char *server, size_t reaction,
                   int64_t until_us);
bool memory_punished(struct memory *memory, size_t *out_reaction, const uint8_t *ip,
                     const char *server, int64_t now_us);

// memory_staple keeps the first `staple` that comes for `host`, and copies it to `out`, of
// `out_max` bytes. It returns the length, 0 for one that is too long.
size_t memory_staple(struct memory *memory, uint8_t *out, size_t out_max, const char *host,
                     const uint8_t *staple, size_t staple_len);

#endif // PROXY_SESSION_MEMORY_H_
