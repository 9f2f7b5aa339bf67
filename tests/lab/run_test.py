"""`run` as a program: its own site, signals, the log that it leaves, and how that is read."""

import contextlib
import json
import os
import signal
import threading

from tests.lab import harness
from tests.lab.harness import field

HOST = "a.localhost"
SITE = "http://tlsblame.test"


class Site(harness.Lab):
    """http://tlsblame.test/ and what can be had there."""

    def test_page(self):
        proxy = self.proxy()
        fingerprint = harness.run("openssl", "x509", "-in", proxy.ca, "-noout", "-fingerprint",
                                  "-sha256").stdout.strip().partition(b"=")[2]
        for url, args in (f"{SITE}/", ()), (f"{SITE}/?a", ()), (
            "https://tlsblame.test/", ()), (f"{proxy.url}/", ("--noproxy", "*")):
            with self.subTest(url=url):
                answer = self.curl(url, proxy, *args)
                self.assertEqual(answer.status, 200)
                self.assertIn(fingerprint, answer.body)
                self.assertIn(b"/ca.p12", answer.body)

    def test_downloads(self):
        proxy = self.proxy()
        with open(proxy.ca, "rb") as f:
            pem = f.read()
        self.assertEqual(self.curl(f"{SITE}/ca.pem", proxy).body, pem)
        der = self.file("ca.der", self.curl(f"{SITE}/ca.der", proxy).body)
        self.assertEqual(harness.run("openssl", "x509", "-inform", "DER", "-in", der).stdout,
                         harness.run("openssl", "x509", "-in", proxy.ca).stdout)
        p12 = self.file("ca.p12", self.curl(f"{SITE}/ca.p12", proxy).body)
        shown = harness.run("openssl", "pkcs12", "-in", p12, "-passin", "pass:", "-nokeys")
        self.assertIn(b"".join(pem.split()), b"".join(shown.stdout.split()))
        keys = harness.run("openssl", "pkcs12", "-in", p12, "-passin", "pass:", "-nocerts",
                           "-nodes").stdout
        self.assertNotIn(b"PRIVATE KEY", keys)
        pac = self.curl(f"{SITE}/proxy.pac", proxy).body.decode()
        self.assertIn("FindProxyForURL", pac)
        self.assertIn(f"PROXY 127.0.0.1:{proxy.port}", pac)

    def test_what_there_is_not(self):
        proxy = self.proxy()
        self.assertEqual(self.curl(f"{SITE}/nothing", proxy).status, 404)
        self.assertEqual(self.curl(f"{SITE}/", proxy, "-d", "x").status, 405)
        head = self.curl(f"{SITE}/ca.pem", proxy, "-I")
        self.assertEqual(head.status, 200)
        self.assertTrue(head.body.endswith(b"\r\n\r\n"))
        self.assertEqual(proxy.stop(), 0)
        self.assertEqual(proxy.written(), [])


class Trickle:
    """A server whose answer goes on until it is told to end, or is cut."""

    def __init__(self):
        self.end = threading.Event()

    def __call__(self, connection):
        harness.read_head(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while not self.end.wait(0.02):
                connection.sendall(b".")
            connection.sendall(b"end")


class Hangup(harness.Lab):
    """SIGHUP."""

    def hangup(self, proxy, says):
        """Sends it, and waits until the proxy has said so."""
        before = proxy.stderr().count("\n")
        proxy.process.send_signal(signal.SIGHUP)
        line = harness.until(lambda: proxy.stderr().splitlines()[before:], "an answer to SIGHUP")[0]
        self.assertIn(says, line)
        return line

    def test_policy(self):
        trickle = Trickle()
        server = self.service(trickle, harness.leaf(HOST))
        proxy = self.proxy(policy={"default": {"action": "intercept"}})
        with proxy.tls(f"{HOST}:{server.port}") as running:
            running.sendall(b"GET / HTTP/1.0\r\n\r\n")
            running.recv(20)
            proxy.write_policy({"rules": [{"action": "refuse"}]})
            self.hangup(proxy, "reloaded")
            with proxy.connect() as s:
                s.sendall(f"CONNECT {HOST}:1 HTTP/1.1\r\n\r\n".encode())
                self.assertIn(b" 403 ", harness.read_head(s))
            proxy.write_policy('{"rules": [{"action": "explode"}]}')
            line = self.hangup(proxy, "stays as it was")
            for part in os.path.basename(proxy.policy_file), "rules[0].action", "explode":
                self.assertIn(part, line)
            with proxy.connect() as s:
                s.sendall(f"CONNECT {HOST}:1 HTTP/1.1\r\n\r\n".encode())
                self.assertIn(b" 403 ", harness.read_head(s))
            trickle.end.set()
            self.assertTrue(harness.read_all(running).endswith(b"end"))
        actions = [field(r, "policy.action") for r in proxy.records(3)]
        self.assertEqual(actions, ["intercept", "refuse", "refuse"])

    def test_log(self):
        server = self.nginx(harness.leaf(HOST))
        proxy = self.proxy()
        url = f"https://{HOST}:{server.port}/"
        self.curl(url, proxy)
        proxy.record()
        os.rename(proxy.records_file, f"{self.dir}/old")
        self.hangup(proxy, "reopened")
        self.curl(url, proxy)
        proxy.record()
        self.assertEqual(len(harness.read_log(f"{self.dir}/old")), 1)


class Stop(harness.Lab):
    """SIGINT and SIGTERM."""

    def stop(self, signum):
        trickle = Trickle()
        tls = self.service(trickle, harness.leaf(HOST))
        plain = self.service(trickle)
        proxy = self.proxy()
        target, plain_target = f"{HOST}:{tls.port}", f"{HOST}:{plain.port}"
        clients = [proxy.tls(target) for _ in range(3)]
        clients.append(proxy.connect(plain_target))
        clients.append(proxy.connect())
        for client, url in zip(clients, ["/"] * 4 + [f"http://{plain_target}/"]):
            client.sendall(f"GET {url} HTTP/1.0\r\n\r\n".encode())
            self.assertTrue(client.recv(1))
        quiet = self.service(harness.read_all)
        silent = proxy.connect(f"{HOST}:{quiet.port}")  # CONNECT, and not a word since
        idle = proxy.connect()  # not even that
        self.assertEqual(proxy.stop(signum), 0)  # long before any of them runs out of time
        records = proxy.written()
        self.assertEqual(len(records), 6)
        for record in records:
            self.assertEqual(field(record, "legs.client.end.by"), "proxy")
        for client in clients + [silent, idle]:
            client.close()

    def test_interrupt(self):
        self.stop(signal.SIGINT)

    def test_terminate(self):
        self.stop(signal.SIGTERM)

    def test_at_once(self):
        """As soon as the address is told."""
        for _ in range(5):
            proxy = self.proxy()
            self.assertEqual(proxy.stop(), 0, proxy.stderr())


class Log(harness.Lab):
    """What is printed, and what list and show make of the log."""

    def setUp(self):
        good = self.nginx(harness.leaf(HOST), http2=True)
        bad = self.s_server(harness.expired("b.localhost"))
        self.proxy_log = self.proxy()
        self.curl(f"https://{HOST}:{good.port}/", self.proxy_log)
        self.proxy_log.record()  # so that it is the first line
        self.curl(f"https://b.localhost:{bad.port}/", self.proxy_log, check=False)
        self.good, self.bad = self.proxy_log.records(2)

    def read(self, command, *args):
        """`list` or `show` of the log."""
        return harness.run(harness.PROGRAM, command, "--log", self.proxy_log.records_file, *args,
                           check=False)

    def test_run_prints_a_line_each(self):
        line = self.proxy_log.wait_line("b.localhost")
        self.assertIn("server-cert-expired", line)
        self.assertIn("h2", self.proxy_log.wait_line(HOST))

    def test_list(self):
        done = self.read("list")
        lines = done.stdout.decode().splitlines()
        self.assertEqual(done.returncode, 0)
        self.assertEqual([line.split()[0] for line in lines[1:]],
                         [self.good["id"], self.bad["id"]])
        failed = self.read("list", "--failed")
        self.assertEqual(failed.returncode, 1)
        self.assertNotIn(self.good["id"], failed.stdout.decode())
        self.assertIn(self.bad["id"], failed.stdout.decode())

    def test_list_json(self):
        lines = self.read("list", "--json").stdout.splitlines()
        self.assertEqual([json.loads(line) for line in lines], [self.good, self.bad])

    def test_show(self):
        good, bad = (self.read("show", record["id"]) for record in (self.good, self.bad))
        self.assertEqual((good.returncode, bad.returncode), (0, 1))
        self.assertIn("server-cert-expired", bad.stdout.decode())
        text = good.stdout.decode()
        for part in HOST, "TLS_AES_", "x25519", "CN=Lab Root":
            self.assertIn(part, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertEqual(self.read("show").stdout, bad.stdout)


class Interim(harness.Lab):
    """Records of connections that go on."""

    def test_written_once_when_short(self):
        server = self.nginx(harness.leaf(HOST))
        proxy = self.proxy()
        self.curl(f"https://{HOST}:{server.port}/", proxy)
        proxy.record()
        with open(proxy.records_file, encoding="utf-8") as f:
            self.assertEqual(len(f.readlines()), 1)


class Workers(harness.Lab):
    """More than one thread."""

    def test_many_clients(self):
        server = self.nginx(harness.leaf(HOST))
        proxy = self.proxy("--workers", "3")
        context = proxy.client_context()

        def visit():
            for _ in range(10):
                with context.wrap_socket(proxy.connect(f"{HOST}:{server.port}"),
                                         server_hostname=HOST) as s:
                    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    self.assertTrue(harness.read_all(s).endswith(b"hello\n"))

        threads = [threading.Thread(target=visit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        proxy.records(80)
