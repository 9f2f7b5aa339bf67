#!/usr/bin/env python3
"""Measures how well a hello and a claimed browser tell of a box in front.

usage: claims.py FOLDER [TLSBLAME]

FOLDER holds captures and cases.tsv, with the columns file, sent_by (antivirus, proxy or browser),
product, claimed_browser, user_agent (may be empty) and ja3 (of the hellos that count, separated by
commas; empty: all). Nothing but the hello and the claim is used: each capture is imported with
--user-agent. A hello of a product that a browser of the same family in the folder sends as well,
padding aside, is a perfect copy: nothing can tell it, and it is counted apart.
"""
import csv
import json
import os
import re
import subprocess
import sys


def hellos(program, folder, row):
    """The records of the hellos of one case."""
    claim = row["user_agent"] or row["claimed_browser"].strip()
    command = [program, "import", "--json", "--quiet", "--user-agent", claim,
               os.path.join(folder, row["file"])]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         timeout=60, check=False)
    wanted = [ja3 for ja3 in row["ja3"].split(",") if ja3]
    for line in run.stdout.splitlines():
        record = json.loads(line)
        client = record["legs"]["client"].get("tls", {}).get("client", {})
        if "ja3" in client and (not wanted or client["ja3"] in wanted):
            yield record, client["ja3_string"]


def family(claimed):
    return re.split(r"[^a-z]", claimed.strip().lower())[0]


def shape(ja3):
    """The JA3 string without padding, which depends on the length of the name."""
    parts = ja3.split(",")
    parts[2] = "-".join(item for item in parts[2].split("-") if item != "21")
    return ",".join(parts)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, program = sys.argv[1], (sys.argv[2:] or ["bazel-bin/tlsblame"])[0]
    with open(os.path.join(folder, "cases.tsv"), encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t")
                if row["sent_by"] in ("antivirus", "proxy", "browser")]
    seen = {}
    for row in rows:
        for record, ja3 in hellos(program, folder, row):
            flagged = record["verdict"]["party"] == "box-in-front"
            key = (row["file"], shape(ja3))
            seen[key] = (seen.get(key, (False,))[0] or flagged, row, record)
    genuine = {(family(row["claimed_browser"]), ja3) for (_, ja3), (_, row, _) in seen.items()
               if row["sent_by"] == "browser"}
    counts, wrong = {}, []
    for (file, ja3), (flagged, row, record) in sorted(seen.items()):
        kind = row["sent_by"]
        if kind != "browser" and not row["claimed_browser"].strip():
            kind += ", no claim"
        elif kind != "browser" and (family(row["claimed_browser"]), ja3) in genuine:
            kind += ", perfect copy"
        total, hits = counts.get(kind, (0, 0))
        counts[kind] = (total + 1, hits + flagged)
        if flagged == (row["sent_by"] == "browser"):
            misfits = [m["says"] for m in record.get("claim", {}).get("misfits", [])]
            wrong.append((file, row["product"], row["claimed_browser"].strip(), kind, misfits, ja3))
    for case in wrong:
        print("  ".join(str(part) for part in case))
    for kind, (total, hits) in sorted(counts.items()):
        print(f"{kind}: {hits} of {total} hellos flagged, {100 * hits / total:.1f} %")


if __name__ == "__main__":
    main()
