#!/usr/bin/env python3
"""Writes captures to measure speed with, and their exact counts.

usage: make-bench-captures.py voice|enterprise|scan SIZE OUT

SIZE is the size of the file at most, such as 2GB or 500MB (powers of ten). OUT.json gets what was
written: packets, bytes, distinct five-tuples, flows started. A smaller capture is the beginning
of a larger one of the same kind. The hosts are those of fixtures/voicemail/site.toml, and others.

voice       1,200 concurrent media flows carry 88 % of the packets; 1,200 other flows at a time.
enterprise  60,000 flows at a time; one in twenty is long, and these carry half the packets.
scan        mostly probes: nearly every packet starts a flow.
"""

import json
import random
import struct
import sys

sys.dont_write_bytecode = True

from fixtures import bench_flows as flows  # noqa: E402
from fixtures.bench_flows import Flow, service_script  # noqa: E402
from fixtures.capture_files import LINKTYPE_ETHERNET, MAGIC_NANOSECOND, SNAPLEN  # noqa: E402

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
SECOND = 10**9
# 2026-03-02T22:00:00Z
START = 1_772_488_800 * SECOND
BUFFER = 4 << 20
LARGEST_RECORD = 1600
SEED = 5060


def address(text):
    """An IPv4 address as an integer."""
    return struct.unpack("!I", bytes(int(part) for part in text.split(".")))[0]


UNITY = (address("10.1.1.11"), address("10.1.1.12"))
PHONES = address("10.1.20.16")
WORKSTATIONS = address("10.1.30.16")
# A campus that the site file does not list.
CAMPUS = address("10.2.0.0")
SCANNERS = address("10.9.9.0")
DC, DNS = address("10.1.2.11"), address("10.1.3.11")
PARTNER, HOME = address("10.1.4.11"), address("10.1.4.12")
CUCM, WEB = address("10.1.20.10"), address("10.3.0.80")


class Writer:
    """The capture file, its clock and its counts."""

    def __init__(self, path, size, step):
        self.file = open(path, "wb", buffering=0)
        self.size = size
        self.step = step
        self.now = START
        self.out = bytearray(
            struct.pack("<IHHiIII", MAGIC_NANOSECOND, 2, 4, 0, 0, SNAPLEN, LINKTYPE_ETHERNET)
        )
        self.written = 0
        self.packets = 0
        self.started = 0
        self.distinct = 0
        self.limit = min(BUFFER, size - LARGEST_RECORD)

    def tick(self):
        """The time of the next packet, in seconds and nanoseconds."""
        self.packets += 1
        self.now += self.step
        return divmod(self.now, SECOND)

    def room(self):
        """Whether another record fits; writes the buffer out when it is full."""
        if len(self.out) < self.limit:
            return True
        self.file.write(self.out)
        self.written += len(self.out)
        self.out = bytearray()
        self.limit = min(BUFFER, self.size - LARGEST_RECORD - self.written)
        return self.limit > 0

    def finish(self, kind):
        """Closes the file and returns the counts."""
        self.file.write(self.out)
        self.file.close()
        total = self.written + len(self.out)
        return {
            "kind": kind,
            "packets": self.packets,
            "file_bytes": total,
            "frame_bytes": total - 24 - 16 * self.packets,
            "distinct_five_tuples": self.distinct,
            "flows_started": self.started,
            "first_time_ns": START + self.step,
            "last_time_ns": self.now,
        }


class Slots:
    """Places for concurrent flows; a flow that ends is followed by another."""

    def __init__(self, writer, rng, count, mix, reserved):
        self.writer = writer
        self.rng = rng
        self.mix = mix
        self.reserved = reserved
        self.flows = [self._new() for _ in range(count)]

    def _new(self):
        """A flow on a five-tuple that no other flow of the capture has."""
        rng = self.rng
        while True:
            script, responder = self.mix[int(rng.random() * len(self.mix))]
            if rng.random() < 0.5:
                initiator = WORKSTATIONS + int(rng.random() * 224)
            else:
                initiator = CAMPUS + int(rng.random() * 4096)
            source_port = 49152 + int(rng.random() * 16384)
            ends = (
                initiator << 32 | responder,
                source_port << 24 | script.port << 8 | script.protocol,
            )
            if ends not in self.reserved:
                self.reserved.add(ends)
                isn = (rng.getrandbits(31), rng.getrandbits(31))
                return Flow(script, initiator, responder, source_port, isn)

    def emit(self, index):
        """Writes the next packet of one place."""
        flow, writer = self.flows[index], self.writer
        if flow.at == 0:
            writer.started += 1
            writer.distinct += 1
        if flow.write(writer.out, *writer.tick()):
            self.flows[index] = self._new()


class Call:
    """One place for a media flow: both directions in turn, then another call."""

    RECORD, HEADER_SUM = flows.rtp_record()
    # Every call takes the next pair of an even port at each end.
    taken = 0

    def __init__(self, writer, rng):
        self.writer = writer
        self.rng = rng
        self._begin()

    def _begin(self):
        rng, number = self.rng, Call.taken
        Call.taken += 1
        unity_port = 22800 + number % 4984 * 2
        phone_port = 16384 + number // 4984 % 8192 * 2
        unity, phone = UNITY[number % 2], PHONES + int(rng.random() * 200)
        there = (unity, phone, unity_port, phone_port)
        back = (phone, unity, phone_port, unity_port)
        total = sum(part for end in (unity, phone) for part in (end >> 16, end & 0xFFFF))
        self.checksum = flows.fold(self.HEADER_SUM + total)
        # Ends, sequence, timestamp, source, per direction.
        self.legs = [
            [ends, rng.getrandbits(16), rng.getrandbits(31), rng.getrandbits(32)]
            for ends in (there, back)
        ]
        self.left = 1500 + int(rng.random() * 3000)
        self.begun = False

    def emit(self):
        """Writes the next packet of the call."""
        writer = self.writer
        if not self.begun:
            self.begun = True
            writer.started += 1
            writer.distinct += 1
        leg = self.legs[self.left & 1]
        ends, sequence, timestamp, source = leg
        leg[1] = sequence + 1 & 0xFFFF
        leg[2] = timestamp + 160 & 0xFFFFFFFF
        out = writer.out
        place = len(out)
        out += self.RECORD
        struct.pack_into("<II", out, place, *writer.tick())
        # No UDP checksum, as RFC 768 allows and many a phone does.
        flows.RTP_PATCH.pack_into(
            out,
            place + flows.PATCH,
            self.checksum,
            *ends,
            180,
            0,
            0x8000,
            sequence,
            timestamp,
            source,
        )
        self.left -= 1
        if not self.left:
            self._begin()


def _mix(weights):
    """A list to draw from: every (script, responder) as often as its weight."""
    return [(script, responder) for weight, script, responder in weights for _ in range(weight)]


def _short_flows(bulk, size):
    """What workstations and servers do all day; connections end with `bulk` pieces of data."""
    return _mix(
        (
            (6, service_script("dns", "udp", 53), DNS),
            (3, service_script("kerberos", "udp", 88), DC),
            (3, service_script("ldap", "tcp", 389, bulk // 2, size), DC),
            (3, service_script("smb", "tcp", 445, bulk, size), DC),
            (3, service_script("epm", "tcp", 135), HOME),
            (4, service_script("static", "tcp", 5003, bulk, size), HOME),
            (4, service_script("http", "tcp", 80, bulk, size), UNITY[0]),
            (4, service_script("https", "tcp", 443, bulk, size), WEB),
            (2, service_script("smtp", "tcp", 25, bulk // 2, size), PARTNER),
            (1, service_script("sccp", "tcp", 2000), CUCM),
            (1, service_script("dcom", "tcp", 1026, bulk, size), PARTNER),
            (1, service_script("sip", "udp", 5060), UNITY[1]),
        )
    )


def voice(writer, rng):
    """Media by the thousand, and the traffic of a site beside it."""
    slots = Slots(writer, rng, 1200, _short_flows(15, 830), set())
    calls = [Call(writer, rng) for _ in range(1200)]
    turn = 0
    while True:
        for call in calls:
            call.emit()
            turn += 164
            if turn >= 1200:
                turn -= 1200
                slots.emit(int(rng.random() * 1200))
            if not writer.room():
                return


def enterprise(writer, rng):
    """Sixty thousand flows at a time, one in twenty of them long."""
    reserved = set()
    mice = Slots(writer, rng, 57_000, _short_flows(5, 640), reserved)
    long = [
        (service_script(service, "tcp", port, length, size), responder)
        for service, port, responder, size in (
            ("smb", 445, DC, 900),
            ("http", 80, UNITY[0], 820),
            ("https", 443, WEB, 700),
            ("static", 5004, HOME, 600),
        )
        for length in (60, 90, 100, 130)
    ]
    elephants = Slots(writer, rng, 3_000, long, reserved)
    while writer.room():
        if rng.random() < 0.5:
            elephants.emit(int(rng.random() * 3_000))
        else:
            mice.emit(int(rng.random() * 57_000))


def scan(writer, rng):
    """Probes of sixteen hosts over a /21 and 640 ports; about one five-tuple in twenty twice."""
    ports = [port for port in range(1, 8192, 12)][:640]
    payload = random.Random(SEED).randbytes(168)
    kinds = []
    for number, port in enumerate(ports):
        kinds.append(
            flows.udp_script(port, [("i", payload)])
            if number % 20 < 9
            else flows.refused_syn(port)
            if number % 20 < 14
            else flows.lone_syn(port)
        )
    seen = set()
    while writer.room():
        scanner = int(rng.random() * 16)
        target = int(rng.random() * 2048)
        script = kinds[int(rng.random() * 640)]
        writer.started += 1
        seen.add((scanner << 11 | target) << 16 | script.port)
        flow = Flow(
            script, SCANNERS + scanner, CAMPUS + target, 40000 + scanner, (rng.getrandbits(31), 0)
        )
        while writer.room() and not flow.write(writer.out, *writer.tick()):
            pass
        writer.distinct = len(seen)


# Per kind: what writes it, and the nanoseconds between two packets.
KINDS = {"voice": (voice, 7_331), "enterprise": (enterprise, 20_000), "scan": (scan, 50_000)}


def main(arguments):
    """Writes one capture and its counts."""
    if len(arguments) != 3 or arguments[0] not in KINDS or arguments[1][-2:].upper() not in UNITS:
        sys.exit(__doc__)
    kind, size, path = arguments
    build, step = KINDS[kind]
    writer = Writer(path, int(float(size[:-2]) * UNITS[size[-2:].upper()]), step)
    build(writer, random.Random(SEED))
    counts = writer.finish(kind)
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump(counts, file, indent=2)
        file.write("\n")
    print(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1:])
