// One emulated box at work: its CA, its keys and its leaves. A process may be several.
#ifndef POLICY_CA_FORGE_H_
#define POLICY_CA_FORGE_H_

#include "policy/ca/box.h"
#include "policy/ca/leaf_cache.h"

// struct forge may be used by any number of threads.
struct forge;

// forge_open makes the forge of the box that `knobs` describe and whose files are in `dir` (see
// box_open; NULL: in memory). Where the profile has no CA of its own `installation` issues. Both
// `knobs` and `installation` must outlive it; `now` is in unix seconds. Returns NULL and fills
// `err` where box_open does.
WUNRES struct forge *forge_open(const char *dir, const struct cert_knobs *knobs,
                                const struct authority *installation, int64_t now, struct err *err);
void forge_free(struct forge *forge); // NULL does nothing

// forge_leaves returns the cache that makes its leaves.
struct leaf_cache *forge_leaves(struct forge *forge);

// forge_root returns the root that clients of the box trust: its own or the installation's.
const struct authority *forge_root(const struct forge *forge);

#endif // POLICY_CA_FORGE_H_
