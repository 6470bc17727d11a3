#!/usr/bin/env python3
"""Finds the packet rates at which tcpdump and portolan watch begin to drop packets.

    sudo scripts/find-drop-point.py --portolan target/release/portolan CAPTURE

Makes a network namespace with a pair of veth interfaces, sends the packets of CAPTURE (a classic
pcap file) into one end at growing rates, and captures at the other, at each rate once with
`tcpdump -w /dev/null` and once with `portolan watch`, with the kernel rings that each takes by
itself, or with rings of the same size. Prints for each trial the packets that came in, were received
and were dropped, and the processor time that a packet took, of all threads and of each; and in the
end the highest rates without a drop, and their ratio where both programs came to drop. Exits with 1
if portolan lost a packet that it did not report.

A sender in the same machine is often slower than either. With --senders a filter in the kernel
shows each packet so many times, each time from another sender, which costs less than sending it.
With --quota both get only so many percent of one processor, by the cgroup controller `cpu`, so that
drops begin within reach. Rates are those at which packets come in at the capturing end.

Needs root, Linux, ip, tcpdump, and a portolan built with the feature `live`; --senders needs tc and
clang.
"""

import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

PACKET_QDISC_BYPASS = 20  # linux/if_packet.h
BURST = 64
MOST_FRAMES = 8192


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class MsgHdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(IoVec)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class MMsgHdr(ctypes.Structure):
    _fields_ = [("header", MsgHdr), ("sent", ctypes.c_uint)]


def frames_of(path):
    """The first frames of a classic pcap file of either byte order."""
    data = pathlib.Path(path).read_bytes()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<"}.get(data[:4], ">")
    frames, at = [], 24
    while at + 16 <= len(data) and len(frames) < MOST_FRAMES:
        (captured,) = struct.unpack_from(order + "I", data, at + 8)
        frames.append(data[at + 16 : at + 16 + min(captured, 1514)])
        at += 16 + captured
    return frames


def send(interface, capture, rate, seconds):
    """Sends at a rate in packets a second; prints the packets sent and the seconds it took."""
    frames = frames_of(capture)
    frames *= -(-BURST // len(frames))
    messages = (MMsgHdr * len(frames))()
    keep = []
    for message, frame in zip(messages, frames):
        buffer = ctypes.create_string_buffer(frame, len(frame))
        vector = IoVec(ctypes.cast(buffer, ctypes.c_void_p), len(frame))
        message.header.vectors = ctypes.pointer(vector)
        message.header.vector_count = 1
        keep.append((buffer, vector))
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    out.setsockopt(263, PACKET_QDISC_BYPASS, 1)  # SOL_PACKET
    libc = ctypes.CDLL(None, use_errno=True)
    size = ctypes.sizeof(MMsgHdr)
    sent, at, wanted = 0, 0, int(rate * seconds)
    begin = time.perf_counter()
    while sent < wanted:
        ahead = sent / rate - (time.perf_counter() - begin)
        if ahead > 0.0002:
            time.sleep(ahead)
        elif time.perf_counter() - begin > 2 * seconds:
            break
        count = min(BURST, len(frames) - at, wanted - sent)
        where = ctypes.byref(messages, at * size)
        done = libc.sendmmsg(out.fileno(), where, count, 0)
        if done < 0:
            continue  # The queue of the interface is full.
        sent += done
        at = (at + done) % len(frames)
    print(sent, time.perf_counter() - begin)


def run(*command):
    subprocess.run(command, check=True)


def read_in(name, path):
    command = ["ip", "netns", "exec", name, "cat", path]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(said.stdout)


def arrived(name):
    """Packets that have come in at `monitor`."""
    return read_in(name, "/sys/class/net/monitor/statistics/rx_packets")


def multiply(name, senders):
    """Has what comes in at `switch` shown so many times at `monitor`."""
    inside = ("ip", "-n", name, "link")
    run(*inside, "add", "span", "type", "veth", "peer", "name", "monitor")
    for interface in ("switch", "span"):
        run(*inside, "set", "dev", interface, "up")
    index = read_in(name, "/sys/class/net/span/ifindex")
    source = pathlib.Path(__file__).with_name("multiply-senders.c")
    with tempfile.TemporaryDirectory() as folder:
        built = f"{folder}/filter.o"
        constants = (f"-DINTERFACE={index}", f"-DSENDERS={senders}")
        run("clang", "-target", "bpf", "-O2", *constants, "-c", str(source), "-o", built)
        run("tc", "-n", name, "qdisc", "add", "dev", "switch", "clsact")
        run(*f"tc -n {name} filter add dev switch ingress bpf direct-action object-file".split(),
            built, "section", "classifier")


@contextlib.contextmanager
def lab(name, senders):
    """A namespace in which what is sent at `out` comes in at `monitor`."""
    inside = ("ip", "-n", name)
    run("ip", "netns", "add", name)
    try:
        settings = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        run("ip", "netns", "exec", name, "sysctl", "-qw", *settings)
        peer = "monitor" if senders == 1 else "switch"
        run(*inside, "link", "add", "out", "type", "veth", "peer", "name", peer)
        if senders > 1:
            multiply(name, senders)
        run(*inside, "link", "set", "dev", "out", "up")
        run(*inside, "link", "set", "dev", "monitor", "up")
        time.sleep(0.5)
        yield
    finally:
        run("ip", "netns", "del", name)


@contextlib.contextmanager
def quota(percent):
    """A cgroup whose members share so many percent of a processor; None without a quota."""
    if percent is None:
        yield None
        return
    first = pathlib.Path("/sys/fs/cgroup/cpu")
    folder = (first if first.is_dir() else first.parent) / f"drop-point-{os.getpid()}"
    folder.mkdir()
    try:
        period = 20_000  # Microseconds; the least share is 1,000 of them.
        share = period * percent // 100
        if (folder / "cpu.max").exists():
            (folder / "cpu.max").write_text(f"{share} {period}")
        else:
            (folder / "cpu.cfs_period_us").write_text(str(period))
            (folder / "cpu.cfs_quota_us").write_text(str(share))
        yield folder / "cgroup.procs"
    finally:
        folder.rmdir()


def start(name, members, command, **streams):
    def join():
        if members:
            members.write_text(str(os.getpid()))

    whole = ["ip", "netns", "exec", name, *command]
    return subprocess.Popen(whole, preexec_fn=join, **streams)


def flood(name, arguments, rate):
    """Packets that came in, and at which rate."""
    before = arrived(name)
    me = [sys.executable, __file__, "--send", "out", "--rate", str(rate / arguments.senders)]
    me += ["--seconds", str(arguments.seconds), arguments.capture]
    said = subprocess.run(
        ["ip", "netns", "exec", name, *me], check=True, capture_output=True, text=True
    )
    _, taken = said.stdout.split()
    time.sleep(1.5)
    came = arrived(name) - before
    return came, came / float(taken)


def cost_of(process, packets):
    """Nanoseconds of processor time for a packet: of all threads, and of each."""
    used = {}
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        thread = (task / "comm").read_text().strip()
        used[thread] = int((task / "schedstat").read_text().split()[0]) / max(packets, 1)
    each = sorted(used.items(), key=lambda thread: -thread[1])
    return f"{sum(used.values()):.0f} ns: " + ", ".join(f"{name} {ns:.0f}" for name, ns in each)


def end(process):
    process.send_signal(signal.SIGTERM)
    return process.communicate(timeout=60)


def try_tcpdump(name, members, arguments, rate):
    """Packets sent, received and dropped, the rate that was reached, and the processor time."""
    command = ["tcpdump", "-i", "monitor", "-n", "-s", "262144", "-Z", "root", "-w", "/dev/null"]
    command += ["-B", str(arguments.ring * 1024)] if arguments.ring else []
    process = start(name, members, command, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    sent, reached = flood(name, arguments, rate)
    cost = cost_of(process, sent)
    _, said = end(process)
    count = lambda what: int(re.search(rf"(\d+) packets? {what}", said).group(1))
    return sent, count("captured"), count("dropped by kernel"), reached, cost


def try_portolan(name, members, arguments, rate):
    """The same; complains when they do not add up."""
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    try:
        command = [os.path.abspath(arguments.portolan), "watch", "--interface", "monitor"]
        command += ["--user", "nobody", "--quiet"]
        command += ["--ring", f"{arguments.ring}M"] if arguments.ring else []
        command += ["--events", str(folder / "events"), "--report", str(folder / "report")]
        if arguments.site:
            command += ["--site", os.path.abspath(arguments.site)]
        process = start(name, members, command)
        time.sleep(1.5)
        sent, reached = flood(name, arguments, rate)
        cost = cost_of(process, sent)
        end(process)
        report = json.loads((folder / "report").read_text())
        events = [json.loads(line) for line in (folder / "events").open()]
    finally:
        shutil.rmtree(folder)
    received = report["accounting"]["packets_read"]
    dropped = report["capture_health"]["dropped_packets"]
    told = sum(event["dropped_by_system"] for event in events if event["event"] == "loss")
    if (received + dropped, told) != (sent, dropped):
        sys.exit(f"portolan: {sent} sent, {received} received, {dropped} dropped, {told} told")
    return sent, received, dropped, reached, cost


def search(name, members, arguments):
    """The highest rate without a drop, of either program, and whether drops were reached."""
    trials = {"tcpdump": try_tcpdump, "portolan": try_portolan}
    best = {program: (0, False) for program in trials}
    rate = arguments.from_rate
    while trials:
        for program, trial in list(trials.items()):
            sent, received, dropped, reached, cost = trial(name, members, arguments, rate)
            row = f"{program:9} {reached:9.0f}/s: {sent:9} sent {received:9} received"
            print(f"{row} {dropped:9} dropped, {cost}", flush=True)
            if dropped:
                best[program] = (best[program][0], True)
                del trials[program]
            elif reached < 0.9 * rate:
                print(f"{program:9} the sender is slower than {rate:.0f}/s")
                best[program] = (reached, False)
                del trials[program]
            else:
                best[program] = (rate, False)
        rate *= arguments.step
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("capture")
    parser.add_argument("--portolan", default="target/release/portolan")
    parser.add_argument("--site", help="site file, so that packets are judged")
    parser.add_argument("--ring", type=int, help="MiB of both rings (those that each takes by itself)")
    parser.add_argument("--quota", type=int, help="percent of a processor for either program, 5 at least")
    parser.add_argument("--from-rate", type=float, default=20_000, help="first rate (20000/s)")
    parser.add_argument("--step", type=float, default=1.25, help="from rate to rate (1.25)")
    parser.add_argument("--seconds", type=float, default=3, help="seconds of a trial (3)")
    parser.add_argument("--rounds", type=int, default=3, help="searches (3)")
    parser.add_argument("--senders", type=int, default=1, help="times that each packet is shown (1)")
    parser.add_argument("--send", help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send:
        return send(arguments.send, arguments.capture, arguments.rate, arguments.seconds)
    name = f"drop-point-{os.getpid()}"
    ratios = []
    with lab(name, arguments.senders), quota(arguments.quota) as members:
        for _ in range(arguments.rounds):
            best = search(name, members, arguments)
            (tcpdump, first), (portolan, second) = best["tcpdump"], best["portolan"]
            print(f"without a drop: tcpdump {tcpdump:.0f}/s, portolan {portolan:.0f}/s", flush=True)
            if first and second and tcpdump:
                ratios.append(portolan / tcpdump)
    print("ratios:", " ".join(f"{ratio:.2f}" for ratio in ratios) or "drops were not reached")


if __name__ == "__main__":
    main()
