// The files that `export` writes, one for each format.
#ifndef PROXY_CLI_EXPORT_OUTPUT_H_
#define PROXY_CLI_EXPORT_OUTPUT_H_

#include <stdio.h>

#include "logs/pcap/capture_writer.h"

enum export_format { EXPORT_PCAPNG, EXPORT_KEYLOG, EXPORT_JSON, EXPORT_FORMATS };

// struct export_output is owned by its caller, who sets the paths; "-" is standard output, NULL
// that the format is not wanted.
struct export_output {
    const char *paths[EXPORT_FORMATS];
    FILE *files[EXPORT_FORMATS];
    struct capture_writer *capture;
    size_t legs, bare, secrets; // written so far: legs, of them a hello alone; lines of secrets
};

// export_format_of finds the format that the ending of `path` says, or returns false.
WUNRES bool export_format_of(enum export_format *out, const char *path);

// export_output_spares returns whether none of the files is `log`, which is being read.
WUNRES bool export_output_spares(const struct export_output *output, const char *log,
                                 struct err *err);

// export_output_open makes the files, which only their owner can read, and refuses to write a
// capture to a terminal. export_output_close returns false and an error when
// not all could be written; it also closes what export_output_open left.
WUNRES bool export_output_open(struct export_output *output, struct err *err);
WUNRES bool export_output_close(struct export_output *output, struct err *err);

// export_output_record writes a record and `line`, which it was read from, to each file.
void export_output_record(struct export_output *output, const struct obj *root, struct span line);

#endif // PROXY_CLI_EXPORT_OUTPUT_H_
