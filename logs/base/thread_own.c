#include "logs/base/thread_own.h"

#include "logs/base/check.h"

static void key_make(struct thread_own *own) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    if (!atomic_load(&own->made)) {
        CHECK(pthread_key_create(&own->key, own->free) == 0);
        atomic_store(&own->made, true);
    }
    pthread_mutex_unlock(&mutex);
}

void *thread_own_get(struct thread_own *own) {
    if (!atomic_load_explicit(&own->made, memory_order_acquire)) {
        key_make(own);
    }
    void *object = pthread_getspecific(own->key);
    if (object == NULL) {
        object = xcalloc(1, own->size);
        CHECK(pthread_setspecific(own->key, object) == 0);
    }
    return object;
}
