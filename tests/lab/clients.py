"""Clients of the lab: functions of the test case, the proxy and a target (host, port). They say
nothing of how they fared: the record does."""

import atexit
import functools
import hashlib
import os
import shutil
import socket
import ssl
import tempfile
import threading

from tests.lab import harness
from tests.lab.servers import HOST, pour, quietly


def curl(*args, trust=True, before=()):
    """curl, which trusts the proxy's CA."""
    def run(lab, proxy, target):
        del lab
        command = [*proxy.command, *before, "curl", "-q", "-sS", "--max-time", "15", "--noproxy", "", "-x", proxy.url]
        command += ["--cacert", proxy.ca] if trust else []
        command += [*args, "https://%s:%d/" % target]
        harness.run(*command, check=False)
    return run


def s_client(*args, say=b"GET / HTTP/1.0\r\n\r\n"):
    """openssl s_client, which does not know the proxy's CA and does not mind."""
    def run(lab, proxy, target):
        del lab
        where = "%s:%d" % target
        harness.run(
            *["openssl", "s_client", "-proxy", f"{proxy.host}:{proxy.port}", "-connect", where],
            *["-servername", target[0], "-quiet", *args],
            input=say, check=False, timeout=10,
        )
    return run


def socket_client(handle):
    """A client of our own behind its CONNECT."""
    def run(lab, proxy, target):
        del lab
        with proxy.connect("%s:%d" % target) as s:
            quietly(handle, s)
    return run


def gnutls(*args):
    """gnutls-cli knows no proxies: it speaks through a relay that has said CONNECT."""
    def run(lab, proxy, target):
        def handle(s):
            with proxy.connect("%s:%d" % target) as up:
                pump = threading.Thread(
                    target=quietly, args=(lambda u: pour(u, s), up), daemon=True
                )
                pump.start()
                pour(s, up)
                up.shutdown(socket.SHUT_WR)
                pump.join(harness.TIMEOUT)

        door = harness.Service(lambda s: quietly(handle, s))
        try:
            harness.run(
                *["gnutls-cli", "--port", str(door.port), "--sni-hostname", target[0]],
                *["--verify-hostname", target[0], *[arg.format(ca=proxy.ca) for arg in args], "127.0.0.1"],
                input=b"GET / HTTP/1.0\r\n\r\n", check=False, timeout=10,
            )
        finally:
            door.stop()
    return run


def hello_bytes(name):
    """A ClientHello of OpenSSL's."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def leaves_after_hello(s):
    """Sends a ClientHello and leaves when it is answered."""
    s.sendall(hello_bytes(HOST))
    s.recv(65536)


def leaves_after_hello_at_once(s):
    """Sends a ClientHello and leaves."""
    s.sendall(hello_bytes(HOST))


def wget(*args, trust=True):
    """GNU wget, which is GnuTLS."""
    def run(lab, proxy, target):
        del lab
        known = ["--ca-certificate", proxy.ca] if trust else []
        harness.run(
            *[*proxy.command, "wget", "-q", "-O", "-", "--no-config", "--tries=1", "--timeout=8", *known],
            *[*args, "https://%s:%d/" % target],
            check=False, env={**os.environ, "https_proxy": proxy.url, "no_proxy": ""},
        )
    return run


PYTHON = """
import ssl, sys, urllib.request
url, proxy, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca or None)
urllib.request.build_opener(urllib.request.ProxyHandler({"https": proxy}),
                            urllib.request.HTTPSHandler(context=context)).open(url, timeout=8).read()
"""


def python(trust=True):
    """Python's urllib."""
    def run(lab, proxy, target):
        del lab
        harness.run("/usr/bin/python3", "-c", PYTHON, "https://%s:%d/" % target, proxy.url,
                    proxy.ca if trust else "", check=False)
    return run


JAVA = """
import java.net.*;
public class Get {
    public static void main(String[] args) throws Exception {
        URI proxy = new URI(args[1]);
        URLConnection c = new URL(args[0]).openConnection(new Proxy(Proxy.Type.HTTP,
            new InetSocketAddress(proxy.getHost(), proxy.getPort())));
        c.setReadTimeout(8000);
        c.getInputStream().readAllBytes();
    }
}
"""


def java(trust=True):
    """Java's HttpsURLConnection."""
    def run(lab, proxy, target):
        source = lab.file("Get.java", JAVA)
        store = []
        if trust:
            with open(proxy.ca, "rb") as f:
                name = hashlib.sha256(f.read()).hexdigest()[:16]
            path = f"{lab.dir}/{name}-{target[1]}.p12"
            harness.run("keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", proxy.ca,
                        "-keystore", path, "-storetype", "PKCS12", "-storepass", "changeit")
            store = [f"-Djavax.net.ssl.trustStore={path}",
                     "-Djavax.net.ssl.trustStorePassword=changeit"]
        harness.run("java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", *store, source,
                    "https://%s:%d/" % target, proxy.url, check=False, timeout=60)
    return run


GO = """
package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

func main() {
	proxy, _ := url.Parse(os.Args[2])
	config := &tls.Config{}
	if pem, err := os.ReadFile(os.Args[3]); err == nil {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(pem)
	}
	client := &http.Client{Timeout: 8 * time.Second, Transport: &http.Transport{
		Proxy: http.ProxyURL(proxy), TLSClientConfig: config}}
	answer, err := client.Get(os.Args[1])
	if err == nil {
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}
"""


@functools.cache
def go_program(source=GO):
    """A Go client, built once."""
    folder = tempfile.mkdtemp(prefix="lab-go-", dir=os.environ.get("TEST_TMPDIR"))
    atexit.register(shutil.rmtree, folder, True)
    with open(f"{folder}/get.go", "w", encoding="utf-8") as f:
        f.write(source)
    harness.run("go", "build", "-o", f"{folder}/get", f"{folder}/get.go", timeout=200, cwd=folder, env={
        **os.environ, "HOME": folder, "GOCACHE": f"{folder}/cache", "GO111MODULE": "off",
        "GOFLAGS": "-p=2"})
    shutil.rmtree(f"{folder}/cache", True)
    return f"{folder}/get"


def go(trust=True):
    """Go's net/http."""
    def run(lab, proxy, target):
        del lab
        harness.run(go_program(), "https://%s:%d/" % target, proxy.url, proxy.ca if trust else "",
                    check=False, timeout=60)
    return run


FIREFOX = """
user_pref("network.proxy.type", 2);
user_pref("network.proxy.autoconfig_url", "data:,function FindProxyForURL(url, host) { return host.endsWith('localhost') ? 'PROXY %s:%d' : 'PROXY 127.0.0.1:1'; }");
user_pref("network.proxy.allow_hijacking_localhost", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
"""


def firefox(trust=True):
    """Firefox, with the proxy's CA in its own store or not. Nothing else of it gets anywhere. It
    is ended once the connection is on record."""
    def run(lab, proxy, target):
        profile = f"{lab.dir}/firefox-{target[1]}"
        os.makedirs(profile)
        with open(f"{profile}/user.js", "w", encoding="utf-8") as f:
            f.write(FIREFOX % (proxy.host, proxy.port))
        harness.run("certutil", "-N", "-d", f"sql:{profile}", "--empty-password")
        if trust:
            harness.run("certutil", "-A", "-d", f"sql:{profile}", "-n", "lab", "-t", "C,,", "-i",
                        proxy.ca)
        program = harness.Program(
            ["firefox-esr", "--headless", "--no-remote", "--profile", profile,
             "https://%s:%d/" % target],
            f"{profile}/firefox", env={**os.environ, "HOME": profile})
        try:
            harness.until(lambda: any((r.get("host"), r.get("port")) == target
                                      for r in proxy.written()), "Firefox to connect", 60)
        finally:
            program.stop()
    return run


NODE = """
const http = require("http"), tls = require("tls");
const [host, port, proxyHost, proxyPort] = process.argv.slice(1);
http.request({host: proxyHost, port: proxyPort, method: "CONNECT", path: `${host}:${port}`})
  .on("connect", (answer, socket) => {
    const s = tls.connect({socket, servername: host});
    s.on("secureConnect", () => s.end("GET / HTTP/1.0\\r\\n\\r\\n"));
    s.on("error", () => {}).resume();
  }).end();
"""


def node(lab, proxy, target):
    """Node.js, which looks at the certificate after the handshake."""
    del lab
    words = [target[0], str(target[1]), proxy.host, str(proxy.port)]
    harness.run("node", "-e", NODE, *words, check=False)


def chromium(lab, proxy, target):
    """Chromium, which does not know the proxy's CA."""
    harness.run(
        *["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"],
        *[f"--user-data-dir={lab.dir}/chromium", f"--proxy-server={proxy.url}"],
        *["--proxy-bypass-list=<-loopback>", "--timeout=5000", "https://%s:%d/" % target],
        check=False, timeout=30, env={**os.environ, "HOME": lab.dir},
    )
