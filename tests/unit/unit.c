// main() of every unit test. Its last line is what tests/run.sh counts.
#include "tests/unit/unit.h"

#include <CUnit/Basic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logs/base/check.h"

bool unit_aborts(void (*fn)(void), const char *says) {
    FILE *said = tmpfile();
    CHECK(said != NULL);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        dup2(fileno(said), STDERR_FILENO);
        fn();
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    char text[4096];
    rewind(said);
    text[fread(text, 1, sizeof(text) - 1, said)] = '\0';
    fclose(said);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(text, says) != NULL;
}

int main(int argc, char **argv) {
    (void)argc;
    const char *slash = strrchr(argv[0], '/');
    CHECK(CU_initialize_registry() == CUE_SUCCESS);
    CU_pSuite suite = CU_add_suite(slash != NULL ? slash + 1 : argv[0], NULL, NULL);
    CHECK(suite != NULL);
    for (const struct unit_case *c = unit_cases; c->name != NULL; c++) {
        CHECK(CU_add_test(suite, c->name, c->run) != NULL);
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_ErrorCode ran = CU_basic_run_tests();
    unsigned tests = CU_get_number_of_tests_run();
    unsigned failed = CU_get_number_of_tests_failed();
    // Failure records also count what is no test: a suite whose initialiser or cleanup failed.
    bool ok = ran == CUE_SUCCESS && tests != 0 && CU_get_number_of_failure_records() == 0;
    if (!ok && failed == 0) {
        failed = 1;
    }
    CU_cleanup_registry();
    printf("\n%u passed, %u failed\n", tests > failed ? tests - failed : 0, failed);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
