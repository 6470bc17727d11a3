#!/usr/bin/env python3
"""Checks that every port line of the Cisco Unity document is covered by the policy pack.

Reads the text of the document, finds in each section every port with its transport, and compares
the set with the rows of that section in rules/cisco-unity-5x-exchange.toml. Differences either way
are printed. The SHA-256 of the text must be the one that the pack names.

usage: scripts/check-document.py DOCUMENT.txt
"""

import hashlib
import re
import sys
import tomllib
from pathlib import Path

PACK = Path(__file__).resolve().parent.parent / "rules/cisco-unity-5x-exchange.toml"
PORT = r"\d{2,5}(?:-\d{2,5})?"
STATIC = "static"


def sections(text, titles):
    """The text of each section: from its last heading to the next heading of any kind."""
    lines = [line.strip() for line in text.splitlines()]
    headings = [
        (number, line)
        for number, line in enumerate(lines)
        if line.startswith(("Network Traffic ", "Restricting DCOM", "Overview"))
    ]
    body = {}
    for (start, title), (end, _) in zip(headings, headings[1:] + [(len(lines), "")]):
        passage = " ".join(lines[start + 1 : end])
        if title in titles and len(passage) > len(body.get(title, "")):
            body[title] = passage
    return body


def printed_ports(passage):
    """(transport, port) pairs that a section prints."""
    found = set()
    entry = rf"(TCP and UDP|TCP|UDP)(?: RTP traffic to Cisco Unity UDP)?(?: ports?)? ({PORT})(?: or ({PORT}))?"
    for transports, port, other in re.findall(entry, passage):
        for transport in transports.lower().split(" and "):
            found.add((transport, port))
            if other:
                found.add((transport, other))
    for port in re.findall(rf"TCP and UDP connections to its DNS [Ss]erver at port ({PORT})", passage):
        found |= {("tcp", port), ("udp", port)}
    for port in re.findall(rf"UDP traffic to Cisco Unity ports ({PORT})", passage):
        found.add(("udp", port))
    if "Static TCP and UDP Exchange ports" in passage:
        found |= {("tcp", STATIC), ("udp", STATIC)}
    return found


def pack_ports(section, defaults):
    found = set()
    for row in section["row"]:
        port = row["port"]
        if port.startswith("$"):
            port = defaults[port[1:]]
        found.add((row["transport"], port))
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    raw = Path(sys.argv[1]).read_bytes()
    pack = tomllib.loads(PACK.read_text())
    wrong = 0
    digest = hashlib.sha256(raw).hexdigest()
    if digest != pack["pack"]["source-sha256"]:
        wrong += 1
        print(f"the text has SHA-256 {digest}, the pack was made from another")
    defaults = {it["id"]: it.get("default", STATIC) for it in pack["parameter"]}
    of_pack = {}
    for section in pack["section"]:
        of_pack.setdefault(section["citation"], set()).update(pack_ports(section, defaults))
    # The text has no-break spaces inside product names.
    bodies = sections(raw.decode().replace("\u00a0", " "), of_pack)
    total = 0
    for title, expected in of_pack.items():
        printed = printed_ports(bodies.get(title, ""))
        total += len(printed)
        for transport, port in sorted(printed - expected):
            wrong += 1
            print(f"{title}: {transport} {port} is printed but has no row")
        for transport, port in sorted(expected - printed):
            wrong += 1
            print(f"{title}: {transport} {port} has a row but is not printed")
    print(f"{len(bodies)} sections, {total} distinct transport and port pairs: {'FAILED' if wrong else 'all covered'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
