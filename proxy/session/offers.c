#include "proxy/session/offers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/buf.h"

enum { TEXT_MAX = 16 * 1024 };

struct row {
    unsigned kind;
    struct offer offer;
    SSL_CTX *ctx; // NULL: none
};

struct offers {
    pthread_mutex_t lock;
    struct row rows[OFFERS_MAX];
    size_t next; // the row to take next
};

static bool offer_has(const struct offer *offer, uint16_t suite) {
    for (size_t i = 0; i < offer->num; i++) {
        if (offer->suites[i] == suite) {
            return true;
        }
    }
    return false;
}

void offer_init(struct offer *offer, const struct code_list *ciphers) {
    offer->num = 0;
    for (size_t i = 0; i < ciphers->num; i++) {
        uint32_t code = code_list_at(ciphers, i);
        const SSL_CIPHER *cipher =
            code <= UINT16_MAX ? SSL_get_cipher_by_value((uint16_t)code) : NULL;
        if (cipher != NULL && SSL_CIPHER_get_min_version(cipher) < TLS1_3_VERSION &&
            !offer_has(offer, (uint16_t)code)) {
            CHECK(offer->num < OFFER_SUITES_MAX);
            offer->suites[offer->num++] = (uint16_t)code;
        }
    }
}

void offer_set(const struct offer *offer, SSL_CTX *ctx, SSL *ssl) {
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < offer->num; i++) {
        const char *name = SSL_CIPHER_standard_name(SSL_get_cipher_by_value(offer->suites[i]));
        CHECK(buf_append(&text, ":", i != 0) && buf_append(&text, name, strlen(name)));
    }
    if (text.len != 0) {
        CHECK(buf_append(&text, "", 1));
        const char *list = (const char *)buf_data(&text);
        (void)(ssl != NULL ? SSL_set_strict_cipher_list(ssl, list)
                           : SSL_CTX_set_strict_cipher_list(ctx, list));
    }
    buf_cleanup(&text);
}

struct offers *offers_new(void) {
    struct offers *offers = xcalloc(1, sizeof(*offers));
    CHECK(pthread_mutex_init(&offers->lock, NULL) == 0);
    return offers;
}

void offers_free(struct offers *offers) {
    if (offers == NULL) {
        return;
    }
    for (size_t i = 0; i < OFFERS_MAX; i++) {
        SSL_CTX_free(offers->rows[i].ctx);
    }
    pthread_mutex_destroy(&offers->lock);
    free(offers);
}

static bool row_is(const struct row *row, const struct offer *offer, unsigned kind) {
    return row->ctx != NULL && row->kind == kind && row->offer.num == offer->num &&
           memcmp(row->offer.suites, offer->suites, offer->num * sizeof(offer->suites[0])) == 0;
}

// find returns a reference to the context of a row, or NULL.
static SSL_CTX *find(struct offers *offers, const struct offer *offer, unsigned kind) {
    SSL_CTX *found = NULL;
    pthread_mutex_lock(&offers->lock);
    for (size_t i = 0; found == NULL && i < OFFERS_MAX; i++) {
        if (row_is(&offers->rows[i], offer, kind)) {
            found = offers->rows[i].ctx;
            SSL_CTX_up_ref(found);
        }
    }
    pthread_mutex_unlock(&offers->lock);
    return found;
}

SSL_CTX *offers_get(struct offers *offers, const struct offer *offer, unsigned kind,
                    SSL_CTX *(*make)(void *arg, unsigned kind), void *arg) {
    SSL_CTX *ctx = find(offers, offer, kind);
    if (ctx != NULL) {
        return ctx;
    }
    ctx = make(arg, kind);
    offer_set(offer, ctx, NULL);
    SSL_CTX_up_ref(ctx);
    pthread_mutex_lock(&offers->lock);
    struct row *row = &offers->rows[offers->next++ % OFFERS_MAX];
    SSL_CTX *old = row->ctx;
    *row = (struct row){kind, *offer, ctx};
    pthread_mutex_unlock(&offers->lock);
    SSL_CTX_free(old);
    return ctx;
}
