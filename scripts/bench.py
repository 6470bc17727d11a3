#!/usr/bin/env python3
"""Times `portolan check` against `tcpdump -w /dev/null` over generated captures.

usage: scripts/bench.py [SIZE] [FOLDER]

SIZE is that of the voice and enterprise captures (default 500MB); scan is 390 MB at most. The
captures are made in FOLDER (default target/bench) if they are not there. Each pair of commands
runs in turn, so that the ratio holds on a machine that is busy with other things. A figure counts
only if packets, bytes and distinct five-tuples equal what the generator wrote; that is checked
first. Needs a release build (`cargo build --release --locked`) and tcpdump.
"""
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORTOLAN = ROOT / "target/release/portolan"
SITE = ROOT / "fixtures/voicemail/site.toml"
RUNS = 5


def capture(kind, size, folder):
    path = folder / f"{kind}-{size}.pcap"
    if not path.exists():
        maker = ROOT / "scripts/make-bench-captures.py"
        subprocess.run([sys.executable, maker, kind, size, path], check=True, stdout=subprocess.DEVNULL)
    return path, json.loads(Path(f"{path}.json").read_text())


def check(path, truth, folder):
    """Compares what portolan counted with what was written."""
    report, flows = folder / "report.json", folder / "flows.ndjson"
    command = [PORTOLAN, "check", path, "--site", SITE, "--report", report, "--flows", flows, "--quiet"]
    subprocess.run(command, check=False)
    accounting = json.loads(report.read_text())["accounting"]
    tuples = set()
    with flows.open() as lines:
        for line in lines:
            flow = json.loads(line)
            ends = sorted([(flow["src_ip"], flow["src_port"]), (flow["dst_ip"], flow["dst_port"])])
            tuples.add((flow["proto"], *ends[0], *ends[1]))
    counted = (accounting["packets_read"], accounting["frame_bytes_read"], len(tuples))
    written = (truth["packets"], truth["frame_bytes"], truth["distinct_five_tuples"])
    flows.unlink()
    if counted != written:
        sys.exit(f"{path.name}: counted {counted}, written {written}")


def timed(command):
    """CPU seconds and peak memory in MiB of one run."""
    pid = os.posix_spawn(command[0], [str(part) for part in command], os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
    ])
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    size = sys.argv[1] if len(sys.argv) > 1 else "500MB"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "target/bench"
    folder.mkdir(parents=True, exist_ok=True)
    tcpdump = subprocess.run(["which", "tcpdump"], capture_output=True, text=True).stdout.strip()
    if not tcpdump or not PORTOLAN.exists():
        sys.exit("needs tcpdump and a release build")
    print(f"{'capture':12} {'packets':>9} {'flows':>9} {'ns/packet':>9} {'tcpdump':>8} {'ratio':>6} {'peak MiB':>8}")
    for kind in ("voice", "enterprise", "scan"):
        path, truth = capture(kind, size if kind != "scan" else "390MB", folder)
        check(path, truth, folder)
        ours, theirs, ratios, peak = [], [], [], 0
        for run in range(RUNS + 1):
            seconds, memory = timed([PORTOLAN, "check", path, "--site", SITE, "--quiet"])
            other, _ = timed([tcpdump, "-r", path, "-w", "/dev/null"])
            if run > 0:  # the first pair warms the page cache
                ours.append(seconds)
                theirs.append(other)
                ratios.append(seconds / other)
                peak = max(peak, memory)
        packets = truth["packets"]
        nanos = statistics.median(ours) / packets * 1e9
        other = statistics.median(theirs) / packets * 1e9
        print(
            f"{kind:12} {packets:9} {truth['distinct_five_tuples']:9} {nanos:9.0f} {other:8.0f}"
            f" {statistics.median(ratios):6.2f} {peak:8.0f}"
        )


if __name__ == "__main__":
    main()
