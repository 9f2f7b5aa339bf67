"""Which causes of the catalogue the scenarios play, and why the others are not played there."""

import collections
import json

from tests.lab import harness

OUTSIDE = "needs what is not on loopback: "
ASKS = "needs an experiment: "
OTHER = "played in "

NOT_PLAYED = {
    "revocation-unreachable": ASKS + "whether the client asked its responder is not on our path",
    "server-wrong-chain-order": "every client of the lab sorts the chain (chain-in-another-order)",
    "ca-basicconstraints-not-critical": ASKS + "which client minds it is known by changing the CA",
    "cert-validity-too-long": "Apple's clients alone refuse it below a private root",
    "duplicate-issuer-serial": "Firefox must meet both certificates in one profile",
    "ct-required-missing": OUTSIDE + "a chain to a public root",
    "clock-skew-server": ASKS + "the Date of a server behind a certificate that is sound",
    "cert-too-large": "no client of the lab has a limit that our chains reach",
    "legacy-distrusted-ca": OUTSIDE + "a chain to a root that browsers have removed",
    "tls13-intolerance-middlebox": OTHER + "probe_test, by planted boxes",
    "sigalg-mismatch": "OpenSSL's servers say so by the alert of no-common-signature",
    "dh-bad-group": ASKS + "the prime has to be tested",
    "hrr-intolerance": "no server of the lab fails at a second hello",
    "grease-intolerance": OTHER + "probe_test, by planted boxes",
    "extension-order-or-unknown-ext-intolerance": OTHER + "probe_test, by planted boxes",
    "large-clienthello-intolerance": OTHER + "probe_test, by planted boxes",
    "pq-group-intolerance": OTHER + "probe_test, by planted boxes",
    "clienthello-tcp-split-intolerance": OTHER + "probe_test, by planted boxes",
    "clienthello-record-split-intolerance": OTHER + "probe_test, by planted boxes",
    "compat-mode-ccs-fault": "no server of the lab echoes a session id that it does not know",
    "alpn-stripped-by-middlebox": ASKS + "the same hello by another way",
    "ems-or-reneg-info-required": "no server of the lab can leave renegotiation_info out",
    "server-cert-changed-on-reneg": ASKS + "browsers and the proxy do not renegotiate",
    "session-resumption-failure": "OpenSSL's servers start anew when a ticket is unknown",
    "early-data-rejected": ASKS + "no client of the lab sends 0-RTT through a proxy",
    "psk-or-export-only-endpoint": "OpenSSL says it by handshake_failure (psk-only)",
    "blockpage-cert": OTHER + "profiles_test",
    "sni-filter-rst": OTHER + "filters_test, by nft, and experiments_test",
    "sni-filter-drop": OTHER + "filters_test, by nft",
    "ech-fallback-cert-invalid": OUTSIDE + "a client with ECH and an HTTPS record",
    "ech-extension-blocked": OTHER + "probe_test, by planted boxes",
    "client-cert-sigalg": ASKS + "the client's key is not on our path",
    "token-or-channel-binding": ASKS + "it shows inside of TLS alone",
    "captive-portal": OTHER + "profiles_test",
    "android-user-ca-not-trusted": OUTSIDE + "an Android app",
    "java-own-truststore": "Java says its name inside of TLS alone, and refuses before that",
    "proxy-trust-store-gap": ASKS + "whether the client trusts the root is told by a tunnel",
    "proxy-fingerprint-blocked": ASKS + "the client's own hello from elsewhere",
    "proxy-overload-or-timeout": OTHER + "resources_test",
    "connect-misuse": "such a request has no target by which its record is found",
    "antivirus-resigning-local": OUTSIDE + "an antivirus",
    "double-interception-conflict": "needs a second box, known by the name of its CA",
    "known-interception-blocked-by-client": OUTSIDE + "Chromium's list of refused CAs",
    "dns-hijack": OTHER + "resolver_test",
    "packet-loss": ASKS + "retransmissions at a rate that chance does not explain",
    "rst-injection": OTHER + "locate_test, in a row of namespaces",
    "idle-or-nat-timeout": "takes longer than a test may",
    "ipv6-path-broken": OUTSIDE + "an address of IPv6 alone without a way to it",
    "quic-only-divergence": OUTSIDE + "a client with QUIC",
    "mitm-behind-resign-untrusted": OTHER + "closed_loop_test",
    "client-does-not-validate": OTHER + "client_tries_test",
}


def catalogue():
    """The causes that the program knows, in its order."""
    listed = harness.run(harness.PROGRAM, "explain", "--list", "--json").stdout
    return [cause["cause"] for cause in json.loads(listed)]


def counted(scenarios):
    """How many scenarios play each cause."""
    return collections.Counter(scenario.cause for scenario in scenarios)


def table(counts):
    """The whole as text: a cause a line, with its count or with the reason."""
    lines = [f"  {counts[cause]:>4}  {cause}" if counts[cause]
             else f"     .  {cause}: {NOT_PLAYED.get(cause, 'no reason given')}"
             for cause in catalogue()]
    played = sum(1 for cause in catalogue() if counts[cause])
    return "\n".join(lines + [f"{played} causes of {len(lines)} are played"])
