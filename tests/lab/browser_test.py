"""Headless Chromium through the proxy."""

import os
import shutil
import subprocess

from tests.lab import harness
from tests.lab.harness import field

HOST = "a.localhost"

# The browser's own errands are not to leave this machine.
LOOPBACK_ONLY = {"rules": [{"hosts": [HOST], "action": "intercept"}],
                 "default": {"action": "refuse"}}

PAGE = """<!doctype html><html><head><title>before</title>
<link rel="stylesheet" href="/style.css"><script src="/first.js"></script></head>
<body><p id="color"></p><img id="image" src="/image.png"><script src="/last.js"></script>
</body></html>"""

# The load event comes after every sub-resource; what they did is written into the DOM.
LAST = """addEventListener("load", async () => {
    document.title = window.first + " " + document.getElementById("image").naturalWidth + " " +
        getComputedStyle(document.getElementById("color")).color + " " +
        await (await fetch("/data.json")).text();
});"""

# One pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0"
    "f01f00050001ff8ae6f8c50000000049454e44ae426082"
)


class Chromium(harness.Lab):
    """With the proxy's CA installed as a user would."""

    def chromium(self, proxy, url, trusted=True):
        """Loads a page and returns its DOM."""
        home = f"{self.dir}/home"
        store = f"{home}/.pki/nssdb"
        os.makedirs(store)
        harness.run("certutil", "-d", f"sql:{store}", "-N", "--empty-password")
        if trusted:
            harness.run("certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "tlsblame",
                        "-i", proxy.ca)
        profile = f"{self.dir}/profile"
        with open(f"{self.dir}/chromium.log", "wb") as log:
            done = subprocess.run(
                [
                    *["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
                    *["--no-first-run", "--disable-background-networking", "--disable-sync"],
                    *["--disable-component-update", "--disable-dev-shm-usage"],
                    *["--proxy-bypass-list=<-loopback>", f"--proxy-server={proxy.url}"],
                    *["--virtual-time-budget=10000", f"--user-data-dir={profile}", "--dump-dom"],
                    url,
                ],
                env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config",
                     "XDG_CACHE_HOME": f"{home}/.cache"},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, timeout=60,
                check=False,
            )
        shutil.rmtree(profile, ignore_errors=True)
        return done.stdout.decode()

    def site(self):
        """A page with what pages have."""
        server = self.nginx(harness.leaf(HOST, issuer=harness.intermediate()), http2=True)
        for name, text in {
            "index.html": PAGE, "style.css": "#color { color: rgb(1, 2, 3); }",
            "first.js": "window.first = 'script';", "last.js": LAST, "image.png": PNG,
            "data.json": '{"a": 1}',
        }.items():
            with open(f"{server.dir}/www/{name}", "wb") as f:
                f.write(text if isinstance(text, bytes) else text.encode())
        return server

    def test_page_and_its_resources(self):
        server = self.site()
        proxy = self.proxy(policy=LOOPBACK_ONLY)
        dom = self.chromium(proxy, f"https://{HOST}:{server.port}/")
        self.assertIn('<title>script 1 rgb(1, 2, 3) {"a": 1}</title>', dom)
        harness.until(lambda: len([r for r in proxy.written() if r.get("host") == HOST]) != 0,
                      "the browser's record")
        proxy.stop()
        records = [r for r in proxy.written() if r.get("host") == HOST]
        # Beside it there may be a connection that the browser opened to be quick, and not used.
        record = max(records, key=lambda r: field(r, "legs.server.bytes.data_received") or 0)
        self.assertIn("Chrome/", field(record, "user_agent.original"))
        self.assertEqual(record["verdict"]["party"], "none")
        for leg in "client", "server":
            tls, offer = record["legs"][leg]["tls"], record["legs"][leg]["offer"]
            self.assertEqual((tls["version"], tls["next_protocol"]), ("1.3", "h2"))
            self.assertRegex(offer["ciphers"][0], "GREASE")
            self.assertRegex(offer["groups"][0], "GREASE")
            self.assertEqual(offer["alpn"], ["h2", "http/1.1"])

    def test_without_the_ca(self):
        server = self.site()
        proxy = self.proxy(policy=LOOPBACK_ONLY)
        dom = self.chromium(proxy, f"https://{HOST}:{server.port}/", trusted=False)
        self.assertNotIn("<title>script", dom)
        harness.until(lambda: len([r for r in proxy.written() if r.get("host") == HOST]) != 0,
                      "the browser's record")
        proxy.stop()
        verdict = next(r["verdict"] for r in proxy.written() if r.get("host") == HOST)
        self.assertEqual(verdict["party"], "client", verdict)
