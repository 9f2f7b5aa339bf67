#include "proxy/net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "proxy/net/clock.h"

//  name ──▶ LOOKING_UP ──▶ CONNECTING ──▶ OVER
//  literal ───────────────────▲            ▲
//              └── no address ─────────────┘
enum state { LOOKING_UP, CONNECTING, OVER };

struct attempt {
    struct dial *dial;
    ev_io io;
    int fd; // -1: not under way
    int64_t begun_us;
    struct address local; // once connected
};

struct dial {
    const struct dialer *dialer;
    void (*on_event)(void *ctx, struct event *event, int fd);
    void *ctx;
    enum state state;
    uint16_t port;
    struct lookup *lookup;
    ev_timer next;  // the next attempt is due
    ev_timer limit; // all attempts have taken too long
    struct address addresses[RESOLVE_MAX_ADDRESSES];
    struct attempt attempts[RESOLVE_MAX_ADDRESSES];
    size_t num, num_tried, num_under_way;
    int last_errnum; // of no address at all, where the family is not wanted: EAFNOSUPPORT
};

static const struct address *address_of(const struct attempt *attempt) {
    return &attempt->dial->addresses[attempt - attempt->dial->attempts];
}

static void tell(struct dial *dial, struct event event, int fd) {
    event.side = SIDE_SERVER;
    dial->on_event(dial->ctx, &event, fd);
}

// Takes the socket from the attempt and tells how it went. An `errnum` of 0 returns the socket;
// otherwise it is closed and -1 returned.
static int attempt_end(struct attempt *attempt, int errnum) {
    struct dial *dial = attempt->dial;
    int fd = attempt->fd;
    if (fd >= 0) {
        ev_io_stop(dial->dialer->loop, &attempt->io);
        attempt->fd = -1;
        dial->num_under_way--;
    }
    struct event event = {.kind = EVENT_TRIED};
    event.tried.address = *address_of(attempt);
    event.tried.errnum = errnum;
    event.tried.us = clock_mono_us() - attempt->begun_us;
    tell(dial, event, -1);
    if (errnum == 0) {
        return fd;
    }
    dial->last_errnum = errnum;
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

static void end_all(struct dial *dial, int errnum) {
    for (size_t i = 0; i < dial->num_tried; i++) {
        if (dial->attempts[i].fd >= 0) {
            (void)attempt_end(&dial->attempts[i], errnum);
        }
    }
}

static void over(struct dial *dial) {
    dial->state = OVER;
    ev_timer_stop(dial->dialer->loop, &dial->next);
    ev_timer_stop(dial->dialer->loop, &dial->limit);
}

static void fail(struct dial *dial) {
    over(dial);
    tell(dial, (struct event){.kind = EVENT_DIAL_FAILED, .errnum = dial->last_errnum}, -1);
}

static void connected(struct dial *dial, struct attempt *attempt) {
    over(dial);
    struct event event = {.kind = EVENT_CONNECTED};
    event.tried.address = *address_of(attempt);
    event.tried.us = clock_mono_us() - attempt->begun_us;
    event.tried.local = attempt->local;
    int fd = attempt_end(attempt, 0);
    end_all(dial, ECANCELED);
    tell(dial, event, fd);
}

static void try_next(struct dial *dial);

// Without a listener, a connection to one's own host can meet itself: the kernel picked the port
// that is being dialled as the source port (simultaneous open, RFC 9293 section 3.5).
static bool met_itself(struct attempt *attempt) {
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    if (getsockname(attempt->fd, (struct sockaddr *)&sa, &len) != 0) {
        return false;
    }
    address_from_sockaddr(&attempt->local, (struct sockaddr *)&sa);
    return address_equal(&attempt->local, address_of(attempt));
}

static void on_writable(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop, (void)revents;
    struct attempt *attempt = io->data;
    int errnum = 0;
    socklen_t len = sizeof(errnum);
    CHECK(getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) == 0);
    if (errnum == 0 && met_itself(attempt)) {
        errnum = ECONNREFUSED;
    }
    if (errnum == 0) {
        connected(attempt->dial, attempt);
        return;
    }
    (void)attempt_end(attempt, errnum);
    try_next(attempt->dial);
}

// Returns 0 when the attempt is under way, or why it is not.
static int attempt_begin(struct attempt *attempt, const struct address *address) {
    struct dial *dial = attempt->dial;
    attempt->begun_us = clock_mono_us();
    if (dial->dialer->is_self(dial->dialer->ctx, address)) {
        return ELOOP;
    }
    struct sockaddr_storage sa;
    socklen_t sa_len = address_to_sockaddr(&sa, address);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    if (dial->dialer->loops != NULL) {
        int mark = ARRIVAL_MARK;
        (void)setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
    }
    if (dial->dialer->prepare != NULL) {
        dial->dialer->prepare(dial->dialer->ctx, fd);
    }
    struct loops *loops = dial->dialer->loops;
    int result = loops != NULL ? loops_connect(loops, fd, (struct sockaddr *)&sa, sa_len, address)
                               : connect(fd, (struct sockaddr *)&sa, sa_len);
    if (result != 0 && errno != EINPROGRESS) {
        int errnum = errno;
        close(fd);
        return errnum;
    }
    attempt->fd = fd;
    dial->num_under_way++;
    ev_io_init(&attempt->io, on_writable, fd, EV_WRITE);
    attempt->io.data = attempt;
    ev_io_start(dial->dialer->loop, &attempt->io);
    return 0;
}

// Begins the next attempt that can be, and sees whether all have failed.
static void try_next(struct dial *dial) {
    while (dial->num_tried < dial->num) {
        struct attempt *attempt = &dial->attempts[dial->num_tried];
        const struct address *address = &dial->addresses[dial->num_tried++];
        *attempt = (struct attempt){.dial = dial, .fd = -1};
        int errnum = attempt_begin(attempt, address);
        if (errnum == 0) {
            ev_now_update(dial->dialer->loop); // or a busy loop cuts the wait short
            ev_timer_again(dial->dialer->loop, &dial->next);
            return;
        }
        (void)attempt_end(attempt, errnum);
    }
    ev_timer_stop(dial->dialer->loop, &dial->next);
    if (dial->num_under_way == 0) {
        fail(dial);
    }
}

static bool wanted(const struct dial *dial, const struct address *address) {
    int family = dial->dialer->family;
    return family == 0 || (family == AF_INET) == address_is_ipv4(address);
}

// RFC 8305 section 4: the first family is that of the first address, then they alternate.
static void set_addresses(struct dial *dial, const struct address *addresses, size_t num) {
    const struct address *queues[2][RESOLVE_MAX_ADDRESSES];
    size_t lens[2] = {0}, taken[2] = {0};
    for (size_t i = 0; i < num; i++) {
        bool other = address_is_ipv4(&addresses[i]) != address_is_ipv4(&addresses[0]);
        if (wanted(dial, &addresses[i])) {
            queues[other][lens[other]++] = &addresses[i];
        }
    }
    for (size_t turn = 0; dial->num < lens[0] + lens[1]; turn ^= 1) {
        if (taken[turn] < lens[turn]) {
            struct address *to = &dial->addresses[dial->num++];
            *to = *queues[turn][taken[turn]++];
            to->port = dial->port;
        }
    }
}

static void on_next(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)revents;
    struct dial *dial = timer->data;
    if (dial->state == LOOKING_UP) {
        dial->state = CONNECTING;
        ev_timer_start(loop, &dial->limit);
    }
    try_next(dial);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    struct dial *dial = timer->data;
    end_all(dial, ETIMEDOUT);
    fail(dial);
}

static void on_looked_up(void *ctx, const struct lookup_result *result) {
    struct dial *dial = ctx;
    dial->lookup = NULL;
    set_addresses(dial, result->addresses, result->num);
    if (dial->num == 0) {
        enum dns_error error = result->num == 0 ? result->dns_error : DNS_NO_DATA;
        over(dial);
        tell(dial, (struct event){.kind = EVENT_UNRESOLVED, .dns_error = error}, -1);
        return;
    }
    struct event event = {.kind = EVENT_RESOLVED};
    event.resolved.addresses = dial->addresses;
    event.resolved.num = dial->num;
    tell(dial, event, -1);
    ev_feed_event(dial->dialer->loop, &dial->next, EV_CUSTOM);
}

struct dial *dial_new(const struct dialer *dialer, const char *host, uint16_t port,
                      void (*on_event)(void *ctx, struct event *event, int fd), void *ctx) {
    struct dial *dial = xcalloc(1, sizeof(*dial));
    dial->dialer = dialer;
    dial->on_event = on_event;
    dial->ctx = ctx;
    dial->port = port;
    dial->last_errnum = EAFNOSUPPORT;
    ev_timer_init(&dial->next, on_next, 0, (double)dialer->attempt_delay_us * 1e-6);
    ev_timer_init(&dial->limit, on_limit, (double)dialer->connect_timeout_us * 1e-6, 0);
    dial->next.data = dial->limit.data = dial;
    struct address literal;
    if (address_parse(&literal, host)) {
        set_addresses(dial, &literal, 1);
        ev_feed_event(dialer->loop, &dial->next, EV_CUSTOM);
    } else {
        dial->lookup = lookup_new(dialer->resolver, host, on_looked_up, dial);
    }
    return dial;
}

void dial_free(struct dial *dial) {
    if (dial == NULL) {
        return;
    }
    over(dial);
    lookup_cancel(dial->lookup);
    for (size_t i = 0; i < dial->num_tried; i++) {
        if (dial->attempts[i].fd >= 0) {
            ev_io_stop(dial->dialer->loop, &dial->attempts[i].io);
            close(dial->attempts[i].fd);
        }
    }
    free(dial);
}
