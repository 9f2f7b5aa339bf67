// What was more than the proxy could take, told when it stops.
#ifndef PROXY_CLI_OVERLOAD_H_
#define PROXY_CLI_OVERLOAD_H_

#include "logs/base/buf.h"
#include "logs/store/log_writer.h"
#include "proxy/net/net.h"

// overload_write appends one sentence without a newline, or nothing where there was no overload.
void overload_write(struct buf *out, const struct net_counts *net,
                    const struct log_writer_counts *log);

#endif // PROXY_CLI_OVERLOAD_H_
