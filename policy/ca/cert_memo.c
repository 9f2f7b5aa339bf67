#include "policy/ca/cert_memo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// struct slot holds one certificate, with a copy of its DER in the arena; `facts.raw` points there.
struct slot {
    struct arena arena;
    struct cert_facts facts;
    X509 *x509; // NULL: nobody asked, or libcrypto refuses it
};

// struct memo is one thread's: no lock, and no certificate waits for another's.
struct memo {
    struct slot slots[CERT_MEMO_MAX], large;
};

static pthread_key_t memo_key;
static pthread_once_t memo_once = PTHREAD_ONCE_INIT;

static void slot_cleanup(struct slot *slot) {
    arena_cleanup(&slot->arena);
    X509_free(slot->x509);
    slot->x509 = NULL;
}

static void memo_free(void *value) {
    struct memo *memo = value;
    for (size_t i = 0; i < CERT_MEMO_MAX; i++) {
        slot_cleanup(&memo->slots[i]);
    }
    slot_cleanup(&memo->large);
    free(memo);
}

static void key_make(void) { CHECK(pthread_key_create(&memo_key, memo_free) == 0); }

static struct memo *memo_get(void) {
    CHECK(pthread_once(&memo_once, key_make) == 0);
    struct memo *memo = pthread_getspecific(memo_key);
    if (memo == NULL) {
        memo = xcalloc(1, sizeof(*memo));
        CHECK(pthread_setspecific(memo_key, memo) == 0);
    }
    return memo;
}

// slot_of finds the place of `der` by its last bytes, which are those of a signature. Who makes
// them collide makes us read certificates again, and no more.
static struct slot *slot_of(struct memo *memo, CBS der) {
    uint16_t last;
    size_t len = CBS_len(&der);
    if (len < sizeof(last) || len > CERT_MEMO_DER_MAX) {
        return &memo->large;
    }
    memcpy(&last, CBS_data(&der) + len - sizeof(last), sizeof(last));
    return &memo->slots[last % CERT_MEMO_MAX];
}

// holds returns whether the slot is that of `der`. CBS_mem_equal would take as long as for secrets.
static bool holds(const struct slot *slot, CBS der) {
    const CBS *known = &slot->facts.raw.der;
    return CBS_data(known) != NULL && CBS_len(known) == CBS_len(&der) &&
           memcmp(CBS_data(known), CBS_data(&der), CBS_len(&der)) == 0;
}

// slot_fill returns the slot of `der`, which is read where it is not there.
static struct slot *slot_fill(CBS der) {
    struct slot *slot = slot_of(memo_get(), der);
    if (!holds(slot, der)) {
        slot_cleanup(slot);
        const uint8_t *copy = arena_dup(&slot->arena, CBS_data(&der), CBS_len(&der));
        (void)cert_facts_parse(&slot->facts, &slot->arena, copy, CBS_len(&der));
    }
    return slot;
}

const struct cert_facts *cert_memo_facts(CBS der) { return &slot_fill(der)->facts; }

X509 *cert_memo_x509(CBS der) {
    struct slot *slot = slot_fill(der);
    if (slot->x509 == NULL) {
        slot->x509 = cert_facts_x509(der);
    }
    if (slot->x509 != NULL) {
        X509_up_ref(slot->x509);
    }
    return slot->x509;
}
