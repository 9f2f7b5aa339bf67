"""Boxes whose hello is a template: its bytes on the wire, and pages through real servers."""

import contextlib
import json
import socket
import struct

from tests.lab import boxes, harness, servers
from tests.lab.boxes import HOST
from tests.lab.harness import PROGRAM, field

# Code points by the names that the templates below use.
CODES = json.loads(r"""{
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": 49195, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": 49199,
  "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": 49162, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": 49172,
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": 49161, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": 49171,
  "TLS_RSA_WITH_AES_128_GCM_SHA256": 156, "TLS_RSA_WITH_AES_256_CBC_SHA": 53,
  "TLS_RSA_WITH_AES_128_CBC_SHA": 47, "TLS_RSA_WITH_3DES_EDE_CBC_SHA": 10,
  "TLS_EMPTY_RENEGOTIATION_INFO_SCSV": 255, "TLS_RSA_WITH_RC4_128_MD5": 4,
  "TLS_RSA_WITH_RC4_128_SHA": 5, "TLS_AES_128_GCM_SHA256": 4865, "TLS_AES_256_GCM_SHA384": 4866,
  "TLS_CHACHA20_POLY1305_SHA256": 4867, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256": 158,
  "TLS_DHE_RSA_WITH_AES_256_CBC_SHA": 57, "TLS_RSA_WITH_AES_128_CBC_SHA256": 60,
  "TLS_RSA_WITH_AES_256_CBC_SHA256": 61, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384": 49192,
  "server_name": 0, "status_request": 5, "supported_groups": 10, "ec_point_formats": 11,
  "signature_algorithms": 13, "heartbeat": 15, "session_ticket": 35, "supported_versions": 43,
  "psk_key_exchange_modes": 45, "key_share": 51, "extended_main_secret": 23,
  "sect571r1": 14, "sect571k1": 13, "secp521r1": 25, "sect409k1": 11, "sect409r1": 12,
  "secp384r1": 24, "sect283k1": 9, "sect283r1": 10, "secp256k1": 22, "secp256r1": 23,
  "sect239k1": 8, "sect233k1": 6, "sect233r1": 7, "secp224k1": 20, "secp224r1": 21, "sect193r1": 4,
  "sect193r2": 5, "secp192k1": 18, "secp192r1": 19, "sect163k1": 1, "sect163r1": 2, "sect163r2": 3,
  "secp160k1": 15, "secp160r1": 16, "secp160r2": 17, "x25519": 29,
  "rsa_pkcs1_sha512": 1537, "rsa_pkcs1_sha384": 1281, "rsa_pkcs1_sha256": 1025,
  "rsa_pkcs1_sha224": 769, "rsa_pkcs1_sha1": 513, "ecdsa_secp521r1_sha512": 1539,
  "ecdsa_secp384r1_sha384": 1283, "ecdsa_secp256r1_sha256": 1027, "ecdsa_sha224": 771,
  "ecdsa_sha1": 515, "rsa_pss_rsae_sha256": 2052,
  "uncompressed": 0, "ansiX962_compressed_prime": 1, "ansiX962_compressed_char2": 2,
  "NULL": 0, "DEFLATE": 1, "1.0": 769, "1.1": 770, "1.2": 771, "TLS 1.3": 772, "TLS 1.2": 771
}""")

SIGNATURES = ["rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256", "rsa_pkcs1_sha256"]
TLS13 = {
    "session_id_len": 32,
    "ciphers": ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256",
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
    "extensions": ["key_share", "supported_versions", "signature_algorithms", "supported_groups",
                   "psk_key_exchange_modes", "server_name"],
    "versions": ["TLS 1.3", "TLS 1.2"], "groups": ["secp384r1", "x25519"],
    "key_shares": ["x25519"], "signature_algorithms": SIGNATURES,
}
DHE = {
    "ciphers": ["TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"],
    "extensions": ["extended_main_secret", "signature_algorithms", "server_name"],
    "signature_algorithms": SIGNATURES,
}


SHA2 = {
    "ciphers": ["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "TLS_RSA_WITH_AES_256_CBC_SHA256",
                "TLS_RSA_WITH_AES_128_CBC_SHA256"],
    "extensions": ["signature_algorithms", "supported_groups", "server_name"],
    "groups": ["secp256r1"], "signature_algorithms": SIGNATURES,
}
OLD_GNUTLS = "NONE:+VERS-TLS1.0:+RSA:+COMP-NULL:+SIGN-ALL:+CTYPE-ALL:"


def sized(data, width):
    return len(data).to_bytes(width, "big") + data


def codes(names, width=2):
    return b"".join(CODES[name].to_bytes(width, "big") for name in names)


def hello_of(template, name, seen):
    """The record that `template` makes: fresh bytes are those that were `seen`."""
    id_len = template.get("session_id_len", 0)
    share = seen[seen.index(b"\0\x24\0\x1d\0\x20") + 6:][:32] if "key_shares" in template else b""
    bodies = {
        "server_name": sized(b"\0" + sized(name.encode(), 2), 2),
        "status_request": bytes.fromhex("0100000000"),
        "heartbeat": b"\1",
        "psk_key_exchange_modes": b"\1\1",
        "supported_groups": sized(codes(template.get("groups", [])), 2),
        "signature_algorithms": sized(codes(template.get("signature_algorithms", [])), 2),
        "ec_point_formats": sized(codes(template.get("point_formats", ["uncompressed"]), 1), 1),
        "supported_versions": sized(codes(template.get("versions", [])), 1),
        "key_share": sized(b"\0\x1d" + sized(share, 2), 2),
    }
    extensions = b"".join(codes([name]) + sized(bodies.get(name, b""), 2)
                          for name in template["extensions"])
    body = codes([template.get("version", "1.2")]) + seen[11:43] + sized(seen[44:44 + id_len], 1) \
        + sized(codes(template["ciphers"]), 2) \
        + sized(codes(template.get("compression", ["NULL"]), 1), 1) + sized(extensions, 2)
    return b"\x16" + codes([template.get("record_version", "1.0")]) \
        + sized(b"\1" + sized(body, 3), 2)


class Templates(harness.Lab):
    def tapped(self, port):
        """A way to `port` whose first record of each client is kept."""
        seen = []

        def handle(client):
            head = harness.read_exactly(client, 5)
            record = head + harness.read_exactly(client, struct.unpack(">H", head[3:])[0])
            seen.append(record)
            with socket.create_connection(("127.0.0.1", port), harness.TIMEOUT) as server:
                server.sendall(record)
                with contextlib.suppress(OSError):
                    harness.splice(client, server)

        return self.service(handle).port, seen

    def box(self, template):
        """The proxy as a box with this template, or as the profile of this name."""
        if isinstance(template, str):
            text = harness.run(PROGRAM, "profiles", template).stdout.decode()
            shown = json.loads(text[text.index("\n{\n") + 1:])["server_leg"]["template"]
            proxy, name = self.proxy("--as", template), template
        else:
            profile = {"name": "box", "server_leg": {"hello": "template", "template": template}}
            proxy = self.proxy("--as", self.file("box.json", json.dumps(profile).encode()))
            shown, name = template, "box"
        return proxy, boxes.box_ca(proxy, name), shown

    def page(self, template, port, text=b""):
        """A page through the box: the hello is the template's, and nothing of it is missing."""
        proxy, ca, shown = self.box(template)
        tap, seen = self.tapped(port)
        # The client gets the version of the server leg, which OpenSSL may find too old.
        answer = self.curl(f"https://{HOST}:{tap}/", proxy, "--cacert", ca, "--tlsv1.0",
                           "--ciphers", "ALL:@SECLEVEL=0")
        self.assertEqual((answer.exit, answer.status), (0, 200), answer.err)
        self.assertIn(text, answer.body)
        self.assertEqual(seen, [hello_of(shown, HOST, seen[0])])
        record = proxy.record()
        self.assertTrue(field(record, "legs.server.tls.established"))
        self.assertTrue(field(record, "legs.server.verification.ok"))
        self.assertGreater(field(record, "legs.server.bytes.data_received"), 0)
        self.assertEqual(field(record, "verdict.cause"), "healthy")
        return record

    def gnutls(self, priority):
        """The port of gnutls-serv."""
        certificate = lambda: harness.leaf(HOST, key="rsa")
        return servers.gnutls_serv(certificate, "--priority", priority)(self)[1]

    def test_kaspersky(self):
        """E11, in front of each suite that OpenSSL still speaks."""
        rsa = harness.leaf(HOST, key="rsa")
        self.page("kaspersky-2016-crime", self.nginx(rsa).port, b"hello\n")
        self.page("kaspersky-2016-crime", self.nginx(harness.leaf(HOST)).port, b"hello\n")
        for cipher in "ECDHE-RSA-AES256-SHA", "AES128-GCM-SHA256", "AES256-SHA", "AES128-SHA":
            with self.subTest(cipher):
                server = self.s_server(rsa, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
                self.page("kaspersky-2016-crime", server.port, cipher.encode())

    def test_pandora(self):
        """E14: each of its suites, in TLS 1.0, which of these servers GnuTLS has left."""
        for suite, more in (("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "+3DES-CBC:+SHA1"),
                            ("TLS_RSA_WITH_RC4_128_SHA", "+ARCFOUR-128:+SHA1"),
                            ("TLS_RSA_WITH_RC4_128_MD5", "+ARCFOUR-128:+MD5")):
            with self.subTest(suite):
                record = self.page("pcpandora-rc4", self.gnutls(OLD_GNUTLS + more))
                self.assertEqual(field(record, "legs.server.tls.cipher"), suite)
                self.assertEqual(field(record, "legs.server.tls.version"), "1.0")

    def test_unspoken(self):
        """What the template offers, the server chooses, and nobody here speaks."""
        proxy, ca, _ = self.box({"version": "1.0", "extensions": ["server_name"],
                                 "ciphers": ["TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"]})
        port = self.gnutls(OLD_GNUTLS + "+CAMELLIA-128-CBC:+SHA1")
        answer = self.curl(f"https://{HOST}:{port}/", proxy, "--cacert", ca, check=False)
        self.assertNotEqual(answer.exit, 0)
        record = proxy.record()
        self.assertEqual(field(record, "verdict.party"), "proxy")
        self.assertEqual(field(record, "verdict.cause"), "emulated")
        self.assertIn("a cipher suite that is not spoken here", field(record, "verdict.says"))

    def test_tls13(self):
        rsa = harness.leaf(HOST, key="rsa")
        self.page(TLS13, self.nginx(harness.leaf(HOST)).port, b"hello\n")
        self.page(TLS13, self.gnutls("NORMAL"))
        for more in ([], ["-groups", "P-384"], ["-tls1_2"]): # P-384 asks for another hello
            with self.subTest(more):
                server = self.s_server(rsa, *more)
                self.page(TLS13, server.port, b"TLSv1.2" if more == ["-tls1_2"] else b"TLSv1.3")

    def test_dhe(self):
        rsa = harness.leaf(HOST, key="rsa")
        for cipher in "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-SHA":
            with self.subTest(cipher):
                server = self.s_server(rsa, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
                self.page(DHE, server.port, cipher.encode())

    def test_cbc_sha2(self):
        rsa = harness.leaf(HOST, key="rsa")
        for cipher in "AES128-SHA256", "AES256-SHA256", "ECDHE-RSA-AES256-SHA384":
            with self.subTest(cipher):
                server = self.s_server(rsa, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
                self.page(SHA2, server.port, cipher.encode())

    def test_old_versions(self):
        """Data in both directions under each version's CBC."""
        rsa = harness.leaf(HOST, key="rsa")
        for version, flag in ("1.0", "-tls1"), ("1.1", "-tls1_1"), ("1.2", "-tls1_2"):
            template = {"version": version, "ciphers": ["TLS_RSA_WITH_AES_128_CBC_SHA"],
                        "extensions": ["server_name", "session_ticket"]}
            with self.subTest(version):
                server = self.s_server(rsa, flag, "-cipher", "ALL:@SECLEVEL=0")
                self.page(template, server.port, b"AES128-SHA")
