#include "proxy/cli/lab_table.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/json.h"

enum { NAME_WIDTH = 20, EXPECTED_WIDTH = 36, TEXT_MAX = 256 };

void lab_table_head(struct page *page) {
    page_printf(page, STYLE_DIM, "%-*s %-*s %s", NAME_WIDTH, "scenario", EXPECTED_WIDTH, "expected",
                "verdict");
    page_newline(page);
}

void lab_table_begin(struct page *page, const struct lab_scenario *scenario) {
    char expected[TEXT_MAX];
    snprintf(expected, sizeof(expected), "%s: %s", scenario->party, scenario->cause);
    page_printf(page, STYLE_PLAIN, "%-*s %-*s ", NAME_WIDTH, scenario->name, EXPECTED_WIDTH,
                expected);
}

void lab_table_seen(struct page *page, const struct lab_scenario *scenario,
                    const struct lab_seen *seen) {
    bool same =
        strcmp(seen->party, scenario->party) == 0 && strcmp(seen->cause, scenario->cause) == 0;
    lab_table_begin(page, scenario);
    if (lab_seen_right(seen, scenario)) {
        page_printf(page, STYLE_GOOD, "right, %s", seen->confidence);
    } else if (seen->id[0] == '\0') {
        page_puts(page, STYLE_BAD, "WRONG: no record came");
    } else if (same) {
        page_printf(page, STYLE_BAD, "WRONG: %s is not ruled out", scenario->ruled_out);
    } else {
        page_printf(page, STYLE_BAD, "WRONG: %s: %s, %s", seen->party, seen->cause,
                    seen->confidence);
    }
    page_newline(page);
}

void lab_table_list(struct page *page, const struct lab_scenario *scenario) {
    page_printf(page, STYLE_TITLE, "%-*s ", NAME_WIDTH, scenario->name);
    page_paragraph(page, STYLE_PLAIN, NAME_WIDTH + 1, true, page_span(scenario->says));
}

void lab_table_end(struct page *page, const struct lab_score *score, const char *kept) {
    page_newline(page);
    page_printf(page, score->right == score->played ? STYLE_GOOD : STYLE_BAD,
                "%zu of %zu verdicts are right", score->right, score->played);
    page_printf(page, STYLE_PLAIN, ", in %.1f s. To go on:", score->seconds);
    page_newline(page);
    if (kept != NULL) {
        page_printf(page, STYLE_PLAIN, "  tlsblame list --log %s", kept);
        page_newline(page);
        page_printf(page, STYLE_PLAIN, "  tlsblame show --log %s %s", kept, score->failed_id);
        page_newline(page);
        page_printf(page, STYLE_PLAIN, "  tlsblame explain --log %s %s", kept, score->failed_id);
    } else {
        page_puts(page, STYLE_PLAIN,
                  "  tlsblame lab --keep DIR       keeps the log for list, show and explain");
        page_newline(page);
        page_puts(page, STYLE_PLAIN, "  tlsblame explain --list       every cause that there is");
        page_newline(page);
        page_puts(page, STYLE_PLAIN,
                  "  tlsblame run -- COMMAND       the same for a program of yours");
    }
    page_newline(page);
}

// ---- JSON

static bool string(struct buf *out, const char *key, const char *value, const char *behind) {
    return buf_printf(out, "\"%s\":", key) && json_write_string(out, value, strlen(value)) &&
           buf_printf(out, "%s", behind);
}

static bool write_seen(struct buf *out, const struct lab_scenario *scenario,
                       const struct lab_seen *seen) {
    return buf_printf(out, ",\"verdict\":{") && string(out, "party", seen->party, ",") &&
           string(out, "cause", seen->cause, ",") &&
           string(out, "confidence", seen->confidence, ",") &&
           string(out, "says", seen->says, "},") && string(out, "id", seen->id, ",") &&
           buf_printf(out, "\"right\":%s", lab_seen_right(seen, scenario) ? "true" : "false");
}

bool lab_table_json(struct buf *out, const struct lab_scenario *scenario,
                    const struct lab_seen *seen) {
    return buf_printf(out, "{") && string(out, "scenario", scenario->name, ",") &&
           string(out, "says", scenario->says, ",") && buf_printf(out, "\"expected\":{") &&
           string(out, "party", scenario->party, ",") &&
           string(out, "cause", scenario->cause, "}") &&
           (seen == NULL || write_seen(out, scenario, seen)) && buf_printf(out, "}\n");
}

bool lab_table_json_end(struct buf *out, const struct lab_score *score) {
    return buf_printf(out, "{\"right\":%zu,\"of\":%zu,\"seconds\":%.3f}\n", score->right,
                      score->played, score->seconds);
}
