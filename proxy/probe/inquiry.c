#include "proxy/probe/inquiry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/trust_verify.h"
#include "proxy/net/clock.h"
#include "proxy/probe/library_outcome.h"
#include "proxy/probe/outcome.h"
#include "proxy/session/verification.h"
#include "proxy/tls/ech_config.h"

enum { ROUND_MAX = 64, NONCE_SIZE = 32, ADDRESS_MAX = 64, TTL_POLL_US = 5 * 1000 };

// struct run is one connection of a round, with what its job points to.
struct run {
    size_t entry;
    struct hello_draft hello;
};

struct inquiry {
    struct inquiry_config config;
    struct obj *root;
    struct plan plan;
    struct runner *runner;
    struct run *runs; // by the index of their jobs
    size_t num_runs;
    char nonce[NONCE_SIZE];
    char address[ADDRESS_MAX]; // of the peer, once a connection had one
    struct buf ech_retry;      // the ECHConfigList that the server offered instead
    bool stopped;
};

static struct probe_material material_of(const struct inquiry *inquiry) {
    const struct inquiry_config *config = &inquiry->config;
    return (struct probe_material){
        .asked = config->asked,
        .client = config->client,
        .keys = config->keys,
        .host = config->server_name,
        .control = config->control.host,
        .others = {config->others[0].host, config->others[1].host},
        .nonce = inquiry->nonce,
        .seed = config->seed,
        .shown = config->shown,
        .ech = config->ech,
        .ech_retry = {buf_data(&inquiry->ech_retry), inquiry->ech_retry.len},
        .ech_name = config->ech_name,
    };
}

// can returns whether there is such a probe: with what is known, its hello can be made.
static bool can(void *ctx, const struct probe_pick *pick) {
    const struct inquiry *inquiry = ctx;
    const struct probe_material material = material_of(inquiry);
    struct hello_draft draft;
    if (pick->probe->direct && (inquiry->config.parent.host == NULL || !inquiry->config.direct)) {
        return false;
    }
    if (pick->probe->resolve &&
        (!inquiry->config.has_other_resolver || inquiry->config.parent.host != NULL)) {
        return false;
    }
    hello_draft_init(&draft);
    bool ok = probe_make(pick, &material, &draft);
    hello_draft_cleanup(&draft);
    return ok;
}

static void nonce_make(char out[NONCE_SIZE], uint64_t seed) {
    // No name below .invalid exists (RFC 6761 section 6.4): who has a certificate for it made it.
    snprintf(out, NONCE_SIZE, "%016llx.invalid", (unsigned long long)plan_random(&seed));
}

// ---- results

// verify records what is wrong with the leg's chain for `name`.
static void verify(const struct inquiry *inquiry, struct obj *leg, const char *name) {
    size_t num = obj_num(leg, F_LEG_CERTIFICATE_CHAIN);
    if (inquiry->config.trust == NULL || num == 0 || name == NULL) {
        return;
    }
    struct verification *verification = xcalloc(1, sizeof(*verification));
    CBS *ders = xcalloc(num, sizeof(*ders));
    for (size_t i = 0; i < num; i++) {
        struct span der = obj_item(leg, F_LEG_CERTIFICATE_CHAIN, i);
        CBS_init(&ders[i], der.p, der.len);
    }
    trust_verify(inquiry->config.trust, ders, num, name, clock_wall_ms() / 1000, verification);
    verification_record(obj_sub(leg, F_LEG_VERIFICATION), name, verification);
    verification_cleanup(verification);
    free(verification);
    free(ders);
}

// name_checked is the name that the certificate has to be for.
static const char *name_checked(const struct inquiry *inquiry, const struct obj *leg,
                                const struct library_facts *library) {
    const char *sni = obj_str(leg, F_LEG_SERVER_NAME);
    if (library != NULL && library->ech == LIBRARY_ECH_ACCEPTED) {
        return inquiry->config.server_name; // the SNI is that of the outer hello
    }
    return sni != NULL ? sni : inquiry->config.peer.host;
}

static void factors_write(struct obj *experiment, const struct probe_pick *pick) {
    char factor[PROBE_NAME_MAX];
    probe_factor(factor, pick);
    for (const char *p = factor; *p != '\0';) {
        size_t len = strcspn(p, ",");
        obj_add_str(experiment, F_EXPERIMENT_FACTORS, p, len);
        p += len + (p[len] == ',');
    }
}

// address_keep makes the rest of the inquiry go to the address that the first connection found.
static void address_keep(struct inquiry *inquiry, const struct obj *leg) {
    const char *address = obj_str(leg, F_LEG_ADDRESS);
    if (inquiry->config.parent.host == NULL && inquiry->address[0] == '\0' && address != NULL) {
        snprintf(inquiry->address, sizeof(inquiry->address), "%s", address);
    }
}

// chain_drop leaves the bytes of a chain out that the server's leg shows as well: the log is long
// enough.
static void chain_drop(const struct inquiry *inquiry, struct obj *leg) {
    const char *leaf = obj_str(leg, F_LEG_LEAF_SHA256);
    const struct obj *server = record_leg(inquiry->root, true);
    if (leaf != NULL && obj_str_is(server, F_LEG_LEAF_SHA256, leaf) &&
        obj_num(leg, F_LEG_CERTIFICATE_CHAIN) == obj_num(server, F_LEG_CERTIFICATE_CHAIN)) {
        obj_unset(leg, F_LEG_CERTIFICATE_CHAIN);
    }
}

// ech_keep makes a hello of its own of what the server offered instead. Whoever has no certificate
// for the public name has nothing to offer (RFC 9849 section 6.1.6).
static void ech_keep(struct inquiry *inquiry, const struct obj *experiment,
                     const struct library_facts *library) {
    const struct probe_pick again = probe_pick_of("ech-retry");
    if (obj_str_is(experiment, F_EXPERIMENT_ECH_CONFIG, inquiry->config.ech_from) &&
        obj_str_is(experiment, F_EXPERIMENT_ECH, "rejected") && inquiry->ech_retry.len == 0 &&
        buf_append(&inquiry->ech_retry, library->retry, library->retry_len)) {
        plan_add(&inquiry->plan, &again);
    }
}

// library_write writes what a handshake of the library's has told beside its leg.
static void library_write(struct inquiry *inquiry, struct obj *experiment,
                          const struct probe *probe, const struct exchange *exchange) {
    const struct library_facts *library = exchange_library(exchange);
    if (probe->asks == EXCHANGE_ASKS_PAGE) {
        library_outcome_cert(experiment, library, exchange_head(exchange));
    }
    if (probe->ech != PROBE_ECH_NONE) {
        bool retry = probe->ech == PROBE_ECH_RETRY;
        obj_set_str(experiment, F_EXPERIMENT_ECH_CONFIG,
                    retry ? "retry" : inquiry->config.ech_from);
        library_outcome_ech(experiment, library);
        ech_keep(inquiry, experiment, library);
    }
}

static void on_result(void *ctx, const struct runner_result *result) {
    struct inquiry *inquiry = ctx;
    const struct run *run = &inquiry->runs[result->index];
    const struct plan_entry *entry = &inquiry->plan.entries[run->entry];
    const struct obj *from = exchange_leg(result->exchange);
    const char *outcome = outcome_name(from);
    char name[PROBE_NAME_MAX];
    int64_t ahead;
    probe_name(name, &entry->pick);
    struct obj *experiment = obj_add(inquiry->root, F_RECORD_EXPERIMENTS);
    obj_set_str(experiment, F_EXPERIMENT_PROBE, name);
    factors_write(experiment, &entry->pick);
    obj_set_str(experiment, F_EXPERIMENT_RESULT, outcome);
    if (exchange_date(result->exchange, &ahead)) {
        obj_set_int(experiment, F_EXPERIMENT_CLOCK_OFFSET, ahead);
    }
    if (entry->pick.probe->ttl && result->soft_errnum == EHOSTUNREACH) {
        obj_set_int(experiment, F_EXPERIMENT_EXPIRED, true);
    }
    struct obj *leg = obj_sub(experiment, F_EXPERIMENT_LEG);
    obj_copy(leg, from);
    const struct library_facts *library = exchange_library(result->exchange);
    verify(inquiry, leg, name_checked(inquiry, leg, library));
    if (library != NULL) {
        library_write(inquiry, experiment, entry->pick.probe, result->exchange);
    }
    if (run->entry == 0) {
        address_keep(inquiry, leg);
        if (!obj_has(inquiry->root, F_RECORD_LEG_SERVER)) {
            obj_copy(obj_sub(inquiry->root, F_RECORD_LEG_SERVER), leg);
        }
    }
    chain_drop(inquiry, leg);
    plan_result(&inquiry->plan, run->entry, outcome);
    if (inquiry->config.on_result != NULL) {
        inquiry->config.on_result(inquiry->config.ctx, experiment);
    }
}

// ---- rounds

static const char *dial_address(const struct inquiry *inquiry, const struct inquiry_peer *peer) {
    if (peer == &inquiry->config.peer && inquiry->address[0] != '\0') {
        return inquiry->address;
    }
    return peer->address != NULL ? peer->address : peer->host;
}

// run_begin gives the runner a job of the plan's entry.
static void run_begin(struct inquiry *inquiry, size_t entry) {
    const struct inquiry_config *config = &inquiry->config;
    const struct probe_pick *pick = &inquiry->plan.entries[entry].pick;
    const struct probe *probe = pick->probe;
    const struct probe_material material = material_of(inquiry);
    struct run *run = &inquiry->runs[inquiry->num_runs++];
    bool control =
        probe->target == PROBE_TARGET_CONTROL || probe->target == PROBE_TARGET_OTHER_ADDRESS;
    bool by_parent = config->parent.host != NULL && !probe->direct;
    const struct inquiry_peer *third =
        probe->other == 0 ? &config->control : &config->others[probe->other - 1];
    const struct inquiry_peer *peer = control ? third : &config->peer;
    const struct inquiry_peer *dialled = by_parent ? &config->parent : peer;
    *run = (struct run){.entry = entry};
    struct library_config library = {0};
    hello_draft_init(&run->hello);
    CHECK(probe_make(pick, &material, &run->hello));
    CHECK(probe->sends != EXCHANGE_SENDS_LIBRARY || probe_library(&library, pick, &material));
    const struct runner_job job = {
        .exchange = {.sends = probe->sends,
                     .hello = &run->hello,
                     .of_library = library,
                     .keys = probe->origin == PROBE_ORIGIN_VERBATIM ? NULL : config->keys,
                     .host = peer->host,
                     .port = peer->port,
                     .by_parent = by_parent,
                     .parent_tls = config->parent_tls,
                     .parent_authorization = config->parent_authorization,
                     .finish = probe->finish,
                     .asks = probe->asks,
                     .answer_us = config->answer_us,
                     .total_us = config->total_us},
        .dial_host = probe->resolve ? peer->host : dial_address(inquiry, dialled),
        .dial_port = dialled->port,
        .resolver = probe->resolve ? config->other_resolver : NULL,
        .socket = {.maxseg = probe->maxseg,
                   .ttl = probe_ttl(pick),
                   .poll_us = probe->ttl ? TTL_POLL_US : 0},
    };
    runner_add(inquiry->runner, &job);
}

// base_failure is how the base failed, or NULL, with its alert.
static const char *base_failure(const struct inquiry *inquiry, int *out_alert) {
    const struct plan_entry *base = &inquiry->plan.entries[0];
    *out_alert = -1;
    for (size_t i = 0; i < obj_num(inquiry->root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *leg =
            obj_get(obj_at(inquiry->root, F_RECORD_EXPERIMENTS, i), F_EXPERIMENT_LEG);
        for (size_t j = 0; j < obj_num(leg, F_LEG_ALERTS); j++) {
            int64_t code;
            const struct obj *alert = obj_at(leg, F_LEG_ALERTS, j);
            if (obj_str_is(alert, F_ALERT_FROM, "server") && obj_int(alert, F_ALERT_CODE, &code)) {
                *out_alert = (int)code;
            }
        }
    }
    return base->failed != 0 ? base->failure : NULL;
}

// dates_bad returns whether the server's certificates are out of their time by this clock.
static bool dates_bad(const struct inquiry *inquiry) {
    static const char *const ids[] = {"expired", "not-yet-valid", "issuer-expired",
                                      "issuer-not-yet-valid"};
    const struct obj *leg = record_leg(inquiry->root, true);
    const struct obj *verification = obj_get(leg, F_LEG_VERIFICATION);
    for (size_t i = 0; i < obj_num(verification, F_VERIFICATION_DEFECTS); i++) {
        const struct obj *defect = obj_at(verification, F_VERIFICATION_DEFECTS, i);
        for (size_t j = 0; j < ARRAY_LEN(ids); j++) {
            if (obj_str_is(defect, F_DEFECT_ID, ids[j])) {
                return true;
            }
        }
    }
    return false;
}

// add_given adds the probes of what was given along, which are asked whatever else is: a second
// resolver, a client certificate, a configuration to encrypt to.
static void add_given(struct inquiry *inquiry) {
    static const char *const names[] = {"other-resolver", "with-cert", "without-cert", "ech",
                                        "public-name"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct probe_pick pick = probe_pick_of(names[i]);
        if (strcmp(names[i], "without-cert") != 0 || inquiry->config.shown != NULL) {
            plan_add(&inquiry->plan, &pick);
        }
    }
}

// add_usual adds what is asked without picks.
static void add_usual(struct inquiry *inquiry, const char *failure, int alert) {
    const struct probe_pick library = probe_pick_of("library");
    if (inquiry->config.with_library) {
        plan_add(&inquiry->plan, &library);
    }
    plan_add_usual(&inquiry->plan, failure, alert);
}

static void choose(struct inquiry *inquiry) {
    static const char *const clocks[] = {"time", "own-time", "time2", "time3"};
    int alert;
    const char *failure = base_failure(inquiry, &alert);
    bool reached = failure == NULL || strcmp(failure, "unreachable") != 0;
    for (size_t i = 0; i < inquiry->config.num_picks; i++) {
        plan_add(&inquiry->plan, &inquiry->config.picks[i]);
    }
    add_given(inquiry);
    bool usual = inquiry->config.num_picks == 0 && !inquiry->config.only_base && reached;
    for (size_t i = 0; usual && dates_bad(inquiry) && i < ARRAY_LEN(clocks); i++) {
        const struct probe_pick pick = probe_pick_of(clocks[i]);
        plan_add(&inquiry->plan, &pick);
    }
    if (usual) {
        add_usual(inquiry, failure, alert);
    }
}

static void on_idle(void *ctx) {
    struct inquiry *inquiry = ctx;
    size_t entries[ROUND_MAX], num = 0;
    if (!inquiry->stopped) {
        if (inquiry->plan.round == 1) {
            choose(inquiry);
        }
        num = plan_next(&inquiry->plan, entries, ROUND_MAX);
    }
    if (num == 0) {
        inquiry->config.on_done(inquiry->config.ctx);
        return;
    }
    inquiry->runs = xrealloc(inquiry->runs, (inquiry->num_runs + num) * sizeof(*inquiry->runs));
    for (size_t i = 0; i < num; i++) {
        run_begin(inquiry, entries[i]);
    }
}

static bool is_self(void *ctx, const struct address *address) {
    const struct inquiry *inquiry = ctx;
    return inquiry->config.is_self(inquiry->config.is_self_ctx, address);
}

struct inquiry *inquiry_new(const struct inquiry_config *config, struct obj *root) {
    struct inquiry *inquiry = xcalloc(1, sizeof(*inquiry));
    const struct runner_config runner = {
        .loop = config->loop,
        .resolver = config->resolver,
        .parallel = config->parallel,
        .pace_us = config->pace_us,
        .residual_us = config->residual_us,
        .connect_timeout_us = config->connect_us,
        .family = config->family,
        .mark = config->mark,
        .is_self = config->is_self != NULL ? is_self : NULL,
        .on_result = on_result,
        .on_idle = on_idle,
        .ctx = inquiry,
    };
    inquiry->config = *config;
    inquiry->root = root;
    buf_init(&inquiry->ech_retry, ECH_CONFIG_LIST_MAX);
    nonce_make(inquiry->nonce, config->seed);
    plan_init(&inquiry->plan, config->budget, config->repeats, config->seed);
    inquiry->plan.can = can;
    inquiry->plan.ctx = inquiry;
    inquiry->runner = runner_new(&runner);
    runner_stop(inquiry->runner); // it is idle, and says so from the loop
    return inquiry;
}

void inquiry_free(struct inquiry *inquiry) {
    if (inquiry == NULL) {
        return;
    }
    runner_free(inquiry->runner);
    for (size_t i = 0; i < inquiry->num_runs; i++) {
        hello_draft_cleanup(&inquiry->runs[i].hello);
    }
    buf_cleanup(&inquiry->ech_retry);
    free(inquiry->runs);
    free(inquiry);
}

void inquiry_stop(struct inquiry *inquiry) {
    inquiry->stopped = true;
    runner_stop(inquiry->runner);
}

const struct plan *inquiry_plan(const struct inquiry *inquiry) { return &inquiry->plan; }

// library_preview reads a hello of the library's; the one that will be sent differs in what is
// random.
static bool library_preview(struct hello_draft *draft, const struct probe_pick *pick,
                            const struct probe_material *material) {
    static const struct client_flight_sink nobody;
    struct library_config config;
    struct library *library = NULL;
    size_t len;
    bool ok = probe_library(&config, pick, material) &&
              (library = library_new(&config, &nobody, NULL)) != NULL;
    const uint8_t *hello = ok ? library_output(library, &len) : NULL;
    ok = ok && hello_draft_read_wire(draft, NULL, hello, len, NULL);
    library_free(library);
    return ok;
}

static void preview_one(const struct inquiry *inquiry, const struct probe_pick *pick,
                        void (*each)(void *ctx, const struct probe_pick *pick,
                                     const struct hello_draft *hello),
                        void *ctx) {
    const struct probe_material material = material_of(inquiry);
    struct hello_draft draft;
    hello_draft_init(&draft);
    if (probe_make(pick, &material, &draft)) {
        bool hello = pick->probe->sends == EXCHANGE_SENDS_HELLO ||
                     (pick->probe->sends == EXCHANGE_SENDS_LIBRARY &&
                      library_preview(&draft, pick, &material));
        each(ctx, pick, hello ? &draft : NULL);
    }
    hello_draft_cleanup(&draft);
}

void inquiry_preview(const struct inquiry_config *config,
                     void (*each)(void *ctx, const struct probe_pick *pick,
                                  const struct hello_draft *hello),
                     void *ctx) {
    struct inquiry inquiry = {.config = *config};
    static const char *const failures[] = {NULL, "reset"};
    nonce_make(inquiry.nonce, config->seed);
    plan_init(&inquiry.plan, config->budget, config->repeats, config->seed);
    inquiry.plan.can = can;
    inquiry.plan.ctx = &inquiry;
    for (size_t i = 0; i < config->num_picks; i++) {
        plan_add(&inquiry.plan, &config->picks[i]);
    }
    add_given(&inquiry);
    for (size_t i = 0; config->num_picks == 0 && !config->only_base && i < ARRAY_LEN(failures);
         i++) {
        add_usual(&inquiry, failures[i], -1);
    }
    for (size_t i = 0; i < inquiry.plan.num; i++) {
        preview_one(&inquiry, &inquiry.plan.entries[i].pick, each, ctx);
    }
}
