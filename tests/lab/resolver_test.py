"""tlsblame probe --resolver: the host where another resolver says that it is."""

import json
import socket
import threading
import unittest

from tests.lab import harness, network

HOST = "here.test"  # network.py knows it, as 127.0.0.1


class Resolver(harness.Lab):
    def setUp(self):
        self.server = self.s_server(harness.leaf(HOST))
        self.dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.dns.bind(("127.0.0.1", 0))
        self.wrong = socket.create_server(("127.0.0.2", self.server.port))
        for target, end in ((self._resolve, self._end_dns), (self._reset, self._end_wrong)):
            thread = threading.Thread(target=target)
            thread.start()
            self.addCleanup(thread.join)
            self.addCleanup(end)

    def _end_dns(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.dns.getsockname())

    def _end_wrong(self):
        self.wrong.shutdown(socket.SHUT_RDWR)

    def _resolve(self):
        with self.dns:
            while True:
                query, peer = self.dns.recvfrom(512)
                if not query:
                    return
                self.dns.sendto(network.answer(query), peer)

    def _reset(self):
        """Whoever is at the address that the first resolver gives."""
        with self.wrong:
            while True:
                try:
                    connection, _ = self.wrong.accept()
                except OSError:
                    return
                connection.recv(4096)
                harness.reset(connection)

    def probe(self, address, *args):
        done = harness.run(
            harness.PROGRAM, "probe", "--json", "--factor", "base", "--timeout", "2",
            "--log", f"{self.dir}/probe.ndjson", "--trust", harness.root().file,
            "--address", f"{HOST}={address}", *args, f"{HOST}:{self.server.port}", check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def other(self):
        return ("--resolver", f"127.0.0.1:{self.dns.getsockname()[1]}")

    def named(self, record):
        verdict = record["verdict"]
        return verdict["party"], verdict["cause"]

    def test_elsewhere(self):
        record = self.probe("127.0.0.2", *self.other())
        self.assertEqual(self.named(record), ("undetermined", "dns-hijack"))
        there = [e for e in record["experiments"] if e["probe"] == "other-resolver"]
        self.assertEqual({e["leg"]["address"] for e in there}, {"127.0.0.1"})
        self.assertEqual({e["result"] for e in there}, {"answered"})

    def test_same(self):
        record = self.probe("127.0.0.1", *self.other())
        self.assertEqual(self.named(record), ("none", "healthy"))

    def test_not_asked(self):
        record = self.probe("127.0.0.2")
        self.assertNotEqual(self.named(record)[1], "dns-hijack")
        self.assertNotIn("other-resolver", [e["probe"] for e in record["experiments"]])

    def test_bad_address(self):
        done = harness.run(harness.PROGRAM, "probe", "--resolver", "not an address",
                           "--log", f"{self.dir}/probe.ndjson", "127.0.0.1:1", check=False)
        self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    unittest.main()
