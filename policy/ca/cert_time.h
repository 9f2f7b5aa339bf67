// The two ASN.1 times of a certificate, and unix seconds.
#ifndef POLICY_CA_CERT_TIME_H_
#define POLICY_CA_CERT_TIME_H_

#include <stdbool.h>
#include <stdint.h>

#include "third_party/boringssl/boringssl.h"

// "9999-12-31T23:59:59Z" and its NUL.
enum { CERT_TIME_TEXT = 21 };

// cert_time_parse reads the contents of a UTCTime or GeneralizedTime (`tag` says which) into unix
// seconds. It also takes what X.680 allows and RFC 5280 section 4.1.2.5 does not: no seconds,
// fractions, a zone other than Z; `*out_der` tells whether it was the RFC's form. It returns false
// for anything that names no moment.
bool cert_time_parse(CBS text, unsigned tag, int64_t *out, bool *out_der);

// cert_time_add appends `when` in DER: UTCTime up to 2049, GeneralizedTime after (RFC 5280 section
// 4.1.2.5). Moments outside the years 0 to 9999 are moved to the nearest end.
bool cert_time_add(CBB *cbb, int64_t when);

// cert_time_format writes `when` as RFC 3339 in UTC, for sentences and names.
void cert_time_format(int64_t when, char out[CERT_TIME_TEXT]);

#endif // POLICY_CA_CERT_TIME_H_
