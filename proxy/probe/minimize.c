#include "proxy/probe/minimize.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/probe/outcome.h"
#include "proxy/tls/hello_shape.h"

// The hellos of which one may pass, the plainest first: what it has in common with the failing one
// cannot be found to matter.
static const struct {
    const char *shape;
    bool named;
} passing_hellos[] = {
    {"sparse", false}, {"sparse", true},  {"tls12", false},   {"tls12", true},
    {"tls13", true},   {"openssl", true}, {"chromium", true},
};

//  LOOKING --> SEARCHING --> OVER
//     +--> nothing passes --> OVER
enum phase { LOOKING, SEARCHING, OVER };

struct minimize {
    struct minimize_config config;
    enum phase phase;
    struct runner *runner;
    struct ddmin *dd; // from SEARCHING on
    struct hello_draft hello;
    size_t num_tried, num_looked;
    bool stopped;
};

static void try_hello(struct minimize *m) {
    const struct inquiry_config *inquiry = m->config.inquiry;
    const struct inquiry_peer *peer = &inquiry->peer;
    bool by_parent = inquiry->parent.host != NULL;
    const char *address = m->config.address != NULL ? m->config.address
                          : peer->address != NULL   ? peer->address
                                                    : peer->host;
    const struct runner_job job = {
        .exchange = {.sends = EXCHANGE_SENDS_HELLO,
                     .hello = &m->hello,
                     .keys = inquiry->keys,
                     .host = peer->host,
                     .port = peer->port,
                     .by_parent = by_parent,
                     .parent_tls = inquiry->parent_tls,
                     .parent_authorization = inquiry->parent_authorization,
                     .answer_us = inquiry->answer_us,
                     .total_us = inquiry->total_us},
        .dial_host = by_parent ? inquiry->parent.host : address,
        .dial_port = by_parent ? inquiry->parent.port : peer->port,
    };
    runner_add(m->runner, &job);
}

static void over(struct minimize *m) {
    m->phase = OVER;
    m->config.on_done(m->config.ctx);
}

static void search_next(struct minimize *m) {
    if (ddmin_next(m->dd, &m->hello)) {
        try_hello(m);
    } else {
        over(m);
    }
}

static void look_next(struct minimize *m) {
    const struct inquiry_config *inquiry = m->config.inquiry;
    if (m->num_looked == ARRAY_LEN(passing_hellos)) {
        over(m);
        return;
    }
    bool named = passing_hellos[m->num_looked].named;
    const struct hello_shape *shape = hello_shape_find(passing_hellos[m->num_looked++].shape);
    hello_shape_make(&m->hello, shape, named ? inquiry->server_name : NULL, inquiry->keys);
    try_hello(m);
}

// kind_of tells failures apart: the word for them, and the alert.
static uint32_t kind_of(const struct obj *leg) {
    uint32_t hash = 2166136261u; // FNV-1a
    for (const char *p = outcome_name(leg); *p != '\0'; p++) {
        hash = (hash ^ (uint8_t)*p) * 16777619u;
    }
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        int64_t code = 0;
        (void)obj_int(obj_at(leg, F_LEG_ALERTS, i), F_ALERT_CODE, &code);
        hash = (hash ^ (uint32_t)code) * 16777619u;
    }
    return hash;
}

static void on_result(void *ctx, const struct runner_result *result) {
    struct minimize *m = ctx;
    const struct obj *leg = exchange_leg(result->exchange);
    bool passed = strcmp(outcome_name(leg), "answered") == 0;
    m->num_tried++;
    if (m->config.on_try != NULL) {
        m->config.on_try(m->config.ctx, m->num_tried, passed);
    }
    if (m->phase == SEARCHING) {
        ddmin_tell(m->dd, passed, kind_of(leg));
    } else if (m->phase == LOOKING && passed) {
        size_t budget = m->config.inquiry->budget;
        budget = budget > m->num_tried ? budget - m->num_tried : 0;
        budget = budget < DDMIN_CONNECTIONS_MAX ? budget : DDMIN_CONNECTIONS_MAX;
        m->dd = ddmin_new(&m->hello, m->config.inquiry->asked, budget);
        m->phase = SEARCHING;
    }
}

static void on_idle(void *ctx) {
    struct minimize *m = ctx;
    if (m->stopped) {
        over(m);
    } else if (m->phase == SEARCHING) {
        search_next(m);
    } else {
        look_next(m);
    }
}

static bool is_self(void *ctx, const struct address *address) {
    const struct inquiry_config *inquiry = ((struct minimize *)ctx)->config.inquiry;
    return inquiry->is_self != NULL && inquiry->is_self(inquiry->is_self_ctx, address);
}

struct minimize *minimize_new(const struct minimize_config *config) {
    struct minimize *m = xcalloc(1, sizeof(*m));
    const struct runner_config runner = {
        .loop = config->inquiry->loop,
        .resolver = config->inquiry->resolver,
        .parallel = 1,
        .pace_us = config->inquiry->pace_us,
        .residual_us = config->inquiry->residual_us,
        .connect_timeout_us = config->inquiry->connect_us,
        .family = config->inquiry->family,
        .mark = config->inquiry->mark,
        .is_self = is_self,
        .on_result = on_result,
        .on_idle = on_idle,
        .ctx = m,
    };
    m->config = *config;
    hello_draft_init(&m->hello);
    m->runner = runner_new(&runner);
    runner_stop(m->runner); // it is idle, and says so from the loop
    return m;
}

void minimize_free(struct minimize *m) {
    if (m == NULL) {
        return;
    }
    runner_free(m->runner);
    ddmin_free(m->dd);
    hello_draft_cleanup(&m->hello);
    free(m);
}

void minimize_stop(struct minimize *m) {
    m->stopped = true;
    runner_stop(m->runner);
}

bool minimize_says(const struct minimize *m, struct buf *out) {
    if (m->stopped) {
        return false;
    }
    if (m->dd == NULL) {
        return buf_printf(out, "No hello passes, not even a plain one without a name: there is "
                               "nothing to compare with.");
    }
    if (ddmin_result(m->dd)->end == DDMIN_FAILS) {
        return buf_printf(out, "The handshake fails by chance, or for a while after a failure: a "
                               "ClientHello that had passed failed when it was sent again.");
    }
    return ddmin_says(m->dd, out);
}
