"""Clients that come again: tunnels, other leaves and canaries, with real clients."""

import base64
import hashlib
import os
import shutil
import signal
import ssl
import unittest

from tests.lab import clients, harness, pki
from tests.lab.proxy import PROGRAM, has_ended

HOST, OTHER, THIRD = "a.localhost", "b.localhost", "c.localhost"
FORMS = ["rsa", "short", "exact-name", "no-aki", "with-root", "sha384"]
RSA, ECDSA_SHA384 = bytes.fromhex("06092a864886f70d010101"), bytes.fromhex("06082a8648ce3d040303")


def pin_of(certificate):
    """The pin of a certificate's key, as curl has it."""
    pem = harness.run("openssl", "x509", "-in", certificate.file, "-pubkey", "-noout").stdout
    der = harness.run("openssl", "pkey", "-pubin", "-outform", "der", input=pem).stdout
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()


# A client that trusts a store, and may look at the leaf once more: "rsa" for its key, or a pin.
JAVA = """
import java.net.*; import java.security.*; import java.security.cert.*; import java.util.*;
import javax.net.ssl.*;
public class Get {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        int n = 0;
        for (String path : args[2].split(","))
            try (var in = new java.io.FileInputStream(path)) {
                for (var c : CertificateFactory.getInstance("X.509").generateCertificates(in))
                    store.setCertificateEntry("ca" + n++, c);
            }
        var usual = TrustManagerFactory.getInstance("PKIX");
        usual.init(store);
        var trust = (X509ExtendedTrustManager) usual.getTrustManagers()[0];
        var choosy = new X509ExtendedTrustManager() {
            public X509Certificate[] getAcceptedIssuers() { return trust.getAcceptedIssuers(); }
            public void checkClientTrusted(X509Certificate[] c, String a) {}
            public void checkClientTrusted(X509Certificate[] c, String a, Socket s) {}
            public void checkClientTrusted(X509Certificate[] c, String a, SSLEngine e) {}
            public void checkServerTrusted(X509Certificate[] c, String a) throws CertificateException {
                trust.checkServerTrusted(c, a);
            }
            public void checkServerTrusted(X509Certificate[] c, String a, SSLEngine e)
                    throws CertificateException { trust.checkServerTrusted(c, a, e); }
            public void checkServerTrusted(X509Certificate[] c, String a, Socket s)
                    throws CertificateException {
                trust.checkServerTrusted(c, a, s);
                try {
                    var key = c[0].getPublicKey();
                    var hash = MessageDigest.getInstance("SHA-256").digest(key.getEncoded());
                    String pin = "sha256//" + Base64.getEncoder().encodeToString(hash);
                    if (args[3].equals("rsa") && !key.getAlgorithm().equals("RSA")
                        || args[3].startsWith("sha256//") && !args[3].equals(pin))
                        throw new CertificateException("not this one");
                } catch (NoSuchAlgorithmException e) { throw new CertificateException(e); }
            }
        };
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {choosy}, null);
        URI proxy = new URI(args[1]);
        var c = (HttpsURLConnection) new URL(args[0]).openConnection(new Proxy(Proxy.Type.HTTP,
            new InetSocketAddress(proxy.getHost(), proxy.getPort())));
        c.setSSLSocketFactory(context.getSocketFactory());
        c.setReadTimeout(20000);
        try {
            c.getInputStream().readAllBytes();
        } catch (SSLException e) { System.exit(60); }
    }
}
"""


def rsa(der):
    """A client's rule: keys are RSA."""
    return RSA in der


def sha384(der):
    """A client's rule: signatures are made with SHA-384."""
    return ECDSA_SHA384 in der


class Tries(harness.Lab):
    """A server of three names, and what clients that come again have in common."""

    def setUp(self):
        self.certificate = harness.leaf(HOST, OTHER, THIRD)
        self.server = self.s_server(self.certificate)

    def start(self, *args, **client_leg):
        return self.proxy(*args, policy={"default": {"client_leg": client_leg}})

    def both(self, proxy):
        """A file with the proxy's CA and the root of servers."""
        with open(proxy.ca, "rb") as ca, open(pki.root().file, "rb") as root:
            return self.file("both.pem", ca.read() + root.read())

    def get(self, proxy, *args, host=HOST, ca=None):
        """One curl, whose record is written when this returns its exit status."""
        exit_status = harness.run(
            *["curl", "-q", "-sS", "--max-time", "8", "--noproxy", "", "-x", proxy.url],
            *["--cacert", ca or self.both(proxy), *args, "-o", os.devnull],
            f"https://{host}:{self.server.port}/",
            check=False,
        ).returncode
        proxy.num_gets = getattr(proxy, "num_gets", 0) + 1
        proxy.records(proxy.num_gets)
        return exit_status

    def verdicts(self, proxy, count):
        return [
            (r.get("client_try"), r["verdict"]["party"], r["verdict"]["cause"],
             r["verdict"]["confidence"])
            for r in proxy.records(count)
        ]


class ClientTries(Tries):
    def choosy(self, proxy, accepts):
        """A client of Python's that looks at the certificate once more; returns whether it goes
        on."""
        context = ssl.create_default_context(cafile=self.both(proxy))
        target = f"{HOST}:{self.server.port}"
        with context.wrap_socket(proxy.connect(target), server_hostname=HOST) as tls:
            if not accepts(tls.getpeercert(binary_form=True)):
                return False
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while tls.recv(4096):
                pass
            return True

    def test_pinned(self):
        proxy = self.start(retry_tunnel=True, retry_leaf=["rsa", "short", "sha384"])
        pin = ["--pinnedpubkey", pin_of(self.certificate)]
        self.assertEqual(self.get(proxy, host=OTHER), 0)
        self.assertEqual(self.get(proxy, *pin), 90)
        self.assertEqual(proxy.records(2)[1]["verdict"]["party"], "undetermined")
        self.assertEqual(self.get(proxy, *pin), 0)  # in a tunnel
        pinned = ("client", "client-pinned")
        seen = self.verdicts(proxy, 3)
        self.assertIn((None, *pinned, "likely"), seen)
        self.assertIn(("client-tunnel", *pinned, "likely"), seen)
        for _ in range(3):
            self.assertEqual(self.get(proxy, *pin), 90)
        self.assertIn((None, *pinned, "certain"), self.verdicts(proxy, 6))
        self.assertEqual(self.get(proxy, *pin), 0)
        self.assertEqual(self.get(proxy, host=THIRD), 0)
        # It is all there to be read.
        ids = [r["id"] for r in proxy.records(8) if r.get("client_try") == "client-tunnel"]
        shown = self.tlsblame("show", "--log", proxy.records_file, ids[0])
        self.assertIn(b"client-tunnel: ", shown.stdout)
        self.assertIn(b"tried with client", shown.stdout.replace(b"\n", b" "))
        explained = self.tlsblame("explain", "--log", proxy.records_file, ids[0])
        self.assertIn(b"client-pinned", explained.stdout)

    @staticmethod
    def tlsblame(*args):
        return harness.run(PROGRAM, *args, check=False)

    def test_ca_missing(self):
        proxy = self.start(retry_tunnel=True)
        root = pki.root().file
        for host in (HOST, OTHER, THIRD):
            self.assertEqual(self.get(proxy, host=host, ca=root), 60)
        self.assertEqual(self.get(proxy, ca=root), 0)
        missing = ("client", "proxy-ca-not-installed")
        seen = self.verdicts(proxy, 4)
        self.assertIn(("client-tunnel", *missing, "likely"), seen)
        self.assertIn((None, *missing, "certain"), seen)

    def test_a_reload_forgets_nothing(self):
        proxy = self.start(retry_tunnel=True)
        root = pki.root().file
        self.assertEqual(self.get(proxy, ca=root), 60)
        proxy.process.send_signal(signal.SIGHUP)
        harness.until(lambda: "reloaded the policy" in proxy.stderr(), "the reload")
        self.assertEqual(self.get(proxy, ca=root), 0)  # in a tunnel
        seen = {(r["id"], r.get("client_try")) for r in proxy.records(2)}
        self.assertEqual({name for _, name in seen}, {None, "client-tunnel"})

    def test_other_clients(self):
        """Clients that trust the servers' root and not the proxy's CA."""
        root, target = pki.root().file, (HOST, self.server.port)
        for client in (clients.gnutls("--x509cafile", root),
                       clients.s_client("-verify_return_error", "-CAfile", root)):
            proxy = self.start(retry_tunnel=True)
            client(self, proxy, target)
            proxy.records(1)
            client(self, proxy, target)
            seen = self.verdicts(proxy, 2)
            self.assertEqual([v[2] for v in seen], ["proxy-ca-not-installed"] * 2, seen)
            self.assertEqual({v[0] for v in seen}, {None, "client-tunnel"})
            self.assertEqual(proxy.stop(), 0)

    def test_trusts_nobody(self):
        """A client that refuses the server's own certificate, too: not the proxy's fault."""
        proxy = self.start(retry_tunnel=True)
        client = clients.s_client("-verify_return_error")
        for i in range(2):
            client(self, proxy, (HOST, self.server.port))
            proxy.records(i + 1)
        first = next(r for r in proxy.records(2) if "client_try" not in r)
        self.assertEqual(first["verdict"]["party"], "undetermined")
        self.assertIn(first["experiments"][1]["result"], ("alert", "closed"))

    def test_leaf_forms(self):
        for rule, form in ((rsa, "rsa"), (sha384, "sha384")):
            proxy = self.start(retry_leaf=FORMS)
            num = 0
            while not self.choosy(proxy, rule):
                num += 1
                self.assertLessEqual(num, len(FORMS))
                proxy.records(num)
            self.assertGreater(num, 0)
            proxy.records(num + 1)
            self.assertTrue(self.choosy(proxy, rule))
            seen = self.verdicts(proxy, num + 2)
            self.assertEqual(seen.count((f"client-leaf={form}", "proxy", "forged-leaf-defect",
                                         "possible")), 1, seen)
            self.assertIn((None, "proxy", "forged-leaf-defect", "likely"), seen)
            self.assertEqual(proxy.stop(), 0)

    def test_canaries(self):
        proxy = self.start(canary=True)
        self.assertEqual([self.get(proxy, "-k") for _ in range(4)].count(0), 2)
        fault = ("client", "client-does-not-validate", "possible")
        healthy = (None, "none", "healthy", "certain")
        self.assertEqual(self.verdicts(proxy, 4),
                         [healthy, ("canary=untrusted", *fault), ("canary=wrong-name", *fault), healthy])
        for record in proxy.records(4)[1:3]:
            legs = record["legs"]
            self.assertEqual(legs["server"]["bytes"]["data_sent"], 0)
            self.assertEqual(legs["client"]["bytes"]["data_sent"], 0)

    def test_canaries_are_refused(self):
        proxy = self.start(canary=True)
        self.assertEqual([self.get(proxy) for _ in range(4)], [0, 60, 60, 0])
        for seen in self.verdicts(proxy, 4):
            self.assertEqual(seen[1:], ("none", "healthy", "certain"))

    def test_node_checks_late(self):
        """A client that verifies after the handshake is not said not to."""
        proxy = self.proxy("--client-experiments", "canary")
        words = [HOST, str(self.server.port), proxy.host, str(proxy.port)]
        for i in range(3):
            harness.run("node", "-e", clients.NODE, *words, check=False,
                        env={**os.environ, "NODE_EXTRA_CA_CERTS": self.both(proxy)})
            proxy.records(i + 1)
        records = proxy.records(3)
        self.assertEqual([r.get("client_try") for r in records],
                         [None, "canary=untrusted", "canary=wrong-name"])
        self.assertEqual({r["verdict"]["party"] for r in records}, {"none"})

    def test_excluded(self):
        """A rule forbids what the default allows."""
        proxy = self.proxy("--client-experiments", "tunnel,leaf,canary", policy={
            "rules": [{"clients": ["127.0.0.1", "::1"],
                       "client_leg": {"retry_tunnel": False, "retry_leaf": [], "canary": False}}]})
        for _ in range(2):
            self.assertEqual(self.get(proxy, ca=pki.root().file), 60)
            self.assertEqual(self.get(proxy, "-k"), 0)
        for record in proxy.records(4):
            self.assertNotIn("client_try", record)

    def test_option(self):
        proxy = self.proxy("--client-experiments", "tunnel")
        self.assertEqual(self.get(proxy, ca=pki.root().file), 60)
        proxy.records(1)
        self.assertEqual(self.get(proxy, ca=pki.root().file), 0)
        self.assertEqual({r["mode"] for r in proxy.records(2)}, {"intercept", "tunnel"})
        wrong = self.tlsblame("run", "--client-experiments", "tunnels")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn(b"takes tunnel, leaf and canary", wrong.stderr)


@unittest.skipUnless(shutil.which("javac"), "there is no Java compiler here")
class JavaTries(Tries):
    """Java, whose alert for whatever it dislikes is certificate_unknown."""

    def setUp(self):
        super().setUp()
        harness.run("javac", "-d", self.dir, self.file("Get.java", JAVA), timeout=120)

    def java(self, proxy, *stores, rule="", host=HOST):
        """One connection, whose record is written when this returns whether Java went on."""
        done = harness.run(
            "java", "-XX:TieredStopAtLevel=1", "-cp", self.dir, "Get",
            f"https://{host}:{self.server.port}/", proxy.url, ",".join(stores), rule, check=False,
            timeout=120)
        self.assertIn(done.returncode, (0, 60), done.stderr)
        proxy.num_gets = getattr(proxy, "num_gets", 0) + 1
        proxy.records(proxy.num_gets)
        return done.returncode == 0

    def test_java_ca_missing(self):
        proxy = self.start(retry_tunnel=True)
        self.assertFalse(self.java(proxy, pki.root().file))
        self.assertTrue(self.java(proxy, pki.root().file))  # in a tunnel
        self.assertFalse(self.java(proxy, pki.root().file, host=OTHER))
        seen = self.verdicts(proxy, 3)
        self.assertEqual({v[1:3] for v in seen}, {("client", "proxy-ca-not-installed")}, seen)

    def test_java_pinned(self):
        proxy = self.start(retry_tunnel=True, retry_leaf=["rsa"])
        both, pin = self.both(proxy), pin_of(self.certificate)
        self.assertTrue(self.java(proxy, both, host=OTHER))
        self.assertFalse(self.java(proxy, both, rule=pin))
        self.assertTrue(self.java(proxy, both, rule=pin))  # in a tunnel
        self.assertFalse(self.java(proxy, both, rule=pin))  # another form
        pinned = ("client", "client-pinned")
        seen = self.verdicts(proxy, 4)
        self.assertEqual([v[1:3] for v in seen].count(pinned), 3, seen)

    def test_java_leaf_defect(self):
        proxy = self.start(retry_leaf=["short", "rsa"])
        both = self.both(proxy)
        self.assertFalse(self.java(proxy, both, rule="rsa"))
        self.assertFalse(self.java(proxy, both, rule="rsa"))  # a short validity
        self.assertTrue(self.java(proxy, both, rule="rsa"))
        seen = self.verdicts(proxy, 3)
        defect = ("proxy", "forged-leaf-defect")
        self.assertEqual({v[0] for v in seen if v[1:3] == defect}, {None, "client-leaf=rsa"}, seen)


@unittest.skipUnless(shutil.which("chromium"), "there is no Chromium here")
class ChromiumTries(harness.Lab):
    """Headless Chromium. It may open more connections than one for a page."""

    def setUp(self):
        self.server = self.nginx(harness.leaf(HOST))

    def start(self, **client_leg):
        # The browser's own errands are not to leave this machine.
        return self.proxy(policy={"rules": [{"hosts": [HOST], "action": "intercept",
                                             "client_leg": client_leg}],
                                  "default": {"action": "refuse"}})

    def records(self, proxy):
        return [r for r in proxy.written() if r.get("host") == HOST and has_ended(r)]

    def load(self, proxy, *trusted, options=()):
        """Loads the page; returns whether it came."""
        home = f"{self.dir}/home{len(os.listdir(self.dir))}"
        store = f"sql:{home}/.pki/nssdb"
        os.makedirs(f"{home}/.pki/nssdb")
        harness.run("certutil", "-d", store, "-N", "--empty-password")
        for i, path in enumerate(trusted):
            harness.run("certutil", "-d", store, "-A", "-t", "C,,", "-n", f"ca{i}", "-i", path)
        before = len(self.records(proxy))
        done = harness.run(
            *["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
            *["--no-first-run", "--disable-background-networking", "--disable-sync"],
            *["--disable-component-update", "--disable-dev-shm-usage", *options],
            *["--proxy-bypass-list=<-loopback>", f"--proxy-server={proxy.url}"],
            *["--timeout=30000", f"--user-data-dir={home}/profile", "--dump-dom"],
            f"https://{HOST}:{self.server.port}/", check=False, timeout=120,
            env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config",
                 "XDG_CACHE_HOME": f"{home}/.cache"})
        harness.until(lambda: len(self.records(proxy)) > before, "the browser's record", 30)
        return b"hello" in done.stdout

    def seen_with(self, what, trusted, options=(), **client_leg):
        """What the verdicts of the page's tries say, once `what` is among them. Which of its
        connections the browser uses is its own affair: one that it holds in reserve may meet the
        try. Then another proxy, which has not met this client, begins anew."""
        seen = set()

        def tried():
            proxy = self.start(**client_leg)
            for _ in range(3):
                self.load(proxy, trusted(proxy), options=options)
            seen.update((r.get("client_try"), r["verdict"]["party"], r["verdict"]["cause"])
                        for r in self.records(proxy))
            proxy.stop()
            return what in seen

        harness.until(tried, f"{what} in {seen}", 120)
        return seen

    def test_chromium_ca_missing(self):
        missing = ("client", "proxy-ca-not-installed")
        seen = self.seen_with(("client-tunnel", *missing), lambda _: pki.root().file,
                              retry_tunnel=True)
        self.assertIn((None, *missing), seen)
        self.assertFalse({v for v in seen if v[1] not in ("client", "none", "undetermined")}, seen)

    def test_chromium_that_does_not_validate(self):
        seen = self.seen_with(("canary=untrusted", "client", "client-does-not-validate"),
                              lambda proxy: proxy.ca, ["--ignore-certificate-errors"], canary=True)
        self.assertFalse({v for v in seen if v[1] not in ("client", "none", "undetermined")}, seen)

    def test_chromium_that_validates(self):
        proxy = self.start(canary=True)
        self.assertTrue(self.load(proxy, proxy.ca))
        harness.until(lambda: self.load(proxy, proxy.ca) and len(
            {r["client_try"] for r in self.records(proxy) if "client_try" in r}) == 2,
            "both canaries to be over", 120)
        self.assertEqual({r["verdict"]["party"] for r in self.records(proxy)} -
                         {"none", "undetermined"}, set())


if __name__ == "__main__":
    unittest.main()
