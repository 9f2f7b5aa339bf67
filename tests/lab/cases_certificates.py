"""What can be wrong with a server's certificate."""

import datetime

from tests.lab import clients, harness, servers
from tests.lab.clients import curl, firefox, go, java, python, wget
from tests.lab.scenario import Scenario
from tests.lab.servers import (
    HOST,
    elsewhere,
    gnutls_serv,
    good,
    haproxy,
    nginx,
    relay,
    reordered,
    s_server,
    stunnel,
)

DAY = datetime.timedelta(days=1)
NOW = harness.NOW
WEAK = ("-cipher", "DEFAULT@SECLEVEL=0")
NO_CA = "basicConstraints=critical,CA:false"
NAME = f"subjectAltName=DNS:{HOST}"


def below(name, *extensions, **more):
    """A sound leaf below a CA of this name that may be otherwise."""
    return lambda: harness.leaf(HOST, issuer=harness.authority(name, *extensions, **more))


def plain_leaf(*extensions, **more):
    """A leaf with these extensions and no others."""
    return lambda: harness.issue(HOST, harness.root(), extensions, **more)


def deep():
    """A leaf below two CAs, the upper of which allows none below."""
    short = harness.authority("Short CA", "basicConstraints=critical,CA:true,pathlen:0",
                              "keyUsage=critical,keyCertSign")
    return harness.leaf(HOST, issuer=harness.authority("Deep CA", issuer=short))


def two_levels():
    """A leaf below two CAs."""
    return harness.leaf(HOST, issuer=harness.authority("Sub CA", issuer=harness.intermediate()))


CERTIFICATES = [
    Scenario("expired", s_server(lambda: harness.expired(HOST)), curl(),
             "server", "server-cert-expired", "",
             ("server-hostname-mismatch", "server-self-signed", "server-unknown-ca")),
    Scenario("not-yet-valid",
             s_server(lambda: harness.leaf(HOST, start=harness.NOW + 5 * DAY,
                                           end=harness.NOW + 9 * DAY)),
             curl(), "server", "server-cert-not-yet-valid", "", ("server-cert-expired",)),
    Scenario("self-signed", s_server(lambda: harness.self_signed(HOST)), curl(),
             "server", "server-self-signed", "", ("server-cert-expired",)),
    Scenario("unknown-ca", s_server(lambda: harness.leaf(HOST, issuer=servers.foreign_root())),
             curl(), "server", "server-unknown-ca", "",
             ("server-cert-expired", "server-self-signed")),
    Scenario("wrong-name", s_server(lambda: harness.leaf("b.localhost")), curl(),
             "server", "server-hostname-mismatch", "", ("server-cert-expired",)),
    Scenario("missing-intermediate",
             s_server(lambda: servers.lone(harness.leaf(HOST, issuer=harness.intermediate()))),
             curl(), "server", "server-missing-intermediate"),
    Scenario("missing-intermediate-to-be-fetched",
             s_server(lambda: servers.lone(harness.leaf(
                 HOST, issuer=servers.other_intermediate(),
                 extensions=("authorityInfoAccess=caIssuers;URI:http://ca.test/1.cer",)))),
             curl(), "server", "server-missing-intermediate"),
    Scenario("private-ca-or-missing-intermediate",
             s_server(lambda: servers.lone(harness.leaf(HOST, issuer=servers.other_intermediate()))),
             curl(), "server", "server-unknown-ca", "possible"),
    Scenario("key-mismatch",
             relay(s_server(good(), "-tls1_2"), servers.other_certificate(good(which=1))),
             curl(), "server", "server-key-mismatch"),
    Scenario("intermediate-expired", s_server(below("Old CA", start=NOW - 40 * DAY,
                                                    end=NOW - 2 * DAY)),
             curl(), "server", "server-intermediate-expired"),
    Scenario("intermediate-not-yet-valid", s_server(below("New CA", start=NOW + 4 * DAY,
                                                          end=NOW + 20 * DAY)),
             curl(), "undetermined", "clock-skew-proxy", "possible"),
    Scenario("cn-only", s_server(plain_leaf(NO_CA)), go(), "server", "server-cn-only-no-san"),
    Scenario("weak-signature", s_server(plain_leaf(NO_CA, NAME, kind="rsa", digest="sha1"), *WEAK),
             curl(), "server", "server-weak-signature"),
    Scenario("chain-in-another-order", s_server(lambda: reordered(two_levels(), 0, 2, 1)), curl(),
             "none", "healthy"),
    Scenario("certificates-twice",
             s_server(lambda: reordered(harness.leaf(HOST, issuer=harness.intermediate()),
                                        0, 1, 1, 0)),
             curl(), "none", "healthy"),
    Scenario("eku-client-only", s_server(plain_leaf(NO_CA, "extendedKeyUsage=clientAuth", NAME)),
             curl(), "server", "cert-eku-missing-serverauth"),
    Scenario("ku-without-signature",
             s_server(plain_leaf(NO_CA, "keyUsage=critical,keyAgreement", NAME)),
             curl(), "server", "cert-keyusage-mismatch"),
    Scenario("issuer-is-no-ca", s_server(below("No CA", NO_CA)), curl(),
             "server", "cert-basic-constraints"),
    Scenario("path-too-long", s_server(deep), curl(), "server", "cert-basic-constraints"),
    Scenario("name-constraints",
             s_server(below("Narrow CA", *harness.CA_EXTENSIONS,
                            "nameConstraints=critical,permitted;DNS:corp.test")),
             curl(), "server", "cert-name-constraints"),
    Scenario("unknown-critical-extension",
             s_server(good(extensions=("1.2.3.4=critical,ASN1:UTF8String:x",))), curl(),
             "server", "cert-unknown-critical-ext"),
    Scenario("wildcard-depth", s_server(lambda: harness.leaf("*." + HOST)), curl(),
             "server", "server-hostname-mismatch"),
    Scenario("address-without-san", elsewhere(s_server(good()), "127.0.0.1"), curl(),
             "server", "server-hostname-mismatch"),
    Scenario("address-with-san", elsewhere(s_server(lambda: harness.leaf("127.0.0.1")), "127.0.0.1"),
             curl(), "none", "healthy"),
    Scenario("malformed", relay(s_server(good(), "-tls1_2"), servers.garbage_certificate), curl(),
             "server", "cert-malformed-der"),
    Scenario("expired-haproxy", haproxy(lambda: harness.expired(HOST)), curl(),
             "server", "server-cert-expired"),
    Scenario("unknown-ca-stunnel",
             stunnel(lambda: harness.leaf(HOST, issuer=servers.foreign_root())), curl(),
             "server", "server-unknown-ca"),
    Scenario("self-signed-gnutls-serv", gnutls_serv(lambda: harness.self_signed(HOST)), curl(),
             "server", "server-self-signed"),
    Scenario("expired-wget", nginx(lambda: harness.expired(HOST)), wget(),
             "server", "server-cert-expired"),
    Scenario("expired-python", s_server(lambda: harness.expired(HOST)), python(),
             "server", "server-cert-expired"),
    Scenario("expired-java", s_server(lambda: harness.expired(HOST)), java(),
             "server", "server-cert-expired"),
    Scenario("expired-go", s_server(lambda: harness.expired(HOST)), go(),
             "server", "server-cert-expired"),
    Scenario("expired-node", s_server(lambda: harness.expired(HOST)), clients.node,
             "server", "server-cert-expired"),
    Scenario("wrong-name-wget", s_server(lambda: harness.leaf("b.localhost")), wget(),
             "server", "server-hostname-mismatch"),
    Scenario("wrong-name-go", s_server(lambda: harness.leaf("b.localhost")), go(),
             "server", "server-hostname-mismatch"),
    Scenario("wrong-name-firefox", nginx(lambda: harness.leaf("b.localhost")), firefox(),
             "server", "server-hostname-mismatch"),
    Scenario("self-signed-java", s_server(lambda: harness.self_signed(HOST)), java(),
             "server", "server-self-signed"),
]
