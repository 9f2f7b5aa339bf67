#include "proxy/cli/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/policy.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/output.h"

// Enough for the largest policy: each of its rules may repeat lists that the file holds once.
enum { OUTPUT_MAX = 256 * 1024 * 1024 };

static const char USAGE[] =
    "usage: tlsblame policy check FILE\n"
    "       tlsblame policy keys\n"
    "\n"
    "check   read a policy file and print the effective policy: every key of every\n"
    "        rule with its value; or say what is wrong in it, and where\n"
    "keys    show every key of a policy file: values, default, meaning\n"
    "\n"
    "  -h, --help  show this\n"
    "\n"
    "Exit status: 0; 2 for bad usage, or when FILE cannot be read or holds a mistake;\n"
    "3 when the output cannot be written.\n";

static int fail(const char *message) {
    fprintf(stderr, "tlsblame policy: %s\n", message);
    return EXIT_USAGE;
}

static int check(const char *path) {
    struct err err;
    struct policy *policy = policy_load(path, &err);
    if (policy == NULL) {
        return fail(err.msg);
    }
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    bool ok = policy_print(&out, policy);
    policy_unref(policy);
    if (!ok) {
        buf_cleanup(&out);
        return fail("the policy is right, but too large to be printed");
    }
    return output_write("policy", &out);
}

static int keys(void) {
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    CHECK(policy_print_keys(&out));
    return output_write("policy", &out);
}

int policy_main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            fputs(USAGE, stdout);
            return EXIT_SUCCESS;
        }
    }
    if (argc == 3 && strcmp(argv[1], "check") == 0) {
        return check(argv[2]);
    }
    if (argc == 2 && strcmp(argv[1], "keys") == 0) {
        return keys();
    }
    fputs(USAGE, stderr);
    return EXIT_USAGE;
}
