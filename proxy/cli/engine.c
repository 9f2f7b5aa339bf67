#include "proxy/cli/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "logs/store/log_writer.h"
#include "logs/store/paths.h"
#include "policy/profiles/profile.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/overload.h"
#include "proxy/cli/probe_target.h"
#include "proxy/net/address.h"
#include "proxy/net/arrival.h"
#include "proxy/net/clock.h"
#include "proxy/net/net.h"
#include "proxy/probe/experimenter.h"
#include "proxy/session/shared.h"

enum {
    HOSTS_MAX = 120000, // whose leaves and verifications are remembered
    LEAVES_BYTES = 96 * 1024 * 1024,
    VERIFICATIONS_BYTES = 96 * 1024 * 1024,
    PATH_TEXT_MAX = 4096,
    OVERLOAD_TEXT_MAX = 1024,
};

struct engine {
    struct engine_options options;
    struct ca_folder ca; // of the CA that clients trust
    char *boxes;         // where emulated boxes have theirs
    char *log_file;
    char address[ADDRESS_TEXT_SIZE];
    struct authority *authority;
    struct mint *mint;
    struct leaf_cache *leaves;
    struct verify_cache *verifications;
    struct history *history;
    struct policy *policy;
    struct log_writer *log;
    struct net *net;
    struct experimenter *experimenter; // NULL: none are made
    struct probe_target control;
    int keylog_fd;        // -1: no SSLKEYLOGFILE
    pthread_mutex_t lock; // guards `shared` and on_record
    struct session_shared *shared;
};

static void warn(void *ctx, const char *says) {
    (void)ctx;
    fprintf(stderr, "tlsblame: warning: %s\n", says);
}

// keylog writes a line of the NSS key log in one piece, so that processes can share the file.
static void keylog(void *ctx, const char *line) {
    const struct engine *engine = ctx;
    char text[512];
    int len = snprintf(text, sizeof(text), "%s\n", line);
    if (len > 0 && (size_t)len < sizeof(text)) {
        (void)!write(engine->keylog_fd, text, (size_t)len);
    }
}

// limits_make lets the user's timeout take the place of those for a peer that keeps us waiting.
static struct limits limits_make(int64_t timeout_us) {
    struct limits limits = limits_default;
    if (timeout_us != 0) {
        limits.front_us = limits.handshake_us = timeout_us;
    }
    return limits;
}

static struct session_shared *shared_make(struct engine *engine, struct policy *policy,
                                          struct err *err) {
    const struct limits limits = limits_make(engine->options.timeout_us);
    bool kept = false, known = clock_kept(&kept);
    const struct shared_config config = {
        .limits = &limits,
        .policy = policy,
        .authority = engine->authority,
        .leaves = engine->leaves,
        .verifications = engine->verifications,
        .history = engine->history,
        .trust = engine->options.trust,
        .num_trust = engine->options.num_trust,
        .crls = engine->options.crls,
        .num_crls = engine->options.num_crls,
        .parent = engine->options.parent,
        .tries = engine->shared != NULL ? engine->shared->tries : NULL,
        .as = engine->options.as,
        .boxes = engine->boxes,
        .now = time(NULL),
        .clock_known = known,
        .clock_kept = kept,
        .seed = engine->options.seed,
        .address = engine->address[0] != '\0' ? engine->address : NULL,
        .keylog = engine->keylog_fd >= 0 ? keylog : NULL,
        .keylog_ctx = engine,
    };
    return shared_new(&config, err);
}

static struct policy *policy_open(const struct engine *engine, struct err *err) {
    return policy_load_over(engine->options.policy, engine->options.policy_over, err);
}

static struct session_shared *on_shared_ref(void *ctx) {
    struct engine *engine = ctx;
    pthread_mutex_lock(&engine->lock);
    struct session_shared *shared = shared_ref(engine->shared);
    pthread_mutex_unlock(&engine->lock);
    return shared;
}

static void on_shared_unref(void *ctx, struct session_shared *shared) {
    (void)ctx;
    shared_unref(shared);
}

static void record_tell(struct engine *engine, const struct obj *root) {
    if (engine->options.on_record != NULL) {
        pthread_mutex_lock(&engine->lock);
        engine->options.on_record(engine->options.ctx, root);
        pthread_mutex_unlock(&engine->lock);
    }
}

// on_record writes a record at once; one that is experimented with comes again.
static void on_record(void *ctx, const struct obj *root, bool final) {
    struct engine *engine = ctx;
    (void)log_writer_put(engine->log, root);
    bool later = final && engine->experimenter != NULL &&
                 !obj_has(root, F_RECORD_EMULATION_PROFILE) &&
                 experimenter_offer(engine->experimenter, root);
    if (final && !later) {
        record_tell(engine, root);
    }
}

static void on_experimented(void *ctx, const struct obj *root) {
    struct engine *engine = ctx;
    (void)log_writer_put(engine->log, root);
    record_tell(engine, root);
}

static bool trusts_parent(void *ctx, const CBS *chain, size_t num_chain) {
    struct session_shared *shared = on_shared_ref(ctx);
    char says[8];
    bool ok = shared_trusts_parent(shared, chain, num_chain, time(NULL), says, sizeof(says));
    shared_unref(shared);
    return ok;
}

static bool is_self(void *ctx, const struct address *address) {
    return net_is_self(((const struct engine *)ctx)->net, address);
}

// on_reload brings the policy and the log up to date. A policy that cannot be read leaves the old
// one in force; connections keep what they began with.
static void on_reload(void *ctx) {
    struct engine *engine = ctx;
    struct err err;
    log_writer_reopen(engine->log);
    struct policy *policy = policy_open(engine, &err);
    struct session_shared *shared = policy == NULL ? NULL : shared_make(engine, policy, &err);
    policy_unref(policy);
    if (shared == NULL) {
        fprintf(stderr, "tlsblame: reload: %s; the policy stays as it was\n", err.msg);
        return;
    }
    pthread_mutex_lock(&engine->lock);
    struct session_shared *old = engine->shared;
    engine->shared = shared;
    pthread_mutex_unlock(&engine->lock);
    shared_unref(old);
    fprintf(stderr, "tlsblame: reloaded the policy and reopened the log\n");
}

static uint64_t history_seed(void) {
    uint64_t seed;
    CHECK(getrandom(&seed, sizeof(seed), 0) == sizeof(seed));
    return seed;
}

static bool open_ca(struct engine *engine, struct err *err) {
    int64_t now = time(NULL);
    if (!ca_folder_init(&engine->ca, engine->options.ca_dir, err)) {
        return false;
    }
    engine->authority = authority_open(engine->ca.dir, now, err);
    if (engine->authority == NULL) {
        return false;
    }
    engine->mint = mint_new(engine->authority, now);
    mint_keep(engine->mint, engine->ca.dir, warn, engine);
    engine->boxes = ca_folder_of_profile(&engine->ca, "");
    if (engine->options.as != NULL && engine->options.as->cert.ca.subject.num != 0) {
        char *dir = ca_folder_of_profile(&engine->ca, engine->options.as->name);
        ca_folder_cleanup(&engine->ca);
        bool ok = ca_folder_init(&engine->ca, dir, err);
        free(dir);
        if (!ok) {
            return false;
        }
    }
    engine->leaves = leaf_cache_new(engine->mint, HOSTS_MAX, LEAVES_BYTES);
    engine->verifications = verify_cache_new(HOSTS_MAX, VERIFICATIONS_BYTES);
    engine->history = history_new(history_seed());
    return true;
}

static bool open_log(struct engine *engine, struct err *err) {
    const char *path = engine->options.log;
    engine->log_file = path != NULL ? xstrdup(path) : paths_state("log.ndjson", err);
    if (engine->log_file == NULL || !paths_make_parent(engine->log_file, err)) {
        return false;
    }
    const struct log_writer_options options = {.path = engine->log_file,
                                               .max_file = engine->options.log_size,
                                               .max_files = engine->options.log_keep,
                                               .warn = warn};
    engine->log = log_writer_open(&options, err);
    return engine->log != NULL;
}

static bool open_keylog(struct engine *engine, struct err *err) {
    const char *path = getenv("SSLKEYLOGFILE");
    if (path == NULL || *path == '\0') {
        return true;
    }
    engine->keylog_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return engine->keylog_fd >= 0 || err_errno(err, "cannot open SSLKEYLOGFILE %s", path);
}

static unsigned num_cores(void) {
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof(cores), &cores) != 0) {
        return 1;
    }
    int num = CPU_COUNT(&cores);
    return num < NET_MAX_WORKERS ? (unsigned)num : NET_MAX_WORKERS;
}

// descriptors_raise takes as many descriptors as the process may have: each connection needs two.
static void descriptors_raise(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool open_net(struct engine *engine, struct err *err) {
    const struct net_config config = {
        .listens = engine->options.listens,
        .num_listens = engine->options.num_listens,
        .workers = engine->options.workers != 0 ? engine->options.workers : num_cores(),
        .max_connections = engine->options.max_connections,
        .dns_timeout_us = engine->options.timeout_us,
        .connect_timeout_us = engine->options.timeout_us,
        .catch_signals = engine->options.catch_signals,
        .grace_us = engine->options.grace_us,
        .target_host = engine->options.target_host,
        .target_port = engine->options.target_port,
        .transparent = engine->options.transparent,
        .ctx = engine,
        .shared_ref = on_shared_ref,
        .shared_unref = on_shared_unref,
        .on_record = on_record,
        .on_warning = warn,
        .on_reload = on_reload,
    };
    descriptors_raise();
    engine->net = net_new(&config, err);
    return engine->net != NULL;
}

static bool open_experimenter(struct engine *engine, struct err *err) {
    const struct engine_options *options = &engine->options;
    const struct experimenter_config config = {
        .when = options->experiments_always ? EXPERIMENTER_ALWAYS : EXPERIMENTER_ON_FAILURE,
        .control = {options->control != NULL ? engine->control.host : NULL, engine->control.port,
                    NULL},
        .parent = options->parent,
        .trusts_parent = trusts_parent,
        .mark = options->transparent ? ARRIVAL_MARK : 0,
        .trust = (const char *const *)options->trust,
        .num_trust = options->num_trust,
        .answer_us = options->timeout_us,
        .is_self = is_self,
        .on_record = on_experimented,
        .ctx = engine,
    };
    // They would not meet the box that we are ourselves, and a firewall might bring them back.
    if (!options->experiments || options->as != NULL || options->transparent) {
        return true;
    }
    engine->experimenter = experimenter_new(&config, err);
    return engine->experimenter != NULL;
}

struct engine *engine_new(const struct engine_options *options, int *out_status, struct err *err) {
    struct engine *engine = xcalloc(1, sizeof(*engine));
    engine->options = *options;
    engine->keylog_fd = -1;
    pthread_mutex_init(&engine->lock, NULL);
    *out_status = EXIT_USAGE;
    engine->policy = policy_open(engine, err);
    if (engine->policy == NULL ||
        (options->control != NULL &&
         !probe_target_parse(&engine->control, options->control, 443, err))) {
        engine_free(engine);
        return NULL;
    }
    *out_status = EXIT_ENVIRONMENT;
    if (!open_net(engine, err) || !open_ca(engine, err) || !open_log(engine, err) ||
        !open_keylog(engine, err) || !open_experimenter(engine, err)) {
        engine_free(engine);
        return NULL;
    }
    const struct address *first = net_address(engine->net, 0);
    if (!address_is_any(first)) {
        address_text(engine->address, first);
    }
    *out_status = EXIT_USAGE;
    engine->shared = shared_make(engine, engine->policy, err);
    if (engine->shared == NULL) {
        engine_free(engine);
        return NULL;
    }
    return engine;
}

bool engine_write_bundles(const struct engine *engine, struct err *err) {
    const char *roots = trust_source(engine->shared->trusts[0]);
    return ca_folder_write_bundles(&engine->ca, shared_root(engine->shared), roots, err);
}

static void *prepare_rsa(void *mint) {
    mint_prepare(mint, CERT_KEY_RSA_2048);
    return NULL;
}

// overload_tell says what was too much, after the last record is written.
static void overload_tell(const struct engine *engine, const struct log_writer_counts *log) {
    struct net_counts net;
    struct buf says;
    buf_init(&says, OVERLOAD_TEXT_MAX);
    net_counts_read(engine->net, &net);
    overload_write(&says, &net, log);
    if (says.len != 0) {
        fprintf(stderr, "tlsblame: %.*s\n", (int)says.len, (const char *)buf_data(&says));
    }
    buf_cleanup(&says);
}

bool engine_run(struct engine *engine, struct err *err) {
    // Most clients never need RSA keys, and at the first start making them takes longer than all
    // else.
    pthread_t rsa;
    sigset_t all, before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    bool preparing =
        engine->options.prepare && pthread_create(&rsa, NULL, prepare_rsa, engine->mint) == 0;
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    bool ok = net_run(engine->net, err);
    if (preparing) {
        CHECK(pthread_join(rsa, NULL) == 0);
    }
    experimenter_free(engine->experimenter, engine->options.experiments_wait_us);
    engine->experimenter = NULL;
    log_writer_flush(engine->log);
    struct log_writer_counts log = log_writer_counts(engine->log);
    overload_tell(engine, &log);
    return ok;
}

void engine_stop(struct engine *engine) { net_stop(engine->net); }

void engine_free(struct engine *engine) {
    if (engine == NULL) {
        return;
    }
    experimenter_free(engine->experimenter, 0);
    net_free(engine->net);
    log_writer_close(engine->log);
    shared_unref(engine->shared);
    policy_unref(engine->policy);
    leaf_cache_free(engine->leaves);
    verify_cache_free(engine->verifications);
    history_free(engine->history);
    mint_free(engine->mint);
    authority_free(engine->authority);
    if (engine->keylog_fd >= 0) {
        close(engine->keylog_fd);
    }
    pthread_mutex_destroy(&engine->lock);
    ca_folder_cleanup(&engine->ca);
    free(engine->boxes);
    free(engine->log_file);
    free(engine);
}

size_t engine_num_addresses(const struct engine *engine) { return net_num_addresses(engine->net); }

const struct address *engine_address(const struct engine *engine, size_t i) {
    return net_address(engine->net, i);
}

const struct ca_folder *engine_ca(const struct engine *engine) { return &engine->ca; }

const char *engine_log_file(const struct engine *engine) { return engine->log_file; }
