"""What real clients send for each thing that is wrong with a certificate, held against the table of
policy/verdict/client_alerts.inc: what it calls measured is measured here.

No proxy is between them. Each server is `openssl s_server -msg`, which tells of every alert and of
the record that it came in.
"""

import datetime
import re
import ssl
import time

from tests.lab import harness
from tests.lab.alert_clients import CLIENTS, HOST, ONLY_12

DAY = datetime.timedelta(days=1)
FOLDER = "policy/verdict/"
VERSIONS = ("1.2", "1.3")


def authority(name, issuer=None, **more):
    return harness.issue(name, issuer, harness.CA_EXTENSIONS, which=name, **more)


def damaged(leaf):
    """The same certificate with a bit of its signature turned round."""
    with open(leaf.file, encoding="ascii") as f:
        der = bytearray(ssl.PEM_cert_to_DER_cert(f.read()))
    der[-1] ^= 1
    path = f"{leaf.file}.damaged"
    with open(path, "w", encoding="ascii") as f:
        f.write(ssl.DER_cert_to_PEM_cert(bytes(der)))
    return harness.Certificate(path, leaf.key, path)


# What can be wrong with a certificate, in the table's words.
CERTIFICATES = {
    "UNTRUSTED": lambda: harness.leaf(HOST, key="rsa", issuer=authority("Lab Stranger")),
    "SELF_SIGNED": lambda: harness.self_signed(HOST, key="rsa"),
    "EXPIRED": lambda: harness.expired(HOST, key="rsa"),
    "NOT_YET_VALID": lambda: harness.leaf(
        HOST, key="rsa", start=harness.NOW + 5 * DAY, end=harness.NOW + 9 * DAY),
    "WRONG_NAME": lambda: harness.leaf("b.localhost", key="rsa"),
    "BAD_SIGNATURE": lambda: damaged(harness.leaf(HOST, key="rsa", which=1)),
    "WRONG_PURPOSE": lambda: harness.issue(
        HOST, harness.root(), ("basicConstraints=critical,CA:false", "extendedKeyUsage=clientAuth",
                               f"subjectAltName=DNS:{HOST}"), "rsa"),
    "ISSUER_EXPIRED": lambda: harness.leaf(HOST, key="rsa", issuer=authority(
        "Lab Stale", harness.root(), start=harness.NOW - 40 * DAY, end=harness.NOW - 10 * DAY)),
}


def table():
    """The measured cells: {(stack, version, verdict): alerts, None for silence}; and {stack: in
    clear}."""
    with open(f"{FOLDER}client_verdicts.inc", encoding="utf-8") as f:
        verdicts = re.findall(r"^CLIENT_VERDICT\((\w+)", f.read(), re.M)
    with open(f"{FOLDER}client_alerts.inc", encoding="utf-8") as f:
        rows = re.findall(r'^CLIENT_STACK\((\w+), "[^"]*", (\w+),\n(.*\n.*)\)$', f.read(), re.M)
    measured = {}
    for stack, _, cells in rows:
        cells = re.findall(r"(\w+)(?:\(([^)]*)\))?,?", cells)
        assert len(cells) == len(verdicts), stack
        for verdict, (source, codes) in zip(verdicts, cells):
            codes = [None if code == "CLOSES" else int(code)
                     for code in codes.split(",") if source in ("M", "T")]
            if codes:
                # What differs does so no longer in newer releases: Java 17.0.15 has another alert
                # for TLS 1.3, 17.0.21 has that of TLS 1.2 there, too.
                measured[stack, "1.2", verdict] = codes[:1]
                if stack not in ONLY_12:
                    measured[stack, "1.3", verdict] = codes
    return measured, {stack: clear for stack, clear, _ in rows}


ALERTS = {
    "bad_certificate": 42, "unsupported_certificate": 43, "certificate_expired": 45,
    "certificate_unknown": 46, "unknown_ca": 48, "decrypt_error": 51,
}


def first_alert(lines):
    """The first fatal alert that a server received, and whether its record was in the clear."""
    record = ""
    for line, below in zip(lines, [*lines[1:], ""]):
        if line.startswith("<<<") and "RecordHeader" in line:
            record = (below.split() or [""])[0]  # what is below may not be written yet
        alert = re.match(r"<<<.* Alert .* fatal (\w+)", line)
        if alert:
            return ALERTS.get(alert[1], alert[1]), record == "15"
    return None, None


def seen_since(server, start):
    """The lines that a server has written after the first `start`."""
    return [line for line in server.lines[start:] if line]


def said_hello(lines):
    return any("ClientHello" in line for line in lines)


class ClientAlerts(harness.Lab):
    """A server for each version and defect, and every client to each of them."""

    def servers(self):
        certificates = {verdict: make() for verdict, make in CERTIFICATES.items()}
        return {
            (version, verdict): self.s_server(
                certificate, "-msg", "-tls" + version.replace(".", "_"))
            for version in VERSIONS
            for verdict, certificate in certificates.items()
        }

    def test_table(self):
        measured, clear = table()
        self.assertEqual({stack for stack, _, _ in measured}, set(CLIENTS))
        servers = self.servers()
        for stack, client in CLIENTS.items():
            asked = {key: server for key, server in servers.items()
                     if key[0] == "1.2" or stack not in ONLY_12}
            since = {key: len(server.lines) for key, server in asked.items()}
            expected = {key: measured.pop((stack, *key)) for key in asked}
            with self.subTest(stack):
                self.ask(client, asked, since, expected)
                for key, server in asked.items():
                    with self.subTest(f"{stack} {key}"):
                        lines = seen_since(server, since[key])
                        self.assertTrue(said_hello(lines))
                        code, in_clear = first_alert(lines)
                        self.assertIn(code, expected[key])
                        if key[0] == "1.3" and code is not None:
                            self.assertEqual(in_clear, clear[stack] == "IN_CLEAR")
        self.assertEqual(measured, {})

    def ask(self, client, servers, since, expected):
        """Runs a client until every server that is to get an alert has got one, and the others have
        got its hello. s_server talks to one connection at a time, so that a browser's spare one may
        keep it from those that count: then the client tries these again."""
        def has_all(key, server):
            lines = seen_since(server, since[key])
            return (said_hello(lines) if expected[key] == [None]
                    else first_alert(lines)[0] is not None)

        def unanswered():
            return [server.port for key, server in servers.items() if not has_all(key, server)]

        self.unanswered = unanswered
        client(self, [server.port for server in servers.values()])
        for _ in range(3):
            end = time.monotonic() + 2
            while unanswered() and time.monotonic() < end:
                time.sleep(0.02)
            if unanswered():
                client(self, unanswered())
