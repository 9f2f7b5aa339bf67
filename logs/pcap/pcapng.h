// pcapng, block by block (draft-ietf-opsawg-pcapng). libpcap reads it too, but refuses interfaces
// of different link types and drops the decryption secrets.
#ifndef LOGS_PCAP_PCAPNG_H_
#define LOGS_PCAP_PCAPNG_H_

#include <stdio.h>

#include "logs/pcap/capture.h"

struct pcapng;

// pcapng_new reads `file`, which stays the caller's, as does `name`; both outlive it. Blocks that
// are read as a whole may have PCAPNG_BLOCK_MAX bytes; others are passed over.
WUNRES struct pcapng *pcapng_new(FILE *file, const char *name);
void pcapng_free(struct pcapng *pcapng);

enum { PCAPNG_BLOCK_MAX = CAPTURE_SECRETS_MAX, PCAPNG_INTERFACES_MAX = 1024 };

// pcapng_next, pcapng_secrets and pcapng_offset are those of a capture.
WUNRES enum capture_result pcapng_next(struct pcapng *pcapng, struct packet *out, struct err *err);
struct span pcapng_secrets(const struct pcapng *pcapng);
uint64_t pcapng_offset(const struct pcapng *pcapng);

#endif // LOGS_PCAP_PCAPNG_H_
