"""What experiments cost when much fails at once, and with servers that make the most of each."""

import collections
import contextlib
import socket
import statistics
import threading
import time
import unittest

from tests.lab import harness
from tests.lab.clients import hello_bytes
from tests.lab.planted import Hello

HOST = "a.localhost"
RATE, SECONDS, CLIENTS, HOSTS = 100, 5, 25, 100
BUDGET, AT_ONCE = 12, 2
MIB = 1 << 20
# A sanitizer keeps what was given back.
GROWTH_MAX = (256 if harness.sanitized() else 32) * MIB
# Of a healthy handshake beside it, on a machine that has other things to do as well.
SLOWER_MAX, SLOWER_LEAST = 10, 2


class Budget(harness.Lab):
    def setUp(self):
        self.names, self.lock = collections.Counter(), threading.Lock()

    def resetter(self):
        def handle(connection):
            with contextlib.suppress(OSError):
                hello = Hello(connection.recv(65536), 1)
                with self.lock:
                    self.names[hello.name] += 1
                harness.reset(connection)
        return self.service(handle)

    def ask(self, proxy, target, hello):
        with contextlib.suppress(OSError), proxy.connect() as s:
            s.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
            if b" 200 " in harness.read_head(s):
                s.sendall(hello)
                s.recv(100)

    def fail(self, proxy, port, hosts):
        """That many failures a second, by turns of these hosts."""
        hellos = {host: hello_bytes(host) for host in hosts}
        start = time.monotonic()

        def run(first):
            for i in range(first, RATE * SECONDS, CLIENTS):
                time.sleep(max(0, start + i / RATE - time.monotonic()))
                host = hosts[i % len(hosts)]
                self.ask(proxy, f"{host}:{port}", hellos[host])
        threads = [threading.Thread(target=run, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        return threads

    def handshake(self, proxy, port):
        """Seconds until a healthy connection has its page."""
        start = time.monotonic()
        with proxy.tls(f"{HOST}:{port}") as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn(b" 200 ", harness.read_all(s))
        return time.monotonic() - start

    def overloaded(self, hosts):
        """The proxy after that; its records with experiments, by their hosts."""
        server, healthy = self.resetter(), self.nginx(harness.leaf(HOST)).port
        proxy = self.proxy("--workers", "1", experiments="on-failure")
        before = statistics.median(self.handshake(proxy, healthy) for _ in range(10))
        memory = proxy.resident()
        threads = self.fail(proxy, server.port, hosts)
        beside = []
        while any(thread.is_alive() for thread in threads):
            beside.append(self.handshake(proxy, healthy))
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        grown = proxy.resident() - memory
        self._stop_proxy(proxy)
        records = [r for r in proxy.written() if r["port"] == server.port]
        self.assertEqual(len(records), RATE * SECONDS)
        asked = collections.defaultdict(list)
        for record in records:
            if record.get("experiments"):
                asked[record["host"]].append(len(record["experiments"]))
        during = statistics.median(beside)
        made = sum(self.names.values()) - len(records)
        print(f"{len(records)} failures at {RATE}/s, {len(hosts)} hosts: {len(asked)} rounds, {made} "
              f"connections more; a healthy page took {before * 1e3:.1f} ms before and "
              f"{during * 1e3:.1f} ms beside it ({max(beside) * 1e3:.0f} at most, "
              f"{len(beside)} times); {grown / MIB:.1f} MiB more")
        self.assertLess(during, max(before * SLOWER_MAX, SLOWER_LEAST))
        self.assertLess(grown, GROWTH_MAX)
        self.assertLessEqual(made, sum(sum(each) for each in asked.values()))
        return asked

    def test_one_host(self):
        """One round a minute, whatever fails."""
        asked = self.overloaded([HOST])
        self.assertEqual(list(asked), [HOST])
        self.assertEqual(len(asked[HOST]), 1)
        self.assertLessEqual(asked[HOST][0], BUDGET)

    def test_many_hosts(self):
        """A few rounds at once, a few that wait, and the others are not made."""
        asked = self.overloaded([f"h{i}.localhost" for i in range(HOSTS)])
        self.assertGreater(len(asked), AT_ONCE)
        self.assertLess(len(asked), HOSTS // 2)
        for each in asked.values():
            self.assertEqual(len(each), 1)
            self.assertLessEqual(each[0], BUDGET)


class Pits(harness.Lab):
    """Servers that keep whoever asks as long as they can."""

    def hold(self, handle, seconds):
        def serve(connection):
            with contextlib.suppress(OSError):
                connection.recv(65536)
                connection.settimeout(2)
                handle(connection)
        server = self.service(serve)
        proxy = self.proxy("--timeout", "1", experiments="on-failure")
        memory, start, most = proxy.resident(), time.monotonic(), 0
        with contextlib.suppress(OSError), proxy.connect(f"{HOST}:{server.port}") as s:
            s.sendall(hello_bytes(HOST))
            s.settimeout(2)  # it gets what the server gives: silence
            s.recv(100)

        def found():
            nonlocal most
            most = max(most, proxy.resident() - memory)
            return [r for r in proxy.written() if r.get("experiments")]

        record, = harness.until(found, "a record with experiments", seconds)
        took = time.monotonic() - start
        received = [e["leg"]["bytes"]["received"] for e in record["experiments"]]
        print(f"{len(received)} connections took {took:.1f} s, {max(received)} bytes at most and "
              f"{most / MIB:.1f} MiB")
        self.assertLessEqual(len(received), BUDGET)
        self.assertLess(most, GROWTH_MAX)
        return record

    def test_a_byte_now_and_then(self):
        def dribble(connection):
            for byte in b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + bytes(1000):
                connection.sendall(bytes([byte]))
                connection.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1):
                        return
        record = self.hold(dribble, 60)
        self.assertEqual({e["result"] for e in record["experiments"]}, {"silent"})

    def test_more_than_is_wanted(self):
        def flood(connection):
            piece = b"\x16\x03\x03\x40\x00\x0b\xff\xff\xff" + bytes(16380)
            for _ in range(4096):
                connection.sendall(piece)
        record = self.hold(flood, 60)
        self.assertNotIn("answered", {e["result"] for e in record["experiments"]})


if __name__ == "__main__":
    unittest.main()
