#include "tests/unit/logs/pcap/packets.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void wire_bytes(struct wire *wire, const void *p, size_t len) {
    CHECK(len <= sizeof(wire->p) - wire->len);
    if (len != 0) {
        memcpy(wire->p + wire->len, p, len);
    }
    wire->len += len;
}

void wire_hex(struct wire *wire, const char *hex) {
    while (*hex != '\0') {
        unsigned byte;
        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        CHECK(sscanf(hex, "%2x", &byte) == 1);
        wire_bytes(wire, &(uint8_t){(uint8_t)byte}, 1);
        hex += 2;
    }
}

void wire_be16(struct wire *wire, uint16_t value) {
    const uint8_t p[] = {(uint8_t)(value >> 8), (uint8_t)value};
    wire_bytes(wire, p, sizeof(p));
}

void wire_be32(struct wire *wire, uint32_t value) {
    wire_be16(wire, (uint16_t)(value >> 16));
    wire_be16(wire, (uint16_t)value);
}

void wire_le16(struct wire *wire, uint16_t value) {
    const uint8_t p[] = {(uint8_t)value, (uint8_t)(value >> 8)};
    wire_bytes(wire, p, sizeof(p));
}

void wire_le32(struct wire *wire, uint32_t value) {
    wire_le16(wire, (uint16_t)value);
    wire_le16(wire, (uint16_t)(value >> 16));
}

static size_t options_len(const struct tcp_spec *spec) {
    return spec->options != NULL ? strlen(spec->options) / 2 : 0;
}

void tcp_bytes(struct wire *wire, const struct tcp_spec *spec) {
    uint16_t client = spec->client_port != 0 ? spec->client_port : 40000;
    uint16_t server = spec->server_port != 0 ? spec->server_port : 443;
    wire_be16(wire, spec->from_server ? server : client);
    wire_be16(wire, spec->from_server ? client : server);
    wire_be32(wire, spec->seq);
    wire_be32(wire, spec->ack);
    wire_be16(wire, (uint16_t)((20 + options_len(spec)) / 4 << 12 | spec->flags));
    wire_be16(wire, 0x2000);
    wire_be32(wire, 0xbad00000);
    wire_hex(wire, spec->options != NULL ? spec->options : "");
    wire_bytes(wire, spec->data, spec->len);
}

void ip_bytes(struct wire *wire, const struct tcp_spec *spec) {
    size_t len = 20 + options_len(spec) + spec->len;
    uint8_t ttl = spec->ttl != 0 ? spec->ttl : 64;
    if (spec->ipv6) {
        wire_be32(wire, 6u << 28);
        wire_be16(wire, (uint16_t)len);
        wire_be16(wire, (uint16_t)(6 << 8 | ttl));
        for (int i = 0; i < 2; i++) {
            wire_hex(wire, "20010db8 00000000 00000000");
            wire_be32(wire, (i == 0) == spec->from_server ? 2 : 1);
        }
    } else {
        wire_be16(wire, 0x4500);
        wire_be16(wire, (uint16_t)(20 + len));
        wire_be32(wire, 0x00074000);
        wire_be16(wire, (uint16_t)(ttl << 8 | 6));
        wire_be16(wire, 0xbad0);
        wire_be32(wire, spec->from_server ? 0xc6336402 : 0xc0000201);
        wire_be32(wire, spec->from_server ? 0xc0000201 : 0xc6336402);
    }
    tcp_bytes(wire, spec);
}

void pcap_head(struct wire *wire, uint32_t link_type) {
    wire_hex(wire, "d4c3b2a1 0200 0400 00000000 00000000 00000400");
    wire_le32(wire, link_type);
}

void pcap_packet(struct wire *wire, int64_t time_us, const struct wire *packet) {
    wire_le32(wire, (uint32_t)(time_us / 1000000));
    wire_le32(wire, (uint32_t)(time_us % 1000000));
    wire_le32(wire, (uint32_t)packet->len);
    wire_le32(wire, (uint32_t)packet->len);
    wire_bytes(wire, packet->p, packet->len);
}

void block(struct wire *wire, uint32_t type, const struct wire *body) {
    size_t padding = (4 - body->len % 4) % 4, len = 12 + body->len + padding;
    wire_le32(wire, type);
    wire_le32(wire, (uint32_t)len);
    wire_bytes(wire, body->p, body->len);
    wire_bytes(wire, "\0\0\0", padding);
    wire_le32(wire, (uint32_t)len);
}

void section(struct wire *wire) {
    struct wire body = {.len = 0};
    wire_hex(&body, "4d3c2b1a 0100 0000 ffffffffffffffff");
    block(wire, 0x0a0d0d0a, &body);
}

void interface(struct wire *wire, uint16_t link_type, const char *options_hex) {
    struct wire body = {.len = 0};
    wire_le16(&body, link_type);
    wire_le16(&body, 0);
    wire_le32(&body, 0);
    wire_hex(&body, options_hex);
    block(wire, 1, &body);
}

void enhanced_packet(struct wire *wire, uint32_t interface, uint64_t ticks,
                     const struct wire *packet) {
    struct wire body = {.len = 0};
    wire_le32(&body, interface);
    wire_le32(&body, (uint32_t)(ticks >> 32));
    wire_le32(&body, (uint32_t)ticks);
    wire_le32(&body, (uint32_t)packet->len);
    wire_le32(&body, (uint32_t)packet->len);
    wire_bytes(&body, packet->p, packet->len);
    block(wire, 6, &body);
}

char *file_write(const struct wire *wire) {
    char path[256];
    const char *folder = getenv("TEST_TMPDIR");
    snprintf(path, sizeof(path), "%s/capture.XXXXXX", folder != NULL ? folder : "/tmp");
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, wire->p, wire->len) == (ssize_t)wire->len);
    close(fd);
    return xstrdup(path);
}

void file_remove(char *path) {
    unlink(path);
    free(path);
}

static const char *side_name(enum flow_side side) { return side == FLOW_CLIENT ? "C" : "S"; }

static void on_begin(void *ctx, struct stream *stream) {
    struct flow_log *log = ctx;
    buf_printf(&log->text, "begin%s;", stream->roles_known ? "" : "?");
    if (log->ignore) {
        flow_ignore(stream);
    }
}

static void on_bytes(void *ctx, struct stream *stream, enum flow_side from, const uint8_t *p,
                     size_t p_len, int64_t time_us) {
    struct flow_log *log = ctx;
    (void)stream, (void)time_us;
    buf_printf(&log->text, "%s:", side_name(from));
    CHECK(buf_append(&log->text, p, p_len) && buf_append(&log->text, ";", 1));
}

static void on_gap(void *ctx, struct stream *stream, enum flow_side from, uint64_t len,
                   int64_t time_us) {
    struct flow_log *log = ctx;
    (void)stream, (void)time_us;
    buf_printf(&log->text, "%s gap %llu;", side_name(from), (unsigned long long)len);
}

static void on_end(void *ctx, struct stream *stream) {
    static const char *const hows[] = {"open", "fin", "rst", "reused", "evicted"};
    struct flow_log *log = ctx;
    bool told = stream->how == FLOW_FIN || stream->how == FLOW_RST;
    buf_printf(&log->text, "end %s%s%s;", hows[stream->how], told ? " " : "",
               told ? side_name(stream->by) : "");
    log->last = *stream;
}

void flow_log_init(struct flow_log *log, size_t streams_max) {
    const struct flow_events events = {
        .ctx = log, .begin = on_begin, .bytes = on_bytes, .gap = on_gap, .end = on_end};
    *log = (struct flow_log){.flow = flow_new(&events, streams_max)};
    buf_init(&log->text, 16 * 1024 * 1024);
}

void flow_log_cleanup(struct flow_log *log) {
    flow_free(log->flow);
    buf_cleanup(&log->text);
}

void flow_log_tcp(struct flow_log *log, int64_t time_us, struct tcp_spec spec) {
    struct wire *wire = xcalloc(1, sizeof(*wire));
    ip_bytes(wire, &spec);
    const struct packet packet = {.time_us = time_us,
                                  .link_type = LINK_RAW,
                                  .p = wire->p,
                                  .len = wire->len,
                                  .wire_len = (uint32_t)wire->len};
    flow_packet(log->flow, &packet);
    free(wire);
}

const char *flow_log_text(struct flow_log *log) {
    static char text[4096];
    size_t len = log->text.len < sizeof(text) - 1 ? log->text.len : sizeof(text) - 1;
    if (len != 0) {
        memcpy(text, buf_data(&log->text), len);
    }
    text[len] = '\0';
    buf_cleanup(&log->text);
    return text;
}
