"""A session as it should be: versions, protocols, keys and names on both legs."""

import socket

from tests.lab import harness
from tests.lab.harness import field

HOST = "a.localhost"
VERSIONS = {"1.0": "TLSv1", "1.1": "TLSv1.1", "1.2": "TLSv1.2", "1.3": "TLSv1.3"}
OLD_TOO = ("--tlsv1.0", "--ciphers", "DEFAULT@SECLEVEL=0")


class Session(harness.Lab):
    """What a healthy record says."""

    def assert_healthy(self, record, version, alpn=None, name=HOST):
        """Both legs were established alike, with a good chain."""
        self.assertEqual(record["mode"], "intercept")
        for leg in "client", "server":
            tls = record["legs"][leg]["tls"]
            self.assertIs(tls["established"], True)
            self.assertEqual((tls["version"], tls["version_protocol"]), (version, "tls"))
            self.assertEqual(tls.get("next_protocol"), alpn)
            self.assertEqual(field(tls, "client.server_name"), name)
            self.assertRegex(tls["cipher"], "^TLS_")
            self.assertEqual(field(record, f"legs.{leg}.answer.version"), f"TLS {version}")
        self.assertEqual(field(record, "legs.server.verification.ok"), True)
        self.assertEqual(record["verdict"]["party"], "none", record["verdict"])


class Nginx(Session):
    """curl, the proxy, nginx."""

    def fetch(self, key, version, http2, *args):
        certificate = harness.leaf(HOST, key=key, issuer=harness.intermediate())
        server = self.nginx(
            certificate, http2, versions=VERSIONS[version],
            server="ssl_ciphers DEFAULT:@SECLEVEL=0;",
        )
        proxy = self.proxy()
        answer = self.curl(f"https://{HOST}:{server.port}/", proxy, *OLD_TOO, *args)
        self.assertEqual((answer.status, answer.body), (200, b"hello\n"))
        self.assertEqual(answer.version, "2" if http2 else "1.1")
        record = proxy.record()
        self.assert_healthy(record, version, "h2" if http2 else "http/1.1")
        self.assertEqual(record["host"], HOST)
        self.assertEqual(record["port"], server.port)
        self.assertRegex(field(record, "user_agent.original"), "^curl/")
        chain = [c["subject"] for c in record["legs"]["server"]["chain"]]
        self.assertEqual(chain, [f"CN={HOST}", "CN=Lab Intermediate"])
        return record

    def test_every_version(self):
        for version in VERSIONS:
            for key in "ec", "rsa":
                with self.subTest(version=version, key=key):
                    record = self.fetch(key, version, False)
                    kind = {"ec": "EC", "rsa": "RSA"}[key]
                    self.assertEqual(record["legs"]["server"]["chain"][0]["key"]["type"], kind)

    def test_http2(self):
        for version in "1.2", "1.3":
            with self.subTest(version=version):
                self.fetch("ec", version, True)

    def test_client_without_ecdsa(self):
        """The server has an ECDSA certificate too; the client must be served with RSA."""
        rsa, ec = harness.leaf(HOST, key="rsa"), harness.leaf(HOST, key="ec")
        server = self.nginx(
            rsa, server=f"ssl_certificate {ec.chain};\nssl_certificate_key {ec.key};"
        )
        proxy = self.proxy()
        self.file("openssl.cnf", "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
                  "[c]\nSignatureAlgorithms = RSA-PSS+SHA256:RSA+SHA256\n")
        answer = self.curl(
            f"https://{HOST}:{server.port}/", proxy, "--tls-max", "1.2",
            "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA",
            env={"OPENSSL_CONF": f"{self.dir}/openssl.cnf"},
        )
        self.assertEqual(answer.body, b"hello\n")
        record = proxy.record()
        self.assert_healthy(record, "1.2", "http/1.1")
        for leg in "client", "server":
            self.assertEqual(
                field(record, f"legs.{leg}.tls.cipher"), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
            )
            self.assertEqual(record["legs"][leg]["chain"][0]["key"]["type"], "RSA")
        self.assertEqual(
            field(record, "legs.client.offer.signature_algorithms"),
            ["rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"],
        )

    def test_client_without_ecdsa_tls13(self):
        server = self.nginx(harness.leaf(HOST, key="rsa"))
        proxy = self.proxy()
        self.file("openssl.cnf", "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
                  "[c]\nSignatureAlgorithms = RSA-PSS+SHA256\n")
        # The proxy's CA is ECDSA, which this client cannot verify: only a leaf from it.
        answer = self.curl(f"https://{HOST}:{server.port}/", proxy, "-k",
                           env={"OPENSSL_CONF": f"{self.dir}/openssl.cnf"})
        self.assertEqual(answer.body, b"hello\n")
        record = proxy.record()
        self.assert_healthy(record, "1.3", "http/1.1")
        self.assertEqual(record["legs"]["client"]["chain"][0]["key"]["type"], "RSA")

    def test_ipv6(self):
        server = self.nginx(harness.leaf("::1"), host="::1")
        proxy = self.proxy(listen="[::1]:0")
        answer = self.curl(f"https://[::1]:{server.port}/", proxy)
        self.assertEqual(answer.body, b"hello\n")
        record = proxy.record()
        self.assert_healthy(record, "1.3", "http/1.1", name=None)
        self.assertEqual(record["host"], "::1")
        for leg in "client", "server":
            self.assertEqual(record["legs"][leg]["address"], "::1")

    def test_ip_address(self):
        server = self.nginx(harness.leaf("127.0.0.1"))
        proxy = self.proxy()
        answer = self.curl(f"https://127.0.0.1:{server.port}/", proxy)
        self.assertEqual(answer.body, b"hello\n")
        record = proxy.record()
        self.assert_healthy(record, "1.3", "http/1.1", name=None)
        self.assertEqual(record["legs"]["client"]["chain"][0]["sans"], ["127.0.0.1"])
        self.assertNotIn("dns", record["legs"]["server"])

    def test_optional_client_certificate(self):
        server = self.nginx(
            harness.leaf(HOST),
            server=f"ssl_verify_client optional; ssl_client_certificate {harness.root().file};\n"
            "location / { return 200 \"$ssl_client_verify\\n\"; }",
        )
        for version in "1.2", "1.3":
            with self.subTest(version=version):
                proxy = self.proxy()
                answer = self.curl(f"https://{HOST}:{server.port}/", proxy, "--tls-max", version)
                self.assertEqual(answer.body, b"NONE\n")
                record = proxy.record()
                self.assert_healthy(record, version, "http/1.1")
                asked = [field(record, f"legs.{leg}.answer.certificate_request")
                         for leg in ("client", "server")]
                self.assertEqual(asked, [None, True])
                self.assertIn("answer.certificate_request",
                              [d["field"] for d in record["differences"]])


class OpenSSL(Session):
    """curl and openssl s_client, the proxy, openssl s_server."""

    def test_every_version(self):
        for version, name in VERSIONS.items():
            with self.subTest(version=version):
                server = self.s_server(
                    harness.leaf(HOST, key="rsa"), "-cipher", "ALL:@SECLEVEL=0",
                    "-" + name.lower().replace(".", "_").replace("v", ""),
                )
                proxy = self.proxy()
                answer = self.curl(f"https://{HOST}:{server.port}/", proxy, *OLD_TOO)
                self.assertEqual(answer.status, 200)
                self.assertIn(f"Protocol  : {name}\n".encode(), answer.body)
                self.assert_healthy(proxy.record(), version)

    def test_hello_retry_request(self):
        server = self.s_server(harness.leaf(HOST), "-groups", "P-384")
        proxy = self.proxy()
        answer = self.curl(f"https://{HOST}:{server.port}/", proxy)
        self.assertEqual(answer.status, 200)
        record = proxy.record()
        self.assert_healthy(record, "1.3")
        self.assertEqual(field(record, "legs.server.tls.curve"), "secp384r1")
        self.assertEqual(field(record, "legs.server.answer.hello_retry_request"), "group")
        self.assertEqual(field(record, "legs.client.tls.curve"), "x25519")

    def test_without_sni(self):
        server = self.s_server(harness.leaf(HOST))
        proxy = self.proxy()
        done = harness.run(
            "openssl", "s_client", "-proxy", f"127.0.0.1:{proxy.port}", "-noservername",
            "-connect", f"{HOST}:{server.port}", "-CAfile", proxy.ca, "-verify_hostname", HOST,
            "-verify_return_error", input=b"GET / HTTP/1.0\r\n\r\n",
        )
        self.assertIn(b"Verify return code: 0 (ok)", done.stdout)
        record = proxy.record()
        self.assert_healthy(record, "1.3", name=None)
        self.assertEqual(field(record, "legs.server.verification.name"), HOST)

    def test_gnutls_client(self):
        server = self.s_server(harness.leaf(HOST))
        proxy = self.proxy()
        # gnutls-cli knows no proxy: the CONNECT is spoken by hand before its TLS begins.
        def pass_on(connection):
            with proxy.connect(f"{HOST}:{server.port}") as onward:
                harness.splice(connection, onward)

        door = self.service(pass_on)
        done = harness.run(
            "gnutls-cli", "--x509cafile", proxy.ca, "--verify-hostname", HOST, "--sni-hostname",
            HOST, "-p", str(door.port), "--logfile", f"{self.dir}/gnutls.log", "127.0.0.1",
            input=b"GET / HTTP/1.0\r\n\r\n",
        )
        self.assertIn(b"200 ok", done.stdout)
        record = proxy.record()
        self.assert_healthy(record, "1.3")

    def test_wget_and_node(self):
        server = self.s_server(harness.leaf(HOST))
        url = f"https://{HOST}:{server.port}/"
        proxy = self.proxy()
        done = harness.run("wget", "-qO-", "--ca-certificate", proxy.ca, url,
                           env={"https_proxy": proxy.url, "PATH": "/usr/bin"})
        self.assertIn(b"TLSv1.3", done.stdout)
        script = """
            const http = require("http"), https = require("https");
            const [host, port, proxyPort] = process.argv.slice(1);
            http.request({host: "127.0.0.1", port: proxyPort, method: "CONNECT",
                          path: `${host}:${port}`})
                .on("connect", (answer, socket) =>
                    https.get({socket, agent: false, servername: host, path: "/"},
                              (page) => page.pipe(process.stdout)))
                .end();"""
        done = harness.run("node", "-e", script, HOST, str(server.port), str(proxy.port),
                           env={"NODE_EXTRA_CA_CERTS": proxy.ca, "PATH": "/usr/bin"})
        self.assertIn(b"TLSv1.3", done.stdout)
        for record in proxy.records(2):
            self.assert_healthy(record, "1.3")


class Keys(Session):
    """SSLKEYLOGFILE."""

    def test_both_legs(self):
        server = self.s_server(harness.leaf(HOST), "-keylogfile", f"{self.dir}/server.keys")
        proxy = self.proxy(env={"SSLKEYLOGFILE": f"{self.dir}/proxy.keys"})
        url = f"https://{HOST}:{server.port}/"
        for version in "1.2", "1.3":
            self.curl(url, proxy, "--tls-max", version,
                      env={"SSLKEYLOGFILE": f"{self.dir}/client.keys"})
        proxy.records(2)

        def keys(who):
            with open(f"{self.dir}/{who}.keys", encoding="ascii") as f:
                lines = {line for line in f if not line.startswith("#")}
            return {line for line in lines if not line.startswith("EXPORTER")}

        self.assertEqual(len({line.split()[1] for line in keys("proxy")}), 4)
        self.assertLessEqual(keys("client"), keys("proxy"))
        self.assertLessEqual(keys("server"), keys("proxy"))


class ManyListeners(Session):
    """More than one address."""

    def test_two(self):
        server = self.nginx(harness.leaf(HOST))
        proxy = self.proxy("-l", "[::1]:0", "--workers", "2")
        other = proxy.wait_line("listening on [::1]:")
        with socket.create_connection(("::1", int(other.rsplit(":", 1)[1]))) as s:
            s.sendall(f"CONNECT {HOST}:{server.port} HTTP/1.1\r\n\r\n".encode())
            self.assertIn(b" 200 ", harness.read_head(s))
