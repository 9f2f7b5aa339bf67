#include "proxy/cli/lab.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "logs/base/file.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/lab_case.h"
#include "proxy/cli/lab_table.h"
#include "proxy/cli/options.h"
#include "proxy/cli/output.h"
#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"

enum { SCENARIOS_MAX = 256, TEXT_MAX = 64 * 1024, PATH_TEXT_MAX = 4096, FTW_DESCRIPTORS = 8 };

static const char help[] =
    "usage: tlsblame lab [OPTION]... [SCENARIO]...\n"
    "       tlsblame lab --case DIR\n"
    "\n"
    "The tour: breaks handshakes on this machine, one after the other, in every way\n"
    "that has a scenario, and shows what was expected of the verdict and what came.\n"
    "Clients, servers and boxes are this program's own, on 127.0.0.1; the network,\n"
    "root and the CA of your proxy are not needed, and nothing is left behind.\n"
    "\n"
    "      --list         what happens in the scenarios, without playing them\n"
    "      --case DIR     play what 'tlsblame export --case' wrote: a server with\n"
    "                     what was wrong with the recorded one, the recorded hello\n"
    "      --keep DIR     keep the log in DIR/log.ndjson, for 'tlsblame list', 'show'\n"
    "                     and 'explain'; the CA and the certificates, too\n"
    "      --json         a line of JSON for each scenario, and one for the score\n"
    "      --color WHEN   auto, always or never; auto honours NO_COLOR\n"
    "  -h, --help         show this\n"
    "\n"
    "Exit status: 0 when all verdicts are right; 1 when one is not; 2 for bad usage;\n"
    "3 when the environment failed (no port, no folder for temporary files).\n";

struct lab {
    const char *keep, *color_when, *dir;
    struct lab_cases *cases; // of `dir`
    bool list, json, color;
    bool live; // a line begins before its scenario is played
    size_t width;
    const struct lab_scenario *scenarios[SCENARIOS_MAX];
    size_t num;
    struct lab_score score;
    sigset_t stops; // signals that end it between two scenarios
    int stopped_by; // the one that came, or 0
};

// ---- output

// emit writes and frees `text`, so that it is seen at once.
static void emit(struct buf *text) {
    fwrite(buf_data(text), 1, text->len, stdout);
    fflush(stdout);
    buf_cleanup(text);
}

static struct page page_on(const struct lab *lab, struct buf *text) {
    buf_init(text, TEXT_MAX);
    return (struct page){.out = text, .width = lab->width, .color = lab->color};
}

static void list_all(const struct lab *lab) {
    for (size_t i = 0; i < lab->num; i++) {
        struct buf text;
        struct page page = page_on(lab, &text);
        if (lab->json) {
            CHECK(lab_table_json(&text, lab->scenarios[i], NULL));
        } else {
            lab_table_list(&page, lab->scenarios[i]);
        }
        emit(&text);
    }
}

static void tell_head(const struct lab *lab) {
    struct buf text;
    struct page page = page_on(lab, &text);
    if (!lab->json) {
        lab_table_head(&page);
    }
    emit(&text);
}

static void tell_begin(const struct lab *lab, const struct lab_scenario *scenario) {
    struct buf text;
    struct page page = page_on(lab, &text);
    if (lab->live) {
        lab_table_begin(&page, scenario);
        page_puts(&page, STYLE_DIM, "...");
    }
    emit(&text);
}

static void tell_seen(const struct lab *lab, const struct lab_scenario *scenario,
                      const struct lab_seen *seen) {
    struct buf text;
    struct page page = page_on(lab, &text);
    if (lab->json) {
        CHECK(lab_table_json(&text, scenario, seen));
    } else {
        (void)!buf_append(&text, "\r\033[K", lab->live ? 4 : 0);
        lab_table_seen(&page, scenario, seen);
    }
    emit(&text);
}

static void tell_end(const struct lab *lab, const char *log) {
    struct buf text;
    struct page page = page_on(lab, &text);
    if (lab->json) {
        CHECK(lab_table_json_end(&text, &lab->score));
    } else {
        lab_table_end(&page, &lab->score, lab->keep != NULL ? log : NULL);
    }
    emit(&text);
}

// ---- playing

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void score_add(struct lab_score *score, const struct lab_scenario *scenario,
                      const struct lab_seen *seen) {
    score->played++;
    score->right += lab_seen_right(seen, scenario);
    if (score->failed_id[0] == '\0' && strcmp(seen->party, "none") != 0) {
        memcpy(score->failed_id, seen->id, sizeof(score->failed_id));
    }
}

static bool play_all(struct lab *lab, struct lab_stage *stage, struct err *err) {
    static const struct timespec at_once = {0};
    double began = seconds_now();
    tell_head(lab);
    for (size_t i = 0; i < lab->num && lab->stopped_by == 0; i++) {
        const struct lab_scenario *scenario = lab->scenarios[i];
        struct lab_seen seen;
        tell_begin(lab, scenario);
        if (!lab_stage_play(stage, scenario, &seen, err)) {
            return err_prefix(err, "%s", scenario->name);
        }
        score_add(&lab->score, scenario, &seen);
        tell_seen(lab, scenario, &seen);
        int signum = sigtimedwait(&lab->stops, NULL, &at_once);
        lab->stopped_by = signum > 0 ? signum : 0;
    }
    lab->score.seconds = seconds_now() - began;
    return true;
}

static int play_in(struct lab *lab, const char *dir) {
    struct err err;
    struct lab_stage *stage = lab_stage_new(dir, &err);
    bool ok = stage != NULL && play_all(lab, stage, &err);
    if (ok && lab->stopped_by == 0) {
        tell_end(lab, lab_stage_log(stage));
    }
    lab_stage_free(stage);
    if (!ok) {
        fprintf(stderr, "%stlsblame lab: %s\n", lab->live ? "\n" : "", err.msg);
        return EXIT_ENVIRONMENT;
    }
    int status = output_finish("lab");
    return status != 0 ? status : lab->score.right == lab->score.played ? 0 : EXIT_FINDING;
}

// ---- the folder

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int play_in_temporary(struct lab *lab) {
    char dir[PATH_TEXT_MAX];
    const char *above = getenv("TMPDIR");
    int len = snprintf(dir, sizeof(dir), "%s/tlsblame-lab-XXXXXX",
                       above != NULL && *above != '\0' ? above : "/tmp");
    if (len < 0 || (size_t)len >= sizeof(dir) || mkdtemp(dir) == NULL) {
        fprintf(stderr, "tlsblame lab: cannot make a folder for temporary files: %s\n",
                strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    int status = play_in(lab, dir);
    if (nftw(dir, remove_one, FTW_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) != 0) {
        fprintf(stderr, "tlsblame lab: %s stays behind: %s\n", dir, strerror(errno));
    }
    return status;
}

static int play_in_kept(struct lab *lab) {
    struct err err;
    if (!file_make_folders(lab->keep, &err)) {
        fprintf(stderr, "tlsblame lab: %s\n", err.msg);
        return EXIT_ENVIRONMENT;
    }
    return play_in(lab, lab->keep);
}

// play keeps the signals that would end the process, in every thread, until all is cleaned up.
static int play(struct lab *lab) {
    sigset_t before;
    sigemptyset(&lab->stops);
    sigaddset(&lab->stops, SIGINT);
    sigaddset(&lab->stops, SIGTERM);
    sigaddset(&lab->stops, SIGHUP);
    CHECK(sigprocmask(SIG_BLOCK, &lab->stops, &before) == 0);
    signal(SIGPIPE, SIG_IGN);
    int status = lab->keep != NULL ? play_in_kept(lab) : play_in_temporary(lab);
    CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
    if (lab->stopped_by != 0) {
        raise(lab->stopped_by);
    }
    return status;
}

// ---- the command line

static bool is_dumb(void) {
    const char *term = getenv("TERM");
    return term == NULL || strcmp(term, "dumb") == 0;
}

// scenarios_take takes the scenarios that are named, or all.
static int scenarios_take(struct lab *lab, size_t num_names, char **names) {
    CHECK(lab_num_scenarios <= SCENARIOS_MAX);
    if (num_names > SCENARIOS_MAX) {
        return usage_error("lab", "at most %d scenarios can be named", SCENARIOS_MAX);
    }
    for (size_t i = 0; num_names == 0 && i < lab_num_scenarios; i++) {
        lab->scenarios[lab->num++] = &lab_scenarios[i];
    }
    for (size_t i = 0; i < num_names; i++) {
        lab->scenarios[lab->num] = lab_scenario_find(names[i]);
        if (lab->scenarios[lab->num++] == NULL) {
            return usage_error("lab", "there is no scenario '%s'; --list has them", names[i]);
        }
    }
    return -1;
}

// cases_take takes what the folder of --case holds.
static int cases_take(struct lab *lab) {
    struct err err;
    lab->cases = lab_cases_read(lab->dir, &err);
    if (lab->cases == NULL) {
        fprintf(stderr, "tlsblame lab: %s\n", err.msg);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < lab_cases_num(lab->cases) && lab->num < SCENARIOS_MAX; i++) {
        lab->scenarios[lab->num++] = lab_cases_at(lab->cases, i);
    }
    return -1;
}

static int lab_play(struct lab *lab) {
    if (!terminal_color(&lab->color, lab->color_when, stdout)) {
        return usage_error("lab", "--color takes auto, always or never, not %s", lab->color_when);
    }
    lab->width = terminal_width(stdout, 80);
    lab->live = !lab->json && isatty(STDOUT_FILENO) && !is_dumb();
    if (lab->list) {
        list_all(lab);
        return output_finish("lab");
    }
    return play(lab);
}

int lab_main(int argc, char **argv) {
    struct lab lab = {.color_when = "auto"};
    const struct option_row rows[] = {
        {.name = "list", .kind = OPTION_FLAG, .out = &lab.list},
        {.name = "case", .kind = OPTION_TEXT, .out = &lab.dir},
        {.name = "keep", .kind = OPTION_TEXT, .out = &lab.keep},
        {.name = "json", .kind = OPTION_FLAG, .out = &lab.json},
        {.name = "color", .kind = OPTION_TEXT, .out = &lab.color_when},
    };
    int rest, status = options_read(&rest, "lab", help, rows, ARRAY_LEN(rows), argc, argv);
    if (status == -1 && lab.dir != NULL) {
        status =
            argc != rest ? usage_error("lab", "--case goes without scenarios") : cases_take(&lab);
    } else if (status == -1) {
        status = scenarios_take(&lab, (size_t)(argc - rest), argv + rest);
    }
    status = status == -1 ? lab_play(&lab) : status;
    lab_cases_free(lab.cases);
    return status;
}
