"""Peers that have nothing in common."""

from tests.lab.clients import curl, s_client
from tests.lab.scenario import Scenario
from tests.lab.servers import good, nginx, s_server

OLD = ("-cipher", "DEFAULT@SECLEVEL=0")
NO_EPHEMERAL_DH = "DHE-RSA-AES128-GCM-SHA256"

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
