"""tlsblame probe --locate, on paths of 1 to 8 routers with and without a box."""

import base64
import json
import unittest

from tests.lab import harness
from tests.lab.hops import PORT, Path

HOST = "blocked.localhost"
# Nothing that only root may do.
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
TCP_HEADER = 32  # with timestamps, as the kernel sends them


class Locate(harness.Lab):
    def path(self, routers, **more):
        path = Path(self, routers, **more)
        path.serve(harness.leaf(HOST))
        return path

    def probe(self, path, *args):
        done = harness.run(
            *path.command(0), *UNPRIVILEGED, harness.PROGRAM, "probe", "--json", "--timeout", "1",
            "--log", f"{self.dir}/probe.ndjson", "--trust", harness.root().file, "--repeat", "1",
            "--address", f"{HOST}={path.server}", *args, f"{HOST}:{PORT}", check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def locate(self, path):
        return self.probe(path, "--factor", "base", "--locate")

    def name_match(self, path):
        """What nft is to look for: the name, where it stands in our hello."""
        record = self.probe(path, "--factor", "base")
        self.assertEqual(record["verdict"]["party"], "none")
        at = base64.b64decode(record["legs"]["server"]["offer"]["raw"]).index(HOST.encode())
        middle = HOST[:4].encode().hex()
        return f"tcp dport {PORT} @th,{(TCP_HEADER + at) * 8},32 0x{middle}"

    def hops(self, record):
        return [hop.get("address") for hop in record["path"]["hops"]]

    def check_box(self, path, record, at, does):
        box = record["path"]["box"]
        self.assertEqual((box["hop"], box["does"], box["after"]), (at, does, at - 1), record["path"])
        if at <= path.routers:
            self.assertEqual(box["address"], path.router(at))
        if at > 1:
            self.assertEqual(box["after_address"], path.router(at - 1))

    def check_clean(self, routers, **more):
        path = self.path(routers, **more)
        record = self.locate(path)
        self.assertEqual(record["path"]["server_hop"], routers + 1)
        self.assertEqual(self.hops(record)[:routers], [path.router(i + 1) for i in range(routers)])
        self.assertNotIn("box", record["path"])
        self.assertEqual(record["verdict"]["party"], "none")

    def test_one_ttl(self):
        """A hello alone, with less than it takes and with enough."""
        path = self.path(3)
        record = self.probe(path, "--factor", "ttl=2", "--factor", "ttl=4")
        runs = {e["probe"]: e for e in record["experiments"]}
        self.assertEqual(runs["ttl=2"]["result"], "silent")
        self.assertTrue(runs["ttl=2"]["ttl_expired"])
        self.assertEqual(runs["ttl=4"]["result"], "answered")
        self.assertNotIn("ttl_expired", runs["ttl=4"])
        self.assertEqual(record["verdict"]["party"], "none")

    def test_clean_one(self):
        self.check_clean(1)

    def test_clean_eight(self):
        self.check_clean(8)

    def test_clean_ipv6(self):
        self.check_clean(3, ipv6=True)

    def test_reset(self):
        path = self.path(4)
        path.filter(2, f"{self.name_match(path)} reject with tcp reset")
        record = self.locate(path)
        self.check_box(path, record, 2, "reset")
        self.assertIs(record["path"]["box"]["by_name"], True)
        self.assertEqual(record["verdict"]["party"], "box-behind")
        self.assertEqual(record["verdict"]["cause"], "sni-filter-rst")

    def test_drop(self):
        path = self.path(5)
        path.filter(3, f"{self.name_match(path)} drop")
        record = self.locate(path)
        self.check_box(path, record, 3, "drops")
        self.assertEqual(record["verdict"]["cause"], "sni-filter-drop")

    def test_drop_ipv6(self):
        path = self.path(3, ipv6=True)
        path.filter(2, f"{self.name_match(path)} drop")
        self.check_box(path, self.locate(path), 2, "drops")

    def test_reset_ipv6(self):
        path = self.path(3, ipv6=True)
        path.filter(1, f"{self.name_match(path)} reject with tcp reset")
        self.check_box(path, self.locate(path), 1, "reset")

    def test_reset_any_name(self):
        """Right before the server, and whatever the name is."""
        path = self.path(3)
        path.filter(3, f"tcp dport {PORT} tcp flags \\& psh == psh reject with tcp reset")
        record = self.locate(path)
        self.check_box(path, record, 3, "reset")
        self.assertIs(record["path"]["box"]["by_name"], False)
        self.assertEqual(record["verdict"]["cause"], "rst-injection")

    def test_reset_behind(self):
        """A box behind the router's look at the TTL is met with one more."""
        path = self.path(3)
        path.filter(1, f"{self.name_match(path)} reject with tcp reset", hook="forward")
        self.check_box(path, self.locate(path), 2, "reset")

    def test_mute_routers(self):
        path = self.path(4)
        for router in (1, 3):
            path.inside(router, "nft add table ip mute\n"
                                "nft add chain ip mute out '{ type filter hook output priority 0; "
                                "}'\nnft add rule ip mute out icmp type time-exceeded drop")
        path.filter(4, f"{self.name_match(path)} drop")
        box = self.locate(path)["path"]["box"]
        self.assertEqual((box["hop"], box["after"], box["address"], box["does"]),
                         (4, 2, path.router(4), "drops"))

    def test_relay(self):
        path = self.path(4)
        path.relay(2)
        record = self.locate(path)
        self.check_box(path, record, 2, "terminates")
        self.assertEqual(record["verdict"]["party"], "none")

    def test_server_itself(self):
        """It resets or drops by itself: nobody on the way is blamed."""
        path = self.path(3)
        match = self.name_match(path)
        path.filter(4, f"{match} reject with tcp reset")
        record = self.locate(path)
        self.assertNotIn("box", record["path"])
        self.assertNotEqual(record["verdict"]["party"], "box-behind")

    def test_dropped_at_the_server(self):
        path = self.path(2)
        path.filter(3, f"{self.name_match(path)} drop")
        record = self.probe(path, "--factor", "base", "--factor", "other-name", "--locate")
        self.assertEqual(record["path"]["target"], "lost")
        self.assertNotIn("box", record["path"])
        self.assertEqual(record["verdict"]["party"], "undetermined")

    def test_table(self):
        path = self.path(2)
        path.filter(2, f"{self.name_match(path)} reject with tcp reset")
        command = [*path.command(0), harness.PROGRAM, "probe", "--locate", "--factor", "base",
                   "--log", f"{self.dir}/probe.ndjson", "--address", f"{HOST}={path.server}",
                   f"{HOST}:{PORT}"]
        page = harness.run(*command, check=False).stdout.decode()
        self.assertRegex(page, r"(?m)^  1 10\.77\.0\.2 +expired +expired +[\d.]+ +expired$")
        self.assertRegex(page, r"(?m)^  2 10\.77\.1\.2 +expired +reset +[\d.]+ +expired$")
        self.assertIn("Something at hop 2 (10.77.1.2)", page)
        shown = harness.run(harness.PROGRAM, "show", "--log", f"{self.dir}/probe.ndjson",
                            page.split()[-1], check=False).stdout.decode()
        self.assertRegex(shown, r"(?m)^  2 10\.77\.1\.2 +expired +reset ")
        plan = harness.run(*command[:-1], "--plan", f"{HOST}:{PORT}").stdout.decode()
        self.assertIn("--locate sends on top of that", plan)


if __name__ == "__main__":
    unittest.main()
