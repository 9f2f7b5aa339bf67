// What came of an experiment, from what it left.
#ifndef PROXY_PROBE_OUTCOME_H_
#define PROXY_PROBE_OUTCOME_H_

#include "logs/record/obj.h"

// outcome_name is what came of a leg, in the word of EXPERIMENT.result:
//   answered     a ServerHello, and what followed until our Finished was as it has to be (who
//                objects after that does not object to the hello)
//   broken-off   a ServerHello, and then an alert, a close, a reset, silence or nonsense
//   alert, reset, closed, silent, not-tls     instead of a ServerHello
//   unreachable  there was no connection to say anything on
//   unfinished   it was ended from here
const char *outcome_name(const struct obj *leg);

// outcome_date reads the Date header (RFC 9110 section 6.6.1) of the beginning of an HTTP answer,
// in seconds since 1970. It returns false without one.
bool outcome_date(int64_t *out, const char *head, size_t head_len);

// outcome_status is the status of the HTTP answer that begins with `head`; 0: it is none.
int outcome_status(const char *head, size_t head_len);

// outcome_write says in words for the table of `tlsblame probe` what came of a leg: "alert
// handshake_failure", "TLS 1.3, x25519, CN=a.example".
void outcome_write(char *out, size_t out_len, const struct obj *leg);

#endif // PROXY_PROBE_OUTCOME_H_
