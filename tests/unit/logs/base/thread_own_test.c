#include "logs/base/thread_own.h"

#include <stdint.h>
#include <stdlib.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

enum { THREADS = 8 };

static atomic_int num_freed, sum_freed;

static void count(void *object) {
    atomic_fetch_add(&num_freed, 1);
    atomic_fetch_add(&sum_freed, *(int *)object);
    free(object);
}

static struct thread_own ints = THREAD_OWN(sizeof(int), count);
static struct thread_own blocks = THREAD_OWN(1000, free);

// Each thread finds its own zeros, and what it has put there.
static void *use(void *arg) {
    int *mine = thread_own_get(&ints), number = (int)(intptr_t)arg;
    const char *block = thread_own_get(&blocks);
    bool zeros = *mine == 0;
    for (size_t i = 0; i < 1000; i++) {
        zeros = zeros && block[i] == 0;
    }
    *mine = number;
    bool same = zeros && thread_own_get(&ints) == mine && thread_own_get(&blocks) == block &&
                *(int *)thread_own_get(&ints) == number;
    return same ? mine : NULL;
}

static void test_threads(void) {
    pthread_t threads[THREADS];
    int sum = 0;
    for (int i = 0; i < THREADS; i++) {
        sum += i + 1;
        CHECK(pthread_create(&threads[i], NULL, use, (void *)(intptr_t)(i + 1)) == 0);
    }
    CU_ASSERT_PTR_NOT_NULL(use((void *)(intptr_t)100));
    for (int i = 0; i < THREADS; i++) {
        void *object = NULL;
        CU_ASSERT_EQUAL(pthread_join(threads[i], &object), 0);
        CU_ASSERT_PTR_NOT_NULL(object);
    }
    CU_ASSERT_EQUAL(atomic_load(&num_freed), THREADS);
    CU_ASSERT_EQUAL(atomic_load(&sum_freed), sum);
    CU_ASSERT_EQUAL(*(int *)thread_own_get(&ints), 100);
}

const struct unit_case unit_cases[] = {
    {"each thread has its own", test_threads},
    {NULL, NULL},
};
