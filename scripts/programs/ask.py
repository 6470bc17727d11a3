"""Holds the flow list of portolan against what the programs were made to speak."""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

# Ports that a server chooses itself; which of them are used is not known before.
DYNAMIC = range(10000, 65536)


@dataclass
class Tally:
    """How the flows of one or more captures were told."""

    flows: int = 0
    right: int = 0
    # Flows that got no name by content or signalling.
    silent: list = field(default_factory=list)
    # A wrong name, or a wrong initiator, in words.
    faults: list = field(default_factory=list)
    # Rows of the table that no flow with payload fits: the programs did not do what they should.
    unspoken: list = field(default_factory=list)

    def __add__(self, other):
        return Tally(
            self.flows + other.flows,
            self.right + other.right,
            self.silent + other.silent,
            self.faults + other.faults,
        )

    def __str__(self):
        return (
            f"{self.right} of {self.flows} right, {len(self.silent)} without a name, "
            f"{len(self.faults)} wrong"
        )


def flows_of(program, capture):
    """The flow list of a capture."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "flows.ndjson"
        done = subprocess.run(
            [program, "check", capture, "--quiet", "--flows", out],
            capture_output=True,
            text=True,
            check=False,
        )
        if not out.exists():
            raise SystemExit(f"{capture}: {done.stderr}")
        return [json.loads(line) for line in out.read_text().splitlines()]


def ask(program, capture, expected, whole=True):
    """The tally of one capture; `expected` gives name and freedom of direction by server port.

    Where the beginnings of flows are missing, who sent the first packet that is there is no claim.
    """
    tally, spoken = Tally(), set()
    for flow in flows_of(program, capture):
        if flow["src_payload_bytes"] + flow["dst_payload_bytes"]:
            spoken |= {(flow["proto"], flow["src_port"]), (flow["proto"], flow["dst_port"])}
        if flow["proto"] in ("tcp", "udp", "sctp"):
            weigh(flow, expected, tally, () if whole else ("first-packet", "unknown"))
    tally.unspoken = [
        f"{transport} {port} was not spoken to"
        for transport, port in expected
        if port and port not in DYNAMIC and (transport, port) not in spoken
    ]
    return tally


def weigh(flow, expected, tally, vague):
    """Adds a flow with payload to the tally.

    On the grounds `vague` an initiator is no claim.
    """
    if not flow["src_payload_bytes"] + flow["dst_payload_bytes"]:
        return
    tally.flows += 1
    proto, source, target = flow["proto"], flow["src_port"], flow["dst_port"]
    forward, backward = expected.get((proto, target)), expected.get((proto, source))
    name, either = forward or backward or expected.get((proto, 0)) or (None, True)
    told = flow["app"] if flow["app_basis"] in ("content", "signalling") else ""
    line = (
        f"{flow['src_ip']}:{source} > {flow['dst_ip']}:{target}/{proto} is "
        f"{told or 'nothing'} ({flow['app_confidence']}, {flow['direction_basis']}), "
        f"{flow['packets']} packets, expected {name}"
    )
    turned = not forward and backward and not either
    if turned and flow["direction_basis"] not in vague:
        tally.faults.append(f"wrong initiator: {line}")
    elif name is None:
        tally.faults.append(f"not in the table: {line}")
    elif told and told not in name.split("|"):
        tally.faults.append(f"wrong name: {line}")
    elif told or not name:
        tally.right += 1
    else:
        tally.silent.append(f"no name: {line}")
