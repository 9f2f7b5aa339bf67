#include "proxy/cli/learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/learn/learn.h"
#include "policy/profiles/profile.h"
#include "proxy/cli/diff_legs.h"
#include "proxy/cli/diff_pairs.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/key_file.h"
#include "proxy/cli/options.h"
#include "proxy/cli/output.h"
#include "proxy/cli/usage.h"

enum { OUTPUT_MAX = 2 * PROFILE_MAX_LEN, WINDOW_US = 30 * 1000000 };

static const char help[] =
    "usage: tlsblame learn [OPTION]... ID|FILE...\n"
    "\n"
    "Writes the profile of a box that stood in between: what it says to servers, what\n"
    "it grants clients, the certificates that it forges, and what it does with bad\n"
    "servers. 'tlsblame run --as FILE' is that box then.\n"
    "\n"
    "Records come from logs, captures, FILE#N or ids, as for 'tlsblame diff', and are\n"
    "paired in the same way. With two arguments the first was seen before the box,\n"
    "nearer to the client, and the second behind it; any other number, each holds\n"
    "both sides. Certificates are seen in TLS 1.2, by a proxy that ends TLS, or in a\n"
    "capture with its secrets.\n"
    "\n"
    "A knob is turned where all records agree. The profile tells for each of them\n"
    "which records said so (\"learned\"), and what they do not tell (\"not_learned\").\n"
    "More hosts tell more: two with different names, one that has expired, one whose\n"
    "certificate is for another name, one that signed its own.\n"
    "\n"
    "  -o, --output FILE  write to FILE instead of standard output\n"
    "      --name NAME    what the profile is called (learned)\n"
    "      --json         the profile alone; else what was learned and what was not\n"
    "                     is told on standard error, too\n"
    "      --keylog FILE  decrypt captures with the secrets of FILE, an NSS key log;\n"
    "                     may be given more than once\n"
    "      --log FILE     where ids are looked up, instead of\n"
    "                     $XDG_STATE_HOME/tlsblame/log.ndjson (~/.local/state/...)\n"
    "  -h, --help         show this\n"
    "\n"
    "Exit status: 0; 1 when the records show no box; 2 for bad usage or input that\n"
    "cannot be read; 3 when the output cannot be written.\n";

struct learn_run {
    const char *output, *name;
    bool json;
    struct option_list keylogs;
    struct diff_sources from;
    struct learn *learn;
    size_t num_left; // sightings past the ceiling
};

static bool keys_read(struct learn_run *run) {
    for (size_t i = 0; i < run->keylogs.num; i++) {
        struct err err = {0};
        size_t num_broken = 0;
        key_log_restart(run->from.keys);
        if (!key_file_read(run->from.keys, &num_broken, run->keylogs.items[i], NULL, NULL, &err)) {
            fprintf(stderr, "tlsblame learn: %s\n", err.msg);
            return false;
        }
    }
    return true;
}

// sighting_add adds one pair of legs.
static void sighting_add(struct learn_run *run, const struct obj *a, const struct obj *b,
                         struct diff_choice choice) {
    int64_t ms = 0, us = 0;
    const struct obj *front = record_leg(a, choice.a);
    const char *id_a = obj_str(a, F_RECORD_ID), *id_b = obj_str(b, F_RECORD_ID);
    const char *name = obj_str(record_leg(a, false), F_LEG_SERVER_NAME);
    struct arena arena = {0};
    (void)obj_int(a, F_RECORD_TIMESTAMP, &ms);
    (void)obj_int(front, F_LEG_MS_HELLO, &us);
    struct learn_sighting sighting = {
        .id = strcmp(id_a, id_b) == 0 ? id_a : arena_printf(&arena, "%s/%s", id_a, id_b),
        .host = name != NULL ? name : obj_str(a, F_RECORD_HOST),
        .time = (ms + us / 1000) / 1000,
        .front = front,
        .behind = record_leg(b, choice.b),
    };
    run->num_left += !learn_add(run->learn, &sighting);
    arena_cleanup(&arena);
}

static void pair_take(struct learn_run *run, const struct diff_side *side_a,
                      const struct diff_side *side_b, const struct pair *pair) {
    struct diff_choice choices[DIFF_CHOICES] = {{false, true}};
    if (pair->a == DIFF_NONE || pair->b == DIFF_NONE) {
        return;
    }
    struct record *a = diff_side_read(side_a, pair->a), *b = diff_side_read(side_b, pair->b);
    if (a != NULL && b != NULL) {
        if (pair->reason != PAIR_LEGS) {
            (void)diff_legs_choose(choices, a->root, b->root, DIFF_IN_LINE, true);
        }
        sighting_add(run, a->root, b->root, choices[0]);
    }
    record_free(a);
    record_free(b);
}

// sides_take pairs what one argument holds, or two, and adds the pairs. It returns 0 or the exit
// status.
static int sides_take(struct learn_run *run, char *const *args, bool two) {
    struct diff_side sides[2] = {{.reader = NULL}, {.reader = NULL}};
    struct diff_pairs pairs = {.pairs = NULL};
    struct err err = {0};
    int status = 0; // what it becomes has no meaning as long as everything opens
    bool open = diff_side_open(&sides[0], &status, args[0], &run->from) &&
                (!two || diff_side_open(&sides[1], &status, args[1], &run->from));
    status = open ? 0 : status;
    if (open && !diff_pairs_make(&pairs, sides, two, WINDOW_US, &err)) {
        fprintf(stderr, "tlsblame learn: %s\n", err.msg);
        status = EXIT_FINDING;
    }
    for (size_t i = 0; open && i < pairs.num; i++) {
        pair_take(run, &sides[0], two ? &sides[1] : &sides[0], &pairs.pairs[i]);
    }
    diff_pairs_cleanup(&pairs);
    diff_side_cleanup(&sides[0]);
    diff_side_cleanup(&sides[1]);
    return status;
}

static int output_file(const char *path, const struct buf *text) {
    FILE *file = fopen(path, "we");
    bool ok = file != NULL && fwrite(buf_data(text), 1, text->len, file) == text->len;
    ok = (file == NULL || fclose(file) == 0) && ok;
    if (!ok) {
        fprintf(stderr, "tlsblame learn: cannot write %s\n", path);
    }
    return ok ? 0 : EXIT_ENVIRONMENT;
}

static void tell_strings(const char *title, const struct profile_strings *strings) {
    fprintf(stderr, "%s\n", title);
    for (size_t i = 0; i < strings->num; i++) {
        fprintf(stderr, "  %s\n", strings->items[i]);
    }
}

// tell says on standard error what is in the profile.
static void tell(const struct buf *text) {
    struct profile *profile =
        profile_parse("learned", (const char *)buf_data(text), text->len, NULL);
    CHECK(profile != NULL);
    tell_strings("Learned:", &profile->learned);
    tell_strings("Not learned:", &profile->not_learned);
    profile_unref(profile);
}

static int profile_write(struct learn_run *run) {
    struct err err = {0};
    struct buf text;
    buf_init(&text, OUTPUT_MAX);
    if (!learn_print(run->learn, &text, &err)) {
        buf_cleanup(&text);
        fprintf(stderr, "tlsblame learn: %s\n", err.msg);
        return EXIT_FINDING;
    }
    if (!run->json) {
        tell(&text);
    }
    if (run->num_left != 0) {
        fprintf(stderr, "tlsblame learn: %zu more connections were left out\n", run->num_left);
    }
    if (run->output == NULL) {
        return output_write("learn", &text);
    }
    int status = output_file(run->output, &text);
    buf_cleanup(&text);
    return status;
}

static int learn_args(struct learn_run *run, char *const *args, size_t num_args) {
    if (num_args == 0) {
        return usage_error("learn", "a record, a log or a capture is expected");
    }
    if (!keys_read(run)) {
        return EXIT_USAGE;
    }
    int status = 0;
    bool two = num_args == 2;
    for (size_t i = 0; i < (two ? 1 : num_args) && status == 0; i++) {
        status = sides_take(run, args + i, two);
    }
    return status != 0 ? status : profile_write(run);
}

static bool is_name(const char *name) {
    return *name != '\0' && *name != '.' && strlen(name) <= PROFILE_MAX_NAME &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

int learn_main(int argc, char **argv) {
    struct learn_run run = {.name = "learned"};
    const struct option_row rows[] = {
        {.name = "output", .letter = 'o', .kind = OPTION_TEXT, .out = &run.output},
        {.name = "name", .kind = OPTION_TEXT, .out = &run.name},
        {.name = "json", .kind = OPTION_FLAG, .out = &run.json},
        {.name = "keylog", .kind = OPTION_LIST, .out = &run.keylogs},
        {.name = "log", .kind = OPTION_TEXT, .out = &run.from.log},
    };
    int rest, status = options_read(&rest, "learn", help, rows, ARRAY_LEN(rows), argc, argv);
    if (status != -1) {
        return status;
    }
    if (!is_name(run.name)) {
        return usage_error("learn",
                           "--name takes small letters, digits, \"-\", \"_\" and \".\", not %s",
                           run.name);
    }
    run.from.keys = key_log_new(0);
    run.learn = learn_new(run.name);
    status = learn_args(&run, argv + rest, (size_t)(argc - rest));
    learn_free(run.learn);
    key_log_free(run.from.keys);
    return status;
}
