"""Each verdict from a real client and a real server, with the right party and cause: see
scenario.py."""

import unittest

from tests.lab import cases_boxes, cases_certificates, cases_clients, cases_clocks, cases_closes
from tests.lab import cases_more, cases_negotiation, cases_strangers, cases_transport
from tests.lab import cases_watched, coverage, harness
from tests.lab.network import Network
from tests.lab.ruled_out import ALWAYS
from tests.lab.scenario import Scenarios


LISTS = (
    cases_boxes.FRONT,
    cases_boxes.BEHIND,
    cases_certificates.CERTIFICATES,
    cases_clients.HEALTHY,
    cases_clients.CLIENTS,
    cases_clocks.CLOCKS,
    cases_closes.CLOSES,
    cases_more.CAUSES,
    cases_more.INTERRUPTIONS,
    cases_negotiation.NEGOTIATION,
    cases_strangers.STRANGERS,
    cases_transport.NETWORK,
    cases_transport.TRANSPORT,
    cases_watched.WATCHED,
)


class Verdicts(Scenarios):
    """A method for each list."""

    always = ALWAYS

    def test_healthy(self):
        self.blame(cases_clients.HEALTHY, limit=harness.TIMEOUT)

    def test_certificates(self):
        self.blame(cases_certificates.CERTIFICATES)

    def test_negotiation(self):
        self.blame(cases_negotiation.NEGOTIATION)

    def test_strangers(self):
        self.blame(cases_strangers.STRANGERS)

    def test_transport(self):
        self.blame(cases_transport.TRANSPORT)

    def test_network(self):
        self.blame(cases_transport.NETWORK, Network(self).command)

    def test_watched(self):
        self.blame(cases_watched.WATCHED, policy={"default": {"action": "tunnel"}})

    def test_clients(self):
        self.blame(cases_clients.CLIENTS, limit=harness.TIMEOUT)

    @unittest.skipIf(harness.sanitized(), "faketime wants to be loaded first")
    def test_clocks(self):
        self.blame(cases_clocks.CLOCKS)

    def test_closes(self):
        self.blame(cases_closes.CLOSES)

    def test_boxes_in_front(self):
        self.blame(cases_boxes.FRONT)

    def test_boxes_behind(self):
        self.blame(cases_boxes.BEHIND)

    def test_more_causes(self):
        self.blame(cases_more.CAUSES)

    def test_interruptions(self):
        self.blame(cases_more.INTERRUPTIONS)

    def test_catalogue(self):
        """Every cause has a scenario or a reason, and none has both."""
        counts = coverage.counted(scenario for scenarios in LISTS for scenario in scenarios)
        print(f"== Scenarios for each cause\n{coverage.table(counts)}", flush=True)
        played = {cause for cause in coverage.catalogue() if counts[cause]}
        self.assertEqual(set(coverage.catalogue()) - played, set(coverage.NOT_PLAYED))
