// What `probe` prints while it works: a line for each connection, or for each that there would be.
#ifndef PROXY_CLI_PROBE_TABLE_H_
#define PROXY_CLI_PROBE_TABLE_H_

#include "logs/view/page.h"
#include "proxy/probe/probe.h"

// probe_table_result writes the line of an experiment, of KIND_EXPERIMENT; probe_table_head what
// stands above them.
void probe_table_head(struct page *page);
void probe_table_result(struct page *page, const struct obj *experiment);

// probe_table_plan writes what a probe would send: name, factor, size, records and segments, JA4.
// `hello` is NULL for one without.
void probe_table_plan_head(struct page *page);
void probe_table_plan(struct page *page, const struct probe_pick *pick,
                      const struct hello_draft *hello);

#endif // PROXY_CLI_PROBE_TABLE_H_
