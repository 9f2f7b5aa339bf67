#include "proxy/cli/diff.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/json.h"
#include "logs/view/comparison_page.h"
#include "proxy/cli/diff_legs.h"
#include "proxy/cli/diff_pairs.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/key_file.h"
#include "proxy/cli/terminal.h"

enum { PAGE_MAX = 64 * 1024 * 1024, WINDOW_S = 30, WINDOW_MAX_S = 7 * 24 * 3600 };

static const char help[] =
    "usage: tlsblame diff [OPTION]... A [B]\n"
    "\n"
    "Says what changed on the way from A, nearer to the client, to B. A and B are\n"
    "each a log, a capture (pcap or pcapng), or one record: FILE#N is the N-th of a\n"
    "log or capture, and anything else is an id, or the beginning of one, in the\n"
    "log. Without B the connections of A are paired among themselves: the two legs\n"
    "of a record, or the connections of a capture from before and from behind a box.\n"
    "\n"
    "Connections are paired by a nonce in the server name, client random, key share\n"
    "or session id; then by server name and time. For each pair it says whether the\n"
    "hello is identical, edited on the way or re-generated, whether the certificate\n"
    "was re-signed, and what else differs. GREASE values and the order of extensions\n"
    "are no differences.\n"
    "\n"
    "      --log FILE     where ids are looked up, instead of\n"
    "                     $XDG_STATE_HOME/tlsblame/log.ndjson (~/.local/state/...)\n"
    "      --keylog FILE  decrypt captures with the secrets of FILE, an NSS key log;\n"
    "                     may be given more than once\n"
    "      --brief        a line for each pair\n"
    "      --json         a JSON object for each pair, one a line\n"
    "      --order HOW    where A and B are logs of two proxies: in-line, for A's\n"
    "                     server leg against B's client leg; apart, for leg against\n"
    "                     leg; auto\n"
    "      --window S     pair by server name what began at most S seconds apart,\n"
    "                     after the clocks were compared (30)\n"
    "      --width N      columns to use, from 60; without it those of the terminal,\n"
    "                     or 80\n"
    "      --color WHEN   auto, always or never; auto honours NO_COLOR\n"
    "  -h, --help         show this\n"
    "\n"
    "Exit status: 0 when everything is the same; 1 when anything differs or was seen\n"
    "on one side only; 2 for bad usage, or input that cannot be read or holds no\n"
    "connection; 3 when the output cannot be written.\n";

struct diff {
    const char *a_arg, *b_arg, *color;
    struct diff_sources from;
    bool json, brief;
    enum diff_order order;
    int64_t window_us;
    size_t width; // 0: as the terminal is
    struct page page;
    struct diff_side sides[2]; // the second is empty without B
    struct diff_pairs pairs;
    size_t num_same, num_different, num_alone; // comparisons
    bool trouble;                              // one could not be made or written
};

static int usage_error(const char *says, const char *what) {
    fprintf(stderr, "tlsblame diff: %s%s; 'tlsblame diff --help' tells more\n", says, what);
    return EXIT_USAGE;
}

static bool order_read(enum diff_order *out, const char *word) {
    static const char *const words[] = {
        [DIFF_AUTO] = "auto", [DIFF_IN_LINE] = "in-line", [DIFF_APART] = "apart"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

// number_read reads a whole number from `min` to `max`.
static bool number_read(size_t *out, const char *word, size_t min, size_t max) {
    char *end;
    unsigned long n = strtoul(word, &end, 10);
    *out = n;
    return *word >= '0' && *word <= '9' && *end == '\0' && n >= min && n <= max;
}

enum {
    OPT_LOG = 256,
    OPT_KEYLOG,
    OPT_BRIEF,
    OPT_JSON,
    OPT_ORDER,
    OPT_WINDOW,
    OPT_WIDTH,
    OPT_COLOR
};

// keys_read returns -1, or the exit status.
static int keys_read(struct key_log *keys, const char *path) {
    struct err err = {0};
    size_t num_broken = 0;
    key_log_restart(keys);
    if (!key_file_read(keys, &num_broken, path, NULL, NULL, &err)) {
        fprintf(stderr, "tlsblame diff: %s\n", err.msg);
        return EXIT_USAGE;
    }
    if (num_broken != 0) {
        fprintf(stderr, "tlsblame diff: %s: %zu lines are no key log\n", path, num_broken);
    }
    return -1;
}

// option_read takes one option and returns -1, or the exit status.
static int option_read(struct diff *diff, int option) {
    size_t seconds;
    switch (option) {
    case OPT_LOG:
        diff->from.log = optarg;
        return -1;
    case OPT_KEYLOG:
        return keys_read(diff->from.keys, optarg);
    case OPT_BRIEF:
        diff->brief = true;
        return -1;
    case OPT_JSON:
        diff->json = true;
        return -1;
    case OPT_ORDER:
        return order_read(&diff->order, optarg)
                   ? -1
                   : usage_error("--order takes auto, in-line or apart, not ", optarg);
    case OPT_WINDOW:
        if (!number_read(&seconds, optarg, 0, WINDOW_MAX_S)) {
            return usage_error("--window takes a number of seconds, not ", optarg);
        }
        diff->window_us = (int64_t)seconds * 1000000;
        return -1;
    case OPT_WIDTH:
        return number_read(&diff->width, optarg, 60, 1000)
                   ? -1
                   : usage_error("--width takes a number from 60 to 1000, not ", optarg);
    case OPT_COLOR:
        diff->color = optarg;
        return -1;
    case 'h':
        fputs(help, stdout);
        return 0;
    default:
        return usage_error("bad option", "");
    }
}

// options_read fills `diff` and returns -1, or the exit status when there is nothing more to do.
static int options_read(struct diff *diff, int argc, char **argv) {
    static const struct option options[] = {
        // clang-format off
        {"log",    required_argument, NULL, OPT_LOG},
        {"keylog", required_argument, NULL, OPT_KEYLOG},
        {"brief",  no_argument,       NULL, OPT_BRIEF},
        {"json",   no_argument,       NULL, OPT_JSON},
        {"order",  required_argument, NULL, OPT_ORDER},
        {"window", required_argument, NULL, OPT_WINDOW},
        {"width",  required_argument, NULL, OPT_WIDTH},
        {"color",  required_argument, NULL, OPT_COLOR},
        {"help",   no_argument,       NULL, 'h'},
        {NULL, 0, NULL, 0},
        // clang-format on
    };
    int option, status = -1;
    optind = 1;
    while (status == -1 && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        status = option_read(diff, option);
    }
    if (status != -1) {
        return status;
    }
    diff->a_arg = optind < argc ? argv[optind++] : NULL;
    diff->b_arg = optind < argc ? argv[optind++] : NULL;
    return diff->a_arg == NULL ? usage_error("a record, a log or a capture is expected", "")
           : optind != argc    ? usage_error("unexpected argument ", argv[optind])
                               : -1;
}

static const struct diff_side *side_of(const struct diff *diff, bool b) {
    return &diff->sides[b && diff->b_arg != NULL];
}

// sighting_set tells where a leg of record `i` comes from.
static void sighting_set(struct obj *out, const struct diff_side *side, uint32_t i,
                         const struct obj *root, bool server) {
    int64_t ms;
    obj_set_str(out, F_SIGHTING_ID, obj_str(root, F_RECORD_ID));
    obj_set_str(out, F_SIGHTING_FILE, side->file);
    obj_set_int(out, F_SIGHTING_NUMBER, (int64_t)(side->first + i) + 1);
    obj_set_str(out, F_SIGHTING_LEG, server ? "server" : "client");
    if (obj_int(root, F_RECORD_TIMESTAMP, &ms)) {
        obj_set_int(out, F_SIGHTING_TIME, ms);
    }
}

static void host_set(struct obj *out, const struct obj *root) {
    struct span host = obj_span(record_leg(root, false), F_LEG_SERVER_NAME);
    host = host.len == 0 ? obj_span(root, F_RECORD_HOST) : host;
    if (host.len != 0 && !obj_has(out, F_COMPARISON_HOST)) {
        obj_set_strn(out, F_COMPARISON_HOST, host.p, host.len);
    }
}

static void print(struct diff *diff) {
    struct buf *out = diff->page.out;
    diff->trouble |= buf_room(out) == 0;
    fwrite(buf_data(out), 1, out->len, stdout);
    buf_cleanup(out);
}

// emit writes one comparison in the way that was asked for; the legs are NULL where there is none.
static void emit(struct diff *diff, const struct obj *comparison, const struct obj *a,
                 const struct obj *b) {
    bool same = obj_str_is(comparison, F_COMPARISON_RESULT, "same");
    bool alone = a == NULL || b == NULL;
    diff->num_same += same;
    diff->num_alone += alone;
    diff->num_different += !same && !alone;
    if (diff->json) {
        diff->trouble |= !json_write(diff->page.out, comparison);
        page_newline(&diff->page);
    } else if (same || alone || diff->brief) {
        comparison_page_line(&diff->page, comparison);
    } else {
        comparison_page_write(&diff->page, comparison, a, b);
        page_newline(&diff->page);
    }
    print(diff);
}

static void emit_alone(struct diff *diff, const struct obj *root, const struct pair *pair) {
    bool at_b = pair->a == DIFF_NONE;
    struct arena arena = {0};
    struct obj *comparison = obj_new(&arena, KIND_COMPARISON);
    comparison_alone(comparison, at_b);
    host_set(comparison, root);
    struct obj *from = obj_sub(comparison, at_b ? F_COMPARISON_B : F_COMPARISON_A);
    sighting_set(from, side_of(diff, at_b), at_b ? pair->b : pair->a, root, false);
    obj_unset(from, F_SIGHTING_LEG);
    emit(diff, comparison, NULL, NULL);
    arena_cleanup(&arena);
}

static void emit_legs(struct diff *diff, const struct obj *root_a, const struct obj *root_b,
                      const struct pair *pair, struct diff_choice choice) {
    struct arena arena = {0};
    struct comparison_side a, b;
    struct obj *comparison = obj_new(&arena, KIND_COMPARISON);
    diff_leg(&a, &arena, root_a, choice.a);
    diff_leg(&b, &arena, root_b, choice.b);
    host_set(comparison, root_a);
    host_set(comparison, root_b);
    sighting_set(obj_sub(comparison, F_COMPARISON_A), side_of(diff, false), pair->a, root_a,
                 choice.a);
    sighting_set(obj_sub(comparison, F_COMPARISON_B), side_of(diff, true), pair->b, root_b,
                 choice.b);
    comparison_write(comparison, &a, &b, pair->reason);
    emit(diff, comparison, a.leg, b.leg);
    arena_cleanup(&arena);
}

// is_near returns whether two records of different logs began at about the same time by their own
// clocks.
static bool is_near(const struct diff *diff, const struct pair *pair) {
    const struct diff_side *a = side_of(diff, false), *b = side_of(diff, true);
    return strcmp(a->file, b->file) != 0 &&
           llabs(b->records[pair->b].start_us - a->records[pair->a].start_us) <= diff->window_us;
}

static void compare(struct diff *diff, const struct pair *pair) {
    struct record *a = NULL, *b = NULL;
    if (pair->a != DIFF_NONE) {
        a = diff_side_read(side_of(diff, false), pair->a);
    }
    if (pair->b != DIFF_NONE) {
        b = diff_side_read(side_of(diff, true), pair->b);
    }
    if ((pair->a != DIFF_NONE && a == NULL) || (pair->b != DIFF_NONE && b == NULL)) {
        diff->trouble = true;
    } else if (a == NULL || b == NULL) {
        emit_alone(diff, a != NULL ? a->root : b->root, pair);
    } else if (pair->reason == PAIR_LEGS) {
        emit_legs(diff, a->root, b->root, pair, (struct diff_choice){false, true});
    } else {
        struct diff_choice choices[DIFF_CHOICES];
        size_t num = diff_legs_choose(choices, a->root, b->root, diff->order, is_near(diff, pair));
        for (size_t i = 0; i < num; i++) {
            emit_legs(diff, a->root, b->root, pair, choices[i]);
        }
    }
    record_free(a);
    record_free(b);
}

static void summary(struct diff *diff) {
    const struct pair_clock *clock = &diff->pairs.clock;
    page_printf(&diff->page, STYLE_DIM, "%zu the same, %zu different, %zu on one side only",
                diff->num_same, diff->num_different, diff->num_alone);
    if (clock->num != 0) {
        page_printf(&diff->page, STYLE_DIM, "; B saw hellos %+.3f s after A (+/- %.3f, of %zu)",
                    (double)clock->ahead_us / 1e6, (double)clock->spread_us / 1e6, clock->num);
    }
    page_newline(&diff->page);
    print(diff);
}

// anything tells of each side that holds nothing, and returns whether there is anything to compare.
static bool anything(const struct diff *diff) {
    size_t num = 0;
    for (size_t i = 0; i < (diff->b_arg != NULL ? 2 : 1); i++) {
        num += diff->sides[i].num;
        if (diff->sides[i].num == 0) {
            fprintf(stderr, "tlsblame diff: %s holds no TLS connection\n", diff->sides[i].file);
        }
    }
    return num != 0;
}

static int diff_run(struct diff *diff) {
    struct err err = {0};
    if (!anything(diff)) {
        return EXIT_USAGE;
    }
    if (!diff_pairs_make(&diff->pairs, diff->sides, diff->b_arg != NULL, diff->window_us, &err)) {
        fprintf(stderr, "tlsblame diff: %s\n", err.msg);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < diff->pairs.num; i++) {
        compare(diff, &diff->pairs.pairs[i]);
    }
    if (!diff->json && diff->pairs.num > 1) {
        summary(diff);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("tlsblame diff: cannot write");
        return EXIT_ENVIRONMENT;
    }
    return diff->trouble                                ? EXIT_USAGE
           : diff->num_different + diff->num_alone != 0 ? EXIT_FINDING
                                                        : 0;
}

// diff_open opens what there is to compare and compares it. It returns the exit status.
static int diff_open(struct diff *diff) {
    int status;
    struct buf out;
    buf_init(&out, PAGE_MAX);
    diff->page.out = &out;
    diff->page.width = diff->width != 0 ? diff->width : terminal_width(stdout, 80);
    if (!terminal_color(&diff->page.color, diff->color, stdout)) {
        return usage_error("--color takes auto, always or never, not ", diff->color);
    }
    if (diff_side_open(&diff->sides[0], &status, diff->a_arg, &diff->from) &&
        (diff->b_arg == NULL ||
         diff_side_open(&diff->sides[1], &status, diff->b_arg, &diff->from))) {
        status = diff_run(diff);
    }
    return status;
}

int diff_main(int argc, char **argv) {
    struct diff diff = {.color = "auto", .window_us = WINDOW_S * INT64_C(1000000)};
    diff.from.keys = key_log_new(0);
    int status = options_read(&diff, argc, argv);
    if (status == -1) {
        status = diff_open(&diff);
    }
    diff_pairs_cleanup(&diff.pairs);
    diff_side_cleanup(&diff.sides[0]);
    diff_side_cleanup(&diff.sides[1]);
    key_log_free(diff.from.keys);
    return status;
}
