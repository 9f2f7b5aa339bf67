"""Writes policy/profiles/README.md: what real clients say of every built-in profile.

    python3 -m tests.lab.profiles_table policy/profiles/README.md

It takes some minutes, and runs those of its clients that are installed.
"""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from tests.lab import boxes, harness
from tests.lab.boxes import HOST
from tests.lab.servers import pour, quietly

LIMIT = 6  # seconds that a client waits for a box that says nothing

# Profiles whose list names a host that is nowhere: they are run with ours on it.
LISTED = ("sni-rst", "sni-stall-residual", "umbrella-blockpage")

# What the server is where a sound one would not show the box's doing.
SELF_SIGNED = "a self-signed server"
SERVERS = {
    "fortigate-untrusted-resign": SELF_SIGNED, "fortigate-ignore": SELF_SIGNED,
    "no-validation-webtitan": SELF_SIGNED, "squid-bump-mimic": SELF_SIGNED,
    "privdog-resign-all": "a self-signed server with TLS 1.0",
    "checkpoint-no-expiry": "an expired server with TLS 1.0",
    "superfish-komodia": "a server with TLS 1.1",
    "version-upgrade-laundering": "a server with TLS 1.0 and 3DES",
    "mtls-swallower": "a server that wants a client certificate",
    "nosni-drop": "a server that is asked for by its address",
}

PYTHON = """
import socket, ssl, sys
host, port, proxy, ca = sys.argv[1:]
try:
    s = socket.create_connection(("127.0.0.1", int(proxy)), 6)
    s.sendall(f"CONNECT {host}:{port} HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n".encode())
    while b"\\r\\n\\r\\n" not in s.recv(4096): pass
    tls = ssl.create_default_context(cafile=ca).wrap_socket(s, server_hostname=host)
    tls.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print("HTTP" if tls.recv(4096).startswith(b"HTTP") else "end of data")
except Exception as e:
    print(type(e).__name__ + ": " + str(e))
"""

NODE = """
const http = require("http"), tls = require("tls"), fs = require("fs");
const [host, port, proxy, ca] = process.argv.slice(1);
setTimeout(() => { console.log("timeout"); process.exit(); }, 6000);
http.request({host: "127.0.0.1", port: proxy, method: "CONNECT", path: `${host}:${port}`})
  .on("connect", (answer, socket) => {
    const servername = /^[0-9.]+$/.test(host) ? "" : host;
    const s = tls.connect({socket, servername, host, ca: fs.readFileSync(ca)}, () => s.write("GET / HTTP/1.0\\r\\n\\r\\n"));
    s.on("data", d => { console.log("HTTP"); process.exit(); });
    s.on("error", e => { console.log((e.code || "") + ": " + e.message); process.exit(); });
  }).on("error", e => { console.log(e.message); process.exit(); }).end();
"""

GO = """package main

import ("crypto/tls"; "crypto/x509"; "fmt"; "net/http"; "net/url"; "os"; "time")

func main() {
	pem, _ := os.ReadFile(os.Args[4])
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	proxy, _ := url.Parse("http://127.0.0.1:" + os.Args[3])
	c := http.Client{Timeout: 6 * time.Second, Transport: &http.Transport{
		Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool}}}
	if _, err := c.Get("https://" + os.Args[1] + ":" + os.Args[2] + "/"); err != nil {
		fmt.Println(err)
	} else {
		fmt.Println("HTTP")
	}
}
"""

JAVA = """
import java.io.*; import java.net.*; import java.security.*; import java.security.cert.*; import javax.net.ssl.*;
public class Client {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int i = 0;
        try (InputStream in = new FileInputStream(args[3])) {
            for (java.security.cert.Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in))
                store.setCertificateEntry("ca" + i++, c);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        Proxy proxy = new Proxy(Proxy.Type.HTTP, new InetSocketAddress("127.0.0.1", Integer.parseInt(args[2])));
        HttpsURLConnection c = (HttpsURLConnection) new URL("https://" + args[0] + ":" + args[1] + "/").openConnection(proxy);
        c.setSSLSocketFactory(context.getSocketFactory());
        c.setReadTimeout(6000);
        try { c.getResponseCode(); System.out.println("HTTP"); }
        catch (IOException e) { System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage()); }
    }
}
"""


FIREFOX = """
user_pref("network.proxy.type", 2);
user_pref("network.proxy.autoconfig_url", "data:,function FindProxyForURL(url, host) { return host.endsWith('localhost') || host == '127.0.0.1' ? 'PROXY %s:%d' : 'PROXY 127.0.0.1:1'; }");
user_pref("network.proxy.allow_hijacking_localhost", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("security.enterprise_roots.enabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
"""

# What an error page of Firefox knows, in the order of its kinds.
ERROR_CODE = """
try { return document.getFailedCertSecurityInfo().errorCodeString; } catch (e) {}
try { return document.getNetErrorInfo().errorCodeString; } catch (e) {}
return document.documentElement.innerText;
"""


def output(*command, timeout=30, **more):
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False, **more)
        return done.returncode, done.stdout.decode(errors="replace")
    return -1, "timeout"


def first(pattern, text):
    found = re.search(pattern, text)
    return found[1].strip() if found else None


class Clients:
    """The clients that are here. Each is asked for (host, port) through a proxy with a CA file and
    says what it says: "ok" or an error."""

    def __init__(self, folder):
        self.folder = folder
        self.all = {"curl": self.curl, "openssl": self.openssl}
        if shutil.which("gnutls-cli"):
            self.all["gnutls"] = self.gnutls
        self.all["python"] = self.script(sys.executable, "-c", PYTHON)
        if shutil.which("node"):
            self.all["node"] = self.script("node", "-e", NODE)
        if shutil.which("go"):
            self.write("go.mod", "module client\n")
            self.write("client.go", GO)
            env = {**os.environ, "GOFLAGS": "-mod=mod", "GOCACHE": f"{folder}/gocache"}
            if output("go", "build", "-o", f"{folder}/client", "client.go", timeout=300, cwd=folder, env=env)[0] == 0:
                self.all["go"] = self.script(f"{folder}/client")
        if shutil.which("javac"):
            self.write("Client.java", JAVA)
            if output("javac", "Client.java", timeout=120, cwd=folder)[0] == 0:
                self.all["java"] = self.script("java", "-cp", folder, "Client")
        if shutil.which("chromium"):
            self.all["chromium"] = self.chromium
        if shutil.which("firefox-esr"):
            self.all["firefox"] = self.firefox

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as f:
            f.write(text)

    @staticmethod
    def script(*command):
        def run(host, port, proxy, ca):
            text = output(*command, host, str(port), str(proxy.port), ca)[1].strip()
            return "ok" if text == "HTTP" else text.splitlines()[-1] if text else "nothing"
        return run

    @staticmethod
    def curl(host, port, proxy, ca):
        code, text = output("curl", "-q", "-sS", "-o", "/dev/null", "--max-time", str(LIMIT), "-x", proxy.url,
                            "--noproxy", "", "--cacert", ca, f"https://{host}:{port}/")
        return "ok" if code == 0 else first(r"curl: (.*)", text) or text

    @staticmethod
    def openssl(host, port, proxy, ca):
        name = ["-noservername"] if host[0].isdigit() else ["-servername", host, "-verify_hostname", host]
        code, text = output("openssl", "s_client", "-proxy", f"{proxy.host}:{proxy.port}", "-connect",
                            f"{host}:{port}", *name, "-CAfile", ca, "-verify_return_error", timeout=LIMIT)
        return ("ok" if code == 0 else first(r"verify error:(.*)", text)
                or first(r"error:[0-9A-F]+:(.*?):\.\./", text) or first(r"(errno=\d+)", text) or text[-80:])

    @staticmethod
    def gnutls(host, port, proxy, ca):
        def handle(s):
            with proxy.connect(f"{host}:{port}") as up:
                pump = threading.Thread(target=quietly, args=(lambda u: pour(s, u), up), daemon=True)
                pump.start()
                try:
                    pour(up, s)
                except ConnectionResetError:
                    harness.reset(s)
                else:
                    s.shutdown(socket.SHUT_RDWR)

        door = harness.Service(lambda s: quietly(handle, s))
        try:
            code, text = output("gnutls-cli", "--port", str(door.port), "--sni-hostname", host,
                                "--verify-hostname", host, "--x509cafile", ca, "127.0.0.1", timeout=LIMIT)
        finally:
            door.stop()
        if code == 0 or "Handshake was completed" in text:
            return "ok"
        return (first(r"Status: (.*)", text) or first(r"Fatal error: (.*)", text)
                or first(r"\*\*\* (.*)", text) or text[-80:])

    def chromium(self, host, port, proxy, ca):
        home = tempfile.mkdtemp(dir=self.folder)
        store = f"{home}/.pki/nssdb"
        os.makedirs(store)
        output("certutil", "-d", f"sql:{store}", "-N", "--empty-password")
        with open(ca, encoding="utf-8") as f:
            blocks = re.findall(r"-----BEGIN CERT.*?-----END CERTIFICATE-----\n", f.read(), re.S)
        for i, block in enumerate(blocks):
            self.write(f"ca{i}.pem", block)
            output("certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", f"ca{i}", "-i",
                   f"{self.folder}/ca{i}.pem")
        text = output(
            *["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
            *["--no-first-run", "--disable-background-networking", "--disable-component-update"],
            *["--disable-sync", "--disable-dev-shm-usage", "--disable-breakpad", f"--timeout={LIMIT * 1000}"],
            *["--proxy-bypass-list=<-loopback>", f"--proxy-server={proxy.url}"],
            *[f"--user-data-dir={home}/profile", "--dump-dom", f"https://{host}:{port}/"],
            timeout=40, env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config"},
        )[1]
        shutil.rmtree(home, ignore_errors=True)
        error = re.findall(r"\bERR_[A-Z0-9_]+|\bnet::ERR_\w+", text)
        return error[0] if error else "ok" if "<body" in text else text[-60:]


    def firefox(self, host, port, proxy, ca):
        home = tempfile.mkdtemp(dir=self.folder)
        output("certutil", "-d", f"sql:{home}", "-N", "--empty-password")
        with open(ca, encoding="utf-8") as f:
            blocks = re.findall(r"-----BEGIN CERT.*?-----END CERTIFICATE-----\n", f.read(), re.S)
        for i, block in enumerate(blocks):
            self.write(f"ca{i}.pem", block)
            output("certutil", "-d", f"sql:{home}", "-A", "-t", "C,,", "-n", f"ca{i}", "-i",
                   f"{self.folder}/ca{i}.pem")
        wire = harness.free_port()
        with open(f"{home}/user.js", "w", encoding="utf-8") as f:
            f.write(FIREFOX % (proxy.host, proxy.port) + f'user_pref("marionette.port", {wire});\n')
        with open(f"{home}/firefox.log", "wb") as log:
            program = subprocess.Popen(
                ["firefox-esr", "--headless", "--no-remote", "--marionette", "--profile", home],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "HOME": home})
        try:
            return Marionette(wire).visit(f"https://{host}:{port}/")
        except (AssertionError, OSError) as error:
            return str(error)
        finally:
            program.kill()
            program.wait()
            shutil.rmtree(home, ignore_errors=True)


class Marionette:
    """Firefox's remote control: JSON with its length in front."""

    def __init__(self, port):
        def connect():
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), 30)
            return None

        self.wire = harness.until(connect, "Firefox", 30)
        self.hear()
        self.say("WebDriver:NewSession", {})
        self.say("WebDriver:SetTimeouts", {"pageLoad": LIMIT * 1000})

    def hear(self):
        size = b""
        while not size.endswith(b":"):
            size += harness.read_exactly(self.wire, 1)
        return json.loads(harness.read_exactly(self.wire, int(size[:-1])))

    def say(self, command, values):
        text = json.dumps([0, 1, command, values]).encode()
        self.wire.sendall(str(len(text)).encode() + b":" + text)
        return self.hear()[2:]

    def visit(self, url):
        """"ok" or the code of Firefox's error page."""
        error = self.say("WebDriver:Navigate", {"url": url})[0]
        if error is None:
            return "ok"
        page = self.say("WebDriver:ExecuteScript", {"script": ERROR_CODE, "args": []})[1]
        said = str((page or {}).get("value"))
        code = re.search(r"\b(?:SEC|SSL|PR|MOZILLA_PKIX|NS)_ERROR_\w+|\bPR_\w+_ERROR\b", said)
        kind = re.search(r"about:\w+\?e=(\w+)", error["message"])
        return code[0] if code else kind[1] if kind else error["error"]


class Table(harness.Lab):
    """A test case for its servers and its cleaning up; what it asserts is nothing."""

    def start(self, profile):
        """The server for a profile: what to ask for."""
        kind = SERVERS.get(profile, "")
        if "self-signed" in kind or "expired" in kind or "TLS 1." in kind:
            make = harness.self_signed if "self-signed" in kind else harness.expired if "expired" in kind else harness.leaf
            version = {"0": ["-tls1"], "1": ["-tls1_1"]}.get(kind.partition("TLS 1.")[2][:1], [])
            legacy = [*version, "-cipher", "ALL:3DES@SECLEVEL=0"] if version else []
            return HOST, self.s_server(make(HOST, key="rsa"), *legacy).port
        server = ""
        if "client certificate" in kind:
            server = f"ssl_client_certificate {harness.root().file}; ssl_verify_client on;"
        if "address" in kind:
            return "127.0.0.1", self.nginx(harness.leaf("127.0.0.1"), server=server).port
        # Long enough a first flight for those who count bytes.
        certificate = harness.leaf(HOST, key="rsa", issuer=harness.intermediate())
        return HOST, self.nginx(certificate, http2=True, server=server).port

    def row(self, profile, clients):
        spec = profile
        if profile in LISTED:
            text = harness.run(harness.PROGRAM, "profiles", "--json", profile).stdout.decode()
            data = json.loads(text)
            data["reactions"][0]["when"] = {"sni": [HOST]}
            spec = self.file(f"{profile}.json", json.dumps(data))
        host, port = self.start(profile)
        proxy = self.proxy("--as", spec)
        with open(boxes.box_ca(proxy, profile), "rb") as a, open(harness.root().file, "rb") as b:
            ca = self.file("trusted.pem", a.read() + b.read())
        said = {}
        for name, client in clients.items():
            said[name] = clean(client(host, port, proxy, ca), self.dir, port)
        proxy.stop()
        return said


def clean(text, folder, port):
    """What a client said without what changes from run to run."""
    for pattern, by in ((re.escape(folder), ""), (str(port), "443"), (r"\|", "/"), (r"\s+", " "),
                        (r"127\.0\.0\.1:\d{4,5}\b", "127.0.0.1"), (r'^Get "[^"]*": ', ""), (r"\(_ssl\.c:\d+\)", ""), (r"((?:Operation|Connection) timed out after) \d+", r"\1 some"),
                        (r"0x[0-9a-f]{6,}|\b[0-9A-F]{16}\b:?", "")):
        text = re.sub(pattern, by, text)
    return text.strip()[:150]


HEAD = """# What clients say of the profiles

Written by `python3 -m tests.lab.profiles_table policy/profiles/README.md`: every built-in profile, run with `tlsblame run --as`,
between real clients that trust the box's CA and the lab's root, and a server of the lab: nginx with a sound certificate, unless the
row says otherwise. "ok" is a page; where the profile expects an error and a client of today says "ok", it no longer fails. Clients that
send no hello of the kind that a box minds (GREASE, ECH, X25519MLKEM768, two records) cannot meet it. A client that heard nothing for
{limit} seconds was stopped. Of Firefox it is the code on its error page.

Clients: {versions}.
"""


def versions(clients):
    commands = {"curl": ["curl", "--version"], "openssl": ["openssl", "version"], "gnutls": ["gnutls-cli", "--version"],
                "python": [sys.executable, "-c", "import ssl, sys; print('Python', sys.version.split()[0], 'with', ssl.OPENSSL_VERSION)"],
                "node": ["node", "-p", "'Node ' + process.version + ' with OpenSSL ' + process.versions.openssl"],
                "go": ["go", "version"], "java": ["java", "-version"], "chromium": ["chromium", "--version"], "firefox": ["firefox-esr", "--version"]}
    found = [(re.findall(r"(?m)^(?:curl|OpenSSL|gnutls-cli|Python|Node|go|openjdk|Chromium|Mozilla Firefox)\b.*", output(*commands[name])[1]) or [name])[0]
             for name in clients]
    return "; ".join(text.partition(" (")[0].strip() for text in found)


def main():
    folder = tempfile.mkdtemp()
    rows = json.loads(harness.run(harness.PROGRAM, "profiles", "--json").stdout)
    names = sys.argv[2:] or [row["name"] for row in rows]
    clients = Clients(folder).all
    results = {}

    def one(name):
        class This(Table):
            def test(self):
                results[name] = self.row(name, clients)

        outcome = unittest.TestResult()
        This("test").run(outcome)
        for _, why in outcome.errors + outcome.failures:
            print(name, why, file=sys.stderr)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        list(pool.map(one, names))
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write(HEAD.format(versions=versions(clients), limit=LIMIT))
        for row in rows:
            if row["name"] not in results:
                continue
            server = f" Here with {SERVERS[row['name']]}." if row["name"] in SERVERS else ""
            out.write(f"\n## E{row['number']} {row['name']}\n\n{row['line']}.{server}\n\n"
                      "| client | says | the profile expects |\n|---|---|---|\n")
            text = harness.run(harness.PROGRAM, "profiles", "--json", row["name"]).stdout.decode()
            expected = json.loads(text).get("symptoms", {})
            for client, said in results[row["name"]].items():
                told = expected.get(client, "").replace("|", "/")
                out.write(f"| {client} | {said} | {told} |\n")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
