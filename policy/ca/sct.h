// Signed certificate timestamps (RFC 6962 section 3.2): promises of public logs to list a
// certificate. They come in the certificate, in a TLS extension, or in an OCSP response.
#ifndef POLICY_CA_SCT_H_
#define POLICY_CA_SCT_H_

#include <stdbool.h>
#include <stdint.h>

#include "third_party/boringssl/boringssl.h"

enum { SCT_LOG_ID_TEXT = 45 };

// struct sct is one timestamp.
struct sct {
    uint8_t version;              // 0 is v1, the only one with the fields below
    char log_id[SCT_LOG_ID_TEXT]; // base64, as log lists write it
    const char *log;              // its name where the log is well known, else NULL
    int64_t time_ms;              // since 1970
};

// sct_list_open takes the SignedCertificateTimestampList `in`, with its length in front, and sets
// `*out` to its contents. It returns false where the length is not that of all the rest.
bool sct_list_open(CBS *out, CBS in);

// sct_next takes the next timestamp of `list`. It returns false at the end, which `list` is then
// at, and at one that is malformed.
bool sct_next(CBS *list, struct sct *out);

#endif // POLICY_CA_SCT_H_
