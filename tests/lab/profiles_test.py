"""Every built-in profile, with what it does to each leg: `run --as NAME` between real peers."""

import json
import re
import ssl
import time

from tests.lab import boxes, harness
from tests.lab.boxes import HOST, Outcome, alert, certificates, handshake, say
from tests.lab.harness import PROGRAM, field

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
BLOCKED = "www.blocked.example"

# The names of the profiles that a test below was made for.
TESTED = set()


def of(*profiles):
    """Marks what a test is about."""
    TESTED.update(profiles)
    return lambda function: function


class Box(harness.Lab):
    def as_box(self, profile, *args, **more):
        self.profile = profile
        proxy = self.proxy("--as", profile, *args, **more)
        self.ca = boxes.box_ca(proxy, profile.split(",")[0])
        return proxy

    def good(self, **more):
        """nginx with a sound certificate, as host:port."""
        server = self.nginx(harness.leaf(HOST), **more)
        return f"{HOST}:{server.port}"

    def bad(self, certificate):
        return f"{HOST}:{self.s_server(certificate).port}"

    def works(self, proxy, target, **more):
        done = handshake(proxy, target, self.ca, **more)
        self.assertIsNone(done.error)
        return done

    def fails(self, proxy, target, pattern, **more):
        done = handshake(proxy, target, self.ca, **more)
        self.assertRegex(str(done.error), pattern)

    def box_record(self, proxy):
        record = proxy.record()
        self.assertEqual(field(record, "emulation.profile"), self.profile)
        return record


class Hellos(Box):
    """Boxes that look at the hello, and what they do to those that they do not mind."""

    def reacts(self, profile, outcome, *pieces, target=None):
        target = target or self.good()
        proxy = self.as_box(profile)
        timeout = 2 if outcome.what == "silence" else harness.TIMEOUT
        self.assertEqual(say(proxy, target, *pieces, timeout=timeout), outcome)
        record = self.box_record(proxy)
        self.assertEqual(field(record, "emulation.reaction"), "reactions[0]")
        return record

    def passes(self, profile, hello, target=None):
        """The same box lets another hello through to the server, whose answer comes back."""
        target = target or self.good()
        proxy = self.as_box(profile)
        outcome = say(proxy, target, hello)
        self.assertEqual((outcome.what, outcome.data[:1]), (22, b"\x02"))
        self.assertIsNone(field(self.box_record(proxy), "emulation.reaction"))

    @of("bluecoat-65-tls13-hangup")
    def test_bluecoat(self):
        self.reacts("bluecoat-65-tls13-hangup", Outcome("eof", b""), boxes.hello())
        target = self.good()
        proxy = self.as_box("bluecoat-65-tls13-hangup")
        self.assertEqual(self.works(proxy, target, versions=(None, TLS12)).version, "TLSv1.2")

    @of("fortios-flow-mlkem")
    def test_fortios(self):
        self.reacts("fortios-flow-mlkem", alert(47),
                    boxes.with_group(boxes.hello(), boxes.X25519MLKEM768))
        self.passes("fortios-flow-mlkem", boxes.hello())

    @of("tldr-fail-one-read", "tldr-fail-one-read-stall", "tldr-fail-one-read-alert")
    def test_one_read(self):
        hello = boxes.hello()
        for profile, outcome in (
            ("tldr-fail-one-read", Outcome("reset", b"")),
            ("tldr-fail-one-read-stall", Outcome("silence", b"")),
            ("tldr-fail-one-read-alert", alert(50)),
        ):
            with self.subTest(profile):
                self.reacts(profile, outcome, hello[:100], hello[100:])
        self.passes("tldr-fail-one-read", hello)

    @of("sni-rst")
    def test_sni_rst(self):
        self.reacts("sni-rst", Outcome("reset", b""), boxes.hello(BLOCKED))
        self.passes("sni-rst", boxes.hello())

    @of("sni-stall-residual")
    def test_sni_stall_residual(self):
        target = self.good()
        proxy = self.as_box("sni-stall-residual")
        self.assertEqual(say(proxy, target, boxes.hello()).what, 22)
        for name, reaction in ((BLOCKED, "reactions[0]"), (HOST, "residual")):
            self.assertEqual(say(proxy, target, boxes.hello(name), timeout=1.0).what, "silence")
        records = proxy.records(3)
        self.assertEqual([field(r, "emulation.reaction") for r in records],
                         [None, "reactions[0]", "residual"])

    @of("ech-and-sni-conjunction")
    def test_conjunction(self):
        profile = "ech-and-sni-conjunction"
        both = boxes.with_extension(boxes.hello("cloudflare-ech.com"), boxes.ECH, bytes(60))
        self.reacts(profile, Outcome("silence", b""), both)
        self.passes(profile, boxes.hello("cloudflare-ech.com"))
        self.passes(profile, boxes.with_extension(boxes.hello(), boxes.ECH, bytes(60)))

    @of("nosni-drop")
    def test_no_sni(self):
        self.reacts("nosni-drop", Outcome("reset", b""), boxes.without_sni(boxes.hello()))
        self.passes("nosni-drop", boxes.hello())

    @of("grease-intolerant")
    def test_grease(self):
        self.reacts("grease-intolerant", alert(47),
                    boxes.with_extension(boxes.hello(), boxes.GREASE_EXTENSION))
        self.passes("grease-intolerant", boxes.hello())

    @of("record-split-intolerant")
    def test_two_records(self):
        self.reacts("record-split-intolerant", alert(50), boxes.in_two_records(boxes.hello()))
        self.passes("record-split-intolerant", boxes.hello())

    @of("plain-http-answer")
    def test_plain_http(self):
        target = self.good()
        proxy = self.as_box("plain-http-answer")
        outcome = say(proxy, target, boxes.hello())
        self.assertRegex(outcome.data, rb"\AHTTP/1\.[01] 403 ")

    @of("strip-supported-versions")
    def test_strip_supported_versions(self):
        seen = []

        def listens(s):
            head = harness.read_exactly(s, 5)
            seen.append(head + harness.read_exactly(s, boxes.u16(head, 3)))

        server = self.service(listens)
        hello = boxes.hello()
        proxy = self.as_box("strip-supported-versions")
        say(proxy, f"{HOST}:{server.port}", hello)
        want = [e for e in boxes.extensions_of(hello) if e[0] != 43]
        self.assertEqual(seen, [boxes.with_extensions(hello, want)])
        # The server chooses TLS 1.2 and marks it; the client sees that it was talked down.
        self.fails(self.as_box("strip-supported-versions"), self.good(), "(?i)inappropriate|downgrade")

    @of("mtu-blackhole")
    def test_blackhole(self):
        proxy = self.as_box("mtu-blackhole")
        server = self.nginx(harness.leaf(HOST, key="rsa", issuer=harness.intermediate()))
        with proxy.connect(f"{HOST}:{server.port}") as s:
            s.sendall(boxes.hello())
            harness.read_exactly(s, 1400)
            s.settimeout(2)
            with self.assertRaises(TimeoutError):
                s.recv(1)


class Pages(Box):
    """Boxes that answer in the server's place."""

    @of("umbrella-blockpage")
    def test_umbrella(self):
        server = self.nginx(harness.leaf(HOST))
        proxy = self.as_box("umbrella-blockpage")
        target = f"127.0.0.1:{server.port}"
        done = self.works(proxy, target, name=BLOCKED)
        self.assertRegex(done.body, rb"\AHTTP/1\.1 403 (?s:.*)This site is blocked")
        text = certificates(proxy, target, BLOCKED)[0]
        self.assertRegex(text, r"Issuer: O=Cisco,CN=Cisco Umbrella Primary SubCA")
        self.assertIn(f"DNS:{BLOCKED}", text)
        self.assertEqual(say(proxy, target, boxes.hello(HOST)).what, 22)

    @of("captive-portal")
    def test_captive_portal(self):
        target = self.good()
        proxy = self.as_box("captive-portal")
        self.assertIn("DNS:portal.example", certificates(proxy, target)[0])
        self.fails(proxy, target, "Hostname mismatch")
        done = self.works(proxy, target, name="portal.example")
        self.assertRegex(done.body, rb"\AHTTP/1\.1 302 (?s:.*)(?i:location): http://portal.example/")


class Versions(Box):
    """Caps, sentinels, groups, tickets: what TLS itself says on either leg."""

    @of("firepower-random-copy")
    def test_random_copy(self):
        target = self.good()
        proxy = self.as_box("firepower-random-copy")
        outcome = say(proxy, target, boxes.hello())
        self.assertEqual((outcome.what, outcome.data[4:6]), (22, b"\x03\x03"))
        self.assertEqual(outcome.data[30:38], b"DOWNGRD\x01")
        record = self.box_record(proxy)
        self.assertNotIn("TLS 1.3", field(record, "legs.server.offer.versions") or [])
        self.fails(self.as_box("firepower-random-copy"), target, "(?i)inappropriate|downgrade")

    @of("panos-2018-tls12-cap")
    def test_panos(self):
        target = self.good(http2=True)
        proxy = self.as_box("panos-2018-tls12-cap")
        done = self.works(proxy, target, alpn=("h2", "http/1.1"))
        self.assertEqual((done.version, done.alpn), ("TLSv1.2", None))
        record = self.box_record(proxy)
        self.assertEqual(field(record, "legs.server.tls.version"), "1.2")
        self.assertEqual(field(record, "legs.client.offer.alpn"), ["h2", "http/1.1"])
        self.assertIsNone(field(record, "legs.server.offer.alpn"))
        text = certificates(proxy, target)[0]
        self.assertRegex(text, r"Issuer: CN=forward-trust\b(?s:.*)Public-Key: \(2048 bit\)")

    @of("alpn-strip-grpc")
    def test_alpn_strip(self):
        proxy = self.as_box("alpn-strip-grpc")
        done = self.works(proxy, self.good(http2=True), alpn=("h2",))
        self.assertEqual((done.version, done.alpn), ("TLSv1.3", None))
        self.assertIsNone(field(self.box_record(proxy), "legs.server.offer.alpn"))

    @of("checkpoint-no-expiry")
    def test_checkpoint(self):
        server = self.s_server(harness.expired(HOST, key="rsa"), "-tls1", "-cipher", "ALL@SECLEVEL=0")
        proxy = self.as_box("checkpoint-no-expiry")
        self.works(proxy, f"{HOST}:{server.port}")
        record = self.box_record(proxy)
        self.assertEqual(field(record, "legs.server.tls.version"), "1.0")
        self.assertLessEqual(set(field(record, "legs.server.offer.ciphers")),
                             {"TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA",
                              "TLS_RSA_WITH_3DES_EDE_CBC_SHA"})
        self.assertEqual(record["verdict"]["cause"] == "healthy", False)

    @of("version-upgrade-laundering")
    def test_upgrade(self):
        server = self.s_server(harness.leaf(HOST, key="rsa"), "-tls1", "-cipher", "ALL:3DES@SECLEVEL=0")
        proxy = self.as_box("version-upgrade-laundering")
        done = handshake(proxy, f"{HOST}:{server.port}", self.ca)
        record = self.box_record(proxy)
        self.assertEqual(field(record, "legs.server.offer.ciphers"), ["TLS_RSA_WITH_3DES_EDE_CBC_SHA"])
        if done.error is None:  # where the server's library still has 3DES
            self.assertEqual((done.version, done.cipher), ("TLSv1.3", "TLS_AES_128_GCM_SHA256"))
            self.assertEqual(field(record, "legs.server.tls.version"), "1.0")

    @of("hrr-breaker")
    def test_hrr(self):
        proxy = self.as_box("hrr-breaker")
        with proxy.connect(self.good()) as s:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=HOST)
            with self.assertRaises(ssl.SSLWantReadError):
                tls.do_handshake()
            s.sendall(outgoing.read())
            incoming.write(s.recv(65536))
            with self.assertRaises(ssl.SSLWantReadError):
                tls.do_handshake()
            second = outgoing.read()  # after a HelloRetryRequest there is more to say
            self.assertIn(b"\x01\x00", second)
            with self.assertRaises(OSError):
                s.sendall(second)
                if s.recv(1) == b"":
                    raise ConnectionResetError
                self.fail("the second hello was answered")
        self.assertEqual(field(self.box_record(proxy), "emulation.reaction"), "reactions[0]")

    @of("compat-ccs-inject", "compat-ccs-omit")
    def test_ccs(self):
        counts = {}
        for profile in ("compat-ccs-inject", "compat-ccs-omit"):
            proxy = self.as_box(profile)
            with proxy.connect(self.good()) as s:
                s.sendall(boxes.hello())
                types = []
                while True:
                    head = harness.read_exactly(s, 5)
                    types.append(head[0])
                    harness.read_exactly(s, boxes.u16(head, 3))
                    if head[0] == 23:
                        break
            counts[profile] = types.count(20)
        self.assertEqual(counts, {"compat-ccs-inject": 2, "compat-ccs-omit": 0})

    @of("session-id-echo-12")
    def test_session_id_echo(self):
        hello = boxes.hello()
        proxy = self.as_box("session-id-echo-12")
        outcome = say(proxy, self.good(), hello)
        self.assertEqual((outcome.what, outcome.data[4:6]), (22, b"\x03\x03"))
        session_id = hello[44:44 + hello[43]]
        self.assertEqual(outcome.data[39:39 + outcome.data[38]], session_id)
        self.assertEqual(len(session_id), 32)

    @of("ticket-poison")
    def test_ticket(self):
        target = self.good()
        proxy = self.as_box("ticket-poison")
        context = proxy.client_context(versions=(None, TLS12))
        context.load_verify_locations(self.ca)
        with proxy.connect(target) as raw, context.wrap_socket(raw, server_hostname=HOST) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn(b"hello", harness.read_all(s))
            session = s.session
        self.assertTrue(session.has_ticket)
        with proxy.connect(target) as raw:
            with self.assertRaisesRegex(ssl.SSLError, "(?i)decrypt.error"):
                context.wrap_socket(raw, server_hostname=HOST, session=session)

    @of("mtls-swallower")
    def test_mtls(self):
        root = harness.root().file
        server = self.nginx(harness.leaf(HOST),
                            server=f"ssl_client_certificate {root}; ssl_verify_client on;")
        proxy = self.as_box("mtls-swallower")
        done = self.works(proxy, f"{HOST}:{server.port}")
        self.assertIn(b"No required SSL certificate was sent", done.body)
        record = self.box_record(proxy)
        self.assertTrue(field(record, "legs.server.answer.certificate_request"))
        self.assertFalse(field(record, "legs.client.answer.certificate_request"))

    @of("slow-origin-fetch")
    def test_slow(self):
        proxy = self.as_box("slow-origin-fetch")
        began = time.monotonic()
        self.works(proxy, self.good(), timeout=60)
        self.assertGreaterEqual(time.monotonic() - began, 10.0)


class Certificates(Box):
    """What the box forges, as openssl reads it."""

    def chain_of(self, profile, target=None):
        target = target or self.good()
        proxy = self.as_box(profile)
        return proxy, target, certificates(proxy, target)

    def days(self, text):
        begin, end = (time.mktime(time.strptime(t, "%b %d %H:%M:%S %Y"))
                      for t in re.findall(r"Not (?:Before|After ?): (.*) GMT", text))
        return (end - begin) / 86400

    @of("fortigate-untrusted-resign")
    def test_fortigate_untrusted(self):
        self.fails(self.as_box("fortigate-untrusted-resign"), self.bad(harness.self_signed(HOST)),
                   "CERTIFICATE_VERIFY_FAILED")
        text = self.chain_of(self.profile, self.bad(harness.self_signed(HOST)))[2][0]
        self.assertRegex(text, r"Issuer: .*CN=FortiGate Untrusted CA")
        proxy, target, chain = self.chain_of(self.profile)
        self.assertRegex(chain[0], "Issuer: C=US,ST=California,L=Sunnyvale,O=Fortinet,"
                                   "OU=Certificate Authority,CN=FortiGate CA")
        self.works(proxy, target)

    @of("fortigate-ignore", "no-validation-webtitan")
    def test_no_validation(self):
        for profile in ("fortigate-ignore", "no-validation-webtitan"):
            for name, certificate in (("expired", harness.expired(HOST)),
                                      ("self-signed", harness.self_signed(HOST))):
                with self.subTest(profile=profile, certificate=name):
                    self.works(self.as_box(profile), self.bad(certificate))

    @of("privdog-resign-all", "pcpandora-rc4", "kaspersky-2016-crime")
    def test_old_hellos(self):
        """What can be seen of them on the server leg."""
        for profile, version, sni in (("privdog-resign-all", "1.0", True), ("pcpandora-rc4", "1.0", True),
                                      ("kaspersky-2016-crime", "1.2", True)):
            with self.subTest(profile):
                proxy = self.as_box(profile)
                handshake(proxy, self.good(), self.ca)
                offer = field(self.box_record(proxy), "legs.server.offer")
                self.assertNotIn("application_layer_protocol_negotiation", offer["extensions"])
                self.assertEqual(offer["legacy_version"], "TLS " + version)

    @of("kaspersky-978-collision", "kaspersky-978-forced")
    def test_collision(self):
        names = ["a.localhost", "b.localhost", "c.localhost"]
        targets = [f"{n}:{self.nginx(harness.leaf(n)).port}" for n in names]
        for profile, wrong in (("kaspersky-978-collision", False), ("kaspersky-978-forced", True)):
            proxy = self.as_box(profile)
            errors = [handshake(proxy, t, self.ca, name=n).error for n, t in zip(names, targets)]
            self.assertIsNone(errors[0])
            self.assertEqual(any(e and "Hostname mismatch" in e for e in errors), wrong)

    @of("superfish-komodia")
    def test_superfish(self):
        proxy = self.as_box("superfish-komodia")
        server = self.s_server(harness.leaf(HOST, key="rsa"), "-tls1_1", "-cipher", "ALL@SECLEVEL=0")
        done = harness.run(
            *["openssl", "s_client", "-proxy", f"{proxy.host}:{proxy.port}", "-connect",
              f"{HOST}:{server.port}", "-servername", HOST, "-cipher", "ALL@SECLEVEL=0"],
            check=False, timeout=20).stdout.decode()
        self.assertIn("TLSv1.1", done)
        pem = done[done.index("-----BEGIN"):]
        text = harness.run("openssl", "x509", "-noout", "-text", input=pem.encode()).stdout.decode()
        self.assertRegex(text, r"sha1WithRSAEncryption(?s:.*)Public-Key: \(1024 bit\)")
        self.assertIn("Superfish, Inc.", text)

    @of("eset-schannel")
    def test_eset(self):
        target = self.good(http2=True)
        proxy = self.as_box("eset-schannel")
        self.assertEqual(self.works(proxy, target, alpn=("h2", "http/1.1")).alpn, "http/1.1")
        text = certificates(proxy, target)[0]
        self.assertNotIn("Key Identifier", text)
        self.assertRegex(text, r"Issuer: C=SK,O=ESET\\?, spol. s r. o.,CN=ESET SSL Filter CA")
        origin = harness.run("openssl", "x509", "-noout", "-text", "-in", harness.leaf(HOST).file)
        dates = re.findall(r"Not .*GMT", text)
        self.assertEqual(dates, re.findall(r"Not .*GMT", origin.stdout.decode()))

    @of("norton-noncritical-bc", "zscaler-like")
    def test_roots(self):
        for profile in ("norton-noncritical-bc", "zscaler-like"):
            self.as_box(profile)
            text = harness.run("openssl", "x509", "-noout", "-text", "-in", self.ca).stdout.decode()
            self.assertRegex(text, r"Basic Constraints: \n +CA:TRUE")
        proxy, target, chain = self.chain_of("zscaler-like")
        self.assertEqual(len(chain), 2)
        self.assertRegex(chain[1], r"Subject: .*CN=Zscaler Intermediate Root CA")
        self.assertRegex(chain[0], r"Subject: .*OU=Zscaler Inc\.,OU=Zscaler Inc\.")
        self.assertEqual(self.days(chain[0]), 14)
        self.assertRegex(chain[0], r"Serial Number:\n +(\w\w:){15}\w\w\n")
        self.works(proxy, target)

    @of("squid-bump-mimic")
    def test_squid(self):
        text = self.chain_of("squid-bump-mimic")[2][0]
        origin = harness.run("openssl", "x509", "-noout", "-text", "-nameopt", "sep_comma_plus",
                             "-in", harness.leaf(HOST).file).stdout.decode()
        for line in ("Subject: .*", "Not Before.*", "Not After.*", "DNS:.*"):
            self.assertEqual(re.findall(line, text), re.findall(line, origin))
        text = self.chain_of("squid-bump-mimic", self.bad(harness.self_signed(HOST)))[2][0]
        issuer, subject = (re.search(f"{word}: (.*)", text)[1] for word in ("Issuer", "Subject"))
        self.assertEqual(issuer, subject)

    @of("sslsplit-serial")
    def test_sslsplit(self):
        chain = self.chain_of("sslsplit-serial")[2]
        origin = harness.run("openssl", "x509", "-noout", "-serial", "-in", harness.leaf(HOST).file)
        was = int(origin.stdout.decode().strip().partition("=")[2], 16)
        number = re.search(r"Serial Number:\s+([0-9a-f:]+|\d+)", chain[0])[1]
        added = int(number.replace(":", ""), 16 if ":" in number else 10) - was
        self.assertTrue(0 <= added < 1 << 32)
        self.assertEqual((len(chain), self.days(chain[0])), (2, 365))
        self.assertRegex(chain[0], r"(?s)Subject Key Id.*Authority Key Id.*DirName:.*Basic Con.*"
                                   r"Key Usage: \n.*Extended Key Usage.*Subject Alternative")

    @of("firefox-serial-reuse")
    def test_serial_reuse(self):
        numbers = []
        for _ in range(2):
            proxy, _, chain = self.chain_of("firefox-serial-reuse")
            numbers += re.findall(r"Serial Number: (\d+)", chain[0])
            proxy.stop()
        self.assertEqual(numbers, ["1", "1"])

    @of("cn-only-leaf")
    def test_cn_only(self):
        proxy, target, chain = self.chain_of("cn-only-leaf")
        self.assertRegex(chain[0], f"Subject: CN={HOST}\n")
        self.assertNotIn("Alternative", chain[0])
        self.works(proxy, target)  # OpenSSL looks at the CN where there is nothing else

    @of("long-validity-leaf")
    def test_long_validity(self):
        proxy, target, chain = self.chain_of("long-validity-leaf")
        self.assertEqual(self.days(chain[0]), 3652)
        self.works(proxy, target)

    @of("sha1-leaf")
    def test_sha1(self):
        self.assertIn("sha1WithRSAEncryption", self.chain_of("sha1-leaf")[2][0])

    @of("eku-missing", "ku-wrong")
    def test_usages(self):
        text = self.chain_of("eku-missing")[2][0]
        self.assertRegex(text, r"Extended Key Usage: \n +TLS Web Client Authentication\n")
        text = self.chain_of("ku-wrong")[2][0]
        self.assertRegex(text, r"Key Usage: critical\n +Certificate Sign\n")

    @of("leaf-only-chain", "reversed-chain")
    def test_chains(self):
        proxy, target, chain = self.chain_of("leaf-only-chain")
        self.assertEqual(len(chain), 1)
        self.fails(proxy, target, "unable to get local issuer certificate")
        proxy, target, chain = self.chain_of("reversed-chain")
        self.assertEqual([re.search("Subject: .*CN=(.*)", text)[1] for text in chain],
                         [HOST, "Inspection Root CA", "Inspection Intermediate CA"])

    @of("double-mitm")
    def test_double(self):
        behind = self.as_box("eset-schannel")
        front = self.as_box("double-mitm", "--parent", behind.url, trust=[self.ca])
        target = self.good()
        self.works(front, target)
        self.assertRegex(certificates(front, target)[0], "Issuer: C=CY,O=AdGuard,CN=Adguard Personal CA")
        record = front.records(2)[0]
        self.assertIn("ESET SSL Filter CA", field(record, "legs.server.tls.server.issuer"))


class All(harness.Lab):
    def test_each_profile_has_a_test(self):
        listed = json.loads(harness.run(PROGRAM, "profiles", "--json").stdout)
        self.assertEqual({row["name"] for row in listed}, TESTED)
