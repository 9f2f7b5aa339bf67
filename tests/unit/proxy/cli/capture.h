// What a subcommand prints, for its test.
#ifndef TESTS_UNIT_PROXY_CLI_CAPTURE_H_
#define TESTS_UNIT_PROXY_CLI_CAPTURE_H_

// struct captured is what a subcommand left behind; texts that are longer are cut.
struct captured {
    int status;
    char out[64 * 1024], err[16 * 1024];
};

// capture_run calls `run` with `argv`, whose last element is NULL, in a child process.
void capture_run(struct captured *captured, int (*run)(int argc, char **argv),
                 const char *const *argv);

#endif // TESTS_UNIT_PROXY_CLI_CAPTURE_H_
