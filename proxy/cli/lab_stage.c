#include "proxy/cli/lab_stage.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "logs/base/arena.h"
#include "policy/profiles/profile.h"
#include "proxy/cli/engine.h"
#include "proxy/net/address.h"

enum { RECORD_WAIT_S = 20, TRUST_MAX = 2 };

struct lab_stage {
    struct arena arena;
    struct lab_pki *pki;
    const char *log, *box_log, *parent_log, *ca_dir, *box_ca_dir, *parent_ca_dir;
    char *root; // file of the root that servers chain to
};

// struct part is a proxy in its thread: the one that judges, or an emulated box.
struct part {
    struct engine *engine;
    struct profile *as; // NULL: no box
    struct address listen;
    pthread_t thread;
    struct err err; // why it ended
    bool ok;
};

// struct watch collects the records of the proxy that judges.
struct watch {
    const char *ruled_out; // the cause to look for, or NULL
    pthread_mutex_t lock;
    pthread_cond_t came;
    unsigned num;
    int over; // an eventfd: as many as it counts have come
    struct lab_seen last;
};

struct lab_stage *lab_stage_new(const char *dir, struct err *err) {
    struct lab_stage *stage = xcalloc(1, sizeof(*stage));
    struct arena *arena = &stage->arena;
    stage->pki = lab_pki_new(time(NULL));
    stage->log = arena_printf(arena, "%s/log.ndjson", dir);
    stage->box_log = arena_printf(arena, "%s/box.ndjson", dir);
    stage->ca_dir = arena_printf(arena, "%s/ca", dir);
    stage->box_ca_dir = arena_printf(arena, "%s/box-ca", dir);
    stage->parent_log = arena_printf(arena, "%s/parent.ndjson", dir);
    stage->parent_ca_dir = arena_printf(arena, "%s/parent-ca", dir);
    stage->root = arena_printf(arena, "%s/root.pem", dir);
    if (!lab_pki_write_root(stage->pki, stage->root, err)) {
        lab_stage_free(stage);
        return NULL;
    }
    return stage;
}

void lab_stage_free(struct lab_stage *stage) {
    if (stage == NULL) {
        return;
    }
    lab_pki_free(stage->pki);
    arena_cleanup(&stage->arena);
    free(stage);
}

const char *lab_stage_log(const struct lab_stage *stage) { return stage->log; }

// ---- what was seen

static bool rules_out(const struct obj *verdict, const char *cause) {
    for (size_t i = 0; i < obj_num(verdict, F_VERDICT_RULED_OUT); i++) {
        if (obj_str_is(obj_at(verdict, F_VERDICT_RULED_OUT, i), F_RULED_OUT_CAUSE, cause)) {
            return true;
        }
    }
    return false;
}

static void text_take(char *out, size_t out_size, const struct obj *obj, enum field field) {
    const char *text = obj_str(obj, field);
    snprintf(out, out_size, "%s", text != NULL ? text : "");
}

#define TAKE(out, obj, field) text_take(out, sizeof(out), obj, field)

static void on_record(void *ctx, const struct obj *root) {
    struct watch *watch = ctx;
    const struct obj *verdict = obj_get(root, F_RECORD_VERDICT);
    pthread_mutex_lock(&watch->lock);
    TAKE(watch->last.id, root, F_RECORD_ID);
    TAKE(watch->last.party, verdict, F_VERDICT_PARTY);
    TAKE(watch->last.cause, verdict, F_VERDICT_CAUSE);
    TAKE(watch->last.confidence, verdict, F_VERDICT_CONFIDENCE);
    TAKE(watch->last.says, verdict, F_VERDICT_SAYS);
    watch->last.ruled_out = watch->ruled_out == NULL || rules_out(verdict, watch->ruled_out);
    watch->num++;
    CHECK(eventfd_write(watch->over, 1) == 0);
    pthread_cond_signal(&watch->came);
    pthread_mutex_unlock(&watch->lock);
}

// watch_wait waits for `num` records in all. Where one does not come, none was seen.
static void watch_wait(struct watch *watch, unsigned num) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RECORD_WAIT_S;
    pthread_mutex_lock(&watch->lock);
    while (watch->num < num && pthread_cond_timedwait(&watch->came, &watch->lock, &until) == 0) {
    }
    eventfd_t come;
    if (watch->num >= num) {
        CHECK(eventfd_read(watch->over, &come) == 0);
    } else {
        watch->last = (struct lab_seen){0};
    }
    pthread_mutex_unlock(&watch->lock);
}

bool lab_seen_right(const struct lab_seen *seen, const struct lab_scenario *scenario) {
    return strcmp(seen->party, scenario->party) == 0 && strcmp(seen->cause, scenario->cause) == 0 &&
           seen->ruled_out;
}

// ---- the parts

static void *part_run(void *arg) {
    struct part *part = arg;
    part->ok = engine_run(part->engine, &part->err);
    return NULL;
}

static bool part_start(struct part *part, struct engine_options *options, struct err *err) {
    int status;
    CHECK(address_parse(&part->listen, "127.0.0.1"));
    options->listens = &part->listen;
    options->num_listens = 1;
    options->as = part->as;
    options->workers = 1;
    part->engine = engine_new(options, &status, err);
    if (part->engine == NULL) {
        return false;
    }
    CHECK(pthread_create(&part->thread, NULL, part_run, part) == 0);
    return true;
}

static bool part_stop(struct part *part, struct err *err) {
    bool ok = true;
    if (part->engine != NULL) {
        engine_stop(part->engine);
        CHECK(pthread_join(part->thread, NULL) == 0);
        engine_free(part->engine);
        ok = part->ok || err_set(err, "%s", part->err.msg);
    }
    profile_unref(part->as);
    return ok;
}

static uint16_t part_port(const struct part *part) { return engine_address(part->engine, 0)->port; }

// struct play is a scenario under way.
struct play {
    const struct lab_stage *stage;
    const struct lab_scenario *scenario;
    struct part front, proxy, behind, parent;
    struct parent to_proxy;  // the parent of the box in front
    struct parent to_parent; // that of the proxy
    struct lab_server *server, *other;
    char *trust[TRUST_MAX]; // files: the root of the servers, then the proxy's CA
    struct watch watch;
};

// A box in front is the client's proxy, and the proxy that judges is its parent.
static bool front_start(struct play *play, struct err *err) {
    struct engine_options options = {.ca_dir = play->stage->box_ca_dir,
                                     .log = play->stage->box_log,
                                     .trust = play->trust,
                                     .num_trust = 2,
                                     .parent = &play->to_proxy};
    play->to_proxy = (struct parent){.host = "127.0.0.1"};
    play->to_proxy.port = part_port(&play->proxy);
    play->trust[1] = engine_ca(play->proxy.engine)->cert;
    play->front.as = profile_load(play->scenario->front, err);
    return play->front.as != NULL && part_start(&play->front, &options, err);
}

// A box behind is where the server seems to be.
static bool behind_start(struct play *play, struct err *err) {
    struct engine_options options = {.ca_dir = play->stage->box_ca_dir,
                                     .log = play->stage->box_log,
                                     .trust = play->trust,
                                     .num_trust = 1,
                                     .target_host = "127.0.0.1",
                                     .target_port = lab_server_port(play->server)};
    play->behind.as = profile_load(play->scenario->behind, err);
    return play->behind.as != NULL && part_start(&play->behind, &options, err);
}

// A parent is a proxy that hands on what it gets.
static bool parent_start(struct play *play, struct err *err) {
    struct engine_options options = {.ca_dir = play->stage->parent_ca_dir,
                                     .log = play->stage->parent_log,
                                     .policy_over = "{\"action\": \"tunnel\"}"};
    if (!part_start(&play->parent, &options, err)) {
        return false;
    }
    play->to_parent = (struct parent){.host = "127.0.0.1"};
    play->to_parent.port = part_port(&play->parent);
    return true;
}

static bool parts_start(struct play *play, struct err *err) {
    const struct lab_stage *stage = play->stage;
    const struct lab_scenario *scenario = play->scenario;
    struct engine_options options = {.ca_dir = stage->ca_dir,
                                     .log = stage->log,
                                     .policy = scenario->policy,
                                     .trust = play->trust,
                                     .num_trust = 1,
                                     .timeout_us = (int64_t)scenario->timeout_ms * 1000,
                                     .parent = scenario->through_parent ? &play->to_parent : NULL,
                                     .on_record = on_record,
                                     .ctx = &play->watch};
    if (scenario->as != NULL && (play->proxy.as = profile_load(scenario->as, err)) == NULL) {
        return false;
    }
    return (!scenario->through_parent || parent_start(play, err)) &&
           part_start(&play->proxy, &options, err) &&
           (scenario->behind == NULL || behind_start(play, err)) &&
           (scenario->front == NULL || front_start(play, err));
}

static bool servers_start(struct play *play, const char *host, struct err *err) {
    static const struct lab_server_plan sound = {0};
    const struct lab_pki *pki = play->stage->pki;
    play->server = lab_server_start(&play->scenario->server, pki, host, err);
    if (play->server != NULL && play->scenario->sound_first) {
        play->other = lab_server_start(&sound, pki, "other.localhost", err);
    }
    return play->server != NULL && (play->other != NULL || !play->scenario->sound_first);
}

// act lets the client ask, each time when the record of the last time is there.
static void act(struct play *play, const char *host) {
    const struct lab_scenario *scenario = play->scenario;
    const struct part *door = scenario->front != NULL ? &play->front : &play->proxy;
    struct lab_route route = {.proxy = part_port(door),
                              .ca = scenario->watched ? play->stage->root
                                                      : engine_ca(door->engine)->cert,
                              .over = play->watch.over};
    unsigned records = 0;
    if (play->other != NULL) {
        struct lab_client_plan sound = scenario->client;
        sound.trust = LAB_TRUST_CA;
        sound.hello = NULL;
        route.host = "other.localhost";
        route.port = lab_server_port(play->other);
        lab_client_ask(&sound, &route);
        watch_wait(&play->watch, ++records);
    }
    route.host = host;
    route.port =
        scenario->behind != NULL ? part_port(&play->behind) : lab_server_port(play->server);
    for (unsigned i = 0; i == 0 || i < scenario->times; i++) {
        lab_client_ask(&scenario->client, &route);
        watch_wait(&play->watch, ++records);
    }
}

// play_stop stops all, from the client's side on.
static bool play_stop(struct play *play, struct err *err) {
    bool ok = part_stop(&play->front, err);
    ok = part_stop(&play->proxy, err) && ok;
    ok = part_stop(&play->parent, err) && ok;
    ok = part_stop(&play->behind, err) && ok;
    lab_server_stop(play->server);
    lab_server_stop(play->other);
    return ok;
}

bool lab_stage_play(struct lab_stage *stage, const struct lab_scenario *scenario,
                    struct lab_seen *out, struct err *err) {
    struct play play = {.stage = stage,
                        .scenario = scenario,
                        .trust = {stage->root},
                        .watch = {.ruled_out = scenario->ruled_out,
                                  .over = eventfd(0, EFD_CLOEXEC),
                                  .lock = PTHREAD_MUTEX_INITIALIZER,
                                  .came = PTHREAD_COND_INITIALIZER}};
    const char *host = scenario->host != NULL ? scenario->host : LAB_HOST;
    struct err ignored;
    CHECK(play.watch.over >= 0);
    bool ok = servers_start(&play, host, err) && parts_start(&play, err);
    if (ok) {
        act(&play, host);
    }
    ok = play_stop(&play, ok ? err : &ignored) && ok;
    *out = play.watch.last;
    close(play.watch.over);
    pthread_cond_destroy(&play.watch.came);
    pthread_mutex_destroy(&play.watch.lock);
    return ok;
}
