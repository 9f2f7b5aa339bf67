"""What real clients send for each thing that is wrong with a certificate, held against the table of
policy/verdict/client_alerts.inc: what it calls measured is measured here.

No proxy is between them. Each server is `openssl s_server -msg`, which tells of every alert and of
the record that it came in.
"""

import base64
import concurrent.futures
import datetime
import os
import re
import shutil
import ssl
import time
import unittest

from tests.lab import harness

HOST = "localhost"
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

PYTHON = """
import contextlib, socket, ssl, sys
host, ca, *ports = sys.argv[1:]
for port in ports:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as s:
        ssl.create_default_context(cafile=ca).wrap_socket(s, server_hostname=host).close()
"""

NODE = """
const fs = require("fs"), tls = require("tls");
const [host, ca, ...ports] = process.argv.slice(1);
for (const port of ports) {
  const s = tls.connect({host: "127.0.0.1", port, servername: host, ca: fs.readFileSync(ca)});
  s.on("error", () => {}).resume();
}
"""

JAVA = """
import java.io.*; import java.security.*; import java.security.cert.*; import javax.net.ssl.*;
public class Client {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = new FileInputStream(args[1])) {
            store.setCertificateEntry("ca",
                CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        for (int i = 2; i < args.length; i++) {
            java.net.URL url = new java.net.URL("https://" + args[0] + ":" + args[i] + "/");
            HttpsURLConnection c = (HttpsURLConnection) url.openConnection();
            c.setSSLSocketFactory(context.getSocketFactory());
            try { c.getInputStream().close(); } catch (IOException e) { }
        }
    }
}
"""


def each(*args):
    """A client that is run once for each port."""
    def run(lab, ports):
        def one(port):
            words = {"port": port, "ca": harness.root().file}
            harness.run(*[arg.format(**words) for arg in args], check=False)

        del lab
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(one, ports))
    return run


def script(*args):
    """A program of ours that tries every port."""
    def run(lab, ports):
        del lab
        harness.run(*args, HOST, harness.root().file, *map(str, ports), check=False)
    return run


def java(lab, ports):
    """Java, which compiles the program as it starts."""
    if not shutil.which("javac"):
        raise unittest.SkipTest("there is no Java compiler here")
    script("java", lab.file("Client.java", JAVA))(lab, ports)


def chromium(lab, ports):
    """Chromium with a page of images, one from each server."""
    home = f"{lab.dir}/home"
    store = f"{home}/.pki/nssdb"
    if not os.path.exists(store):
        os.makedirs(store)
        harness.run("certutil", "-d", f"sql:{store}", "-N", "--empty-password")
        harness.run("certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "lab",
                    "-i", harness.root().file)
    page = "".join(f'<img src="https://{HOST}:{port}/">' for port in ports)
    harness.run(
        *["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
        *["--no-first-run", "--disable-background-networking", "--disable-component-update"],
        *["--disable-sync", "--disable-dev-shm-usage", "--disable-breakpad", "--no-proxy-server"],
        *[f"--user-data-dir={lab.dir}/profile", "--timeout=8000", "--dump-dom"],
        "data:text/html;base64," + base64.b64encode(page.encode()).decode(),
        check=False, timeout=60, env={**os.environ, "HOME": home},
    )


URL = f"https://{HOST}:{{port}}/"

# By the table's name of the stack or program.
CLIENTS = {
    "OPENSSL": each("openssl", "s_client", "-connect", "127.0.0.1:{port}", "-servername", HOST,
                    "-CAfile", "{ca}", "-verify_hostname", HOST, "-verify_return_error"),
    "CURL_OPENSSL": each("curl", "-q", "-sS", "--noproxy", "*", "--cacert", "{ca}", URL),
    "PYTHON": script("python3", "-c", PYTHON),
    "NODE": script("node", "-e", NODE),
    "GNUTLS": each("gnutls-cli", "--port", "{port}", "--sni-hostname", HOST,
                   "--verify-hostname", HOST, "--x509cafile", "{ca}", "127.0.0.1"),
    "WGET_GNUTLS": each("wget", "-q", "--no-proxy", "-t", "1", "-O", "/dev/null",
                        "--ca-certificate={ca}", URL),
    "JSSE": java,
    "CHROMIUM": chromium,
}


def table():
    """The measured cells: {(stack, version, verdict): alert, or None}; and {stack: in clear}."""
    with open(f"{FOLDER}client_verdicts.inc", encoding="utf-8") as f:
        verdicts = re.findall(r"^CLIENT_VERDICT\((\w+)", f.read(), re.M)
    with open(f"{FOLDER}client_alerts.inc", encoding="utf-8") as f:
        rows = re.findall(r'^CLIENT_STACK\((\w+), "[^"]*", (\w+),\n(.*\n.*)\)$', f.read(), re.M)
    measured = {}
    for stack, _, cells in rows:
        cells = re.findall(r"(\w+)(?:\(([^)]*)\))?,?", cells)
        assert len(cells) == len(verdicts), stack
        for verdict, (source, codes) in zip(verdicts, cells):
            for version, code in zip(VERSIONS, (codes.split(",") * 2)[:2]):
                if source in ("M", "T"):
                    code = None if code == "CLOSES" else int(code)
                    measured[stack, version, verdict] = code
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
            record = below.split()[0]
        alert = re.match(r"<<<.* Alert .* fatal (\w+)", line)
        if alert:
            return ALERTS.get(alert[1], alert[1]), record == "15"
    return None, None


def seen_since(server, start):
    """The lines that a server has written after the first `start`."""
    return [line for line in server.lines[start:] if line]


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
            since = {key: len(server.lines) for key, server in servers.items()}
            expected = {key: measured.pop((stack, *key)) for key in servers}
            with self.subTest(stack):
                self.ask(client, servers, since, expected)
                for key, server in servers.items():
                    with self.subTest(f"{stack} {key}"):
                        lines = seen_since(server, since[key])
                        self.assertTrue(any("ClientHello" in line for line in lines))
                        code, in_clear = first_alert(lines)
                        self.assertEqual(code, expected[key])
                        if key[0] == "1.3" and code is not None:
                            self.assertEqual(in_clear, clear[stack] == "IN_CLEAR")
        self.assertEqual(measured, {})

    def ask(self, client, servers, since, expected):
        """Runs a client until every server that is to get an alert has got one. s_server talks to
        one connection at a time, so that a browser's spare one may keep it from those that count:
        then the client tries these again."""
        def unanswered():
            return [server.port for key, server in servers.items()
                    if expected[key] is not None
                    and first_alert(seen_since(server, since[key]))[0] is None]

        client(self, [server.port for server in servers.values()])
        for _ in range(3):
            end = time.monotonic() + 2
            while unanswered() and time.monotonic() < end:
                time.sleep(0.02)
            if unanswered():
                client(self, unanswered())
