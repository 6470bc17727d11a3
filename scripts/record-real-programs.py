#!/usr/bin/env python3
"""Records real programs that talk to each other, and asks portolan what they speak.

usage: record-real-programs.py [--program FILE] [--keep FOLDER] [--variants] [--silent] [NAME...]

Runs servers and clients in two network namespaces that it makes, records them with tcpdump, and
holds the flow list of portolan against what the programs are known to have spoken. A flow is right
when it has the protocol and the initiator that its row of the table says; flows that no row speaks
of are faults. Programs that are not installed are named and left out. Without NAME all are run.

  --program FILE   the portolan to ask; by default the debug build
  --keep FOLDER    where the recordings stay; what lies there is not recorded again
  --variants       asks about forms of each recording too: ports moved, begun in the middle, one
                   direction, segments of 1 to 20 bytes, packets lost and out of order, cut packets
  --silent         shows the flows without a name in these forms as well

Needs Linux, root, tcpdump, iproute2 and openssl. Ends with status 1 when a flow was told wrongly; a flow
without a name is counted and is no fault.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from programs import TABLE  # noqa: E402
from programs.ask import Tally, ask  # noqa: E402
from programs.lab import Lab, Scene, missing, version_of  # noqa: E402
from programs.variants import VARIANTS, WHOLE, write_variant  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


def record(lab, one, folder):
    """Records one program, unless that was done; answers the capture and what is expected."""
    capture, expectation = folder / f"{one.name}.pcap", folder / f"{one.name}.json"
    if not expectation.exists():
        with tempfile.TemporaryDirectory(prefix="programs-") as work:
            with Scene(lab, work, capture) as scene:
                one.drive(scene)
            for complaint in scene.complaints:
                print(f"{one.name}: {complaint}", file=sys.stderr)
        rows = [[*key, *value] for key, value in scene.expected.items()]
        expectation.write_text(json.dumps(rows))
    rows = json.loads(expectation.read_text())
    return capture, {(transport, port): (name, either) for transport, port, name, either in rows}


def examine(options, one, capture, expected, folder):
    """Asks about one recording and its variants; answers the tally of each."""
    tallies = {"as recorded": ask(options.program, capture, expected)}
    for name in VARIANTS if options.variants else ():
        derived, moved = write_variant(name, capture, expected, folder)
        tallies[name] = ask(options.program, derived, moved, name in WHOLE)
        derived.unlink()
    for name, tally in tallies.items():
        missed = tally.silent + tally.unspoken if name == "as recorded" else []
        for line in tally.faults + missed + (tally.silent if options.silent else []):
            print(f"  {one.name}, {name}: {line}")
    return tallies


def main():
    """Runs the table and prints a line for each program."""
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("usage: "))
    parser.add_argument("--program", default=str(ROOT / "target/debug/portolan"))
    parser.add_argument("--keep")
    parser.add_argument("--variants", action="store_true")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if lacks := missing(("ip", "ss", "tcpdump", "openssl")):
        sys.exit(f"not installed: {', '.join(lacks)}")
    if os.geteuid() != 0:
        sys.exit("network namespaces need root: run it with sudo")
    # Ended from outside, it still takes everything away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    total = {}
    with tempfile.TemporaryDirectory() as passing, Lab() as lab:
        folder = Path(options.keep or passing)
        folder.mkdir(parents=True, exist_ok=True)
        for one in TABLE:
            if options.names and one.name not in options.names:
                continue
            if lacks := missing(one.needs):
                print(f"| {one.name} | not installed: {', '.join(lacks)} | | |")
                continue
            capture, expected = record(lab, one, folder)
            tallies = examine(options, one, capture, expected, Path(passing))
            seen = tallies["as recorded"]
            print(
                f"| {one.name} | {version_of(one.version)} | {one.speaks} "
                f"| {seen.right} of {seen.flows} |",
                flush=True,
            )
            for name, tally in tallies.items():
                total[name] = total.get(name, Tally()) + tally
    for name, tally in total.items():
        print(f"{name}: {tally}")
    sys.exit(any(tally.faults for tally in total.values()))


if __name__ == "__main__":
    main()
