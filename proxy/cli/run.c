#include "proxy/cli/run.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/view/one_line.h"
#include "policy/profiles/profile.h"
#include "proxy/cli/client_tries.h"
#include "proxy/cli/engine.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/run_command.h"
#include "proxy/cli/target.h"
#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"
#include "proxy/net/address.h"
#include "proxy/net/listen.h"

enum {
    LISTENS_MAX = 16,
    TRUST_MAX = 64,
    CRLS_MAX = 64,
    LINE_MAX_BYTES = 16 * 1024,
    WORKERS_MAX = 64,
    CONNECTIONS_MAX = 1000000,
    TIMEOUT_MAX_S = 3600,
    LOG_SIZE_MAX_MIB = 16 * 1024 * 1024,
    LOG_KEEP_MAX = 999
};

enum {
    OPT_CA_DIR = 256,
    OPT_POLICY,
    OPT_TRUST,
    OPT_CRL,
    OPT_LOG,
    OPT_LOG_SIZE,
    OPT_LOG_KEEP,
    OPT_WORKERS,
    OPT_MAX_CONNECTIONS,
    OPT_TIMEOUT,
    OPT_EXPERIMENTS,
    OPT_CLIENT_EXPERIMENTS,
    OPT_CONTROL,
    OPT_COLOR,
    OPT_PARENT,
    OPT_PARENT_AUTH,
    OPT_TO,
    OPT_AS,
    OPT_SEED,
    OPT_TRANSPARENT,
};

struct run {
    struct engine_options engine;
    struct address listens[LISTENS_MAX];
    char *trust[TRUST_MAX];
    char *crls[CRLS_MAX];
    struct parent parent;
    const char *parent_auth; // a file
    struct target to;
    char policy_over[CLIENT_TRIES_MAX]; // of --client-experiments
    bool quiet;
    const char *color_when;
    bool color;
    size_t width;
};

static const char help[] =
    "usage: tlsblame run [OPTION]... [-- COMMAND [ARGUMENT]...]\n"
    "\n"
    "Runs the proxy, for HTTP (CONNECT, http://) and SOCKS (5, 4, 4a). It prints a\n"
    "line for each connection as it ends, and keeps the whole record in the log:\n"
    "'tlsblame show' shows it.\n"
    "\n"
    "With a COMMAND, runs that through a proxy of its own on a free port, in an\n"
    "environment that makes it use the proxy and trust its CA ('tlsblame env --help'\n"
    "lists what understands it), and shows its connections and what is wrong with\n"
    "them on standard error at the end. Streams and exit status are the command's.\n"
    "\n"
    "  -l, --listen HOST:PORT  where to listen; may be repeated (default\n"
    "                          127.0.0.1:8080); port 0 picks a free one and prints\n"
    "                          it; IPv6 as [::1]:8080\n"
    "      --policy FILE       what to do with which connection; see\n"
    "                          'tlsblame policy --help'\n"
    "      --trust FILE        PEM certificates that servers may chain to, beside the\n"
    "                          system's roots; may be repeated\n"
    "      --crl FILE          revocation lists (PEM, DER) for servers' certificates;\n"
    "                          may be repeated\n"
    "      --as PROFILE[,...]  be the box of a profile ('tlsblame profiles' lists\n"
    "                          them; ./FILE.json is one of your own), where the\n"
    "                          policy does not say tunnel or refuse; the record\n"
    "                          tells what it did\n"
    "      --seed N            what such a box leaves to chance goes the same way\n"
    "                          again\n"
    "      --parent URL        the proxy that connections go through, by CONNECT, as\n"
    "                          http://[USER:PASSWORD@]HOST[:PORT] or https://…; it\n"
    "                          looks names up; the policy's \"parent\": false excepts\n"
    "                          hosts\n"
    "      --parent-auth FILE  USER:PASSWORD for the parent, in a file's first line\n"
    "      --to HOST:PORT      connections do not ask a proxy for anything: all go\n"
    "                          there\n"
    "      --transparent       connections come as a firewall sends them: REDIRECT,\n"
    "                          or TPROXY (with CAP_NET_ADMIN); its rules must let\n"
    "                          pass what bears the mark 0x746c, or is of this user\n"
    "      --ca-dir DIR        folder of the proxy's own CA, made at the first start\n"
    "                          (default ~/.config/tlsblame/ca)\n"
    "      --log FILE          the log (default ~/.local/state/tlsblame/log.ndjson)\n"
    "      --log-size MIB      how long it gets before it is put aside as FILE.1, and\n"
    "                          FILE.1 as FILE.2 (default 64); a record has 5 to 20 KB\n"
    "      --log-keep N        how many of those are kept, from 1 to 999 (default 5)\n"
    "      --timeout SECONDS   how long a name lookup, a connection attempt, a\n"
    "                          request to the proxy and each leg's handshake may take\n"
    "                          (default 10 for the first two, 30 for the others)\n"
    "      --experiments WHEN  whether to ask a server on the proxy's own account, by\n"
    "                          at most 12 connections, why one failed: never,\n"
    "                          on-failure (the default) or always; its line is\n"
    "                          printed when that is done. They go through --parent,\n"
    "                          but for one or two that go past it\n"
    "      --client-experiments WHAT[,...]\n"
    "                          what to try with a client that refused the proxy's\n"
    "                          certificate and comes again: tunnel, and leaf, other\n"
    "                          forms of it; canary shows one that went on what it\n"
    "                          has to refuse. Default none; a policy's client_leg\n"
    "                          goes before it\n"
    "      --control HOST      a host that experiments may ask as well, to tell the\n"
    "                          server from a box on the way\n"
    "      --workers N         threads that serve connections (default: the cores)\n"
    "      --max-connections N how many connections may be open, while others wait\n"
    "                          (default: as many as descriptors allow)\n"
    "  -q, --quiet             no line for each connection; with a COMMAND, only\n"
    "                          those that failed\n"
    "      --color WHEN        auto, always or never; auto honours NO_COLOR\n"
    "  -h, --help              show this\n"
    "\n"
    "SIGINT and SIGTERM stop it. SIGHUP rereads the policy, the trusted certificates\n"
    "and the revocation lists, and reopens the log.\n"
    "SSLKEYLOGFILE names a file for the TLS keys of both legs.\n"
    "\n"
    "Exit status: 0 after a clean stop; 2 for bad usage or a bad policy; 3 when the\n"
    "environment failed (the port is taken, a folder cannot be written). With a\n"
    "COMMAND: its own, 128+N where signal N ended it, 127 where it was not found, 126\n"
    "where it could not be run; or 2 or 3 where there was no proxy to run it through.\n";

static const struct option options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"ca-dir", required_argument, NULL, OPT_CA_DIR},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"trust", required_argument, NULL, OPT_TRUST},
    {"crl", required_argument, NULL, OPT_CRL},
    {"as", required_argument, NULL, OPT_AS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"parent", required_argument, NULL, OPT_PARENT},
    {"parent-auth", required_argument, NULL, OPT_PARENT_AUTH},
    {"to", required_argument, NULL, OPT_TO},
    {"transparent", no_argument, NULL, OPT_TRANSPARENT},
    {"log", required_argument, NULL, OPT_LOG},
    {"log-size", required_argument, NULL, OPT_LOG_SIZE},
    {"log-keep", required_argument, NULL, OPT_LOG_KEEP},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"experiments", required_argument, NULL, OPT_EXPERIMENTS},
    {"client-experiments", required_argument, NULL, OPT_CLIENT_EXPERIMENTS},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"max-connections", required_argument, NULL, OPT_MAX_CONNECTIONS},
    {"quiet", no_argument, NULL, 'q'},
    {"color", required_argument, NULL, OPT_COLOR},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool add_listen(struct run *run, const char *text, struct err *err) {
    if (run->engine.num_listens == LISTENS_MAX) {
        return err_set(err, "at most %d addresses can be listened on", LISTENS_MAX);
    }
    return listen_parse(&run->listens[run->engine.num_listens++], text, err);
}

static bool add_trust(struct run *run, char *path, struct err *err) {
    if (run->engine.num_trust == TRUST_MAX) {
        return err_set(err, "at most %d --trust files can be given", TRUST_MAX);
    }
    run->trust[run->engine.num_trust++] = path;
    return true;
}

static bool add_crl(struct run *run, char *path, struct err *err) {
    if (run->engine.num_crls == CRLS_MAX) {
        return err_set(err, "at most %d --crl files can be given", CRLS_MAX);
    }
    run->crls[run->engine.num_crls++] = path;
    return true;
}

// set_number reads the value of `name`, from 1 to `max`.
static bool set_number(uint64_t *out, const char *name, const char *text, uint64_t max,
                       struct err *err) {
    char *end;
    *out = strtoull(text, &end, 10);
    return (*text >= '0' && *text <= '9' && *end == '\0' && *out >= 1 && *out <= max) ||
           err_set(err, "--%s %s: expected a number from 1 to %llu", name, text,
                   (unsigned long long)max);
}

static bool set_workers(struct run *run, const char *text, struct err *err) {
    uint64_t workers;
    bool ok = set_number(&workers, "workers", text, WORKERS_MAX, err);
    run->engine.workers = (unsigned)workers;
    return ok;
}

static bool set_max_connections(struct run *run, const char *text, struct err *err) {
    uint64_t num;
    bool ok = set_number(&num, "max-connections", text, CONNECTIONS_MAX, err);
    run->engine.max_connections = num;
    return ok;
}

static bool set_log_size(struct run *run, const char *text, struct err *err) {
    uint64_t mib;
    bool ok = set_number(&mib, "log-size", text, LOG_SIZE_MAX_MIB, err);
    run->engine.log_size = mib << 20;
    return ok;
}

static bool set_log_keep(struct run *run, const char *text, struct err *err) {
    uint64_t num;
    bool ok = set_number(&num, "log-keep", text, LOG_KEEP_MAX, err);
    run->engine.log_keep = (unsigned)num;
    return ok;
}

static bool set_timeout(struct run *run, const char *text, struct err *err) {
    char *end;
    double seconds = strtod(text, &end);
    if (*text == '\0' || *end != '\0' || !(seconds >= 0.1 && seconds <= TIMEOUT_MAX_S)) {
        return err_set(err, "--timeout %s: expected seconds, from 0.1 to %d", text, TIMEOUT_MAX_S);
    }
    run->engine.timeout_us = (int64_t)(seconds * 1e6);
    return true;
}

static bool set_experiments(struct run *run, const char *text, struct err *err) {
    run->engine.experiments = strcmp(text, "never") != 0;
    run->engine.experiments_always = strcmp(text, "always") == 0;
    return !run->engine.experiments || run->engine.experiments_always ||
           strcmp(text, "on-failure") == 0 ||
           err_set(err, "--experiments takes never, on-failure or always, not %s", text);
}

static bool set_seed(struct run *run, const char *text, struct err *err) {
    char *end;
    run->engine.seed = strtoull(text, &end, 10);
    return (text[0] >= '0' && text[0] <= '9' && *end == '\0') ||
           err_set(err, "--seed %s: expected a number", text);
}

// set_parent hides the credentials of `url` from who lists the processes.
static bool set_parent(struct run *run, char *url, struct err *err) {
    bool ok = parent_parse(&run->parent, url, err);
    char *at = strrchr(url, '@'), *from = strstr(url, "://");
    if (at != NULL && from != NULL) {
        memset(from + 3, '*', (size_t)(at - from - 3));
    }
    struct err why = *err;
    return ok || err_set(err, "--parent %s: %s", url, why.msg);
}

static bool option_take(struct run *run, int option, struct err *err) {
    switch (option) {
    case 'l':
        return add_listen(run, optarg, err);
    case OPT_CA_DIR:
        run->engine.ca_dir = optarg;
        return true;
    case OPT_POLICY:
        run->engine.policy = optarg;
        return true;
    case OPT_TRUST:
        return add_trust(run, optarg, err);
    case OPT_CRL:
        return add_crl(run, optarg, err);
    case OPT_LOG:
        run->engine.log = optarg;
        return true;
    case OPT_LOG_SIZE:
        return set_log_size(run, optarg, err);
    case OPT_LOG_KEEP:
        return set_log_keep(run, optarg, err);
    case OPT_AS:
        profile_unref(run->engine.as);
        run->engine.as = profile_load(optarg, err);
        return run->engine.as != NULL;
    case OPT_SEED:
        return set_seed(run, optarg, err);
    case OPT_PARENT:
        run->engine.parent = &run->parent;
        return set_parent(run, optarg, err);
    case OPT_PARENT_AUTH:
        run->parent_auth = optarg;
        return true;
    case OPT_TO:
        run->engine.target_host = run->to.host;
        return target_parse(&run->to, optarg, err);
    case OPT_TRANSPARENT:
        run->engine.transparent = true;
        return true;
    case OPT_TIMEOUT:
        return set_timeout(run, optarg, err);
    case OPT_EXPERIMENTS:
        return set_experiments(run, optarg, err);
    case OPT_CLIENT_EXPERIMENTS:
        run->engine.policy_over = run->policy_over;
        return client_tries_parse(run->policy_over, optarg, err);
    case OPT_CONTROL:
        run->engine.control = optarg;
        return true;
    case OPT_MAX_CONNECTIONS:
        return set_max_connections(run, optarg, err);
    case OPT_WORKERS:
        return set_workers(run, optarg, err);
    case 'q':
        run->quiet = true;
        return true;
    default:
        run->color_when = optarg;
        return true;
    }
}

// print_line prints the line of a connection that ended.
static void print_line(void *ctx, const struct obj *root) {
    const struct run *run = ctx;
    struct buf text;
    buf_init(&text, LINE_MAX_BYTES);
    struct page page = {.out = &text, .width = run->width, .color = run->color};
    const struct one_line line = {.page = &page};
    one_line_write(&line, root);
    fwrite(buf_data(&text), 1, text.len, stdout);
    fflush(stdout);
    buf_cleanup(&text);
}

// print_try tells how to use what listens at `first`.
static void print_try(const struct run *run, const struct engine *engine, const char *first) {
    const char *cert = engine_ca(engine)->cert;
    if (run->engine.target_host != NULL) {
        printf("\nEvery connection goes to %s port %d. Clients must trust the CA.\n",
               run->engine.target_host, run->engine.target_port);
    } else if (run->engine.transparent) {
        printf("\nConnections go where they were going before the firewall sent them here. Clients "
               "must\ntrust the CA: http://%s/ has it.\n",
               first);
    } else {
        printf("\nTry it:\n  curl -x http://%s --cacert %s https://example.org/\n", first, cert);
        printf("or set http://%s as the proxy and visit http://tlsblame.test/ for the CA.\n",
               first);
    }
    if (run->engine.as != NULL) {
        printf("This instance emulates %s: what breaks here breaks on purpose.\n",
               run->engine.as->name);
    }
    if (run->engine.parent != NULL) {
        printf("The way there leads through the proxy %s port %d.\n", run->parent.host,
               run->parent.port);
    }
}

static void print_start(const struct run *run, const struct engine *engine) {
    char first[ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < engine_num_addresses(engine); i++) {
        char text[ADDRESS_TEXT_SIZE];
        printf("tlsblame: listening on %s\n", address_text(text, engine_address(engine, i)));
    }
    struct address reach = *engine_address(engine, 0);
    if (address_is_any(&reach)) {
        uint16_t port = reach.port;
        CHECK(address_parse(&reach, "127.0.0.1"));
        reach.port = port;
    }
    address_text(first, &reach);
    printf("  CA    %s\n  log   %s\n", engine_ca(engine)->cert, engine_log_file(engine));
    print_try(run, engine, first);
    printf("Then: tlsblame list, tlsblame show. Control-C stops.\n\n");
    if (!run->quiet) {
        struct buf text;
        buf_init(&text, LINE_MAX_BYTES);
        struct page page = {.out = &text, .width = run->width, .color = run->color};
        const struct one_line line = {.page = &page};
        one_line_head(&line);
        fwrite(buf_data(&text), 1, text.len, stdout);
        buf_cleanup(&text);
    }
    fflush(stdout);
}

static int serve(struct run *run) {
    struct err err;
    int status;
    run->engine.catch_signals = run->engine.prepare = true;
    run->engine.on_record = run->quiet ? NULL : print_line;
    run->engine.ctx = run;
    struct engine *engine = engine_new(&run->engine, &status, &err);
    if (engine == NULL) {
        fprintf(stderr, "tlsblame run: %s\n", err.msg);
        return status;
    }
    if (!engine_write_bundles(engine, &err)) {
        fprintf(stderr, "tlsblame: warning: %s; 'tlsblame env' cannot do without\n", err.msg);
    }
    print_start(run, engine);
    bool ok = engine_run(engine, &err);
    engine_free(engine);
    if (!ok) {
        fprintf(stderr, "tlsblame run: %s\n", err.msg);
        return EXIT_ENVIRONMENT;
    }
    return 0;
}

static int run_with(struct run *run, char *const *command) {
    struct run_report report = {
        .log = run->engine.log, .quiet = run->quiet, .color = run->color, .width = run->width};
    return run_command(&run->engine, &report, command);
}

// read_parent_auth reads the credentials for the parent.
static bool read_parent_auth(struct run *run, struct err *err) {
    char line[PARENT_CREDENTIALS_MAX + 2];
    if (run->engine.parent == NULL) {
        return err_set(err, "--parent-auth needs --parent");
    }
    FILE *file = fopen(run->parent_auth, "re");
    if (file == NULL) {
        return err_errno(err, "%s", run->parent_auth);
    }
    bool ok = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    if (ok) {
        line[strcspn(line, "\r\n")] = '\0';
        ok = parent_set_credentials(&run->parent, line, err);
        memset(line, 0, sizeof(line));
        return ok;
    }
    return err_set(err, "%s: expected USER:PASSWORD in its first line", run->parent_auth);
}

// options_read fills `run` and returns -1, or the exit status when there is nothing more to do.
static int options_read(struct run *run, int argc, char **argv) {
    struct err err;
    for (int option; (option = getopt_long(argc, argv, "+l:qh", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (option == '?') {
            return usage_hint("run");
        }
        if (!option_take(run, option, &err)) {
            return usage_error("run", "%s", err.msg);
        }
    }
    if (run->parent_auth != NULL && !read_parent_auth(run, &err)) {
        return usage_error("run", "%s", err.msg);
    }
    run->engine.target_port = run->to.port;
    if (run->engine.target_host != NULL && run->engine.transparent) {
        return usage_error("run", "--to and --transparent both say where connections go");
    }
    if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
        return usage_error("run", "unexpected argument '%s'; a command stands behind --",
                           argv[optind]);
    }
    return -1;
}

// run_as_told reads the options and does what they say.
static int run_as_told(struct run *run, int argc, char **argv) {
    struct err err;
    int status = options_read(run, argc, argv);
    if (status != -1) {
        return status;
    }
    char *const *command = optind < argc ? argv + optind : NULL;
    FILE *to = command != NULL ? stderr : stdout;
    if (!terminal_color(&run->color, run->color_when, to)) {
        return usage_error("run", "--color takes auto, always or never, not %s", run->color_when);
    }
    run->width = terminal_width(to, 120);
    if (run->engine.num_listens == 0) {
        const char *listen = command != NULL ? "127.0.0.1:0" : "127.0.0.1:8080";
        CHECK(add_listen(run, listen, &err));
    }
    return command != NULL ? run_with(run, command) : serve(run);
}

int run_main(int argc, char **argv) {
    struct run run = {.color_when = "auto", .engine.experiments = true};
    run.engine.listens = run.listens;
    run.engine.trust = run.trust;
    run.engine.crls = run.crls;
    int status = run_as_told(&run, argc, argv);
    profile_unref(run.engine.as);
    return status;
}
