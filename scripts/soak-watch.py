#!/usr/bin/env python3
"""Plays days of short flows back to `portolan watch` in minutes and looks whether memory stays flat.

usage: scripts/soak-watch.py [HOURS] [FLOWS] [PROGRAM]

HOURS of packet time (default 72) with FLOWS lookups an hour (default 200000), two packets each, of
which `--keep 1` keeps those of the last hour. Memory is sampled ten times a second. It is flat if
the most in the last third is no more than a tenth above the most in the middle third; else the
status is 1. Linux only. The capture goes to target/bench, 140 bytes a lookup, and is removed.
"""
import json
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

from fixtures.capture_files import LINKTYPE_ETHERNET, MAGIC_NANOSECOND, SNAPLEN  # noqa: E402
from fixtures.wire import ethernet, ipv4  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
START = 1_772_488_800
PORTS = 64_000


def template(source, destination):
    """A datagram between two hosts as bytes before and behind its ports."""
    # A UDP checksum of 0 is none (RFC 768).
    datagram = struct.pack("!HHHH", 0, 0, 9, 0) + b"?"
    mac = bytes((2, 0, 0, 0, 0, 1))
    frame = ethernet(mac, mac, 0x0800, ipv4(source, destination, 17, datagram, 0, 64))
    return frame[:34], frame[38:]


def write(path, hours, flows):
    """Writes the capture; no two lookups within an hour are of one five-tuple."""
    pairs = [(f"10.1.1.{last}", "10.1.3.11") for last in range(11, 11 + flows // PORTS + 2)]
    ways = [(template(*pair), template(*reversed(pair))) for pair in pairs]
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", MAGIC_NANOSECOND, 2, 4, 0, 0, SNAPLEN, LINKTYPE_ETHERNET))
        for number in range(hours * flows):
            (there, there_end), (back, back_end) = ways[number // PORTS % len(ways)]
            port = 1024 + number % PORTS
            seconds, rest = divmod(number * 3600 * 10**9 // flows, 10**9)
            length = len(there) + 4 + len(there_end)
            head = struct.pack("<IIII", START + seconds, rest, length, length)
            file.write(head + there + struct.pack("!HH", port, 53) + there_end)
            file.write(head + back + struct.pack("!HH", 53, port) + back_end)


def resident(pid):
    """Kilobytes in RAM (proc(5), `VmRSS`)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def main():
    given = sys.argv[1:]
    hours = int(given[0]) if given else 72
    flows = int(given[1]) if len(given) > 1 else 200_000
    program = given[2] if len(given) > 2 else ROOT / "target/release/portolan"
    folder = ROOT / "target/bench"
    folder.mkdir(parents=True, exist_ok=True)
    path, report = folder / "soak.pcap", folder / "soak.json"
    write(path, hours, flows)
    command = [program, "watch", "--replay", path, "--keep", "1", "--quiet", "--report", report,
               "--events", "/dev/null", "--site", ROOT / "fixtures/voicemail/site.toml"]
    run = subprocess.Popen(command)
    samples = []
    while run.poll() is None:
        samples.append(resident(run.pid))
        time.sleep(0.1)
    path.unlink()
    accounting = json.loads(report.read_text())["accounting"]
    third = len(samples) // 3
    if third < 10 or accounting["packets_read"] != 2 * hours * flows or accounting["mismatches"]:
        sys.exit(f"{len(samples)} samples, {accounting['packets_read']} packets")
    middle, last = max(samples[third:2 * third]), max(samples[2 * third:])
    print(f"{hours} hours, {2 * hours * flows} packets: {middle >> 10} MiB, then {last >> 10} MiB")
    sys.exit(last > middle * 1.1)


if __name__ == "__main__":
    main()
