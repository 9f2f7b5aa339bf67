// What the lab says: its table, line by line, and its end.
#ifndef PROXY_CLI_LAB_TABLE_H_
#define PROXY_CLI_LAB_TABLE_H_

#include "logs/view/page.h"
#include "proxy/cli/lab_stage.h"

// struct lab_score counts.
struct lab_score {
    size_t played, right;
    double seconds;
    char failed_id[64]; // of the first record that blames somebody, or ""
};

// lab_table_head writes the names of the columns; lab_table_begin the start of a scenario's line,
// and lab_table_seen its whole.
void lab_table_head(struct page *page);
void lab_table_begin(struct page *page, const struct lab_scenario *scenario);
void lab_table_seen(struct page *page, const struct lab_scenario *scenario,
                    const struct lab_seen *seen);

// lab_table_list writes a scenario and what happens in it.
void lab_table_list(struct page *page, const struct lab_scenario *scenario);

// lab_table_end writes the score, and how to go on: `kept` is the log, or NULL where it goes.
void lab_table_end(struct page *page, const struct lab_score *score, const char *kept);

// lab_table_json appends a scenario, and what was seen unless that is NULL, as a line of JSON;
// lab_table_json_end the score.
WUNRES bool lab_table_json(struct buf *out, const struct lab_scenario *scenario,
                           const struct lab_seen *seen);
WUNRES bool lab_table_json_end(struct buf *out, const struct lab_score *score);

#endif // PROXY_CLI_LAB_TABLE_H_
