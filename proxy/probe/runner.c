#include "proxy/probe/runner.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "proxy/net/clock.h"
#include "proxy/net/transport.h"
#include "proxy/probe/outcome.h"

// struct job is under way in a slot, or waits in the queue.
struct job {
    struct runner *runner;
    struct runner_job asked;
    size_t index;
    struct dialer dialer;
    struct dial *dial;
    struct exchange *exchange; // NULL: the slot is free
    int fd;                    // -1: not connected
    ev_io io;
    ev_timer timer; // the exchange's deadline
    ev_timer poll;  // of SO_ERROR
    bool limited;   // the TTL is lowered
    bool over;      // its result is due
    int soft_errnum;
    int64_t start_us, soft_us;
};

struct runner {
    struct runner_config config;
    struct job slots[RUNNER_PARALLEL_MAX];
    struct runner_job *queue; // from `next` on to be begun
    size_t next, num, cap;
    size_t num_connections;
    int64_t not_before_us;
    ev_timer pace;
    ev_timer settle; // fed with EV_CUSTOM: what is over is told, and what waits begun
    uint8_t bytes[16 * 1024];
};

static double seconds(int64_t us) { return us > 0 ? (double)us * 1e-6 : 0; }

// ---- sockets

static bool is_ipv4(int fd) {
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 && sa.ss_family == AF_INET;
}

static void ttl_set(int fd, int ttl) {
    if (is_ipv4(fd)) {
        (void)setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    } else {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
    }
}

// prepare is called by the dial with each socket that is not connected yet.
static void prepare(void *ctx, int fd) {
    struct job *job = ctx;
    const struct runner_socket *options = &job->asked.socket;
    int mark = job->runner->config.mark;
    job->runner->num_connections++;
    if (mark != 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
    }
    if (options->maxseg != 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &options->maxseg, sizeof(options->maxseg));
    }
    if (options->ttl != 0 && options->ttl_of_syn) {
        ttl_set(fd, options->ttl);
    }
}

static bool is_self(void *ctx, const struct address *address) {
    const struct runner_config *config = &((struct job *)ctx)->runner->config;
    return config->is_self != NULL && config->is_self(config->ctx, address);
}

static void sample(void *ctx, struct transport *out) {
    struct job *job = ctx;
    if (job->fd >= 0) {
        transport_sample(out, job->fd);
    }
}

// ---- one job

static void input(struct job *job, struct event *event) {
    event->side = SIDE_SERVER;
    event->now_us = clock_mono_us();
    event->wall_ms = clock_wall_ms();
    exchange_input(job->exchange, event);
}

static void job_close(struct job *job) {
    struct ev_loop *loop = job->runner->config.loop;
    ev_io_stop(loop, &job->io);
    ev_timer_stop(loop, &job->timer);
    ev_timer_stop(loop, &job->poll);
    dial_free(job->dial);
    job->dial = NULL;
    if (job->fd >= 0) {
        if (job->limited) {
            // What is still unacknowledged must not be sent again, with a TTL that suffices now.
            const struct linger none = {.l_onoff = 1};
            (void)setsockopt(job->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        }
        close(job->fd);
    }
    job->fd = -1;
}

static void job_write(struct job *job) {
    struct span out;
    while ((out = exchange_output(job->exchange)).len != 0) {
        ssize_t n = send(job->fd, out.p, out.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            if (errno != EAGAIN) {
                input(job, &(struct event){.kind = EVENT_BROKEN, .errnum = errno});
            }
            return;
        }
        exchange_output_done(job->exchange, (size_t)n, clock_mono_us());
    }
}

// job_limit lowers the TTL before the hello and takes that back when an answer comes.
static void job_limit(struct job *job, const struct exchange_wishes *wishes) {
    const struct runner_socket *options = &job->asked.socket;
    if (options->ttl == 0 || options->ttl_of_syn || job->fd < 0) {
        return;
    }
    if (wishes->sending && !wishes->answered && !job->limited) {
        ttl_set(job->fd, options->ttl);
        job->limited = true;
    } else if (job->limited && (wishes->answered || wishes->done)) {
        ttl_set(job->fd, -1); // the system's own
    }
}

// job_settle does what the exchange wants.
static void job_settle(struct job *job) {
    struct ev_loop *loop = job->runner->config.loop;
    struct exchange_wishes wishes;
    exchange_wishes(job->exchange, &wishes);
    job_limit(job, &wishes);
    if (job->fd >= 0 && !wishes.done) {
        job_write(job);
        exchange_wishes(job->exchange, &wishes);
        job_limit(job, &wishes);
    }
    ev_timer_stop(loop, &job->timer);
    if (wishes.done) {
        // The dial is freed later: this may be its own call.
        ev_io_stop(loop, &job->io);
        job->over = true;
        ev_feed_event(loop, &job->runner->settle, EV_CUSTOM);
        return;
    }
    if (job->fd >= 0) {
        int events = EV_READ | (exchange_output(job->exchange).len != 0 ? EV_WRITE : 0);
        ev_io_stop(loop, &job->io);
        ev_io_set(&job->io, job->fd, events);
        ev_io_start(loop, &job->io);
    }
    ev_timer_set(&job->timer, seconds(wishes.deadline_us - clock_mono_us()), 0);
    ev_timer_start(loop, &job->timer);
}

static void on_io(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop;
    struct job *job = io->data;
    struct runner *runner = job->runner;
    if (revents & EV_READ) {
        ssize_t n = recv(job->fd, runner->bytes, sizeof(runner->bytes), 0);
        struct event event = {.kind = EVENT_BYTES};
        if (n > 0) {
            event.bytes = (struct span){runner->bytes, (size_t)n};
        } else if (n == 0) {
            event.kind = EVENT_EOF;
        } else if (errno == EAGAIN || errno == EINTR) {
            return;
        } else {
            event.kind = EVENT_BROKEN;
            event.errnum = errno;
        }
        input(job, &event);
    }
    job_settle(job);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    struct job *job = timer->data;
    input(job, &(struct event){.kind = EVENT_TIMER});
    job_settle(job);
}

// job_grace_over ends what ICMP spoke against and nothing answered since.
static void job_grace_over(struct job *job) {
    struct exchange_wishes wishes;
    exchange_wishes(job->exchange, &wishes);
    ev_timer_stop(job->runner->config.loop, &job->poll);
    if (!job->over && !wishes.answered) {
        input(job, &(struct event){.kind = EVENT_STOP});
        job_settle(job);
    }
}

// breaks returns whether an error of SO_ERROR is the end of a connection. Whoever asks takes it
// away: reading tells of an orderly end afterwards.
static bool breaks(int errnum) {
    return errnum == ECONNRESET || errnum == EPIPE || errnum == ETIMEDOUT;
}

static void on_poll(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)revents;
    struct job *job = timer->data;
    int errnum = 0;
    socklen_t len = sizeof(errnum);
    if (job->soft_errnum != 0) {
        job_grace_over(job);
    } else if (job->fd >= 0 && getsockopt(job->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) == 0 &&
               breaks(errnum)) {
        ev_timer_stop(loop, &job->poll);
        input(job, &(struct event){.kind = EVENT_BROKEN, .errnum = errnum});
        job_settle(job);
    } else if (errnum != 0) {
        job->soft_errnum = errnum;
        job->soft_us = clock_mono_us() - job->start_us;
        job->poll.repeat = seconds(job->asked.socket.grace_us);
        ev_timer_again(loop, &job->poll); // stopped without a grace
    }
}

static void on_event(void *ctx, struct event *event, int fd) {
    struct job *job = ctx;
    if (fd >= 0) {
        job->fd = fd;
        transport_prepare(fd);
        if (job->asked.socket.poll_us != 0) {
            ev_timer_again(job->runner->config.loop, &job->poll);
        }
    }
    input(job, event);
    job_settle(job);
}

// ---- the queue

static struct job *slot_free(struct runner *runner) {
    for (unsigned i = 0; i < runner->config.parallel; i++) {
        if (runner->slots[i].exchange == NULL) {
            return &runner->slots[i];
        }
    }
    return NULL;
}

static bool idle(const struct runner *runner) {
    for (size_t i = 0; i < RUNNER_PARALLEL_MAX; i++) {
        if (runner->slots[i].exchange != NULL) {
            return false;
        }
    }
    return runner->next == runner->num;
}

static void job_begin(struct runner *runner, struct job *job) {
    const struct runner_config *config = &runner->config;
    struct err err;
    *job = (struct job){.runner = runner, .index = runner->next, .fd = -1};
    job->asked = runner->queue[runner->next++];
    job->asked.exchange.sample = sample;
    job->asked.exchange.sample_ctx = job;
    job->start_us = clock_mono_us();
    job->exchange = exchange_new(&job->asked.exchange, job->start_us, clock_wall_ms(), &err);
    CHECK(job->exchange != NULL); // its hello was written before
    job->dialer = (struct dialer){
        .loop = config->loop,
        .resolver = job->asked.resolver != NULL ? job->asked.resolver : config->resolver,
        .connect_timeout_us = config->connect_timeout_us,
        .attempt_delay_us = config->connect_timeout_us / 4,
        .family = config->family,
        .is_self = is_self,
        .prepare = prepare,
        .ctx = job,
    };
    ev_init(&job->io, on_io);
    ev_init(&job->timer, on_timer);
    ev_timer_init(&job->poll, on_poll, 0, seconds(job->asked.socket.poll_us));
    job->io.data = job->timer.data = job->poll.data = job;
    job->dial = dial_new(&job->dialer, job->asked.dial_host, job->asked.dial_port, on_event, job);
    job_settle(job);
}

static void start_some(struct runner *runner) {
    struct job *job;
    ev_timer_stop(runner->config.loop, &runner->pace);
    while (runner->next < runner->num && (job = slot_free(runner)) != NULL) {
        int64_t now = clock_mono_us();
        if (now < runner->not_before_us) {
            ev_timer_set(&runner->pace, seconds(runner->not_before_us - now), 0);
            ev_timer_start(runner->config.loop, &runner->pace);
            return;
        }
        runner->not_before_us = now + runner->config.pace_us;
        job_begin(runner, job);
    }
}

static void on_pace(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    start_some(timer->data);
}

static void job_tell(struct job *job) {
    struct runner *runner = job->runner;
    struct exchange *exchange = job->exchange;
    const struct runner_result result = {
        .index = job->index,
        .exchange = exchange,
        .soft_errnum = job->soft_errnum,
        .soft_us = job->soft_us,
    };
    job_close(job);
    job->exchange = NULL;
    if (strcmp(outcome_name(exchange_leg(exchange)), "answered") != 0) {
        int64_t after = clock_mono_us() + runner->config.residual_us;
        runner->not_before_us = after > runner->not_before_us ? after : runner->not_before_us;
    }
    runner->config.on_result(runner->config.ctx, &result);
    exchange_free(exchange);
}

static void on_settle(struct ev_loop *loop, ev_timer *watcher, int revents) {
    (void)loop, (void)revents;
    struct runner *runner = watcher->data;
    for (size_t i = 0; i < RUNNER_PARALLEL_MAX; i++) {
        struct job *job = &runner->slots[i];
        if (job->exchange != NULL && job->over) {
            job_tell(job);
        }
    }
    start_some(runner);
    if (idle(runner)) {
        runner->config.on_idle(runner->config.ctx);
    }
}

struct runner *runner_new(const struct runner_config *config) {
    struct runner *runner = xcalloc(1, sizeof(*runner));
    CHECK(config->parallel >= 1 && config->parallel <= RUNNER_PARALLEL_MAX);
    runner->config = *config;
    ev_init(&runner->pace, on_pace);
    ev_init(&runner->settle, on_settle);
    runner->pace.data = runner->settle.data = runner;
    return runner;
}

void runner_free(struct runner *runner) {
    if (runner == NULL) {
        return;
    }
    for (size_t i = 0; i < RUNNER_PARALLEL_MAX; i++) {
        if (runner->slots[i].exchange != NULL) {
            job_close(&runner->slots[i]);
            exchange_free(runner->slots[i].exchange);
        }
    }
    ev_timer_stop(runner->config.loop, &runner->pace);
    ev_timer_stop(runner->config.loop, &runner->settle);
    free(runner->queue);
    free(runner);
}

void runner_add(struct runner *runner, const struct runner_job *job) {
    if (runner->num == runner->cap) {
        runner->cap = runner->cap == 0 ? 16 : runner->cap * 2;
        runner->queue = xrealloc(runner->queue, runner->cap * sizeof(*runner->queue));
    }
    runner->queue[runner->num++] = *job;
    // From the loop, as all that is begun.
    ev_feed_event(runner->config.loop, &runner->settle, EV_CUSTOM);
}

void runner_stop(struct runner *runner) {
    runner->num = runner->next;
    for (size_t i = 0; i < RUNNER_PARALLEL_MAX; i++) {
        struct job *job = &runner->slots[i];
        if (job->exchange != NULL && !job->over) {
            input(job, &(struct event){.kind = EVENT_STOP});
            job_settle(job);
        }
    }
    ev_feed_event(runner->config.loop, &runner->settle, EV_CUSTOM);
}

size_t runner_num_connections(const struct runner *runner) { return runner->num_connections; }
