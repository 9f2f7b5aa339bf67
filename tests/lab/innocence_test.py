"""Never an innocent: thousands of connections with which nothing is wrong, none of which may accuse
anyone. Real clients ask real servers that are odd in every way that is allowed."""

import collections
import concurrent.futures
import itertools
import threading
import time

from tests.lab import harness, innocent_clients, innocent_servers, innocent_ways
from tests.lab.innocent_clients import Target
from tests.lab.servers import quietly

# How often each client asks for every page.
CLIENTS = {
    "curl": (innocent_clients.curl, 8),
    "wget": (innocent_clients.wget, 3),
    "openssl": (innocent_clients.s_client, 2),
    "gnutls": (innocent_clients.gnutls_cli, 1),
    "python": (innocent_clients.python, 6),
    "node": (innocent_clients.node, 6),
    "java": (innocent_clients.java, 4),
    "go": (innocent_clients.go, 16),
}
BROWSERS = {"chromium": innocent_clients.chromium, "firefox": innocent_clients.firefox}
WAYS_ROUNDS = 5
LEAST = 2000

# What browsers do for themselves is not to leave this machine.
ERRANDS_REFUSED = {
    "rules": [{"hosts": ["*.localhost", "127.0.0.1", "::1"], "action": "intercept"}],
    "default": {"action": "refuse"},
}
TUNNELS = {"rules": [{"hosts": ["*-tunnel.way.localhost", "*-mutual.way.localhost"],
                      "action": "tunnel"}]}

Seen = collections.namedtuple("Seen", "column row record")


def accuses(record):
    return record["verdict"]["party"] not in ("none", "undetermined")


def worked(record):
    """Whether the server answered what the client asked."""
    return all(harness.field(record, f"legs.{leg}.bytes.data_received") for leg in ("client", "server"))


def table(seen):
    """Features and clients with the number of connections; how many of them the verdict calls
    healthy where that is not all."""
    columns = list(dict.fromkeys(s.column for s in seen))
    counts = collections.Counter((s.row, s.column) for s in seen)
    healthy = collections.Counter(
        (s.row, s.column) for s in seen if s.record["verdict"]["cause"] == "healthy")
    lines = ["feature".ljust(44) + "".join(c.rjust(10) for c in columns)]
    for row in dict.fromkeys(s.row for s in seen):
        cells = [(row, column) for column in columns]
        lines.append(row[:43].ljust(44) + "".join(
            (f"{counts[c]}" if counts[c] == healthy[c] else f"{healthy[c]}/{counts[c]}").rjust(10)
            if counts[c] else ".".rjust(10) for c in cells))
    totals = collections.Counter(s.column for s in seen)
    lines.append("all".ljust(44) + "".join(str(totals[c]).rjust(10) for c in columns))
    return "\n".join(lines)


class Innocence(harness.Lab):
    """One proxy for each client, so that each has a history of its own; they ask the same servers."""

    def setUp(self):
        self.started = {}
        self.numbers = itertools.count()
        # openssl makes one certificate at a time.
        self.client_certificate = harness.leaf("client.localhost")
        self.page_certificate = harness.leaf("page.localhost")
        self.way_certificate = harness.leaf("*.way.localhost")
        self.trust = [harness.root().file, innocent_servers.corp_root().file]

    def _print_logs(self):
        pass  # of fifty servers; what is wrong is printed with its record

    def once(self, name, start):
        if name not in self.started:
            self.started[name] = start()
        return self.started[name]

    def patient_service(self, handle, certificate=None, **more):
        """A service whose clients may leave in the middle of anything."""
        context = harness.tls_context(certificate, **more) if certificate else None
        service = harness.Service(lambda s: quietly(handle, s), context)
        self.addCleanup(service.stop)
        return service

    def asked(self, column, proxy, rows):
        """The records of a proxy that has ended, by (host, port)."""
        return [Seen(column, rows.get((r.get("host"), r.get("port")), "nothing asked for"), r)
                for r in proxy.written()]

    def targets(self):
        found = []
        for feature in innocent_servers.rows():
            port = feature.start(self, feature.hosts)
            found += [(Target(feature.name, host, port, feature.verified, feature.agent), feature)
                      for host in feature.hosts]
        return found

    def browser_page(self, targets):
        """A page for browsers, and the event of their having seen all of it."""
        done = threading.Event()

        def handle(s):
            line = harness.read_head(s).split(b"\r\n")[0]
            body = b"" if b"/done" in line else page
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n"
                      b"Connection: close\r\n\r\n%b" % (len(body), body))
            if b"/done" in line:
                done.set()

        service = self.patient_service(handle, self.page_certificate)
        base = f"https://page.localhost:{service.port}"
        page = innocent_clients.page(targets, f"{base}/done").encode()
        return Target("page with all of them", "page.localhost", service.port, True, None), done

    def run_client(self, name, proxy, targets):
        act, rounds = CLIENTS[name]
        mine = [t for t, feature in targets if name not in feature.without]
        began = time.monotonic()
        act(self, proxy, mine, rounds)
        took = time.monotonic() - began
        return self.ended(name, proxy, mine, took)

    def run_browser(self, name, proxy, targets):
        mine = [t for t, f in targets if f.browsers and name not in f.without]
        began = time.monotonic()
        page, done = self.browser_page(mine)
        BROWSERS[name](self, proxy, innocent_clients.url(page), done)
        seen = self.ended(name, proxy, [*mine, page], time.monotonic() - began)
        return [s for s in seen if s.row != "nothing asked for"]  # its own errands, refused

    def ended(self, name, proxy, targets, took):
        self.assertEqual(proxy.stop(), 0, proxy.stderr())
        seen = self.asked(name, proxy, {(t.host, t.port): t.feature for t in targets})
        print(f"{name}: {len(seen)} connections in {took:.1f} s", flush=True)
        return seen

    def sites(self):
        """The servers of the odd ways."""
        leaf = self.way_certificate
        site = self.nginx(leaf, server="ssl_ciphers DEFAULT:@SECLEVEL=0; keepalive_timeout 1;"
                          "client_header_timeout 1; ssl_early_data on;"
                          "client_max_body_size 1m; error_page 405 =200 /index.html;")
        plain = self.nginx()
        for server in site, plain:
            with open(f"{server.dir}/www/big", "wb") as f:
                f.write(bytes(3_000_000))
        mutual = self.nginx(leaf, server=f"ssl_client_certificate {harness.root().file};"
                            "ssl_verify_client on;")

        def answers(s):
            harness.read_head(s)
            s.sendall(innocent_servers.ANSWER % b"Content-Length: 6\r\n")

        def ssh(s):
            s.sendall(b"SSH-2.0-server\r\n")
            harness.read_exactly(s, len(b"SSH-2.0-innocent\r\n") + 100)
            s.sendall(bytes(100))

        served = {"service": answers, "echo": innocent_servers.echoes, "greeter": innocent_servers.greets}
        ports = {name: self.patient_service(handle, leaf).port for name, handle in served.items()}
        ports["ssh"] = self.patient_service(ssh).port
        return {"way": site.port, "tunnel": site.port, "plain": plain.port, "mutual": mutual.port,
                **ports}

    def run_ways(self, proxy):
        ports = self.sites()
        with open(proxy.ca, "rb") as ours, open(harness.root().file, "rb") as servers:
            self.authorities = self.file("authorities.pem", ours.read() + servers.read())
        rows, began = {}, time.monotonic()

        def act(way, number):
            host = f"w{number}-{way.site}.way.localhost"
            rows[host, ports[way.site]] = way.name
            for _ in range(WAYS_ROUNDS):
                quietly(lambda _: way.act(self, proxy, f"{host}:{ports[way.site]}"), None)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(act, innocent_ways.WAYS, range(len(innocent_ways.WAYS))))
        took = time.monotonic() - began
        self.assertEqual(proxy.stop(), 0, proxy.stderr())
        seen = self.asked("ways", proxy, rows)
        print(f"ways: {len(seen)} connections in {took:.1f} s", flush=True)
        return seen

    def check(self, seen, healthy_rows):
        """Nobody is accused; what worked is called healthy."""
        accused = [s for s in seen if accuses(s.record)]
        failed = [s for s in seen if s not in accused and (s.row, s.column) in healthy_rows
                  and worked(s.record) and s.record["verdict"]["party"] != "none"]
        missing = healthy_rows - {(s.row, s.column) for s in seen
                                  if s.record["verdict"]["cause"] == "healthy"}
        for title, found in ("accused", accused), ("not healthy", failed):
            for s in found:
                verdict = s.record["verdict"]
                print(f"{title}: {s.column}, {s.row}: {verdict['party']} {verdict['cause']} "
                      f"({verdict['confidence']}) {s.record['id']} {s.record.get('host')}:\n    "
                      f"{verdict['says']}", flush=True)
        print(table(seen))
        print(f"{len(seen)} innocent connections, {len({s.row for s in seen})} features, "
              f"{len(accused)} accused, {len(failed)} that worked and are not called healthy", flush=True)
        self.assertEqual((len(accused), len(failed)), (0, 0))
        self.assertEqual(missing, set())
        self.assertGreaterEqual(len(seen), LEAST)

    def test_nobody_is_accused(self):
        targets = self.targets()
        browsers = {name: self.proxy(trust=self.trust, policy=ERRANDS_REFUSED) for name in BROWSERS}
        ways = self.proxy("--timeout", "5", trust=self.trust, policy=TUNNELS)
        clients = {name: self.proxy(trust=self.trust) for name in CLIENTS}
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            jobs = [pool.submit(self.run_browser, *job, targets) for job in browsers.items()]
            jobs.append(pool.submit(self.run_ways, ways))
            jobs += [pool.submit(self.run_client, *job, targets) for job in clients.items()]
            seen = [s for job in jobs for s in job.result()]
        works = {(f.name, name) for _, f in targets for name in CLIENTS if name not in f.without}
        works |= {(f.name, name) for _, f in targets for name in BROWSERS
                  if f.browsers and name not in f.without}
        works |= {(way.name, "ways") for way in innocent_ways.WAYS if way.works}
        self.check(seen, works)
