// What a handshake of the library's tells beside its leg: what became of the client certificate and
// of the encrypted hello.
#ifndef PROXY_PROBE_LIBRARY_OUTCOME_H_
#define PROXY_PROBE_LIBRARY_OUTCOME_H_

#include "logs/record/obj.h"
#include "proxy/probe/library.h"

// library_outcome_cert writes what the server made of the certificate that was shown, or of none,
// to `experiment`, whose leg is complete. `head` is the beginning of the answer to GET /.
void library_outcome_cert(struct obj *experiment, const struct library_facts *facts,
                          struct span head);

// library_outcome_ech writes what became of the encrypted hello; the leg's chain is verified.
void library_outcome_ech(struct obj *experiment, const struct library_facts *facts);

#endif // PROXY_PROBE_LIBRARY_OUTCOME_H_
