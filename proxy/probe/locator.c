#include "proxy/probe/locator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/probe/feeler.h"
#include "proxy/probe/outcome.h"
#include "proxy/tls/hello_edit.h"

enum {
    FEELERS_MAX = 4,          // at once
    PACE_US = 50 * 1000,      // between two hellos
    SYN_TIMEOUT_US = 1300000, // the kernel repeats a SYN after a second
    DATAGRAM_TIMEOUT_US = 1000000,
    POLL_US = 5 * 1000,
    GRACE_MIN_US = 60 * 1000, // routers are slower to speak than boxes
    WAIT_MIN_US = 600 * 1000,
    NAME_MAX_SIZE = 256,
};

struct touch {
    struct locator *locator;
    struct locate_try made;
    struct feeler *feeler; // NULL: free
    bool over;
};

struct locator {
    struct locator_config config;
    struct locate locate;
    struct address address;
    char control_name[NAME_MAX_SIZE];
    struct hello_draft control;
    struct locate_try tries[LOCATE_ROUND_MAX];
    size_t num_tries, next, num_told, first_job; // of this round
    struct touch touches[FEELERS_MAX];
    struct runner *runner;
    ev_timer settle; // fed with EV_CUSTOM
    int64_t rtt_us;  // the smallest of a handshake; below 0: unknown
    int next_hop;    // to be told to on_hop
    bool stopped;
};

static bool is_hello(const struct locate_try *made) {
    return made->what == LOCATE_TARGET || made->what == LOCATE_CONTROL;
}

static void settle(struct locator *locator) {
    ev_feed_event(locator->config.inquiry->loop, &locator->settle, EV_CUSTOM);
}

static void tell(struct locator *locator, const struct locate_try *made,
                 const struct locate_seen *seen) {
    locate_tell(&locator->locate, made, seen);
    locator->num_told++;
    settle(locator);
}

// ---- SYNs and datagrams

static void on_feeler(void *ctx, const struct feeler_result *result) {
    static const enum locate_fate fates[] = {
        [FEELER_SILENT] = LOCATE_LOST,      [FEELER_EXPIRED] = LOCATE_EXPIRED,
        [FEELER_REACHED] = LOCATE_ACCEPTED, [FEELER_REFUSED] = LOCATE_RESET,
        [FEELER_FAILED] = LOCATE_UNKNOWN,
    };
    struct touch *touch = ctx;
    touch->over = true;
    tell(touch->locator, &touch->made,
         &(struct locate_seen){.fate = fates[result->fate],
                               .router = result->router[0] != '\0' ? result->router : NULL,
                               .us = result->us});
}

static void feel(struct touch *touch, const struct locate_try *made) {
    struct locator *locator = touch->locator;
    bool datagram = made->what == LOCATE_DATAGRAM;
    const struct feeler_config config = {
        .loop = locator->config.inquiry->loop,
        .address = locator->address,
        .ttl = made->ttl,
        .datagram = datagram,
        .timeout_us = datagram ? DATAGRAM_TIMEOUT_US : SYN_TIMEOUT_US,
        .mark = locator->config.inquiry->mark,
        .on_done = on_feeler,
        .ctx = touch,
    };
    touch->made = *made;
    touch->over = false;
    touch->feeler = feeler_new(&config);
}

static void feel_some(struct locator *locator) {
    for (size_t i = 0; i < FEELERS_MAX; i++) {
        struct touch *touch = &locator->touches[i];
        if (touch->feeler != NULL && touch->over) {
            feeler_free(touch->feeler);
            touch->feeler = NULL;
        }
        if (touch->feeler == NULL && locator->next < locator->num_tries) {
            feel(touch, &locator->tries[locator->next++]);
        }
    }
}

// ---- hellos

static enum locate_fate fate_of(const struct runner_result *result) {
    static const struct {
        const char *outcome;
        enum locate_fate fate;
    } rows[] = {
        {"answered", LOCATE_ANSWERED}, {"broken-off", LOCATE_ANSWERED}, {"alert", LOCATE_ALERT},
        {"reset", LOCATE_RESET},       {"closed", LOCATE_CLOSED},       {"not-tls", LOCATE_NOT_TLS},
    };
    const struct obj *leg = exchange_leg(result->exchange);
    const char *outcome = outcome_name(leg);
    int64_t outq;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(outcome, rows[i].outcome) == 0) {
            return rows[i].fate;
        }
    }
    if (strcmp(outcome, "unreachable") == 0 || !obj_int(leg, F_LEG_OUTQ, &outq)) {
        return LOCATE_UNKNOWN;
    }
    return outq == 0                             ? LOCATE_ACKED
           : result->soft_errnum == EHOSTUNREACH ? LOCATE_EXPIRED
                                                 : LOCATE_LOST;
}

// took is how long after the hello the leg ended, or was answered, or a router spoke.
static int64_t took(const struct runner_result *result, enum locate_fate fate) {
    const struct obj *leg = exchange_leg(result->exchange);
    int64_t hello, end;
    if (!obj_int(leg, F_LEG_MS_HELLO, &hello)) {
        return -1;
    }
    if (fate == LOCATE_EXPIRED) {
        return result->soft_us - hello;
    }
    if (!obj_int(leg, F_LEG_MS_ANSWER, &end) && !obj_int(leg, F_LEG_MS_END, &end)) {
        return -1;
    }
    return end - hello;
}

static void on_result(void *ctx, const struct runner_result *result) {
    struct locator *locator = ctx;
    const struct locate_try *made = &locator->tries[result->index - locator->first_job];
    const struct obj *leg = exchange_leg(result->exchange);
    enum locate_fate fate = fate_of(result);
    int64_t rtt;
    if (obj_int(leg, F_LEG_MIN_RTT, &rtt) && (locator->rtt_us < 0 || rtt < locator->rtt_us)) {
        locator->rtt_us = rtt;
    }
    tell(locator, made, &(struct locate_seen){.fate = fate, .us = took(result, fate)});
}

static void on_idle(void *ctx) { settle(ctx); }

// job_add sends a hello: with its TTL lowered it is not waited for as long as otherwise.
static void job_add(struct locator *locator, const struct locate_try *made) {
    const struct inquiry_config *inquiry = locator->config.inquiry;
    int64_t grace = 2 * locator->rtt_us, wait = 4 * locator->rtt_us;
    grace = grace > GRACE_MIN_US ? grace : GRACE_MIN_US;
    wait = wait > WAIT_MIN_US ? wait : WAIT_MIN_US;
    bool limited = made->ttl != 0;
    const struct runner_job job = {
        .exchange = {.sends = EXCHANGE_SENDS_HELLO,
                     .hello = made->what == LOCATE_TARGET ? inquiry->asked : &locator->control,
                     .keys = inquiry->keys,
                     .host = inquiry->peer.host,
                     .port = inquiry->peer.port,
                     .answer_us = limited ? wait : inquiry->answer_us,
                     .total_us = inquiry->total_us},
        .dial_host = locator->config.address,
        .dial_port = inquiry->peer.port,
        .socket = {.ttl = made->ttl,
                   .poll_us = limited ? POLL_US : 0,
                   .grace_us = limited ? grace : 0},
    };
    runner_add(locator->runner, &job);
}

// ---- rounds

static void hops_tell(struct locator *locator) {
    const struct locate *locate = &locator->locate;
    while (locator->next_hop < locate_server(locate) && locate_tried(locate, locator->next_hop)) {
        if (locator->config.on_hop != NULL) {
            locator->config.on_hop(locator->config.ctx, locate, locator->next_hop);
        }
        locator->next_hop++;
    }
}

static void round_begin(struct locator *locator) {
    locator->first_job +=
        locator->num_tries != 0 && is_hello(&locator->tries[0]) ? locator->num_tries : 0;
    locator->num_tries = locate_next(&locator->locate, locator->tries);
    locator->next = locator->num_told = 0;
    if (locator->num_tries != 0 && is_hello(&locator->tries[0])) {
        for (size_t i = 0; i < locator->num_tries; i++) {
            job_add(locator, &locator->tries[i]);
        }
        locator->next = locator->num_tries;
    }
}

static void on_settle(struct ev_loop *loop, ev_timer *watcher, int revents) {
    (void)loop, (void)revents;
    struct locator *locator = watcher->data;
    hops_tell(locator);
    if (!locator->stopped && locator->num_told == locator->num_tries) {
        round_begin(locator);
    }
    if (locator->stopped || locator->num_tries == 0) {
        locator->config.on_done(locator->config.ctx);
        return;
    }
    feel_some(locator);
}

static bool is_self(void *ctx, const struct address *address) {
    const struct inquiry_config *inquiry = ((struct locator *)ctx)->config.inquiry;
    return inquiry->is_self != NULL && inquiry->is_self(inquiry->is_self_ctx, address);
}

static void control_make(struct locator *locator) {
    const struct inquiry_config *inquiry = locator->config.inquiry;
    const char *name = inquiry->server_name;
    bool has = name != NULL && strlen(name) < NAME_MAX_SIZE;
    hello_draft_init(&locator->control);
    if (has) {
        locate_other_name(locator->control_name, name, inquiry->seed);
        hello_draft_copy(&locator->control, inquiry->asked);
        hello_edit_sni(&locator->control, locator->control_name);
    }
    locate_init(&locator->locate, has && strcmp(locator->control_name, name) != 0);
}

struct locator *locator_new(const struct locator_config *config) {
    const struct inquiry_config *inquiry = config->inquiry;
    struct locator *locator = xcalloc(1, sizeof(*locator));
    const struct runner_config runner = {
        .loop = inquiry->loop,
        .resolver = inquiry->resolver,
        .parallel = RUNNER_PARALLEL_MAX,
        .pace_us = PACE_US,
        .connect_timeout_us = inquiry->connect_us,
        .mark = inquiry->mark,
        .is_self = is_self,
        .on_result = on_result,
        .on_idle = on_idle,
        .ctx = locator,
    };
    locator->config = *config;
    if (!address_parse(&locator->address, config->address)) {
        free(locator);
        return NULL;
    }
    locator->address.port = inquiry->peer.port;
    locator->rtt_us = -1;
    locator->next_hop = 1;
    control_make(locator);
    for (size_t i = 0; i < FEELERS_MAX; i++) {
        locator->touches[i].locator = locator;
    }
    locator->runner = runner_new(&runner);
    ev_init(&locator->settle, on_settle);
    locator->settle.data = locator;
    settle(locator);
    return locator;
}

void locator_free(struct locator *locator) {
    if (locator == NULL) {
        return;
    }
    ev_timer_stop(locator->config.inquiry->loop, &locator->settle);
    for (size_t i = 0; i < FEELERS_MAX; i++) {
        feeler_free(locator->touches[i].feeler);
    }
    runner_free(locator->runner);
    hello_draft_cleanup(&locator->control);
    free(locator);
}

void locator_stop(struct locator *locator) {
    locator->stopped = true;
    settle(locator);
}

void locator_record(const struct locator *locator, struct obj *path) {
    if (locator->locate.has_control) {
        obj_set_str(path, F_PATH_CONTROL_NAME, locator->control_name);
    }
    locate_record(&locator->locate, path);
}
