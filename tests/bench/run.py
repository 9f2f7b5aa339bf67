"""The benchmark: see run.sh and README.md.

Each proxy is asked to do the same things between our own load generator and our own origin, in turn
and several times over: full handshakes on both legs, bulk downloads, idle connections. The numbers
are medians; the ratios are taken within the same run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import measure
import plot
import targets

MIB = 1024 * 1024
FULL = {"rounds": 3, "count": 1500, "bulk": 512 * MIB, "held": 2000, "most_held": 9000,
        "held_steps": (1, 10, 100, 1000, 3000, 9000), "host_steps": (1, 10, 100, 1000, 10000),
        "seconds": 4, "starts": 9}
QUICK = {"rounds": 1, "count": 300, "bulk": 128 * MIB, "held": 200, "most_held": 1000,
         "held_steps": (1, 10, 100, 1000), "host_steps": (1, 10, 100, 1000), "seconds": 2,
         "starts": 3}
WORKER_ROUNDS = 9  # ratios near 2 that differ by a tenth from round to round
FLOOR = "crypto floor"
ADDED = {"answer": "p99 added us", "handshake": "p99 added to the client's handshake"}
COLUMNS = ("us/conn 1.3", "us/conn 1.2", "us/new name", "us/new cert", "s/GB", "KiB/idle",
           ADDED["answer"])


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


class Results:
    """Measured values: of each proxy, by column."""

    def __init__(self):
        self.values = {}
        self.delays = {}  # percentiles, in microseconds

    def keep(self, name, column, value):
        self.values.setdefault(name, {}).setdefault(column, []).append(value)

    def delay(self, name, percentile, value):
        self.delays.setdefault(name, {}).setdefault(percentile, []).append(value)

    def get(self, name, column):
        values = self.values.get(name, {}).get(column)
        return statistics.median(values) if values else None

    def ratio(self, column, ours, *theirs):
        """Ours divided by the best of theirs, or None."""
        best = [value for value in (self.get(name, column) for name in theirs) if value is not None]
        mine = self.get(ours, column)
        return mine / min(best) if best and mine is not None else None


def start_all(kinds, folder, origin_port, core):
    """Starts what can be started, and says what cannot."""
    running = []
    for kind in kinds:
        if kind.missing():
            say(f"{kind.name} is not installed: left out")
            continue
        try:
            running.append(kind(folder, origin_port, core))
            measure.load(running[-1], core, count=20, parallel=4)
        except (OSError, subprocess.SubprocessError) as error:
            say(f"{kind.name} does not work here: left out ({error})")
            if running and isinstance(running[-1], kind):
                running.pop().stop()
    return running


def one_round(results, running, core, size, number):
    for target in running:
        say(f"round {number + 1} of {size['rounds']}: {target.name}")
        if target.tls:
            for version in ("1.3", "1.2"):
                results.keep(target.name, f"us/conn {version}",
                             measure.connections(target, core, size["count"], version=version))
        if target.mints:
            for column, name in (("us/new name", "h"), ("us/new cert", "new")):
                results.keep(target.name, column,
                             measure.connections(target, core, size["count"], hosts=10**9,
                                                 sni=f"{name}%d-{number}.bench.test"))
        results.keep(target.name, "s/GB", measure.bulk(target, core, size["bulk"]))


def floor_round(results, folder, core, size):
    """The cryptography alone, on the core of the proxies and in the same rounds."""
    floor = measure.floor(folder, core, size["count"], 256)
    results.keep(FLOOR, "us/conn 1.3", floor["us"])
    results.keep(FLOOR, "s/GB", floor["s_per_gb"])


def latencies(results, running, origin_port, core, size):
    """At half of what nginx can do, how long a connection takes, and what each adds to one with the
    origin itself."""
    us = results.get("nginx stream", "us/conn 1.3")
    if us is None:
        return
    direct = object.__new__(targets.SpliceRelay)
    direct.name, direct.port, direct.pids = "origin itself", origin_port, lambda: []
    measured = [target for target in running if target.name in ("tlsblame", "nginx stream")]
    for _ in range(size["rounds"]):
        base = None
        for target in [direct] + measured:
            took = measure.latency(target, core, 0.5e6 / us, size["seconds"])
            base = base or took
            for point, percentiles in took.items():
                for name, value in percentiles.items():
                    results.delay(target.name, f"{point} {name}", value)
                if target is not direct:
                    results.keep(target.name, ADDED[point], percentiles["p99"] - base[point]["p99"])


def against_connections(folder, origin_port, core, other, steps):
    """Charts of memory and CPU beside so many open connections."""
    memory, opening = {}, {}
    kinds = (targets.Tlsblame, targets.Nginx, targets.Haproxy, targets.Sslsplit)
    running = start_all(kinds, folder, origin_port, core)
    try:
        for target in running:
            say(f"connections: {target.name}")
            for held in steps:
                _, us, whole = measure.idle(target, other, held)
                memory.setdefault(target.name, []).append((held, whole / 1024))
                opening.setdefault(target.name, []).append((held, us))
    finally:
        for target in running:
            target.stop()
    return [plot.chart("Memory beside so many idle connections", "connections", "MiB", memory,
                       log_y=True),
            plot.chart("CPU to open a connection beside so many", "connections", "us", opening)]


def against_hosts(folder, origin_port, core, other, steps, count):
    """Charts of memory and CPU after so many hosts, each with a certificate of its own, for those that
    mint and are quick enough."""
    memory, cpu = {}, {}
    running = start_all((targets.Tlsblame, targets.Sslsplit), folder, origin_port, core)
    try:
        for target in running:
            say(f"hosts: {target.name}")
            for number in steps:
                sni = f"new-c%d-{number}.bench.test"
                measure.load(target, other, count=number, hosts=number, sni=sni)
                us = measure.connections(target, other, count, hosts=number, sni=sni)
                memory.setdefault(target.name, []).append(
                    (number, measure.rss_kib(target.pids()) / 1024))
                cpu.setdefault(target.name, []).append((number, us))
    finally:
        for target in running:
            target.stop()
    return [plot.chart("Memory after so many hosts", "hosts", "MiB", memory, log_y=True),
            plot.chart("CPU of a connection to one of so many hosts that it knows", "hosts", "us", cpu)]


def goals(results, extra):
    """Rows of what is to be reached: text, value, limit, and whether more is better."""
    ratio, ours = results.ratio, "tlsblame"
    return [
        ("connection, of nginx stream", ratio("us/conn 1.3", ours, "nginx stream"), 0.5, False),
        ("connection, of the crypto floor", ratio("us/conn 1.3", ours, FLOOR), 0.85, False),
        ("new host, of sslsplit", ratio("us/new name", ours, "sslsplit"), 0.25, False),
        ("new host, new certificate, of sslsplit", ratio("us/new cert", ours, "sslsplit"), 0.25,
         False),
        ("bytes, of the best that end TLS",
         ratio("s/GB", ours, "nginx stream", "HAProxy", "nghttpx"), 0.9, False),
        ("tunnelled bytes, of a splice relay",
         ratio("s/GB", "tlsblame tunnel", "splice relay"), 1.0, False),
        ("KiB of an idle connection", extra["idle"], 28, False),
        ("recording and verdict, % of instructions", extra["recording"], 5, False),
        ("p99 added to the answer, of nginx stream",
         ratio(ADDED["answer"], ours, "nginx stream"), 1.5, False),
        ("the same to the client's handshake",
         ratio(ADDED["handshake"], ours, "nginx stream"), None, False),
        ("two workers against one", extra["workers"], 1.85, True),
        ("two processes against one", extra["apart"], None, True),
        ("start to first answer, ms", extra["start"], 50, False),
    ]


def cell(value, width=14):
    return " " * width if value is None else f"{value:{width},.{2 if value < 100 else 0}f}"


def delay_table(results):
    """Percentiles of what a connection takes, at half of what nginx can do."""
    for number, (name, delays) in enumerate(results.delays.items()):
        if number == 0:
            print(f"\n{'us until':15}" + "".join(f"{percentile:>16}" for percentile in delays))
        print(f"{name:15}" + "".join(cell(statistics.median(values), 16)
                                     for values in delays.values()))


def table(results, extra):
    names = sorted(results.values, key=lambda name: not name.startswith("tlsblame"))
    width = max(map(len, names))
    print(f"{'':{width}}" + "".join(f"{column:>14}" for column in COLUMNS))
    for name in names:
        print(f"{name:{width}}" + "".join(cell(results.get(name, column)) for column in COLUMNS))
    delay_table(results)
    print(f"\n{'goal':42}{'measured':>10}{'':4}{'wanted':>10}")
    for text, value, limit, more in goals(results, extra):
        if limit is None:
            print(f"{text:42}{cell(value, 10)}")
            continue
        sign, ok = (">=", value is not None and value >= limit) if more else \
            ("<=", value is not None and value <= limit)
        word = "not measured" if value is None else "pass" if ok else "FAIL"
        print(f"{text:42}{cell(value, 10)}{sign:>8}{limit:6g}  {word}")


def two_workers(folder, origin_port, cores, core, size):
    """How much two workers do in a second of CPU time, against one, and how much two processes of one
    worker each, which share nothing; only where there are two cores."""
    if len(cores) < 2:
        return None, None
    sets = [start_all(kinds, folder, origin_port, set(cores))
            for kinds in ([targets.Tlsblame], [targets.TwoWorkers], [targets.Half, targets.OtherHalf])]
    ratios = {"two": [], "apart": []}
    for _ in range(WORKER_ROUNDS):
        one, two, apart = [measure.connections_apart(parts, core, size["count"], parallel=64,
                                                     hosts=10, sni="h%d.bench.test")
                           for parts in sets]
        ratios["two"].append(2 * one / two)
        ratios["apart"].append(2 * one / apart)
    for parts in sets:
        for target in parts:
            target.stop()
    return statistics.median(ratios["two"]), statistics.median(ratios["apart"])


def measure_all(folder, origin_port, cores, size, svg):
    core, other = cores[0], cores[-1]
    results, extra = Results(), {}
    ours = (targets.Tlsblame, targets.Tunnel)
    running = start_all(ours + targets.PEERS + targets.RELAYS, folder, origin_port, core)
    try:
        for number in range(size["rounds"]):
            one_round(results, running, other, size, number)
            floor_round(results, folder, core, size)
        say("latency")
        latencies(results, running, origin_port, other, size)
        for target in running:
            if target.tls and target.holds:
                say(f"idle: {target.name}")
                held = max(50, int(size["held"] * target.scale))
                results.keep(target.name, "KiB/idle", measure.idle(target, other, held)[0])
    finally:
        for target in running:
            target.stop()
    # Of processes started anew: what earlier work left in memory would hide what is measured.
    place = folder, origin_port, core, other
    plot.write(svg, against_connections(*place, size["held_steps"]) +
               against_hosts(*place, size["host_steps"], size["count"]))
    fresh = start_all([targets.Tlsblame], folder, origin_port, core)[0]
    extra["idle"] = measure.idle(fresh, other, size["most_held"])[0]
    fresh.stop()
    extra["start"] = statistics.median(
        measure.start_ms(targets.Tlsblame, folder, origin_port, core) for _ in range(size["starts"]))
    say("two workers, recording")
    extra["workers"], extra["apart"] = two_workers(folder, origin_port, cores, other, size)
    share = measure.recording_share(folder, origin_port, core, 100)
    extra["recording"] = None if share is None else share * 100
    return results, extra


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a minute, rough numbers")
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    parser.add_argument("--plot", metavar="FILE", help="where the plot goes",
                        default=os.path.join(tempfile.gettempdir(), "tlsblame-bench.svg"))
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with targets.origin(cores[-1]) as (folder, port):
        results, extra = measure_all(folder, port, cores, QUICK if options.quick else FULL,
                                     options.plot)
    table(results, extra)
    print(f"\nThe plot is {options.plot}.")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"results": results.values, "extra": extra}, out, indent=2)


if __name__ == "__main__":
    main()
