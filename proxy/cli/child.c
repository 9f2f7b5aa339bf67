#include "proxy/cli/child.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int taken[] = {SIGCHLD, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT};

static void taken_set(sigset_t *out) {
    sigemptyset(out);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        sigaddset(out, taken[i]);
    }
}

void child_signals_take(struct child_signals *signals) {
    struct sigaction pipe_action;
    sigset_t set;
    taken_set(&set);
    CHECK(sigaction(SIGPIPE, NULL, &pipe_action) == 0);
    signals->ignored_pipe = pipe_action.sa_handler == SIG_IGN;
    // A parent that ignored SIGCHLD would have left us without the child's status.
    CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &signals->before) == 0);
}

void child_signals_give_back(const struct child_signals *signals) {
    CHECK(pthread_sigmask(SIG_SETMASK, &signals->before, NULL) == 0);
}

static bool same_name(const char *a, const char *b) {
    size_t len = strcspn(a, "=");
    return strncmp(a, b, len) == 0 && b[len] == '=';
}

static bool is_among(char *const *list, const char *variable) {
    while (*list != NULL && !same_name(*list, variable)) {
        list++;
    }
    return *list != NULL;
}

static size_t num_of(char *const *list) {
    size_t num = 0;
    while (list[num] != NULL) {
        num++;
    }
    return num;
}

// merge returns the environment with `more` in place of what has the same names. The caller frees
// the list, not its strings.
static char **merge(char *const *more) {
    char **list = xcalloc(num_of(environ) + num_of(more) + 1, sizeof(*list)), **end = list;
    for (char **variable = environ; *variable != NULL; variable++) {
        if (!is_among(more, *variable)) {
            *end++ = *variable;
        }
    }
    memcpy(end, more, num_of(more) * sizeof(*more));
    return list;
}

// start returns 0 or what errno would say.
static int start(pid_t *out, char *const *argv, char *const *more,
                 const struct child_signals *signals) {
    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigemptyset(&defaults);
    if (!signals->ignored_pipe) {
        sigaddset(&defaults, SIGPIPE); // the proxy ignores it, and exec would keep that
    }
    CHECK(posix_spawnattr_init(&attributes) == 0 &&
          posix_spawnattr_setsigmask(&attributes, &signals->before) == 0 &&
          posix_spawnattr_setsigdefault(&attributes, &defaults) == 0 &&
          posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) ==
              0);
    char **environment = merge(more);
    int errnum = posix_spawnp(out, argv[0], NULL, &attributes, argv, environment);
    free(environment);
    posix_spawnattr_destroy(&attributes);
    return errnum;
}

// wait_for passes signals on until `child` has ended, and returns its wait status.
static int wait_for(pid_t child) {
    sigset_t set;
    taken_set(&set);
    for (;;) {
        siginfo_t info;
        int status, signum = sigwaitinfo(&set, &info);
        bool keyboard = (signum == SIGINT || signum == SIGQUIT) && info.si_code > 0;
        if (signum == SIGCHLD) {
            if (waitpid(child, &status, WNOHANG) == child) {
                return status;
            }
        } else if (signum > 0 && !keyboard) {
            kill(child, signum);
        }
    }
}

int child_run(char *const *argv, char *const *more, const struct child_signals *signals,
              struct err *err) {
    pid_t child;
    *err = (struct err){0};
    int errnum = start(&child, argv, more, signals);
    if (errnum != 0) {
        errno = errnum;
        err_errno(err, "cannot run '%s'", argv[0]);
        return errnum == ENOENT ? CHILD_NOT_FOUND : CHILD_CANNOT_RUN;
    }
    int status = wait_for(child);
    return WIFSIGNALED(status) ? CHILD_SIGNALED + WTERMSIG(status) : WEXITSTATUS(status);
}
