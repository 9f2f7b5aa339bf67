"""export --case: a kit of a real failure, which plays it again and names nobody."""

import base64
import json
import os
import ssl
import stat
import unittest

from tests.lab import harness
from tests.lab.harness import PROGRAM, run

HOST = "login.secretcorp.localhost"
SECRETS = ("secretcorp", "acmepayroll")
AGENT = "AcmePayroll/9.8"


class Case(harness.Lab):
    def setUp(self):
        self.bin = os.path.join(self.dir, "bin")
        os.makedirs(self.bin, exist_ok=True)
        os.symlink(os.path.abspath(PROGRAM), f"{self.bin}/tlsblame")
        self.addCleanup(os.unlink, f"{self.bin}/tlsblame")

    def export(self, proxy, *args, check=True):
        return run(PROGRAM, "export", "--log", proxy.records_file, *args, check=check)

    def kit(self, proxy, *args):
        folder = f"{proxy.name}-kit"
        done = self.export(proxy, "--case", folder, *args)
        self.assertIn(f"Wrote {folder}: ".encode(), done.stdout)
        self.assertIn(b"Next: ", done.stdout)
        return folder

    def play(self, folder):
        """run.sh in an empty folder; the one line of its outcome."""
        empty = f"{folder}-empty"
        os.makedirs(empty)
        env = {"PATH": f"{self.bin}:/usr/bin:/bin", "TMPDIR": empty}
        done = run(os.path.abspath(f"{folder}/run.sh"), "--json", check=False, cwd=empty, env=env)
        self.assertEqual(os.listdir(empty), [])
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return lines[0]

    def assert_same(self, record, folder):
        """The kit's record and what run.sh made of it bear the verdict of `record`."""
        with open(f"{folder}/records.ndjson", encoding="utf-8") as f:
            kept = json.loads(f.readlines()[-1])
        played = self.play(folder)
        for verdict in (kept["verdict"], played["verdict"]):
            self.assertEqual((verdict["party"], verdict["cause"]),
                             (record["verdict"]["party"], record["verdict"]["cause"]))
        return kept

    def assert_no_secret(self, folder):
        for name in sorted(os.listdir(folder)):
            with open(f"{folder}/{name}", "rb") as f:
                data = f.read()
            pieces = [data] + [base64.b64decode(text) for text in base64_of(data)]
            for piece in pieces:
                low = piece.lower()
                for secret in SECRETS:
                    for form in (secret.encode(), secret.encode("utf-16-le"),
                                 secret.encode("utf-16-be"), secret.encode().hex().encode()):
                        self.assertFalse(form in low, f"{secret} in {name}")

    def expired(self, *args):
        context = harness.tls_context(harness.expired(HOST))
        server = harness.Service(lambda connection: connection.recv(1), context)
        self.addCleanup(server.stop)
        proxy = self.proxy(*args)
        run("curl", "-sS", "-A", AGENT, "--proxy", proxy.url, "--cacert", proxy.ca,
            f"https://{HOST}:{server.port}/", check=False)
        return proxy

    def test_expired(self):
        proxy = self.expired()
        record = proxy.record()
        folder = self.kit(proxy)
        kept = self.assert_same(record, folder)
        self.assert_no_secret(folder)
        self.assertEqual(record["verdict"]["cause"], "server-cert-expired")
        legs = kept["legs"]
        name = legs["client"]["tls"]["client"]["server_name"]
        self.assertEqual(legs["server"]["tls"]["client"]["server_name"], name)
        self.assertEqual(len(name), len(HOST))
        self.assertNotIn("secrets", legs["client"])
        for leg in ("client", "server"):
            self.assertEqual(len(legs[leg]["offer"]["raw"]),
                             len(record["legs"][leg]["offer"]["raw"]))
        self.assertEqual(kept["differences"], record["differences"])
        self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
        with open(f"{folder}/README.md", encoding="utf-8") as f:
            readme = f.read()
        self.assertIn("server-cert-expired", readme)
        self.assertIn("What was redacted", readme)

    def test_nothing_is_redacted_where_that_is_asked_for(self):
        proxy = self.expired()
        record = proxy.record()
        kept = self.assert_same(record, self.kit(proxy, "--no-redact"))
        self.assertEqual(kept, record)

    def test_pinned(self):
        """A client that trusts the CA and leaves for one host all the same."""
        server = harness.Service(lambda connection: connection.recv(1),
                                 harness.tls_context(harness.leaf(HOST, "other.localhost")))
        self.addCleanup(server.stop)
        proxy = self.proxy()
        with proxy.tls(f"other.localhost:{server.port}") as tls:
            tls.sendall(b"x")
        proxy.records(1)
        strict = ssl.create_default_context(cafile=harness.self_signed("pin.localhost").file)
        for i in range(3):
            with self.assertRaises(ssl.SSLError):
                strict.wrap_socket(proxy.connect(f"{HOST}:{server.port}"), server_hostname=HOST)
            records = proxy.records(2 + i)
        folder = self.kit(proxy, records[-1]["id"])
        self.assertEqual(records[-1]["verdict"]["party"], "client")
        self.assert_same(records[-1], folder)
        self.assert_no_secret(folder)

    def test_box(self):
        """The proxy was a box whose CA the client does not know; its profile is in the kit."""
        server = harness.Service(lambda connection: connection.recv(1),
                                 harness.tls_context(harness.leaf(HOST)))
        self.addCleanup(server.stop)
        proxy = self.proxy("--as", "eset-schannel")
        with proxy.connect(f"{HOST}:{server.port}") as s:
            context = ssl.create_default_context(cafile=harness.root().file)
            with self.assertRaises((ssl.SSLError, OSError)):
                context.wrap_socket(s, server_hostname=HOST)
        record = proxy.record()
        folder = self.kit(proxy)
        self.assertTrue(os.path.exists(f"{folder}/profile.json"))
        self.assert_same(record, folder)

    def test_box_behind(self):
        """A box behind the proxy, of which several records together tell the profile."""
        server = harness.Service(lambda connection: connection.recv(1),
                                 harness.tls_context(harness.leaf(HOST, "pay.secretcorp.localhost")))
        self.addCleanup(server.stop)
        box = self.proxy("--to", f"127.0.0.1:{server.port}", "--as", "zscaler-like",
                         ca_dir=f"{self.dir}/box-ca")
        proxy = self.proxy()
        for host in (HOST, "pay.secretcorp.localhost"):
            run("curl", "-sS", "--proxy", proxy.url, "--cacert", proxy.ca,
                f"https://{host}:{box.port}/", check=False)
        records = proxy.records(2)
        self.assertEqual({r["verdict"]["party"] for r in records}, {"box-behind"})
        folder = self.kit(proxy, *[record["id"] for record in records])
        with open(f"{folder}/behind.json", encoding="utf-8") as f:
            profile = json.load(f)
        self.assertIn("intermediate_subject", profile["cert"]["ca"])
        self.assertIn("from 2 records", " ".join(profile["learned"]))
        self.assert_same(records[-1], folder)
        self.assert_no_secret(folder)
        with open(f"{folder}/records.ndjson", encoding="utf-8") as f:
            kept = [json.loads(line) for line in f]
        # The names of one domain stay those of one domain.
        self.assertNotEqual(kept[0]["host"], kept[1]["host"])
        self.assertEqual(kept[0]["host"].split(".")[1], kept[1]["host"].split(".")[1])

    def test_watched_and_imported(self):
        """A tunnel, and what a capture of it tells."""
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            context = harness.tls_context(harness.expired(HOST), versions=(None, version))
            server = harness.Service(lambda connection: connection.recv(1), context)
            self.addCleanup(server.stop)
            proxy = self.proxy(policy={"default": {"action": "tunnel"}})
            run("curl", "-sS", "--proxy", proxy.url, "--cacert", harness.root().file,
                f"https://{HOST}:{server.port}/", check=False)
            record = proxy.record()
            self.assert_same(record, self.kit(proxy))
            capture, log = f"{proxy.name}.pcapng", f"{proxy.name}-imported.ndjson"
            self.export(proxy, "-o", capture)
            with open(log, "wb") as f:
                f.write(run(PROGRAM, "import", "--json", capture, check=False).stdout)
            folder = f"{proxy.name}-imported-kit"
            run(PROGRAM, "export", "--log", log, "--case", folder)
            with open(log, encoding="utf-8") as f:
                self.assert_same(json.loads(f.readline()), folder)

    def test_parent(self):
        context = harness.tls_context(harness.expired(HOST))
        server = harness.Service(lambda connection: connection.recv(1), context)
        self.addCleanup(server.stop)
        parent = self.proxy(policy={"default": {"action": "tunnel"}})
        proxy = self.proxy("--parent", parent.url)
        run("curl", "-sS", "--proxy", proxy.url, "--cacert", proxy.ca,
            f"https://{HOST}:{server.port}/", check=False)
        record = proxy.record()
        self.assertIn("parent", record)
        self.assert_same(record, self.kit(proxy))

    def test_punycode(self):
        host = "xn--secretcorp-s4a.localhost"
        server = harness.Service(lambda connection: connection.recv(1),
                                 harness.tls_context(harness.expired(host)))
        self.addCleanup(server.stop)
        proxy = self.proxy()
        run("curl", "-sS", "--proxy", proxy.url, "--cacert", proxy.ca,
            f"https://{host}:{server.port}/", check=False)
        record = proxy.record()
        folder = self.kit(proxy)
        kept = self.assert_same(record, folder)
        self.assertEqual(len(kept["host"]), len(host))
        self.assert_no_secret(folder)

    def test_full_disk(self):
        """Where the disk is full nothing is left behind. SIGXFSZ is ignored, so writes fail."""
        proxy = self.expired()
        proxy.record()
        folder = f"{proxy.name}-kit"
        limited = f"ulimit -f 4; trap '' XFSZ; exec {PROGRAM} export --log {proxy.records_file}"
        done = run("sh", "-c", f"{limited} --case {folder}", check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"File too large", done.stderr)
        left = [name for name in os.listdir(self.dir) if "-kit" in name]
        self.assertEqual(left, [])

    def test_refusals(self):
        proxy = self.expired()
        proxy.record()
        folder = self.kit(proxy)
        done = self.export(proxy, "--case", folder, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"not empty", done.stderr)
        done = self.export(proxy, "--case", "/proc/none/kit", check=False)
        self.assertEqual(done.returncode, 3)
        done = self.export(proxy, "--case", folder + "2", "nobody", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertFalse(os.path.exists(folder + "2"))
        done = self.export(proxy, "--no-redact", check=False)
        self.assertEqual(done.returncode, 2)
        file = self.file("a-file", b"x")
        self.assertEqual(self.export(proxy, "--case", file, check=False).returncode, 3)


def base64_of(data):
    """What of the strings of a JSON text are bytes."""
    try:
        values = [json.loads(line) for line in data.splitlines()]
    except ValueError:
        return
    while values:
        value = values.pop()
        if isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list):
            values += value
        elif isinstance(value, str) and len(value) > 40 and len(value) % 4 == 0:
            try:
                base64.b64decode(value, validate=True)
            except ValueError:
                continue
            yield value


if __name__ == "__main__":
    unittest.main()
