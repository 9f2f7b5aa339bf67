"""Handshakes that only pass by: the proxy's policy says tunnel."""

import datetime
import ssl

from tests.lab import harness, servers
from tests.lab.cases_more import small_prime
from tests.lab.cases_negotiation import OLD
from tests.lab.clients import curl, gnutls, s_client, socket_client
from tests.lab.scenario import Scenario
from tests.lab.servers import HOST, alert, good, nginx, relay, s_server, service

DAY = datetime.timedelta(days=1)
PUBLIC_ROOTS = "/etc/ssl/certs/ca-certificates.crt"


def with_certificate(lab, proxy, target):
    """curl, with a certificate that no public CA has issued."""
    own = good()()
    curl("-k", "--cert", own.file, "--key", own.key)(lab, proxy, target)


def refuses_its_own_offer(s):
    """Offers a suite without encryption, and says insufficient_security when it is chosen."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(WITHOUT_ENCRYPTION)
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=HOST)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        s.sendall(outgoing.read())
    s.recv(65536)
    s.sendall(bytes([21, 3, 3, 0, 2, 2, 71]))
    harness.read_all(s)


WITHOUT_ENCRYPTION = "NULL-SHA256:@SECLEVEL=0"

WATCHED = [
    Scenario("watched-13", s_server(good()), curl("-k"), "none", "healthy", "likely"),
    Scenario("watched-12", s_server(good(), "-tls1_2"), curl("-k"), "none", "healthy", "certain"),
    Scenario("watched-unknown-ca-13", s_server(good()), curl(),
             "undetermined", "server-unknown-ca"),
    Scenario("watched-unknown-ca-12", s_server(good(), "-tls1_2"), curl(),
             "undetermined", "server-unknown-ca"),
    Scenario("watched-expired", s_server(lambda: harness.expired(HOST), "-tls1_2"), curl(),
             "server", "server-cert-expired"),
    Scenario("watched-weak-key", s_server(good("rsa1024"), "-tls1_2", *OLD),
             curl("--cacert", harness.root().file, trust=False), "server", "server-weak-key",
             "possible", ("server-cert-expired", "server-cert-not-yet-valid"), "SECLEVEL"),
    Scenario("watched-weak-key-gnutls", s_server(good("rsa1024"), "-tls1_2", *OLD),
             gnutls("--x509cafile", harness.root().file), "none", "healthy"),
    Scenario("watched-small-dh",
             lambda lab: s_server(good("rsa"), "-tls1_2", "-cipher", "DHE@SECLEVEL=0", "-dhparam",
                                  small_prime(lab))(lab),
             curl("-k"), "server", "dh-too-small"),
    Scenario("watched-weak-suite",
             s_server(good("rsa"), "-tls1_2", "-cipher", WITHOUT_ENCRYPTION),
             socket_client(refuses_its_own_offer), "client", "weak-cipher-refused-by-client",
             "possible", ("dh-too-small",), "weak ones"),
    Scenario("watched-client-cert",
             s_server(good(), "-tls1_2", "-Verify", "1", "-verify_return_error"), curl("-k"),
             "server", "client-cert-required"),
    Scenario("watched-old-client", nginx(good("rsa"), versions="TLSv1.2 TLSv1.3"),
             s_client("-tls1_1", *OLD), "client", "version-mismatch-old-client"),
    Scenario("watched-key-mismatch",
             relay(s_server(good(), "-tls1_2"), servers.other_certificate(good(which=1))),
             curl("-k"), "server", "server-key-mismatch"),
    Scenario("watched-close", service(servers.closes_at_hello), curl(),
             "server", "server-close-at-hello"),
    Scenario("watched-reset", service(servers.resets_at_hello), curl(),
             "server", "server-reset-at-hello"),
    Scenario("watched-plain-http", lambda lab: (HOST, lab.nginx().port), curl(),
             "server", "plain-http-on-tls-port"),
    Scenario("watched-ssh", servers.answers(b"SSH-2.0-OpenSSH_9.2p1\r\n", first=False), curl(),
             "server", "non-tls-service"),
    Scenario("watched-refused", servers.refused, curl(), "server", "tcp-refused"),
    Scenario("watched-client-cert-refused",
             s_server(good(), "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile",
                      PUBLIC_ROOTS),
             with_certificate, "client", "client-cert-rejected"),
    Scenario("watched-not-yet-valid",
             s_server(lambda: harness.leaf(HOST, start=harness.NOW + 5 * DAY,
                                           end=harness.NOW + 9 * DAY), "-tls1_2"),
             curl(), "server", "server-cert-not-yet-valid"),
    Scenario("watched-alert", alert(40), curl(), "server", "cipher-mismatch", "possible"),
]
