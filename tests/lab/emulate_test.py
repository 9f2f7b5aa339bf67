"""An instance that is a faulty box, and one that does not know it and has to say who it was."""

import contextlib
import os
import socket
import ssl

from tests.lab import harness
from tests.lab.harness import field

# What curl, which trusts the box, gets through it: its exit code, or None for a page.
CURL_OK, CURL_TIMEOUT, CURL_TLS, CURL_RESET, CURL_REFUSES = 0, 28, 35, 56, 60

# The blocking boxes act on this name, which is written into copies of their profiles.
BLOCKED = "blocked.localhost"

# PROFILE: curl's exit through the box alone; the party and the cause that an instance in front of
# the box names (the box is behind it).
CASES = {
    "bluecoat-65-tls13-hangup": (CURL_TLS, "undetermined", "server-close-at-hello"),
    "firepower-random-copy": (CURL_TLS, "box-behind", "tls13-downgrade-sentinel"),
    "fortigate-untrusted-resign": (CURL_OK, "box-behind", "mitm-behind-untrusted"),
    "fortigate-ignore": (CURL_OK, "box-behind", "mitm-behind-untrusted"),
    "norton-noncritical-bc": (CURL_OK, "box-behind", "mitm-behind-untrusted"),
    "zscaler-like": (CURL_OK, "box-behind", "mitm-behind-untrusted"),
    "long-validity-leaf": (CURL_OK, "box-behind", "mitm-behind-untrusted"),
    "alpn-strip-grpc": (CURL_OK, "box-behind", "mitm-behind-untrusted"),
    "sha1-leaf": (CURL_REFUSES, None, None),
    "eku-missing": (CURL_REFUSES, None, None),
    "captive-portal": (CURL_REFUSES, "box-behind", "blockpage-cert"),
    "plain-http-answer": (CURL_TLS, "undetermined", "plain-http-on-tls-port"),
    "hrr-breaker": (CURL_TLS, "undetermined", None),
    "session-id-echo-12": (CURL_OK, None, None),
    "double-mitm": (CURL_OK, "box-behind", "mitm-behind-untrusted"),
}


class Box(harness.Lab):
    """Boxes between curl and nginx, with and without an instance that watches."""

    def setUp(self):
        self.server = self.nginx(certificate=harness.leaf("a.localhost"), http2=True)
        self.url = f"https://a.localhost:{self.server.port}/"

    def box(self, profile, *args, **more):
        """An instance that is a box; `ca` is the root that it issues from."""
        folder = f"{self.dir}/ca-{os.path.basename(profile)}"
        box = self.proxy("--as", profile, *args, ca_dir=folder, **more)
        own = f"{folder}/profiles/{profile}/ca.pem"
        box.ca = own if os.path.exists(own) else box.ca
        return box

    def profile(self, name, text):
        """A profile of one's own."""
        return self.file(f"{name}.json", f'{{"name": "{name}", {text}}}')


class ClosedLoop(Box):
    """Emulate, diagnose: the right party."""

    def test_alone(self):
        """What the box does, what its user sees, and that its own verdict admits it."""
        for profile, (exit_code, _, _) in CASES.items():
            with self.subTest(profile):
                box = self.box(profile)
                self.assertEqual(self.curl(self.url, box, check=False).exit, exit_code)
                record = box.record()
                self.assertEqual(field(record, "emulation.profile"), profile)
                expected = ("none", "healthy") if exit_code == 0 else ("proxy", "emulated")
                verdict = record["verdict"]
                self.assertEqual((verdict["party"], verdict["cause"]), expected)
                box.stop()

    def test_behind(self):
        """An instance in front of the box does not know it, and accuses nobody innocent."""
        for profile, (_, party, cause) in CASES.items():
            with self.subTest(profile):
                box = self.box(profile)
                proxy = self.proxy("--parent", box.url)
                self.curl(self.url, proxy, check=False)
                verdict = proxy.record()["verdict"]
                self.assertIn(verdict["party"], [party] if party else ["box-behind", "undetermined"],
                              verdict)
                if cause is not None:
                    self.assertEqual(verdict["cause"], cause)
                proxy.stop()
                box.stop()

    def test_in_front(self):
        """An instance behind the box: neither server nor client may be blamed for it."""
        for profile in CASES:
            with self.subTest(profile):
                proxy = self.proxy()
                box = self.box(profile, "--parent", proxy.url,
                               trust=[harness.root().file, proxy.ca])
                self.curl(self.url, box, check=False)
                for record in proxy.records(1):
                    self.assertIn(record["verdict"]["party"],
                                  ("none", "undetermined", "box-in-front"), record["verdict"])
                box.stop()
                proxy.stop()


class Blocking(Box):
    """Boxes that only look, and act on a name."""

    def blocked(self, reaction, *args):
        """The profile of a box that tunnels all but BLOCKED."""
        name = f"box{len(os.listdir(self.dir))}"
        path = self.profile(name, '"mode": "tunnel", "reactions": [{"when": {"sni": '
                                  f'["{BLOCKED}"]}}, {reaction}}}]')
        return self.proxy("--as", path, *args)

    def both(self, box, *args, patience=harness.TIMEOUT):
        """curl's exits for the good name and, after that many seconds at most, for the blocked one,
        straight through."""
        exits = []
        for host, seconds in ("a.localhost", harness.TIMEOUT), (BLOCKED, patience):
            done = harness.run("curl", "-sSk", "--max-time", str(seconds), "-x", box.url, *args,
                               f"https://{host}:{self.server.port}/", check=False,
                               timeout=2 * harness.TIMEOUT)
            exits.append(done.returncode)
        return exits

    def test_actions(self):
        for reaction, exit_code, action in (
                ('"action": "rst"', CURL_TLS, "rst"),
                ('"action": "fin"', CURL_TLS, "fin"),
                ('"action": "stall"', CURL_TIMEOUT, "stall"),
                ('"action": "alert", "side": "client", "alert": "access_denied"', CURL_TLS, "alert"),
                ('"action": "drop_after", "side": "server", "bytes": 100', CURL_TIMEOUT,
                 "drop_after"),
                ('"action": "plain_http", "status": 403', CURL_TLS, "plain_http"),
                ('"action": "block_page", "status": 403, "page": "no"', CURL_OK, "block_page")):
            with self.subTest(action):
                box = self.blocked(reaction)
                patience = 2 if exit_code == CURL_TIMEOUT else harness.TIMEOUT
                self.assertEqual(self.both(box, patience=patience), [CURL_OK, exit_code])
                records = box.records(2)
                self.assertEqual([field(r, "emulation.action") for r in records], [None, action])
                self.assertEqual(records[0]["verdict"]["cause"], "healthy")
                self.assertEqual(records[1]["verdict"]["cause"], "emulated")
                box.stop()

    def test_residual(self):
        box = self.blocked('"action": "rst", "residual_seconds": 60')
        self.assertEqual(self.both(box), [CURL_OK, CURL_TLS])
        self.assertEqual(self.both(box), [CURL_TLS, CURL_TLS])

    def test_positions(self):
        """A box needs no CONNECT: as a fixed target, and over SOCKS."""
        path = self.profile("rst", '"reactions": [{"action": "rst"}]')
        box = self.proxy("--as", path, "--to", f"127.0.0.1:{self.server.port}")
        with box.connect() as s, self.assertRaises(ConnectionResetError):
            context = ssl.create_default_context()
            context.wrap_socket(s, server_hostname="a.localhost")
        self.assertEqual(field(box.record(), "emulation.action"), "rst")

    def test_policy(self):
        """By a rule: only what it matches."""
        box = self.proxy(policy={"rules": [{"hosts": [BLOCKED], "action": "emulate",
                                            "profile": "plain-http-answer"}]})
        self.assertEqual(self.both(box), [CURL_OK, CURL_TLS])
        broken = harness.run(harness.PROGRAM, "run", "-l", "127.0.0.1:0", "--ca-dir",
                             f"{self.dir}/ca", "--log", f"{self.dir}/log", "--policy",
                             self.file("p.json", '{"default": {"action": "emulate", "profile": '
                                                 '"plain-http-answr"}}'), check=False)
        self.assertEqual(broken.returncode, 2)
        self.assertIn(b"plain-http-answer", broken.stderr)


class Misbehaviour(Box):
    """An emulating instance survives what the ordinary one does."""

    PROFILES = {
        "stall": '"reactions": [{"action": "stall", "ms": 300}]',
        "page": '"reactions": [{"action": "block_page"}]',
        "edit": '"mode": "tunnel", "server_leg": {"hello": "edit", "edit": {"drop_grease": true}}',
        "drop": '"mode": "tunnel", "reactions": [{"action": "drop_after", "bytes": 10}]',
        "split": '"client_leg": {"flight_split": 50, "flight_delay_ms": 1, '
                 '"change_cipher_spec": "extra", "session_tickets": "bad"}',
    }

    def test_garbage(self):
        hello = self.hello()
        for name, text in self.PROFILES.items():
            with self.subTest(name):
                box = self.proxy("--as", self.profile(name, text), "--timeout", "2")
                target = f"a.localhost:{self.server.port}"
                for data in (b"", b"\x16", hello[:50], hello, hello + b"\x17\x03\x03\xff\xff",
                             hello + b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x03\x01\x40\x01" * 99,
                             os.urandom(3000), b"GET / HTTP/1.1\r\n\r\n", hello * 3):
                    for end in ("fin", "rst", "reads"):
                        with contextlib.suppress(OSError), box.connect(target) as s:
                            s.settimeout(0.1)
                            s.sendall(data)
                            if end == "fin":
                                s.shutdown(socket.SHUT_WR)
                            elif end == "rst":
                                harness.reset(s)
                            else:
                                s.recv(65536)
                self.assertEqual(box.stop(), 0, box.stderr())

    def hello(self):
        """The ClientHello of Python's own TLS."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.create_default_context().wrap_bio(incoming, outgoing,
                                                       server_hostname="a.localhost")
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        return outgoing.read()
