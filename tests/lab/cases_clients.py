"""Clients that refuse, leave or have the wrong time; and those with which all is well."""

from tests.lab import clients, servers
from tests.lab.clients import curl, gnutls, s_client, socket_client
from tests.lab.scenario import Scenario
from tests.lab.servers import good, nginx, s_server, service

HEALTHY = [
    Scenario("healthy-13", s_server(good()), curl(), "none", "healthy", "certain"),
    Scenario("healthy-12", s_server(good("rsa"), "-tls1_2"), curl(), "none", "healthy", "certain"),
    Scenario("healthy-h2", nginx(good(), http2=True), curl(), "none", "healthy", "certain"),
    Scenario("healthy-gnutls", nginx(good()), gnutls("--x509cafile", "{ca}"), "none", "healthy"),
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
