// Sends a client's hello to a server and tells what the flight was: a line for each fact.
//
//     hello_replay HOST PORT keyed|verbatim HELLO [CONNECT-TARGET [USER-AGENT]]
//
// HELLO is a recorded client, or a shape behind "shape:". With a target the server is a proxy that
// is asked for it, in the name of USER-AGENT. After a TLS 1.3 flight a page is asked for.
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/tls/certificate.h"
#include "proxy/tls/client_flight.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "third_party/boringssl/boringssl.h"

enum { SECONDS_MAX = 15 };

struct told {
    struct client_flight *flight;
    const char *user_agent; // or NULL
    char page[16384];
    size_t page_len;
};

static void hex_print(const char *name, const uint8_t *p, size_t p_len) {
    printf("%s ", name);
    for (size_t i = 0; i < p_len; i++) {
        printf("%02x", p[i]);
    }
    printf("\n");
}

static void on_message(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    const struct told *told = ctx;
    struct certificate_message message;
    struct certificate_entry entry;
    uint8_t hash[SHA256_DIGEST_LENGTH];
    printf("message %s %d\n", from_client ? "client" : "server", p[0]);
    bool tls13 = client_flight_facts(told->flight)->version >= 0x0304;
    if (from_client || p[0] != HANDSHAKE_CERTIFICATE ||
        !certificate_parse(&message, NULL, tls13, p, p_len)) {
        return;
    }
    CBS entries = message.entries;
    if (certificate_next(&message, &entries, &entry)) {
        SHA256(CBS_data(&entry.der), CBS_len(&entry.der), hash);
        hex_print("leaf", hash, sizeof(hash));
    }
}

static void on_data(void *ctx, const uint8_t *p, size_t p_len) {
    struct told *told = ctx;
    size_t room = sizeof(told->page) - 1 - told->page_len;
    size_t len = p_len < room ? p_len : room;
    memcpy(told->page + told->page_len, p, len);
    told->page_len += len;
}

static int dial(const char *host, const char *port) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct timeval most = {.tv_sec = SECONDS_MAX};
    struct addrinfo *list;
    CHECK(getaddrinfo(host, port, &hints, &list) == 0);
    int fd = socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most)) == 0);
    freeaddrinfo(list);
    return fd;
}

static void write_all(int fd, const uint8_t *p, size_t p_len) {
    while (p_len != 0) {
        ssize_t n = send(fd, p, p_len, MSG_NOSIGNAL);
        if (n <= 0) {
            return; // the server is gone; what it said is still to be read
        }
        p += n;
        p_len -= (size_t)n;
    }
}

// request_write returns the length of a request with the User-Agent, if any.
static size_t request_write(char *out, size_t out_len, const char *line, const char *host,
                            const char *user_agent) {
    int len = snprintf(out, out_len, "%s\r\nHost: %s\r\n%s%s%s\r\n", line, host,
                       user_agent != NULL ? "User-Agent: " : "",
                       user_agent != NULL ? user_agent : "", user_agent != NULL ? "\r\n" : "");
    CHECK(len > 0 && (size_t)len < out_len);
    return (size_t)len;
}

static void ask_proxy(int fd, const char *target, const char *user_agent) {
    char text[1024], line[300];
    CHECK(snprintf(line, sizeof(line), "CONNECT %s HTTP/1.1", target) < (int)sizeof(line));
    size_t len = request_write(text, sizeof(text), line, target, user_agent);
    write_all(fd, (const uint8_t *)text, len);
    for (size_t at = 0; at < sizeof(text) - 1 && recv(fd, text + at, 1, 0) == 1;) {
        text[++at] = '\0';
        if (at >= 4 && strcmp(text + at - 4, "\r\n\r\n") == 0) {
            return;
        }
    }
    CHECK(false);
}

static void hello_make(struct hello_draft *hello, struct hello_keys *keys, const char *name,
                       bool keyed) {
    struct hello_swap swap = {0};
    struct err err = {0};
    if (strncmp(name, "shape:", 6) == 0) {
        const struct hello_shape *shape = hello_shape_find(name + 6);
        CHECK(shape != NULL);
        hello_shape_make(hello, shape, "a.localhost", keys);
        return;
    }
    const struct sample *sample = hellos_get(name);
    CHECK(hello_draft_read_wire(hello, NULL, sample->p, sample->len, &err));
    if (keyed) {
        hello_keys_swap(keys, hello, &swap);
    }
    printf("swapped %u\n", swap.changed);
}

static void output_send(struct client_flight *flight, int fd) {
    size_t len;
    const uint8_t *out = client_flight_output(flight, &len);
    write_all(fd, out, len);
    client_flight_output_done(flight, len);
}

static void move(struct told *told, int fd) {
    uint8_t bytes[16384];
    struct client_flight *flight = told->flight;
    bool finished = false;
    for (;;) {
        enum client_flight_status status = client_flight_status(flight);
        bool tls13 = client_flight_facts(flight)->version >= 0x0304;
        if (status == CLIENT_FLIGHT_DONE && tls13 && !finished) {
            char request[1024];
            size_t len = request_write(request, sizeof(request), "GET / HTTP/1.0", "a.localhost",
                                       told->user_agent);
            client_flight_finish(flight, (const uint8_t *)request, len);
            finished = true;
        } else if (status != CLIENT_FLIGHT_MORE && !(status == CLIENT_FLIGHT_DONE && tls13)) {
            return;
        }
        output_send(flight, fd);
        if (client_flight_facts(flight)->closed) {
            return;
        }
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
        if (n <= 0) {
            client_flight_eof(flight);
            return;
        }
        client_flight_input(flight, bytes, (size_t)n);
    }
}

static void facts_print(const struct told *told) {
    static const char *const checks[] = {"absent", "good", "bad", "unchecked"};
    const struct client_flight_facts *facts = client_flight_facts(told->flight);
    printf("status %s\n", client_flight_status_name(client_flight_status(told->flight)));
    printf("version %04x\ncipher %04x\ngroup %d\n", facts->version, facts->cipher, facts->group);
    printf("signature %s\nscheme %04x\nfinished %s\n", checks[facts->signature], facts->scheme,
           checks[facts->finished]);
    printf("retry %d\nrequest %d\n", facts->retry, facts->certificate_request);
    if (facts->has_alert) {
        printf("alert %d\n", facts->alert.code);
    }
    const char *date = strstr(told->page, "\r\nDate: ");
    if (date != NULL) {
        printf("date %.*s\n", (int)strcspn(date + 8, "\r\n"), date + 8);
    }
}

int main(int argc, char **argv) {
    struct told told = {.user_agent = argc > 6 ? argv[6] : NULL};
    const struct client_flight_sink sink = {&told, on_message, NULL, on_data};
    struct hello_draft hello;
    struct buf wire;
    struct err err;
    if (argc < 5) {
        fprintf(stderr, "usage: hello_replay HOST PORT keyed|verbatim HELLO "
                        "[CONNECT-TARGET [USER-AGENT]]\n");
        return 2;
    }
    bool keyed = strcmp(argv[3], "keyed") == 0;
    struct hello_keys *keys = hello_keys_new(NULL, NULL);
    hello_draft_init(&hello);
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    hello_make(&hello, keys, argv[4], keyed);
    CHECK(hello_draft_wire(&hello, &wire, NULL, &err));
    told.flight = client_flight_new(keyed ? keys : NULL, &hello, &sink, &err);
    CHECK(told.flight != NULL);
    int fd = dial(argv[1], argv[2]);
    if (argc > 5) {
        ask_proxy(fd, argv[5], told.user_agent);
    }
    write_all(fd, buf_data(&wire), wire.len);
    move(&told, fd);
    client_flight_close(told.flight);
    output_send(told.flight, fd);
    facts_print(&told);
    close(fd);
    buf_cleanup(&wire);
    client_flight_free(told.flight);
    hello_draft_cleanup(&hello);
    hello_keys_free(keys);
    return 0;
}
