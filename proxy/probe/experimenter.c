#include "proxy/probe/experimenter.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/verdict/verdict.h"
#include "proxy/net/clock.h"
#include "proxy/probe/chain_proof.h"

enum {
    ANSWER_US = 3 * 1000 * 1000,
    ANSWER_DUE_US = 2 * 1000 * 1000, // before that a client may leave for reasons of its own
    PACE_US = 100 * 1000,
    RESIDUAL_US = 250 * 1000,
    DNS_US = 3 * 1000 * 1000,
    HOST_MAX = 256,
    REPEATS = 2,
};

// struct round is what is found out for one record: first what its chain lacks, then, where that
// does not settle it, by experiments.
struct round {
    struct experimenter *experimenter;
    struct record *record; // NULL: the slot is free
    struct hello_keys *keys;
    struct hello_draft asked, client;
    bool has_client;
    struct chain_proof *proof; // one of these two is under way
    struct inquiry *inquiry;
    unsigned num_fetches;
};

struct seen {
    char host[HOST_MAX];
    uint16_t port;
    int64_t until_us; // it is not asked again before that
};

struct experimenter {
    struct experimenter_config config;
    struct ev_loop *loop;
    struct resolver *resolver;
    struct parent_tls *parent_tls; // NULL: there is no https:// parent
    struct trust *trust;           // made when it is first needed
    bool trust_tried;
    ev_async wake;
    struct round rounds[EXPERIMENTER_ROUNDS];
    bool stopping_rounds; // those under way are being ended
    pthread_t thread;
    pthread_mutex_t lock; // guards what follows
    pthread_cond_t idle;
    struct record *queue[EXPERIMENTER_QUEUE_MAX];
    size_t num_queued, num_running;
    struct seen seen[EXPERIMENTER_HOSTS];
    bool closed; // nothing is taken any more
    bool stop;   // what is under way is to be ended, and the thread to leave
};

// ---- what is worth it

// hello_leg returns the leg with the hello that failed: in a tunnel the client's own went on.
static const struct obj *hello_leg(const struct obj *root) {
    return record_leg(root, !obj_str_is(root, F_RECORD_MODE, "tunnel"));
}

static bool untrusted(const struct obj *leg) {
    return obj_is(obj_get(leg, F_LEG_VERIFICATION), F_VERIFICATION_OK, false);
}

// waited_in_vain returns whether the client left a server that had long had the time to answer.
static bool waited_in_vain(const struct obj *leg) {
    int64_t hello, end;
    return obj_str_is(leg, F_LEG_END_AT, "hello") && obj_int(leg, F_LEG_MS_HELLO, &hello) &&
           obj_int(leg, F_LEG_MS_END, &end) && end - hello >= ANSWER_DUE_US;
}

// failed_there returns whether the server's leg failed: before its handshake was complete, or by
// its certificate.
static bool failed_there(const struct obj *root, const struct obj *leg) {
    bool left = obj_str_is(leg, F_LEG_END_BY, "client") && !waited_in_vain(leg);
    return record_failed(root) &&
           (untrusted(leg) || (!obj_is(leg, F_LEG_TLS_ESTABLISHED, true) && !left));
}

static bool is_certain(const struct obj *root) {
    return obj_str_is(obj_get(root, F_RECORD_VERDICT), F_VERDICT_CONFIDENCE, "certain");
}

static bool fetches(const struct obj *root) {
    return chain_proof_wants(record_leg(root, true), obj_is(root, F_RECORD_POLICY_FETCH_AIA, true),
                             obj_is(root, F_RECORD_POLICY_FETCH_CRL, true));
}

// experiments returns whether hellos may tell more about a record.
static bool experiments(enum experimenter_when when, const struct obj *root) {
    return when == EXPERIMENTER_ALWAYS || failed_there(root, hello_leg(root));
}

bool experimenter_wants(enum experimenter_when when, const struct obj *root) {
    bool tls =
        obj_str_is(root, F_RECORD_MODE, "intercept") || obj_str_is(root, F_RECORD_MODE, "tunnel");
    if (!tls || obj_is(root, F_RECORD_POLICY_EXPERIMENTS, false) ||
        obj_has(root, F_RECORD_PARENT_FAILURE) || !obj_has(hello_leg(root), F_LEG_OFFER_RAW) ||
        !obj_has(record_leg(root, true), F_LEG_ADDRESS) || !obj_has(root, F_RECORD_HOST)) {
        return false;
    }
    return when == EXPERIMENTER_ALWAYS ||
           (record_failed(root) && !is_certain(root) && (experiments(when, root) || fetches(root)));
}

// host_take returns whether the host was not asked lately, and remembers that it is now.
static bool host_take(struct experimenter *e, const struct obj *root) {
    const char *host = obj_str(root, F_RECORD_HOST);
    int64_t port = 0, now = clock_mono_us();
    struct seen *oldest = &e->seen[0];
    (void)obj_int(root, F_RECORD_PORT, &port);
    for (size_t i = 0; i < EXPERIMENTER_HOSTS; i++) {
        struct seen *seen = &e->seen[i];
        if (seen->until_us > now && seen->port == port && strcmp(seen->host, host) == 0) {
            return false;
        }
        oldest = seen->until_us < oldest->until_us ? seen : oldest;
    }
    if (strlen(host) >= sizeof(oldest->host)) {
        return false;
    }
    strcpy(oldest->host, host);
    oldest->port = (uint16_t)port;
    oldest->until_us = now + (int64_t)EXPERIMENTER_PAUSE_S * 1000 * 1000;
    return true;
}

bool experimenter_offer(struct experimenter *e, const struct obj *root) {
    if (!experimenter_wants(e->config.when, root)) {
        return false;
    }
    pthread_mutex_lock(&e->lock);
    bool take = !e->closed && e->num_queued < EXPERIMENTER_QUEUE_MAX && host_take(e, root);
    if (take) {
        struct record *record = record_new();
        obj_copy(record->root, root);
        e->queue[e->num_queued++] = record;
    }
    pthread_mutex_unlock(&e->lock);
    if (take) {
        ev_async_send(e->loop, &e->wake);
    }
    return take;
}

// ---- rounds, in the thread

static void record_tell(struct experimenter *e, struct record *record) {
    verdict_decide(record->root);
    e->config.on_record(e->config.ctx, record->root);
    record_free(record);
}

static void round_free(struct round *round) {
    chain_proof_free(round->proof);
    inquiry_free(round->inquiry);
    hello_draft_cleanup(&round->asked);
    hello_draft_cleanup(&round->client);
    hello_keys_free(round->keys);
    *round = (struct round){0};
}

static void running_less(struct experimenter *e) {
    pthread_mutex_lock(&e->lock);
    e->num_running--;
    if (e->num_queued + e->num_running == 0) {
        pthread_cond_broadcast(&e->idle);
    }
    pthread_mutex_unlock(&e->lock);
}

static void round_end(struct round *round) {
    struct experimenter *e = round->experimenter;
    struct record *record = round->record;
    round_free(round);
    record_tell(e, record);
    running_less(e);
    ev_async_send(e->loop, &e->wake); // for the next, or to leave
}

static void on_done(void *ctx) { round_end(ctx); }

static const struct trust *trust_of(struct experimenter *e) {
    struct err err;
    if (!e->trust_tried) {
        e->trust_tried = true;
        e->trust = trust_new(NULL, (const char *const *)e->config.trust, e->config.num_trust, &err);
    }
    return e->trust;
}

static int64_t answer_limit(const struct experimenter *e) {
    int64_t us = e->config.answer_us;
    return us != 0 && us < ANSWER_US ? us : ANSWER_US;
}

static bool hello_read(struct hello_draft *out, const struct obj *leg) {
    struct span raw = obj_span(leg, F_LEG_OFFER_RAW);
    return raw.p != NULL && hello_draft_read_wire(out, NULL, raw.p, raw.len, NULL);
}

// inquiry_begin returns false where the hello cannot be sent again.
static bool inquiry_begin(struct round *round) {
    struct experimenter *e = round->experimenter;
    struct obj *root = round->record->root;
    const struct obj *leg = record_leg(root, true), *hello = hello_leg(root);
    int64_t port = 443, parent_port = 0;
    int64_t answer_us = answer_limit(e);
    round->keys = hello_keys_new(NULL, NULL);
    hello_draft_init(&round->asked);
    hello_draft_init(&round->client);
    if (!hello_read(&round->asked, hello)) {
        return false;
    }
    hello_keys_swap(round->keys, &round->asked, NULL);
    round->has_client = hello == leg && hello_read(&round->client, record_leg(root, false));
    (void)obj_int(root, F_RECORD_PORT, &port);
    // Experiments go the way of the connection: the leg's address is then the parent's.
    const char *parent = obj_str(root, F_RECORD_PARENT_HOST);
    (void)obj_int(root, F_RECORD_PARENT_PORT, &parent_port);
    struct inquiry_config config = {
        .loop = e->loop,
        .resolver = e->resolver,
        .peer = {obj_str(root, F_RECORD_HOST), (uint16_t)port,
                 parent == NULL ? obj_str(leg, F_LEG_ADDRESS) : NULL},
        .parent = {parent, (uint16_t)parent_port, NULL},
        .parent_tls = e->parent_tls,
        .parent_authorization = e->config.parent != NULL ? e->config.parent->authorization : NULL,
        .direct = true,
        .mark = e->config.mark,
        .control = e->config.control,
        .server_name = obj_str(hello, F_LEG_SERVER_NAME),
        .asked = &round->asked,
        .client = round->has_client ? &round->client : NULL,
        .keys = round->keys,
        .trust = trust_of(e),
        .budget = PLAN_BUDGET_FAILURE - round->num_fetches,
        .repeats = REPEATS,
        .parallel = EXPERIMENTER_PARALLEL,
        .pace_us = PACE_US,
        .residual_us = RESIDUAL_US,
        .connect_us = answer_us,
        .answer_us = answer_us,
        .total_us = 2 * answer_us,
        .is_self = e->config.is_self,
        .is_self_ctx = e->config.ctx,
        .on_done = on_done,
        .ctx = round,
    };
    hello_keys_random(round->keys, (uint8_t *)&config.seed, sizeof(config.seed));
    round->inquiry = inquiry_new(&config, root);
    return true;
}

// inquire goes on with hellos, or ends the round where they would tell nothing more.
static void inquire(struct round *round) {
    const struct obj *root = round->record->root;
    enum experimenter_when when = round->experimenter->config.when;
    bool settled = is_certain(root) && when != EXPERIMENTER_ALWAYS;
    bool stopping = round->experimenter->stopping_rounds;
    if (settled || stopping || !experiments(when, root) || !inquiry_begin(round)) {
        round_end(round);
    }
}

static void on_proved(void *ctx) {
    struct round *round = ctx;
    round->num_fetches = chain_proof_num(round->proof);
    chain_proof_free(round->proof);
    round->proof = NULL;
    verdict_decide(round->record->root);
    inquire(round);
}

static void round_begin(struct round *round) {
    struct experimenter *e = round->experimenter;
    struct obj *root = round->record->root;
    int64_t answer_us = answer_limit(e);
    int64_t parent_port = 0;
    (void)obj_int(root, F_RECORD_PARENT_PORT, &parent_port);
    if (fetches(root)) {
        const struct chain_proof_config config = {
            .fetcher = {.loop = e->loop,
                        .resolver = e->resolver,
                        .fetch = {.total_us = 2 * answer_us,
                                  .parent_tls = e->parent_tls,
                                  .parent_authorization = e->config.parent != NULL
                                                              ? e->config.parent->authorization
                                                              : NULL},
                        .parent_host = obj_str(root, F_RECORD_PARENT_HOST),
                        .parent_port = (uint16_t)parent_port,
                        .connect_us = answer_us,
                        .mark = e->config.mark,
                        .is_self = e->config.is_self,
                        .is_self_ctx = e->config.ctx},
            .trust = trust_of(e),
            .now = clock_wall_ms() / 1000,
            .aia = obj_is(root, F_RECORD_POLICY_FETCH_AIA, true),
            .crl = obj_is(root, F_RECORD_POLICY_FETCH_CRL, true),
            .on_done = on_proved,
            .ctx = round,
        };
        round->proof = chain_proof_new(&config, obj_sub(root, F_RECORD_LEG_SERVER));
    }
    if (round->proof == NULL) {
        inquire(round);
    }
}

static struct record *queue_take(struct experimenter *e) {
    struct record *record = NULL;
    pthread_mutex_lock(&e->lock);
    if (e->num_queued != 0 && !e->stop) {
        record = e->queue[0];
        e->num_queued--;
        memmove(e->queue, e->queue + 1, e->num_queued * sizeof(e->queue[0]));
        e->num_running++;
    }
    pthread_mutex_unlock(&e->lock);
    return record;
}

static void rounds_fill(struct experimenter *e) {
    for (size_t i = 0; i < EXPERIMENTER_ROUNDS; i++) {
        struct round *round = &e->rounds[i];
        struct record *record;
        while (round->record == NULL && (record = queue_take(e)) != NULL) {
            *round = (struct round){.experimenter = e, .record = record};
            round_begin(round);
        }
    }
}

static bool rounds_running(const struct experimenter *e) {
    bool any = false;
    for (size_t i = 0; i < EXPERIMENTER_ROUNDS; i++) {
        any |= e->rounds[i].record != NULL;
    }
    return any;
}

static void on_wake(struct ev_loop *loop, ev_async *async, int revents) {
    (void)loop, (void)revents;
    struct experimenter *e = async->data;
    pthread_mutex_lock(&e->lock);
    bool stop = e->stop;
    pthread_mutex_unlock(&e->lock);
    if (!stop) {
        rounds_fill(e);
        return;
    }
    bool first = !e->stopping_rounds;
    e->stopping_rounds = true;
    for (size_t i = 0; i < EXPERIMENTER_ROUNDS && first; i++) {
        if (e->rounds[i].proof != NULL) {
            chain_proof_stop(e->rounds[i].proof);
        } else if (e->rounds[i].inquiry != NULL) {
            inquiry_stop(e->rounds[i].inquiry);
        }
    }
    if (!rounds_running(e)) {
        ev_break(e->loop, EVBREAK_ALL);
    }
}

static void *run(void *arg) {
    struct experimenter *e = arg;
    ev_run(e->loop, 0);
    return NULL;
}

// ---- life

static void free_all(struct experimenter *e) {
    parent_tls_free(e->parent_tls);
    if (e->resolver != NULL) {
        resolver_free(e->resolver);
    }
    if (e->loop != NULL) {
        ev_async_stop(e->loop, &e->wake);
        ev_loop_destroy(e->loop);
    }
    trust_free(e->trust);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->idle);
    free(e);
}

struct experimenter *experimenter_new(const struct experimenter_config *config, struct err *err) {
    struct experimenter *e = xcalloc(1, sizeof(*e));
    e->config = *config;
    pthread_condattr_t monotonic;
    CHECK(pthread_condattr_init(&monotonic) == 0 &&
          pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_mutex_init(&e->lock, NULL) == 0 && pthread_cond_init(&e->idle, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    e->loop = ev_loop_new(EVFLAG_NOENV);
    if (e->loop == NULL) {
        err_errno(err, "cannot start an event loop");
        free_all(e);
        return NULL;
    }
    if (config->parent != NULL && config->parent->tls) {
        e->parent_tls = parent_tls_new(config->parent->host, config->trusts_parent, config->ctx);
    }
    ev_async_init(&e->wake, on_wake);
    e->wake.data = e;
    ev_async_start(e->loop, &e->wake);
    e->resolver = resolver_new(e->loop, config->dns_servers, DNS_US, err);
    if (e->resolver == NULL) {
        free_all(e);
        return NULL;
    }
    // Signals stay with the thread that catches them.
    sigset_t all, before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int errnum = pthread_create(&e->thread, NULL, run, e);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (errnum != 0) {
        err_set(err, "cannot start a thread: %s", strerror(errnum));
        free_all(e);
        return NULL;
    }
    return e;
}

// wait_idle waits until nothing is under way, or `wait_us` have passed.
static void wait_idle(struct experimenter *e, int64_t wait_us) {
    struct timespec until;
    int64_t due = clock_mono_us() + wait_us;
    until = (struct timespec){due / 1000000, due % 1000000 * 1000};
    while (e->num_queued + e->num_running != 0) {
        if (pthread_cond_timedwait(&e->idle, &e->lock, &until) != 0) {
            return;
        }
    }
}

void experimenter_free(struct experimenter *e, int64_t wait_us) {
    if (e == NULL) {
        return;
    }
    pthread_mutex_lock(&e->lock);
    e->closed = true;
    wait_idle(e, wait_us);
    e->stop = true;
    pthread_mutex_unlock(&e->lock);
    ev_async_send(e->loop, &e->wake);
    CHECK(pthread_join(e->thread, NULL) == 0);
    for (size_t i = 0; i < e->num_queued; i++) {
        record_tell(e, e->queue[i]);
    }
    free_all(e);
}
