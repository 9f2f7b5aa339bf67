#include "proxy/cli/probe_ech.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/ca/cert_pem.h"
#include "proxy/tls/ech_config.h"

// ---- the option

static bool base64_append(struct buf *out, CBS text) {
    uint8_t *clean = xmalloc(CBS_len(&text) + 1), *der = xmalloc(CBS_len(&text) + 1);
    size_t num = 0, der_len;
    for (size_t i = 0; i < CBS_len(&text); i++) {
        clean[num] = CBS_data(&text)[i];
        num += !isspace(clean[num]);
    }
    bool ok = num != 0 && EVP_DecodeBase64(der, &der_len, CBS_len(&text) + 1, clean, num) &&
              buf_append(out, der, der_len);
    ERR_clear_error();
    free(clean);
    free(der);
    return ok;
}

// contents_take takes what a file holds. A list begins with its own length.
static bool contents_take(struct buf *out, const struct buf *contents, const char *path,
                          struct err *err) {
    CBS all, list, rest;
    uint8_t *der;
    size_t der_len;
    CBS_init(&all, buf_data(contents), contents->len);
    rest = list = all;
    int got = cert_pem_next_of(&rest, "ECHCONFIG", &der, &der_len);
    if (got > 0) {
        bool ok = buf_append(out, der, der_len);
        free(der);
        return ok || err_set(err, "%s: the block ECHCONFIG is too long", path);
    }
    if (got == 0 && CBS_get_u16_length_prefixed(&list, &rest) && CBS_len(&list) == 0) {
        return buf_append(out, CBS_data(&all), CBS_len(&all)) ||
               err_set(err, "%s: too long for an ECHConfigList", path);
    }
    return base64_append(out, all) ||
           err_set(err, "%s: no ECHConfigList, nor one in base64 or PEM", path);
}

bool probe_ech_read(struct buf *out, const char *text, struct err *err) {
    struct buf contents;
    CBS base64;
    CBS_init(&base64, (const uint8_t *)text, strlen(text));
    if (access(text, F_OK) != 0) {
        return base64_append(out, base64) ||
               err_set(err, "--ech-config %.60s: neither a file nor base64", text);
    }
    buf_init(&contents, 2 * ECH_CONFIG_LIST_MAX);
    bool ok = cert_pem_read(text, &contents, err) && contents_take(out, &contents, text, err);
    buf_cleanup(&contents);
    return ok;
}

// ---- DNS

struct search {
    struct ev_loop *loop;
    struct buf *out;
    struct lookup *lookup;
};

static void on_https(void *ctx, const uint8_t *ech, size_t ech_len) {
    struct search *search = ctx;
    search->lookup = NULL;
    if (ech != NULL && !buf_append(search->out, ech, ech_len)) {
        buf_cleanup(search->out); // too long to be one
    }
    ev_break(search->loop, EVBREAK_ONE);
}

static void on_late(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)timer, (void)revents;
    ev_break(loop, EVBREAK_ONE);
}

void probe_ech_look_up(struct buf *out, struct ev_loop *loop, struct resolver *resolver,
                       const char *host, uint16_t port) {
    struct search search = {.loop = loop, .out = out};
    ev_timer late;
    ev_now_update(loop);
    ev_timer_init(&late, on_late, PROBE_ECH_LOOKUP_US * 1e-6, 0);
    ev_timer_start(loop, &late);
    search.lookup = lookup_https_new(resolver, host, port, on_https, &search);
    ev_run(loop, 0);
    ev_timer_stop(loop, &late);
    lookup_cancel(search.lookup);
}
