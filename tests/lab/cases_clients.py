"""Clients that refuse, leave or have the wrong time; and those with which all is well."""

from tests.lab import clients, harness, kernel, servers
from tests.lab.clients import (
    curl,
    firefox,
    gnutls,
    go,
    java,
    python,
    s_client,
    socket_client,
    wget,
)
from tests.lab.scenario import Scenario
from tests.lab.servers import good, gnutls_serv, haproxy, nginx, s_server, service, stunnel

HEALTHY = [
    Scenario("healthy-13", s_server(good()), curl(), "none", "healthy", "certain"),
    Scenario("healthy-12", s_server(good("rsa"), "-tls1_2"), curl(), "none", "healthy", "certain"),
    Scenario("healthy-h2", nginx(good(), http2=True), curl(), "none", "healthy", "certain"),
    Scenario("healthy-gnutls", nginx(good()), gnutls("--x509cafile", "{ca}"), "none", "healthy"),
    Scenario("healthy-wget", nginx(good()), wget(), "none", "healthy"),
    Scenario("healthy-python", nginx(good()), python(), "none", "healthy"),
    Scenario("healthy-java", nginx(good()), java(), "none", "healthy"),
    Scenario("healthy-go", nginx(good()), go(), "none", "healthy"),
    Scenario("healthy-firefox", nginx(good()), firefox(), "none", "healthy"),
    Scenario("healthy-haproxy", haproxy(good(), "alpn h2,http/1.1"), curl(), "none", "healthy"),
    Scenario("healthy-stunnel", stunnel(good("rsa")), curl(), "none", "healthy"),
    Scenario("healthy-gnutls-serv", gnutls_serv(good()), curl(), "none", "healthy"),
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
    Scenario("clock-ahead", s_server(good()), curl(before=harness.clock("+5y")),
             "client", "clock-skew-client"),
    # OpenSSL says bad_certificate of what is not valid yet: either clock may be wrong.
    Scenario("clock-behind", s_server(good()), curl(before=harness.clock("-5y")),
             "undetermined", "clock-skew-client" if kernel.clock_kept() else "clock-skew-proxy",
             "possible", ("proxy-ca-not-installed",),
             "Compare the clocks"),
    Scenario("hello-then-nothing", service(servers.silent),
             socket_client(clients.leaves_after_hello_at_once),
             "none", "client-abort-speculative"),
    Scenario("wget-without-ca", nginx(good()), wget(trust=False),
             "client", "proxy-ca-not-installed"),
    Scenario("python-without-ca", nginx(good()), python(trust=False),
             "client", "proxy-ca-not-installed"),
    Scenario("java-without-ca", nginx(good()), java(trust=False),
             "client", "proxy-ca-not-installed"),
    Scenario("go-without-ca", nginx(good()), go(trust=False), "client", "proxy-ca-not-installed"),
    Scenario("firefox-without-ca", nginx(good()), firefox(trust=False),
             "client", "proxy-ca-not-installed"),
]
