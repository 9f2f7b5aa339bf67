"""Clocks that are wrong: the proxy's, and those of whoever made a server's certificate. Clients
with a wrong clock are in cases_clients."""

import datetime
import functools

from tests.lab import harness, pki
from tests.lab.clients import curl, go
from tests.lab.scenario import Scenario
from tests.lab.servers import HOST, nginx, s_server

DAY = datetime.timedelta(days=1)
NOW = harness.NOW
PRELOAD = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def root():
    """A root that is valid by any of these clocks, as public ones are."""
    made = pki.issue("Old Root", None, pki.CA_EXTENSIONS, which="old root",
                     start=NOW - 4000 * DAY, end=NOW + 7000 * DAY)
    return made._replace(chain="/dev/null")


def leaf(begin=-20, end=70, name=HOST, **more):
    """A leaf that is valid from one day to another, counted from today."""
    return lambda: harness.leaf(name, issuer=root(), start=NOW + begin * DAY, end=NOW + end * DAY,
                                **more)


def below_intermediate():
    """A sound leaf whose server sends its issuer, which lasts for ten years."""
    issuer = pki.authority("Old Intermediate", issuer=root(), start=NOW - 400 * DAY,
                           end=NOW + 3200 * DAY)
    return harness.leaf(HOST, issuer=issuer, start=NOW - 20 * DAY, end=NOW + 70 * DAY)


@functools.cache
def clock(offset):
    """The setup of a proxy whose clock is off; "+5y"."""
    def setup(lab):
        env = {"LD_PRELOAD": PRELOAD, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return (), {"env": env if offset else {}, "trust": [root().file],
                    "ca_dir": f"{lab.dir}/ca{offset}"}
    return setup


def after_others(visits, make):
    """curl, behind connections to so many other hosts."""
    def run(lab, proxy, target):
        for i in range(visits):
            host = f"{i}.localhost"
            other = lab.s_server(make(name=host, which=1)())
            curl()(lab, proxy, (host, other.port))
        harness.until(lambda: len(proxy.written()) >= visits, "the others' records")
        curl()(lab, proxy, target)
    return run


CLOCKS = [
    # The record of one connection does not tell a clock that is ahead from a server that was left
    # alone for years.
    Scenario("proxy-years-ahead", s_server(leaf()), curl(),
             "undetermined", "clock-skew-proxy", "possible", ("server-self-signed",), "date -u",
             clock("+5y")),
    Scenario("proxy-years-ahead-long-chain", s_server(below_intermediate), curl(),
             "undetermined", "clock-skew-proxy", "possible", (), "--control", clock("+6y")),
    Scenario("proxy-years-ahead-go", nginx(leaf()), go(),
             "undetermined", "clock-skew-proxy", "possible", (), "date -u", clock("+7y")),
    Scenario("proxy-ahead-for-all", s_server(leaf()), after_others(4, leaf),
             "proxy", "clock-skew-proxy", "likely", ("server-cert-expired",), "date -u",
             clock("+8y")),
    Scenario("proxy-years-behind", s_server(leaf()), curl(),
             "proxy", "clock-skew-proxy", "likely", ("server-cert-not-yet-valid",), "",
             clock("-5y")),
    # So far ahead that what the proxy makes is not valid yet to others, and servers' leaves still are.
    Scenario("proxy-days-ahead", s_server(leaf()), curl(),
             "undetermined", "clock-skew-proxy", "possible", ("proxy-ca-not-installed",),
             "Compare the clocks", clock("+20d")),
    # A server that has had nobody for years, and one whose certificate a wrong clock made.
    Scenario("expired-for-years", s_server(leaf(-3500, -800)), curl(),
             "server", "server-cert-expired", "certain", ("clock-skew-proxy",), "stale node",
             clock("")),
    Scenario("expired-before-others-began", s_server(leaf(-60, -25)), after_others(1, leaf),
             "server", "server-cert-expired", "certain", ("clock-skew-proxy",), "", clock("")),
    Scenario("issuer-days-ahead", s_server(leaf(3, 90)), curl(),
             "server", "server-cert-not-yet-valid", "", ("server-cert-expired",), "date -u",
             clock("")),
    Scenario("issuer-years-ahead", s_server(leaf(1500, 1590)), curl(),
             "undetermined", "clock-skew-proxy", "", ("server-cert-expired",), "date -u",
             clock("")),
]
