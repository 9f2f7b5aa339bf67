"""Clients that ask for many pages in one process, with nothing wrong about them.

Each is a function of the test case, the proxy and targets; whatever a round is odd in is another
healthy way to ask. What became of it is in the records.
"""

import collections
import hashlib
import os
import ssl
import threading

from tests.lab import harness
from tests.lab.clients import FIREFOX, go_program

Target = collections.namedtuple("Target", "feature host port verified agent")


def place(target):
    """host:port as URLs have it."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{host}:{target.port}"


def url(target):
    return f"https://{place(target)}/"


def sheet(targets):
    """The targets as lines for programs: host, port, "1" if the certificate is to be verified, and
    who to say one is."""
    return "".join(f"{t.host} {t.port} {int(t.verified)} {t.agent or ''}\n" for t in targets).encode()


CURL_ROUNDS = (
    (), ("--http1.1",), ("--http2",), ("--no-alpn",), ("--tls-max", "1.2"),
    ("--tls-max", "1.2", "--no-sessionid"), ("--http1.0",), ("--curves", "X25519:P-256:P-384:P-521"),
    ("--curves", "P-384:P-521"), ("--no-npn",), ("--parallel", "--parallel-immediate"),
    ("--head",),
)


def curl(lab, proxy, targets, rounds):
    """curl: all pages in one process, each over connections of its own."""
    for i in range(rounds):
        options = CURL_ROUNDS[i % len(CURL_ROUNDS)]
        lines = []
        for target in targets:
            name = target.host.replace("xn--bcher-kva", "b\u00fccher") if i % 2 else target.host
            lines += [f'url = "{url(target._replace(host=name))}"', "output = /dev/null"]
            lines += ["insecure"] if not target.verified else []
            lines += [f'user-agent = "{target.agent}"'] if target.agent else []
            lines += ["next"]
            lines += options_of(options, proxy)
        config = lab.file(f"curl-{i}.conf", "\n".join(options_of(options, proxy) + lines))
        harness.run("curl", "-q", "-K", config, check=False, timeout=60,
                    env={**os.environ, "LC_ALL": "C.UTF-8"})


def options_of(options, proxy):
    """Lines that each part of curl's configuration begins with."""
    lines = [f'proxy = "{proxy.url}"', 'noproxy = ""', f'cacert = "{proxy.ca}"', "max-time = 15",
             "silent"]
    options = list(options)
    while options:
        name = options.pop(0).lstrip("-")
        value = options.pop(0) if options and not options[0].startswith("--") else None
        lines.append(f'{name} = "{value}"' if value else name)
    return lines


def wget(lab, proxy, targets, rounds):
    """GNU wget: a process for each User-Agent and trust."""
    groups = collections.defaultdict(list)
    for target in targets:
        groups[target.agent, target.verified].append(url(target))
    for i in range(rounds):
        for j, ((agent, verified), urls) in enumerate(groups.items()):
            options = ["--user-agent", agent] if agent else []
            options += [] if verified else ["--no-check-certificate"]
            options += ["--no-http-keep-alive"] if i % 2 else []
            options += ["--secure-protocol=TLSv1_2"] if i % 3 == 2 else []
            harness.run(
                *["wget", "-q", "-O", "/dev/null", "--no-config", "--tries=1", "--timeout=15"],
                *["--ca-certificate", proxy.ca, *options],
                *["-i", lab.file(f"wget-{i}-{j}", "\n".join(urls))], check=False, timeout=60,
                env={**os.environ, "https_proxy": proxy.url, "no_proxy": ""})


def request(target, close=True):
    """A GET as browsers and programs send it."""
    lines = [f"GET / HTTP/1.1\r\nHost: {place(target)}"]
    lines += [f"User-Agent: {target.agent}"] if target.agent else []
    lines += ["Connection: close"] if close else []
    return "\r\n".join(lines + ["", ""]).encode()


PYTHON_ROUNDS = (
    {}, {"alpn": ("http/1.1",)}, {"alpn": ("h2", "http/1.1")},
    {"versions": (None, ssl.TLSVersion.TLSv1_2)},
    {"alpn": ("http/1.1",), "versions": (None, ssl.TLSVersion.TLSv1_2)},
)


def python(lab, proxy, targets, rounds):
    """Python's ssl: the second connection of each round resumes the first one's session."""
    del lab
    pending, lock = [(t, i) for i in range(rounds) for t in targets], threading.Lock()

    def work():
        while True:
            with lock:
                if not pending:
                    return
                target, i = pending.pop()
            options = PYTHON_ROUNDS[i % len(PYTHON_ROUNDS)]
            context = proxy.client_context(**options)
            if not target.verified:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            session = None
            for _ in range(2 if i % 2 else 1):
                try:
                    session = ask(proxy, target, context, session)
                except OSError:
                    pass  # the record tells

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ask(proxy, target, context, session=None):
    """Asks for a page, and returns the session."""
    with context.wrap_socket(proxy.connect(place(target)), server_hostname=target.host,
                             session=session) as s:
        if s.selected_alpn_protocol() == "h2":
            return s.session  # a connection that is never used
        s.sendall(request(target))
        harness.read_all(s)
        return s.session


S_CLIENT_ROUNDS = (
    ("-tls1_2",), ("-status", "-alpn", "http/1.1"), ("-no_ticket", "-tls1_2"),
    ("-psk", "1a2b3c4d", "-psk_identity", "nobody"), ("-maxfraglen", "1024"),
    ("-split_send_frag", "512", "-max_send_frag", "512"), ("-ct", "-alpn", "h2,http/1.1"),
    ("-groups", "P-384:P-521:X25519"), ("-sigalgs", "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256"),
    ("-no_etm", "-no_ems", "-tls1_2"), ("-bugs", "-legacy_renegotiation"),
)


def s_client(lab, proxy, targets, rounds):
    """openssl s_client: a session saved, and resumed."""
    for i in range(rounds):
        for j, target in enumerate(targets):
            name = ["-noservername"] if not target.host[-1].isalpha() else ["-servername", target.host]
            file = f"{lab.dir}/session-{target.port}-{target.host[:20]}"
            resume = ["-sess_in" if i % 2 else "-sess_out", file]
            if i % 2 and not os.path.exists(file):
                resume = []
            options = S_CLIENT_ROUNDS[(i // 2 + j) % len(S_CLIENT_ROUNDS)] if i and not target.agent else ()
            if "retry521" in target.host and "-groups" in options:
                options = ()
            harness.run(
                *["openssl", "s_client", "-proxy", f"{proxy.host}:{proxy.port}", "-ign_eof"],
                *["-connect", place(target), *name, "-CAfile", proxy.ca, *resume, *options],
                input=request(target), check=False, timeout=20)


GNUTLS_ROUNDS = (
    (), ("--resume",), ("--priority", "NORMAL:-VERS-TLS1.3"), ("--single-key-share",),
    ("--priority", "NORMAL:-GROUP-ALL:+GROUP-SECP384R1:+GROUP-SECP256R1:+GROUP-SECP521R1"),
    ("--compress-cert", "brotli"), ("--alpn", "http/1.1"),
    ("--priority", "PFS:-VERS-TLS1.3"),
)


def gnutls_cli(lab, proxy, targets, rounds):
    """gnutls-cli, which knows no proxies: a door for each target says CONNECT."""
    def door(target):
        def handle(s):
            with proxy.connect(place(target)) as up:
                harness.splice(s, up)
        return lab.patient_service(handle)

    doors = [door(target) for target in targets]
    for i in range(rounds):
        for j, target in enumerate(targets):
            trust = ["--x509cafile", proxy.ca] if target.verified else ["--insecure"]
            options = GNUTLS_ROUNDS[(i + j) % len(GNUTLS_ROUNDS)] if target.verified else ()
            harness.run(
                *["gnutls-cli", "--port", str(doors[j].port), "--sni-hostname", target.host],
                *["--verify-hostname", target.host, *trust, *options, "127.0.0.1"],
                input=request(target), check=False, timeout=20)


NODE = """
const http = require("http"), tls = require("tls"), fs = require("fs");
const [proxyHost, proxyPort, ca, rounds, sheet] = process.argv.slice(1);
const root = fs.readFileSync(ca);
const jobs = [];
for (let i = 0; i < +rounds; i++)
  for (const line of fs.readFileSync(sheet, "utf8").split("\\n").filter(Boolean)) jobs.push([i, line]);
const sessions = {};
// Node 18 finds no IPv6 address in a certificate.
const identity = (host, cert) => host.includes(":") ? undefined : tls.checkServerIdentity(host, cert);
function next() {
  const job = jobs.shift();
  if (!job) return;
  const [i, line] = job, [host, port, verified, ...words] = line.split(" ");
  const agent = words.join(" "), v6 = host.includes(":");
  const path = (v6 ? `[${host}]` : host) + ":" + port;
  http.request({host: proxyHost, port: proxyPort, method: "CONNECT", path, agent: false,
                timeout: 15000})
    .on("connect", (answer, socket) => {
      const options = {socket, host, servername: /[0-9]$/.test(host) ? "" : host, ca: root,
        checkServerIdentity: identity, rejectUnauthorized: verified === "1", session: sessions[path]};
      if (i % 2) options.ALPNProtocols = ["http/1.1"];
      if (i % 3 === 2) options.maxVersion = "TLSv1.2";
      const s = tls.connect(options);
      s.on("session", session => { sessions[path] = session; });
      s.on("secureConnect", () => s.write(`GET / HTTP/1.1\\r\\nHost: ${path}\\r\\n` +
        (agent ? `User-Agent: ${agent}\\r\\n` : "") + "Connection: close\\r\\n\\r\\n"));
      s.on("error", () => {}).on("close", next).resume();
    }).on("error", next).end();
}
for (let i = 0; i < 4; i++) next();
"""


def node(lab, proxy, targets, rounds):
    """Node.js."""
    harness.run("node", "-e", NODE.replace("fs.readFileSync(sheet, ", "fs.readFileSync(process.argv[5], "),
                proxy.host, str(proxy.port), proxy.ca, str(rounds),
                lab.file("node-targets", sheet(targets)), check=False, timeout=90)


JAVA = """
import java.io.*; import java.net.*; import java.nio.file.*; import java.security.*;
import java.security.cert.*; import java.util.*; import javax.net.ssl.*;
public class Many {
    static SSLContext context(TrustManager[] trust) throws Exception {
        SSLContext made = SSLContext.getInstance("TLS");
        made.init(null, trust, null);
        return made;
    }
    public static void main(String[] args) throws Exception {
        // Newer releases refuse static RSA.
        Security.setProperty("jdk.tls.disabledAlgorithms", "SSLv3, TLSv1, TLSv1.1, RC4, NULL, anon");
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = new FileInputStream(args[2])) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        TrustManager[] any = {new X509ExtendedTrustManager() {
            public void checkClientTrusted(X509Certificate[] c, String a) {}
            public void checkServerTrusted(X509Certificate[] c, String a) {}
            public void checkClientTrusted(X509Certificate[] c, String a, Socket s) {}
            public void checkServerTrusted(X509Certificate[] c, String a, Socket s) {}
            public void checkClientTrusted(X509Certificate[] c, String a, SSLEngine e) {}
            public void checkServerTrusted(X509Certificate[] c, String a, SSLEngine e) {}
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        }};
        SSLContext strict = context(trust.getTrustManagers()), lax = context(any);
        Proxy proxy = new Proxy(Proxy.Type.HTTP, new InetSocketAddress(args[0], Integer.parseInt(args[1])));
        for (int i = 0; i < Integer.parseInt(args[3]); i++) {
            for (String line : Files.readAllLines(Path.of(args[4]))) {
                String[] words = line.split(" ", 4);
                String host = words[0].contains(":") ? "[" + words[0] + "]" : words[0];
                try {
                    HttpsURLConnection c = (HttpsURLConnection) new URL("https://" + host + ":" + words[1] + "/")
                        .openConnection(proxy);
                    boolean verified = words[2].equals("1");
                    c.setSSLSocketFactory((verified ? strict : lax).getSocketFactory());
                    if (!verified) c.setHostnameVerifier((h, s) -> true);
                    if (!words[3].isEmpty()) c.setRequestProperty("User-Agent", words[3]);
                    c.setRequestProperty("Connection", "close");
                    c.setReadTimeout(15000);
                    c.getInputStream().readAllBytes();
                } catch (IOException e) { /* the record tells */ }
            }
        }
    }
}
"""


def java(lab, proxy, targets, rounds):
    """Java's HttpsURLConnection."""
    harness.run("java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", lab.file("Many.java", JAVA),
                proxy.host, str(proxy.port), proxy.ca, str(rounds),
                lab.file("java-targets", sheet(targets)), check=False, timeout=120)


GO = """
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func ask(proxy *url.URL, config *tls.Config, line string, h2 bool) {
	words := strings.SplitN(line, " ", 4)
	host := words[0]
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	config.InsecureSkipVerify = words[2] != "1"
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: config,
		ForceAttemptHTTP2: h2, DisableKeepAlives: !h2}
	client := &http.Client{Timeout: 15 * time.Second, Transport: transport}
	request, _ := http.NewRequest("GET", "https://"+host+":"+words[1]+"/", nil)
	if words[3] != "" {
		request.Header.Set("User-Agent", words[3])
	}
	answer, err := client.Do(request)
	if err == nil {
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	transport.CloseIdleConnections()
}

func main() {
	proxy, _ := url.Parse(os.Args[1])
	pem, _ := os.ReadFile(os.Args[2])
	rounds, _ := strconv.Atoi(os.Args[3])
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	var lines []string
	for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	cache := tls.NewLRUClientSessionCache(100)
	jobs := make(chan func())
	var done sync.WaitGroup
	for i := 0; i < 4; i++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for job := range jobs {
				job()
			}
		}()
	}
	for i := 0; i < rounds; i++ {
		for _, line := range lines {
			i, line := i, line
			jobs <- func() {
				config := &tls.Config{RootCAs: roots}
				if i%2 == 1 {
					config.ClientSessionCache = cache
				}
				if i%3 == 2 {
					config.MaxVersion = tls.VersionTLS12
				}
				ask(proxy, config, line, i%4 < 2)
			}
		}
	}
	close(jobs)
	done.Wait()
}
"""


def go(lab, proxy, targets, rounds):
    """Go's net/http, many at once."""
    del lab
    harness.run(go_program(GO), proxy.url, proxy.ca, str(rounds), input=sheet(targets), check=False,
                timeout=120)


def page(targets, done):
    """A page that has a picture of each target, opens a WebSocket to those that have one, and says
    so at `done` when all have loaded or failed."""
    images = "".join(f'<img src="{url(t)}?{i}">' for i in range(2) for t in targets)
    sockets = "".join(f"""new Promise(end => {{ const s = new WebSocket("wss://{place(t)}/");
        s.onopen = () => s.send("hello"); s.onmessage = () => {{ s.close(); end(); }};
        s.onerror = end; }}),""" for t in targets if t.feature == "WebSocket")
    return f"""<!doctype html><title>innocent</title><body>{images}<script>
        addEventListener("load", async () => {{
            await Promise.race([Promise.all([{sockets}]), new Promise(end => setTimeout(end, 5000))]);
            await fetch("{done}", {{mode: "no-cors"}}); }});</script>"""


def chromium(lab, proxy, start, done):
    """Headless Chromium with the proxy's CA installed, until it has said so."""
    home = f"{lab.dir}/chromium"
    store = f"{home}/.pki/nssdb"
    os.makedirs(store)
    harness.run("certutil", "-d", f"sql:{store}", "-N", "--empty-password")
    harness.run("certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "lab", "-i", proxy.ca)
    program = harness.Program(
        [
            *["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
            *["--no-first-run", "--disable-background-networking", "--disable-sync"],
            *["--disable-component-update", "--disable-dev-shm-usage"],
            *["--proxy-bypass-list=<-loopback>", f"--proxy-server={proxy.url}"],
            *["--remote-debugging-port=0", f"--user-data-dir={home}/profile", start],
        ],
        f"{lab.dir}/chromium-run", start_new_session=True,
        env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config",
             "XDG_CACHE_HOME": f"{home}/.cache"})
    try:
        done.wait(40)
    finally:
        program.stop()


def firefox(lab, proxy, start, done):
    """Headless Firefox with the proxy's CA in its own store, until it has said so."""
    profile = f"{lab.dir}/firefox"
    os.makedirs(profile)
    with open(f"{profile}/user.js", "w", encoding="utf-8") as f:
        f.write(FIREFOX % (proxy.host, proxy.port))
    harness.run("certutil", "-N", "-d", f"sql:{profile}", "--empty-password")
    harness.run("certutil", "-A", "-d", f"sql:{profile}", "-n", "lab", "-t", "C,,", "-i", proxy.ca)
    program = harness.Program(
        ["firefox-esr", "--headless", "--no-remote", "--profile", profile, start],
        f"{lab.dir}/firefox-run", env={**os.environ, "HOME": profile})
    try:
        done.wait(60)
    finally:
        program.stop()
