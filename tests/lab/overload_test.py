"""More than the proxy can take: new connections wait, nothing dies, and it is told at the end."""

import contextlib
import os
import socket
import subprocess
import threading
import time
import unittest

from tests.lab import harness

HOST = "a.localhost"
MIB = 1 << 20
TUNNEL = {"default": {"action": "tunnel"}}
PEER = os.path.abspath("tests/bench/peer" if os.path.exists("tests/bench/peer")
                       else "bazel-bin/tests/bench/peer")
CROWD = 3000
# A sanitizer holds on to memory that was given back.
GROWTH_MAX = (256 if harness.sanitized() else 24) * MIB


class Overload(harness.Lab):
    """Ceilings hold."""

    def visit(self, proxy, port):
        answer = self.curl(f"https://{HOST}:{port}/", proxy)
        self.assertEqual(answer.status, 200)

    def test_connections_wait_for_others_to_end(self):
        port = self.nginx(harness.leaf(HOST)).port
        proxy = self.proxy("--max-connections", "8", "--workers", "2")
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                s = stack.enter_context(socket.socket())
                s.connect((proxy.host, proxy.port))
            harness.until(lambda: "as many as allowed are open" in proxy.stderr(), "a warning")
            self.assertLessEqual(len(os.listdir(f"/proc/{proxy.pid}/fd")), 40)
        self.visit(proxy, port)
        self._stop_proxy(proxy)
        self.assertIn("there was too much to do", proxy.stderr())
        self.assertIn("--max-connections", proxy.stderr())

    def test_nothing_to_tell(self):
        port = self.nginx(harness.leaf(HOST)).port
        proxy = self.proxy()
        self.visit(proxy, port)
        self._stop_proxy(proxy)
        self.assertNotIn("too much", proxy.stderr())

    def test_a_slow_consumer_costs_no_memory(self):
        """Neither in a tunnel, whose bytes are spliced, nor where they are copied."""
        block = bytes(MIB)

        def pour(connection):
            with contextlib.suppress(OSError):
                connection.recv(100)
                for _ in range(256):
                    connection.sendall(block)

        server = self.service(pour)
        proxy = self.proxy(policy=TUNNEL)
        before = proxy.resident()
        with contextlib.ExitStack() as stack:
            for _ in range(40):  # more than there are pipes
                s = stack.enter_context(proxy.connect(f"{HOST}:{server.port}"))
                s.sendall(b"pour")
                s.recv(1)
            time.sleep(0.5)
            self.assertLess(proxy.resident() - before, GROWTH_MAX)

    @unittest.skipIf(harness.sanitized(), "a sanitizer holds on to memory that was given back")
    def test_a_crowd_takes_its_memory_along(self):
        """Many open connections at once, then a few: what is free goes back when something is done."""
        leaf = harness.leaf("localhost", issuer=harness.intermediate())
        origin = self.program(PEER, "origin", "0", leaf.chain, leaf.key,
                              harness.intermediate().key, wait_for="")
        proxy = self.proxy()
        load = [PEER, "load", f"connect=127.0.0.1:{proxy.port}",
                f"target=localhost:{origin.started}", "sni=localhost"]
        harness.run(*load, "count=100")
        before = proxy.resident()
        crowd = self.program(*load, f"count={CROWD}", "hold=1", wait_for="done",
                             stdin=subprocess.PIPE)
        grown = proxy.resident() - before
        crowd.process.stdin.close()
        self.assertEqual(crowd.process.wait(harness.TIMEOUT), 0)

        def given_back():
            harness.run(*load, "count=2")
            return proxy.resident() - before < grown / 2

        harness.until(given_back, "memory given back")

    def test_a_busy_tunnel_starves_no_handshake(self):
        block = bytes(MIB)

        def pour(connection):
            with contextlib.suppress(OSError):
                connection.recv(100)
                while True:
                    connection.sendall(block)

        def drain(s):
            with contextlib.suppress(OSError):
                while s.recv(MIB):
                    pass

        server, port = self.service(pour), self.nginx(harness.leaf(HOST)).port
        policy = {"rules": [{"ports": [server.port], "action": "tunnel"}]}
        proxy = self.proxy("--workers", "1", policy=policy)
        with proxy.connect(f"{HOST}:{server.port}") as s:
            s.sendall(b"pour")
            thread = threading.Thread(target=drain, args=(s,))
            thread.start()
            for _ in range(5):
                self.visit(proxy, port)
            s.shutdown(socket.SHUT_RDWR)
            thread.join()

    def test_workers_share_all_there_is(self):
        """Several workers, caches and one log, at once."""
        port = self.nginx(harness.leaf(HOST)).port
        proxy = self.proxy("--workers", "4")
        threads = [threading.Thread(target=self.visit, args=(proxy, port)) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({r["verdict"]["cause"] for r in proxy.records(24)}, {"healthy"})
