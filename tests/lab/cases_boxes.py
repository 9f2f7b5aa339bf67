"""Real inspectors before the proxy and behind it."""

from tests.lab import harness
from tests.lab.clients import curl
from tests.lab.inspectors import (
    before,
    inspection_ca,
    intercepted,
    mitmproxy,
    mitmproxy_before,
    parent,
    squid,
    squid_before,
    sslsplit_before,
    trusting,
)
from tests.lab.scenario import Scenario
from tests.lab.servers import HOST, good, nginx, s_server

PIN = ("--pinnedpubkey", "sha256//" + "A" * 43 + "=")
CHROME = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/131.0.0.0 Safari/537.36")
AS_CHROME = ("-A", CHROME)

# The box's User-Agent is the browser's behind it; its hello is not.
FRONT = [
    Scenario("mitmproxy-before", s_server(good()), before(mitmproxy_before()), "none", "healthy"),
    Scenario("mitmproxy-before-a-browser", s_server(good()),
             before(mitmproxy_before(), *AS_CHROME), "box-in-front", "mitm-front-inspection"),
    Scenario("mitmproxy-before-without-our-ca", s_server(good()),
             before(mitmproxy_before(trusts=False)), "undetermined", "proxy-ca-not-installed",
             "possible", ("server-unknown-ca",), "policy `tunnel`"),
    Scenario("mitmproxy-before-not-trusted", s_server(good()),
             before(mitmproxy_before(), trust=False), "undetermined", "client-abort-speculative",
             "", ("server-unknown-ca",), "another connection"),
    Scenario("mitmproxy-before-pinned", s_server(good()), before(mitmproxy_before(), *PIN),
             "undetermined", "client-abort-speculative", "", ("server-unknown-ca",)),
    Scenario("mitmproxy-before-expired", s_server(lambda: harness.expired(HOST)),
             before(mitmproxy_before()), "server", "server-cert-expired", "",
             ("server-self-signed",)),
    # Squid's hello is OpenSSL's own, which scripts send that borrow a browser's name.
    Scenario("squid-before", s_server(good()), before(squid_before()), "none", "healthy"),
    Scenario("squid-before-a-browser", s_server(good()), before(squid_before(), *AS_CHROME),
             "none", "healthy"),
    # It asks for a staple by habit, under the name of a curl that would only when told to.
    Scenario("squid-before-without-our-ca", s_server(good()),
             before(squid_before(trusts=False)), "undetermined", "client-abort-speculative",
             "possible", ("server-unknown-ca",)),
    Scenario("squid-before-not-trusted", s_server(good()), before(squid_before(), trust=False),
             "undetermined", "client-abort-speculative", "possible"),
    Scenario("squid-before-caps-version", s_server(good("rsa"), "-tls1_3"),
             before(squid_before(outgoing="options=NO_TLSv1_3")),
             "undetermined", "version-mismatch-old-client", "possible", (),
             "without the proxy before this one"),
    Scenario("squid-before-expired", s_server(lambda: harness.expired(HOST)),
             before(squid_before()), "server", "server-cert-expired"),
    Scenario("sslsplit-before", s_server(good()), sslsplit_before(), "none", "healthy"),
    Scenario("sslsplit-before-a-browser", s_server(good()), sslsplit_before(*AS_CHROME),
             "box-in-front", "mitm-front-inspection"),
    Scenario("sslsplit-before-not-trusted", s_server(good()), sslsplit_before(trust=False),
             "undetermined", "client-abort-speculative", "", ("server-unknown-ca",)),
    Scenario("sslsplit-before-pinned", s_server(good()), sslsplit_before(*PIN),
             "undetermined", "client-abort-speculative", "", ("server-unknown-ca",)),
    Scenario("sslsplit-before-hides-expired", s_server(lambda: harness.expired(HOST)),
             sslsplit_before(), "server", "server-cert-expired"),
]

WITHOUT_PARENT = "without the parent proxy"
THROUGH_MITMPROXY = parent(mitmproxy())
THROUGH_SQUID = parent(squid())
CAPPED_MITMPROXY = parent(mitmproxy("tls_version_client_max=TLS1_2"))

# What a box that is trusted hides is hidden: a connection that works accuses nobody.
BEHIND = [
    Scenario("mitmproxy-behind", s_server(good()), curl(), "none", "healthy",
             setup=THROUGH_MITMPROXY),
    Scenario("mitmproxy-behind-untrusted", s_server(good()), curl(),
             "box-behind", "mitm-behind-untrusted", "likely", ("server-cert-expired",),
             WITHOUT_PARENT, parent(mitmproxy(), trusted=False)),
    Scenario("mitmproxy-behind-by-name", s_server(good()), curl(),
             "box-behind", "mitm-behind-untrusted", "likely",
             setup=parent(mitmproxy(name="mitmproxy"), trusted=False)),
    Scenario("mitmproxy-behind-hides-expired", s_server(lambda: harness.expired(HOST)), curl(),
             "none", "healthy", setup=parent(mitmproxy("ssl_insecure=true"))),
    Scenario("mitmproxy-behind-without-origins-ca", s_server(good()), curl(),
             "none", "healthy", setup=parent(mitmproxy(trust=inspection_ca))),
    Scenario("mitmproxy-behind-caps-version", s_server(good("rsa")), curl(), "none", "healthy",
             setup=CAPPED_MITMPROXY),
    Scenario("mitmproxy-behind-caps-version-client-1.3", s_server(good("rsa")), curl("--tlsv1.3"),
             "undetermined", "server-close-at-hello", "possible", (), "TLS 1.2 alone",
             CAPPED_MITMPROXY),
    Scenario("squid-behind", s_server(good()), curl(), "none", "healthy", setup=THROUGH_SQUID),
    # Squid copies the dates of the server's own certificate.
    Scenario("squid-behind-untrusted", s_server(good()), curl(),
             "undetermined", "server-unknown-ca", "possible", ("server-cert-expired",),
             WITHOUT_PARENT, parent(squid(), trusted=False)),
    Scenario("squid-behind-shows-page-for-expired", s_server(lambda: harness.expired(HOST)), curl(),
             "none", "healthy", setup=THROUGH_SQUID),
    Scenario("squid-behind-copies-expired", s_server(lambda: harness.expired(HOST)), curl(),
             "server", "server-cert-expired",
             setup=parent(squid(more="sslproxy_cert_error allow all\n"))),
    Scenario("squid-behind-without-origins-ca", s_server(good()), curl(), "none", "healthy",
             setup=parent(squid(trust=inspection_ca))),
    Scenario("squid-behind-caps-version", s_server(good()), curl("--tlsv1.3"),
             "undetermined", "version-mismatch-old-server", "possible", (), WITHOUT_PARENT,
             parent(squid(listen="options=NO_TLSv1_3"))),
    Scenario("sslsplit-behind", intercepted(s_server(good())), curl(), "none", "healthy",
             setup=trusting),
    Scenario("sslsplit-behind-untrusted", intercepted(s_server(good())), curl(),
             "undetermined", "mitm-behind-untrusted", "", ("server-cert-expired",), "another host"),
    Scenario("sslsplit-behind-hides-expired-untrusted",
             intercepted(s_server(lambda: harness.expired(HOST))), curl(),
             "undetermined", "mitm-behind-untrusted", "", (), "another host"),
    Scenario("sslsplit-behind-hides-expired", intercepted(s_server(lambda: harness.expired(HOST))),
             curl(), "none", "healthy", setup=trusting),
]
