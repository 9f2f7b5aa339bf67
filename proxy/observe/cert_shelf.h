// The certificates seen lately, as objects that records share: the same few come with every
// connection to a host.
#ifndef PROXY_OBSERVE_CERT_SHELF_H_
#define PROXY_OBSERVE_CERT_SHELF_H_

#include "logs/record/shared_obj.h"
#include "third_party/boringssl/boringssl.h"

// cert_shelf_get returns the facts of the certificate `der` and sets `*out_der` to a copy of it
// that lives as long. The caller owns one reference: shared_obj_unref. Each thread has a shelf of
// its own, of 256 certificates.
struct shared_obj *cert_shelf_get(struct span *out_der, CBS der);

#endif // PROXY_OBSERVE_CERT_SHELF_H_
