"""Experiments that go the way of the connection: through parent proxies, and for tunnels."""

import base64
import socket
import threading
import unittest

from tests.lab import harness
from tests.lab.planted import Box, Hello

HOST, CONTROL, GATEWAY = "a.localhost", "control.localhost", "gw.localhost"
CREDENTIALS = "Basic " + base64.b64encode(b"me:hush").decode()
STUNNEL = """
foreground = yes
pid =
[tls]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{behind}
cert = {cert}
key = {key}
"""


class Gateway:
    """A parent proxy of our own that wants credentials, with stunnel before it. `dislikes(hello)`
    says which hellos it resets."""

    def __init__(self, lab, dislikes=lambda hello: False, certificate=None):
        self.lab, self.dislikes = lab, dislikes
        self.targets, self._lock = [], threading.Lock()
        self.service = lab.service(self._handle)
        certificate = certificate or harness.leaf(GATEWAY)
        self.port = harness.free_port()
        config = lab.file(f"stunnel{self.port}.conf", STUNNEL.format(
            port=self.port, behind=self.service.port, cert=certificate.chain, key=certificate.key))
        lab.program("stunnel4", config)
        harness.until(self._listens, "stunnel to listen")
        self.url = f"https://me:hush@{GATEWAY}:{self.port}"

    def _listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def _handle(self, client):
        try:
            head = harness.read_head(client).decode()
            if not head:
                return
            asked = f"Proxy-Authorization: {CREDENTIALS}\r\n" in head
            with self._lock:
                self.targets.append(head.split()[1] if asked else "nobody")
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            data = b""
            while not Hello(data, 1).whole:
                more = client.recv(65536)
                if not more:
                    return
                data += more
            if self.dislikes(Hello(data, 1)):
                harness.reset(client)
                return
            port = int(head.split()[1].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as server:
                server.sendall(data)
                harness.splice(client, server)
        except OSError:
            pass  # the prober may leave whenever it likes


class ByParent(harness.Lab):
    def setUp(self):
        self.server = self.s_server(harness.leaf(HOST, CONTROL))

    def behind(self, gateway, *args, **more):
        return self.proxy("--parent", gateway.url, *args, experiments="on-failure", **more)

    def refused(self, port, proxy):
        answer = self.curl(f"https://{HOST}:{port}/", proxy, check=False)
        self.assertNotEqual(answer.exit, 0)

    def experimented(self, proxy):
        def found():
            records = proxy.written()
            return records and records[-1].get("experiments") and records[-1]

        record = harness.until(found, "a record with experiments", 20)
        self.assertLessEqual(len(record["experiments"]), 12)
        self.assertNotIn("unreachable", {e["result"] for e in record["experiments"]})
        return record

    def verdict(self, record):
        return record["verdict"]["party"], record["verdict"]["cause"]

    def check_ways(self, gateway, box, record):
        """All but the one that is to go past the parent went through it, with the credentials."""
        direct = [e for e in record["experiments"] if e["probe"] == "direct"]
        self.assertIn(len(direct), (1, 2))
        by_parent = [t for t in gateway.targets if t == f"{HOST}:{box.port}"]
        to_control = [t for t in gateway.targets if t == f"{CONTROL}:{box.port}"]
        self.assertNotIn("nobody", gateway.targets)
        self.assertEqual(len(by_parent) + len(to_control),
                         1 + len(record["experiments"]) - len(direct))

    def test_a_filter_behind_it(self):
        box = Box(self, self.server.port, lambda h: "reset" if h.name == HOST else None)
        gateway = Gateway(self)
        proxy = self.behind(gateway, "--control", f"{CONTROL}:{box.port}")
        self.refused(box.port, proxy)
        record = self.experimented(proxy)
        self.assertIs(record["parent"]["tls"], True)
        self.check_ways(gateway, box, record)
        self.assertEqual(self.verdict(record), ("box-behind", "sni-filter-fin-or-alert"))
        self.assertEqual(box.connections, 1 + len(record["experiments"]))

    def test_the_parent_minds_the_name(self):
        """A server may refuse a name to who comes from there; not so a control host."""
        gateway = Gateway(self, lambda hello: hello.name == HOST)
        proxy = self.behind(gateway)
        self.refused(self.server.port, proxy)
        record = self.experimented(proxy)
        self.assertEqual(self.verdict(record), ("undetermined", "corporate-proxy-chain"))
        proxy = self.behind(gateway, "--control", f"{CONTROL}:{self.server.port}")
        self.refused(self.server.port, proxy)
        record = self.experimented(proxy)
        self.assertEqual(self.verdict(record), ("box-behind", "sni-filter-fin-or-alert"))

    def test_the_parent_minds_a_form(self):
        gateway = Gateway(self, lambda hello: hello.tls13)
        proxy = self.behind(gateway)
        self.refused(self.server.port, proxy)
        record = self.experimented(proxy)
        self.assertEqual(self.verdict(record), ("box-behind", "corporate-proxy-chain"))

    def test_nothing_passes_by_the_parent(self):
        """Whether it is the parent, or a server that does not like who comes from there, is open."""
        gateway = Gateway(self, lambda hello: True)
        proxy = self.behind(gateway)
        self.refused(self.server.port, proxy)
        record = self.experimented(proxy)
        self.assertEqual(self.verdict(record), ("undetermined", "corporate-proxy-chain"))

    def test_a_tunnel(self):
        box = Box(self, self.server.port, lambda h: "reset" if h.name == HOST else None)
        gateway = Gateway(self)
        proxy = self.behind(gateway, "--control", f"{CONTROL}:{box.port}",
                            policy={"default": {"action": "tunnel"}})
        self.refused(box.port, proxy)
        record = self.experimented(proxy)
        self.assertEqual(record["mode"], "tunnel")
        self.check_ways(gateway, box, record)
        self.assertEqual(self.verdict(record), ("box-behind", "sni-filter-fin-or-alert"))

    def test_a_parent_that_is_not_trusted(self):
        gateway = Gateway(self, certificate=harness.self_signed(GATEWAY))
        proxy = self.behind(gateway)
        self.refused(self.server.port, proxy)
        record = proxy.record()
        self.assertEqual(proxy.stop(), 0)
        self.assertEqual(record["parent"]["failure"], "untrusted")
        self.assertNotIn("experiments", proxy.record())
        self.assertEqual(gateway.targets, [])

    def test_probe(self):
        gateway = Gateway(self, lambda hello: hello.grease)
        done = harness.run(harness.PROGRAM, "probe", "--log", f"{self.dir}/probe.ndjson", "--trust",
                           harness.root().file, "--parent", gateway.url, "--hello", "chromium",
                           "--factor", "no-grease", "--factor", "direct",
                           f"{HOST}:{self.server.port}", check=False)
        record, = harness.read_log(f"{self.dir}/probe.ndjson")
        self.assertEqual(done.returncode, 1, done.stderr)
        results = {e["probe"]: e["result"] for e in record["experiments"]}
        self.assertEqual((results["no-grease"], results["direct"]), ("answered", "answered"))
        self.assertNotEqual(results["base"], "answered")
        self.assertEqual(self.verdict(record), ("box-behind", "corporate-proxy-chain"))


class Tunnels(harness.Lab):
    """What a watched handshake met with is asked about, as one of ours is."""

    TUNNEL = {"default": {"action": "tunnel"}}

    def setUp(self):
        self.server = self.s_server(harness.leaf(HOST, CONTROL))

    experimented, verdict = ByParent.experimented, ByParent.verdict

    def refused(self, port, proxy):
        answer = self.curl(f"https://{HOST}:{port}/", proxy, "--cacert", harness.root().file,
                           check=False)
        self.assertNotEqual(answer.exit, 0)

    def tunnel(self, *args, **more):
        return self.proxy(*args, **{"experiments": "on-failure", "policy": self.TUNNEL, **more})

    def test_a_filter(self):
        box = Box(self, self.server.port, lambda h: "reset" if h.name == HOST else None)
        proxy = self.tunnel("--control", f"{CONTROL}:{box.port}")
        self.refused(box.port, proxy)
        record = self.experimented(proxy)
        self.assertEqual((record["mode"], *self.verdict(record)),
                         ("tunnel", "box-behind", "sni-filter-rst"))
        # What is sent again is the client's own hello, but for its keys.
        client, base = (leg["offer"] for leg in (record["legs"]["client"],
                                                 record["experiments"][0]["leg"]))
        self.assertEqual(record["experiments"][0]["probe"], "base")
        self.assertEqual((base["size"], base["extensions"]), (client["size"], client["extensions"]))
        self.assertNotEqual(base["raw"], client["raw"])

    def test_one_factor(self):
        box = Box(self, self.server.port, lambda h: "drop" if h.tls13 else None)
        proxy = self.tunnel("--timeout", "1")
        answer = self.curl(f"https://{HOST}:{box.port}/", proxy, "--cacert", harness.root().file,
                           check=False, timeout=3)
        self.assertNotEqual(answer.exit, 0)
        record = self.experimented(proxy)
        self.assertEqual(record["verdict"]["cause"], "version-intolerance")
        self.assertNotIn(record["verdict"]["party"], ("client", "proxy"))

    def test_a_passing_failure(self):
        turns = []

        def dislikes(_):
            turns.append(0)
            return "reset" if len(turns) == 1 else None

        box = Box(self, self.server.port, dislikes)
        proxy = self.tunnel()
        self.refused(box.port, proxy)
        self.assertEqual(self.verdict(self.experimented(proxy)),
                         ("undetermined", "server-pool-inconsistent"))

    def test_excluded_and_healthy(self):
        box = Box(self, self.server.port, lambda _: "reset")
        excluded = {"default": {"action": "tunnel", "experiments": False}}
        for more in ({"policy": excluded}, {"experiments": "never"}):
            with self.subTest(more):
                before = box.connections
                proxy = self.tunnel(**more)
                self.refused(box.port, proxy)
                proxy.record()
                self.assertEqual(proxy.stop(), 0)
                self.assertNotIn("experiments", proxy.record())
                self.assertEqual(box.connections, before + 1)
        box = Box(self, self.server.port, lambda _: None)
        proxy = self.tunnel()
        self.curl(f"https://{HOST}:{box.port}/", proxy, "--cacert", harness.root().file)
        proxy.record()
        self.assertEqual(proxy.stop(), 0)
        self.assertEqual(box.connections, 1)


if __name__ == "__main__":
    unittest.main()
