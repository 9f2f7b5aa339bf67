#include "proxy/cli/ca.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "logs/base/file.h"
#include "policy/ca/box.h"
#include "policy/ca/cert_facts.h"
#include "policy/ca/cert_time.h"
#include "policy/profiles/profile.h"
#include "proxy/cli/ca_folder.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/output.h"
#include "proxy/cli/usage.h"

enum { OUTPUT_MAX = 256 * 1024 };

static const char help[] =
    "usage: tlsblame ca show|init|export [OPTION]...\n"
    "\n"
    "show     who the proxy's CA is, its fingerprint, its files and how to install it\n"
    "init     make the CA, where there is none, and show it; 'tlsblame run' makes\n"
    "         it, too\n"
    "export   write the CA's certificate, without its key\n"
    "\n"
    "      --ca-dir DIR     folder of the CA (default ~/.config/tlsblame/ca)\n"
    "      --format FORMAT  export: pem (default), der or p12 (PKCS#12 with an empty\n"
    "                       password)\n"
    "      --profile NAME   the CA of a box, made where it is missing; 'tlsblame\n"
    "                       profiles' lists them, and ./my-box.json is your own\n"
    "      --out FILE       export: where to, instead of standard output, which is -\n"
    "  -h, --help           show this\n"
    "\n"
    "Exit status: 0; 2 for bad usage, or a CA that is missing or cannot be used; 3\n"
    "when a file cannot be written.\n";

static const char how_to_install[] =
    "\n"
    "Programs must trust it to be intercepted. For one command:\n"
    "  tlsblame run -- COMMAND\n"
    "For one shell, while 'tlsblame run' runs elsewhere:\n"
    "  eval \"$(tlsblame env)\"\n"
    "For this machine, on Debian:\n"
    "  cp '%s' /usr/local/share/ca-certificates/tlsblame.crt\n"
    "  update-ca-certificates\n"
    "For browsers and other systems visit http://tlsblame.test/ through the proxy.\n"
    "\n"
    "Whoever has the key can read the TLS of those who trust the CA: never share it,\n"
    "and remove the CA where it is no longer needed.\n";

static const char how_to_trust_a_box[] =
    "\n"
    "Programs that are to trust the box, as those of its users did, are given this\n"
    "certificate:\n"
    "  curl --cacert '%s' ...\n"
    "\n"
    "It stays on this machine, whatever the real box did with its own: never install\n"
    "it for good.\n";

static bool write_der(const struct authority *authority, struct buf *out) {
    CBS der = authority_der(authority);
    return buf_append(out, CBS_data(&der), CBS_len(&der));
}

static const struct format {
    const char *name;
    bool (*write)(const struct authority *authority, struct buf *out);
    bool binary;
} formats[] = {
    {"pem", authority_pem, false},
    {"der", write_der, true},
    {"p12", authority_pkcs12, true},
};

struct ca {
    const char *dir, *profile, *out;
    const struct format *format;
};

static int fail(int status, const char *says) {
    fprintf(stderr, "tlsblame ca: %s\n", says);
    return status;
}

static void print_facts(struct buf *out, const struct ca_folder *folder,
                        const struct authority *authority) {
    struct arena arena = {0};
    struct cert_facts facts;
    CBS der = authority_der(authority);
    char from[CERT_TIME_TEXT], to[CERT_TIME_TEXT];
    (void)cert_facts_parse(&facts, &arena, CBS_data(&der), CBS_len(&der));
    cert_time_format(facts.not_before, from);
    cert_time_format(facts.not_after, to);
    (void)buf_printf(out, "subject      %s\nSHA-256      ", facts.subject);
    (void)authority_fingerprint(authority, out);
    (void)buf_printf(out, "\nvalid        %s to %s\n", from, to);
    (void)buf_printf(out, "certificate  %s\nkey          %s/%s\n", folder->cert, folder->dir,
                     AUTHORITY_KEY_FILE);
    arena_cleanup(&arena);
}

static int show(const struct ca_folder *folder, const struct authority *authority, bool boxed) {
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    print_facts(&out, folder, authority);
    (void)(boxed ? buf_printf(&out, how_to_trust_a_box, folder->cert)
                 : buf_printf(&out, how_to_install, folder->cert));
    return output_write("ca", &out);
}

static int export(const struct ca *ca, const struct authority *authority) {
    bool to_stdout = ca->out == NULL || strcmp(ca->out, "-") == 0;
    struct err err;
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    if (to_stdout && ca->format->binary && isatty(STDOUT_FILENO)) {
        return fail(EXIT_USAGE, "this format is not for a terminal; give --out FILE");
    }
    if (!ca->format->write(authority, &out)) {
        buf_cleanup(&out);
        return fail(EXIT_USAGE, "the certificate is too large to be exported");
    }
    if (to_stdout) {
        return output_write("ca", &out);
    }
    bool ok = file_replace(ca->out, 0644, buf_data(&out), out.len, &err);
    buf_cleanup(&out);
    return ok ? EXIT_SUCCESS : fail(EXIT_ENVIRONMENT, err.msg);
}

// load reads the CA that is there and makes nothing.
static struct authority *load(const struct ca_folder *folder, struct err *err) {
    if (access(folder->cert, F_OK) != 0) {
        err_set(err, "no CA in %s so far: 'tlsblame ca init' makes one, as does 'tlsblame run'",
                folder->dir);
        return NULL;
    }
    char *key;
    CHECK(asprintf(&key, "%s/%s", folder->dir, AUTHORITY_KEY_FILE) >= 0);
    struct authority *authority = authority_load(folder->cert, key, time(NULL), err);
    free(key);
    return authority;
}

// options_read fills `ca` and returns -1, or the exit status when there is nothing more to do.
static int options_read(struct ca *ca, int argc, char **argv) {
    enum { OPT_CA_DIR = 256, OPT_FORMAT, OPT_OUT, OPT_PROFILE };
    static const struct option options[] = {
        // clang-format off
        {"ca-dir", required_argument, NULL, OPT_CA_DIR},
        {"format", required_argument, NULL, OPT_FORMAT},
        {"out",    required_argument, NULL, OPT_OUT},
        {"help",   no_argument,       NULL, 'h'},
        {"profile", required_argument, NULL, OPT_PROFILE},
        {NULL, 0, NULL, 0},
        // clang-format on
    };
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case OPT_CA_DIR:
            ca->dir = optarg;
            break;
        case OPT_FORMAT:
            ca->format = NULL;
            for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
                ca->format = strcmp(formats[i].name, optarg) == 0 ? &formats[i] : ca->format;
            }
            if (ca->format == NULL) {
                return usage_error("ca", "--format takes pem, der or p12, not %s", optarg);
            }
            break;
        case OPT_OUT:
            ca->out = optarg;
            break;
        case OPT_PROFILE:
            ca->profile = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_SUCCESS;
        default:
            return usage_hint("ca");
        }
    }
    return -1;
}

// show_or_export returns the exit status of `verb` once its CA is there, or is not.
static int show_or_export(const struct ca *ca, const char *verb, const struct ca_folder *folder,
                          const struct authority *authority, const struct err *err) {
    if (authority == NULL) {
        return fail(strcmp(verb, "init") == 0 ? EXIT_ENVIRONMENT : EXIT_USAGE, err->msg);
    }
    return strcmp(verb, "export") == 0 ? export(ca, authority)
                                       : show(folder, authority, ca->profile != NULL);
}

// run_profile is run for the CA of an emulated box.
static int run_profile(const struct ca *ca, const char *verb, const struct ca_folder *main_folder) {
    struct err err;
    struct profile *profile = profile_load(ca->profile, &err);
    if (profile == NULL) {
        return fail(EXIT_USAGE, err.msg);
    }
    if (profile->cert.ca.subject.num == 0) {
        profile_unref(profile);
        return fail(EXIT_USAGE, "this profile has no CA of its own: the proxy's CA issues for it");
    }
    struct ca_folder folder;
    char *dir = ca_folder_of_profile(main_folder, profile->name);
    CHECK(ca_folder_init(&folder, dir, &err));
    struct box *box = box_open(dir, &profile->cert, time(NULL), &err);
    int status = show_or_export(ca, verb, &folder, box != NULL ? box->root : NULL, &err);
    box_free(box);
    ca_folder_cleanup(&folder);
    free(dir);
    profile_unref(profile);
    return status;
}

static int run(const struct ca *ca, const char *verb) {
    struct ca_folder folder;
    struct err err;
    bool is_export = strcmp(verb, "export") == 0, is_init = strcmp(verb, "init") == 0;
    if (!is_export && !is_init && strcmp(verb, "show") != 0) {
        return usage_error("ca", "expected show, init or export, not %s", verb);
    }
    if (!is_export && (ca->format != formats || ca->out != NULL)) {
        return usage_error("ca", "--format and --out are for export, not for %s", verb);
    }
    if (!ca_folder_init(&folder, ca->dir, &err)) {
        return fail(EXIT_ENVIRONMENT, err.msg);
    }
    if (ca->profile != NULL) {
        int status = run_profile(ca, verb, &folder);
        ca_folder_cleanup(&folder);
        return status;
    }
    struct authority *authority =
        is_init ? authority_open(folder.dir, time(NULL), &err) : load(&folder, &err);
    int status = show_or_export(ca, verb, &folder, authority, &err);
    authority_free(authority);
    ca_folder_cleanup(&folder);
    return status;
}

int ca_main(int argc, char **argv) {
    struct ca ca = {.format = formats};
    int status = options_read(&ca, argc, argv);
    if (status != -1) {
        return status;
    }
    if (optind == argc) {
        return usage_error("ca", "expected show, init or export");
    }
    if (optind + 1 < argc) {
        return usage_error("ca", "unexpected argument %s", argv[optind + 1]);
    }
    return run(&ca, argv[optind]);
}
