#include "proxy/cli/probe.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "policy/config/policy.h"
#include "policy/decide/decide.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/probe_run.h"
#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"
#include "proxy/net/address.h"
#include "proxy/tls/hello_shape.h"

enum { PAGE_MAX = 16 * 1024 * 1024, CONNECTIONS_MAX = 200 };

static const char help[] =
    "usage: tlsblame probe [OPTION]... HOST[:PORT]\n"
    "       tlsblame probe [OPTION]... --like ID [HOST[:PORT]]\n"
    "\n"
    "Asks a server, without a client, what it makes of hellos that differ in one\n"
    "thing at a time: versions, names, sizes, pieces, extensions. First the hello\n"
    "itself, then the others in random order, then what came out differently once\n"
    "more. Whoever is to blame is named at the end; 'tlsblame show' has it all.\n"
    "\n"
    "      --like ID          the hello of a client in the log; its host, too, unless\n"
    "                         one is given\n"
    "      --hello SHAPE      the hello without --like: openssl (the default),\n"
    "                         chromium, ...; 'help' lists them\n"
    "      --sni NAME         another server name in it\n"
    "      --factor NAME      ask that, instead of the usual choice; may be repeated:\n"
    "                         no-sni, tls12, group=x25519, ...; 'help' lists them\n"
    "      --control HOST[:PORT]\n"
    "                         a host that has nothing to do with it, to tell the\n"
    "                         server from a box on the way; up to three times, to\n"
    "                         compare certificates and clocks\n"
    "      --parent URL       through that HTTP proxy, http:// or https://\n"
    "      --address NAME=IP  where NAME is, instead of asking a resolver; may be\n"
    "                         repeated\n"
    "      --resolver ADDRESS[:PORT]\n"
    "                         ask that resolver, too, and the server where it says\n"
    "      --cert FILE        a client certificate (PEM, with those above it): is it\n"
    "                         needed, refused or accepted?\n"
    "      --key FILE         its key, if that is not in the same file\n"
    "      --ech-config LIST  encrypt a hello to that ECHConfigList, file or base64;\n"
    "                         without it, to the one that DNS has\n"
    "      --fetch            fetch, over plain HTTP, a missing issuer and the\n"
    "                         revocation list from where the server's chain says\n"
    "                         that they are\n"
    "      --minimize         find the smallest change that makes the hello pass\n"
    "      --locate           find out at which hop a box is, with packets whose TTL\n"
    "                         runs out on the way; a few dozen connections more\n"
    "      --plan             say what would be sent, and send nothing\n"
    "      --repeat N         ask the hello, and what differs from it, N times (2)\n"
    "      --connections N    at most so many (24, with --minimize 80)\n"
    "      --seed N           the order, and what is random in the hellos\n"
    "      --timeout SECONDS  for an answer (5); the connection may take as long\n"
    "      --trust FILE       PEM certificates that servers may chain to, beside the\n"
    "                         system's roots; may be repeated\n"
    "      --policy FILE      hosts that it excludes are not asked\n"
    "  -4, -6                 IPv4 or IPv6 alone\n"
    "      --log FILE         the log of --like and of the new record (default\n"
    "                         ~/.local/state/tlsblame/log.ndjson)\n"
    "      --json             only the record, to standard output\n"
    "  -q, --quiet            only the verdict\n"
    "      --color WHEN       auto, always or never; auto honours NO_COLOR\n"
    "  -h, --help             show this\n"
    "\n"
    "Exit status: 0 when nothing is wrong; 1 when the verdict names a party; 2 for\n"
    "bad usage, a bad file or a host that policy excludes; 3 when there is no such\n"
    "host, or the environment failed.\n";

struct arguments {
    struct probe_options options;
    struct option_list factors, addresses, controls;
    const char *parent, *policy, *color;
    size_t timeout, seed;
    bool ipv4, ipv6;
};

static int list_factors(void) {
    size_t num;
    const struct probe *probes = probe_list(&num);
    for (size_t i = 0; i < num; i++) {
        printf("%-16s %s\n", probes[i].name, probes[i].says);
    }
    return 0;
}

static int list_shapes(void) {
    size_t num;
    const struct hello_shape *shapes = hello_shapes(&num);
    for (size_t i = 0; i < num; i++) {
        printf("%-16s %s\n", shapes[i].name, shapes[i].says);
    }
    return 0;
}

static bool factors_find(struct arguments *a, struct err *err) {
    for (size_t i = 0; i < a->factors.num; i++) {
        if (!probe_find(&a->options.picks[i], a->factors.items[i], err)) {
            return false;
        }
    }
    a->options.num_picks = a->factors.num;
    return true;
}

// addresses_find gives the hosts the addresses that are theirs.
static bool addresses_find(struct arguments *a, struct err *err) {
    struct probe_options *o = &a->options;
    for (size_t i = 0; i < a->addresses.num; i++) {
        const char *text = a->addresses.items[i];
        bool target = probe_target_address(&o->address, text, o->target.host, err);
        bool control = false;
        for (size_t c = 0; c < o->num_controls; c++) {
            control |=
                probe_target_address(&o->control_addresses[c], text, o->controls[c].host, err);
        }
        if (!target && !control && err->msg[0] != '\0') {
            return false;
        }
        // Which host --like means is not known yet.
        if (!target && !control && o->target.host[0] != '\0') {
            return err_set(err, "--address %.100s: neither HOST nor --control has that name", text);
        }
    }
    return true;
}

static bool controls_parse(struct arguments *a, struct err *err) {
    struct probe_options *o = &a->options;
    if (a->controls.num > ARRAY_LEN(o->controls)) {
        return err_set(err, "--control takes at most %zu hosts", ARRAY_LEN(o->controls));
    }
    for (; o->num_controls < a->controls.num; o->num_controls++) {
        struct probe_target *control = &o->controls[o->num_controls];
        if (!probe_target_parse(control, a->controls.items[o->num_controls], 443, err)) {
            return false;
        }
    }
    return true;
}

static bool targets_parse(struct arguments *a, const char *host, struct err *err) {
    struct probe_options *o = &a->options;
    o->has_parent = a->parent != NULL;
    if (o->server_name != NULL && strlen(o->server_name) >= PROBE_HOST_MAX) {
        return err_set(err, "--sni takes a name of at most %d characters", PROBE_HOST_MAX - 1);
    }
    return (host == NULL || probe_target_parse(&o->target, host, 443, err)) &&
           controls_parse(a, err) &&
           (a->parent == NULL || parent_parse(&o->parent, a->parent, err)) &&
           factors_find(a, err) && addresses_find(a, err);
}

// policy_allows returns whether the policy file lets the target be asked.
static bool policy_allows(const struct arguments *a, struct err *err) {
    const struct probe_target *target = &a->options.target;
    struct policy *policy = a->policy == NULL ? policy_default() : policy_load(a->policy, err);
    if (policy == NULL) {
        return false;
    }
    const struct question question = {.host = target->host, .port = target->port};
    const struct policy_rule *rule = policy_decide(policy, &question);
    bool ok = rule->action != ACTION_REFUSE && rule->experiments;
    if (!ok) {
        err_set(err, "%s is not asked: %s of %s excludes it", target->host, rule->path, a->policy);
    }
    policy_unref(policy);
    return ok;
}

static void numbers_set(struct arguments *a) {
    struct probe_options *o = &a->options;
    o->answer_us = o->connect_us = (int64_t)a->timeout * 1000 * 1000;
    o->total_us = 2 * o->answer_us + 2 * 1000 * 1000;
    o->pace_us = 20 * 1000;
    o->parallel = 3;
    o->family = a->ipv4 == a->ipv6 ? 0 : a->ipv4 ? AF_INET : AF_INET6;
    o->budget = o->budget != 0 ? o->budget : o->minimize ? 80 : 24;
    o->seed = a->seed;
    if (a->seed == 0 && getrandom(&o->seed, sizeof(o->seed), 0) != (ssize_t)sizeof(o->seed)) {
        o->seed = (uint64_t)getpid();
    }
}

// arguments_read fills `a` and returns -1, or the exit status when there is nothing more to do.
static int arguments_read(struct arguments *a, int argc, char **argv) {
    struct probe_options *o = &a->options;
    const struct option_row rows[] = {
        {.name = "like", .kind = OPTION_TEXT, .out = &o->like},
        {.name = "hello", .kind = OPTION_TEXT, .out = &o->shape},
        {.name = "sni", .kind = OPTION_TEXT, .out = &o->server_name},
        {.name = "factor", .kind = OPTION_LIST, .out = &a->factors},
        {.name = "control", .kind = OPTION_LIST, .out = &a->controls},
        {.name = "parent", .kind = OPTION_TEXT, .out = &a->parent},
        {.name = "address", .kind = OPTION_LIST, .out = &a->addresses},
        {.name = "resolver", .kind = OPTION_TEXT, .out = &o->resolver},
        {.name = "cert", .kind = OPTION_TEXT, .out = &o->cert},
        {.name = "key", .kind = OPTION_TEXT, .out = &o->key},
        {.name = "ech-config", .kind = OPTION_TEXT, .out = &o->ech_config},
        {.name = "minimize", .kind = OPTION_FLAG, .out = &o->minimize},
        {.name = "locate", .kind = OPTION_FLAG, .out = &o->locate},
        {.name = "fetch", .kind = OPTION_FLAG, .out = &o->fetch},
        {.name = "plan", .kind = OPTION_FLAG, .out = &o->plan},
        {.name = "repeat", .kind = OPTION_NUMBER, .out = &o->repeats, .min = 1, .max = 20},
        {.name = "connections",
         .kind = OPTION_NUMBER,
         .out = &o->budget,
         .min = 1,
         .max = CONNECTIONS_MAX},
        {.name = "seed", .kind = OPTION_NUMBER, .out = &a->seed, .min = 1},
        {.name = "timeout", .kind = OPTION_NUMBER, .out = &a->timeout, .min = 1, .max = 600},
        {.name = "trust", .kind = OPTION_LIST, .out = &o->trust},
        {.name = "policy", .kind = OPTION_TEXT, .out = &a->policy},
        {.name = "ipv4", .letter = '4', .kind = OPTION_FLAG, .out = &a->ipv4},
        {.name = "ipv6", .letter = '6', .kind = OPTION_FLAG, .out = &a->ipv6},
        {.name = "log", .kind = OPTION_TEXT, .out = &o->log},
        {.name = "json", .kind = OPTION_FLAG, .out = &o->json},
        {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .out = &o->quiet},
        {.name = "color", .kind = OPTION_TEXT, .out = &a->color},
    };
    int rest, status = options_read(&rest, "probe", help, rows, ARRAY_LEN(rows), argc, argv);
    if (status != -1) {
        return status;
    }
    struct err err;
    if (a->factors.num != 0 && strcmp(a->factors.items[0], "help") == 0) {
        return list_factors();
    }
    if (strcmp(o->shape, "help") == 0) {
        return list_shapes();
    }
    const char *host = rest < argc ? argv[rest++] : NULL;
    if (rest < argc) {
        return usage_error("probe", "unexpected argument %s", argv[rest]);
    }
    if (host == NULL && o->like == NULL) {
        return usage_error("probe", "a HOST is expected, or --like ID");
    }
    if (hello_shape_find(o->shape) == NULL) {
        return usage_error("probe", "--hello takes a shape that '--hello help' lists, not %s",
                           o->shape);
    }
    if (!targets_parse(a, host, &err)) {
        return usage_error("probe", "%s", err.msg);
    }
    if (o->locate && o->has_parent) {
        return usage_error("probe", "--locate follows the way to the host itself, not to --parent");
    }
    if (o->key != NULL && o->cert == NULL) {
        return usage_error("probe", "--key goes with --cert");
    }
    numbers_set(a);
    return -1;
}

int probe_main(int argc, char **argv) {
    struct arguments a = {
        .options = {.shape = "openssl", .repeats = 2}, .color = "auto", .timeout = 5};
    struct err err;
    int status = arguments_read(&a, argc, argv);
    if (status != -1) {
        return status;
    }
    struct buf out;
    buf_init(&out, PAGE_MAX);
    struct page page = {.out = &out, .width = terminal_width(stdout, 100)};
    if (!terminal_color(&page.color, a.color, stdout)) {
        return usage_error("probe", "--color takes auto, always or never, not %s", a.color);
    }
    a.options.page = page;
    a.options.live = !a.options.json && !a.options.quiet && isatty(STDERR_FILENO);
    if (a.policy != NULL && !policy_allows(&a, &err)) {
        fprintf(stderr, "tlsblame probe: %s\n", err.msg);
        return EXIT_USAGE;
    }
    status = probe_run(&a.options);
    buf_cleanup(&out);
    return status;
}
