// The log as history: what the connections around a logged one tell of it.
#ifndef PROXY_CLI_EXPLAIN_HISTORY_H_
#define PROXY_CLI_EXPLAIN_HISTORY_H_

#include "logs/store/log_reader.h"

// explain_history judges record `i` of the log again by those around it, earlier and later ones. It
// returns a record with a verdict that rests on them, to be freed by the caller, or NULL where they
// tell nothing that the verdict in the log does not.
WUNRES struct record *explain_history(struct log_reader *reader, size_t i);

#endif // PROXY_CLI_EXPLAIN_HISTORY_H_
