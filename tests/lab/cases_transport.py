"""Servers that do not speak TLS, or stop, and networks that lead nowhere."""

from tests.lab import servers
from tests.lab.clients import curl
from tests.lab.scenario import Scenario
from tests.lab.servers import (
    FIN,
    HOST,
    RST,
    first_messages,
    first_records,
    good,
    late,
    relay,
    s_server,
    service,
)

OF_12 = s_server(good(), "-tls1_2")
OF_13 = s_server(good(), "-tls1_3")

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
    # An end within the handshake may be anybody's.
    *[Scenario(name, relay(server, cut), curl(), "undetermined", "truncated-close", "likely")
      for name, server, cut in (
          ("ends-after-hello-12", OF_12, first_messages(2, FIN)),
          ("reset-after-hello-12", OF_12, first_messages(2, RST)),
          ("ends-after-certificate-12", OF_12, first_messages(11, FIN)),
          ("reset-after-key-exchange-12", OF_12, first_messages(12, RST)),
          ("ends-after-hello-done-12", OF_12, first_messages(14, FIN)),
          ("ends-after-hello-13", OF_13, first_records(1, FIN)),
          ("reset-after-extensions-13", OF_13, first_records(3, RST)),
      )],
    # Bytes that are not those that were sent.
    Scenario("damaged-record-13", relay(OF_13, servers.broken_record(3)), curl(),
             "undetermined", "bad-record-mac-or-corruption"),
    Scenario("damaged-certificate-12", relay(OF_12, servers.broken_record(1)), curl(),
             "undetermined", "bad-record-mac-or-corruption", "likely", ("server-unknown-ca",)),
    Scenario("late-but-there", relay(OF_13, late(0.3)), curl(), "none", "healthy"),
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
    Scenario("refused-by-a-filter", servers.nowhere("reset.test"), curl(),
             "undetermined", "tcp-refused", "possible", ("tcp-timeout", "dns-failure"), "firewall"),
    Scenario("refused-here", servers.nowhere("here.test"), curl(), "server", "tcp-refused",
             "likely", ("ip-block", "dns-failure", "tcp-timeout")),
]
