"""tlsblame probe --locate on paths of 1 to 8 routers, IPv4 and IPv6: without a box none is claimed,
and a box at any of them is named exactly."""

import base64
import concurrent.futures
import json
import unittest

from tests.lab import harness
from tests.lab.hops import PORT, Path

HOST = "blocked.localhost"
AT_ONCE = 6
TCP_HEADER = 32  # with timestamps, as the kernel sends them


class Paths(harness.Lab):
    def setUp(self):
        self.certificate = harness.leaf(HOST)

    def locate(self, path, name, *more):
        done = harness.run(
            *path.command(0), harness.PROGRAM, "probe", "--json", "--timeout", "1", "--log",
            f"{self.dir}/{name}.ndjson", "--trust", harness.root().file, "--repeat", "1",
            "--address", f"{HOST}={path.server}", "--factor", "base", "--locate", *more,
            f"{HOST}:{PORT}", check=False, timeout=60)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def check(self, routers, ipv6):
        """A clean path, and then a box that resets at one router and one that drops at another."""
        path = Path(self, routers, ipv6=ipv6)
        path.serve(self.certificate)
        name = f"{routers}-{ipv6}"
        clean = self.locate(path, name)
        self.assertEqual(clean["path"]["server_hop"], routers + 1)
        self.assertEqual([hop.get("address") for hop in clean["path"]["hops"]][:routers],
                         [path.router(i + 1) for i in range(routers)])
        self.assertNotIn("box", clean["path"])
        self.assertEqual(clean["verdict"]["party"], "none")
        at = base64.b64decode(clean["legs"]["server"]["offer"]["raw"]).index(HOST.encode())
        match = f"tcp dport {PORT} @th,{(TCP_HEADER + at) * 8},32 0x{HOST[:4].encode().hex()}"
        family = "ip6" if ipv6 else "ip"
        for deed, rule, hop in (("reset", "reject with tcp reset", (routers + 1) // 2),
                                ("drops", "drop", routers)):
            path.filter(hop, f"{match} {rule}")
            found = self.locate(path, name)
            box = found["path"]["box"]
            self.assertEqual((box["hop"], box["does"], box["address"], box["after"]),
                             (hop, deed, path.router(hop), hop - 1), found["path"])
            self.assertEqual(found["verdict"]["party"], "box-behind")
            path.inside(hop, f"nft delete table {family} box")
        return f"{routers} routers: server at {routers + 1}, boxes at {(routers + 1) // 2}, {routers}"

    def check_all(self, ipv6):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            running = {n: pool.submit(self.check, n, ipv6) for n in range(8, 0, -1)}
        for routers, run in running.items():
            with self.subTest(routers):
                print(run.result())

    def test_ipv4(self):
        self.check_all(False)

    def test_ipv6(self):
        self.check_all(True)

    def test_rules_about_the_ttl(self):
        """What looks only at packets that its router passes on is behind that router; a router that
        gives packets a TTL of its own is no box."""
        for ipv6 in (False, True):
            with self.subTest(ipv6=ipv6):
                path = Path(self, 4, ipv6=ipv6)
                path.serve(self.certificate)
                ttl, family = ("ip6 hoplimit", "ip6") if ipv6 else ("ip ttl", "ip")
                offer = self.locate(path, f"ttl-{ipv6}")["legs"]["server"]["offer"]["raw"]
                at = base64.b64decode(offer).index(HOST.encode())
                match = f"tcp dport {PORT} @th,{(TCP_HEADER + at) * 8},32 0x{HOST[:4].encode().hex()}"
                for deed, rule in (("reset", "reject with tcp reset"), ("drops", "drop")):
                    path.filter(2, f"{ttl} gt 1 {match} {rule}")
                    found = self.locate(path, f"ttl-{ipv6}")
                    box = found["path"]["box"]
                    self.assertEqual((box["hop"], box["does"], box["address"], box["after"],
                                      box["after_address"]),
                                     (3, deed, path.router(3), 2, path.router(2)), found["path"])
                    path.inside(2, f"nft delete table {family} box")
                path.filter(2, f"{ttl} set 64")
                found = self.locate(path, f"ttl-{ipv6}")
                self.assertNotIn("box", found["path"])
                self.assertEqual((found["path"]["server_hop"], found["verdict"]["party"]),
                                 (2, "none"))


if __name__ == "__main__":
    unittest.main()
