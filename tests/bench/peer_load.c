#include "tests/bench/peer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "third_party/boringssl/boringssl_ssl.h"

enum phase { CONNECTING, REQUESTING, HANDSHAKE, ANSWER, TRANSFER, HELD };

struct client {
    SSL *ssl;
    int fd;
    enum phase phase;
    int64_t start_us;
    uint64_t left;
    struct client *next;     // of those that are held
    char reply[REQUEST_MAX]; // of the proxy, then the head of the origin's answer
    size_t reply_len;
};

// struct latencies is how long each connection took to come to a point, in microseconds.
struct latencies {
    int64_t *us, num;
};

struct load {
    struct sockaddr_in connect;
    const char *target, *sni;
    int64_t hosts, count, parallel, bytes, rate;
    int64_t begin_us;
    bool hold;
    SSL_CTX *ctx;
    int epoll;
    int64_t started, open, done, failed;
    struct client *held;
    struct latencies handshakes, answers; // the client's handshake; the first byte of the answer
};

static void note(struct latencies *latencies, const struct client *client) {
    latencies->us[latencies->num++] = now_us() - client->start_us;
}

static void client_start(struct load *load) {
    struct client *client = xcalloc(1, sizeof(*client));
    char name[256];
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0) {
        die("socket");
    }
    no_delay(client->fd);
    client->start_us = now_us();
    int ret = connect(client->fd, (struct sockaddr *)&load->connect, sizeof(load->connect));
    if (ret != 0 && errno != EINPROGRESS) {
        die("connect");
    }
    snprintf(name, sizeof(name), load->sni, (int)(load->started % load->hosts));
    client->ssl = SSL_new(load->ctx);
    SSL_set_fd(client->ssl, client->fd);
    SSL_set_tlsext_host_name(client->ssl, name);
    SSL_set_connect_state(client->ssl);
    load->started++;
    load->open++;
    watch(load->epoll, EPOLL_CTL_ADD, client->fd, EPOLLIN | EPOLLOUT | EPOLLET, client);
}

static void client_free(struct client *client) {
    SSL_free(client->ssl);
    close(client->fd);
    free(client);
}

static void client_end(struct load *load, struct client *client, bool ok) {
    load->open--;
    load->done += ok;
    load->failed += !ok;
    client_free(client);
}

static void client_hold(struct load *load, struct client *client) {
    client->phase = HELD;
    client->next = load->held;
    load->held = client;
    load->done++;
}

// request_step sends the CONNECT and awaits its answer; false is failure, `*done` says when.
static bool request_step(struct load *load, struct client *client, bool *done) {
    if (client->phase == CONNECTING) {
        char text[512];
        int error = 0;
        socklen_t len = sizeof(error);
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error != 0) {
            return false;
        }
        int n = snprintf(text, sizeof(text), "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n",
                         load->target, load->target);
        if (write(client->fd, text, (size_t)n) != n) {
            return errno == EAGAIN || errno == ENOTCONN;
        }
        client->phase = REQUESTING;
    }
    for (;;) {
        ssize_t n = read(client->fd, client->reply + client->reply_len, 1);
        if (n != 1) {
            return n < 0 && errno == EAGAIN;
        }
        client->reply_len++;
        if (client->reply_len >= 4 &&
            memcmp(client->reply + client->reply_len - 4, "\r\n\r\n", 4) == 0) {
            *done = true;
            return memcmp(client->reply, "HTTP/1.1 200", 12) == 0;
        }
        if (client->reply_len == sizeof(client->reply)) {
            return false;
        }
    }
}

// ask sends the request inside TLS.
static bool ask(const struct load *load, struct client *client) {
    char text[512];
    int n = snprintf(text, sizeof(text), "GET /%lld%s HTTP/1.1\r\nHost: %s\r\n\r\n",
                     (long long)load->bytes, load->hold ? "?keep" : "",
                     load->target != NULL ? load->target : "bench.test");
    client->left = (uint64_t)load->bytes;
    client->reply_len = 0;
    client->phase = ANSWER;
    return SSL_write(client->ssl, text, n) == n;
}

// take takes the head of the answer, and counts what is behind it.
static void take(struct client *client, const uint8_t *p, size_t len) {
    for (; client->phase == ANSWER && len != 0; p++, len--) {
        if (client->reply_len == sizeof(client->reply)) {
            die("the head of an answer");
        }
        client->reply[client->reply_len++] = (char)*p;
        if (client->reply_len >= 4 &&
            memcmp(client->reply + client->reply_len - 4, "\r\n\r\n", 4) == 0) {
            if (memcmp(client->reply, "HTTP/1.1 200", 12) != 0) {
                die("an answer that is not 200");
            }
            client->phase = TRANSFER;
        }
    }
    client->left -= len < client->left ? len : client->left;
}

// client_step goes on until the socket blocks; false when the connection is over, `*ok` how.
static bool client_step(struct load *load, struct client *client, bool *ok) {
    *ok = false;
    ERR_clear_error();
    if (client->phase < HANDSHAKE && load->target != NULL) {
        bool done = false;
        if (!request_step(load, client, &done)) {
            return false;
        }
        if (!done) {
            return true;
        }
    }
    client->phase = client->phase < HANDSHAKE ? HANDSHAKE : client->phase;
    if (client->phase == HANDSHAKE) {
        int ret = SSL_do_handshake(client->ssl);
        if (ret != 1) {
            int error = SSL_get_error(client->ssl, ret);
            return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
        }
        note(&load->handshakes, client);
        if (!ask(load, client)) {
            return false;
        }
    }
    static uint8_t sink[PIECE];
    for (;;) {
        if (client->phase == TRANSFER && client->left == 0) {
            if (load->hold) {
                client_hold(load, client);
                return true;
            }
            SSL_shutdown(client->ssl);
            *ok = true;
            return false;
        }
        int n = SSL_read(client->ssl, sink, sizeof(sink));
        if (n <= 0) {
            return SSL_get_error(client->ssl, n) == SSL_ERROR_WANT_READ;
        }
        if (client->phase == ANSWER && client->reply_len == 0) {
            note(&load->answers, client);
        }
        take(client, sink, (size_t)n);
    }
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void report_latencies(struct latencies *latencies, const char *name) {
    static const struct {
        const char *name;
        double of;
    } points[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
    qsort(latencies->us, (size_t)latencies->num, sizeof(int64_t), compare);
    printf(", \"%s\": {", name);
    for (size_t i = 0; i < ARRAY_LEN(points) && latencies->num != 0; i++) {
        int64_t at = (int64_t)((double)(latencies->num - 1) * points[i].of);
        printf("%s\"%s\": %lld", i == 0 ? "" : ", ", points[i].name, (long long)latencies->us[at]);
    }
    printf("}");
}

static void report(struct load *load, int64_t us) {
    printf("{\"done\": %lld, \"failed\": %lld, \"seconds\": %.6f", (long long)load->done,
           (long long)load->failed, (double)us / 1e6);
    report_latencies(&load->handshakes, "handshake_us");
    report_latencies(&load->answers, "answer_us");
    printf("}\n");
    fflush(stdout);
}

static void option(struct load *load, const char *text) {
    const char *value = strchr(text, '=');
    if (value == NULL) {
        die(text);
    }
    size_t len = (size_t)(value++ - text);
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {{"hosts", &load->hosts},
                   {"count", &load->count},
                   {"parallel", &load->parallel},
                   {"bytes", &load->bytes},
                   {"rate", &load->rate}};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (strlen(numbers[i].name) == len && memcmp(numbers[i].name, text, len) == 0) {
            *numbers[i].number = atoll(value);
            return;
        }
    }
    if (strncmp(text, "connect=", 8) == 0) {
        load->connect = address(value);
    } else if (strncmp(text, "target=", 7) == 0) {
        load->target = value;
    } else if (strncmp(text, "sni=", 4) == 0) {
        load->sni = value;
    } else if (strncmp(text, "hold=", 5) == 0) {
        load->hold = *value == '1';
    } else if (strncmp(text, "version=", 8) == 0) {
        uint16_t version = strcmp(value, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        SSL_CTX_set_min_proto_version(load->ctx, version);
        SSL_CTX_set_max_proto_version(load->ctx, version);
    } else {
        die(text);
    }
}

// may_start returns whether it is time for another connection.
static bool may_start(const struct load *load) {
    if (load->started == load->count) {
        return false;
    }
    if (load->rate != 0) {
        return now_us() >= load->begin_us + load->started * 1000000 / load->rate;
    }
    return load->started - load->done - load->failed < load->parallel;
}

// wait_for is how long there is nothing to begin. With a rate a millisecond is long.
static struct timespec wait_for(const struct load *load) {
    if (load->rate == 0 || load->started == load->count) {
        return (struct timespec){.tv_sec = 30};
    }
    int64_t us = load->begin_us + load->started * 1000000 / load->rate - now_us();
    us = us > 0 ? us : 0;
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

int load_main(int argc, char **argv) {
    struct load load = {.sni = "bench.test", .hosts = 1, .count = 1000, .parallel = 32, .bytes = 1};
    load.ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_options(load.ctx, SSL_OP_NO_TICKET);
    for (int i = 0; i < argc; i++) {
        option(&load, argv[i]);
    }
    load.handshakes.us = xcalloc((size_t)load.count, sizeof(int64_t));
    load.answers.us = xcalloc((size_t)load.count, sizeof(int64_t));
    load.epoll = epoll_create1(0);
    load.begin_us = now_us();
    while (load.done + load.failed < load.count) {
        while (may_start(&load)) {
            client_start(&load);
        }
        struct epoll_event events[EVENTS];
        struct timespec wait = wait_for(&load);
        int num = epoll_pwait2(load.epoll, events, EVENTS, &wait, NULL);
        if (num == 0 && load.rate == 0) {
            fprintf(stderr, "peer: nothing happened for 30 seconds\n");
            return 1;
        }
        for (int i = 0; i < num; i++) {
            struct client *client = events[i].data.ptr;
            bool ok;
            if (client->phase != HELD && !client_step(&load, client, &ok)) {
                client_end(&load, client, ok);
            }
        }
    }
    report(&load, now_us() - load.begin_us);
    if (load.hold) {
        while (getchar() != EOF) {
        }
    }
    while (load.held != NULL) {
        struct client *client = load.held;
        load.held = client->next;
        client_free(client);
    }
    free(load.handshakes.us);
    free(load.answers.us);
    SSL_CTX_free(load.ctx);
    return load.failed != 0;
}
