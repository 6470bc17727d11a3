#!/usr/bin/env python3
"""Measures how long after the packet that decides it the event about a violation leaves.

usage: scripts/bench-events.py [--checkpoints] [FLOWS] [RATE] [PROGRAM]

A capture is played back at its own speed: first FLOWS lookups (default 1000000), each from a port
of its own, fill the flow table; then, while RATE packets a second (default 20000) go on to come,
half of them of flows that are held and half of new ones, a connection that no row documents opens
every other second. An event is late by the time at which its line was written less the time at
which the first of these packets was due. PROGRAM is `target/release/portolan` by default. The
capture goes to target/bench. With --checkpoints flows are remembered in a state file, and reports and
flows are written whenever the last ones are. Times of a look, of a glance and of the copies that packets wait for
are asked of the metrics ten times a second; a program that does not tell one is shown with 0.
"""
import datetime
import json
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True

from fixtures.capture_files import LINKTYPE_ETHERNET, MAGIC_NANOSECOND, SNAPLEN  # noqa: E402
from fixtures.wire import ethernet, ipv4  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "fixtures/voicemail/site.toml"
SECOND = 10**9
START = 1_772_488_800 * SECOND
FILL_RATE = 50_000
PAUSE = 15
LENGTH = 40
VIOLATIONS = 17
PORT = 20_001
FIRST_PORT, PORTS = 1024, 64_000
QUERY = bytes.fromhex("000101000001000000000000") + b"\x03www\x07example\x03org\x00" + b"\0\1\0\1"


def template(source, destination):
    """A lookup between two hosts as bytes before and behind its two ports."""
    # A UDP checksum of 0 is none (RFC 768).
    datagram = struct.pack("!HHHH", 0, 0, 8 + len(QUERY), 0) + QUERY
    mac = bytes((2, 0, 0, 0, 0, 1))
    frame = ethernet(mac, mac, 0x0800, ipv4(source, destination, 17, datagram, 0, 64))
    return frame[:34], frame[38:]


class Capture:
    """The capture file, written in order of time."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.out = bytearray(
            struct.pack("<IHHiIII", MAGIC_NANOSECOND, 2, 4, 0, 0, SNAPLEN, LINKTYPE_ETHERNET)
        )

    def add(self, at, parts, ports):
        """Adds a datagram `at` nanoseconds behind the begin."""
        before, behind = parts
        length = len(before) + 4 + len(behind)
        seconds, rest = divmod(START + at, SECOND)
        self.out += struct.pack("<IIII", seconds, rest, length, length)
        self.out += before + struct.pack("!HH", *ports) + behind
        if len(self.out) > 1 << 22:
            self.flush()

    def flush(self):
        self.file.write(self.out)
        self.out = bytearray()


def pairs():
    """Who asks whom: three servers of the site, then workstations, then strangers among each other."""
    asking = [f"10.1.1.{last}" for last in (11, 12, 13)] + [f"10.1.30.{last}" for last in range(16, 26)]
    for asker in asking:
        yield template(asker, "10.1.3.11"), template("10.1.3.11", asker)
    for last in range(1, 255):
        yield template(f"10.2.0.{last}", "10.2.1.53"), template("10.2.1.53", f"10.2.0.{last}")


def write(path, flows, rate):
    """Writes the capture; answers when the violations are due, in seconds behind the begin."""
    rng = random.Random(5060)
    ways = list(pairs())
    capture = Capture(path)

    def lookup(number, at, answered):
        there, back = ways[number // PORTS % len(ways)]
        port = FIRST_PORT + number % PORTS
        capture.add(at, there, (port, 53))
        if answered:
            capture.add(at + 1000, back, (53, port))

    for number in range(flows):
        lookup(number, number * SECOND // FILL_RATE, True)
    steady = flows * SECOND // FILL_RATE
    end = steady + (PAUSE + LENGTH) * SECOND
    due = [steady + PAUSE * SECOND + int(number * 2.13 * SECOND) for number in range(VIOLATIONS)]
    wrong, answer = template("10.1.1.11", "10.1.2.11"), template("10.1.2.11", "10.1.1.11")
    number, at, step, left = flows, steady, 2 * SECOND // rate, list(due)
    while at < end:
        lookup(rng.randrange(flows), at, False)
        lookup(number, at + step // 2, False)
        number, at = number + 1, at + step
        if left and left[0] <= at:
            ports = (40_000, PORT + len(due) - len(left))
            capture.add(left[0], wrong, ports)
            capture.add(left.pop(0) + 1000, answer, ports[::-1])
    capture.flush()
    return [at / SECOND for at in due]


class Asking(threading.Thread):
    """Asks for the metrics until it is told to stop."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.url = f"http://127.0.0.1:{port}/metrics"
        self.most = {}
        self.ended = False

    def run(self):
        while not self.ended:
            time.sleep(0.1)
            try:
                text = urllib.request.urlopen(self.url, timeout=2).read().decode()
            except OSError:
                continue
            for line in text.splitlines():
                if line.startswith("portolan_") and "{" not in line:
                    name, value = line.split()
                    self.most[name] = max(self.most.get(name, 0.0), float(value))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def seconds(text):
    """Seconds since 1970 of an RFC 3339 time with nanoseconds."""
    whole, _, rest = text.rstrip("Z").partition(".")
    then = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return then.timestamp() + float(f"0.{rest or 0}")


def main():
    given = [word for word in sys.argv[1:] if word != "--checkpoints"]
    checkpoints = len(given) < len(sys.argv) - 1
    flows = int(given[0]) if given else 1_000_000
    rate = int(given[1]) if len(given) > 1 else 20_000
    program = Path(given[2]) if len(given) > 2 else ROOT / "target/release/portolan"
    folder = ROOT / "target/bench"
    folder.mkdir(parents=True, exist_ok=True)
    path, events = folder / "events.pcap", folder / "events.ndjson"
    due = write(path, flows, rate)
    events.unlink(missing_ok=True)
    asking = Asking(free_port())
    asking.start()
    command = [program, "watch", "--replay", path, "--speed", "original", "--site", SITE, "--quiet",
               "--events", events, "--max-memory", "8G", "--metrics", asking.url.split(":")[2].split("/")[0]]
    files = [folder / name for name in ("events.state", "events.state.flows", "events.json")]
    if checkpoints:
        command += ["--state", files[0], "--report", files[2]]
    run = subprocess.Popen(command)
    while run.poll() is None:
        time.sleep(1)
        if checkpoints and asking.most:
            run.send_signal(signal.SIGUSR1)
    asking.ended = True
    for file in files:
        file.unlink(missing_ok=True)
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    begun = next(seconds(line["written"]) for line in lines if line["event"] == "started")
    late = []
    for line in lines:
        finding = line.get("finding", {})
        if line.get("change") == "new" and finding["ports"].isdigit():
            number = int(finding["ports"]) - PORT
            if 0 <= number < len(due):
                late.append(seconds(line["written"]) - begun - due[number])
    path.unlink()
    print("  late, in order: " + " ".join(f"{seconds:.2f}" for seconds in late))
    late.sort()
    shown = {name: asking.most.get(f"portolan_{name}", 0.0) for name in
             ("look_seconds", "glance_seconds", "copy_seconds", "flows", "resident_memory_bytes")}
    print(f"{program.name}: {flows} flows, {rate} packets a second")
    print(f"  events {len(late)} of {len(due)}; late by median {late[len(late) // 2]:.2f} s, "
          f"most {late[-1]:.2f} s" if late else "  no events")
    print(f"  longest look {shown['look_seconds']:.2f} s, glance {shown['glance_seconds']:.3f} s, "
          f"copy {shown['copy_seconds'] * 1000:.1f} ms")
    if checkpoints:
        written = asking.most.get("portolan_checkpoints_total", 0.0)
        print(f"  reports written {written:.0f}")
    print(f"  flows {shown['flows']:.0f}, memory {shown['resident_memory_bytes'] / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
