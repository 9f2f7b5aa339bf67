#include "logs/pcap/pcapng.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/buf.h"
#include "logs/pcap/bytes.h"

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OLD = 2,
    BLOCK_PACKET_SIMPLE = 3,
    BLOCK_PACKET = 6,
    BLOCK_SECRETS = 10,
    BLOCK_SECTION = 0x0a0d0d0a,

    HEAD_LEN = 8, // type and length
    TAIL_LEN = 4, // the length again
    SECTION_LEN = 16,
    PACKET_LEN = 20, // of a packet block before its data
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    SECRETS_TLS_KEY_LOG = 0x544c534b,

    OPTION_END = 0,
    OPTION_TIME_RESOLUTION = 9,
    OPTION_TIME_OFFSET = 14,
};

struct interface {
    uint32_t link_type;
    uint32_t snap_len;      // 0: none
    uint8_t resolution;     // as the option has it: a power of ten, or of two with the top bit
    int64_t offset_seconds; // of all times
};

struct pcapng {
    FILE *file;
    const char *name;
    uint64_t offset; // of the next byte of the file
    uint64_t start;  // of the current block
    bool big_endian;
    uint8_t *block; // its body, without head and tail
    size_t block_len, block_cap;
    struct interface *interfaces; // of this section
    size_t num_interfaces;
    int64_t last_us; // time of the last packet that had one
    struct buf secrets;
};

struct pcapng *pcapng_new(FILE *file, const char *name) {
    struct pcapng *pcapng = xcalloc(1, sizeof(*pcapng));
    pcapng->file = file;
    pcapng->name = name;
    buf_init(&pcapng->secrets, CAPTURE_SECRETS_MAX);
    return pcapng;
}

void pcapng_free(struct pcapng *pcapng) {
    if (pcapng == NULL) {
        return;
    }
    free(pcapng->block);
    free(pcapng->interfaces);
    buf_cleanup(&pcapng->secrets);
    free(pcapng);
}

struct span pcapng_secrets(const struct pcapng *pcapng) {
    return (struct span){buf_data(&pcapng->secrets), pcapng->secrets.len};
}

uint64_t pcapng_offset(const struct pcapng *pcapng) { return pcapng->offset; }

static uint16_t get16(const struct pcapng *pcapng, const uint8_t *p) {
    return pcapng->big_endian ? get_be16(p) : get_le16(p);
}

static uint32_t get32(const struct pcapng *pcapng, const uint8_t *p) {
    return pcapng->big_endian ? get_be32(p) : get_le32(p);
}

static enum capture_result bad(const struct pcapng *pcapng, struct err *err, const char *expected) {
    err_set(err, "%s: at offset %llu %s is expected", pcapng->name,
            (unsigned long long)pcapng->start, expected);
    return CAPTURE_BAD;
}

// fill reads `n` bytes, or tells how the file ends before them.
static enum capture_result fill(struct pcapng *pcapng, uint8_t *out, size_t n, struct err *err) {
    size_t got = fread(out, 1, n, pcapng->file);
    pcapng->offset += got;
    if (got == n) {
        return CAPTURE_PACKET;
    }
    if (ferror(pcapng->file)) {
        err_errno(err, "%s: at offset %llu: cannot be read", pcapng->name,
                  (unsigned long long)pcapng->offset);
        return CAPTURE_BAD;
    }
    err_set(err, "%s: ends at offset %llu inside the block that begins at %llu", pcapng->name,
            (unsigned long long)pcapng->offset, (unsigned long long)pcapng->start);
    return CAPTURE_CUT;
}

// body_read reads the body a piece at a time: memory is taken for what came, not for what the
// block announces.
static enum capture_result body_read(struct pcapng *pcapng, size_t len, struct err *err) {
    enum { PIECE = 64 * 1024 };
    pcapng->block_len = 0;
    while (pcapng->block_len < len) {
        size_t n = len - pcapng->block_len < PIECE ? len - pcapng->block_len : PIECE;
        if (pcapng->block_cap < pcapng->block_len + n) {
            pcapng->block_cap = pcapng->block_cap * 2 < pcapng->block_len + n
                                    ? pcapng->block_len + n
                                    : pcapng->block_cap * 2;
            pcapng->block = xrealloc(pcapng->block, pcapng->block_cap);
        }
        enum capture_result result = fill(pcapng, pcapng->block + pcapng->block_len, n, err);
        if (result != CAPTURE_PACKET) {
            return result;
        }
        pcapng->block_len += n;
    }
    return CAPTURE_PACKET;
}

static enum capture_result body_skip(struct pcapng *pcapng, size_t len, struct err *err) {
    uint8_t nowhere[4096];
    enum capture_result result = CAPTURE_PACKET;
    while (len != 0 && result == CAPTURE_PACKET) {
        size_t n = len < sizeof(nowhere) ? len : sizeof(nowhere);
        result = fill(pcapng, nowhere, n, err);
        len -= n;
    }
    return result;
}

static bool is_read(uint32_t type) {
    return type == BLOCK_SECTION || type == BLOCK_INTERFACE || type == BLOCK_PACKET ||
           type == BLOCK_PACKET_OLD || type == BLOCK_PACKET_SIMPLE || type == BLOCK_SECRETS;
}

// head_read reads type and length; of a section first its byte order, which is part of the body.
static enum capture_result head_read(struct pcapng *pcapng, uint32_t *out_type, uint32_t *out_len,
                                     struct err *err) {
    uint8_t head[HEAD_LEN + 4];
    size_t got = fread(head, 1, HEAD_LEN, pcapng->file);
    pcapng->start = pcapng->offset;
    pcapng->offset += got;
    if (got == 0 && feof(pcapng->file) && pcapng->start != 0) {
        return CAPTURE_END;
    }
    if (got != HEAD_LEN) {
        return fill(pcapng, head + got, HEAD_LEN - got, err);
    }
    *out_type = get32(pcapng, head);
    if (*out_type == BLOCK_SECTION || pcapng->start == 0) {
        enum capture_result result = fill(pcapng, head + HEAD_LEN, 4, err);
        if (result != CAPTURE_PACKET) {
            return result;
        }
        if (get_be32(head + HEAD_LEN) != BYTE_ORDER_MAGIC &&
            get_le32(head + HEAD_LEN) != BYTE_ORDER_MAGIC) {
            return bad(pcapng, err, "a pcapng section header");
        }
        pcapng->big_endian = get_be32(head + HEAD_LEN) == BYTE_ORDER_MAGIC;
        if (get32(pcapng, head) != BLOCK_SECTION) {
            return bad(pcapng, err, "a pcapng section header");
        }
    }
    *out_len = get32(pcapng, head + 4);
    return CAPTURE_PACKET;
}

// block_read reads the next block. A body that nobody needs is passed over.
static enum capture_result block_read(struct pcapng *pcapng, uint32_t *out_type, struct err *err) {
    uint8_t tail[TAIL_LEN];
    uint32_t len = 0;
    enum capture_result result = head_read(pcapng, out_type, &len, err);
    if (result != CAPTURE_PACKET) {
        return result;
    }
    size_t frame = HEAD_LEN + TAIL_LEN + (*out_type == BLOCK_SECTION ? 4 : 0);
    if (len < frame || len % 4 != 0) {
        return bad(pcapng, err,
                   "a block with a length that is a multiple of 4 and holds its own "
                   "head and tail");
    }
    if (is_read(*out_type) && len > PCAPNG_BLOCK_MAX) {
        return bad(pcapng, err, "a block of at most 16 MiB");
    }
    result = is_read(*out_type) ? body_read(pcapng, len - frame, err)
                                : body_skip(pcapng, len - frame, err);
    if (result == CAPTURE_PACKET) {
        result = fill(pcapng, tail, TAIL_LEN, err);
    }
    if (result == CAPTURE_PACKET && get32(pcapng, tail) != len) {
        return bad(pcapng, err, "a block whose length is the same at both of its ends");
    }
    return result;
}

static enum capture_result section_begin(struct pcapng *pcapng, struct err *err) {
    free(pcapng->interfaces);
    pcapng->interfaces = NULL;
    pcapng->num_interfaces = 0;
    bool known = pcapng->block_len >= SECTION_LEN - 4 && get16(pcapng, pcapng->block) == 1;
    return known ? CAPTURE_PACKET : bad(pcapng, err, "a section of pcapng version 1");
}

static void interface_option(const struct pcapng *pcapng, struct interface *interface,
                             uint16_t code, const uint8_t *p, size_t len) {
    if (code == OPTION_TIME_RESOLUTION && len == 1) {
        interface->resolution = p[0];
    } else if (code == OPTION_TIME_OFFSET && len == 8) {
        uint32_t first = get32(pcapng, p), second = get32(pcapng, p + 4);
        uint64_t value =
            pcapng->big_endian ? (uint64_t)first << 32 | second : (uint64_t)second << 32 | first;
        interface->offset_seconds = (int64_t)value;
    }
}

static enum capture_result interface_add(struct pcapng *pcapng, struct err *err) {
    const uint8_t *p = pcapng->block;
    size_t at = 8;
    if (pcapng->block_len < 8) {
        return bad(pcapng, err, "an interface description of at least 20 bytes");
    }
    if (pcapng->num_interfaces == PCAPNG_INTERFACES_MAX) {
        return bad(pcapng, err, "at most 1024 interfaces in a section");
    }
    struct interface interface = {
        .link_type = get16(pcapng, p), .snap_len = get32(pcapng, p + 4), .resolution = 6};
    while (pcapng->block_len - at >= 4) {
        uint16_t code = get16(pcapng, p + at), len = get16(pcapng, p + at + 2);
        at += 4;
        if (code == OPTION_END || len > pcapng->block_len - at) {
            break;
        }
        interface_option(pcapng, &interface, code, p + at, len);
        size_t padded = (len + 3u) & ~(size_t)3;
        at += padded < pcapng->block_len - at ? padded : pcapng->block_len - at;
    }
    pcapng->interfaces =
        xrealloc(pcapng->interfaces, (pcapng->num_interfaces + 1) * sizeof(*pcapng->interfaces));
    pcapng->interfaces[pcapng->num_interfaces++] = interface;
    return CAPTURE_PACKET;
}

static int64_t time_us(const struct interface *interface, uint64_t ticks) {
    unsigned power = interface->resolution & 0x7f;
    unsigned __int128 us = ticks;
    if (interface->resolution & 0x80) {
        us = us * 1000000 >> (power < 127 ? power : 127);
    } else {
        for (; power > 6; power--) {
            us /= 10;
        }
        for (; power < 6; power++) {
            us *= 10;
        }
    }
    // Times that no clock shows stay within what arithmetic on them can hold.
    int64_t limit = INT64_MAX / 4, offset = interface->offset_seconds;
    int64_t seconds_limit = limit / 1000000;
    offset = offset > seconds_limit    ? seconds_limit
             : offset < -seconds_limit ? -seconds_limit
                                       : offset;
    return (us > (unsigned __int128)limit ? limit : (int64_t)us) + offset * 1000000;
}

static enum capture_result secrets_add(struct pcapng *pcapng, struct err *err) {
    if (pcapng->block_len < 8 || get32(pcapng, pcapng->block + 4) > pcapng->block_len - 8) {
        return bad(pcapng, err, "a decryption secrets block that holds what it announces");
    }
    if (get32(pcapng, pcapng->block) == SECRETS_TLS_KEY_LOG) {
        // Text beyond the ceiling is left out: what it would decrypt stays encrypted.
        if (buf_append(&pcapng->secrets, pcapng->block + 8, get32(pcapng, pcapng->block + 4))) {
            (void)!buf_append(&pcapng->secrets, "\n", 1);
        }
    }
    return CAPTURE_PACKET;
}

// packet_set takes a packet block of either kind. The old kind has the interface in 16 bits.
static enum capture_result packet_set(struct pcapng *pcapng, struct packet *out, bool old,
                                      struct err *err) {
    const uint8_t *p = pcapng->block;
    if (pcapng->block_len < PACKET_LEN) {
        return bad(pcapng, err, "a packet block of at least 32 bytes");
    }
    uint32_t i = old ? get16(pcapng, p) : get32(pcapng, p);
    uint32_t len = get32(pcapng, p + 12), wire_len = get32(pcapng, p + 16);
    if (i >= pcapng->num_interfaces) {
        return bad(pcapng, err, "a packet of an interface that was described before");
    }
    if (len > pcapng->block_len - PACKET_LEN || len > CAPTURE_PACKET_MAX) {
        return bad(pcapng, err, "a packet that fits its block, of at most 256 KiB");
    }
    const struct interface *interface = &pcapng->interfaces[i];
    uint64_t ticks = (uint64_t)get32(pcapng, p + 4) << 32 | get32(pcapng, p + 8);
    pcapng->last_us = time_us(interface, ticks);
    *out = (struct packet){.time_us = pcapng->last_us,
                           .link_type = interface->link_type,
                           .p = p + PACKET_LEN,
                           .len = len,
                           .wire_len = wire_len > len ? wire_len : len};
    return CAPTURE_PACKET;
}

// A simple packet has no time: it gets that of the packet before.
static enum capture_result simple_set(struct pcapng *pcapng, struct packet *out, struct err *err) {
    if (pcapng->block_len < 4 || pcapng->num_interfaces == 0) {
        return bad(pcapng, err, "a simple packet after an interface description");
    }
    uint32_t wire_len = get32(pcapng, pcapng->block);
    size_t len = pcapng->block_len - 4;
    uint32_t snap_len = pcapng->interfaces[0].snap_len;
    len = len > wire_len ? wire_len : len;
    len = snap_len != 0 && len > snap_len ? snap_len : len;
    if (len > CAPTURE_PACKET_MAX) {
        return bad(pcapng, err, "a packet of at most 256 KiB");
    }
    *out = (struct packet){.time_us = pcapng->last_us,
                           .link_type = pcapng->interfaces[0].link_type,
                           .p = pcapng->block + 4,
                           .len = len,
                           .wire_len = wire_len};
    return CAPTURE_PACKET;
}

enum capture_result pcapng_next(struct pcapng *pcapng, struct packet *out, struct err *err) {
    for (;;) {
        uint32_t type = 0;
        enum capture_result result = block_read(pcapng, &type, err);
        if (result != CAPTURE_PACKET) {
            return result;
        }
        switch (type) {
        case BLOCK_PACKET:
        case BLOCK_PACKET_OLD:
            return packet_set(pcapng, out, type == BLOCK_PACKET_OLD, err);
        case BLOCK_PACKET_SIMPLE:
            return simple_set(pcapng, out, err);
        case BLOCK_SECTION:
            result = section_begin(pcapng, err);
            break;
        case BLOCK_INTERFACE:
            result = interface_add(pcapng, err);
            break;
        case BLOCK_SECRETS:
            result = secrets_add(pcapng, err);
            break;
        default:
            break;
        }
        if (result != CAPTURE_PACKET) {
            return result;
        }
    }
}
