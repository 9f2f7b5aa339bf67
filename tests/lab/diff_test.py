"""diff: one connection recorded by two proxies of ours, with something else between them."""

import functools
import json
import socket
import ssl

from tests.lab import harness, wire

HOST = "a.localhost"
TUNNEL = {"default": {"action": "tunnel"}}


def client_hello(s):
    """The first record of a client."""
    head = harness.read_exactly(s, 5)
    return head + harness.read_exactly(s, int.from_bytes(head[3:], "big"))


class Between(harness.Lab):
    def between(self, server, handle):
        """Starts `handle(client, server)` behind a front proxy and before a back proxy, both of
        which tunnel unless told otherwise."""
        self.back = self.proxy(policy=TUNNEL)

        def served(s):
            try:
                with self.back.connect(f"{HOST}:{server.port}") as up:
                    handle(s, up)
            except OSError:
                pass  # what broke is in the records

        return self.service(served)

    def ask(self, front, box, **more):
        answer = self.curl(f"https://{HOST}:{box.port}/", front, **more)
        self.front_record, self.back_record = front.record(), self.back.record()
        return answer

    def diff(self, *args):
        run = harness.run(harness.PROGRAM, "diff", *args, check=False)
        self.assertEqual(run.stderr, b"")
        return run.returncode, run.stdout.decode()

    def compare(self, front):
        """What `diff --json` says of the only pair."""
        status, text = self.diff("--json", front.records_file, self.back.records_file)
        return status, json.loads(text)

    @staticmethod
    @functools.cache
    def authority():
        """The inspector's own."""
        return harness.issue("Box CA", None, harness.CA_EXTENSIONS, which="box")

    def inspector(self, certificate, keylog=None):
        """Ends TLS, shows `certificate`, and does not look at the server's."""
        shown = harness.tls_context(certificate)
        asks = ssl.create_default_context()
        if keylog is not None:
            shown.keylog_filename = asks.keylog_filename = keylog
        asks.check_hostname = False
        asks.verify_mode = ssl.CERT_NONE

        def handle(s, up):
            with asks.wrap_socket(up, server_hostname=HOST) as server:
                with shown.wrap_socket(s, server_side=True) as client:
                    server.sendall(client.recv(65536))
                    client.sendall(harness.read_all(server))
                    client.unwrap()

        return handle


class Proxies(Between):
    """Two proxies of ours."""

    def test_nothing_between(self):
        server = self.s_server(harness.leaf(HOST), "-tls1_2")
        box = self.between(server, harness.splice)
        front = self.proxy(policy=TUNNEL)
        self.ask(front, box, check=False)
        status, pair = self.compare(front)
        self.assertEqual((status, pair["result"]), (0, "same"), pair)
        self.assertEqual(pair["paired"]["by"], "client-random")
        self.assertEqual(pair["hello"]["how"], "identical")
        self.assertEqual(pair["certificate"]["how"], "same")
        status, text = self.diff(front.records_file, self.back.records_file)
        self.assertTrue(text.startswith(f"same      {HOST}: "), text)

    def test_an_edited_hello(self):
        def edit(s, up):
            hello = client_hello(s)
            self.assertIn(b"\x02h2", hello)
            up.sendall(hello.replace(b"\x02h2", b"\x02x9"))
            harness.splice(s, up)

        server = self.s_server(harness.leaf(HOST), "-tls1_2")
        box = self.between(server, edit)
        front = self.proxy(policy=TUNNEL)
        self.ask(front, box, check=False)
        status, pair = self.compare(front)
        self.assertEqual((status, pair["hello"]["how"]), (1, "edited"), pair)
        self.assertEqual(
            pair["hello"]["edited"], ["application_layer_protocol_negotiation"]
        )
        changed = {row["field"]: row for row in pair["differences"]}
        self.assertEqual(changed["offer.alpn"]["a"], ["h2", "http/1.1"])
        self.assertEqual(changed["offer.alpn"]["b"], ["x9", "http/1.1"])
        self.assertEqual(list(changed), ["offer.alpn"])

    def test_an_inspector_that_hides_an_expired_certificate(self):
        server = self.s_server(harness.expired(HOST), "-tls1_2")
        forged = harness.leaf(HOST, issuer=self.authority(), key="rsa")
        box = self.between(server, self.inspector(forged))
        front = self.proxy(trust=[self.authority().file])
        answer = self.ask(front, box)
        self.assertEqual(answer.status, 200)
        status, pair = self.compare(front)
        self.assertEqual((status, pair["hello"]["how"]), (1, "re-generated"), pair)
        self.assertEqual((pair["a"]["leg"], pair["b"]["leg"]), ("server", "client"))
        ja4 = harness.field(self.back_record, "legs.client.tls.client.ja4")
        self.assertEqual(pair["hello"]["ja4"], ja4)
        self.assertEqual(pair["certificate"]["how"], "re-signed")
        self.assertIn("names", pair["certificate"]["kept"])
        changed = {row["field"] for row in pair["certificate"]["changed"]}
        self.assertLessEqual({"issuer", "serial", "not_after", "key.type", "spki_sha256"}, changed)
        self.assertIn("hidden-expiry", [row["id"] for row in pair["findings"]])
        status, text = self.diff(front.records_file, self.back.records_file)
        for word in "re-generated", "re-signed", "hidden-expiry", ja4:
            self.assertIn(word, text)

    def test_the_legs_of_one_record(self):
        server = self.s_server(harness.leaf(HOST))
        proxy = self.proxy()
        self.curl(f"https://{HOST}:{server.port}/", proxy)
        record = proxy.record()
        status, text = self.diff("--log", proxy.records_file, record["id"])
        self.assertEqual(status, 1)
        for word in "legs of one record", "re-generated", "re-signed":
            self.assertIn(word, text)
        status, text = self.diff("--log", proxy.records_file, record["id"], record["id"])
        self.assertEqual(status, 0, text)

    def test_two_clients_of_one_proxy(self):
        server = self.s_server(harness.leaf(HOST))
        proxy = self.proxy()
        for count, more in enumerate(([], [], ["--tls-max", "1.2"]), 1):
            self.curl(f"https://{HOST}:{server.port}/", proxy, *more)
            proxy.records(count)  # so that this is its place in the log
        log = proxy.records_file
        status, text = self.diff("--json", f"{log}#1", f"{log}#2")
        self.assertEqual(status, 0, text)
        hellos = [json.loads(line)["hello"]["how"] for line in text.splitlines()]
        self.assertEqual(hellos, ["alike", "alike"])
        status, text = self.diff("--json", f"{log}#1", f"{log}#3")
        self.assertEqual(status, 1)
        fields = [row["field"] for row in json.loads(text.splitlines()[0])["differences"]]
        self.assertIn("offer.versions", fields)
        self.assertIn("tls.version", fields)


class Capture(Between):
    """One capture with both legs of an inspector."""

    def watched(self, port, seen):
        """Starts a relay to `port` that keeps what both sides said."""
        def relay(s):
            with socket.create_connection(("127.0.0.1", port), harness.TIMEOUT) as up:
                seen.append(harness.splice(s, up))
        return self.service(relay)

    def inspected(self, version, curl_args=()):
        """A capture of a connection through an inspector, and its key log."""
        keys = f"{self.dir}/keys"
        front, back = [], []
        server = self.watched(self.s_server(harness.expired(HOST), version).port, back)
        handle = self.inspector(harness.leaf(HOST, issuer=self.authority()), keys)

        def inspect(s):
            with socket.create_connection(("127.0.0.1", server.port), harness.TIMEOUT) as up:
                handle(s, up)

        box = self.watched(self.service(inspect).port, front)
        harness.run(
            *["curl", "-q", "-sS", "--noproxy", "*", "--cacert", self.authority().file],
            *curl_args,
            f"https://{HOST}:{box.port}/",
        )
        harness.until(lambda: front and back, "both legs to end")
        frames = [*self.leg(front[0], 40001, 8443, 0.0), *self.leg(back[0], 40002, 443, 0.005)]
        path = f"{self.dir}/box.pcap"
        wire.write_pcap(path, frames)
        return path, keys

    @staticmethod
    def leg(said, port, server_port, after):
        of_client, of_server = said
        hello = 5 + int.from_bytes(of_client[3:5], "big")
        turns = [(True, of_client[:hello]), (False, of_server), (True, of_client[hello:])]
        now = harness.NOW.timestamp() + after
        return wire.connection(("127.0.0.1", port), ("127.0.0.1", server_port), turns, now)

    def check(self, pair):
        self.assertEqual(pair["hello"]["how"], "re-generated", pair)
        self.assertEqual((pair["a"]["number"], pair["b"]["number"]) in {(1, 2), (2, 1)}, True)
        self.assertEqual(pair["certificate"]["how"], "re-signed")
        self.assertIn("hidden-expiry", [row["id"] for row in pair["findings"]])

    def test_tls12(self):
        capture, _ = self.inspected("-tls1_2", ["--tls-max", "1.2"])
        status, text = self.diff("--json", capture)
        self.assertEqual(status, 1)
        self.check(json.loads(text))

    def test_tls13_with_its_keys(self):
        capture, keys = self.inspected("-tls1_3")
        status, text = self.diff("--json", "--keylog", keys, capture)
        self.assertEqual(status, 1)
        self.check(json.loads(text))
        status, text = self.diff(capture)
        self.assertEqual(status, 1)
        self.assertIn("TLS 1.3 encrypts it", text)
