"""tlsblame probe in a network of its own, where the kernel filters (nft) and sslsplit intercepts."""

import base64
import json
import os
import shutil
import sys
import tempfile
import unittest

from tests.lab import harness
from tests.lab.network import Network

HOST, CONTROL = "a.localhost", "control.localhost"
TCP_HEADER = 32  # with timestamps, as the kernel sends them

# `openssl s_server` serves one after the other: a hello that never arrives would stop it.
SERVER = """
import socket, ssl, sys, threading
def serve(connection):
    try:
        context.wrap_socket(connection, server_side=True).recv(1)
    except OSError:
        pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:])
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


class Filters(harness.Lab):
    def setUp(self):
        self.network = Network(self)
        self.command = self.network.command
        self.server = self.inside(harness.leaf(HOST))
        self.control = self.inside(harness.leaf(CONTROL))
        self.nft("add table ip box")
        self.nft("add chain ip box out { type filter hook output priority 0; }")

    def inside(self, certificate):
        """A server in the network."""
        program = self.program(*self.command, sys.executable, "-c", SERVER, certificate.chain,
                               certificate.key, wait_for="port")
        program.port = int(program.started.split()[1])
        return program

    def nft(self, rule):
        harness.run(*self.command, "nft", rule)

    def probe(self, *args, trust=True):
        command = [*self.command, harness.PROGRAM, "probe", "--json", "--timeout", "1",
                   "--log", f"{self.dir}/probe.ndjson",
                   "--control", f"{CONTROL}:{self.control.port}"]
        command += ["--trust", harness.root().file] if trust else []
        done = harness.run(*command, *args, f"{HOST}:{self.server.port}", check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def by_name(self):
        """What nft is to look for: the name, where it stands in our hello."""
        record = self.probe("--factor", "base", "--repeat", "1")
        self.assertEqual(record["verdict"]["party"], "none")
        at = base64.b64decode(record["legs"]["server"]["offer"]["raw"]).index(HOST.encode())
        middle = HOST[3:7].encode().hex()  # which split-tcp cuts in two
        return f"tcp dport {self.server.port} @th,{(TCP_HEADER + at + 3) * 8},32 0x{middle}"

    def named(self, record):
        verdict = record["verdict"]
        return verdict["party"], verdict["cause"]

    def test_reset(self):
        self.nft(f"add rule ip box out {self.by_name()} reject with tcp reset")
        self.assertEqual(self.named(self.probe()), ("box-behind", "sni-filter-rst"))

    def test_drop(self):
        self.nft(f"add rule ip box out {self.by_name()} drop")
        record = self.probe()
        self.assertEqual(self.named(record), ("box-behind", "sni-filter-drop"))
        base = record["experiments"][0]["leg"]
        self.assertEqual(base["transport"]["outq"], base["bytes"]["sent"])

    def test_large_packets_vanish(self):
        self.nft(f"add rule ip box out tcp dport {self.server.port} meta length > 1400 drop")
        self.assertEqual(self.named(self.probe("--hello", "chromium")),
                         ("network", "mtu-blackhole"))

    def test_nothing_is_wrong(self):
        self.assertEqual(self.named(self.probe()), ("none", "healthy"))

    def test_sslsplit(self):
        """Both hosts behind a real inspecting box whose CA is not trusted."""
        root = harness.issue("Inspection CA", None, harness.CA_EXTENSIONS)
        # Of folders on the way to the test's own some are for root alone.
        folder = tempfile.mkdtemp(prefix="sslsplit-", dir="/tmp")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        os.chmod(folder, 0o755)
        copies = [shutil.copy(path, folder) for path in (root.key, root.file)]
        for path in copies:
            os.chmod(path, 0o644)
        ports = f"{{ {self.server.port}, {self.control.port} }}"
        splitter = harness.free_port()
        self.nft("add table ip front")
        self.nft("add chain ip front out { type nat hook output priority -100; }")
        self.nft(f"add rule ip front out meta skuid 0 tcp dport {ports} "
                 f"redirect to :{splitter}")
        # With nothing but loopback sslsplit resolves no address at all.
        harness.run(*self.command, "ip", "address", "add", "192.0.2.77/32", "dev", "lo")
        # Its child must not hold the pipe that the test reads.
        self.program(*self.command, "setpriv", "--reuid", "65534", "--clear-groups", "sh", "-c",
                     f"exec sslsplit -D -k {copies[0]} -c {copies[1]} ssl 127.0.0.1 {splitter} "
                     ">/dev/null 2>&1")
        harness.until(lambda: harness.run(
            *self.command, "sh", "-c", f"ss -ltnH sport = :{splitter} | grep -q .",
            check=False).returncode == 0, "sslsplit to listen")
        record = self.probe(trust=False)
        self.assertEqual(self.named(record), ("box-behind", "mitm-behind-untrusted"))


if __name__ == "__main__":
    unittest.main()
