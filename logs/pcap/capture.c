#include "logs/pcap/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "logs/pcap/pcapng.h"

enum { READ_AHEAD = 256 * 1024, PCAP_HEADER_LEN = 24, PCAP_PACKET_HEADER_LEN = 16 };

struct capture {
    char *name;
    FILE *file;
    pcap_t *pcap; // owns `file`, unless that is standard input
    struct pcapng *pcapng;
    uint32_t link_type;
    uint64_t offset, size;
};

static const char *first_byte_says(int c) {
    switch (c) {
    case EOF:
        return "it is empty";
    case 0x1f:
        return "it is compressed; 'zcat FILE | tlsblame import -' reads it";
    case 0x28:
        return "it is compressed; 'zstdcat FILE | tlsblame import -' reads it";
    default:
        return "at offset 0 the first bytes of pcap or pcapng are expected";
    }
}

// LINKTYPE_ and DLT_ differ for a few types; those are the same on Linux, except for raw IP.
static uint32_t link_type_of(int dlt) { return dlt == DLT_RAW ? 101 : (uint32_t)dlt; }

static bool pcap_begin(struct capture *capture, struct err *err) {
    char says[PCAP_ERRBUF_SIZE] = "";
    capture->pcap = pcap_fopen_offline(capture->file, says);
    if (capture->pcap == NULL) {
        return err_set(err, "%s: no pcap header at offset 0: %s", capture->name, says);
    }
    capture->link_type = link_type_of(pcap_datalink(capture->pcap));
    capture->offset = PCAP_HEADER_LEN;
    return true;
}

// The first byte tells the formats apart, and only one can be put back into a pipe.
static bool format_begin(struct capture *capture, struct err *err) {
    int c = getc(capture->file);
    if (c == EOF && ferror(capture->file)) {
        return err_errno(err, "%s: cannot be read", capture->name);
    }
    ungetc(c, capture->file);
    switch (c) {
    case 0x0a:
        capture->pcapng = pcapng_new(capture->file, capture->name);
        return true;
    case 0x4d:
    case 0xa1:
    case 0xd4:
    case 0x34:
        return pcap_begin(capture, err);
    default:
        return err_set(err, "%s: not a capture: %s", capture->name, first_byte_says(c));
    }
}

struct capture *capture_open(const char *path, struct err *err) {
    bool standard_input = strcmp(path, "-") == 0;
    struct capture *capture = xcalloc(1, sizeof(*capture));
    struct stat info;
    capture->name = xstrdup(standard_input ? "standard input" : path);
    capture->file = standard_input ? stdin : fopen(path, "rb");
    if (capture->file == NULL) {
        err_errno(err, "%s: cannot be opened", path);
        capture_free(capture);
        return NULL;
    }
    if (fstat(fileno(capture->file), &info) == 0) {
        if (S_ISDIR(info.st_mode)) {
            err_set(err, "%s: is a folder; a capture file is expected", path);
            capture_free(capture);
            return NULL;
        }
        capture->size = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
    }
    setvbuf(capture->file, NULL, _IOFBF, READ_AHEAD);
    if (!format_begin(capture, err)) {
        capture_free(capture);
        return NULL;
    }
    return capture;
}

void capture_free(struct capture *capture) {
    if (capture == NULL) {
        return;
    }
    pcapng_free(capture->pcapng);
    if (capture->pcap != NULL) {
        pcap_close(capture->pcap);
    } else if (capture->file != NULL && capture->file != stdin) {
        fclose(capture->file);
    }
    free(capture->name);
    free(capture);
}

static enum capture_result pcap_failed(struct capture *capture, struct err *err) {
    err_set(err, "%s: at offset %llu a packet is expected: %s", capture->name,
            (unsigned long long)capture->offset, pcap_geterr(capture->pcap));
    return feof(capture->file) ? CAPTURE_CUT : CAPTURE_BAD;
}

static enum capture_result pcap_packet(struct capture *capture, struct packet *out,
                                       struct err *err) {
    struct pcap_pkthdr *header;
    const u_char *p;
    int result = pcap_next_ex(capture->pcap, &header, &p);
    if (result == PCAP_ERROR_BREAK) {
        return CAPTURE_END;
    }
    if (result != 1) {
        return pcap_failed(capture, err);
    }
    capture->offset += PCAP_PACKET_HEADER_LEN + header->caplen;
    *out = (struct packet){.time_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec,
                           .link_type = capture->link_type,
                           .p = p,
                           .len = header->caplen,
                           .wire_len = header->len > header->caplen ? header->len : header->caplen};
    return CAPTURE_PACKET;
}

enum capture_result capture_next(struct capture *capture, struct packet *out, struct err *err) {
    return capture->pcap != NULL ? pcap_packet(capture, out, err)
                                 : pcapng_next(capture->pcapng, out, err);
}

struct span capture_secrets(const struct capture *capture) {
    return capture->pcapng != NULL ? pcapng_secrets(capture->pcapng) : (struct span){NULL, 0};
}

uint64_t capture_offset(const struct capture *capture) {
    return capture->pcapng != NULL ? pcapng_offset(capture->pcapng) : capture->offset;
}

uint64_t capture_size(const struct capture *capture) { return capture->size; }
