#include <stdio.h>
#include <string.h>

#ifdef HAVE_MIMALLOC
#include <mimalloc.h>
#endif

#include "logs/base/check.h"
#include "proxy/cli/ca.h"
#include "proxy/cli/diff.h"
#include "proxy/cli/env.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/explain.h"
#include "proxy/cli/export.h"
#include "proxy/cli/import.h"
#include "proxy/cli/lab.h"
#include "proxy/cli/learn.h"
#include "proxy/cli/list.h"
#include "proxy/cli/policy.h"
#include "proxy/cli/probe.h"
#include "proxy/cli/profiles.h"
#include "proxy/cli/run.h"
#include "proxy/cli/show.h"

static int version_main(int argc, char **argv);
static int help_main(int argc, char **argv);

// The function gets "tlsblame NAME" as argv[0] and returns the exit status.
static const struct {
    const char *name;
    const char *says;
    int (*main)(int argc, char **argv);
} SUBCOMMANDS[] = {
    // clang-format off
    {"run",     "run the proxy, or a command through one of its own", run_main},
    {"list",    "show the log, a line per connection", list_main},
    {"show",    "show one connection, side by side", show_main},
    {"explain", "explain a verdict, or any cause", explain_main},
    {"probe",   "ask a server, without a client, what it makes of hellos", probe_main},
    {"import",  "read captures into records", import_main},
    {"export",  "write connections as a capture, a key log or JSON", export_main},
    {"diff",    "show what changed between two records, logs or captures", diff_main},
    {"lab",     "break handshakes on this machine, and see each found: the tour", lab_main},
    {"env",     "print the variables that make programs use the proxy", env_main},
    {"ca",      "show, make or export the CA that clients must trust", ca_main},
    {"policy",  "check a policy file", policy_main},
    {"profiles", "list the profiles of boxes that break TLS, or tell about one", profiles_main},
    {"learn",   "write the profile of a box that stood in between", learn_main},
    {"version", "show the version",    version_main},
    {"help",    "show this overview",  help_main},
    // clang-format on
};

static void usage(FILE *to) {
    fprintf(to, "usage: tlsblame COMMAND [OPTION]...\n\n"
                "Says who broke a TLS handshake: the client, the server, the network, a box in\n"
                "between, or this proxy.\n\nCommands:\n");
    for (size_t i = 0; i < ARRAY_LEN(SUBCOMMANDS); i++) {
        fprintf(to, "  %-10s %s\n", SUBCOMMANDS[i].name, SUBCOMMANDS[i].says);
    }
    fprintf(to, "\n'tlsblame COMMAND --help' tells more. To begin with:\n\n"
                "  tlsblame lab\n  tlsblame run -- curl https://example.org/\n");
}

static int version_main(int argc, char **argv) {
    (void)argc, (void)argv;
    puts("tlsblame 0.1.0");
    return 0;
}

static int help_main(int argc, char **argv) {
    (void)argc, (void)argv;
    usage(stdout);
    return 0;
}

// allocator_prepare has free pages go back to the kernel soon, for the allocator looks at them with
// later calls only, and would keep what a crowd has left behind while all is quiet; but not at
// once, for a buffer that is freed may be wanted again with the next packet.
static void allocator_prepare(void) {
#ifdef HAVE_MIMALLOC
    mi_option_set(mi_option_decommit_delay, 10); // ms
    mi_option_set(mi_option_decommit_extend_delay, 0);
#endif
}

int main(int argc, char **argv) {
    allocator_prepare();
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        name = "version";
    } else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    }
    for (size_t i = 0; i < ARRAY_LEN(SUBCOMMANDS); i++) {
        if (strcmp(name, SUBCOMMANDS[i].name) == 0) {
            static char full_name[32]; // getopt's messages begin with it
            snprintf(full_name, sizeof(full_name), "tlsblame %s", name);
            argv[1] = full_name;
            return SUBCOMMANDS[i].main(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "tlsblame: unknown command '%s'; 'tlsblame --help' lists them\n", argv[1]);
    return EXIT_USAGE;
}
