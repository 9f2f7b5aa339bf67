#include "proxy/probe/fetcher.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/clock.h"
#include "proxy/net/transport.h"

struct fetcher {
    struct fetcher_config config; // its strings are not used after fetcher_new
    struct fetch *fetch;
    struct dialer dialer;
    struct dial *dial;
    int fd; // -1: not connected
    ev_io io;
    ev_timer deadline;
    ev_timer settle; // fed with EV_CUSTOM: it is over
    uint8_t bytes[16 * 1024];
};

static void prepare(void *ctx, int fd) {
    int mark = ((struct fetcher *)ctx)->config.mark;
    if (mark != 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
    }
}

static bool is_self(void *ctx, const struct address *address) {
    const struct fetcher_config *config = &((struct fetcher *)ctx)->config;
    return config->is_self != NULL && config->is_self(config->is_self_ctx, address);
}

static void settle(struct fetcher *f);

static void input(struct fetcher *f, struct event *event) {
    event->side = SIDE_SERVER;
    event->now_us = clock_mono_us();
    event->wall_ms = clock_wall_ms();
    fetch_input(f->fetch, event);
    settle(f);
}

static void settle(struct fetcher *f) {
    struct ev_loop *loop = f->config.loop;
    ev_io_stop(loop, &f->io);
    if (fetch_result(f->fetch) != FETCH_PENDING) {
        // The dial is freed later: this may be its own call.
        ev_timer_stop(loop, &f->deadline);
        ev_feed_event(loop, &f->settle, EV_CUSTOM);
    } else if (f->fd >= 0) {
        ev_io_set(&f->io, f->fd, EV_READ | (fetch_output(f->fetch).len != 0 ? EV_WRITE : 0));
        ev_io_start(loop, &f->io);
    }
}

static void write_some(struct fetcher *f) {
    struct span out = fetch_output(f->fetch);
    ssize_t n = out.len != 0 ? send(f->fd, out.p, out.len, MSG_NOSIGNAL) : 0;
    if (n > 0) {
        fetch_output_done(f->fetch, (size_t)n);
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        input(f, &(struct event){.kind = EVENT_BROKEN, .errnum = errno});
    }
}

static void read_some(struct fetcher *f) {
    ssize_t n = recv(f->fd, f->bytes, sizeof(f->bytes), 0);
    if (n > 0) {
        input(f, &(struct event){.kind = EVENT_BYTES, .bytes = {f->bytes, (size_t)n}});
    } else if (n == 0) {
        input(f, &(struct event){.kind = EVENT_EOF});
    } else if (errno != EAGAIN && errno != EINTR) {
        input(f, &(struct event){.kind = EVENT_BROKEN, .errnum = errno});
    }
}

static void on_io(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop;
    struct fetcher *f = io->data;
    if (revents & EV_WRITE) {
        write_some(f);
    }
    if (revents & EV_READ) {
        read_some(f);
    }
    settle(f);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    struct fetcher *f = timer->data;
    input(f, &(struct event){.kind = EVENT_TIMER});
    if (fetch_result(f->fetch) == FETCH_PENDING) { // the loop's clock was ahead of the other
        ev_timer_set(&f->deadline, 0.001, 0);
        ev_timer_start(f->config.loop, &f->deadline);
    }
}

static void on_event(void *ctx, struct event *event, int fd) {
    struct fetcher *f = ctx;
    if (fd >= 0) {
        f->fd = fd;
        transport_prepare(fd);
    }
    input(f, event);
}

static void close_all(struct fetcher *f) {
    ev_io_stop(f->config.loop, &f->io);
    ev_timer_stop(f->config.loop, &f->deadline);
    ev_timer_stop(f->config.loop, &f->settle);
    dial_free(f->dial);
    f->dial = NULL;
    if (f->fd >= 0) {
        close(f->fd);
    }
    f->fd = -1;
}

static void on_settle(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    struct fetcher *f = timer->data;
    close_all(f);
    f->config.on_done(f->config.ctx, f->fetch);
}

struct fetcher *fetcher_new(const struct fetcher_config *config) {
    struct fetcher *f = xcalloc(1, sizeof(*f));
    struct fetch_config fetch = config->fetch;
    struct fetch_url url;
    CHECK(fetch_url_parse(&url, fetch.url));
    f->config = *config;
    f->fd = -1;
    fetch.by_parent = config->parent_host != NULL;
    f->fetch = fetch_new(&fetch, clock_mono_us());
    f->dialer = (struct dialer){
        .loop = config->loop,
        .resolver = config->resolver,
        .connect_timeout_us = config->connect_us,
        .attempt_delay_us = config->connect_us / 4,
        .family = config->family,
        .is_self = is_self,
        .prepare = prepare,
        .ctx = f,
    };
    ev_init(&f->io, on_io);
    ev_init(&f->settle, on_settle);
    int64_t left = fetch_deadline_us(f->fetch) - clock_mono_us();
    ev_timer_init(&f->deadline, on_deadline, left > 0 ? (double)left * 1e-6 : 0, 0);
    f->io.data = f->settle.data = f->deadline.data = f;
    ev_timer_start(config->loop, &f->deadline);
    f->dial = dial_new(&f->dialer, fetch.by_parent ? config->parent_host : url.host,
                       fetch.by_parent ? config->parent_port : url.port, on_event, f);
    return f;
}

void fetcher_free(struct fetcher *f) {
    if (f == NULL) {
        return;
    }
    close_all(f);
    fetch_free(f->fetch);
    free(f);
}

void fetcher_stop(struct fetcher *f) { input(f, &(struct event){.kind = EVENT_STOP}); }
