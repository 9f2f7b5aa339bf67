// Files of trusted certificates for the programs that are run through the proxy.
#ifndef PROXY_CLI_BUNDLE_H_
#define PROXY_CLI_BUNDLE_H_

#include <stdbool.h>

#include "logs/base/err.h"

// The password of the Java trust store. It protects nothing: it is Java's own default.
#define BUNDLE_JAVA_PASSWORD "changeit"

// The names of the files beside the CA's own in its folder.
#define BUNDLE_FILE "bundle.pem"
#define BUNDLE_JAVA_FILE "bundle.jks"

// bundle_write makes `path` a PEM file of what the file or folder `system_roots` (NULL: nothing)
// holds and of `ca_pem`, which is there once even if the former had it. A reader sees the old file
// or the new one, never a part; its mode is 0644. A file that holds the same already is left alone.
WUNRES bool bundle_write(const char *path, const char *system_roots, const char *ca_pem,
                         struct err *err);

// bundle_write_java makes `path` a Java trust store (JKS) of the certificates in the PEM file
// `bundle_file`, in the same manner. It is JKS because Java takes a certificate in a PKCS#12 file
// for trusted only where that has an attribute of Oracle's, while every Java reads JKS.
WUNRES bool bundle_write_java(const char *path, const char *bundle_file, struct err *err);

#endif // PROXY_CLI_BUNDLE_H_
