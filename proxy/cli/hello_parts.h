// The bytes of a recorded ClientHello, taken apart for `diff`.
#ifndef PROXY_CLI_HELLO_PARTS_H_
#define PROXY_CLI_HELLO_PARTS_H_

#include "logs/compare/comparison.h"

// hello_parts_read takes apart `raw`, a ClientHello with its record headers or in SSLv2 format. The
// parts are copies in `arena`. Of what is no ClientHello there are none; of a malformed one there
// is what could be read.
void hello_parts_read(struct hello_parts *out, struct arena *arena, struct span raw);

#endif // PROXY_CLI_HELLO_PARTS_H_
