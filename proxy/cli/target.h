// HOST:PORT on the command line.
#ifndef PROXY_CLI_TARGET_H_
#define PROXY_CLI_TARGET_H_

#include <stdbool.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "logs/base/err.h"

struct target {
    char host[254]; // without brackets
    uint16_t port;
};

// target_parse reads "example.org:443" or "[2001:db8::1]:443".
WUNRES bool target_parse(struct target *out, const char *text, struct err *err);

#endif // PROXY_CLI_TARGET_H_
