"""Each verdict from a real client and a real server, with the right party and cause: see
scenario.py."""

from tests.lab import cases_boxes, cases_certificates, cases_clients, cases_negotiation
from tests.lab import cases_more, cases_transport, cases_watched
from tests.lab.network import Network
from tests.lab.scenario import Scenarios


class Verdicts(Scenarios):
    """A method for each list."""

    def test_healthy(self):
        self.blame(cases_clients.HEALTHY)

    def test_certificates(self):
        self.blame(cases_certificates.CERTIFICATES)

    def test_negotiation(self):
        self.blame(cases_negotiation.NEGOTIATION)

    def test_transport(self):
        self.blame(cases_transport.TRANSPORT)

    def test_network(self):
        self.blame(cases_transport.NETWORK, Network(self).command)

    def test_watched(self):
        self.blame(cases_watched.WATCHED, policy={"default": {"action": "tunnel"}})

    def test_clients(self):
        self.blame(cases_clients.CLIENTS)

    def test_boxes_in_front(self):
        self.blame(cases_boxes.FRONT)

    def test_boxes_behind(self):
        self.blame(cases_boxes.BEHIND)

    def test_more_causes(self):
        self.blame(cases_more.CAUSES)

    def test_interruptions(self):
        self.blame(cases_more.INTERRUPTIONS)
