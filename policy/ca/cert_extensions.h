// The extensions of a certificate (RFC 5280 section 4.2): the part of cert_facts that grows.
#ifndef POLICY_CA_CERT_EXTENSIONS_H_
#define POLICY_CA_CERT_EXTENSIONS_H_

#include "policy/ca/cert_facts.h"

// cert_extensions_parse reads the contents of the `extensions` SEQUENCE into `facts`. It returns
// false when one is malformed; `facts->problem` then names the first.
bool cert_extensions_parse(struct cert_facts *facts, struct arena *arena, CBS extensions);

#endif // POLICY_CA_CERT_EXTENSIONS_H_
