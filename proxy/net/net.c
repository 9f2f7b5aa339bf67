#include "proxy/net/net.h"

#include <errno.h>
#include <ifaddrs.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "proxy/net/listen.h"
#include "proxy/net/worker.h"

enum { NUM_SIGNALS = 3 };

struct net {
    struct net_config config;
    struct address *addresses; // as many as config.num_listens
    struct worker *workers[NET_MAX_WORKERS];
    struct worker_env env;
    ev_signal signals[NUM_SIGNALS];
    bool caught_signals;
    atomic_int stopped_by; // -1: nobody yet
};

// What stays free beside the connections: standard streams, listeners, loops, DNS, logs, the CA.
enum { SPARE_DESCRIPTORS = 64, PIPES_MAX = 32 };

// set_ceilings shares the descriptors out: each connection takes two, and goes on taking one while
// it drains; each worker has its pipes.
static void set_ceilings(struct net_config *c) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    c->max_draining = c->max_draining != 0 ? c->max_draining : limit.rlim_cur / 16 + 1;
    size_t pipes = limit.rlim_cur / 64 / c->workers;
    c->max_pipes = c->max_pipes != 0 ? c->max_pipes : pipes < PIPES_MAX ? pipes : PIPES_MAX;
    size_t taken = SPARE_DESCRIPTORS + c->max_draining + c->workers * c->max_pipes * 2;
    if (c->max_connections == 0) {
        c->max_connections = limit.rlim_cur > taken + 2 ? (limit.rlim_cur - taken) / 2 : 1;
    }
}

static void set_defaults(struct net_config *c) {
    c->workers = c->workers != 0 ? c->workers : 1;
    set_ceilings(c);
    c->dns_timeout_us = c->dns_timeout_us != 0 ? c->dns_timeout_us : 10 * 1000 * 1000;
    c->connect_timeout_us = c->connect_timeout_us != 0 ? c->connect_timeout_us : 10 * 1000 * 1000;
    c->attempt_delay_us = c->attempt_delay_us != 0 ? c->attempt_delay_us : 250 * 1000;
    c->drain_us = c->drain_us != 0 ? c->drain_us : 2 * 1000 * 1000;
}

static bool is_self(void *ctx, const struct address *address) { return net_is_self(ctx, address); }

static void on_stopping(void *ctx) {
    struct net *net = ctx;
    if (net->config.on_stopping != NULL) {
        net->config.on_stopping(net->config.ctx, atomic_load(&net->stopped_by));
    }
}

static void close_all(const int *fds, size_t num) {
    for (size_t i = 0; i < num; i++) {
        close(fds[i]);
    }
}

// Opens the sockets of worker `w`: its first worker's decide about the port.
static bool open_listeners(struct net *net, int *fds, unsigned w, struct err *err) {
    bool share = net->config.workers > 1;
    for (size_t i = 0; i < net->config.num_listens; i++) {
        fds[i] =
            w == 0 ? listen_open(&net->addresses[i], err) : listen_again(&net->addresses[i], err);
        if (fds[i] < 0) {
            close_all(fds, i);
            return false;
        }
        if (net->config.transparent) {
            (void)arrival_accept(fds[i]);
        }
        if (w == 0 && share && !listen_share(fds[i], err)) {
            close_all(fds, i + 1);
            return false;
        }
    }
    return true;
}

// ---- signals

static void stop(struct net *net, int signum) {
    int nobody = -1;
    if (atomic_compare_exchange_strong(&net->stopped_by, &nobody, signum)) {
        for (unsigned w = 0; w < net->config.workers; w++) {
            worker_stop(net->workers[w]);
        }
    }
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int revents) {
    (void)loop, (void)revents;
    struct net *net = watcher->data;
    if (watcher->signum != SIGHUP) {
        stop(net, watcher->signum);
    } else if (net->config.on_reload != NULL) {
        net->config.on_reload(net->config.ctx);
    }
}

static void catch_signals(struct net *net) {
    static const int signums[NUM_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < NUM_SIGNALS; i++) {
        ev_signal_init(&net->signals[i], on_signal, signums[i]);
        net->signals[i].data = net;
        ev_signal_start(net->workers[0]->loop, &net->signals[i]);
    }
    net->caught_signals = true;
}

static void release_signals(struct net *net) {
    for (size_t i = 0; i < NUM_SIGNALS; i++) {
        ev_signal_stop(net->workers[0]->loop, &net->signals[i]);
    }
}

// ---- making

struct net *net_new(const struct net_config *config, struct err *err) {
    CHECK(config->num_listens != 0 && config->workers <= NET_MAX_WORKERS);
    struct net *net = xcalloc(1, sizeof(*net));
    net->config = *config;
    set_defaults(&net->config);
    net->env = (struct worker_env){
        .config = &net->config, .is_self = is_self, .on_stopping = on_stopping, .ctx = net};
    atomic_init(&net->stopped_by, -1);
    net->env.loops = config->transparent ? loops_new() : NULL;
    size_t num = config->num_listens;
    net->addresses = xmemdup(config->listens, num * sizeof(*config->listens));
    int *fds = xcalloc(num, sizeof(*fds));
    bool ok = true;
    for (unsigned w = 0; ok && w < net->config.workers; w++) {
        ok = open_listeners(net, fds, w, err);
        if (ok) {
            net->workers[w] = worker_new(&net->env, fds, net->addresses, num, err);
            ok = net->workers[w] != NULL;
        }
    }
    free(fds);
    if (!ok) {
        net_free(net);
        return NULL;
    }
    // From here on, not only in net_run: whoever was told of the addresses may stop us at once.
    if (net->config.catch_signals) {
        catch_signals(net);
    }
    return net;
}

void net_free(struct net *net) {
    if (net == NULL) {
        return;
    }
    if (net->caught_signals) {
        release_signals(net);
    }
    for (unsigned w = 0; w < net->config.workers; w++) {
        worker_free(net->workers[w]);
    }
    loops_free(net->env.loops);
    free(net->addresses);
    free(net);
}

size_t net_num_addresses(const struct net *net) { return net->config.num_listens; }

const struct address *net_address(const struct net *net, size_t i) {
    CHECK(i < net->config.num_listens);
    return &net->addresses[i];
}

// The addresses of the interfaces come and go, so they are asked for each time; but only for a port
// that is listened on everywhere.
static bool is_ours(const struct address *address) {
    struct ifaddrs *all = NULL;
    bool found = address_is_loopback(address) || address_is_any(address);
    if (!found && getifaddrs(&all) != 0) {
        return false;
    }
    for (struct ifaddrs *i = all; !found && i != NULL; i = i->ifa_next) {
        int family = i->ifa_addr != NULL ? i->ifa_addr->sa_family : AF_UNSPEC;
        struct address own;
        if (family == AF_INET || family == AF_INET6) {
            address_from_sockaddr(&own, i->ifa_addr);
            found = address_same_ip(&own, address);
        }
    }
    freeifaddrs(all);
    return found;
}

// Connecting to 0.0.0.0 or :: is connecting to this host's loopback address.
static bool reaches(const struct address *listen, const struct address *address) {
    if (address_is_any(listen)) {
        return (address_is_ipv4(address) || !address_is_ipv4(listen)) && is_ours(address);
    }
    return address_same_ip(listen, address) ||
           (address_is_any(address) && address_is_loopback(listen));
}

bool net_is_self(const struct net *net, const struct address *address) {
    for (size_t i = 0; i < net->config.num_listens; i++) {
        if (net->addresses[i].port == address->port && reaches(&net->addresses[i], address)) {
            return true;
        }
    }
    return false;
}

void net_counts_read(const struct net *net, struct net_counts *out) {
    *out = (struct net_counts){0};
    for (unsigned w = 0; w < net->config.workers; w++) {
        const struct net_counts *counts = &net->workers[w]->counts;
        out->accepted += counts->accepted;
        out->most_at_once += counts->most_at_once;
        out->paused_ceiling += counts->paused_ceiling;
        out->paused_resources += counts->paused_resources;
        out->accept_failures += counts->accept_failures;
    }
}

// ---- running

static void *run_worker(void *worker) {
    worker_run(worker);
    return NULL;
}

// Starts all workers but the first; signals stay with the first one's thread.
static bool start_threads(struct net *net, pthread_t *threads, unsigned *num, struct err *err) {
    sigset_t all, before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int errnum = 0;
    for (*num = 0; *num + 1 < net->config.workers && errnum == 0; *num += errnum == 0) {
        errnum = pthread_create(&threads[*num], NULL, run_worker, net->workers[*num + 1]);
    }
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    errno = errnum;
    return errnum == 0 || err_errno(err, "cannot start %u workers", net->config.workers);
}

void net_stop(struct net *net) { stop(net, 0); }

bool net_run(struct net *net, struct err *err) {
    signal(SIGPIPE, SIG_IGN);
    pthread_t threads[NET_MAX_WORKERS];
    unsigned num;
    bool ok = start_threads(net, threads, &num, err);
    if (!ok) {
        net_stop(net);
    }
    worker_run(net->workers[0]);
    for (unsigned i = 0; i < num; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    return ok;
}
