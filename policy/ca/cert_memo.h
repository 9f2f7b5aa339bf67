// The facts of certificates seen lately: the same few come with every connection to a host.
#ifndef POLICY_CA_CERT_MEMO_H_
#define POLICY_CA_CERT_MEMO_H_

#include "policy/ca/cert_facts.h"

// The most certificates that a thread remembers, and the most bytes of one; a larger one is
// forgotten with the next large one.
enum { CERT_MEMO_MAX = 256, CERT_MEMO_DER_MAX = 4096 };

// cert_memo_facts returns what `cert_facts_parse` says of `der`. The facts and all that they point
// to belong to the thread and live until its next call.
const struct cert_facts *cert_memo_facts(CBS der);

// cert_memo_hold returns the same, to live until cert_memo_release in the same thread, whatever is
// asked in between.
const struct cert_facts *cert_memo_hold(CBS der);
void cert_memo_release(const struct cert_facts *facts);

// cert_memo_x509 returns what libcrypto reads in `der`, or NULL where it refuses it. The caller
// owns the reference, X509_free, and uses it in no other thread.
X509 *cert_memo_x509(CBS der);

#endif // POLICY_CA_CERT_MEMO_H_
