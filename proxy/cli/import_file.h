// One capture file into records.
#ifndef PROXY_CLI_IMPORT_FILE_H_
#define PROXY_CLI_IMPORT_FILE_H_

#include "logs/base/err.h"
#include "logs/pcap/flow.h"
#include "logs/record/record.h"
#include "proxy/tls/key_log.h"

// struct import_counts adds up over files.
struct import_counts {
    uint64_t files, cut_files, bad_files;
    uint64_t tls;            // connections with a record,
    uint64_t under_way;      // that began before the capture and showed no handshake,
    uint64_t refused;        // that asked a proxy or STARTTLS for TLS, and none came,
    uint64_t other;          // that spoke something else,
    uint64_t empty;          // or nothing
    uint64_t broken_secrets; // lines of decryption secrets blocks that are no key log
    struct flow_counts flow;
};

// struct import_reader is told of each record, which it frees, and now and then of how far the file
// `path` is read: `size` is 0 when that is not known. Both are called in between packets.
struct import_reader {
    void *ctx;
    struct history *history; // what judges a connection by those before it; NULL: nothing
    const char *user_agent;  // of the clients that show none; NULL: it stays unknown
    struct key_log *keys; // what connections are decrypted with, secrets that a file holds added to
                          // it; NULL: nothing is decrypted
    void (*on_record)(void *ctx, struct record *record);
    void (*on_progress)(void *ctx, const char *path, uint64_t offset, uint64_t size);
};

// import_file reads the capture `path`, "-" being standard input, and adds to `*counts`. A record
// comes when its connection ends, with differences and verdict. It returns false when the file
// could not be opened, is no capture or is damaged; what comes before the damage was imported. Of a
// file that ends inside a packet it returns true, with `err` saying so; else `err->msg` is empty
// then.
bool import_file(struct import_counts *counts, const struct import_reader *reader, const char *path,
                 struct err *err);

#endif // PROXY_CLI_IMPORT_FILE_H_
