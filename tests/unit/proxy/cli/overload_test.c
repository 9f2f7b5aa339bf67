#include "proxy/cli/overload.h"

#include <string.h>

#include "tests/unit/unit.h"

static bool says(const struct net_counts *net, const struct log_writer_counts *log,
                 const char *want) {
    struct buf text;
    buf_init(&text, 1024);
    overload_write(&text, net, log);
    bool same =
        text.len == strlen(want) && (text.len == 0 || memcmp(buf_data(&text), want, text.len) == 0);
    buf_cleanup(&text);
    return same;
}

static void test_nothing_to_tell(void) {
    const struct net_counts net = {.accepted = 10, .most_at_once = 3};
    const struct log_writer_counts log = {.written = 10};
    CU_ASSERT(says(&net, &log, ""));
}

static void test_each_kind(void) {
    const struct net_counts net = {
        .accepted = 10, .most_at_once = 3, .paused_ceiling = 2, .paused_resources = 1};
    const struct net_counts calm = {.accepted = 4, .most_at_once = 4};
    const struct log_writer_counts log = {.written = 5, .dropped = 3, .failed = 2}, whole = {0};
    CU_ASSERT(says(&net, &whole,
                   "there was too much to do: 2 times new connections waited, as many as allowed "
                   "being open (--max-connections), 1 times they waited for file descriptors or "
                   "memory; at most 3 of 10 connections were open at once"));
    CU_ASSERT(says(&calm, &log,
                   "there was too much to do: 5 records are not in the log; at most 4 of 4 "
                   "connections were open at once"));
}

const struct unit_case unit_cases[] = {
    {"nothing to tell", test_nothing_to_tell},
    {"each kind", test_each_kind},
    {NULL, NULL},
};
