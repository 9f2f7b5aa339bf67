// What each thread has one of: memories of its own, without locks.
#ifndef LOGS_BASE_THREAD_OWN_H_
#define LOGS_BASE_THREAD_OWN_H_

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

// struct thread_own is a kind of object, in static memory, made by THREAD_OWN.
struct thread_own {
    size_t size;
    void (*free)(void *object);
    atomic_bool made;
    pthread_key_t key;
};

// THREAD_OWN(size, free) makes a kind of objects of `size` bytes, each of which `free` frees when
// its thread ends.
#define THREAD_OWN(size, free)                                                                     \
    { size, free, false, 0 }

// thread_own_get returns this thread's object of the kind, all zeros at the first call. It lives as
// long as the thread; that of the first thread as long as the process.
void *thread_own_get(struct thread_own *own);

#endif // LOGS_BASE_THREAD_OWN_H_
