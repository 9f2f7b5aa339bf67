#include "tests/unit/proxy/cli/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logs/base/check.h"

static void read_back(char *text, size_t size, FILE *file) {
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

void capture_run(struct captured *captured, int (*run)(int argc, char **argv),
                 const char *const *argv) {
    FILE *out = tmpfile(), *err = tmpfile();
    CHECK(out != NULL && err != NULL);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        char *copies[256] = {0};
        int argc = 0;
        for (; argv[argc] != NULL; argc++) {
            CHECK((size_t)argc + 1 < ARRAY_LEN(copies));
            copies[argc] = xstrdup(argv[argc]);
        }
        int status = run(argc, copies);
        fflush(NULL);
        _exit(status);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    captured->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    read_back(captured->out, sizeof(captured->out), out);
    read_back(captured->err, sizeof(captured->err), err);
}
