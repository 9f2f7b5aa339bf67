"""Every built-in profile behind an instance that does not know it, and in front of one: who is
blamed, and for what."""

import collections
import concurrent.futures
import json
import os

from tests.lab import boxes, harness
from tests.lab.boxes import HOST
from tests.lab.proxy import in_order

AT_ONCE = 8
LIMIT = "2"  # seconds for each step of a connection
REPLAY = next(path for path in ("tests/lab/hello_replay", "bazel-bin/tests/lab/hello_replay")
              if os.path.exists(path))

CHROME = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/131.0.0.0 Safari/537.36")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
CONTROL = "control.localhost"
OTHERS = ("b.localhost", "c.localhost", "d.localhost")

# How often a client asks: once is an accident, where nothing arrives.
TRIES = 3


# Clients: functions of a door, its roots, and a host and port. They do not tell how they fared.

def curl(door, roots, host, port):
    """curl, which says that it is Chrome."""
    harness.run("curl", "-q", "-sS", "--max-time", "5", "--noproxy", "", "-x", door.url, "-A", CHROME,
                "--cacert", roots, f"https://{host}:{port}/", check=False)


def browser(name, agent):
    """A browser's own hello, with keys of ours. It looks at no certificate."""
    def ask(door, roots, host, port):
        del roots
        harness.run(REPLAY, door.host, str(door.port), "keyed", name, f"{host}:{port}", agent,
                    check=False)
    return ask


chromium, firefox = browser("chromium", CHROME), browser("firefox", FIREFOX)


def raw(*pieces):
    """A hello in pieces."""
    return lambda door, roots, host, port: boxes.say(door, f"{host}:{port}", *pieces, timeout=4)


IN_TWO = raw(boxes.hello()[:100], boxes.hello()[100:])
IN_TWO_RECORDS = raw(boxes.in_two_records(boxes.hello()))


# Servers, where a sound nginx would not show what the box does.

def s_server(certificate, *args):
    return lambda lab: lab.s_server(certificate(HOST, key="rsa"), *args).port


def old(version):
    return f"-{version}", "-cipher", "ALL:3DES@SECLEVEL=0"


def mutual(lab):
    ask = f"ssl_client_certificate {harness.root().file}; ssl_verify_client on;"
    return lab.nginx(lab.leaf, http2=True, server=ask).port


SELF_SIGNED = s_server(harness.self_signed)
TLS10 = s_server(harness.leaf, *old("tls1"))
TLS11 = s_server(harness.leaf, *old("tls1_1"))
EXPIRED_TLS10 = s_server(harness.expired, *old("tls1"))
SELF_SIGNED_TLS10 = s_server(harness.self_signed, *old("tls1"))

Case = collections.namedtuple("Case", "behind front ask meet server front_server host", defaults=(
    curl, firefox, None, None, HOST))
Case.__doc__ = """What the instance has to say with the box behind it and in front of it: a party and a
cause. `ask` makes it ask when the box is behind, PROBE: by itself; `meet` is the client when the box is
in front. The servers are what stands behind all of it, if not a sound nginx."""

PROBE = "probe"

# Boxes that are no proxy that the instance was told of, but stand at the server's place.
UNSEEN = {"bluecoat-65-tls13-hangup", "fortios-flow-mlkem", "tldr-fail-one-read-alert",
          "tldr-fail-one-read-stall", "tldr-fail-one-read", "sni-rst", "ech-and-sni-conjunction",
          "grease-intolerant", "record-split-intolerant", "hrr-breaker"}

# Profiles whose list names a host that is nowhere: they are run with ours on it.
LISTED = {"sni-rst", "sni-stall-residual", "umbrella-blockpage", "ech-and-sni-conjunction"}

SLOW = {"tldr-fail-one-read-stall", "sni-stall-residual", "slow-origin-fetch", "mtu-blackhole",
        "ech-and-sni-conjunction"}

SIGNS = "box-behind mitm-behind-untrusted"
ENDS = "box-in-front mitm-front-inspection"
TALKS_DOWN = "box-behind tls13-downgrade-sentinel"
NO_PQ = "box-behind pq-group-intolerance"
ONE_READ = "box-behind large-clienthello-intolerance"

# What cannot be told. Of a box that keeps the client's hello the instance behind it sees a client
# that says nothing; of one whose answer the client does not bear, one that leaves.
UNSAID = "undetermined unexplained"
LEFT = "undetermined client-abort-speculative"
# The only suite of the box is one that the server lacks: so it would be if the client were that old,
# or the library of the proxy behind too new.
NO_SUITE = "undetermined cipher-mismatch"
OURS = "undetermined proxy-tls-limitation"
# It fails by way of the parent and passes without: a server may mind who comes from there.
BY_PARENT = "undetermined corporate-proxy-chain"
# What a server may do as well.
RESETS = "undetermined server-reset-at-hello"

# clang-format off
CASES = {
    "bluecoat-65-tls13-hangup":   Case("box-behind tls13-intolerance-middlebox", UNSAID),
    "firepower-random-copy":      Case(TALKS_DOWN, LEFT),
    "panos-2018-tls12-cap":       Case(SIGNS, ENDS, meet=curl),
    "fortios-flow-mlkem":         Case(NO_PQ, UNSAID, PROBE, chromium),
    "tldr-fail-one-read-alert":   Case(ONE_READ, UNSAID, PROBE, IN_TWO),
    "tldr-fail-one-read-stall":   Case(ONE_READ, UNSAID, PROBE, IN_TWO),
    "tldr-fail-one-read":         Case(ONE_READ, UNSAID, PROBE, IN_TWO),
    "fortigate-untrusted-resign": Case("box-behind mitm-behind-resign-untrusted", ENDS, server=SELF_SIGNED),
    "fortigate-ignore":           Case(SIGNS, ENDS, server=SELF_SIGNED),
    "no-validation-webtitan":     Case(SIGNS, ENDS, meet=curl, server=SELF_SIGNED),
    "checkpoint-no-expiry":       Case(SIGNS, ENDS, meet=curl, server=EXPIRED_TLS10, front_server=TLS10),
    "kaspersky-978-collision":    Case(SIGNS, ENDS),
    "kaspersky-978-forced":       Case(SIGNS, ENDS),
    "kaspersky-2016-crime":       Case(SIGNS, LEFT),
    "superfish-komodia":          Case(SIGNS, LEFT, server=TLS11, front_server=TLS11),
    "privdog-resign-all":         Case(SIGNS, ENDS, meet=curl, server=SELF_SIGNED_TLS10, front_server=TLS10),
    "pcpandora-rc4":              Case(BY_PARENT, OURS),
    "eset-schannel":              Case(SIGNS, ENDS, meet=curl),
    "norton-noncritical-bc":      Case(SIGNS, ENDS),
    "zscaler-like":               Case(SIGNS, ENDS),
    "umbrella-blockpage":         Case(SIGNS, UNSAID),
    "squid-bump-mimic":           Case(SIGNS, ENDS),
    "sslsplit-serial":            Case(SIGNS, ENDS),
    "firefox-serial-reuse":       Case(SIGNS, ENDS),
    "cn-only-leaf":               Case(SIGNS, ENDS),
    "long-validity-leaf":         Case(SIGNS, ENDS),
    "sha1-leaf":                  Case(SIGNS, ENDS),
    "eku-missing":                Case(SIGNS, ENDS),
    "ku-wrong":                   Case("undetermined cert-keyusage-mismatch", ENDS),
    "leaf-only-chain":            Case(SIGNS, ENDS),
    "reversed-chain":             Case(SIGNS, ENDS),
    "alpn-strip-grpc":            Case(SIGNS, ENDS),
    "sni-rst":                    Case("box-behind sni-filter-rst", UNSAID),
    "sni-stall-residual":         Case(BY_PARENT, UNSAID),
    "ech-and-sni-conjunction":    Case("box-behind sni-filter-drop", UNSAID, chromium, chromium),
    "nosni-drop":                 Case(RESETS, UNSAID, host="127.0.0.1", meet=curl),
    "strip-supported-versions":   Case(TALKS_DOWN, "undetermined client-user-cancelled"),
    "grease-intolerant":          Case("box-behind grease-intolerance", UNSAID, PROBE, chromium),
    "record-split-intolerant":    Case("box-behind clienthello-record-split-intolerance", UNSAID, PROBE, IN_TWO_RECORDS),
    "hrr-breaker":                Case("box-behind tls13-intolerance-middlebox", LEFT),
    "compat-ccs-inject":          Case(SIGNS, ENDS),
    "compat-ccs-omit":            Case(SIGNS, ENDS),
    "session-id-echo-12":         Case("undetermined compat-mode-ccs-fault", LEFT),
    "ticket-poison":              Case(SIGNS, ENDS),
    "mtls-swallower":             Case(SIGNS, ENDS, server=mutual, front_server=mutual),
    "mtu-blackhole":              Case(BY_PARENT, "none healthy"),
    "slow-origin-fetch":          Case(BY_PARENT, ENDS),
    "version-upgrade-laundering": Case(BY_PARENT, NO_SUITE),
    "captive-portal":             Case("box-behind blockpage-cert", UNSAID),
    "plain-http-answer":          Case(BY_PARENT, UNSAID),
    "double-mitm":                Case(SIGNS, ENDS),
}
# clang-format on


class ClosedLoop(harness.Lab):
    def setUp(self):
        names = (HOST, CONTROL, *OTHERS, "127.0.0.1")
        self.leaf = harness.leaf(*names, key="rsa", issuer=harness.intermediate())
        self.sound = self.nginx(self.leaf, http2=True).port
        self.boxes_ca = f"{self.dir}/boxes"
        for ca_dir in None, self.boxes_ca:  # so that each is made once
            self.proxy(ca_dir=ca_dir).stop()

    def box(self, profile, *args, **more):
        """The instance that is a box."""
        spec = profile
        if profile in LISTED:
            data = json.loads(harness.run(harness.PROGRAM, "profiles", "--json", profile).stdout)
            data["reactions"][0]["when"]["sni"] = [HOST]
            spec = self.file(f"{profile}.json", json.dumps(data))
        return self.proxy("--as", spec, "--timeout", LIMIT, *args, ca_dir=self.boxes_ca, **more)

    def watcher(self, *args):
        """The instance that does not know it. It asks about HOST alone."""
        quiet = {"rules": [{"hosts": list(OTHERS), "experiments": False}]}
        return self.proxy("--timeout", LIMIT, *args, policy=quiet, experiments="on-failure")

    def behind(self, profile, case):
        """The verdict with the box between the instance and the server."""
        server = case.server(self) if case.server else self.sound
        if profile in UNSEEN:
            box = self.box(profile, "--to", f"{HOST}:{server}")
            there, port = ("--control", f"{CONTROL}:{box.port}"), box.port
        else:
            box = self.box(profile)
            there, port = ("--parent", box.url), server
        if case.ask == PROBE:
            done = harness.run(harness.PROGRAM, "probe", "--json", "--hello", "chromium", *there,
                               "--timeout", "1", "--trust", harness.root().file, "--log",
                               f"{self.dir}/{profile}.ndjson", f"{HOST}:{port}", check=False,
                               timeout=60)
            return box, None, json.loads(done.stdout)
        watcher = self.watcher(*there)
        for name in OTHERS:
            curl(watcher, watcher.ca, name, port)
            watcher.records_of((name, port), 1)
        case.ask(watcher, watcher.ca, case.host, port)
        return box, watcher, self.judged(watcher, case.host, 1)

    def front(self, profile, case):
        """The verdict with the box between the client and the instance."""
        server = case.front_server(self) if case.front_server else self.sound
        watcher = self.watcher()
        box = self.box(profile, "--parent", watcher.url, trust=[harness.root().file, watcher.ca])
        roots = boxes.box_ca(box, profile)
        for done in range(1, TRIES + 1):
            case.meet(box, roots, case.host, server)
            watcher.records_of((case.host, server), done)
        return box, watcher, self.judged(watcher, case.host, TRIES)

    def judged(self, watcher, host, count):
        """The last record of a host, once its experiments are done: then its line is printed."""
        def lines():
            return sum(line is not None and f" {host}" in line for line in watcher.lines)

        harness.until(lambda: lines() >= count, f"{count} lines of {host}", 30)
        self.assertEqual(watcher.stop(), 0)
        return [r for r in in_order(watcher.written()) if r["host"] == host][-1]

    def outcome(self, profile, where):
        box, watcher, record = getattr(self, where)(profile, CASES[profile])
        for proxy in (box, watcher):
            if proxy is not None:
                self._stop_proxy(proxy)
        return record["verdict"]

    def test_all(self):
        """No innocent is named, and what is named is right."""
        pairs = [(name, where) for name in CASES for where in ("behind", "front")]
        pairs.sort(key=lambda pair: pair[0] not in SLOW)  # long ones first
        counts = collections.Counter()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            verdicts = list(pool.map(lambda pair: self.outcome(*pair), pairs))
        for (profile, where), verdict in zip(pairs, verdicts):
            got = f"{verdict['party']} {verdict['cause']}"
            expected = getattr(CASES[profile], where)
            print(f"{' ' if got == expected else '!'} {profile:28}{where:8}{got} ({verdict['confidence']})")
            counts[where, verdict["party"]] += 1
            with self.subTest(profile=profile, where=where):
                self.assertEqual(got, expected, verdict["says"])
        for where, place in ("behind", "behind it"), ("front", "in front of it"):
            told = ", ".join(f"{party} {counts[at, party]}" for at, party in sorted(counts)
                             if at == where)
            print(f"== An instance with each of {len(CASES)} boxes {place} says: {told}", flush=True)

    def test_each_profile_is_here(self):
        listed = json.loads(harness.run(harness.PROGRAM, "profiles", "--json").stdout)
        self.assertEqual({row["name"] for row in listed}, set(CASES))
