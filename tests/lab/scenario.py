"""Scenarios of verdicts: real parties, one defect, and who must be blamed for what.

All scenarios of a list share one proxy and run at once; a record is found by its port. Each run
prints a line for each scenario, and at its end the confusion matrix of all.
"""

import collections
import concurrent.futures
import json

from tests.lab import harness

AT_ONCE = 6

Scenario = collections.namedtuple(
    "Scenario", "name server client party cause confidence ruled_out next setup tries",
    defaults=("", (), "", None, 1)
)
Scenario.__doc__ = """`confidence` is what the verdict must say, "" for anything; every cause of
`ruled_out`, and those that verdicts of this cause always rule out (`always`), must be among
those that it rules out; `next` is what the next test must speak of.
`setup(lab)` returns a proxy's arguments and keyword arguments: scenarios with the same one share a
proxy. A client that connects more than once, as many times as `tries`, waits for the record of each;
the last one is judged."""

Outcome = collections.namedtuple("Outcome", "name expected got confidence")
Outcome.__doc__ = """`expected` and `got` are (party, cause)."""


def summary(record):
    """What a verdict rests on, for the eye."""
    legs = {
        name: {part: leg.get(part) for part in ("alerts", "end", "verification", "timing_ms")}
        for name, leg in record["legs"].items()
    }
    return json.dumps({"mode": record["mode"], "verdict": record["verdict"]["says"], **legs})


def accuses(outcome):
    """Whether a verdict names a party that it should not."""
    party = outcome.got[0]
    return party not in ("none", "undetermined", outcome.expected[0])


def matrix(outcomes):
    """The confusion matrix as text: who was to be blamed, and who was; every miss below it."""
    parties = sorted({o.expected[0] for o in outcomes} | {o.got[0] for o in outcomes})
    counts = collections.Counter((o.expected[0], o.got[0]) for o in outcomes)
    lines = ["expected \\ verdict".ljust(20) + "".join(p.rjust(14) for p in parties)]
    for row in parties:
        cells = [str(counts[row, column] or ".").rjust(14) for column in parties]
        lines.append(row.ljust(20) + "".join(cells))
    party = sum(o.got[0] == o.expected[0] for o in outcomes)
    cause = sum(o.got == o.expected for o in outcomes)
    accused = [o for o in outcomes if accuses(o)]
    lines.append(f"{len(outcomes)} scenarios, {len({o.expected[1] for o in outcomes})} causes: "
                 f"party right in {party}, party and cause in {cause}, "
                 f"innocents accused in {len(accused)}")
    lines += [f"  {o.name}: expected {' '.join(o.expected)}, got {' '.join(o.got)}"
              for o in outcomes if o.got != o.expected]
    return "\n".join(lines)


class Scenarios(harness.Lab):
    """A test case whose methods blame. `always` is what verdicts of a party and cause rule out in each
    of its scenarios."""

    always = {}

    outcomes = []

    @classmethod
    def tearDownClass(cls):
        print(f"== Confusion matrix\n{matrix(Scenarios.outcomes)}\n", flush=True)

    def blame(self, scenarios, command=(), limit=4, **more):
        """Runs the scenarios, and prints and compares what came. `command` is what the proxies, and
        the clients, are run with; `limit` the seconds that each step of a connection has."""
        proxies = {}
        for setup in {scenario.setup for scenario in scenarios}:
            args, own = setup(self) if setup is not None else ((), {})
            proxies[setup] = self.proxy("--timeout", str(limit), *args,
                                        **{"command": command, **more, **own})
            proxies[setup].command = command
        runs = [(scenario, proxies[scenario.setup], scenario.server(self))
                for scenario in scenarios]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda run: run[0].client(self, *run[1:]), runs))
        for scenario, proxy, target in runs:
            with self.subTest(scenario.name):
                record = proxy.records_of(target, scenario.tries)[scenario.tries - 1]
                self.compare(scenario, record)

    def compare(self, scenario, record):
        """Holds a verdict against what a scenario expects."""
        verdict = record["verdict"]
        outcome = Outcome(scenario.name, (scenario.party, scenario.cause),
                          (verdict["party"], verdict["cause"]), verdict["confidence"])
        Scenarios.outcomes.append(outcome)
        same = "  " if outcome.expected == outcome.got else "! "
        print(f"{same}{scenario.name:36}{' '.join(outcome.expected):46}{' '.join(outcome.got)} "
              f"({outcome.confidence})", flush=True)
        self.assertEqual(outcome.got, outcome.expected, summary(record))
        if scenario.confidence:
            self.assertEqual(verdict["confidence"], scenario.confidence)
        ruled_out = {item["cause"] for item in verdict.get("ruled_out", [])}
        expected = {*scenario.ruled_out, *self.always.get(outcome.expected, ())}
        self.assertLessEqual(expected, ruled_out)
        self.assertIn(scenario.next, verdict["next"])
        for part in "says", "remedy", "next", "evidence":
            self.assertIn(part, verdict)
