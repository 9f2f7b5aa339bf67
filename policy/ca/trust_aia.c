#include "policy/ca/trust_aia.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *trust_aia_url(const struct verification *verification) {
    static const char scheme[] = "http://";
    const char *url = verification->ca_issuers;
    bool plain = url != NULL && strncasecmp(url, scheme, sizeof(scheme) - 1) == 0;
    return verification->missing_issuer != NULL && plain ? url : NULL;
}

static const char *sentence(struct trust_proof *out) {
    struct arena *arena = &out->verification.arena;
    if (!out->completed) {
        return "With what was fetched the chain still does not lead to a trusted root.";
    }
    const char *names = "";
    for (size_t i = 0; i < out->num_added; i++) {
        names = arena_printf(arena, "%s%s%s", names, i == 0 ? "" : " and ", out->added[i]);
    }
    return arena_printf(arena, "The chain %s once %s %s added: the server omits %s.",
                        out->ok ? "verifies" : "leads to a trusted root", names,
                        out->num_added == 1 ? "is" : "are",
                        out->num_added == 1 ? "an intermediate" : "intermediates");
}

void trust_aia_prove(const struct trust *trust, const CBS *chain, size_t num_chain,
                     const CBS *fetched, size_t num_fetched, const char *host, int64_t now,
                     struct trust_proof *out) {
    *out = (struct trust_proof){0};
    CBS *all = xcalloc(num_chain + num_fetched + 1, sizeof(*all));
    memcpy(all, chain, num_chain * sizeof(*all));
    for (size_t i = 0; i < num_fetched; i++) {
        all[num_chain + i] = fetched[i];
    }
    struct verification *v = &out->verification;
    trust_verify(trust, all, num_chain + num_fetched, host, now, v);
    free(all);
    for (size_t i = 0; v->complete && i < v->num_path && out->num_added < TRUST_MAX_PATH; i++) {
        if (v->path[i].index >= (int)num_chain) {
            out->added[out->num_added++] = v->path[i].subject;
        }
    }
    out->completed = out->num_added != 0;
    out->ok = out->completed && v->ok;
    out->next_url = trust_aia_url(v);
    out->says = sentence(out);
}

void trust_proof_cleanup(struct trust_proof *proof) {
    verification_cleanup(&proof->verification);
    *proof = (struct trust_proof){0};
}
