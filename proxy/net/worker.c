#include "proxy/net/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "proxy/net/connection.h"

enum { ACCEPTS_PER_WAKEUP = 64 };

static const double PAUSE_S = 0.1; // when descriptors or memory have run out

struct listener {
    struct worker *worker;
    struct address address;
    ev_io io;
    unsigned iteration; // of the loop, when it was last readable
};

static void warn(struct worker *worker, atomic_bool *warned, const char *says) {
    if (!atomic_exchange(warned, true) && worker->config->on_warning != NULL) {
        worker->config->on_warning(worker->config->ctx, says);
    }
}

static void reset(int fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

// ---- accepting

static void accept_start(struct worker *worker) {
    ev_timer_stop(worker->loop, &worker->resume);
    for (size_t i = 0; i < worker->num_listeners; i++) {
        ev_io_start(worker->loop, &worker->listeners[i].io);
    }
    worker->accepting = true;
}

static void accept_pause(struct worker *worker) {
    for (size_t i = 0; worker->accepting && i < worker->num_listeners; i++) {
        ev_io_stop(worker->loop, &worker->listeners[i].io);
    }
    worker->accepting = false;
}

static void on_resume(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    accept_start(timer->data);
}

// The new connections wait in the kernel's queue meanwhile.
static void accept_failed(struct worker *worker, int errnum) {
    switch (errnum) {
    case EAGAIN:
    case EINTR:
        return;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        worker->counts.paused_resources++;
        warn(worker, &worker->env->warned_resources,
             errnum == EMFILE || errnum == ENFILE
                 ? "new connections wait: no free file descriptors; raise ulimit -n"
                 : "new connections wait: the kernel has no memory for them");
        accept_pause(worker);
        ev_timer_set(&worker->resume, PAUSE_S, 0);
        ev_timer_start(worker->loop, &worker->resume);
        return;
    default: // of that connection or its network (accept(2)); the next one may be better
        worker->counts.accept_failures++;
    }
}

// arrive begins the connection of `fd`: one that asks, or one that is known to go somewhere.
static void arrive(struct worker *worker, int fd, const struct address *client,
                   const struct address *local, const struct address *listen) {
    const struct net_config *config = worker->config;
    struct aim aim = {"fixed", config->target_host, config->target_port};
    struct address to;
    char host[ADDRESS_TEXT_SIZE];
    if (config->transparent && arrival_original(&to, fd, listen)) {
        if (loops_meets(worker->env->loops, client, &to)) {
            warn(worker, &worker->env->warned_loop,
                 "the firewall sends the proxy's own connections back to it: let those with the "
                 "mark 0x746c, or of its user, pass");
            reset(fd);
            return;
        }
        aim = (struct aim){"transparent", address_ip_text(host, &to), to.port};
    }
    connection_new(worker, fd, client, local, aim.host != NULL ? &aim : NULL);
}

static void accept_some(struct listener *listener, int most) {
    struct worker *worker = listener->worker;
    for (int i = 0; i < most && worker->accepting; i++) {
        struct sockaddr_storage sa;
        socklen_t len = sizeof(sa);
        int fd =
            accept4(listener->io.fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            accept_failed(worker, errno);
            return;
        }
        struct address client, local = listener->address;
        address_from_sockaddr(&client, (struct sockaddr *)&sa);
        len = sizeof(sa);
        if (address_is_any(&local) && getsockname(fd, (struct sockaddr *)&sa, &len) == 0) {
            address_from_sockaddr(&local, (struct sockaddr *)&sa);
        }
        worker->counts.accepted++;
        arrive(worker, fd, &client, &local, &listener->address);
    }
}

// One connection is taken, and where the loop's next look finds another, all that wait: the kernel
// makes a socket and a file before it says that nobody is there.
static void on_acceptable(struct ev_loop *loop, ev_io *io, int revents) {
    (void)revents;
    struct listener *listener = io->data;
    unsigned iteration = ev_iteration(loop);
    bool crowd = iteration - listener->iteration == 1;
    listener->iteration = iteration;
    accept_some(listener, crowd ? ACCEPTS_PER_WAKEUP : 1);
}

void worker_added(struct worker *worker) {
    worker->num_connections++;
    if (worker->num_connections > worker->counts.most_at_once) {
        worker->counts.most_at_once = worker->num_connections;
    }
    if (worker->num_connections >= worker->max_connections && worker->accepting) {
        worker->counts.paused_ceiling++;
        warn(worker, &worker->env->warned_ceiling,
             "new connections wait: as many as allowed are open; raise ulimit -n");
        accept_pause(worker);
    }
}

void worker_removed(struct worker *worker) {
    worker->num_connections--;
    if (worker->num_connections == 0 && ev_is_active(&worker->grace)) {
        ev_break(worker->loop, EVBREAK_ALL);
    }
    if (!worker->accepting && worker->num_listeners != 0 && !ev_is_active(&worker->resume)) {
        accept_start(worker);
    }
}

// ---- life

static void listeners_close(struct worker *worker) {
    accept_pause(worker);
    for (size_t i = 0; i < worker->num_listeners; i++) {
        close(worker->listeners[i].io.fd);
    }
    worker->num_listeners = 0;
}

static void on_grace_over(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)revents;
    struct worker *worker = timer->data;
    while (worker->connections != NULL) {
        connection_stop(worker->connections);
    }
    ev_break(loop, EVBREAK_ALL);
}

static void on_stop(struct ev_loop *loop, ev_async *async, int revents) {
    (void)revents;
    struct worker *worker = async->data;
    if (!atomic_exchange(&worker->env->told_stopping, true)) {
        worker->env->on_stopping(worker->env->ctx);
    }
    if (worker->config->grace_us != 0) {
        for (size_t i = 0; i < worker->num_listeners; i++) {
            accept_some(&worker->listeners[i], ACCEPTS_PER_WAKEUP);
        }
    }
    listeners_close(worker);
    if (worker->config->grace_us != 0 && worker->num_connections != 0) {
        ev_timer_set(&worker->grace, (double)worker->config->grace_us * 1e-6, 0);
        ev_timer_start(loop, &worker->grace);
    } else {
        on_grace_over(loop, &worker->grace, 0);
    }
}

static bool init_parts(struct worker *worker, struct err *err) {
    const struct net_config *config = worker->config;
    if (worker->loop == NULL) {
        return err_errno(err, "cannot start an event loop");
    }
    ev_async_start(worker->loop, &worker->stop);
    drain_init(&worker->drain, worker->loop, config->drain_us,
               (config->max_draining + config->workers - 1) / config->workers);
    worker->resolver = resolver_new(worker->loop, config->dns_servers, config->dns_timeout_us, err);
    worker->dialer = (struct dialer){
        .loop = worker->loop,
        .resolver = worker->resolver,
        .connect_timeout_us = config->connect_timeout_us,
        .attempt_delay_us = config->attempt_delay_us,
        .is_self = worker->env->is_self,
        .loops = worker->env->loops,
        .ctx = worker->env->ctx,
    };
    return worker->resolver != NULL &&
           hangup_init(&worker->hangup, worker->loop, connection_hung_up, err);
}

struct worker *worker_new(struct worker_env *env, const int *fds, const struct address *addresses,
                          size_t num, struct err *err) {
    struct worker *worker = xcalloc(1, sizeof(*worker));
    const struct net_config *config = env->config;
    worker->env = env;
    worker->config = config;
    worker->max_connections = (config->max_connections + config->workers - 1) / config->workers;
    worker->pipes.max = config->max_pipes;
    worker->listeners = xcalloc(num, sizeof(*worker->listeners));
    worker->num_listeners = num;
    for (size_t i = 0; i < num; i++) {
        struct listener *listener = &worker->listeners[i];
        *listener = (struct listener){.worker = worker, .address = addresses[i]};
        ev_io_init(&listener->io, on_acceptable, fds[i], EV_READ);
        listener->io.data = listener;
    }
    ev_init(&worker->resume, on_resume);
    ev_async_init(&worker->stop, on_stop);
    ev_init(&worker->grace, on_grace_over);
    worker->resume.data = worker->stop.data = worker->grace.data = worker;
    worker->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (!init_parts(worker, err)) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

void worker_free(struct worker *worker) {
    if (worker == NULL) {
        return;
    }
    CHECK(worker->connections == NULL);
    listeners_close(worker);
    pipes_cleanup(&worker->pipes);
    if (worker->loop != NULL) {
        drain_cleanup(&worker->drain);
        hangup_cleanup(&worker->hangup);
        resolver_free(worker->resolver);
        ev_timer_stop(worker->loop, &worker->resume);
        ev_timer_stop(worker->loop, &worker->grace);
        ev_async_stop(worker->loop, &worker->stop);
        ev_loop_destroy(worker->loop);
    }
    free(worker->listeners);
    free(worker);
}

void worker_run(struct worker *worker) {
    accept_start(worker);
    ev_run(worker->loop, 0);
}

void worker_stop(struct worker *worker) { ev_async_send(worker->loop, &worker->stop); }
