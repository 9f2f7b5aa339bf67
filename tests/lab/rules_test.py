"""Who is named when nothing but a kernel's rules act, of iptables and nft: those of a router that
servers stand behind, or the very same on the server."""

import concurrent.futures
import json
import queue
import unittest

from tests.lab import harness
from tests.lab.hops import PORT, Path
from tests.lab.inline import BOX, END, PROXY, Inline
from tests.lab.kernel import TCP_HEADER, text_at
from tests.lab.planted import GREASE

AT_ONCE = 8  # networks: they mostly wait
HOST, CONTROL = "blocked.lab.test", "control.lab.test"
RESET = "reject with tcp reset"
REJECT = "REJECT --reject-with tcp-reset"


def text(value):
    return f"-m string --algo kmp --string {value}"


def octets(value):
    return f"-m string --algo kmp --hex-string |{value}|"


NAME = text(HOST[:8])  # nobody cuts it there
WHOLE_NAME = text(HOST)  # which "split-tcp" cuts
TLS13 = octets("03040303")  # 1.3 and 1.2 in supported_versions
PQ = octets("11ec04c0")  # a key share of X25519MLKEM768, 1216 bytes
ECH = octets("fe0d01190000010001")  # as Firefox has it
LARGE = "-m length --length 700:65535"
# Whose payload does not start with a record of TLS.
NO_RECORD = ("-m u32 --u32 0>>22&0x3C@12>>26&0x3C@0>>16="
             "0:0x1402,0x1404:0x1502,0x1504:0x1602,0x1604:0x1702,0x1704:0xffff")
SUITES = 43 + 33 + 2  # where they are in a hello with a session id


def iptables(rule, lost=None):
    """How to have the rule for what goes to servers on the router, and on the one server. What is
    `lost`, in both directions, gets no further."""
    def rules(chains, match):
        lines = [f"{chain} {lost} -j DROP" for chain in chains if lost]
        return [quoted(line) for line in [*lines, f"{chains[0]} {match} --dport {PORT} {rule}"]]

    return (lambda net: net.tabled(BOX, *rules(["FORWARD"], "-p tcp")),
            lambda net: net.tabled(END, *rules(["INPUT", "OUTPUT"], f"-d {net.server} -p tcp")))


def quoted(rule):
    return " ".join(f"'{word}'" for word in rule.split())


def nft(*rules):
    """The same with rules of nft."""
    match = f"tcp dport {PORT}"
    return (lambda net: net.ruled(BOX, "filter hook forward priority 0",
                                  *(f"{match} {rule}" for rule in rules)),
            lambda net: net.ruled(END, "filter hook input priority 0",
                                  *(f"ip daddr {net.server} {match} {rule}" for rule in rules)))


GREASED = [f"@th,{(TCP_HEADER + SUITES) * 8},16 0x{value:04x}" for value in sorted(GREASE)]

# What, how, by which client; then who is named and why if a router does it, and if the server does.
ROWS = [
    ("name, string, REJECT", iptables(f"{NAME} -j {REJECT}"), "openssl",
     ("box-behind", "sni-filter-rst"), ("server", "sni-unrecognized")),
    # Nobody acknowledges it: it was lost before the server's TCP, be it on its machine.
    ("name, string, DROP", iptables(f"{NAME} -j DROP"), "openssl",
     ("box-behind", "sni-filter-drop"), ("box-behind", "sni-filter-drop")),
    # The hello arrives, and nothing else from then on.
    ("name, CONNMARK, DROP", iptables(f"{NAME} -j CONNMARK --set-mark 1", "-m connmark --mark 1"),
     "openssl", ("box-behind", "sni-filter-drop"), ("box-behind", "sni-filter-drop")),
    ("name, nft reset", nft(*(f"{at} {RESET}" for at in text_at(HOST))), "openssl",
     ("box-behind", "sni-filter-rst"), ("server", "sni-unrecognized")),
    # What comes after the name is lost: a hello in one packet is answered all the same.
    ("name, nft mark, drop", nft("ct mark 1 drop", *(f"{at} ct mark set 1" for at in text_at(HOST))),
     "openssl", ("box-behind", "clienthello-tcp-split-intolerance"),
     ("box-behind", "clienthello-tcp-split-intolerance")),
    # Who reads packets one by one is no server that speaks TLS, wherever that is.
    ("a packet's name, REJECT", iptables(f"{WHOLE_NAME} -j {REJECT}"), "openssl",
     ("box-behind", "sni-filter-rst"), ("box-behind", "sni-filter-rst")),
    ("version, string, REJECT", iptables(f"{TLS13} -j {REJECT}"), "firefox",
     ("box-behind", "tls13-intolerance-middlebox"), ("server", "version-intolerance")),
    ("version, string, DROP", iptables(f"{TLS13} -j DROP"), "go",
     ("box-behind", "tls13-intolerance-middlebox"), ("server", "version-intolerance")),
    ("size, length, REJECT", iptables(f"{LARGE} -j {REJECT}"), "chromium",
     ("box-behind", "large-clienthello-intolerance"), ("server", "large-clienthello-intolerance")),
    ("size, length, DROP", iptables(f"{LARGE} -j DROP"), "chromium",
     ("network", "mtu-blackhole"), ("network", "mtu-blackhole")),
    ("group, string, REJECT", iptables(f"{PQ} -j {REJECT}"), "chromium",
     ("box-behind", "pq-group-intolerance"), ("server", "pq-group-intolerance")),
    ("GREASE, nft reset", nft(*(f"{at} {RESET}" for at in GREASED)), "chromium",
     ("box-behind", "grease-intolerance"), ("server", "grease-intolerance")),
    ("extension, string, REJECT", iptables(f"{ECH} -j {REJECT}"), "firefox",
     ("box-behind", "ech-extension-blocked"),
     ("server", "extension-order-or-unknown-ext-intolerance")),
    ("split, u32, REJECT", iptables(f"{NO_RECORD} -j {REJECT}"), "chromium",
     ("box-behind", "clienthello-tcp-split-intolerance"),
     ("server", "clienthello-tcp-split-intolerance")),
]


class Rules(harness.Lab):
    def setUp(self):
        self.networks = queue.Queue()

    def network(self):
        net = Inline(self, [HOST], CONTROL)
        net.start(harness.leaf(HOST), harness.leaf(CONTROL))
        self.networks.put(net)

    def probe(self, place, hello):
        """What the program finds out when that is so."""
        net = self.networks.get()
        try:
            with place(net):
                done = harness.run(
                    *net.command(PROXY), harness.PROGRAM, "probe", "--json", "--timeout", "2",
                    "--log", "/dev/null", "--trust", harness.root().file, "--hello", hello,
                    "--address", f"{HOST}={net.server}", "--address", f"{CONTROL}={net.control}",
                    "--control", CONTROL, HOST, check=False, timeout=60)
        finally:
            self.networks.put(net)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def test_router_or_server(self):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _: self.network(), range(AT_ONCE)))
            running = [(what, who, pool.submit(self.probe, place, hello), party)
                       for what, places, hello, *parties in ROWS
                       for who, place, party in zip(("router", "server"), places, parties)]
        for what, who, run, party in running:
            with self.subTest(what, who=who):
                verdict = run.result()["verdict"]
                print(f"{who}: {what:26} {verdict['party']:12} {verdict['cause']:40} "
                      f"{verdict['confidence']}")
                self.assertEqual((verdict["party"], verdict["cause"]), party,
                                 [(e["probe"], e["result"]) for e in run.result()["experiments"]])


RAW = f"-t raw -A PREROUTING -p tcp --dport {PORT}"
FORWARD = f"-A FORWARD -p tcp --dport {PORT}"

# What, the rules, at which of the nodes (5 is the server), and with IPv6 or not; then what is found
# out: the hop of the box and what it does, and who is named. What follows the router's look at the
# TTL is met with one more.
WAYS = [
    ("drop", [f"{RAW} {NAME} -j DROP"], 2, False, (2, "drops"), "box-behind"),
    ("drop, IPv6", [f"{RAW} {NAME} -j DROP"], 3, True, (3, "drops"), "box-behind"),
    ("reject", [f"{FORWARD} {NAME} -j {REJECT}"], 2, False, (3, "reset"), "box-behind"),
    ("drop by TTL", [f"{RAW} -m ttl --ttl-gt 1 {NAME} -j DROP"], 2, False, (3, "drops"),
     "box-behind"),
    ("a TTL of its own", ["-t mangle -A PREROUTING -j TTL --ttl-set 64"], 2, False, None, "none"),
    ("the server resets", [f"-A INPUT -p tcp --dport {PORT} {NAME} -j {REJECT}"], 5, False, None,
     "undetermined"),
    ("the server drops", [f"-A INPUT -p tcp --dport {PORT} {NAME} -j DROP"], 5, False, None,
     "undetermined"),
]


class Hops(harness.Lab):
    """Where the rules of iptables are, on a way of four routers."""

    def setUp(self):
        self.certificate = harness.leaf(HOST)

    def locate(self, rules, node, ipv6):
        """What the program finds out when that node has these rules."""
        path = Path(self, 4, ipv6=ipv6)
        path.serve(self.certificate)
        command = "ip6tables" if ipv6 else "iptables"
        path.inside(node, "\n".join(f"{command} --wait {quoted(rule)}" for rule in rules))
        done = harness.run(
            *path.command(0), harness.PROGRAM, "probe", "--json", "--timeout", "2", "--log",
            "/dev/null", "--trust", harness.root().file, "--repeat", "1", "--address",
            f"{HOST}={path.server}", "--factor", "base", "--locate", HOST, check=False, timeout=60)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return path, json.loads(done.stdout)

    def test_hop(self):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            running = [(way, pool.submit(self.locate, *way[1:4])) for way in WAYS]
        for (what, _, _, _, expected, party), run in running:
            with self.subTest(what):
                path, record = run.result()
                box = record["path"].get("box")
                print(f"{what:20} {box}")
                self.assertEqual(record["verdict"]["party"], party)
                self.assertEqual(box and (box["hop"], box["does"]), expected)
                if box:
                    self.assertEqual((box["address"], box["after"]),
                                     (path.router(box["hop"]), box["hop"] - 1))


if __name__ == "__main__":
    unittest.main()
