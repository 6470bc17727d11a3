#!/usr/bin/env python3
"""Judges small situations, and compares with what docs/verdicts.md says of them.

    scripts/check-situations.py [--program FILE] [NAME...]

Situations and expectations are written by hand in scripts/fixtures/situations.py. With names, only
those situations are looked at. Exit status: 0 all agree, 1 some differ.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from fixtures import capture_files
from fixtures.situations import begin, situations
from fixtures.talk import Capture

ROOT = Path(__file__).resolve().parent.parent
BEGIN_PORT = 49_999


def site_text(site, limits):
    lines = []
    for line in site.toml("A situation.").splitlines():
        lines.append(line)
        name = line.removeprefix('name = "').removesuffix('"')
        if line.startswith("name = ") and name in limits:
            lines.append(limits[name])
    return "\n".join(lines) + "\n"


def waiver_text(waiver):
    matcher, values = waiver
    lines = ["schema = 1", "[[waiver]]", 'id = "W"', 'owner = "o"', 'reason = "r"']
    lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([*lines, "[waiver.match]", matcher, ""])


def judged(program, situation, limits, folder):
    """The flows and the findings that the program reports."""
    records = [
        capture_files.Record(time, frame, len(frame))
        for time, _, frame in Capture(begin() + situation.packets).frames
    ]
    (folder / "capture.pcap").write_bytes(capture_files.pcap_bytes(records))
    (folder / "site.toml").write_text(site_text(situation.site, limits))
    command = [program, "check", "capture.pcap", "--site", "site.toml", "--quiet"]
    command += ["--flows", "flows.ndjson", "--report", "report.json"]
    if situation.waiver:
        (folder / "waivers.toml").write_text(waiver_text(situation.waiver))
        command += ["--waivers", "waivers.toml"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ran.returncode == 2:
        raise RuntimeError(ran.stderr)
    flows = map(json.loads, (folder / "flows.ndjson").read_text().splitlines())
    report = json.loads((folder / "report.json").read_text())
    findings = sorted(f"{one['code']}:{one['severity']}" for one in report["findings"])
    return [flow for flow in flows if flow["src_port"] != BEGIN_PORT], findings


def fits(expected, flow):
    """Whether a flow is what a line of an expectation says."""
    where, said, *state = expected.split()
    verdict, _, detail = said.partition("/")
    place = f"{flow['dst_ip']}:{flow['dst_port']}/{flow['proto']}"
    return (
        where in ("*", place)
        and verdict == flow["verdict"]
        and detail in ("", flow["reason"], flow["strength"])
        and state in ([], [flow["state"]])
    )


def differences(situation, flows, findings):
    """What is wrong, in words."""
    rest = [flow for flow in flows if flow["proto"] != "icmp"]
    for expected in situation.expected:
        found = next((flow for flow in rest if fits(expected, flow)), None)
        if found:
            rest.remove(found)
        else:
            yield f"expected {expected}"
    for flow in rest:
        said = "/".join(filter(None, (flow["verdict"], flow["reason"] or flow["strength"])))
        yield f"found {flow['dst_ip']}:{flow['dst_port']}/{flow['proto']} {said} {flow['state']}"
    if situation.findings is not None and sorted(situation.findings) != findings:
        yield f"expected the findings {situation.findings}, found {findings}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / "target/debug/portolan")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    program, wrong, looked = arguments.program.resolve(), 0, 0
    for situation, limits in situations():
        if arguments.names and situation.name not in arguments.names:
            continue
        looked += 1
        with tempfile.TemporaryDirectory() as folder:
            flows, findings = judged(program, situation, limits, Path(folder))
        found = list(differences(situation, flows, findings))
        wrong += bool(found)
        for line in found:
            print(f"{situation.name}: {line}")
    print(f"{looked} situations, {wrong} differ")
    return 1 if wrong or not looked else 0


if __name__ == "__main__":
    sys.exit(main())
