"""export: a connection through the proxy becomes a capture, which tshark decrypts, and which comes
back through import as the same facts."""

import contextlib
import json
import os
import ssl
import stat
import unittest

from tests.lab import harness

HOST = "a.localhost"
TUNNEL = {"default": {"action": "tunnel"}}
EVERYTHING = {"default": {"record": {"secrets": "all", "application_data": True}}}

# What a leg of the proxy and the same leg out of its capture do not share, by nature.
OTHER_BY_NATURE = {
    "address": "the peer of the leg is its client or server; in a capture it is always the client",
    "port": "likewise",
    "local": "likewise",
    "wire": "import keeps the facts and not the bytes",
    "wire_left_out": "likewise",
    "secrets": "likewise",
    "verification": "import trusts no roots and verifies nothing",
    "transport": "the kernel's view of TCP, whose place the synthesised TCP takes",
    "records": "records with data are left out, and the proxy's own alerts have none",
    "tried": "attempts are the proxy's; a capture shows the one connection",
    "dns": "names are resolved by the proxy",
    "segments": "likewise, and of the server's flight those sent",
    "offer.segments": "reads of the proxy become segments of at most 1460 bytes",
    "timing_ms.connect": "the client leg is open from the beginning; a capture shows its SYN",
    "timing_ms.first_data": "times of data come with the data, which is left out",
    "timing_ms.dns": "names are resolved by the proxy",
    "timing_ms.end": "the wire's end comes after the last word of both, the proxy's at the first",
    "end.by": "who ended both legs; on the wire it is one of the leg's own two ends",
    "end.detail": "the library's words",
}

# Without the application data, what is encrypted behind it cannot be read either: a record's place
# in the stream is part of its nonce. The secret of a direction with data is not kept, so that what
# comes in it before the data is not read again.
LEFT_OUT_WITH_DATA = {
    "alerts": "close_notify",
    "answer.session_tickets": "tickets",
    "answer.ticket_lifetime": "tickets",
    "answer.ticket_early_data": "tickets",
    "end.at": "whether data was seen",
    "end.how": "an alert behind data",
    "bytes": "what is missing counts, with its records around it",
}


def from_hello(leg):
    """A leg whose times count from its ClientHello: the proxy's count from the client's accept, those
    of a capture from the SYN of the connection."""
    hello = leg["timing_ms"]["hello"]

    def since(ms):
        return round(ms - hello, 3)

    leg = {**leg, "timing_ms": {key: since(ms) for key, ms in leg["timing_ms"].items()}}
    if "alerts" in leg:
        leg["alerts"] = [{**alert, "ms": since(alert["ms"])} for alert in leg["alerts"]]
    return leg


def from_client(leg, server_leg):
    """A leg whose application data is told from the client's side: what the proxy received of its
    peer on the server leg was sent to the client of that connection."""
    data = [leg["bytes"].get(key, 0) for key in ("data_received", "data_sent")]
    received, sent = data[::-1] if server_leg else data
    return {**leg, "bytes": {"data_received": received, "data_sent": sent}}


class RoundTrip(harness.Lab):
    def export(self, proxy, record):
        path = f"{self.dir}/{record['id']}.pcapng"
        run = harness.run(harness.PROGRAM, "export", "--log", proxy.records_file, "-o", path,
                          record["id"])
        self.assertEqual((run.stdout, run.stderr), (b"", b""))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        return path

    def imported(self, path):
        run = harness.run(harness.PROGRAM, "import", "-q", "--json", path, check=False)
        self.assertEqual(run.stderr, b"")
        return [json.loads(line) for line in run.stdout.splitlines()]

    def assert_same_leg(self, leg, back, natural, server_leg):
        """`leg` of the proxy's record and `back`, the client leg of the imported one."""
        one = dict(harness.flat(from_client(from_hello(leg), server_leg)))
        other = dict(harness.flat(from_client(from_hello(back), False)))
        differences = {
            path: (one.get(path), other.get(path))
            for path in sorted(one.keys() | other.keys())
            if one.get(path) != other.get(path) and not harness.covered(path, natural)
        }
        self.assertEqual(differences, {})

    def assert_same(self, record, back, natural):
        for name, leg in record["legs"].items():
            if "wire" not in leg:
                continue
            port = leg["port"] if name == "client" else leg["local"]["port"]
            [same] = [r for r in back if r["legs"]["client"]["port"] == port]
            self.assert_same_leg(leg, same["legs"]["client"], natural, name == "server")
            if name == "client":
                for key in "host", "port", "front", "user_agent", "http":
                    self.assertEqual(record.get(key), same.get(key))

    def round_trip(self, proxy, natural=()):
        """Returns the record and those that come back of it, in the order of the legs."""
        record = proxy.record()
        back = self.imported(self.export(proxy, record))
        self.assertEqual(len(back), sum("wire" in leg for leg in record["legs"].values()))
        self.assert_same(record, back, {**OTHER_BY_NATURE, **dict(natural)})
        return record, back


class Established(RoundTrip):
    def fetch(self, version, http2=False, policy=None):
        server = self.nginx(harness.leaf(HOST), http2, versions=version)
        proxy = self.proxy(policy=policy)
        self.curl(f"https://{HOST}:{server.port}/", proxy)
        return proxy

    def test_without_the_data(self):
        for version in "TLSv1.2", "TLSv1.3":
            for http2 in False, True:
                with self.subTest(version=version, http2=http2):
                    record, back = self.round_trip(self.fetch(version, http2), LEFT_OUT_WITH_DATA)
                    for leg in record["legs"].values():
                        self.assertGreater(leg["wire_left_out"]["client"], 50)
                        self.assertGreater(leg["wire_left_out"]["server"], 50)
                    for one in back:
                        self.assertEqual(one["verdict"]["party"], "none", one["verdict"])

    def test_with_the_data(self):
        for version in "TLSv1.2", "TLSv1.3":
            with self.subTest(version=version):
                record, _ = self.round_trip(self.fetch(version, policy=EVERYTHING))
                for leg in record["legs"].values():
                    self.assertNotIn("wire_left_out", leg)

    def test_through_a_tunnel(self):
        for version in "TLSv1.2", "TLSv1.3":
            with self.subTest(version=version):
                server = self.nginx(harness.leaf(HOST), versions=version)
                proxy = self.proxy(policy=TUNNEL)
                self.curl(f"https://{HOST}:{server.port}/", proxy, "--cacert", harness.root().file)
                record, back = self.round_trip(proxy, LEFT_OUT_WITH_DATA)
                self.assertNotIn("secrets", record["legs"]["client"])
                self.assertEqual(back[0]["verdict"]["party"], "none")


class Retried(RoundTrip):
    """A server that takes another group than the one whose key share it is sent."""

    def fetch(self, policy, *args):
        server = self.nginx(harness.leaf(HOST), versions="TLSv1.3",
                            server="ssl_ecdh_curve secp384r1;")
        proxy = self.proxy(policy=policy)
        self.curl(f"https://{HOST}:{server.port}/", proxy, *args)
        return proxy

    def assert_retried(self, leg):
        answer = leg["answer"]
        self.assertEqual(answer["hello_retry_request"], "group")
        self.assertEqual(answer["hello_retry_group"], "secp384r1")
        self.assertEqual(leg["tls"]["curve"], "secp384r1")
        self.assertNotEqual(leg["offer"]["raw"], leg["offer"]["raw_second"])

    def test_on_the_leg_of_the_proxy(self):
        record, back = self.round_trip(self.fetch(None), LEFT_OUT_WITH_DATA)
        self.assert_retried(record["legs"]["server"])
        self.assertEqual(sum("hello_retry_request" in one["legs"]["client"]["answer"]
                             for one in back),
                         sum("hello_retry_request" in leg["answer"]
                             for leg in record["legs"].values()))

    def test_through_a_tunnel(self):
        proxy = self.fetch(TUNNEL, "--cacert", harness.root().file)
        record, back = self.round_trip(proxy, LEFT_OUT_WITH_DATA)
        self.assert_retried(record["legs"]["client"])
        self.assert_retried(back[0]["legs"]["client"])


class ClientCertificate(RoundTrip):
    """A client that shows a certificate, through a tunnel: the proxy has no key for one."""

    def fetch(self, version, policy, **more):
        self.own = harness.leaf("the-client.test")
        server = self.nginx(harness.leaf(HOST), versions=version, server=(
            f"ssl_client_certificate {harness.root().file}; ssl_verify_depth 3;"
            "ssl_verify_client on;"))
        proxy = self.proxy(policy=policy)
        self.curl(f"https://{HOST}:{server.port}/", proxy, "--cacert", harness.root().file,
                  "--cert", self.own.chain, "--key", self.own.key, **more)
        return proxy

    def assert_shown(self, leg, scheme):
        self.assertEqual(leg["tls"]["client"]["subject"], "CN=the-client.test")
        self.assertEqual(leg["client_chain"][0]["sans"], ["the-client.test"])
        self.assertEqual(leg["tls"]["client"]["hash"], leg["client_chain"][0]["hash"])
        self.assertEqual(leg["answer"]["client_signature_scheme"], scheme)
        self.assertNotEqual(leg["tls"]["server"]["subject"], "CN=the-client.test")

    def test_in_the_clear(self):
        record, back = self.round_trip(self.fetch("TLSv1.2", TUNNEL), LEFT_OUT_WITH_DATA)
        for one in record, back[0]:
            self.assert_shown(one["legs"]["client"], "ecdsa_secp256r1_sha256")

    def test_with_the_keys_of_the_client(self):
        """TLS 1.3 hides it from the proxy, and from whoever reads its capture without the keys. Where
        nothing tells it from application data, it is kept only with these."""
        keys = f"{self.dir}/keys"
        policy = {"default": {**TUNNEL["default"], **EVERYTHING["default"]}}
        proxy = self.fetch("TLSv1.3", policy, env={**os.environ, "SSLKEYLOGFILE": keys})
        record, back = self.round_trip(proxy)
        for one in record, back[0]:
            self.assertNotIn("client_chain", one["legs"]["client"])
        run = harness.run(harness.PROGRAM, "import", "-q", "--json", "--keylog", keys,
                          self.export(proxy, record))
        self.assert_shown(json.loads(run.stdout)["legs"]["client"], "ecdsa_secp256r1_sha256")


class Failed(RoundTrip):
    def test_client_refuses_the_certificate(self):
        for version in "1.2", "1.3":
            with self.subTest(version=version):
                server = self.nginx(harness.leaf(HOST), versions=f"TLSv{version}")
                proxy = self.proxy()
                self.curl(f"https://{HOST}:{server.port}/", proxy, "--cacert", harness.root().file,
                          check=False)
                record, back = self.round_trip(proxy)
                [alert] = back[0]["legs"]["client"].get("alerts")
                self.assertEqual((alert["from"], alert["name"]), ("client", "unknown_ca"))
                self.assertEqual(record["verdict"]["cause"], "proxy-ca-not-installed")

    def test_server_wants_a_certificate(self):
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with self.subTest(version=version):
                context = harness.tls_context(harness.leaf(HOST), versions=(version, version))
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(harness.root().file)

                def refuse(s, context=context):
                    with contextlib.suppress(OSError), context.wrap_socket(s, server_side=True) as t:
                        t.recv(1000)

                server = self.service(refuse)
                proxy = self.proxy()
                self.curl(f"https://{HOST}:{server.port}/", proxy, check=False)
                # Of TLS 1.3 the client has sent its request before it hears of it.
                _, back = self.round_trip(proxy, LEFT_OUT_WITH_DATA)
                [alert] = [a for a in back[1]["legs"]["client"].get("alerts") if a["level"] == "fatal"]
                self.assertEqual(alert["from"], "server")

    def test_server_answers_with_an_alert(self):
        server = self.service(
            lambda s: (s.recv(10000), s.sendall(b"\x15\x03\x03\x00\x02\x02\x28")))
        proxy = self.proxy()
        self.curl(f"https://{HOST}:{server.port}/", proxy, check=False)
        _, back = self.round_trip(proxy)
        [alert] = back[1]["legs"]["client"].get("alerts")
        self.assertEqual((alert["from"], alert["name"]), ("server", "handshake_failure"))


class Wireshark(Established):
    """What tshark makes of the capture."""

    def handshakes(self, path):
        """The types of handshake messages by TCP stream, in order."""
        run = harness.run("tshark", "-r", path, "-Y", "tls.handshake", "-T", "fields",
                          "-e", "tcp.stream", "-e", "tls.handshake.type")
        streams = {}
        for line in run.stdout.decode().splitlines():
            stream, types = line.split("\t")
            streams.setdefault(stream, []).extend(int(t) for t in types.split(","))
        return list(streams.values())

    def test_decrypts_both_legs(self):
        proxy = self.fetch("TLSv1.3", True)
        path = self.export(proxy, proxy.record())
        # ClientHello, ServerHello, EncryptedExtensions, Certificate, CertificateVerify, Finished.
        self.assertEqual(self.handshakes(path), [[1, 2, 8, 11, 15, 20, 20]] * 2)
        run = harness.run("tshark", "-r", path, "-Y", "_ws.malformed or tcp.checksum.status == 0")
        self.assertEqual(run.stdout, b"")
        run = harness.run("tshark", "-r", path, "-Y", "http.request.method == CONNECT or http.response",
                          "-T", "fields", "-e", "http.host", "-e", "http.response.code")
        port = proxy.record()["port"]
        self.assertEqual(run.stdout.decode().split(), [f"{HOST}:{port}", "200"])

    def test_reads_the_data_where_policy_kept_it(self):
        for version in "TLSv1.2", "TLSv1.3":
            with self.subTest(version=version):
                proxy = self.fetch(version, policy=EVERYTHING)
                path = self.export(proxy, proxy.record())
                run = harness.run("tshark", "-r", path, "-Y", "http.response.code == 200 and tls",
                                  "-T", "fields", "-e", "tcp.stream")
                self.assertEqual(len(set(run.stdout.split())), 2)

    test_without_the_data = test_with_the_data = test_through_a_tunnel = None


class Files(RoundTrip):
    """The other formats, of a log of several connections."""

    def test_keylog_opens_a_capture_of_ours(self):
        server = self.nginx(harness.leaf(HOST))
        proxy = self.proxy()
        for count in 1, 2:
            self.curl(f"https://{HOST}:{server.port}/", proxy)
            records = proxy.records(count)
        whole, keys, lines = f"{self.dir}/w.pcapng", f"{self.dir}/w.keylog", f"{self.dir}/w.json"
        harness.run(harness.PROGRAM, "export", proxy.records_file, "--pcapng", whole,
                    "--keylog", keys, "--json", lines)
        with open(keys, encoding="ascii") as f:
            told = [line.split()[0] for line in f]
        self.assertEqual(sorted(set(told)),
                         [f"{side}_HANDSHAKE_TRAFFIC_SECRET" for side in ("CLIENT", "SERVER")])
        self.assertEqual(len(told), 2 * 2 * 2)
        with open(lines, encoding="utf-8") as f:
            self.assertEqual([json.loads(line) for line in f], records)
        self.assertEqual(len(self.imported(whole)), 4)

    def test_nothing_is_kept_where_policy_says_so(self):
        server = self.nginx(harness.leaf(HOST))
        proxy = self.proxy(policy={"default": {"record": {"handshake_bytes": False,
                                                          "secrets": "none"}}})
        self.curl(f"https://{HOST}:{server.port}/", proxy)
        for leg in proxy.record()["legs"].values():
            self.assertFalse(leg.keys() & {"wire", "wire_left_out", "secrets"})


if __name__ == "__main__":
    unittest.main()
