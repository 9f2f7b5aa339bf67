#include "proxy/cli/env.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/arena.h"
#include "logs/base/err.h"
#include "proxy/cli/ca_folder.h"
#include "proxy/cli/client_env.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/output.h"
#include "proxy/cli/usage.h"

enum { OUTPUT_MAX = 1024 * 1024, HOST_MAX = 255 };

static const char USAGE[] =
    "usage: tlsblame env [OPTION]...\n"
    "\n"
    "Prints the variables that make programs use the proxy and trust its CA:\n"
    "\n"
    "  sh, bash, zsh   eval \"$(tlsblame env)\"\n"
    "  fish            tlsblame env --shell fish | source\n"
    "  csh, tcsh       eval \"`tlsblame env --shell csh`\"\n"
    "\n"
    "  -p, --proxy HOST:PORT  where the proxy listens (default 127.0.0.1:8080)\n"
    "      --ca-dir DIR       folder of the CA and its bundles, which 'tlsblame run'\n"
    "                         makes (default ~/.config/tlsblame/ca)\n"
    "      --ca-bundle FILE   the system's roots and the CA in one PEM file, instead\n"
    "                         of DIR/bundle.pem\n"
    "  -s, --shell NAME       sh, fish or csh (default: what SHELL says)\n"
    "  -h, --help             show this\n"
    "\n"
    "Exit status: 0; 2 for bad usage, or where the files are missing; 3 when the\n"
    "output cannot be written.\n"
    "\n"
    "NO_PROXY stays as it is. The variables, and what reads them:\n"
    "\n";

struct options {
    char host[HOST_MAX + 1];
    uint16_t port;
    const char *ca_dir, *bundle;
    enum shell shell;
};

// shell_escape returns what stands for `c` within single quotes, or NULL for `c` itself.
static const char *shell_escape(enum shell shell, char c) {
    switch (shell) {
    case SHELL_SH:
        return c == '\'' ? "'\\''" : NULL;
    case SHELL_FISH:
        return c == '\'' ? "\\'" : c == '\\' ? "\\\\" : NULL;
    case SHELL_CSH:
        return c == '\'' ? "'\\''" : c == '!' ? "\\!" : c == '\n' ? "\\\n" : NULL;
    }
    CHECK(false);
    return NULL;
}

bool env_print_variable(struct buf *out, enum shell shell, const char *name, const char *value) {
    static const struct {
        const char *before, *between;
    } COMMANDS[] = {[SHELL_SH] = {"export ", "='"},
                    [SHELL_FISH] = {"set -gx ", " '"},
                    [SHELL_CSH] = {"setenv ", " '"}};
    bool ok = buf_printf(out, "%s%s%s", COMMANDS[shell].before, name, COMMANDS[shell].between);
    for (; ok && *value != '\0'; value++) {
        const char *escape = shell_escape(shell, *value);
        ok = escape != NULL ? buf_append(out, escape, strlen(escape)) : buf_append(out, value, 1);
    }
    return ok && buf_append(out, "';\n", 3);
}

static bool parse_shell(enum shell *out, const char *name) {
    static const struct {
        const char *name;
        enum shell shell;
    } SHELLS[] = {{"sh", SHELL_SH},     {"bash", SHELL_SH}, {"zsh", SHELL_SH},  {"dash", SHELL_SH},
                  {"fish", SHELL_FISH}, {"csh", SHELL_CSH}, {"tcsh", SHELL_CSH}};
    for (size_t i = 0; i < ARRAY_LEN(SHELLS); i++) {
        if (strcmp(SHELLS[i].name, name) == 0) {
            *out = SHELLS[i].shell;
            return true;
        }
    }
    return false;
}

// parse_proxy reads HOST:PORT, an IPv6 address in brackets.
static bool parse_proxy(struct options *options, const char *text, struct err *err) {
    const char *colon = strrchr(text, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - text);
    bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    const char *host = brackets ? text + 1 : text;
    size_t host_len = brackets ? len - 2 : len;
    char *end = NULL;
    unsigned long port = 0;
    if (colon != NULL && colon[1] >= '0' && colon[1] <= '9') {
        port = strtoul(colon + 1, &end, 10);
    }
    static const char LETTERS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
    if (end == NULL || *end != '\0' || port < 1 || port > 65535 || host_len == 0 ||
        host_len > HOST_MAX || strspn(host, LETTERS) < host_len ||
        (memchr(host, ':', host_len) != NULL) != brackets) {
        return err_set(err,
                       "--proxy: expected HOST:PORT such as 127.0.0.1:8080 or [::1]:8080, "
                       "found '%s'",
                       text);
    }
    memcpy(options->host, host, host_len);
    options->host[host_len] = '\0';
    options->port = (uint16_t)port;
    return true;
}

static void options_init(struct options *options) {
    *options = (struct options){.host = "127.0.0.1", .port = 8080};
    const char *shell = getenv("SHELL");
    const char *slash = shell == NULL ? NULL : strrchr(shell, '/');
    if (slash == NULL || !parse_shell(&options->shell, slash + 1)) {
        options->shell = SHELL_SH;
    }
}

// existing returns the absolute path of a file that is there, else NULL with errno.
static const char *existing(struct arena *arena, const char *path) {
    char *full = realpath(path, NULL);
    if (full == NULL) {
        return NULL;
    }
    const char *copy = arena_dup(arena, full, strlen(full));
    free(full);
    return copy;
}

// find_files fills the paths of `env`. A program whose bundle is missing trusts nobody at all, so
// that is an error.
static bool find_files(struct client_env *env, struct arena *arena, const struct options *options,
                       struct err *err) {
    struct ca_folder folder;
    bool ok = ca_folder_init(&folder, options->ca_dir, err) || options->bundle != NULL;
    const char *bundle = options->bundle != NULL ? options->bundle : folder.bundle;
    if (ok) {
        env->bundle = existing(arena, bundle);
        ok = env->bundle != NULL || err_errno(err, "%s, which 'tlsblame run' makes", bundle);
    }
    if (ok && folder.dir != NULL) {
        env->ca = existing(arena, folder.cert);
        env->java_bundle = existing(arena, folder.java_bundle);
    }
    env->ca = env->ca != NULL ? env->ca : env->bundle;
    ca_folder_cleanup(&folder);
    return ok;
}

static void print_usage(void) {
    enum { COLUMN = 22 };
    fputs(USAGE, stdout);
    for (const struct client_variable *v = client_variables; v->name != NULL; v++) {
        bool wide = strlen(v->name) > COLUMN - 2;
        printf("  %-*s%s", COLUMN - 1, v->name, wide ? "\n" : "");
        printf("%*s%s\n", wide ? COLUMN + 1 : 0, "", v->read_by);
    }
}

static int print_list(const struct client_env *env, enum shell shell, struct arena *arena) {
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    bool fits = true;
    for (char **variable = client_env_list(arena, env); *variable != NULL; variable++) {
        char *equals = strchr(*variable, '=');
        *equals = '\0';
        fits = fits && env_print_variable(&out, shell, *variable, equals + 1);
    }
    if (!fits) {
        buf_cleanup(&out);
        fputs("tlsblame env: the variables are too long\n", stderr);
        return EXIT_USAGE;
    }
    return output_write("env", &out);
}

// parse_options returns false when the command line is wrong; `err` is empty where getopt has said
// why.
static bool parse_options(struct options *options, bool *out_help, int argc, char **argv,
                          struct err *err) {
    enum { OPT_CA_DIR = 256, OPT_CA_BUNDLE };
    static const struct option LONG[] = {
        {"proxy", required_argument, NULL, 'p'},
        {"ca-dir", required_argument, NULL, OPT_CA_DIR},
        {"ca-bundle", required_argument, NULL, OPT_CA_BUNDLE},
        {"shell", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    for (int c; (c = getopt_long(argc, argv, "p:s:h", LONG, NULL)) != -1;) {
        if (c == 'p') {
            if (!parse_proxy(options, optarg, err)) {
                return false;
            }
        } else if (c == OPT_CA_DIR) {
            options->ca_dir = optarg;
        } else if (c == OPT_CA_BUNDLE) {
            options->bundle = optarg;
        } else if (c == 's') {
            if (!parse_shell(&options->shell, optarg)) {
                return err_set(err, "--shell: expected sh, fish or csh, found '%s'", optarg);
            }
        } else {
            *out_help = c == 'h';
            return *out_help;
        }
    }
    return optind == argc || err_set(err, "unexpected argument '%s'", argv[optind]);
}

int env_main(int argc, char **argv) {
    struct arena arena = {0};
    struct options options;
    struct client_env env;
    struct err err = {0};
    bool help = false;
    int status = EXIT_USAGE;
    optind = 1;
    options_init(&options);
    if (!parse_options(&options, &help, argc, argv, &err)) {
        status = err.msg[0] != '\0' ? usage_error("env", "%s", err.msg) : usage_hint("env");
    } else if (help) {
        print_usage();
        status = EXIT_SUCCESS;
    } else {
        client_env_init(&env, options.host, options.port);
        if (find_files(&env, &arena, &options, &err)) {
            status = print_list(&env, options.shell, &arena);
        } else {
            fprintf(stderr, "tlsblame env: %s\n", err.msg);
        }
    }
    arena_cleanup(&arena);
    return status;
}
