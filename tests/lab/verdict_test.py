"""Each first verdict from a real client and a real server, with the right party and cause.

All scenarios of a class share one proxy and run at once; a record is found by its port. The test
prints a table of what was expected and what came.
"""

import collections
import concurrent.futures
import datetime
import json

from tests.lab import clients, harness, servers
from tests.lab.clients import curl, gnutls, s_client, socket_client
from tests.lab.network import Network
from tests.lab.servers import HOST, good, nginx, relay, s_server, service

DAY = datetime.timedelta(days=1)
AT_ONCE = 6

Scenario = collections.namedtuple(
    "Scenario", "name server client party cause confidence ruled_out", defaults=("", ())
)
Scenario.__doc__ = """`confidence` is what the verdict must say, "" for anything; every cause of
`ruled_out` must be among those that it rules out."""

OLD = ("-cipher", "DEFAULT@SECLEVEL=0")
NO_EPHEMERAL_DH = "DHE-RSA-AES128-GCM-SHA256"

HEALTHY = [
    Scenario("healthy-13", s_server(good()), curl(), "none", "healthy", "certain"),
    Scenario("healthy-12", s_server(good("rsa"), "-tls1_2"), curl(), "none", "healthy", "certain"),
    Scenario("healthy-h2", nginx(good(), http2=True), curl(), "none", "healthy", "certain"),
    Scenario("healthy-gnutls", nginx(good()), gnutls("--x509cafile", "{ca}"), "none", "healthy"),
]

CERTIFICATES = [
    Scenario("expired", s_server(lambda: harness.expired(HOST)), curl(),
             "server", "server-cert-expired", "certain",
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
]

NEGOTIATION = [
    Scenario("server-only-1.1", s_server(good("rsa"), "-tls1_1", *OLD), curl("--tlsv1.2"),
             "server", "version-mismatch-old-server"),
    Scenario("server-only-1.0-nginx",
             nginx(good("rsa"), versions="TLSv1", server="ssl_ciphers DEFAULT@SECLEVEL=0;"),
             curl("--tlsv1.2"),
             "server", "version-mismatch-old-server"),
    Scenario("server-only-1.0-openssl-gives-up",
             nginx(good("rsa"), versions="TLSv1", server="ssl_ciphers DEFAULT@SECLEVEL=0;"), curl(),
             "server", "version-mismatch-old-server", "possible"),
    Scenario("client-only-1.1", nginx(good("rsa"), versions="TLSv1.2 TLSv1.3"),
             s_client("-tls1_1", *OLD), "client", "version-mismatch-old-client"),
    Scenario("client-only-1.0-s_server", s_server(good("rsa"), "-tls1_3"),
             s_client("-tls1", *OLD), "client", "version-mismatch-old-client"),
    Scenario("client-1.2-server-1.3", s_server(good(), "-tls1_3"),
             curl("--tls-max", "1.2"), "client", "version-mismatch-old-client"),
    Scenario("no-common-suite",
             s_server(good(), "-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"),
             curl("--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"),
             "undetermined", "cipher-mismatch"),
    Scenario("old-suites-client", s_server(good("rsa"), "-tls1_2", "-cipher", "ECDHE+AESGCM"),
             s_client("-tls1_2", "-cipher", "AES128-SHA:AES256-SHA"), "client", "cipher-mismatch"),
    Scenario("no-common-group", s_server(good(), "-tls1_3", "-groups", "P-521"),
             s_client("-tls1_3", "-groups", "X25519"), "undetermined", "group-mismatch"),
    Scenario("no-common-signature", s_server(good()),
             s_client("-tls1_3", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"),
             "undetermined", "ecdsa-vs-rsa-auth-mismatch"),
    Scenario("client-cert-12", s_server(good(), "-tls1_2", "-Verify", "1", "-verify_return_error"),
             curl(), "server", "client-cert-required"),
    Scenario("client-cert-13", s_server(good(), "-tls1_3", "-Verify", "1", "-verify_return_error"),
             curl(), "server", "client-cert-required", "certain"),
    Scenario("no-common-alpn", nginx(good(), http2=True),
             s_client("-alpn", "foo"), "undetermined", "alpn-mismatch"),
    Scenario("proxy-limit-suite",
             s_server(good("rsa"), "-tls1_2", "-cipher", NO_EPHEMERAL_DH),
             curl("--tls-max", "1.2", "--ciphers", f"ECDHE-RSA-AES128-GCM-SHA256:{NO_EPHEMERAL_DH}"),
             "proxy", "proxy-tls-limitation"),
    Scenario("proxy-limit-only-dhe", s_server(good("rsa"), "-tls1_2"),
             curl("--tls-max", "1.2", "--ciphers", NO_EPHEMERAL_DH),
             "proxy", "proxy-tls-limitation"),
    Scenario("proxy-limit-group-x448", s_server(good(), "-tls1_3", "-groups", "X448"),
             s_client("-groups", "X25519:X448"), "proxy", "proxy-tls-limitation"),
    Scenario("proxy-limit-group-ffdhe", s_server(good(), "-tls1_3", "-groups", "ffdhe2048"),
             s_client("-groups", "ffdhe2048"), "proxy", "proxy-tls-limitation"),
]

TRANSPORT = [
    Scenario("plain-http", lambda lab: (HOST, lab.nginx().port), curl(),
             "server", "plain-http-on-tls-port"),
    Scenario("ssh-banner", servers.answers(b"SSH-2.0-OpenSSH_9.2p1\r\n", first=False), curl(),
             "server", "non-tls-service"),
    Scenario("smtp-banner", servers.answers(b"220 mail.test ESMTP\r\n", first=False), curl(),
             "server", "non-tls-service"),
    Scenario("ssh-late-banner", servers.answers(b"SSH-2.0-OpenSSH_9.2p1\r\n"), curl(),
             "server", "non-tls-service"),
    Scenario("garbage", servers.answers(bytes(range(200, 256))), curl(),
             "undetermined", "non-tls-service"),
    Scenario("closed-at-hello", service(servers.closes_at_hello), curl(),
             "server", "server-close-at-hello", "", ("server-reset-at-hello",)),
    Scenario("reset-at-hello", service(servers.resets_at_hello), curl(),
             "server", "server-reset-at-hello", "", ("server-close-at-hello",)),
    Scenario("reset-unread-hello", service(servers.resets_at_once), curl(),
             "server", "server-reset-at-hello"),
    Scenario("silent", service(servers.silent), curl(),
             "server", "handshake-timeout-server"),
    Scenario("stops-after-hello-12",
             relay(s_server(good(), "-tls1_2"), servers.first_messages(2)), curl(),
             "undetermined", "mtu-blackhole"),
    Scenario("stops-after-certificate-12",
             relay(s_server(good(), "-tls1_2"), servers.first_messages(11)), curl(),
             "undetermined", "handshake-timeout-server"),
    Scenario("stops-after-hello-13",
             relay(s_server(good(), "-tls1_3"), servers.first_records(1)), curl(),
             "undetermined", "mtu-blackhole"),
    Scenario("refused", servers.refused, curl(), "server", "tcp-refused"),
]

# These need a network of their own: a name that resolves to what does not answer.
NETWORK = [
    Scenario("no-such-host", servers.nowhere("nobody.test"), curl(),
             "network", "dns-failure", "", ("tcp-refused",)),
    Scenario("no-address", servers.nowhere("empty.test"), curl(), "network", "dns-failure"),
    Scenario("dns-servfail", servers.nowhere("broken.test"), curl(), "network", "dns-failure"),
    Scenario("dns-refused", servers.nowhere("refused.test"), curl(), "network", "dns-failure"),
    Scenario("dns-silent", servers.nowhere("silent.test"), curl(), "network", "dns-failure"),
    Scenario("no-route", servers.nowhere("no-route.test"), curl(), "network", "ip-block"),
    Scenario("unreachable", servers.nowhere("unreachable.test"), curl(), "network", "ip-block"),
    Scenario("connect-timeout", servers.nowhere("dropped.test"), curl(),
             "network", "tcp-timeout", "", ("tcp-refused", "dns-failure")),
    Scenario("refused-by-a-filter", servers.nowhere("reset.test"), curl(), "server", "tcp-refused"),
    Scenario("refused-here", servers.nowhere("here.test"), curl(), "server", "tcp-refused"),
]

# The same, only watched: the proxy's policy says tunnel.
WATCHED = [
    Scenario("watched-13", s_server(good()), curl("-k"), "none", "healthy", "likely"),
    Scenario("watched-12", s_server(good(), "-tls1_2"), curl("-k"), "none", "healthy", "certain"),
    Scenario("watched-unknown-ca-13", s_server(good()), curl(),
             "undetermined", "server-unknown-ca"),
    Scenario("watched-unknown-ca-12", s_server(good(), "-tls1_2"), curl(),
             "undetermined", "server-unknown-ca"),
    Scenario("watched-expired", s_server(lambda: harness.expired(HOST), "-tls1_2"), curl(),
             "server", "server-cert-expired"),
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
]

CLIENTS = [
    Scenario("curl-without-ca", s_server(good()), curl(trust=False),
             "client", "proxy-ca-not-installed", "likely", ("server-unknown-ca",)),
    Scenario("s_client-without-ca", s_server(good(), "-tls1_2"),
             s_client("-verify_return_error"),
             "client", "proxy-ca-not-installed", "likely"),
    Scenario("gnutls-without-ca", s_server(good()), gnutls(),
             "client", "proxy-ca-not-installed"),
    Scenario("chromium-without-ca", nginx(good()), clients.chromium,
             "client", "proxy-ca-not-installed"),
    Scenario("node-without-ca", s_server(good()), clients.node,
             "undetermined", "proxy-ca-not-installed"),
    Scenario("node-without-ca-12", s_server(good(), "-tls1_2"), clients.node,
             "undetermined", "client-abort-speculative"),
    Scenario("curl-pinned", s_server(good()),
             curl("--pinnedpubkey", "sha256//" + "A" * 43 + "="),
             "undetermined", "client-abort-speculative"),
    Scenario("closes-at-certificate", s_server(good(), "-tls1_2"),
             socket_client(clients.leaves_after_hello),
             "undetermined", "proxy-ca-not-installed"),
    Scenario("clock-ahead", s_server(good()), curl(before=("faketime", "+5 years")),
             "client", "clock-skew-client"),
    Scenario("clock-behind", s_server(good()), curl(before=("faketime", "-5 years")),
             "client", "proxy-ca-not-installed", "possible"),
    Scenario("hello-then-nothing", service(servers.silent),
             socket_client(clients.leaves_after_hello_at_once),
             "none", "client-abort-speculative"),
]


def summary(record):
    """What a verdict rests on, for the eye."""
    legs = {
        name: {part: leg.get(part) for part in ("alerts", "end", "verification", "timing_ms")}
        for name, leg in record["legs"].items()
    }
    return json.dumps({"mode": record["mode"], "verdict": record["verdict"]["says"], **legs})


class Verdicts(harness.Lab):
    """A method for each list."""

    def blame(self, scenarios, command=(), **more):
        """Runs the scenarios, and prints and compares what came. `command` is what the proxy, and
        the clients, are run with."""
        proxy = self.proxy("--timeout", "1", command=command, **more)
        proxy.command = command
        targets = [scenario.server(self) for scenario in scenarios]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda pair: pair[0].client(self, proxy, pair[1]),
                          zip(scenarios, targets)))
        for scenario, target in zip(scenarios, targets):
            with self.subTest(scenario.name):
                self.compare(scenario, self.find(proxy, target))

    def find(self, proxy, target):
        """The record of the first connection to a target."""
        def found():
            return [r for r in proxy.written()
                    if harness.has_ended(r) and (r.get("host"), r.get("port")) == target]

        return harness.until(found, f"a record of {target}")[0]

    def compare(self, scenario, record):
        """Holds a verdict against what a scenario expects."""
        verdict = record["verdict"]
        expected = f"{scenario.party} {scenario.cause}"
        got = f"{verdict['party']} {verdict['cause']}"
        same = "  " if expected == got else "! "
        print(f"{same}{scenario.name:32}{expected:46}{got} ({verdict['confidence']})", flush=True)
        self.assertEqual(got, expected, summary(record))
        if scenario.confidence:
            self.assertEqual(verdict["confidence"], scenario.confidence)
        ruled_out = {item["cause"] for item in verdict.get("ruled_out", [])}
        self.assertLessEqual(set(scenario.ruled_out), ruled_out)
        for part in "says", "remedy", "next", "evidence":
            self.assertIn(part, verdict)

    def test_healthy(self):
        self.blame(HEALTHY)

    def test_certificates(self):
        self.blame(CERTIFICATES)

    def test_negotiation(self):
        self.blame(NEGOTIATION)

    def test_transport(self):
        self.blame(TRANSPORT)

    def test_network(self):
        self.blame(NETWORK, Network(self).command)

    def test_watched(self):
        self.blame(WATCHED, policy={"default": {"action": "tunnel"}})

    def test_clients(self):
        self.blame(CLIENTS)
