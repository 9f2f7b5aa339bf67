#include "proxy/net/resolve.h"

#include <ares.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "proxy/net/address.h"
#include "proxy/net/https_record.h"

// One c-ares channel in the loop.
struct asker {
    struct ev_loop *loop;
    ares_channel channel; // NULL: not initialised
    ev_timer timer;       // runs while c-ares waits for an answer
    struct asker_socket *sockets;
};

struct asker_socket {
    struct asker_socket *next;
    struct asker *asker;
    ev_io io;
};

enum { CLASS_IN = 1 };

// The first asker goes on to the next server when one says SERVFAIL or REFUSED, and when all do, it
// has forgotten what they said. Then the second is asked, which takes the first server's word.
enum { PERSISTENT, FAITHFUL, NUM_ASKERS };

struct resolver {
    struct ev_loop *loop;
    struct asker askers[NUM_ASKERS];
    int64_t timeout_us;
    size_t num_lookups;
};

// c-ares cannot cancel one of its queries, so a cancelled lookup stays until c-ares is done with
// it, at the latest in ares_destroy.
struct lookup {
    struct resolver *resolver;
    void (*on_done)(void *ctx, const struct lookup_result *result);
    void (*on_https)(void *ctx, const uint8_t *ech, size_t ech_len); // NULL: for addresses
    uint8_t *ech;                                                    // what is told it, or NULL
    size_t ech_len;
    void *ctx;
    ev_timer timer; // the deadline; fed with EV_CUSTOM when c-ares is done
    int asker;
    bool answered, cancelled;
    struct lookup_result result;
    char host[];
};

// The table of what c-ares says; all else is DNS_OTHER.
// clang-format off
static const struct { int status; enum dns_error dns_error; } dns_errors[] = {
    {ARES_ENOTFOUND, DNS_NOT_FOUND},
    {ARES_EBADNAME,  DNS_NOT_FOUND}, // no such name can exist, as with a label of 64 characters
    {ARES_ENODATA,   DNS_NO_DATA},
    {ARES_ESERVFAIL, DNS_SERVER_FAILURE},
    {ARES_EREFUSED,  DNS_REFUSED},
    {ARES_ETIMEOUT,  DNS_TIMEOUT},
};
// clang-format on

static enum dns_error dns_error_of(int status) {
    for (size_t i = 0; i < ARRAY_LEN(dns_errors); i++) {
        if (dns_errors[i].status == status) {
            return dns_errors[i].dns_error;
        }
    }
    return DNS_OTHER;
}

// ---- c-ares in the loop

static void arm(struct asker *asker) {
    struct timeval tv;
    ev_timer_stop(asker->loop, &asker->timer);
    if (ares_timeout(asker->channel, NULL, &tv) != NULL) {
        ev_timer_set(&asker->timer, (double)tv.tv_sec + (double)tv.tv_usec * 1e-6, 0);
        ev_timer_start(asker->loop, &asker->timer);
    }
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    struct asker *asker = timer->data;
    ares_process_fd(asker->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(asker);
}

static void on_io(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop;
    // c-ares may close the socket, and on_socket_state free `io`.
    struct asker *asker = ((struct asker_socket *)io->data)->asker;
    int fd = io->fd;
    ares_process_fd(asker->channel, revents & EV_READ ? fd : ARES_SOCKET_BAD,
                    revents & EV_WRITE ? fd : ARES_SOCKET_BAD);
    arm(asker);
}

static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable) {
    struct asker *asker = data;
    struct asker_socket **at = &asker->sockets;
    while (*at != NULL && (*at)->io.fd != fd) {
        at = &(*at)->next;
    }
    struct asker_socket *s = *at;
    if (s != NULL) {
        ev_io_stop(asker->loop, &s->io);
    }
    if (!readable && !writable) {
        if (s != NULL) {
            *at = s->next;
            free(s);
        }
        return;
    }
    if (s == NULL) {
        s = *at = xcalloc(1, sizeof(*s));
        s->asker = asker;
        ev_init(&s->io, on_io);
        s->io.data = s;
    }
    ev_io_set(&s->io, fd, (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
    ev_io_start(asker->loop, &s->io);
}

static bool asker_init(struct asker *asker, struct ev_loop *loop, int flags, const char *servers,
                       int64_t timeout_us, struct err *err) {
    *asker = (struct asker){.loop = loop};
    ev_init(&asker->timer, on_timer);
    asker->timer.data = asker;
    // Two rounds, the second twice as long: c-ares gives up before the lookup's own deadline, and
    // what one address family has answered counts although the other was not.
    struct ares_options options = {
        .flags = flags,
        .timeout = (int)(timeout_us / 4000),
        .tries = 2,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = asker,
    };
    int status = ares_init_options(&asker->channel, &options,
                                   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                       ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        asker->channel = NULL;
        return err_set(err, "cannot start the resolver: %s", ares_strerror(status));
    }
    status = servers != NULL ? ares_set_servers_ports_csv(asker->channel, servers) : ARES_SUCCESS;
    return status == ARES_SUCCESS ||
           err_set(err, "cannot use \"%s\" as name servers: %s", servers, ares_strerror(status));
}

static void asker_cleanup(struct asker *asker) {
    if (asker->channel != NULL) {
        ares_destroy(asker->channel);
        ev_timer_stop(asker->loop, &asker->timer);
    }
    CHECK(asker->sockets == NULL);
}

struct resolver *resolver_new(struct ev_loop *loop, const char *servers, int64_t timeout_us,
                              struct err *err) {
    static const int flags[NUM_ASKERS] = {[FAITHFUL] = ARES_FLAG_NOCHECKRESP};
    struct resolver *resolver = xcalloc(1, sizeof(*resolver));
    CHECK(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS); // counts its callers
    resolver->loop = loop;
    resolver->timeout_us = timeout_us;
    for (size_t i = 0; i < NUM_ASKERS; i++) {
        if (!asker_init(&resolver->askers[i], loop, flags[i], servers, timeout_us, err)) {
            resolver_free(resolver);
            return NULL;
        }
    }
    return resolver;
}

void resolver_free(struct resolver *resolver) {
    if (resolver == NULL) {
        return;
    }
    for (size_t i = 0; i < NUM_ASKERS; i++) {
        asker_cleanup(&resolver->askers[i]);
    }
    CHECK(resolver->num_lookups == 0);
    free(resolver);
    ares_library_cleanup();
}

// ---- lookups

static void lookup_free(struct lookup *lookup) {
    ev_timer_stop(lookup->resolver->loop, &lookup->timer);
    lookup->resolver->num_lookups--;
    free(lookup->ech);
    free(lookup);
}

static void add(struct lookup_result *result, const struct address *address) {
    if (result->num == RESOLVE_MAX_ADDRESSES) {
        return;
    }
    for (size_t i = 0; i < result->num; i++) {
        if (address_same_ip(&result->addresses[i], address)) {
            return;
        }
    }
    result->addresses[result->num++] = *address;
}

static void ask(struct lookup *lookup);

// asks_again goes on with the other asker where all servers said no, or none was there (see
// NUM_ASKERS).
static bool asks_again(struct lookup *lookup, int status) {
    if (status != ARES_ECONNREFUSED || lookup->asker != PERSISTENT) {
        return false;
    }
    lookup->asker = FAITHFUL;
    ask(lookup);
    return true;
}

static void settle(struct lookup *lookup) {
    lookup->answered = true;
    ev_feed_event(lookup->resolver->loop, &lookup->timer, EV_CUSTOM);
}

static void take(struct lookup *lookup, int status, const struct ares_addrinfo *info) {
    if (asks_again(lookup, status)) {
        return;
    }
    for (const struct ares_addrinfo_node *n = info != NULL ? info->nodes : NULL; n != NULL;
         n = n->ai_next) {
        struct address address;
        address_from_sockaddr(&address, n->ai_addr);
        address.port = 0;
        add(&lookup->result, &address);
    }
    lookup->result.dns_error = status != ARES_SUCCESS ? dns_error_of(status) : DNS_NO_DATA;
    settle(lookup);
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info) {
    (void)timeouts;
    struct lookup *lookup = arg;
    if (lookup->cancelled) {
        lookup_free(lookup);
    } else {
        take(lookup, status, info);
    }
    ares_freeaddrinfo(info);
}

static void on_https_answer(void *arg, int status, int timeouts, unsigned char *message,
                            int message_len) {
    (void)timeouts;
    struct lookup *lookup = arg;
    const uint8_t *ech;
    if (lookup->cancelled) {
        lookup_free(lookup);
        return;
    }
    if (asks_again(lookup, status)) {
        return;
    }
    if (status == ARES_SUCCESS &&
        https_record_ech(&ech, &lookup->ech_len, message, (size_t)message_len)) {
        lookup->ech = xmemdup(ech, lookup->ech_len);
    }
    settle(lookup);
}

static void ask(struct lookup *lookup) {
    struct asker *asker = &lookup->resolver->askers[lookup->asker];
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    if (lookup->on_https != NULL) {
        ares_query(asker->channel, lookup->host, CLASS_IN, HTTPS_RECORD_TYPE, on_https_answer,
                   lookup);
    } else {
        ares_getaddrinfo(asker->channel, lookup->host, NULL, &hints, on_answer, lookup);
    }
    arm(asker);
}

static void on_done_or_late(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    struct lookup *lookup = timer->data;
    if (!lookup->answered) {
        lookup->result.dns_error = DNS_TIMEOUT;
    }
    if (lookup->on_https != NULL) {
        lookup->on_https(lookup->ctx, lookup->ech, lookup->ech_len);
    } else {
        lookup->on_done(lookup->ctx, &lookup->result);
    }
    lookup_cancel(lookup);
}

// is_below returns whether `host` is `name` or a name below it.
static bool is_below(const char *host, const char *name) {
    size_t len = strlen(host), name_len = strlen(name);
    len -= len != 0 && host[len - 1] == '.';
    return len >= name_len && strncasecmp(host + len - name_len, name, name_len) == 0 &&
           (len == name_len || host[len - name_len - 1] == '.');
}

// answer_reserved answers what asks nobody: RFC 6761 sections 6.3 and 6.4.
static bool answer_reserved(const char *host, struct lookup_result *out) {
    if (is_below(host, "localhost")) {
        CHECK(address_parse(&out->addresses[0], "127.0.0.1"));
        CHECK(address_parse(&out->addresses[1], "::1"));
        out->num = 2;
        return true;
    }
    if (is_below(host, "invalid")) {
        out->dns_error = DNS_NOT_FOUND;
        return true;
    }
    return false;
}

static struct lookup *lookup_make(struct resolver *resolver, const char *host, void *ctx) {
    size_t host_size = strlen(host) + 1;
    struct lookup *lookup = xcalloc(1, sizeof(*lookup) + host_size);
    lookup->resolver = resolver;
    lookup->ctx = ctx;
    memcpy(lookup->host, host, host_size);
    resolver->num_lookups++;
    ev_timer_init(&lookup->timer, on_done_or_late, (double)resolver->timeout_us * 1e-6, 0);
    lookup->timer.data = lookup;
    ev_timer_start(resolver->loop, &lookup->timer);
    return lookup;
}

static void begin(struct lookup *lookup) {
    if (answer_reserved(lookup->host, &lookup->result)) {
        settle(lookup);
    } else {
        ask(lookup);
    }
}

struct lookup *lookup_new(struct resolver *resolver, const char *host,
                          void (*on_done)(void *ctx, const struct lookup_result *result),
                          void *ctx) {
    struct lookup *lookup = lookup_make(resolver, host, ctx);
    lookup->on_done = on_done;
    begin(lookup);
    return lookup;
}

struct lookup *lookup_https_new(struct resolver *resolver, const char *host, uint16_t port,
                                void (*on_done)(void *ctx, const uint8_t *ech, size_t ech_len),
                                void *ctx) {
    char name[HTTPS_RECORD_NAME_SIZE];
    bool ok = https_record_name(name, host, port);
    struct lookup *lookup = lookup_make(resolver, ok ? name : "invalid", ctx);
    lookup->on_https = on_done;
    begin(lookup);
    return lookup;
}

void lookup_cancel(struct lookup *lookup) {
    if (lookup == NULL) {
        return;
    }
    if (lookup->answered) {
        lookup_free(lookup);
        return;
    }
    lookup->cancelled = true;
    ev_timer_stop(lookup->resolver->loop, &lookup->timer);
}
