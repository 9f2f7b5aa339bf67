// The messages of a few bytes: alerts, Finished, KeyUpdate, and those that have no body.
#ifndef PROXY_TLS_SHORT_MESSAGE_H_
#define PROXY_TLS_SHORT_MESSAGE_H_

#include "proxy/tls/note_sink.h"
#include "third_party/boringssl/boringssl.h"

enum { ALERT_WARNING = 1, ALERT_FATAL = 2, ALERT_CLOSE_NOTIFY = 0 };

struct alert {
    uint8_t level, code;
};

// alert_parse reads the body of an alert record (RFC 8446, section 6). `p_len` is what is at `p`,
// `announced` the length of the record. It returns false when there are not two bytes.
bool alert_parse(struct alert *out, struct note_sink *notes, const uint8_t *p, size_t p_len,
                 size_t announced);

// finished_parse reads a Finished with its header of four bytes (RFC 8446, section 4.4.4): the
// verify data is 12 bytes up to TLS 1.2 (36 in SSL 3.0) and as long as the hash in TLS 1.3.
bool finished_parse(CBS *out_verify_data, struct note_sink *notes, const uint8_t *p, size_t p_len);

// key_update_parse reads a KeyUpdate with its header (RFC 8446, section 4.6.3).
bool key_update_parse(bool *out_requested, struct note_sink *notes, const uint8_t *p, size_t p_len);

// empty_message_parse reads a message of `type` that has no body: HelloRequest, ServerHelloDone,
// EndOfEarlyData.
bool empty_message_parse(struct note_sink *notes, uint8_t type, const uint8_t *p, size_t p_len);

#endif // PROXY_TLS_SHORT_MESSAGE_H_
