"""What can be wrong with a server's certificate."""

import datetime

from tests.lab import harness, servers
from tests.lab.clients import curl
from tests.lab.scenario import Scenario
from tests.lab.servers import HOST, good, relay, s_server

DAY = datetime.timedelta(days=1)

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
