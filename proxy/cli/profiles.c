#include "proxy/cli/profiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/json.h"
#include "policy/config/reader.h"
#include "policy/config/wrap.h"
#include "policy/profiles/profile.h"
#include "policy/profiles/profile_manual.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/options.h"
#include "proxy/cli/output.h"
#include "proxy/cli/usage.h"

enum { OUTPUT_MAX = 16 * 1024 * 1024, INDENT = 5, LABEL = 12 };

static const char help[] =
    "usage: tlsblame profiles [--json] [PROFILE]\n"
    "       tlsblame profiles check FILE\n"
    "       tlsblame profiles keys|schema\n"
    "\n"
    "Lists the profiles of boxes that do something to TLS: antivirus products,\n"
    "inspecting firewalls, filters. With a PROFILE, tells its story: what the real\n"
    "box did, where that is written and how sure it is, what clients are expected to\n"
    "say, what is only approximated; and prints the profile. A PROFILE is the name of\n"
    "a built-in one, a file (./my-box.json), or several with commas, which become\n"
    "one: where two turn the same knob the later one wins, and reactions are weighed\n"
    "in turn.\n"
    "\n"
    "check    read a profile and print it as it is understood, or say what is wrong\n"
    "         in it, and where\n"
    "keys     show every knob of a profile: values, default, meaning\n"
    "schema   print the JSON Schema of profiles, for editors\n"
    "\n"
    "      --json  the list, or the profile alone, as JSON\n"
    "  -h, --help  show this\n"
    "\n"
    "Exit status: 0; 2 for bad usage, an unknown PROFILE, or a FILE that cannot be\n"
    "read or holds a mistake; 3 when the output cannot be written.\n";

static int fail(struct buf *out, const char *message) {
    buf_cleanup(out);
    fprintf(stderr, "tlsblame profiles: %s\n", message);
    return EXIT_USAGE;
}

static const char *confidence_name(enum profile_confidence confidence) {
    static const char *const NAMES[] = {[PROFILE_REPORTED] = "reported",
                                        [PROFILE_DOCUMENTED] = "documented",
                                        [PROFILE_MEASURED] = "measured"};
    return NAMES[confidence];
}

static bool put_json(struct buf *out, const char *key, const char *value) {
    return buf_printf(out, ", \"%s\": ", key) && json_write_string(out, value, strlen(value));
}

static bool list_row(struct buf *out, const struct profile *profile, bool json, bool last) {
    const char *confidence = confidence_name(profile->confidence);
    if (json) {
        return buf_printf(out, "  {\"number\": %u", profile->number) &&
               put_json(out, "name", profile->name) && put_json(out, "line", profile->line) &&
               put_json(out, "confidence", confidence) && buf_printf(out, last ? "}\n" : "},\n");
    }
    return buf_printf(out, "E%-*u%s (%s)\n", INDENT - 1, profile->number, profile->name,
                      confidence) &&
           wrap_text(out, INDENT, "", profile->line);
}

static int list(struct buf *out, bool json) {
    bool ok = !json || buf_printf(out, "[\n");
    for (size_t i = 0; i < profile_num_builtin(); i++) {
        struct profile *profile = profile_load(profile_builtin_name(i), NULL);
        CHECK(profile != NULL);
        ok = ok && list_row(out, profile, json, i + 1 == profile_num_builtin());
        profile_unref(profile);
    }
    CHECK(ok && (!json || buf_printf(out, "]\n")));
    return output_write("profiles", out);
}

static bool tell_strings(struct buf *out, const char *label,
                         const struct profile_strings *strings) {
    bool ok = true;
    for (size_t i = 0; i < strings->num; i++) {
        ok = ok && wrap_text(out, LABEL, i == 0 ? label : "", strings->items[i]);
    }
    return ok;
}

static bool tell_symptoms(struct buf *out, char *const *symptoms) {
    bool ok = buf_printf(out, "\nWhat clients are expected to say:\n");
    bool any = false;
    for (size_t i = 0; i < PROFILE_NUM_CLIENTS; i++) {
        char label[LABEL + 1];
        snprintf(label, sizeof(label), "  %s", profile_client_name(i));
        if (symptoms[i] != NULL) {
            ok = ok && wrap_text(out, LABEL, label, symptoms[i]);
            any = true;
        }
    }
    return ok && (any || buf_printf(out, "  the file does not say\n"));
}

static bool tell_items(struct buf *out, const struct profile_strings *strings) {
    bool ok = true;
    for (size_t i = 0; i < strings->num; i++) {
        ok = ok && wrap_text(out, 2, "-", strings->items[i]);
    }
    return ok;
}

static bool tell_list(struct buf *out, const char *title, const struct profile_strings *strings) {
    return strings->num == 0 || (buf_printf(out, "\n%s\n", title) && tell_items(out, strings));
}

// tell_approximated adds to the profile's own words what holds for every template.
static bool tell_approximated(struct buf *out, const struct profile *profile) {
    const struct profile_strings *own = &profile->approximations;
    bool template = profile->server_leg.hello == PROFILE_HELLO_TEMPLATE;
    return ((own->num == 0 && !template) || buf_printf(out, "\nWhat is only approximated:\n")) &&
           tell_items(out, own) &&
           (!template ||
            wrap_text(out, 2, "-",
                      "The hello is the template's, byte for byte. Spoken behind it are TLS 1.0 to "
                      "1.3 with ECDHE (X25519, P-256, P-384, P-521), DHE or RSA, and AES-GCM, "
                      "ChaCha20-Poly1305, AES-CBC, 3DES or RC4. A server that chooses something "
                      "else of what it offers (compression and encrypt_then_mac, too) ends the "
                      "connection, and the verdict says so."));
}

static bool tell(struct buf *out, const struct profile *profile) {
    bool ok = buf_printf(out, "%s", profile->name);
    ok = ok && (profile->number == 0 || buf_printf(out, " (E%u)", profile->number));
    ok = ok && buf_printf(out, "\n") &&
         (profile->line == NULL || wrap_text(out, 0, "", profile->line)) &&
         (profile->story == NULL ||
          (buf_printf(out, "\n") && wrap_text(out, 0, "", profile->story))) &&
         buf_printf(out, "\n") &&
         (profile->date == NULL || wrap_text(out, LABEL, "Date", profile->date)) &&
         tell_strings(out, "Source", &profile->sources) &&
         wrap_text(out, LABEL, "Confidence", confidence_name(profile->confidence)) &&
         tell_symptoms(out, profile->symptoms) && tell_approximated(out, profile) &&
         tell_list(out, "Where the profiles disagree:", &profile->conflicts) &&
         buf_printf(out, "\nThe profile:\n");
    return ok;
}

// show_file is show for a file, whatever its name.
static int show_file(struct buf *out, const char *path) {
    struct err err;
    size_t text_len;
    char *text = reader_file(&text_len, path, PROFILE_MAX_LEN, &err);
    struct profile *profile = text != NULL ? profile_parse(path, text, text_len, &err) : NULL;
    free(text);
    if (profile == NULL) {
        return fail(out, err.msg);
    }
    CHECK(profile_print(out, profile));
    profile_unref(profile);
    return output_write("profiles", out);
}

// show prints the profile `spec`, after its story where `story` is asked for.
static int show(struct buf *out, const char *spec, bool story) {
    struct err err;
    struct profile *profile = profile_load(spec, &err);
    if (profile == NULL) {
        return fail(out, err.msg);
    }
    bool ok = (!story || tell(out, profile)) && profile_print(out, profile);
    profile_unref(profile);
    CHECK(ok);
    return output_write("profiles", out);
}

int profiles_main(int argc, char **argv) {
    bool json = false;
    const struct option_row rows[] = {{.name = "json", .kind = OPTION_FLAG, .out = &json}};
    int rest, status = options_read(&rest, "profiles", help, rows, ARRAY_LEN(rows), argc, argv);
    if (status != -1) {
        return status;
    }
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    const char *what = rest < argc ? argv[rest++] : "";
    bool check = strcmp(what, "check") == 0;
    const char *file = check && rest < argc ? argv[rest++] : NULL;
    if (rest < argc) {
        return usage_error("profiles", "unexpected argument %s", argv[rest]);
    }
    if (check && file == NULL) {
        return usage_error("profiles", "check takes a FILE");
    }
    if (strcmp(what, "keys") == 0) {
        CHECK(profile_print_keys(&out));
        return output_write("profiles", &out);
    }
    if (strcmp(what, "schema") == 0) {
        CHECK(profile_print_schema(&out));
        return output_write("profiles", &out);
    }
    if (what[0] == '\0') {
        return list(&out, json);
    }
    return check ? show_file(&out, file) : show(&out, what, !json);
}
