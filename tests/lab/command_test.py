"""run -- COMMAND: real programs, unchanged, through a proxy of their own."""

import os
import re
import shutil
import signal
import subprocess
import sys

from tests.lab import harness
from tests.lab.harness import PROGRAM, TIMEOUT, field, read_log

HOST = "a.localhost"

PYTHON = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode(), end='')"

JAVA = """
public class Fetch {
    public static void main(String[] args) throws Exception {
        var connection = new java.net.URL(args[0]).openConnection();
        System.out.print(new String(connection.getInputStream().readAllBytes()));
    }
}
"""

NODE = """
require('https').get(process.argv[2], (r) => r.pipe(process.stdout))
    .on('error', (e) => { console.error(e.code); process.exit(3); });
"""


class Command(harness.Lab):
    def setUp(self):
        self.log = f"{self.dir}/log.ndjson"

    def run_through(self, *command, options=(), check=True, env=None, **more):
        """Runs `command` and returns it with `records`, those of its connections."""
        done = subprocess.run(
            [PROGRAM, "run", "--ca-dir", f"{self.dir}/ca", "--log", self.log]
            + ["--trust", harness.root().file, *options, "--", *command],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False,
            encoding="utf-8",
            env={"PATH": os.environ["PATH"], "HOME": self.dir, "COLUMNS": "100", **(env or {})},
            **more,
        )
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        done.records = read_log(self.log)
        return done

    def fetches(self, *command, protocol=None):
        """Checks that `command`, given the URL of a page, prints it, through the proxy, and that
        an expired certificate is the server's fault."""
        page = self.nginx(harness.leaf(HOST, issuer=harness.intermediate()))
        done = self.run_through(*command, f"https://{HOST}:{page.port}/")
        self.assertEqual(done.stdout, "hello\n")
        self.assertIn("tlsblame: 1 connection, 0 failed\n", done.stderr)
        self.assertIn(f" {HOST}:{page.port} ", done.stderr)
        self.assertEqual(field(done.records[0], "verdict.cause"), "healthy")
        if protocol is not None:
            self.assertEqual(field(done.records[0], "legs.client.tls.next_protocol"), protocol)
        expired = self.nginx(harness.expired(HOST))
        done = self.run_through(*command, f"https://{HOST}:{expired.port}/", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        self.assertIn("tlsblame: 1 connection, 1 failed\n", done.stderr)
        record = done.records[1]
        self.assertRegex(done.stderr, r"(?m)^VERDICT     server: server-cert-expired \((certain|likely)\)$")
        self.assertRegex(done.stderr, r"(?m)^  remedy    \S")
        more = re.search(r"(?m)^  more      tlsblame (show .+)$", done.stderr)
        self.assertEqual(more[1], f"show --log {self.log} {record['id']}")
        shown = harness.run(PROGRAM, *more[1].split(), check=False)
        self.assertIn(b"server-cert-expired", shown.stdout)
        return done

    def test_curl(self):
        done = self.fetches("curl", "-sS", protocol=None)
        self.assertEqual(done.returncode, 60)

    def test_python(self):
        self.fetches(sys.executable, "-c", PYTHON)

    def test_java(self):
        if shutil.which("java") is None:
            self.skipTest("no java")
        done = self.fetches("java", self.file("Fetch.java", JAVA))
        self.assertIn("Picked up JAVA_TOOL_OPTIONS", done.stderr)

    def test_git(self):
        if shutil.which("git") is None:
            self.skipTest("no git")
        server = self.nginx(harness.leaf(HOST))
        url = f"https://{HOST}:{server.port}/nothing.git"
        done = self.run_through("git", "ls-remote", url, check=False)
        self.assertEqual(done.returncode, 128)
        self.assertIn("not found", done.stderr)  # said by the server, inside TLS
        self.assertEqual(field(done.records[0], "verdict.cause"), "healthy")

    def test_openssl(self):
        server = self.s_server(harness.leaf(HOST))
        script = (f"openssl s_client -connect {HOST}:{server.port} -servername {HOST} "
                  "-proxy ${https_proxy#http://} -verify_return_error -verify_quiet")
        done = self.run_through("sh", "-c", script)
        self.assertIn("Verification: OK", done.stdout)

    def test_node(self):
        """Without a proxy of its own, Node.js up to 20 goes around ours, and we say so."""
        server = self.nginx(harness.leaf(HOST))
        url = f"https://{HOST}:{server.port}/"
        done = self.run_through("node", self.file("fetch.js", NODE), url, check=False)
        if done.records:
            self.assertEqual((done.returncode, done.stdout), (0, "hello\n"))
        else:
            self.assertIn("no connection came through the proxy", done.stderr)

    def test_wget(self):
        """GnuTLS reads no variable that names roots: our CA is unknown to it until it is told."""
        server = self.nginx(harness.leaf(HOST))
        wget = ["wget", "-q", "-O", "-", f"https://{HOST}:{server.port}/"]
        done = self.run_through(*wget, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual((len(done.records), done.stdout), (1, ""))
        self.assertNotEqual(field(done.records[0], "verdict.party"), "none")
        done = self.run_through(*wget, f"--ca-certificate={self.dir}/ca/bundle.pem")
        self.assertEqual(done.stdout, "hello\n")

    def test_untrusted_server_and_no_proxy(self):
        server = self.nginx(harness.leaf(HOST))
        url = f"https://{HOST}:{server.port}/"
        curl = ["curl", "-sS", "-o", f"{self.dir}/page", url]
        around = {"no_proxy": "localhost", "CURL_CA_BUNDLE": harness.root().file}
        done = self.run_through(*curl, env=around, check=False)
        self.assertEqual(done.records, [])
        self.assertIn('NO_PROXY is "localhost"', done.stderr)

    def test_quiet_and_many_at_once(self):
        server = self.nginx(harness.leaf(HOST))
        urls = [f"https://{HOST}:{server.port}/?{i}" for i in range(30)]
        done = self.run_through("sh", "-c", 'for u; do curl -sS "$u" & done; wait', "sh", *urls,
                                options=["--quiet"])
        self.assertEqual((done.stdout, done.stderr), ("hello\n" * 30, ""))
        self.assertEqual(len(done.records), 30)

    def test_connections_are_complete_however_the_command_ends(self):
        """The command is gone with its connections open: the records are there all the same."""
        server = self.nginx(harness.leaf(HOST))
        script = (f"curl -sS --no-buffer https://{HOST}:{server.port}/ && "
                  "kill -KILL $$")
        done = self.run_through("sh", "-c", script, check=False)
        self.assertEqual(done.returncode, 128 + signal.SIGKILL)
        self.assertEqual(field(done.records[0], "verdict.cause"), "healthy")
        self.assertEqual(field(done.records[0], "legs.client.end.by"), "client")


class Serving(harness.Lab):
    def test_env_gives_a_shell_what_it_needs(self):
        server = self.nginx(harness.leaf(HOST))
        proxy = self.proxy()
        script = (f'eval "$({PROGRAM} env --ca-dir {proxy.ca_dir} --proxy {proxy.host}:{proxy.port} '
                  f'--shell sh)"; curl -sS https://{HOST}:{server.port}/')
        done = harness.run("sh", "-c", script, env={"PATH": os.environ["PATH"]})
        self.assertEqual(done.stdout, b"hello\n")
        proxy.record()

    def test_bundles_that_cannot_be_written_are_no_reason_to_stop(self):
        os.makedirs(f"{self.dir}/ca/bundle.pem")
        server = self.nginx(harness.leaf(HOST))
        proxy = self.proxy()
        self.assertEqual(self.curl(f"https://{HOST}:{server.port}/", proxy).status, 200)
        self.assertRegex(proxy.stderr(), "tlsblame: warning: .*/ca/bundle.pem: cannot be written")
