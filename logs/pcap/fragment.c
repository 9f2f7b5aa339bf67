#include "logs/pcap/fragment.h"

#include <stdlib.h>
#include <string.h>

enum { PACKET_MAX = 65535, UNIT = 8, UNITS = (PACKET_MAX + UNIT) / UNIT };

struct fragment_packet {
    struct ip_packet head; // of the first fragment that came
    int64_t start_us;
    size_t len;      // of the whole payload; 0 until the last fragment has come
    size_t have;     // bytes that came
    size_t data_cap; // bytes at `data`
    uint8_t *data;
    uint8_t came[(UNITS + 7) / 8]; // a bit for each unit of eight bytes
};

static void packet_free(struct fragment_packet *packet) {
    if (packet != NULL) {
        free(packet->data);
        free(packet);
    }
}

void fragments_cleanup(struct fragments *fragments) {
    for (size_t i = 0; i < FRAGMENT_PACKETS_MAX; i++) {
        packet_free(fragments->packets[i]);
    }
    packet_free(fragments->done);
    *fragments = (struct fragments){0};
}

static bool same_packet(const struct ip_packet *a, const struct ip_packet *b) {
    return a->fragment_id == b->fragment_id && a->protocol == b->protocol && a->ipv6 == b->ipv6 &&
           memcmp(a->src, b->src, sizeof(a->src)) == 0 &&
           memcmp(a->dst, b->dst, sizeof(a->dst)) == 0;
}

static void slot_drop(struct fragments *fragments, size_t i) {
    packet_free(fragments->packets[i]);
    fragments->packets[i] = NULL;
    fragments->num_lost++;
}

// slot_of returns the slot of the packet of this fragment: its own, an empty one, or the oldest's.
static struct fragment_packet **slot_of(struct fragments *fragments, const struct ip_packet *packet,
                                        int64_t now_us) {
    size_t pick = 0;
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < FRAGMENT_PACKETS_MAX; i++) {
        struct fragment_packet *at = fragments->packets[i];
        if (at != NULL && now_us - at->start_us > FRAGMENT_TIMEOUT_US) {
            slot_drop(fragments, i);
            at = NULL;
        }
        if (at != NULL && same_packet(&at->head, packet)) {
            return &fragments->packets[i];
        }
        int64_t age = at != NULL ? at->start_us : INT64_MIN;
        if (age < oldest) {
            oldest = age;
            pick = i;
        }
    }
    if (fragments->packets[pick] != NULL) {
        slot_drop(fragments, pick);
    }
    return &fragments->packets[pick];
}

static void data_reserve(struct fragment_packet *packet, size_t len) {
    if (len > packet->data_cap) {
        size_t cap = packet->data_cap * 2 > len ? packet->data_cap * 2 : len;
        packet->data = xrealloc(packet->data, cap);
        packet->data_cap = cap;
    }
}

// data_add copies the units that have not come before.
static void data_add(struct fragment_packet *to, size_t offset, struct span payload) {
    data_reserve(to, offset + payload.len);
    for (size_t at = 0; at < payload.len; at += UNIT) {
        size_t unit = (offset + at) / UNIT;
        size_t n = payload.len - at < UNIT ? payload.len - at : UNIT;
        uint8_t bit = (uint8_t)(1 << unit % 8);
        if ((to->came[unit / 8] & bit) == 0) {
            to->came[unit / 8] |= bit;
            to->have += n;
            memcpy(to->data + offset + at, payload.p + at, n);
        }
    }
}

// is_whole looks at every unit: bytes beyond the end may have come too.
static bool is_whole(const struct fragment_packet *packet) {
    if (packet->len == 0 || packet->have < packet->len) {
        return false;
    }
    for (size_t unit = 0; unit * UNIT < packet->len; unit++) {
        if ((packet->came[unit / 8] & 1 << unit % 8) == 0) {
            return false;
        }
    }
    return true;
}

bool fragments_put(struct fragments *fragments, struct ip_packet *packet, int64_t now_us) {
    size_t offset = packet->fragment_offset, end = offset + packet->wire_len;
    packet_free(fragments->done);
    fragments->done = NULL;
    bool odd = packet->more_fragments && packet->wire_len % UNIT != 0;
    if (end > PACKET_MAX || odd || packet->payload.len < packet->wire_len) {
        return false;
    }
    struct fragment_packet **slot = slot_of(fragments, packet, now_us);
    if (*slot == NULL) {
        *slot = xcalloc(1, sizeof(**slot));
        (*slot)->head = *packet;
        (*slot)->start_us = now_us;
    }
    struct fragment_packet *whole = *slot;
    data_add(whole, offset, packet->payload);
    if (!packet->more_fragments && whole->len == 0) {
        whole->len = end;
    }
    if (!is_whole(whole)) {
        return false;
    }
    *packet = whole->head;
    packet->fragment = packet->more_fragments = false;
    packet->payload = (struct span){whole->data, whole->len};
    packet->wire_len = whole->len;
    fragments->done = whole;
    *slot = NULL;
    return true;
}
