"""A session as it should be: versions, protocols, keys and names on both legs."""

from tests.lab import harness
from tests.lab.harness import field

HOST = "a.localhost"


class Healthy(harness.Lab):
    """Through the proxy to nginx and openssl s_server."""

    def test_nginx(self):
        server = self.nginx(harness.leaf(HOST, issuer=harness.intermediate()), http2=True)
        proxy = self.proxy()
        answer = self.curl(f"https://{HOST}:{server.port}/", proxy)
        self.assertEqual((answer.status, answer.body, answer.version), (200, b"hello\n", "2"))
        record = proxy.record()
        for leg in "client", "server":
            self.assertEqual(field(record, f"legs.{leg}.tls.version"), "1.3")
            self.assertEqual(field(record, f"legs.{leg}.tls.next_protocol"), "h2")
            self.assertEqual(field(record, f"legs.{leg}.tls.client.server_name"), HOST)
        self.assertIs(field(record, "legs.server.verification.ok"), True)

    def test_s_server(self):
        server = self.s_server(harness.leaf(HOST))
        proxy = self.proxy()
        answer = self.curl(f"https://{HOST}:{server.port}/", proxy)
        self.assertEqual(answer.status, 200)
        self.assertIn(b"TLSv1.3", answer.body)
        proxy.record()
