"""Forms of a recording in which other points of a network would show it.

In: records of a capture and the server ports. Out: records. All chance is seeded: the same
recording gives the same forms.
"""

import random
import struct

from fixtures.capture_files import Record, pcap_bytes, read_pcap

# Ports that are usual for something else, and ports that are usual for nothing.
FOREIGN = [5061, 443, 25, 2000, 8080, 53, 3389, 22, 1433, 161]
FREE = 23456
BEGUN_LATER = (1, 2, 3, 4, 6, 9, 15)
TCP, UDP = 6, 17
# What a connection may change to: begun later, only that is there to be seen.
UPGRADED = {
    **dict.fromkeys("smtp imap pop3 ldap ftp http postgres mysql rdp xmpp".split(), "tls"),
    "socks": "http",
}
SNAPLEN = 96


class Packet:
    """A record, and where the headers of its IP packet lie."""

    def __init__(self, record):
        self.record, data = record, record.data
        ethertype = int.from_bytes(data[12:14], "big")
        self.ip, self.transport, self.flow = 14, None, None
        if ethertype == 0x0800 and int.from_bytes(data[20:22], "big") & 0x1FFF == 0:
            self.transport, protocol = 14 + (data[14] & 15) * 4, data[23]
            self.ends = data[26:30], data[30:34]
        elif ethertype == 0x86DD:
            self.transport, protocol = 54, data[20]
            self.ends = data[22:38], data[38:54]
        else:
            return
        if protocol not in (TCP, UDP) or len(data) < self.transport + 8:
            self.transport = None
            return
        self.protocol = "tcp" if protocol == TCP else "udp"
        self.ports = struct.unpack_from(">HH", data, self.transport)
        first, second = zip(self.ends, self.ports)
        self.flow = (self.protocol, min(first, second), max(first, second))

    def payload(self):
        """Where the payload of TCP begins."""
        return self.transport + (self.record.data[self.transport + 12] >> 4) * 4


def with_lengths(packet, header, payload, sequence, flags):
    """The packet with another stretch of the stream as its payload. Sums stay as they were."""
    data = bytearray(packet.record.data[:header] + payload)
    struct.pack_into(">I", data, packet.transport + 4, sequence & 0xFFFFFFFF)
    data[packet.transport + 13] = flags
    if packet.transport == 54:
        struct.pack_into(">H", data, 18, len(data) - 54)
    else:
        struct.pack_into(">H", data, 16, len(data) - 14)
    return bytes(data)


def crumbs(packets):
    """Segments of 1 to 20 bytes."""
    chance = random.Random(len(packets))
    for packet in packets:
        data = packet.record.data
        header = packet.payload() if packet.transport and packet.protocol == "tcp" else len(data)
        if packet.record.wire_length != len(data) or len(data) - header < 2:
            yield packet.record
            continue
        if packet.transport != 54:
            data = data[: 14 + int.from_bytes(data[16:18], "big")]
        sequence, flags = struct.unpack_from(">4xI5xB", data, packet.transport)
        at, number = header, 0
        while at < len(data):
            end = min(len(data), at + chance.randint(1, 20))
            last = end == len(data)
            piece = with_lengths(
                packet,
                header,
                data[at:end],
                sequence + at - header,
                flags if last else flags & ~0x09,
            )
            yield Record(packet.record.time + number, piece, len(piece))
            at, number = end, number + 1


def moved(ports):
    """Other ports in the place of the server's."""

    def rewritten(packets):
        for packet in packets:
            if packet.transport:
                data = bytearray(packet.record.data)
                new = [ports.get((packet.protocol, port), port) for port in packet.ports]
                struct.pack_into(">HH", data, packet.transport, *new)
                yield packet.record._replace(data=bytes(data))
            else:
                yield packet.record

    return rewritten


def begun_later(count):
    """Each flow without its first packets."""

    def rest(packets):
        seen = {}
        for packet in packets:
            seen[packet.flow] = seen.get(packet.flow, 0) + 1
            if packet.flow and seen[packet.flow] > count:
                yield packet.record

    return rest


def from_one_end(lower):
    """What one of the two hosts sends."""
    return lambda packets: (
        packet.record
        for packet in packets
        if packet.flow and (packet.ends[0] < packet.ends[1]) == lower
    )


def disorder(packets):
    """One packet in twenty lost, one in five exchanged with the next."""
    chance = random.Random(len(packets))
    kept = [packet.record for packet in packets if chance.random() > 0.05]
    at = 0
    while at + 1 < len(kept):
        if chance.random() < 0.2:
            one, other = kept[at], kept[at + 1]
            kept[at] = other._replace(time=one.time)
            kept[at + 1] = one._replace(time=other.time)
            at += 1
        at += 1
    return kept


def cut(packets):
    """96 bytes captured of each packet."""
    return (packet.record._replace(data=packet.record.data[:SNAPLEN]) for packet in packets)


VARIANTS = {
    "ports moved to free ones": None,
    "ports moved to foreign ones": None,
    "segments of 1 to 20 bytes": crumbs,
    "lost and out of order": disorder,
    "96 bytes of each packet": cut,
    "server alone": from_one_end(True),
    "client alone": from_one_end(False),
    **{f"begun {count} packets later": begun_later(count) for count in BEGUN_LATER},
}

# Those that hold the first packets of every flow.
WHOLE = list(VARIANTS)[:3] + ["96 bytes of each packet"]


def new_ports(name, expected):
    """For each server port the one it is moved to."""
    ports = sorted(key for key in expected if 0 < key[1] < 10000)
    if "free" in name:
        return {key: (key[0], FREE + place) for place, key in enumerate(ports)}
    taken = {port for _, port in ports}
    free = [port for port in FOREIGN if port not in taken]
    return {key: (key[0], port) for key, port in zip(ports, free)}


def write_variant(name, capture, expected, folder):
    """Writes one form of a capture; answers its path and what is expected of it."""
    packets = [Packet(record) for record in read_pcap(capture)]
    form = VARIANTS[name]
    if form is None:
        ports = new_ports(name, expected)
        form = moved({key: port for key, (_, port) in ports.items()})
        expected = {ports.get(key, key): value for key, value in expected.items()}
    if "later" in name or "lost" in name:
        expected = {
            key: (f"{one}|{UPGRADED[one]}" if one in UPGRADED else one, either)
            for key, (one, either) in expected.items()
        }
    path = folder / "variant.pcap"
    path.write_bytes(pcap_bytes(list(form(packets))))
    return path, expected
