// Names that mean something to everybody: public domains, and the issuers of inspectors.
#ifndef POLICY_VERDICT_KNOWN_NAME_H_
#define POLICY_VERDICT_KNOWN_NAME_H_

// known_name_public_domain returns where in `host`, a host name, the public domain of
// public_names.inc begins that it is or is below of; NULL where there is none.
const char *known_name_public_domain(const char *host);

// known_name_inspector returns the product whose issuer, text in the manner of RFC 4514, this is by
// inspectors.inc, or NULL.
const char *known_name_inspector(const char *issuer);

#endif // POLICY_VERDICT_KNOWN_NAME_H_
