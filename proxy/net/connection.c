#include "proxy/net/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/clock.h"
#include "proxy/net/transport.h"

// After so many bytes, or a read that was not full, the other connections have their turn.
enum { BYTES_PER_WAKEUP = 512 * 1024 };

// What a reader leaves lying costs memory, so little is read at a time for one that let so much
// time pass before there was room for more, for a while, and not too much for one that has not
// taken many bytes yet: the kernel's buffers hold several megabytes.
enum {
    STOOD_STILL_US = 100 * 1000,
    SLOW_US = 10 * 1000 * 1000,
    SLOW_READ = 16 * 1024,
    NEW_READ = 64 * 1024,
    NEW_UNTIL = 16 * 1024 * 1024,
};

struct leg {
    struct connection *connection;
    ev_io io;
    int fd;       // -1: none, or closed
    int events;   // what `io` waits for
    int errnum;   // the connection broke, but the session may not know: bytes may come first
    bool eof;     // FIN was read
    bool shut;    // FIN was sent
    bool blocked; // no room to write; waits for it, and nothing more is read for it
    int64_t blocked_us, slow_until_us; // since when; until when it counts as a slow reader
    size_t sent;                       // bytes, as far as they were in the session
    bool splices;                      // what it receives may be passed on unseen
    struct pipe *pipe;    // holds what it received and the other leg has not been sent, or NULL
    bool watched_hangups; // is a member of the worker's hangup set
    bool hung;            // the hangup set told of it
};

struct connection {
    struct worker *worker;
    struct connection *prev, *next;
    struct session *session;
    struct session_shared *shared;
    struct leg legs[2]; // by enum side
    struct dial *dial;
    bool dial_over;
    unsigned dial_serial;
    ev_timer timer;      // fed with EV_CUSTOM to settle from the loop
    int64_t deadline_us; // of the wishes
    int64_t armed_us;    // when `timer` will run; never later than the deadline
};

static enum side side_of(const struct leg *leg) {
    return leg == &leg->connection->legs[SIDE_SERVER] ? SIDE_SERVER : SIDE_CLIENT;
}

static struct leg *leg_other(struct leg *leg) { return &leg->connection->legs[!side_of(leg)]; }

static bool settle(struct connection *c);

static void input(struct connection *c, struct event *event) {
    event->now_us = clock_mono_us();
    event->wall_ms = clock_wall_ms();
    session_input(c->session, event);
}

// ---- legs

static void on_io(struct ev_loop *loop, ev_io *io, int revents);

static void leg_init(struct leg *leg, struct connection *c, int fd) {
    *leg = (struct leg){.connection = c, .fd = fd};
    ev_io_init(&leg->io, on_io, fd, 0);
    leg->io.data = leg;
}

static void leg_watch(struct leg *leg, int events) {
    struct worker *worker = leg->connection->worker;
    if (events != leg->events) {
        ev_io_stop(worker->loop, &leg->io);
        leg->events = events;
        if (events != 0) {
            ev_io_set(&leg->io, leg->fd, events);
            ev_io_start(worker->loop, &leg->io);
        }
    }
    if (events == 0 && !leg->watched_hangups) {
        leg->watched_hangups = hangup_watch(&worker->hangup, leg->fd, leg);
    }
}

// What a leg has received and the other one cannot be sent any more is lost.
static void leg_drop_pipe(struct leg *leg) {
    pipes_give(&leg->connection->worker->pipes, leg->pipe);
    leg->pipe = NULL;
}

// Returns the descriptor, which nothing watches any more; the caller closes it.
static int leg_release(struct leg *leg) {
    struct worker *worker = leg->connection->worker;
    int fd = leg->fd;
    ev_io_stop(worker->loop, &leg->io);
    if (leg->watched_hangups) {
        hangup_forget(&worker->hangup, fd);
    }
    leg->events = 0;
    leg->fd = -1;
    leg_drop_pipe(leg_other(leg));
    return fd;
}

static void leg_close(struct leg *leg) {
    if (leg->fd >= 0) {
        close(leg_release(leg));
    }
}

static void leg_reset(struct leg *leg) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(leg->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    leg_close(leg);
}

// Closes without a RST as far as that is in our hands.
static void leg_finish(struct leg *leg) {
    if (leg->fd < 0 || leg->eof || leg->errnum != 0) {
        leg_close(leg);
        return;
    }
    bool watched = (leg->events & EV_READ) != 0;
    drain_close(&leg->connection->worker->drain, leg_release(leg), watched);
}

static void leg_break(struct leg *leg, int errnum) {
    const struct loops *loops = leg->connection->worker->env->loops;
    if (side_of(leg) == SIDE_SERVER && loops != NULL && loops_met(loops, leg->fd)) {
        errnum = ELOOP;
    }
    struct event event = {.kind = EVENT_BROKEN, .side = side_of(leg), .errnum = errnum};
    input(leg->connection, &event);
    leg_close(leg);
}

static void leg_block(struct leg *leg) {
    leg->blocked = true;
    leg->blocked_us = clock_mono_us();
}

static void leg_unblock(struct leg *leg) {
    int64_t now_us = clock_mono_us();
    if (leg->blocked && now_us - leg->blocked_us > STOOD_STILL_US) {
        leg->slow_until_us = now_us + SLOW_US;
    }
    leg->blocked = false;
}

// Returns whether the leg is read.
static bool leg_reads(struct leg *leg, const struct wishes *wishes) {
    return wishes->read[side_of(leg)] && !leg->eof && !leg_other(leg)->blocked;
}

// Returns whether something waits to be written to the leg.
static bool leg_pending(struct leg *leg) {
    return leg_other(leg)->pipe != NULL ||
           session_output(leg->connection->session, side_of(leg)).len != 0;
}

static int socket_error(int fd) {
    int errnum = 0;
    socklen_t len = sizeof(errnum);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) == 0 ? errnum : errno;
}

// Tells the session that the leg broke, and returns true, unless bytes came before that: these are
// read first, now or when backpressure ends. Only a session that waits for output to be written is
// told at once, for it may otherwise wait for ever.
static bool leg_tell_broken(struct leg *leg, const struct wishes *wishes) {
    enum side side = side_of(leg);
    if (leg->fd < 0 || wishes->done || wishes->reset[side]) {
        return false;
    }
    bool reads = leg_reads(leg, wishes);
    if (leg->hung && leg->errnum == 0 && !reads) {
        leg->hung = false;
        leg->errnum = socket_error(leg->fd);
    }
    if (leg->errnum == 0) {
        return false;
    }
    int unread = 0;
    bool more = !leg->eof && ioctl(leg->fd, FIONREAD, &unread) == 0 && unread > 0;
    if (more && (reads || !leg_pending(leg))) {
        return false;
    }
    leg_break(leg, leg->errnum);
    return true;
}

// Notes why nothing more was written, and returns whether to try again at once.
static bool leg_write_failed(struct leg *leg) {
    int errnum = errno;
    leg->errnum = errnum != EAGAIN && errnum != EINTR ? errnum : 0;
    if (errnum == EAGAIN) {
        leg_block(leg);
    }
    return errnum == EINTR;
}

// Writes what is in the pipe of the other leg, and returns how many bytes.
static size_t leg_write_pipe(struct leg *leg) {
    struct leg *from = leg_other(leg);
    size_t written = 0;
    while (from->pipe->held != 0 && !leg->blocked) {
        ssize_t n = pipe_drain(from->pipe, leg->fd);
        if (n > 0) {
            written += (size_t)n;
            if (from->pipe->held != 0) {
                leg_block(leg);
            }
        } else if (!leg_write_failed(leg)) {
            return written;
        }
    }
    if (from->pipe->held == 0) {
        leg_drop_pipe(from);
    }
    return written;
}

// Returns whether something was written.
static bool leg_write(struct leg *leg, const struct wishes *wishes) {
    struct connection *c = leg->connection;
    if (leg->fd < 0 || leg->blocked || leg->errnum != 0) {
        return false;
    }
    if (leg_other(leg)->pipe != NULL) {
        struct event event = {.kind = EVENT_SPLICED, .side = side_of(leg_other(leg))};
        event.spliced.written = leg_write_pipe(leg);
        input(c, &event);
        return event.spliced.written != 0;
    }
    struct span out = session_output(c->session, side_of(leg));
    if (out.len == 0) {
        return false;
    }
    CHECK(!leg->shut);
    // A FIN goes with the last bytes, in one segment.
    int flags = wishes->shutdown[side_of(leg)] ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
    ssize_t n = send(leg->fd, out.p, out.len, flags);
    if (n < 0) {
        return leg_write_failed(leg);
    }
    leg->sent += (size_t)n;
    if ((size_t)n < out.len) {
        leg_block(leg);
    }
    session_output_done(c->session, side_of(leg), (size_t)n, clock_mono_us());
    return true;
}

// Does what the session wants of a side.
static void leg_apply(struct leg *leg, const struct wishes *wishes) {
    enum side side = side_of(leg);
    if (leg->fd < 0) {
        return;
    }
    if (wishes->reset[side]) {
        leg_reset(leg);
        return;
    }
    bool pending = leg_pending(leg);
    leg->splices = wishes->splice[side];
    if (wishes->close[side] && !pending) {
        leg_finish(leg);
        return;
    }
    if (wishes->shutdown[side] && !pending && !leg->shut) {
        leg->shut = true;
        (void)shutdown(leg->fd, SHUT_WR);
    }
    leg_watch(leg, (leg_reads(leg, wishes) ? EV_READ : 0) | (leg->blocked ? EV_WRITE : 0));
}

// ---- the connection

static void hand_over_records(struct connection *c) {
    const struct net_config *config = c->worker->config;
    bool final = false;
    for (const struct obj *root; (root = session_record(c->session, &final)) != NULL;) {
        config->on_record(config->ctx, root, final);
        session_record_done(c->session);
    }
}

static void connection_free(struct connection *c) {
    struct worker *worker = c->worker;
    dial_free(c->dial);
    ev_timer_stop(worker->loop, &c->timer);
    leg_finish(&c->legs[SIDE_CLIENT]);
    leg_finish(&c->legs[SIDE_SERVER]);
    leg_drop_pipe(&c->legs[SIDE_CLIENT]);
    leg_drop_pipe(&c->legs[SIDE_SERVER]);
    session_free(c->session);
    worker->config->shared_unref(worker->config->ctx, c->shared);
    *(c->prev != NULL ? &c->prev->next : &worker->connections) = c->next;
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    free(c);
    worker_removed(worker);
}

static void on_dial(void *ctx, struct event *event, int fd) {
    struct connection *c = ctx;
    if (fd >= 0) {
        transport_prepare(fd);
        leg_init(&c->legs[SIDE_SERVER], c, fd);
    }
    c->dial_over = event->kind == EVENT_CONNECTED || event->kind == EVENT_DIAL_FAILED ||
                   event->kind == EVENT_UNRESOLVED;
    input(c, event);
    // Not at once: settling may free the dial, which has called us.
    ev_feed_event(c->worker->loop, &c->timer, EV_CUSTOM);
}

static void apply_dial(struct connection *c, const struct wishes *wishes) {
    bool replaced = wishes->dial.serial != c->dial_serial;
    if (c->dial_over || replaced || wishes->close[SIDE_SERVER] || wishes->reset[SIDE_SERVER]) {
        dial_free(c->dial);
        c->dial = NULL;
        c->dial_over = false;
    }
    if (replaced) {
        leg_finish(&c->legs[SIDE_SERVER]);
        c->dial_serial = wishes->dial.serial;
        c->dial = dial_new(&c->worker->dialer, wishes->dial.host, wishes->dial.port, on_dial, c);
    }
}

// A deadline that moves away, as an idle time does with each byte, costs nothing: the timer runs at
// the old time and looks again.
static void apply_deadline(struct connection *c, int64_t deadline_us) {
    c->deadline_us = deadline_us;
    if (deadline_us >= c->armed_us) {
        return;
    }
    c->armed_us = deadline_us;
    double in_s = (double)(deadline_us - clock_mono_us()) * 1e-6;
    ev_timer_stop(c->worker->loop, &c->timer);
    // At least a millisecond: libev's own time may lag behind the clock.
    ev_timer_set(&c->timer, in_s > 1e-3 ? in_s : 1e-3, 0);
    ev_timer_start(c->worker->loop, &c->timer);
}

// Brings the sockets in line with the session. This follows every call of session_input; no other
// place starts or stops a watcher of the two sockets. Returns false when the connection is gone.
static bool settle(struct connection *c) {
    struct leg *client = &c->legs[SIDE_CLIENT], *server = &c->legs[SIDE_SERVER];
    struct wishes wishes;
    do {
        session_wishes(c->session, &wishes);
        while (leg_write(client, &wishes) || leg_write(server, &wishes)) {
        }
        hand_over_records(c);
        session_wishes(c->session, &wishes);
    } while (leg_tell_broken(client, &wishes) || leg_tell_broken(server, &wishes));
    apply_dial(c, &wishes);
    leg_apply(client, &wishes);
    leg_apply(server, &wishes);
    if (wishes.done) {
        connection_free(c);
        return false;
    }
    apply_deadline(c, wishes.deadline_us);
    return true;
}

// Passes on what the leg has received without looking at it, and fills `event`. Returns what recv
// would.
static ssize_t leg_splice(struct leg *leg, struct event *event) {
    struct leg *to = leg_other(leg);
    ssize_t n = pipe_fill(leg->pipe, leg->fd);
    if (n <= 0) {
        int errnum = errno;
        leg_drop_pipe(leg);
        errno = errnum;
        return n;
    }
    event->kind = EVENT_SPLICED;
    event->spliced.taken = (size_t)n;
    if (!to->blocked && to->errnum == 0) {
        event->spliced.written = leg_write_pipe(to);
    }
    return n;
}

// leg_room is how many bytes are received at a time for a reader.
static size_t leg_room(const struct leg *reader) {
    if (clock_mono_us() < reader->slow_until_us) {
        return SLOW_READ;
    }
    return reader->sent < NEW_UNTIL ? NEW_READ : sizeof(reader->connection->worker->bytes);
}

// leg_receive fills `event` with what there is, at most `*out_room` bytes, and returns what recv
// would.
static ssize_t leg_receive(struct leg *leg, struct event *event, size_t *out_room) {
    struct worker *worker = leg->connection->worker;
    *out_room = sizeof(worker->bytes);
    if (leg->splices && leg->pipe == NULL) {
        leg->pipe = pipes_take(&worker->pipes);
        if (leg->pipe != NULL) {
            return leg_splice(leg, event);
        }
    }
    *out_room = leg_room(leg_other(leg));
    ssize_t n = recv(leg->fd, worker->bytes, *out_room, 0);
    event->kind = EVENT_BYTES;
    event->bytes = (struct span){worker->bytes, n > 0 ? (size_t)n : 0};
    return n;
}

static void leg_read(struct leg *leg) {
    struct connection *c = leg->connection;
    bool ending = false; // it is read once more: a FIN may be there
    for (size_t taken = 0; taken < BYTES_PER_WAKEUP;) {
        struct event event = {.side = side_of(leg)};
        size_t room;
        ssize_t n = leg_receive(leg, &event, &room);
        if (n > 0) {
            taken += (size_t)n;
            input(c, &event);
            ending = !ending && (size_t)n < room && taken < BYTES_PER_WAKEUP &&
                     session_expects_end(c->session, event.side);
            if (ending) {
                continue; // what follows from both goes out in one segment
            }
        } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            (void)settle(c);
            return;
        } else if (n < 0 || leg->errnum != 0) {
            leg_break(leg, n < 0 ? errno : leg->errnum);
        } else {
            leg->eof = true;
            event.kind = EVENT_EOF;
            input(c, &event);
        }
        if (!settle(c) || n < (ssize_t)room || !(leg->events & EV_READ)) {
            return;
        }
    }
}

static void on_io(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop;
    struct leg *leg = io->data;
    if (revents & EV_WRITE) {
        leg_unblock(leg);
    }
    if (revents & EV_READ) {
        leg_read(leg);
    } else {
        (void)settle(leg->connection);
    }
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop;
    struct connection *c = timer->data;
    if (revents & EV_TIMER) {
        c->armed_us = INT64_MAX;
        if (clock_mono_us() >= c->deadline_us) {
            input(c, &(struct event){.kind = EVENT_TIMER});
        }
    }
    (void)settle(c);
}

void connection_hung_up(void *leg) {
    ((struct leg *)leg)->hung = true;
    (void)settle(((struct leg *)leg)->connection);
}

static void sample(void *ctx, enum side side, struct transport *out) {
    transport_sample(out, ((struct connection *)ctx)->legs[side].fd);
}

void connection_new(struct worker *worker, int fd, const struct address *client,
                    const struct address *local, const struct aim *aim) {
    struct connection *c = xcalloc(1, sizeof(*c));
    c->worker = worker;
    c->deadline_us = c->armed_us = INT64_MAX;
    ev_init(&c->timer, on_timer);
    c->timer.data = c;
    leg_init(&c->legs[SIDE_CLIENT], c, fd);
    leg_init(&c->legs[SIDE_SERVER], c, -1);
    c->next = worker->connections;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    worker->connections = c;
    worker_added(worker);
    c->shared = worker->config->shared_ref(worker->config->ctx);
    c->session = session_new(c->shared, client, local, clock_mono_us(), clock_wall_ms(), sample, c);
    uint8_t syn[TRANSPORT_SYN_MAX];
    session_syn(c->session, syn, transport_syn(syn, fd));
    if (aim != NULL) {
        session_aim(c->session, aim->front, aim->host, aim->port);
    }
    (void)settle(c);
}

void connection_stop(struct connection *c) {
    input(c, &(struct event){.kind = EVENT_STOP});
    if (settle(c)) {
        connection_free(c);
    }
}
