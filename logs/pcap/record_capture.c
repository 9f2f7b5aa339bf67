#include "logs/pcap/record_capture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/record.h"

enum { SECRETS_MAX = 64 * 1024, REQUEST_MAX = 4 * 1024 };

// What happens on a leg. Moments of both legs are written in the order of their times.
enum moment_kind { MOMENT_OPEN, MOMENT_DATA, MOMENT_END };

struct moment {
    int64_t us;
    size_t order; // of those at one time
    struct side *side;
    enum moment_kind kind;
    bool from_client;
    struct span bytes;
};

struct side {
    const struct obj *leg;
    bool server_leg;
    struct capture_stream stream;
    char comment[CAPTURE_COMMENT_MAX];
};

struct moments {
    struct moment *items;
    size_t num, cap;
    struct arena arena; // of text that was made up
};

static void moment_add(struct moments *moments, struct moment moment) {
    if (moments->num == moments->cap) {
        moments->cap = moments->cap == 0 ? 64 : moments->cap * 2;
        moments->items = xrealloc(moments->items, moments->cap * sizeof(moment));
    }
    moment.order = moments->num;
    moments->items[moments->num++] = moment;
}

static int moment_compare(const void *a, const void *b) {
    const struct moment *x = a, *y = b;
    if (x->us != y->us) {
        return x->us < y->us ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

// address_read reads an address, with IPv4 as ::ffff:a.b.c.d.
static bool address_read(uint8_t out[16], const char *text) {
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    if (text != NULL && inet_pton(AF_INET, text, out + 12) == 1) {
        memcpy(out, v4, sizeof(v4));
        return true;
    }
    return text != NULL && inet_pton(AF_INET6, text, out) == 1;
}

// struct end_fields are where a leg holds one of its ends, and what stands for it where it does
// not.
struct end_fields {
    enum field address, port;
    const char *ipv4, *ipv6;
    uint16_t number;
};

static const struct end_fields peer_fields = {F_LEG_ADDRESS, F_LEG_PORT, "192.0.2.1", "2001:db8::1",
                                              49152};
static const struct end_fields local_fields = {F_LEG_LOCAL_ADDRESS, F_LEG_LOCAL_PORT, "192.0.2.2",
                                               "2001:db8::2", 8080};

static bool is_ipv4(const char *text) { return text == NULL || strchr(text, ':') == NULL; }

static void end_read(struct capture_end *out, const struct obj *leg,
                     const struct end_fields *fields, bool ipv4) {
    int64_t port = fields->number;
    const char *text = obj_str(leg, fields->address);
    if (is_ipv4(text) != ipv4 || !address_read(out->address, text)) {
        CHECK(address_read(out->address, ipv4 ? fields->ipv4 : fields->ipv6));
    }
    (void)obj_int(leg, fields->port, &port);
    out->port = (uint16_t)port;
}

// ends_read fills in who speaks with whom: on the server leg the proxy is the client.
static void ends_read(struct side *side) {
    const char *peer = obj_str(side->leg, F_LEG_ADDRESS);
    const char *local = obj_str(side->leg, F_LEG_LOCAL_ADDRESS);
    bool ipv4 = is_ipv4(peer != NULL ? peer : local);
    struct capture_end *client = &side->stream.client, *server = &side->stream.server;
    end_read(side->server_leg ? server : client, side->leg, &peer_fields, ipv4);
    end_read(side->server_leg ? client : server, side->leg, &local_fields, ipv4);
}

static void comment_make(struct side *side, const struct obj *root) {
    const char *id = obj_str(root, F_RECORD_ID), *host = obj_str(root, F_RECORD_HOST);
    int64_t port = 0;
    (void)obj_int(root, F_RECORD_PORT, &port);
    snprintf(side->comment, sizeof(side->comment), "tlsblame record %.64s, %s leg, %.255s port %d",
             id != NULL ? id : "?", side->server_leg ? "server" : "client",
             host != NULL ? host : "unknown host", (int)port);
    side->stream.comment = side->comment;
}

static void open_add(struct moments *moments, struct side *side, int64_t start_us) {
    const struct obj *leg = side->leg;
    int64_t connected = 0, took = 0;
    (void)obj_int(leg, F_LEG_MS_CONNECT, &connected);
    size_t tried = obj_num(leg, F_LEG_TRIED);
    for (size_t i = 0; i < tried; i++) {
        const struct obj *attempt = obj_at(leg, F_LEG_TRIED, i);
        if (obj_str_is(attempt, F_TRIED_RESULT, "connected")) {
            (void)obj_int(attempt, F_TRIED_MS, &took);
        }
    }
    took = took > 0 && took <= connected ? took : 0;
    side->stream.connect_us = took;
    moment_add(moments, (struct moment){
                            .us = start_us + connected - took, .side = side, .kind = MOMENT_OPEN});
}

static struct span text_span(const char *text) {
    return (struct span){(const uint8_t *)text, strlen(text)};
}

// connect_add writes the request for a tunnel anew, and its answer, which comes once the server is
// connected.
static void connect_add(struct moments *moments, struct side *side, const struct obj *root,
                        int64_t start_us) {
    const char *host = obj_str(root, F_RECORD_HOST), *agent = obj_str(root, F_RECORD_USER_AGENT);
    int64_t port = 443, status, answered = 0;
    if (!obj_str_is(root, F_RECORD_FRONT, "connect") || host == NULL) {
        return;
    }
    (void)obj_int(root, F_RECORD_PORT, &port);
    bool colons = strchr(host, ':') != NULL;
    const char *target =
        arena_printf(&moments->arena, colons ? "[%s]:%d" : "%s:%d", host, (int)port);
    const char *request =
        arena_printf(&moments->arena, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", target,
                     target, agent != NULL ? "User-Agent: " : "", agent != NULL ? agent : "",
                     agent != NULL ? "\r\n" : "");
    moment_add(moments, (struct moment){.us = start_us,
                                        .side = side,
                                        .kind = MOMENT_DATA,
                                        .from_client = true,
                                        .bytes = text_span(request)});
    if (!obj_int(root, F_RECORD_RESPONSE_STATUS, &status)) {
        return;
    }
    bool good = status == 200;
    (void)obj_int(record_leg(root, true), F_LEG_MS_CONNECT, &answered);
    if (!good) {
        (void)obj_int(side->leg, F_LEG_MS_END, &answered);
    }
    const char *answer = arena_printf(&moments->arena, "HTTP/1.1 %d %s\r\n\r\n", (int)status,
                                      good ? "Connection established" : "Error");
    moment_add(moments, (struct moment){.us = start_us + answered,
                                        .side = side,
                                        .kind = MOMENT_DATA,
                                        .bytes = text_span(answer)});
}

static void data_add(struct moments *moments, struct side *side, int64_t us, bool from_client,
                     struct span bytes) {
    moment_add(moments, (struct moment){.us = us,
                                        .side = side,
                                        .kind = MOMENT_DATA,
                                        .from_client = from_client,
                                        .bytes = bytes});
}

// pieces_add adds what was kept of the wire.
static void pieces_add(struct moments *moments, struct side *side, int64_t start_us) {
    const struct obj *leg = side->leg;
    struct span hello = obj_span(leg, F_LEG_OFFER_RAW);
    for (size_t i = 0; i < obj_num(leg, F_LEG_WIRE); i++) {
        const struct obj *piece = obj_at(leg, F_LEG_WIRE, i);
        bool from_client = obj_str_is(piece, F_PIECE_FROM, "client");
        int64_t us = 0, known = 0;
        (void)obj_int(piece, F_PIECE_MS, &us);
        (void)obj_int(piece, F_PIECE_HELLO, &known);
        size_t n = known > 0 && (uint64_t)known <= hello.len ? (size_t)known : 0;
        struct span bytes = obj_span(piece, F_PIECE_BYTES);
        if (n != 0 && bytes.len != 0) { // one piece came, and one segment it is to be
            uint8_t *whole = arena_alloc(&moments->arena, n + bytes.len);
            memcpy(whole, hello.p, n);
            memcpy(whole + n, bytes.p, bytes.len);
            bytes = (struct span){whole, n + bytes.len};
        } else if (n != 0) {
            bytes = (struct span){hello.p, n};
        }
        if (n != 0) {
            hello = (struct span){hello.p + n, hello.len - n};
        }
        if (bytes.len != 0) {
            data_add(moments, side, start_us + us, from_client, bytes);
        }
    }
}

// bare_add adds the ClientHello of a leg whose wire was not kept, and returns whether there is one.
static bool bare_add(struct moments *moments, struct side *side, int64_t start_us) {
    struct span hello = obj_span(side->leg, F_LEG_OFFER_RAW);
    int64_t us = 0;
    (void)obj_int(side->leg, F_LEG_MS_HELLO, &us);
    if (hello.len != 0) {
        data_add(moments, side, start_us + us, true, hello);
    }
    return hello.len != 0;
}

// leg_add adds all of a leg and returns whether it is there at all.
static bool leg_add(struct moments *moments, struct side *side, size_t *out_bare,
                    const struct obj *root, int64_t start_us) {
    int64_t end_us = 0;
    bool kept = obj_num(side->leg, F_LEG_WIRE) != 0;
    // What passed through a tunnel is recorded of the client leg alone.
    bool connected = obj_has(side->leg, F_LEG_ADDRESS) && obj_has(side->leg, F_LEG_OFFER_CIPHERS);
    if (!kept && !connected) {
        return false;
    }
    ends_read(side);
    comment_make(side, root);
    open_add(moments, side, start_us);
    if (!side->server_leg) {
        connect_add(moments, side, root, start_us);
    }
    if (kept) {
        pieces_add(moments, side, start_us);
    } else {
        *out_bare += bare_add(moments, side, start_us);
    }
    if (obj_has(side->leg, F_LEG_END_HOW)) {
        // What the sides still said, such as their close_notify, came before both FINs.
        int64_t last_us = moments->items[moments->num - 1].us;
        (void)obj_int(side->leg, F_LEG_MS_END, &end_us);
        end_us += start_us;
        moment_add(moments, (struct moment){.us = end_us < last_us ? last_us : end_us,
                                            .side = side,
                                            .kind = MOMENT_END});
    }
    return true;
}

// end_write ends a connection as its leg ended. Whoever ended it, the proxy passes it on: on the
// client leg what the client has not done comes from its server, on the server leg what the server
// has not done comes from its client.
static void end_write(struct capture_writer *writer, struct side *side, int64_t us) {
    const struct obj *leg = side->leg;
    int64_t skip[2] = {0};
    bool peer = obj_str_is(leg, F_LEG_END_BY, side->server_leg ? "server" : "client");
    bool by_client = peer != side->server_leg;
    (void)obj_int(leg, F_LEG_LEFT_OUT_CLIENT, &skip[0]);
    (void)obj_int(leg, F_LEG_LEFT_OUT_SERVER, &skip[1]);
    capture_stream_skip(&side->stream, true, (uint64_t)skip[0]);
    capture_stream_skip(&side->stream, false, (uint64_t)skip[1]);
    if (obj_str_is(leg, F_LEG_END_HOW, "rst")) {
        capture_stream_reset(writer, &side->stream, by_client, us);
        return;
    }
    capture_stream_fin(writer, &side->stream, by_client, us);
    capture_stream_fin(writer, &side->stream, !by_client, us);
}

static void moment_write(struct capture_writer *writer, const struct moment *moment) {
    struct capture_stream *stream = &moment->side->stream;
    switch (moment->kind) {
    case MOMENT_OPEN:
        capture_stream_open(writer, stream, moment->us);
        return;
    case MOMENT_DATA:
        capture_stream_data(writer, stream, moment->from_client, moment->bytes.p, moment->bytes.len,
                            moment->us);
        return;
    case MOMENT_END:
        end_write(writer, moment->side, moment->us);
    }
}

bool record_capture_secrets(struct buf *out, const struct obj *root) {
    bool ok = true;
    for (int server = 0; server < 2; server++) {
        const struct obj *leg = record_leg(root, server != 0);
        for (size_t i = 0; i < obj_num(leg, F_LEG_SECRETS); i++) {
            struct span line = obj_item(leg, F_LEG_SECRETS, i);
            ok = ok && buf_append(out, line.p, line.len) && buf_append(out, "\n", 1);
        }
    }
    return ok;
}

static void secrets_write(struct capture_writer *writer, const struct obj *root) {
    struct buf secrets;
    buf_init(&secrets, SECRETS_MAX);
    if (record_capture_secrets(&secrets, root) && secrets.len != 0) {
        capture_writer_secrets(writer, buf_data(&secrets), secrets.len);
    }
    buf_cleanup(&secrets);
}

size_t record_capture_write(struct capture_writer *writer, size_t *out_bare,
                            const struct obj *root) {
    struct moments moments = {.num = 0};
    struct side sides[2] = {{.server_leg = false}, {.server_leg = true}};
    int64_t start_ms = 0;
    size_t legs = 0;
    (void)obj_int(root, F_RECORD_TIMESTAMP, &start_ms);
    for (int i = 0; i < 2; i++) {
        sides[i].leg = record_leg(root, i != 0);
        legs += leg_add(&moments, &sides[i], out_bare, root, start_ms * 1000);
    }
    if (legs != 0) {
        secrets_write(writer, root);
        qsort(moments.items, moments.num, sizeof(moments.items[0]), moment_compare);
    }
    for (size_t i = 0; i < moments.num; i++) {
        moment_write(writer, &moments.items[i]);
    }
    free(moments.items);
    arena_cleanup(&moments.arena);
    return legs;
}
