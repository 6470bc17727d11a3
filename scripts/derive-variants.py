#!/usr/bin/env python3
"""Derives from one capture the forms in which the same traffic may arrive.

usage: derive-variants.py IN OUTDIR [PART...]

IN is a classic pcap file of Ethernet frames. Without PART, every variant is written; else only
those named. What the packets say is the same in every variant, but for those marked *.

  rotated           rotated-0.pcap .. rotated-3.pcap, a quarter of the packets each
  compressed        compressed.pcap.gz, .zst, .lz4 (zst and lz4 by their command line tools)
  pcapng            pcapng.pcapng, one section, one nanosecond interface
  pcapng-big        pcapng-big.pcapng, the same in big-endian order
  microsecond       microsecond.pcap, times cut to microseconds
  big-endian        big-endian.pcap
  snaplen           snaplen.pcap, 96 bytes captured of each frame
  one-direction *   one-direction.pcap, of each pair of addresses only what the lower one sends
  vlan              vlan.pcap, one more 802.1Q tag (VLAN 77) around each frame
  duplicated *      duplicated.pcap, every frame a second time, 0 to 50 microseconds later
  shuffled          shuffled.pcap, records up to 5 ms out of order, times as they were
  mid-stream *      mid-stream.pcap, without the first third of the packets
  cut *             cut.pcap, ending within the last record
"""

import gzip
import random
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from fixtures.capture_files import Record, pcap_bytes, pcapng_bytes, read_pcap  # noqa: E402

PARTS = 4
SNAPLEN = 96
VLAN_TAG = b"\x81\x00\x00\x4d"
MICROSECOND = 1000
LONGEST_DELAY = 50 * MICROSECOND
DISORDER = 5000 * MICROSECOND
TAG_TYPES = (0x8100, 0x88A8)


def rotated(records):
    """The records in equal parts, one after the other."""
    size = -(-len(records) // PARTS)
    return {
        f"rotated-{part}.pcap": pcap_bytes(records[part * size : (part + 1) * size])
        for part in range(PARTS)
    }


def compressed(records):
    """The file under the compressions that are at hand."""
    plain = pcap_bytes(records)
    files = {"compressed.pcap.gz": gzip.compress(plain, 6, mtime=0)}
    for suffix, command in (("zst", ["zstd", "-q", "-c"]), ("lz4", ["lz4", "-q", "-c"])):
        if shutil.which(command[0]):
            done = subprocess.run(command, input=plain, stdout=subprocess.PIPE, check=True)
            files[f"compressed.pcap.{suffix}"] = done.stdout
        else:
            print(f"no {command[0]} here: compressed.pcap.{suffix} left out", file=sys.stderr)
    return files


def ip_pair(frame):
    """The packed source and destination address of an Ethernet frame, or None."""
    at = 12
    while int.from_bytes(frame[at : at + 2], "big") in TAG_TYPES:
        at += 4
    ethertype, packet = int.from_bytes(frame[at : at + 2], "big"), frame[at + 2 :]
    if ethertype == 0x0800:
        return packet[12:16], packet[16:20]
    if ethertype == 0x86DD:
        return packet[8:24], packet[24:40]
    return None


def one_direction(records):
    """What a mirror port shows that was told to mirror one direction only."""

    def kept(record):
        pair = ip_pair(record.data)
        return pair is None or pair[0] <= pair[1]

    return [record for record in records if kept(record)]


def tagged(records):
    """Every frame with one more tag in front."""
    return [
        Record(time, data[:12] + VLAN_TAG + data[12:], wire_length + len(VLAN_TAG))
        for time, data, wire_length in records
    ]


def duplicated(records):
    """Every frame twice, as when both ports of a link are mirrored."""
    rng = random.Random(len(records))
    copies = [
        record._replace(time=record.time + rng.getrandbits(32) % LONGEST_DELAY)
        for record in records
    ]
    return sorted(records + copies, key=lambda record: record.time)


def shuffled(records):
    """The records in the order in which several capture queues might deliver them."""
    rng = random.Random(len(records))
    order = {id(record): record.time + rng.getrandbits(32) % DISORDER for record in records}
    return sorted(records, key=lambda record: order[id(record)])


VARIANTS = {
    "rotated": rotated,
    "compressed": compressed,
    "pcapng": lambda records: {"pcapng.pcapng": pcapng_bytes(records)},
    "pcapng-big": lambda records: {"pcapng-big.pcapng": pcapng_bytes(records, ">")},
    "microsecond": lambda records: {"microsecond.pcap": pcap_bytes(records, nanosecond=False)},
    "big-endian": lambda records: {"big-endian.pcap": pcap_bytes(records, ">")},
    "snaplen": lambda records: {"snaplen.pcap": pcap_bytes(records, snaplen=SNAPLEN)},
    "one-direction": lambda records: {"one-direction.pcap": pcap_bytes(one_direction(records))},
    "vlan": lambda records: {"vlan.pcap": pcap_bytes(tagged(records))},
    "duplicated": lambda records: {"duplicated.pcap": pcap_bytes(duplicated(records))},
    "shuffled": lambda records: {"shuffled.pcap": pcap_bytes(shuffled(records))},
    "mid-stream": lambda records: {"mid-stream.pcap": pcap_bytes(records[len(records) // 3 :])},
    "cut": lambda records: {"cut.pcap": pcap_bytes(records)[: -len(records[-1].data) // 2]},
}


def main(arguments):
    """Writes the variants and prints their names and sizes."""
    unknown = [name for name in arguments[2:] if name not in VARIANTS]
    if len(arguments) < 2 or unknown:
        sys.exit(
            __doc__ if not unknown else f"no variant {unknown[0]}; one of {', '.join(VARIANTS)}"
        )
    records = read_pcap(arguments[0])
    if not records:
        sys.exit(f"{arguments[0]}: no packets, nothing to derive")
    folder = Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments[2:] or VARIANTS:
        for file, content in VARIANTS[name](records).items():
            (folder / file).write_bytes(content)
            print(f"{file}\t{len(content)}")


if __name__ == "__main__":
    main(sys.argv[1:])
