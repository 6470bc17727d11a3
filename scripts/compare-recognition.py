#!/usr/bin/env python3
"""Holds the protocols that portolan names against those of tshark and nDPI.

usage: compare-recognition.py FOLDER [PORTOLAN]

FOLDER holds captures. PORTOLAN is the program, by default the release build. Prints one line for
each five-tuple that portolan and another program name differently, then how often each difference
occurs. Neither of the others is always right: both also name by port, and docs/recognition.md says
which differences were looked at. Needs Python 3.10 or later, tshark and ndpiReader; what is missing
is left out.
"""

import csv
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRANSPORTS = {"6": "tcp", "17": "udp", "132": "sctp"}

# Names of the others, in lower case, for what portolan calls by another name.
SAME = {
    "dcerpc": "dce_rpc epm isystemactivator iremunknown2 mapi nspi drsuapi samr lsarpc svcctl "
    "rpc_netlogon winreg spoolss srvsvc wkssvc atsvc dssetup oxid pn_io pn_dcp",
    "smb": "smb2 smbv1 smbv23 smb1 nbss.smb",
    "nbns": "netbios",
    "nbdgm": "smb_netlogon browser",
    "kerberos": "",
    "ldap": "cldap",
    "skinny": "sccp ciscoskinny",
    "tds": "mssql mssql-tds mssql_tds",
    "rfb": "vnc",
    "tls": "ssl https",
    "http": "http2 websocket http_connect http_proxy json xml",
    "bittorrent": "bt-dht bt-utp bt-tracker",
    "dhcp": "bootp",
    "h323": "h225 h245 q931 tpkt",
    "ike": "isakmp ipsec",
    "sunrpc": "rpc nfs portmap mount",
    "postgres": "pgsql postgresql",
    "oracle": "tns",
    "netflow": "cflow",
    "quic": "gquic",
    "stun": "classicstun",
    "ssdp": "",
    "rtp": "rtpevent srtp",
    "rtcp": "srtcp",
    "pop3": "pop",
    "ftp": "ftp_control",
    "ftp-data": "ftp_data",
    "megaco": "h248",
    "sip": "sdp",
}
NAMES = {alias: name for name, aliases in SAME.items() for alias in aliases.split()}
NOTHING = {"", "data", "unknown", "tcp", "udp", "sctp", "malformed", "segments"}


def name(text):
    """The common name of a protocol; empty for none."""
    text = text.strip().lower()
    text = NAMES.get(text, text).replace("_", "-")
    return "" if text in NOTHING else text


def is_address(text):
    """Whether it can be read as an address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def flow(transport, source, source_port, target, target_port):
    """A five-tuple without direction."""
    ends = sorted([(ip_address(source), int(source_port)), (ip_address(target), int(target_port))],
                  key=lambda end: (end[0].version, end))
    return (transport, *ends)


def by_portolan(program, capture, folder):
    """What portolan names, by five-tuple."""
    out = folder / "flows.ndjson"
    command = [program, "check", capture, "--quiet", "--keep-copies", "--flows", out]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    named = defaultdict(set)
    for line in out.read_text().splitlines() if out.exists() else ():
        one = json.loads(line)
        if one.get("proto") in TRANSPORTS.values():
            key = flow(one["proto"], one["src_ip"], one["src_port"], one["dst_ip"], one["dst_port"])
            named[key].add(name(one.get("app") or ""))
    out.unlink(missing_ok=True)
    return named


def by_tshark(capture):
    """What tshark names above the innermost transport, by five-tuple: the most frequent."""
    fields = ["ip.proto", "ipv6.nxt", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst"]
    fields += [f"{transport}.{end}port" for transport in ("tcp", "udp", "sctp")
               for end in ("src", "dst")]
    command = ["tshark", "-r", capture, "-T", "fields", "-E", "occurrence=l",
               "--enable-heuristic", "rtp_udp", "-e", "frame.protocols"]
    for field in fields:
        command += ["-e", field]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    seen = defaultdict(Counter)
    for line in lines.splitlines():
        protocols, _, _, *rest = (line.split("\t") + [""] * 14)[:13]
        layers = protocols.split(":")
        at = max((n for n, layer in enumerate(layers) if layer in TRANSPORTS.values()), default=-1)
        if at < 0:
            continue
        transport = layers[at]
        inner = [layer for layer in layers[:at] if layer in ("ip", "ipv6")]
        source, target = rest[0:2] if inner and inner[-1] == "ip" else rest[2:4]
        ports = rest[4 + 2 * ["tcp", "udp", "sctp"].index(transport):][:2]
        if source and target and all(ports):
            above = [layer for layer in layers[at + 1:] if name(layer)]
            # SMB speaks for its session, and a description for its call.
            above = [layer for layer in above if layer != "nbss"] or above
            if above:
                seen[flow(transport, source, ports[0], target, ports[1])][name(above[0])] += 1
    return {key: {counts.most_common(1)[0][0]} for key, counts in seen.items()}


def by_ndpi(capture, folder):
    """What nDPI names without guessing by port, by five-tuple."""
    out = folder / "ndpi.csv"
    command = ["ndpiReader", "-i", capture, "-C", out, "-d", "-t", "-q"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    named = defaultdict(set)
    with open(out, newline="", errors="replace") if out.exists() else open("/dev/null") as lines:
        for one in csv.DictReader(lines):
            transport = TRANSPORTS.get(one["protocol"])
            # Some addresses of IPv6 are written wrongly.
            written = all(is_address(one[end]) for end in ("src_ip", "dst_ip"))
            if transport and written:
                key = flow(transport, one["src_ip"], one["src_port"], one["dst_ip"],
                           one["dst_port"])
                # "TLS.Google" is TLS to a known service.
                named[key].add(name(one["ndpi_proto"].split(".")[0]))
    out.unlink(missing_ok=True)
    return named


def main(arguments):
    """Compares every capture of a folder."""
    if not arguments:
        sys.exit(__doc__)
    captures = sorted(path for path in Path(arguments[0]).rglob("*") if path.is_file())
    program = arguments[1] if len(arguments) > 1 else ROOT / "target" / "release" / "portolan"
    others = [other for other in ("tshark", "ndpiReader") if shutil.which(other)]
    differences, agreed = Counter(), Counter()
    with tempfile.TemporaryDirectory() as folder:
        for capture in captures:
            ours = by_portolan(program, capture, Path(folder))
            said = {
                other: by_tshark(capture) if other == "tshark" else by_ndpi(capture, Path(folder))
                for other in others
            }
            for key in sorted(ours, key=str):
                names = ours[key] - {""} or {""}
                for other in others:
                    theirs = said[other].get(key, {""}) - {""} or {""}
                    if names & theirs:
                        agreed[other] += 1
                        continue
                    pair = (other, "/".join(sorted(names)), "/".join(sorted(theirs)))
                    differences[pair] += 1
                    transport, (one, port), (two, peer) = key
                    print(capture.name, transport, f"{one} {port}", f"{two} {peer}",
                          pair[1] or "-", other, pair[2] or "-", sep="\t")
    for other in others:
        print(f"\nsame as {other}: {agreed[other]}")
        for (who, ours, theirs), count in differences.most_common():
            if who == other:
                print(f"{count}\t{ours or '-'}\t{theirs or '-'}")


if __name__ == "__main__":
    main(sys.argv[1:])
