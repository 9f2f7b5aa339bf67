#include "policy/config/key.h"

#include <string.h>

#define NOWHERE 0, 0
#define AT(field) offsetof(struct policy_rule, field), 0
#define LIST(field) LIST_IN(, field)
#define LIST_IN(in, field)                                                                         \
    offsetof(struct policy_rule, in field), offsetof(struct policy_rule, in num_##field)

enum { MATCHER = OBJECT_RULE, BOTH = OBJECT_RULE | OBJECT_DEFAULT };

// clang-format off
static const struct key KEYS[] = {
    {"rules", OBJECT_FILE, TYPE_RULES, OBJECT_RULE, NOWHERE, "[]",
     "The first rule whose \"hosts\", \"ports\" and \"clients\" all match decides. What it leaves out "
     "is taken from \"default\"."},
    {"default", OBJECT_FILE, TYPE_DEFAULT, OBJECT_DEFAULT, NOWHERE, "{}",
     "Decides where no rule matches."},

    {"hosts", MATCHER, TYPE_HOSTS, 0, LIST(hosts), "[\"*\"]",
     "\"*\" stands for any run of characters, dots and nothing included, so that "
     "\"*.example.test\" is every name below example.test but not example.test itself. Case and "
     "one dot at the end don't count. Where the client asks for an address, addresses and "
     "networks match that, and a glob matches the SNI or the address as text."},
    {"ports", MATCHER, TYPE_PORTS, 0, LIST(ports), "[\"1-65535\"]",
     "The port that the client asks for."},
    {"clients", MATCHER, TYPE_CLIENTS, 0, LIST(clients), "[\"0.0.0.0/0\", \"::/0\"]",
     "The address that the client connects from."},

    {"action", BOTH, TYPE_ACTION, 0, AT(action), "\"intercept\"",
     "\"intercept\" ends TLS on both legs, \"tunnel\" only watches and changes nothing, \"refuse\" "
     "does not connect, \"emulate\" is the box that \"profile\" names."},
    {"profile", BOTH, TYPE_PROFILE, 0, AT(profile), "\"\"",
     "With \"emulate\": profiles that 'tlsblame profiles' lists, or files (with a slash in their "
     "path, which starts at the working directory), with commas between."},
    {"on_server_failure", BOTH, TYPE_ON_FAILURE, 0, AT(on_failure), "\"mirror\"",
     "What the client is shown when the server leg fails after TLS has begun: \"mirror\" the same "
     "defect, \"alert\" a matching TLS alert, \"page\" a page that tells the verdict."},
    {"parent", BOTH, TYPE_BOOL, 0, AT(parent), "true",
     "Whether the way to the server goes through the parent proxy of 'run --parent'. With false "
     "the proxy connects straight. It is decided by the name or address that the client asks "
     "for, before there is an SNI."},
    {"client_leg", BOTH, TYPE_OBJECT, OBJECT_CLIENT_LEG, NOWHERE, "{}",
     "TLS between the client and this proxy."},
    {"min_version", OBJECT_CLIENT_LEG, TYPE_VERSION, 0, AT(client_leg.min_version), "\"any\"",
     "The oldest TLS version accepted from the client. \"any\" is no bound; \"TLS 1.2\" and "
     "\"TLSv1.2\" are read as \"1.2\"."},
    {"max_version", OBJECT_CLIENT_LEG, TYPE_VERSION, 0, AT(client_leg.max_version), "\"any\"",
     "The newest."},
    {"retry_tunnel", OBJECT_CLIENT_LEG, TYPE_BOOL, 0, AT(retry.tunnel), "false",
     "Whether a client that refused the proxy's certificate, or left at it, is tunnelled when it "
     "comes again for the same host within ten minutes. If it goes on then, it was the certificate "
     "that it refused: the CA is missing, or the client pins."},
    {"retry_leaf", OBJECT_CLIENT_LEG, TYPE_FORMS, 0, LIST_IN(retry., forms), "[]",
     "Other forms of its certificate that the proxy shows such a client, one a connection, in this "
     "order, after the tunnel: \"rsa\" has an RSA key, \"short\" lives for two weeks, \"exact-name\" "
     "has the host's name alone, \"no-aki\" no authority key identifier, \"with-root\" brings the CA "
     "along, \"sha384\" is signed with SHA-384. One that the client goes on with is the one from then on, "
     "and names what is wrong with the ordinary one."},
    {"canary", OBJECT_CLIENT_LEG, TYPE_BOOL, 0, AT(retry.canary), "false",
     "Whether a client that went on with the proxy's certificate is shown, once an hour each, one that "
     "nobody trusts and one for another name. Who goes on does not validate. These connections end "
     "right after the handshake and reach no server, so two requests an hour of each client are lost; "
     "people may see a warning, and must not click it away."},
    {"server_leg", BOTH, TYPE_OBJECT, OBJECT_SERVER_LEG, NOWHERE, "{}",
     "TLS between this proxy and the server."},
    {"min_version", OBJECT_SERVER_LEG, TYPE_VERSION, 0, AT(server_leg.min_version), "\"any\"",
     "The oldest TLS version offered to the server."},
    {"max_version", OBJECT_SERVER_LEG, TYPE_VERSION, 0, AT(server_leg.max_version), "\"any\"",
     "The newest."},
    {"verify", OBJECT_SERVER_LEG, TYPE_BOOL, 0, AT(server_leg.verify), "true",
     "Whether defects of the server's certificate reach the client. With false they are "
     "recorded, and the client is shown a sound certificate."},
    {"experiments", BOTH, TYPE_BOOL, 0, AT(experiments), "true",
     "Whether the proxy may connect to these hosts on its own account to find out why a "
     "connection failed. `run --experiments` says when it does."},
    {"record", BOTH, TYPE_OBJECT, OBJECT_RECORD, NOWHERE, "{}",
     "What the record keeps beyond the facts, so that 'tlsblame export' can write a capture."},
    {"handshake_bytes", OBJECT_RECORD, TYPE_BOOL, 0, AT(record.handshake_bytes), "true",
     "The bytes of both legs' handshakes as they were on the wire, at most 64 KiB a leg."},
    {"secrets", OBJECT_RECORD, TYPE_SECRETS, 0, AT(record.secrets), "\"handshake\"",
     "The TLS secrets of connections that are intercepted. \"handshake\" keeps those that open "
     "the handshake and no application data: the handshake traffic secrets of TLS 1.3 and, where "
     "a direction carried no application data, its others as well; a record then opens nothing of "
     "what somebody else may have captured. \"all\" keeps every secret: who has the log and a "
     "capture can read the connection. \"none\" keeps none."},
    {"application_data", OBJECT_RECORD, TYPE_BOOL, 0, AT(record.application_data), "false",
     "Whether \"handshake_bytes\" goes on into the application data, encrypted as it was on the "
     "wire, then at most 1 MiB a leg. It can be read where \"secrets\" is \"all\"."},
    {"trust", BOTH, TYPE_FILES, 0, LIST(trust), "[]",
     "PEM files with certificates to trust beside the system's roots. A relative path starts at "
     "the folder of the policy file."},
    {"crls", BOTH, TYPE_FILES, 0, LIST(crls), "[]",
     "Files of revocation lists, PEM or DER, beside those of --crl. A server whose certificate is "
     "on the list of its issuer is defective."},
    {"fetch", BOTH, TYPE_OBJECT, OBJECT_FETCH, NOWHERE, "{}",
     "What the experiments after a failure may fetch from addresses that the server's certificate "
     "names: plain HTTP, to hosts that the server's owner has chosen."},
    {"aia", OBJECT_FETCH, TYPE_BOOL, 0, AT(fetch.aia), "false",
     "The certificate of an issuer that the server does not send, so that a missing intermediate "
     "is proved."},
    {"crl", OBJECT_FETCH, TYPE_BOOL, 0, AT(fetch.crl), "false",
     "Revocation lists."},
};
// clang-format on

const struct key *key_next(enum object object, const struct key *key) {
    for (size_t i = key == NULL ? 0 : (size_t)(key - KEYS) + 1; i < ARRAY_LEN(KEYS); i++) {
        if ((KEYS[i].in & object) != 0) {
            return &KEYS[i];
        }
    }
    return NULL;
}

const struct key *key_find(enum object object, const char *name) {
    const struct key *key = key_next(object, NULL);
    while (key != NULL && strcmp(key->name, name) != 0) {
        key = key_next(object, key);
    }
    return key;
}
