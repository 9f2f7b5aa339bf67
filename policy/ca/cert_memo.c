#include "policy/ca/cert_memo.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/thread_own.h"

// struct reading is of one certificate, with a copy of its DER in the arena; `facts.raw` points
// there. It belongs to its slot and to those who hold it.
struct reading {
    struct cert_facts facts; // first: who holds it knows it by them
    struct arena arena;
    unsigned refs;
    X509 *x509; // NULL: nobody asked, or libcrypto refuses it
};

// struct memo is one thread's: no lock, and no certificate waits for another's.
struct memo {
    struct reading *slots[CERT_MEMO_MAX], *large; // NULL: none yet
};

static void reading_unref(struct reading *reading) {
    if (reading != NULL && --reading->refs == 0) {
        arena_cleanup(&reading->arena);
        X509_free(reading->x509);
        free(reading);
    }
}

static void memo_free(void *value) {
    struct memo *memo = value;
    for (size_t i = 0; i < CERT_MEMO_MAX; i++) {
        reading_unref(memo->slots[i]);
    }
    reading_unref(memo->large);
    free(memo);
}

static struct thread_own memos = THREAD_OWN(sizeof(struct memo), memo_free);

// slot_of finds the place of `der` by its last bytes, which are those of a signature. Who makes
// them collide makes us read certificates again, and no more.
static struct reading **slot_of(struct memo *memo, CBS der) {
    uint16_t last;
    size_t len = CBS_len(&der);
    if (len < sizeof(last) || len > CERT_MEMO_DER_MAX) {
        return &memo->large;
    }
    memcpy(&last, CBS_data(&der) + len - sizeof(last), sizeof(last));
    return &memo->slots[last % CERT_MEMO_MAX];
}

// is_of returns whether the reading is of `der`. CBS_mem_equal would take as long as for secrets.
static bool is_of(const struct reading *reading, CBS der) {
    const CBS *known = &reading->facts.raw.der;
    return CBS_data(known) != NULL && CBS_len(known) == CBS_len(&der) &&
           memcmp(CBS_data(known), CBS_data(&der), CBS_len(&der)) == 0;
}

// read_once returns the reading of `der`, which is read where it is not there.
static struct reading *read_once(CBS der) {
    struct reading **slot = slot_of(thread_own_get(&memos), der);
    if (*slot == NULL || !is_of(*slot, der)) {
        struct reading *reading = xcalloc(1, sizeof(*reading));
        reading->refs = 1;
        const uint8_t *copy = arena_dup(&reading->arena, CBS_data(&der), CBS_len(&der));
        (void)cert_facts_parse(&reading->facts, &reading->arena, copy, CBS_len(&der));
        reading_unref(*slot);
        *slot = reading;
    }
    return *slot;
}

const struct cert_facts *cert_memo_facts(CBS der) { return &read_once(der)->facts; }

const struct cert_facts *cert_memo_hold(CBS der) {
    struct reading *reading = read_once(der);
    reading->refs++;
    return &reading->facts;
}

void cert_memo_release(const struct cert_facts *facts) { reading_unref((struct reading *)facts); }

X509 *cert_memo_x509(CBS der) {
    struct reading *reading = read_once(der);
    if (reading->x509 == NULL) {
        reading->x509 = cert_facts_x509(der);
    }
    if (reading->x509 != NULL) {
        X509_up_ref(reading->x509);
    }
    return reading->x509;
}
