#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets into fuzz/corpus, or into another folder.

    scripts/make-fuzz-seeds.py [--into DIR] [CAPTURE...]

The captures are those of fixtures/ and whatever is named besides: files, or folders that are
searched. Each is cut into short stretches of packets, which are seeds of `check` and `merge` as
they are, of `frame` packet by packet, and of `conversation` flow by flow. The other targets get
texts of the repository. What lies in fuzz/corpus is not committed.
"""

import argparse
import hashlib
import struct
import subprocess
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Packets of a stretch, and stretches and flows of one capture.
PACKETS = 24
STRETCHES = 40
FLOWS = 60

# Ports of the target `conversation`, in its order.
PORTS = (53, 88, 135, 389, 445, 1433, 1434, 2000, 3268, 5060, 80, 443, 25, 21, 40000, 16384)


def packets_of(data):
    """Link type, and (seconds, fraction, original length, bytes) of each packet of a pcap file."""
    orders = {0xA1B2C3D4: "<", 0xA1B23C4D: "<", 0xD4C3B2A1: ">", 0x4D3CB2A1: ">"}
    if len(data) < 24:
        return None
    order = orders.get(struct.unpack_from("<I", data)[0])
    if order is None:
        return None
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    packets, at = [], 24
    while at + 16 <= len(data):
        seconds, fraction, captured, original = struct.unpack_from(order + "IIII", data, at)
        packet = data[at + 16 : at + 16 + captured]
        if len(packet) < captured:
            break
        packets.append((seconds, fraction, original, packet))
        at += 16 + captured
    return link, packets


def pcap(link, packets):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    record = lambda p: struct.pack("<IIII", p[0], p[1], len(p[3]), p[2]) + p[3]
    return head + b"".join(map(record, packets))


def payload_of(frame):
    """Five-tuple, TCP flags and payload of an untagged Ethernet frame with IPv4."""
    if len(frame) < 38 or frame[12:14] != b"\x08\x00":
        return None
    header = 14 + 4 * (frame[14] & 15)
    packet = frame[: 14 + struct.unpack_from("!H", frame, 16)[0]]
    protocol, source, destination = frame[23], frame[26:30], frame[30:34]
    if protocol == 6 and len(packet) >= header + 20:
        payload = packet[header + 4 * (packet[header + 12] >> 4) :]
        flags = packet[header + 13]
    elif protocol == 17 and len(packet) >= header + 8:
        payload, flags = packet[header + 8 :], 0
    else:
        return None
    ports = struct.unpack_from("!HH", packet, header)
    return protocol, (source, ports[0]), (destination, ports[1]), flags, payload


def conversations(packets):
    """Inputs of the target `conversation`."""
    flows = defaultdict(list)
    for packet in packets:
        read = payload_of(packet[3])
        if read and read[4]:
            protocol, one, other, _, payload = read
            flows[(protocol, *sorted((one, other)))].append((one, other, payload))
    for (protocol, *_), pieces in list(flows.items())[:FLOWS]:
        first, second, _ = pieces[0]
        port = next((p for p in (second[1], first[1]) if p in PORTS), 40000)
        seed = bytes([128, (protocol == 17) | PORTS.index(port) << 4, 1])
        for one, _, payload in pieces[:30]:
            seed += bytes([one != first]) + struct.pack("!H", len(payload)) + payload
        yield seed


def captures(names):
    """The bytes of all capture files."""
    for name in names:
        path = Path(name)
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.stat().st_size < 64 << 20:
                yield file.read_bytes()


class Corpus:
    """A folder of inputs for each target, named by what they hold."""

    def __init__(self, folder):
        self.folder = folder
        self.counts = defaultdict(int)

    def add(self, target, seed):
        folder = self.folder / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
        self.counts[target] += 1


def add_capture(corpus, data):
    if len(data) < 1 << 15:
        corpus.add("check", data)
    read = packets_of(data)
    if read is None:
        return
    link, packets = read
    step = max(PACKETS, len(packets) // STRETCHES)
    for begin in range(0, len(packets), step):
        stretch = packets[begin : begin + PACKETS]
        capture = pcap(link, stretch)
        corpus.add("check", capture)
        corpus.add("merge", bytes([80, 160, begin % 5]) + capture)
        corpus.add("stored", bytes([1, begin & 255, begin >> 8 & 255, 1]) + capture)
        for packet in stretch[:4]:
            corpus.add("frame", struct.pack("!HBB", link, 0, 128) + packet[3])
    if link == 1:
        for seed in conversations(packets):
            corpus.add("conversation", seed)


def add_texts(corpus):
    for kind, folder, pattern in ((0, "rules", "*"), (0, "docs/examples", "policy"),
                                  (1, "docs/examples", "policy"), (2, "docs/examples", "site"),
                                  (2, "fixtures/quickstart", "site"),
                                  (2, "fixtures/voicemail", "site*"),
                                  (3, "docs/examples", "waivers"), (3, "fuzz/src", "waivers")):
        for file in sorted((ROOT / folder).glob(pattern + ".toml")):
            corpus.add("files", bytes([kind]) + file.read_bytes())


def add_reports(corpus, program):
    for fixture in ("quickstart",):
        files = ROOT / "fixtures" / fixture
        command = [program, "check", files / "capture.pcap", "--site", files / "site.toml",
                   "--report", "-"]
        corpus.add("report", subprocess.run(command, stdout=subprocess.PIPE).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=ROOT / "fuzz/corpus", metavar="DIR")
    parser.add_argument("--program", type=Path, default=ROOT / "target/debug/portolan",
                        metavar="FILE", help="portolan itself, which writes seeds of `report`")
    parser.add_argument("captures", nargs="*", metavar="CAPTURE")
    arguments = parser.parse_args()
    corpus = Corpus(arguments.into)
    for data in captures([ROOT / "fixtures", *arguments.captures]):
        add_capture(corpus, data)
    add_texts(corpus)
    if arguments.program.exists():
        add_reports(corpus, arguments.program)
    else:
        print(f"no seeds of `report`: {arguments.program} is not there")
    for target, count in sorted(corpus.counts.items()):
        print(f"{target}: {count} seeds")


if __name__ == "__main__":
    main()
