#include "policy/ca/forge.h"

#include <stdlib.h>

enum { LEAVES_MAX = 2000, LEAVES_BYTES = 8 * 1024 * 1024 };

struct forge {
    const struct authority *installation;
    struct box *box;
    struct mint *mint;
    struct leaf_cache *leaves;
};

struct forge *forge_open(const char *dir, const struct cert_knobs *knobs,
                         const struct authority *installation, int64_t now, struct err *err) {
    struct box *box = dir != NULL ? box_open(dir, knobs, now, err) : box_new(knobs, now);
    if (box == NULL) {
        return NULL;
    }
    struct forge *forge = xcalloc(1, sizeof(*forge));
    forge->installation = installation;
    forge->box = box;
    forge->mint = mint_new(installation, now);
    mint_set_box(forge->mint, box);
    forge->leaves = leaf_cache_new(forge->mint, LEAVES_MAX, LEAVES_BYTES);
    return forge;
}

void forge_free(struct forge *forge) {
    if (forge == NULL) {
        return;
    }
    leaf_cache_free(forge->leaves);
    mint_free(forge->mint);
    box_free(forge->box);
    free(forge);
}

struct leaf_cache *forge_leaves(struct forge *forge) {
    return forge->leaves;
}

const struct authority *forge_root(const struct forge *forge) {
    return forge->box->root != NULL ? forge->box->root : forge->installation;
}
