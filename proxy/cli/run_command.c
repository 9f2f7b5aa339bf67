#include "proxy/cli/run_command.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/cli/child.h"
#include "proxy/cli/client_env.h"
#include "proxy/cli/exit.h"
#include "proxy/net/address.h"

// The command has gone, so its connections end at once, but for servers that do not.
// What is still being found out is waited for, for a while.
enum { GRACE_US = 1000 * 1000, EXPERIMENTS_US = 8 * 1000 * 1000, REPORT_MAX = 4 * 1024 * 1024 };

// struct serving is the proxy's thread.
struct serving {
    struct engine *engine;
    bool ok;
    struct err err;
};

static void *serve(void *arg) {
    struct serving *serving = arg;
    serving->ok = engine_run(serving->engine, &serving->err);
    if (!serving->ok) {
        kill(getpid(), SIGTERM); // which child_run passes on: the command waits for a proxy
    }
    return NULL;
}

static void on_record(void *ctx, const struct obj *root) { run_report_add(ctx, root); }

// reachable returns where programs of this machine reach what listens on `address`: the IP alone.
static char *reachable(struct arena *arena, const struct address *address) {
    char text[ADDRESS_TEXT_SIZE];
    if (address_is_any(address)) {
        return arena_printf(arena, "127.0.0.1"); // :: takes IPv4, too
    }
    address_text(text, address);
    bool brackets = text[0] == '[';
    *(strrchr(text, ':') - brackets) = '\0';
    return arena_printf(arena, "%s", text + brackets);
}

static char **environment(struct arena *arena, struct client_env *env,
                          const struct engine *engine) {
    const struct address *address = engine_address(engine, 0);
    const struct ca_folder *ca = engine_ca(engine);
    client_env_init(env, reachable(arena, address), address->port);
    env->ca = ca->cert;
    env->bundle = ca->bundle;
    env->java_bundle = ca->java_bundle;
    return client_env_list(arena, env);
}

static void write_report(const struct run_report *report, const char *no_proxy) {
    struct buf out;
    buf_init(&out, REPORT_MAX);
    run_report_write(&out, report, no_proxy);
    fwrite(buf_data(&out), 1, out.len, stderr);
    buf_cleanup(&out);
}

// run_through runs the command while `engine` serves, and returns the exit status.
static int run_through(struct engine *engine, const struct run_report *report, char *const *argv,
                       const struct child_signals *signals) {
    struct arena arena = {0};
    struct client_env env;
    struct serving serving = {.engine = engine};
    struct err err;
    pthread_t thread;
    char **variables = environment(&arena, &env, engine);
    CHECK(pthread_create(&thread, NULL, serve, &serving) == 0);
    int status = child_run(argv, variables, signals, &err);
    engine_stop(engine);
    CHECK(pthread_join(thread, NULL) == 0);
    if (!serving.ok) {
        fprintf(stderr, "tlsblame run: %s\n", serving.err.msg);
        status = EXIT_ENVIRONMENT;
    } else if (err.msg[0] != '\0') {
        fprintf(stderr, "tlsblame run: %s\n", err.msg);
    } else {
        write_report(report, env.no_proxy);
    }
    arena_cleanup(&arena);
    return status;
}

int run_command(struct engine_options *options, struct run_report *report, char *const *argv) {
    struct child_signals signals;
    struct err err;
    int status;
    run_report_init(report);
    options->catch_signals = false;
    options->grace_us = GRACE_US;
    options->experiments_wait_us = EXPERIMENTS_US;
    options->on_record = on_record;
    options->ctx = report;
    child_signals_take(&signals);
    struct engine *engine = engine_new(options, &status, &err);
    if (engine == NULL) {
        fprintf(stderr, "tlsblame run: %s\n", err.msg);
    } else if (!engine_write_bundles(engine, &err)) {
        fprintf(stderr, "tlsblame run: %s; the command would trust nobody\n", err.msg);
        status = EXIT_ENVIRONMENT;
    } else {
        status = run_through(engine, report, argv, &signals);
    }
    engine_free(engine);
    child_signals_give_back(&signals);
    run_report_cleanup(report);
    return status;
}
