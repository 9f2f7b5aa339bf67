"""tlsblame learn: the profiles of real inspectors, and what they are when they are played."""

import contextlib
import json
import os
import shutil
import socket
import ssl
import unittest

from tests.lab import harness, inspectors
from tests.lab.harness import PROGRAM, field
from tests.lab.servers import listening

TLS12 = ssl.TLSVersion.TLSv1_2
TUNNEL = {"default": {"action": "tunnel"}}

# What a leaf has of its own each time.
VARIES = {"serial", "not_before", "not_after", "hash", "spki_sha256", "subject_key_id",
          "authority_key_id"}


def origins():
    """A certificate for each server name."""
    usage = "extendedKeyUsage=serverAuth"
    return {
        "a.localhost": harness.leaf("a.localhost", "www.a.localhost"),
        "b.localhost": harness.issue("B and more", harness.root(),
                                     ("subjectAltName=DNS:b.localhost", "keyUsage=digitalSignature",
                                      usage)),
        "old.localhost": harness.expired("old.localhost"),
        "wrong.localhost": harness.leaf("other.localhost"),
        "self.localhost": harness.self_signed("self.localhost"),
    }


PRIVOXY = """
confdir {folder}
logdir {folder}
actionsfile inspect.action
listen-address 127.0.0.1:{port}
ca-directory {folder}
ca-cert-file ca.pem
ca-key-file ca.pem
certificate-directory {folder}/certs
trusted-cas-file {folder}/trusted.pem
"""


def privoxy(lab, _):
    """Privoxy with its inspection of HTTPS, which makes a subject of its own."""
    folder, port = inspectors.readable_folder(lab), harness.free_port()
    inspectors.own_ca(folder, inspectors.inspection_ca())
    inspectors.copied(folder, harness.root().file)
    os.mkdir(f"{folder}/certs")
    for name, text in (("config", PRIVOXY.format(folder=folder, port=port)),
                       ("inspect.action", "{ +https-inspection }\n/\n")):
        with open(f"{folder}/{name}", "w", encoding="ascii") as f:
            f.write(text)
    lab.program(*inspectors.knows_names(folder), "/usr/sbin/privoxy", "--no-daemon",
                f"{folder}/config")
    listening(port)
    return port


def squid(lab, _):
    """Squid with ssl-bump, which copies what the server's certificate has, and sends its CA
    twice."""
    return inspectors.squid()(lab).port


class Learn(harness.Lab):
    def setUp(self):
        contexts = {}
        for name, certificate in origins().items():
            contexts[name] = harness.tls_context(certificate, versions=(None, TLS12))

        def choose(connection, name, _):
            connection.context = contexts[name]

        first = contexts["a.localhost"]
        first.sni_callback = choose
        self.origin = harness.Service(lambda connection: connection.recv(1), first)
        self.addCleanup(self.origin.stop)  # whoever only looks whether it is there is an error

    def to(self, port, *args, policy=None):
        return self.proxy("--to", f"127.0.0.1:{port}", *args, policy=policy)

    def ask(self, port):
        """One connection to each server, of a client that checks nothing."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = TLS12
        context.set_alpn_protocols(["http/1.1"])
        for name in origins():
            with socket.create_connection(("127.0.0.1", port), harness.TIMEOUT) as s:
                with context.wrap_socket(s, server_hostname=name) as tls:
                    tls.sendall(b"x")

    def sslsplit(self, target):
        """A real one, and its port. It may not read what is in folders for root alone."""
        ca = harness.issue("Inspection CA", None, harness.CA_EXTENSIONS, kind="rsa")
        folder = inspectors.readable_folder(self)
        for path, name in ((ca.key, "key"), (ca.file, "crt")):
            os.chmod(shutil.copy(path, f"{folder}/{name}"), 0o644)
        port = harness.free_port()
        # Its child must not hold the pipe that the test reads.
        program = self.program(
            "sh", "-c", f"exec sslsplit -D -k {folder}/key -c {folder}/crt "
                        f"ssl 127.0.0.1 {port} 127.0.0.1 {target} >/dev/null 2>&1")
        self.addCleanup(program.stop)  # kindly: killed, it would leave its child behind
        listening(port)
        return port

    def ask_through(self, front, port):
        """The same through a proxy. A box may answer by itself: that is for the client to see."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = TLS12
        for name in origins():
            with contextlib.suppress(OSError):
                with context.wrap_socket(front.connect(f"{name}:{port}"),
                                         server_hostname=name) as tls:
                    tls.sendall(f"GET / HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode())
                    tls.recv(1)

    def learn(self, *args):
        done = harness.run(PROGRAM, "learn", "--json", *args, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def around(self, box):
        """Two instances that only watch, before and behind the box that `box(port)` starts in
        front of a port, and what they recorded of a connection to each server."""
        behind = self.to(self.origin.port, policy=TUNNEL)
        front = self.to(box(behind.port), policy=TUNNEL)
        self.ask(front.port)
        num = len(origins())
        front.records(num)
        harness.until(lambda: len(behind.written()) >= num, "the records behind")
        return front, behind

    def emulated(self, profile):
        """What `around` takes: the program as the box of `profile`."""
        path = self.file("learned.json", json.dumps(profile))
        return lambda port: self.to(port, "--as", path).port

    def test_sslsplit(self):
        """What is learned of its emulation is what was learned of the real one."""
        front, behind = self.around(self.sslsplit)
        profile = self.learn(front.records_file, behind.records_file)
        cert, server = profile["cert"], profile["server_leg"]
        self.assertEqual(
            {name: cert[name] for name in ("key", "digest", "subject", "san", "serial", "chain",
                                           "not_before", "not_after", "key_reuse", "issuer")},
            {"key": "rsa2048", "digest": "sha256", "subject": "copy", "san": "copy_and_host",
             "serial": "copy_plus_random32", "chain": "full", "not_before": "-1d",
             "not_after": "+364d", "key_reuse": "per_boot", "issuer": "trusted"})
        self.assertEqual(cert["ca"]["subject"], ["CN=Inspection CA"])
        self.assertEqual(server["verify"], {"dates": False, "host": False, "chain": False})
        self.assertEqual((server["hello"], server["alpn"], server["sni"]), ("own", "strip", "copy"))
        records = front.records(len(origins()))
        self.assertIn(records[0]["id"], " ".join(profile["learned"]))

        front_again, behind_again = self.around(self.emulated(profile))
        again = self.learn(front_again.records_file, behind_again.records_file)
        self.assertEqual(again["cert"], cert)
        self.assertEqual(again["client_leg"], profile["client_leg"])
        for name in ("hello", "alpn", "sni", "min_version", "max_version", "verify"):
            self.assertEqual(again["server_leg"][name], server[name])
        for real, emulated in zip(records, front_again.records(len(origins()))):
            self.same_chain(real, emulated)

    def before_and_behind(self, box):
        """What `around` does, of a box that is a proxy."""
        behind = self.to(self.origin.port, policy=TUNNEL)
        front = self.proxy("--parent", f"http://127.0.0.1:{box(self, behind.port)}", policy=TUNNEL)
        self.ask_through(front, behind.port)
        num = len(origins())
        front.records(num)
        behind.records(num)
        return front, behind

    def same_again(self, box):
        """The profile of a real proxy; that of its emulation is the same but for what the library
        cannot say in a hello, and so are the chains that it shows."""
        front, behind = self.before_and_behind(box)
        profile = self.learn(front.records_file, behind.records_file)
        path = self.file("learned.json", json.dumps(profile))
        front_again, behind_again = self.before_and_behind(
            lambda lab, _: lab.proxy("--as", path).port)
        again = self.learn(front_again.records_file, behind_again.records_file)
        self.assertEqual(again["cert"], profile["cert"])
        self.assertEqual(again["client_leg"], profile["client_leg"])
        for name in ("hello", "alpn", "sni", "max_version", "verify", "on_invalid", "breaks_off"):
            self.assertEqual(again["server_leg"].get(name), profile["server_leg"].get(name), name)
        for real, emulated in zip(front.written(), front_again.written()):
            self.assertEqual(real["host"], emulated["host"])
            self.same_chain(real, emulated)
            for name in ("tls.version", "tls.cipher", "tls.curve", "tls.next_protocol"):
                self.assertEqual(field(emulated, f"legs.client.{name}"),
                                 field(real, f"legs.client.{name}"), name)
        return profile

    def test_squid(self):
        profile = self.same_again(squid)
        self.assertEqual((profile["cert"]["chain"], profile["cert"]["basic_constraints"]),
                         ("repeated", "copy_only"))
        self.assertEqual(profile["server_leg"]["on_invalid"], "block_page")

    def test_privoxy(self):
        profile = self.same_again(privoxy)
        self.assertEqual(profile["cert"]["subject_attributes"],
                         ["CN={host}", "O={host}", "OU={host}", "C=CZ"])
        self.assertEqual(profile["server_leg"]["verify"],
                         {"dates": True, "host": True, "chain": True})

    def test_capture(self):
        """The same of a capture that holds both sides, which `export` and `import` bring about."""
        front, behind = self.around(self.sslsplit)
        profile = self.learn(front.records_file, behind.records_file)
        captures = []
        for proxy in (front, behind):
            captures.append(f"{self.dir}/{len(captures)}.pcapng")
            harness.run(PROGRAM, "export", "-o", captures[-1], proxy.records_file)
        again = self.learn(*captures)
        for name in ("cert", "client_leg", "server_leg"):
            self.assertEqual(again[name], profile[name])

    def same_chain(self, real, emulated):
        """But for what no two leaves share."""
        def thin(record):
            return [{name: value for name, value in certificate.items() if name not in VARIES}
                    for certificate in field(record, "legs.client.chain")]

        self.assertEqual(thin(emulated), thin(real))


if __name__ == "__main__":
    unittest.main()
