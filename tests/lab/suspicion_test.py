"""Emulated boxes behind the proxy, and in front of it: who is not there is not accused of more
than `possible`, and what would clear it is named."""

import concurrent.futures
import json

from tests.lab import boxes, harness
from tests.lab.profiles_table import LISTED, Table

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"

# Boxes that pass on what the server did, so that it is no wonder whom they make look guilty.
OF_THE_SERVER = {"squid-bump-mimic": "server-self-signed"}

# What a box that nobody knows does as a server would, where nothing else tells of the box.
AMBIGUOUS = {
    "plain-http-answer": "plain-http-on-tls-port",
    "sslsplit-serial": "server-unknown-ca",
    "reversed-chain": "server-unknown-ca",
    "sha1-leaf": "server-unknown-ca",
    "ku-wrong": "cert-keyusage-mismatch",
    "slow-origin-fetch": "handshake-timeout-server",
}


OTHERS = ["squid-bump-mimic", "panos-2018-tls12-cap", "no-validation-webtitan", "sni-rst",
          "bluecoat-65-tls13-hangup", "sni-stall-residual", "leaf-only-chain", "session-id-echo-12"]

# Those of which nothing comes in time.
SILENT = ("slow-origin-fetch", "sni-stall-residual")


class Suspicion(Table):
    """curl, the proxy and a box; the box speaks TLS as if it were the server, or the client."""

    def spec(self, profile):
        if profile not in LISTED:
            return profile
        data = json.loads(harness.run(harness.PROGRAM, "profiles", "--json", profile).stdout)
        data["reactions"][0]["when"] = {"sni": [boxes.HOST]}
        return self.file(f"{profile}.json", json.dumps(data))

    def box(self, profile, target, **more):
        return self.proxy("--as", self.spec(profile), "--to", target, "--timeout", "15",
                          ca_dir=f"{self.dir}/{profile}", **more)

    def verdict(self, proxy):
        """That of the connection; a box may have opened another one before."""
        def ended():
            return [r for r in proxy.written() if harness.has_ended(r)]

        records = harness.until(ended, "a record")
        return next((r["verdict"] for r in records if r["verdict"]["party"] != "none"),
                    records[-1]["verdict"])

    # Programs are started by the main thread: they end with that which started them.

    def behind(self, profile):
        host, port = self.start(profile)
        box = self.box(profile, f"{host}:{port}")
        proxy = self.proxy("--timeout", "3" if profile in SILENT else "20")
        return proxy, ["-x", proxy.url, "--cacert", proxy.ca, f"https://{host}:{box.port}/"]

    def front(self, profile):
        host, port = self.start(profile)
        proxy = self.proxy("--timeout", "20", "--to", f"{host}:{port}")
        box = self.box(profile, f"{proxy.host}:{proxy.port}", trust=[proxy.ca, harness.root().file])
        return proxy, ["-k", "-A", FIREFOX, "--connect-to", f"::{box.host}:{box.port}",
                       f"https://{host}/"]

    def play(self, where, names):
        def ask(scene):
            proxy, words = scene
            harness.run("curl", "-q", "-sS", "--max-time", "25", "--noproxy", "", *words,
                        check=False, timeout=30)
            return self.verdict(proxy)

        scenes = [where(name) for name in names]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return dict(zip(names, pool.map(ask, scenes)))

    def test_behind(self):
        names = [*AMBIGUOUS, *OTHERS]
        for profile, verdict in self.play(self.behind, names).items():
            said = f"{profile}: {verdict['party']} {verdict['cause']} ({verdict['confidence']})"
            print(said, flush=True)
            with self.subTest(profile):
                bystander = verdict["party"] not in ("none", "undetermined", "box-behind")
                sure = verdict["confidence"] != "possible"
                known = OF_THE_SERVER.get(profile) == verdict["cause"]
                self.assertFalse(bystander and sure and not known, said)
                if profile in AMBIGUOUS and bystander:
                    self.assertEqual(verdict["cause"], AMBIGUOUS[profile])
                    self.assertIn("probe --control", verdict["next"])

    def test_front(self):
        names = ["panos-2018-tls12-cap", "sslsplit-serial", "alpn-strip-grpc", "zscaler-like",
                 "slow-origin-fetch", "eset-schannel", "session-id-echo-12"]
        for profile, verdict in self.play(self.front, names).items():
            with self.subTest(profile):
                self.assertIn(verdict["party"], ("none", "undetermined", "box-in-front"), verdict)


if __name__ == "__main__":
    harness.main()
