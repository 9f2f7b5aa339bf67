"""What programs taught that the lab had not met: each of these was judged wrongly once."""

from tests.lab import harness, pki
from tests.lab.clients import curl, s_client
from tests.lab.scenario import Scenario
from tests.lab.servers import HOST, good, hello, s_server, service


def says_first(code):
    """A TLS server whose set-up fails it: it says an alert when it accepts."""
    def handle(s):
        s.sendall(bytes([21, 3, 1, 0, 2, 2, code]))
        harness.read_all(s)
    return service(handle)


def echoes(s):
    """A service that sends back what it gets."""
    s.sendall(hello(s))
    harness.read_all(s)


def says_internal_error(s):
    hello(s)
    s.sendall(bytes([21, 3, 3, 0, 2, 2, 80]))
    harness.read_all(s)


def below(name):
    """A leaf of a CA that nobody here trusts."""
    return lambda: harness.leaf(HOST, issuer=harness.issue(name, None, harness.CA_EXTENSIONS, which=name))


def git(lab, proxy, target):
    """git, which asks GnuTLS about the certificate after the handshake."""
    del lab
    harness.run("git", "-c", f"http.proxy={proxy.url}", "-c", "http.sslCAInfo=" + pki.root().file,
                "ls-remote", "https://%s:%d/" % target, check=False)


def answers_late(s):
    """A server that needs longer than some clients wait."""
    hello(s)
    harness.read_all(s)


def patient(lab):
    """The setup of a proxy that waits longer than its clients."""
    del lab
    return ("--timeout", "20"), {}


STRANGERS = [
    Scenario("alert-before-hello", says_first(70), curl(),
             "server", "version-mismatch-old-server", "likely"),
    Scenario("alert-before-hello-80", says_first(80), curl(),
             "server", "server-internal-error", "likely"),
    Scenario("internal-error", service(says_internal_error), curl(),
             "server", "server-internal-error", "possible"),
    Scenario("echo-service", service(echoes), curl(), "server", "non-tls-service", "likely"),
    Scenario("inspection-by-name", s_server(below("ACME SSL Inspection CA")), curl(),
             "box-behind", "mitm-behind-untrusted", "possible"),
    Scenario("caddys-own-ca", s_server(below("Caddy Local Authority - ECC Root")), curl(),
             "server", "server-unknown-ca", "likely"),
    Scenario("other-name-in-hello", s_server(good()), s_client("-servername", "b.localhost"),
             "client", "sni-host-mismatch-misdirected", "likely"),
    Scenario("groups-of-neither", s_server(good(), "-groups", "P-256"), s_client("-groups", "ffdhe2048"),
             "undetermined", "group-mismatch", "possible"),
    Scenario("impatient", service(answers_late), curl("--max-time", "4"),
             "undetermined", "handshake-timeout-server", "possible", setup=patient),
    Scenario("git-without-ca", s_server(good()), git,
             "client", "proxy-ca-not-installed", "possible"),
    Scenario("only-1.3-for-1.2", s_server(good(), "-tls1_2"), s_client("-tls1_3"),
             "server", "version-mismatch-old-server"),
]
