#include "proxy/cli/overload.h"

#include <inttypes.h>

void overload_write(struct buf *out, const struct net_counts *net,
                    const struct log_writer_counts *log) {
    const struct {
        uint64_t num;
        const char *what;
    } rows[] = {
        {net->paused_ceiling, "times new connections waited, as many as allowed being open "
                              "(--max-connections)"},
        {net->paused_resources, "times they waited for file descriptors or memory"},
        {log->dropped + log->failed, "records are not in the log"},
    };
    const char *before = "there was too much to do: ";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].num != 0) {
            (void)buf_printf(out, "%s%" PRIu64 " %s", before, rows[i].num, rows[i].what);
            before = ", ";
        }
    }
    if (out->len != 0) {
        (void)buf_printf(out, "; at most %" PRIu64 " of %" PRIu64 " connections were open at once",
                         net->most_at_once, net->accepted);
    }
}
