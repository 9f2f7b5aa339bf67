#include "proxy/cli/child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;

// run_command runs `argv` with two variables more, and prints the error.
static int run_command(int argc, char **argv) {
    char *more[] = {"ADDED=yes", "REPLACED=new", NULL};
    struct child_signals signals;
    struct err err;
    (void)argc;
    child_signals_take(&signals);
    signal(SIGPIPE, SIG_IGN); // as the proxy does
    int status = child_run(argv, more, &signals, &err);
    child_signals_give_back(&signals);
    fputs(err.msg, stderr);
    return status;
}

static void sh(const char *command) {
    capture_run(&got, run_command, (const char *const[]){"sh", "-c", command, NULL});
}

static void test_streams_and_status(void) {
    sh("echo out; echo err >&2; exit 7");
    CU_ASSERT_EQUAL(got.status, 7);
    CU_ASSERT_STRING_EQUAL(got.out, "out\n");
    CU_ASSERT_STRING_EQUAL(got.err, "err\n");
    sh("kill -KILL $$");
    CU_ASSERT_EQUAL(got.status, CHILD_SIGNALED + SIGKILL);
    CU_ASSERT_STRING_EQUAL(got.err, "");
}

static void test_environment(void) {
    setenv("REPLACED", "old", 1);
    setenv("REPLACED_NOT", "kept", 1);
    sh("echo $ADDED $REPLACED $REPLACED_NOT; env | grep -c '^REPLACED='");
    CU_ASSERT_STRING_EQUAL(got.out, "yes new kept\n1\n");
}

static void test_cannot_be_run(void) {
    capture_run(&got, run_command, (const char *const[]){"no-such-command", NULL});
    CU_ASSERT_EQUAL(got.status, CHILD_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(got.err, "cannot run 'no-such-command': No such file or directory");
    capture_run(&got, run_command, (const char *const[]){"/dev/null", NULL});
    CU_ASSERT_EQUAL(got.status, CHILD_CANNOT_RUN);
    CU_ASSERT_STRING_EQUAL(got.err, "cannot run '/dev/null': Permission denied");
}

// A shell whose reader goes away dies of SIGPIPE, as it would without us.
static void test_signals_are_as_they_were(void) {
    sh("kill -PIPE $$; echo ignored");
    CU_ASSERT_EQUAL(got.status, CHILD_SIGNALED + SIGPIPE);
    sh("kill -TERM $$; echo blocked");
    CU_ASSERT_EQUAL(got.status, CHILD_SIGNALED + SIGTERM);
    signal(SIGPIPE, SIG_IGN); // what a parent wanted stays
    sh("kill -PIPE $$; echo ignored");
    CU_ASSERT_STRING_EQUAL(got.out, "ignored\n");
    signal(SIGPIPE, SIG_DFL);
}

static void test_signals_are_passed_on(void) {
    static const char *const names[] = {"TERM", "HUP", "USR1", "USR2", "INT", "QUIT"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char command[200];
        // The command sends the signal to us, and waits for its return.
        snprintf(command, sizeof(command),
                 "trap 'echo got; exit 9' %s; kill -%s $PPID; while :; do sleep 0.01; done",
                 names[i], names[i]);
        sh(command);
        CU_ASSERT_EQUAL(got.status, 9);
        CU_ASSERT_STRING_EQUAL(got.out, "got\n");
    }
}

static void test_a_stopped_command_goes_on(void) {
    sh("(sleep 0.05; kill -CONT $$) & kill -STOP $$; exit 3");
    CU_ASSERT_EQUAL(got.status, 3);
}

const struct unit_case unit_cases[] = {
    {"streams and status", test_streams_and_status},
    {"environment", test_environment},
    {"cannot be run", test_cannot_be_run},
    {"signals are as they were", test_signals_are_as_they_were},
    {"signals are passed on", test_signals_are_passed_on},
    {"a stopped command goes on", test_a_stopped_command_goes_on},
    {NULL, NULL},
};
