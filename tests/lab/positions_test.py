"""Where the proxy can stand: before a parent proxy, as a fixed target, behind a firewall's rule."""

import os
import signal
import socket
import ssl
import struct
import sys
import threading

from tests.lab import harness

CURL = ["curl", "-sS", "--max-time", "20"]


class Fronts(harness.Lab):
    """SOCKS, and a port that leads to one target."""

    def setUp(self):
        self.server = self.nginx(certificate=harness.leaf("a.localhost"))

    def test_socks(self):
        for scheme, front in (("socks5h", "socks5"), ("socks5", "socks5"), ("socks4a", "socks4"),
                              ("socks4", "socks4")):
            with self.subTest(scheme):
                proxy = self.proxy()
                done = harness.run(*CURL, "-4", "-x", f"{scheme}://{proxy.host}:{proxy.port}",
                                   "--cacert", proxy.ca,
                                   f"https://a.localhost:{self.server.port}/")
                self.assertEqual(done.stdout, b"hello\n")
                record = proxy.record()
                self.assertEqual((record["front"], record["mode"], record["verdict"]["cause"]),
                                 (front, "intercept", "healthy"))

    def test_fixed_target(self):
        proxy = self.proxy("--to", f"a.localhost:{self.server.port}", "--workers", "2")
        done = harness.run(*CURL, "--connect-to", f"::{proxy.host}:{proxy.port}", "--cacert",
                           proxy.ca, "https://a.localhost/")
        self.assertEqual(done.stdout, b"hello\n")
        record = proxy.record()
        self.assertEqual((record["front"], record["host"], record["port"]),
                         ("fixed", "a.localhost", self.server.port))
        self.assertEqual(record["verdict"]["cause"], "healthy")

    def test_fixed_target_that_refuses(self):
        proxy = self.proxy("--to", f"127.0.0.1:{harness.free_port()}")
        with self.assertRaises(ConnectionResetError):  # perhaps before we know of the connection
            with proxy.connect() as s:
                s.recv(1)
        verdict = proxy.record()["verdict"]
        self.assertEqual((verdict["party"], verdict["cause"]), ("undetermined", "tcp-refused"))

    def test_box_behind_fixed_target(self):
        """A box on this machine stands where --to leads: that the address is here clears nobody."""
        def cuts(s):
            s.recv(65536)
            if resets:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()

        for resets, cause in ((True, "server-reset-at-hello"), (False, "server-close-at-hello")):
            with self.subTest(cause):
                proxy = self.proxy("--to", f"127.0.0.1:{self.service(cuts).port}")
                harness.run(*CURL, "--connect-to", f"::{proxy.host}:{proxy.port}", "--cacert",
                            proxy.ca, "https://a.localhost/", check=False)
                verdict = proxy.record()["verdict"]
                self.assertEqual((verdict["party"], verdict["cause"]), ("undetermined", cause))

    def test_usage(self):
        for args in (["--to", "nowhere"], ["--to", "a:1", "--transparent"], ["--parent", "gw:1"],
                     ["--parent-auth", "/dev/null"], ["--parent", "http://me:hush@/"]):
            with self.subTest(args):
                done = harness.run(harness.PROGRAM, "run", *args, check=False)
                self.assertEqual(done.returncode, 2)
                self.assertNotIn(b"hush", done.stderr)


class Parent(harness.Lab):
    """Two instances in a row, and parents that are none."""

    def setUp(self):
        self.server = self.nginx(certificate=harness.leaf("a.localhost"))
        self.url = f"https://a.localhost:{self.server.port}/"

    def test_chain(self):
        parent = self.proxy()
        proxy = self.proxy("--parent", parent.url, trust=[parent.ca])
        self.assertEqual(self.curl(self.url, proxy).body, b"hello\n")
        record = proxy.record()
        self.assertEqual(record["verdict"]["cause"], "healthy")
        self.assertEqual((record["parent"]["host"], record["parent"]["port"],
                          record["parent"]["status"]), (parent.host, parent.port, 200))
        self.assertEqual(parent.record()["host"], "a.localhost")

    def test_boxes_in_a_row(self):
        """A box of two profiles, whose parent is another one, on IPv6: each acts and says so."""
        behind = self.proxy("--as", "zscaler-like", listen="[::1]:0")
        front = self.proxy("--as", "panos-2018-tls12-cap,alpn-strip-grpc",
                           "--parent", f"http://[::1]:{behind.port}")
        answer = self.curl(self.url, front, "-k")
        self.assertEqual(answer.body, b"hello\n")
        record = front.record()
        self.assertEqual(harness.field(record, "emulation.profile"),
                         "panos-2018-tls12-cap,alpn-strip-grpc")
        self.assertEqual(harness.field(record, "legs.client.tls.version"), "1.2")
        self.assertIn("Zscaler", harness.field(record, "legs.server.tls.server.issuer"))
        self.assertEqual(record["parent"]["host"], "::1")
        self.assertEqual(harness.field(behind.record(), "emulation.profile"), "zscaler-like")

    def test_box_before_one_server(self):
        """A fixed target and a listener on IPv6, and two of them in a row."""
        server = self.nginx(certificate=harness.leaf("a.localhost"), host="::1")
        behind = self.proxy("--to", f"[::1]:{server.port}", "--as", "zscaler-like",
                            listen="[::1]:0")
        front = self.proxy("--to", f"[::1]:{behind.port}", "--as", "panos-2018-tls12-cap",
                           listen="[::1]:0")
        done = harness.run("curl", "-q", "-sSk", "--noproxy", "*", "--connect-to",
                           f"::[::1]:{front.port}", "https://a.localhost/")
        self.assertEqual(done.stdout, b"hello\n")
        self.assertEqual(harness.field(front.record(), "legs.client.tls.version"), "1.2")
        self.assertIn("Zscaler", harness.field(front.record(), "legs.server.tls.server.issuer"))

    def test_plain(self):
        plain = self.nginx()
        parent = self.proxy()
        proxy = self.proxy("--parent", parent.url)
        self.assertEqual(self.curl(f"http://a.localhost:{plain.port}/", proxy).body, b"hello\n")
        self.assertEqual(parent.record()["front"], "absolute-form")
        self.assertEqual(harness.field(proxy.record(), "parent.host"), parent.host)

    def test_exception(self):
        parent = self.proxy()
        proxy = self.proxy("--parent", parent.url,
                           policy={"rules": [{"hosts": ["a.localhost"], "parent": False}]})
        self.assertEqual(self.curl(self.url, proxy).body, b"hello\n")
        self.assertNotIn("parent", proxy.record())
        self.assertEqual(parent.written(), [])

    def test_parent_refuses(self):
        parent = self.proxy(policy={"default": {"action": "refuse"}})
        proxy = self.proxy("--parent", parent.url)
        self.assertEqual(self.curl(self.url, proxy, check=False).connect_status, 502)
        verdict = proxy.record()["verdict"]
        self.assertEqual((verdict["party"], verdict["cause"], verdict["confidence"]),
                         ("box-behind", "corporate-proxy-chain", "certain"))

    def test_circle(self):
        port = harness.free_port()
        first = self.proxy("--parent", f"http://127.0.0.1:{port}")
        second = self.proxy("--parent", first.url, listen=f"127.0.0.1:{port}")
        self.assertEqual(self.curl(self.url, first, check=False).connect_status, 502)
        self.assertEqual(second.record()["parent"]["failure"], "loop")

    def test_tls_and_credentials(self):
        """An https:// parent behind TLS of its own, which asks who we are."""
        heads, listener = [], socket.create_server(("127.0.0.1", 0))
        certificate = harness.leaf("gw.localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)

        def serve():
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                with raw, context.wrap_socket(raw, server_side=True) as s:
                    head = harness.read_head(s)
                    heads.append(head)
                    if b"Basic bWU6aHVzaA==" not in head:
                        s.sendall(b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n\r\n")
                        continue
                    s.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    s.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(listener.close)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)
        url = f"https://gw.localhost:{listener.getsockname()[1]}"
        asked = self.proxy("--parent", url)
        with asked.connect() as s:
            s.sendall(b"CONNECT other.test:22 HTTP/1.1\r\n\r\n")
            self.assertIn(b" 502 ", harness.read_head(s))
        record = asked.record()
        self.assertEqual((record["parent"]["status"], record["parent"]["tls"],
                          record["verdict"]["party"]), (407, True, "box-behind"))
        auth = self.file("auth", "me:hush\n")
        for proxy in (self.proxy("--parent", url, "--parent-auth", auth),
                      self.proxy("--parent", url.replace("//", "//me:hush@"))):
            with proxy.connect("other.test:22") as s:
                self.assertEqual(harness.read_exactly(s, 11), b"SSH-2.0-x\r\n")
            with open(f"/proc/{proxy.process.pid}/cmdline", "rb") as f:
                self.assertNotIn(b"hush", f.read())
            self.assertNotIn("hush", str(proxy.record()))
        self.assertTrue(heads[0].startswith(b"CONNECT other.test:22 HTTP/1.1\r\n"))


NETWORK = """
set -e
ip link set lo up
ip address add 192.0.2.7/32 dev lo
ip -6 address add 2001:db8::7/128 dev lo nodad
nft add table inet lab
nft add chain inet lab out '{ type nat hook output priority -100; }'
nft add rule inet lab out meta mark 0x746c accept
nft add rule inet lab out ip daddr 192.0.2.7 tcp dport 443 redirect to :$1
nft add rule inet lab out ip6 daddr 2001:db8::7 tcp dport 443 redirect to :$1
nft add rule inet lab out ip daddr 192.0.2.7 tcp dport 444 redirect to :$1
echo ready
exec sleep 600
"""

# A network that reaches 192.0.2.7 only through this one, whose rules give what comes to TPROXY.
ROUTED = """
set -e
ip link set lo up
ip link add near type veth peer name far
ip address add 198.51.100.1/24 dev near
ip -6 address add 2001:db8:1::1/64 dev near nodad
ip link set near up
ip address add 192.0.2.7/32 dev lo
ip -6 address add 2001:db8::7/128 dev lo nodad
ip rule add fwmark 1 lookup 100
ip route add local default dev lo table 100
ip -6 rule add fwmark 1 lookup 100
ip -6 route add local default dev lo table 100
nft add table inet lab
nft add chain inet lab in '{ type filter hook prerouting priority mangle; }'
nft add rule inet lab in iifname near tcp dport 443 tproxy ip to :$1 meta mark set 1 accept
nft add rule inet lab in iifname near tcp dport 443 tproxy ip6 to :$1 meta mark set 1 accept
unshare --net sh -c 'echo $$; exec sleep 600' > "$2" &
while [ ! -s "$2" ]; do sleep 0.01; done
inner=$(cat "$2")
ip link set far netns $inner
nsenter --net --target $inner sh -e -c '
ip link set lo up
ip address add 198.51.100.2/24 dev far
ip -6 address add 2001:db8:1::2/64 dev far nodad
ip link set far up
ip route add default via 198.51.100.1
ip -6 route add default via 2001:db8:1::1'
echo ready
wait
"""


class Transparent(harness.Lab):
    """In namespaces: what REDIRECT and TPROXY bring. The proxy must have the rights of root there."""

    def network(self, script, *args):
        first = harness.Program(["unshare", "--net", "sh", "-c", script, "sh", *args],
                                f"{self.dir}/network", wait_for="ready")
        self.addCleanup(first.stop, signal.SIGKILL)
        return self.entering(first.pid)

    def entering(self, pid):
        return ["nsenter", "--net", f"--wd={os.getcwd()}", "--target", str(pid), "--"]

    def server(self, command):
        certificate = harness.leaf("a.test")
        program = (
            "import socket, ssl, threading\n"
            f"c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
            f"c.load_cert_chain({certificate.chain!r}, {certificate.key!r})\n"
            "def serve(s):\n"
            "    while True:\n"
            "        try:\n"
            "            t = c.wrap_socket(s.accept()[0], server_side=True)\n"
            "            t.recv(9999)\n"
            "            t.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n')\n"
            "            t.close()\n"
            "        except OSError:\n"
            "            pass\n"
            "for a in (('192.0.2.7', 443), ('2001:db8::7', 443)):\n"
            "    s = socket.create_server(a, family=socket.AF_INET6 if ':' in a[0] else "
            "socket.AF_INET)\n"
            "    threading.Thread(target=serve, args=(s,), daemon=True).start()\n"
            "print('ready', flush=True)\n"
            "threading.Event().wait()\n")
        self.program(*command, sys.executable, "-c", program, wait_for="ready")

    def get(self, command, proxy, address, port=443):
        return harness.run(*command, *CURL, "--connect-to", f"::[{address}]:{port}" if ":" in address
                           else f"::{address}:{port}", "--cacert", proxy.ca, "https://a.test/",
                           check=False)

    def check(self, command, proxy, count):
        for address in ("192.0.2.7", "2001:db8::7"):
            with self.subTest(address):
                count += 1
                done = self.get(command, proxy, address)
                self.assertEqual(done.stdout, b"hello\n", done.stderr)
                record = proxy.records(count)[-1]
                self.assertEqual((record["front"], record["host"], record["port"]),
                                 ("transparent", address, 443))
                self.assertEqual(record["verdict"]["cause"], "healthy")
                self.assertEqual(record["legs"]["client"]["tls"]["client"]["server_name"], "a.test")

    def test_redirect(self):
        port = str(harness.free_port())
        command = self.network(NETWORK, port)
        self.server(command)
        proxy = self.proxy("--transparent", listen=f"*:{port}", command=command)
        self.check(command, proxy, 0)
        refused = self.get(command, proxy, "192.0.2.7", 444)
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(proxy.records(3)[-1]["verdict"]["cause"], "tcp-refused")

    def test_redirect_that_brings_us_back(self):
        port = str(harness.free_port())
        command = self.network(NETWORK.replace("nft add rule inet lab out meta mark 0x746c accept",
                                               ""), port)
        self.server(command)
        proxy = self.proxy("--transparent", listen=f"*:{port}", command=command)
        done = self.get(command, proxy, "192.0.2.7")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(proxy.record()["verdict"]["party"], "proxy")
        self.assertIn("own connections back", proxy.stderr())

    def test_tproxy(self):
        port = str(harness.free_port())
        inner = f"{self.dir}/inner"
        command = self.network(ROUTED, port, inner)
        self.server(command)
        proxy = self.proxy("--transparent", listen=f"*:{port}", command=command)
        with open(inner, encoding="ascii") as f:
            self.check(self.entering(int(f.read())), proxy, 0)
