"""What is done to a watch in a guest, and what it must tell of it."""
import json
import time
from datetime import datetime
from pathlib import Path

from fixtures.capture_files import read_pcap
from fixtures.wire import ethernet, ipv4, udp

ROOT = Path(__file__).resolve().parent.parent.parent
QUICKSTART = ROOT / "fixtures/quickstart"
SITE = "/etc/portolan/site.toml"
FILES = "--report /data/report.json --html /data/page.html --flows /data/flows.ndjson "
FILES += "--state /data/state --evidence /data/evidence"
UNITY, DC = "10.20.1.10", "10.20.2.10"
MACS = bytes((2, 0, 0, 0, 9, 1)), bytes((2, 0, 0, 0, 9, 2))
ALL = {}


def scenario(function):
    ALL[function.__name__.replace("_", "-")] = function
    return function


class Checks:
    """Says what holds."""

    def __init__(self):
        self.failures = 0

    def __call__(self, what, holds, found=""):
        self.failures += not holds
        found = f": {found}" if str(found) else ""
        print(f"  {'ok  ' if holds else 'FAIL'}  {what}{found}", flush=True)

    def equal(self, what, found, expected):
        self(what, found == expected, found if found == expected else f"{found}, not {expected}")


def run(name, guest):
    checks = Checks()
    begin = time.monotonic()
    ALL[name](guest, checks)
    print(f"  {time.monotonic() - begin:.0f} s", flush=True)
    return checks.failures


class Watch:
    """`portolan watch` on `eth0`, as user nobody."""

    def __init__(self, guest, options="", events="/events/events.ndjson", site=SITE):
        self.guest, self.events_file = guest, events
        guest.run("chmod 777 /data /events; ip link set eth0 up")
        guest.wait_for("grep up /sys/class/net/eth0/operstate")
        command = "portolan watch --interface eth0 --user nobody --quiet --metrics 9464"
        command += f" --site {site} --events {events} {options}"
        self.process = guest.start(command, "/run-of-watch")
        guest.wait_for(f"grep started {events}", 60)

    def events(self, kind=None):
        text = self.guest.run(f"cat {self.events_file}")
        events = [json.loads(line) for line in text.splitlines()]
        return [event for event in events if kind in (None, event["event"])]

    def told(self, kind, seconds=10, **fields):
        """The first event of a kind with these fields, or None."""
        end = time.monotonic() + seconds
        while True:
            for event in self.events(kind):
                if all(event.get(name) == value for name, value in fields.items()):
                    return event
            if time.monotonic() > end:
                return None
            time.sleep(0.2)

    def finding(self, port, seconds=20):
        """How many seconds after its packet the finding about a port was told, or None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for event in self.events("finding"):
                if event["finding"]["ports"] == str(port):
                    return moment(event["written"]) - moment(event["finding"]["first_seen"])
            time.sleep(0.2)
        return None

    def metrics(self):
        ask = r"printf 'GET /metrics HTTP/1.0\r\n\r\n'; sleep 1"
        text = self.guest.run(f"({ask}) | nc 127.0.0.1 9464 | tr -d '\\r'")
        lines = (line for line in text.splitlines() if line.startswith("portolan_"))
        pairs = (line.rsplit(" ", 1) for line in lines)
        return {name: float(value) for name, value in pairs}

    def memory(self):
        """Resident memory in MiB."""
        line = self.guest.run(f"grep VmRSS /proc/{self.process}/status")
        return int(line.split()[1]) / 1024

    def signal(self, name):
        self.guest.run(f"kill -{name} {self.process}")

    def end(self, seconds=30):
        """Has it end, and answers its status and what it said."""
        if not self.guest.run("cat /run-of-watch/status", check=False).strip().isdigit():
            self.signal("TERM")
        return self.ended(seconds)

    def ended(self, seconds=30):
        status = int(self.guest.wait_for("cat /run-of-watch/status", seconds))
        return status, self.guest.run("cat /run-of-watch/said")

    def report(self, file="/data/report.json"):
        return json.loads(self.guest.run(f"cat {file}"))


def moment(text):
    """Seconds of a time in a report, which has up to nine digits of them."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(f"{whole}+00:00").timestamp()
    return seconds + float(f"0.{fraction or 0}")


def violation(port, vlans=()):
    """A datagram from the voice mail server to a port of the domain controller that no row has."""
    packet = ipv4(UNITY, DC, 17, udp(UNITY, DC, (40_000, port), b"?"), 1, 64)
    return ethernet(*MACS, 0x0800, packet, vlans).ljust(60, b"\0")


def quickstart():
    return [record.data for record in read_pcap(QUICKSTART / "capture.pcap")]


def late(checks, watch, port, most=1.0):
    took = watch.finding(port)
    holds = took is not None and took <= most
    found = "never" if took is None else f"{took:.2f} s"
    checks(f"the finding about port {port} is told within {most:g} s", holds, found)


def quiet(checks, said):
    """Nothing on standard error but what an older kernel lacks."""
    lines = [line for line in said.splitlines() if "no Landlock" not in line]
    checks.equal("said on standard error", lines, [])


def sums(checks, report, packets):
    accounting = report["accounting"]
    checks.equal("packets in the report", accounting["packets_read"], packets)
    checks.equal("packets that do not add up", accounting["mismatches"], [])


@scenario
def quick_start(guest, checks):
    """The packets of the quick start, with everything on that a watch can write."""
    frames = quickstart()
    guest.run("ip link set eth0 up; sleep 1")
    arrived = "cat /sys/class/net/eth0/statistics/rx_packets"
    before = int(guest.run(arrived))
    guest.send([violation(9000)] * 20)
    after = int(guest.run(f"sleep 1; {arrived}"))
    checks.equal("frames for others that arrive before", after - before, 0)
    watch = Watch(guest, FILES)
    guest.send(frames, 0.002)
    late(checks, watch, 1026)
    watch.signal("USR1")
    guest.wait_for("ls /data/report.json")
    watch.signal("HUP")
    checks("rules are read again", watch.told("reload", accepted=True) is not None)
    status = guest.run(f"cat /proc/{watch.process}/status")
    values = {line.split(":")[0]: line.split()[1:] for line in status.splitlines() if ":" in line}
    checks.equal("system calls are filtered", values["Seccomp"], ["2"])
    left = {int(values[name][0], 16) for name in ("CapEff", "CapPrm", "CapAmb")}
    checks.equal("capabilities left", left, {0})
    checks.equal("user", values["Uid"], ["65534"] * 4)
    ended, said = watch.end()
    checks.equal("status", ended, 1)
    quiet(checks, said)
    report = watch.report()
    totals = json.loads((QUICKSTART / "totals.json").read_text())
    sums(checks, report, totals["packets"])
    checks.equal("flows", report["accounting"]["flows"], totals["flows"])
    dropped = report["capture_health"]["dropped_packets"]
    checks.equal("dropped", dropped, 0)
    outside = [one for one in report["findings"] if one["verdict"] in ("violation", "unknown-peer")]
    checks.equal("findings", len(outside), 6)
    told = (event["finding"] for event in watch.events("finding"))
    ports = {one["ports"] for one in told if one["verdict"] in ("violation", "unknown-peer")}
    checks.equal("ports told of", sorted(ports), ["1026", "17000", "22", "445", "5060"])
    slices = guest.run("ls /data/evidence").split()
    checks.equal("slices of evidence", len(slices) >= 6, True)
    stopped = watch.events("stopped")
    checks.equal("the last event", [event["packets"] for event in stopped], [totals["packets"]])


@scenario
def rights(guest, checks):
    """What an intruder would try is refused: by the test that does so on other machines."""
    guest.run("mkdir -p /tmp; ln -s busybox /bin/true", check=False)
    test = "watch::sandbox::other_files_sockets_processes_and_programs_are_out_of_reach"
    said = guest.run(f"RUST_TEST_THREADS=1 tests --exact {test} --nocapture", check=False)
    checks("the test passes", "1 passed" in said, "" if "1 passed" in said else said)
    version = [int(part) for part in guest.run("uname -r").split(".")[:2]]
    tried = "files were not tried" not in said
    checks.equal("files were tried, from Linux 5.13 on", tried, version >= [5, 13])


@scenario
def clock(guest, checks):
    """The clock is set to and fro, and made to run faster and slower, while packets come in."""
    watch = Watch(guest, "--report /data/report.json --state /data/state")
    sent, port = 0, 9000

    def stretch(jumps=None):
        nonlocal sent, port
        port += 1
        frames = [violation(53)] * 20 + [violation(port)] + [violation(53)] * 20
        guest.send(frames, 0.02)
        sent += len(frames)
        late(checks, watch, port)
        if jumps:
            back, forth = jumps
            event = watch.told("clock", jumps_backward=back, jumps_forward=forth)
            checks(f"{back} jumps back and {forth} forth are told", event is not None)

    stretch()
    checks.equal("jumps told before", watch.events("clock"), [])
    for seconds, jumps in ((3 * 3600, (0, 1)), (-2 * 3600, (1, 1)), (-600, (2, 1))):
        guest.run(f"date -s @$(($(date +%s) + {seconds}))")
        stretch(jumps)
    for tick in (11_000, 9_000):
        guest.run(f"adjtimex -t {tick}")
        stretch()
    # Steps shorter than a jump, as a time service makes them.
    for seconds in (-30, 45):
        guest.run(f"date -s @$(($(date +%s) + {seconds}))")
        stretch()
    checks.equal("times jumps were told", len(watch.events("clock")), 3)
    begin = time.monotonic()
    ended, said = watch.end()
    checks.equal("seconds to the end, under 5", time.monotonic() - begin < 5, True)
    checks.equal("status", ended, 1)
    quiet(checks, said)
    report = watch.report()
    sums(checks, report, sent)
    times = report["capture_health"]["times"]
    checks("times in the report", True, json.dumps(times))


@scenario
def interface(guest, checks):
    """The link goes down and comes up, by command and by carrier; other lengths; VLAN tags."""
    watch = Watch(guest, "--report /data/report.json --flows /data/flows.ndjson")
    guest.send([violation(9001)])
    late(checks, watch, 9001)
    for down, up in (
        (lambda: guest.run("ip link set eth0 down"), lambda: guest.run("ip link set eth0 up")),
        (lambda: guest.set_carrier(False), lambda: guest.set_carrier(True)),
    ):
        before = len(watch.events("interface"))
        down()
        guest.wait_for(f"grep -c '\"up\":false' {watch.events_file} | grep {before // 2 + 1}")
        checks.equal("the metric says down", watch.metrics()["portolan_interface_up"], 0.0)
        up()
        guest.wait_for(f"grep -c '\"up\":true' {watch.events_file} | grep {before // 2 + 1}")
        checks.equal("the metric says up", watch.metrics()["portolan_interface_up"], 1.0)
        told = [event["up"] for event in watch.events("interface")[before:]]
        checks.equal("told of the interface", told, [False, True])
    guest.send([violation(9002)])
    late(checks, watch, 9002)
    flags = int(guest.run("cat /sys/class/net/eth0/flags"), 16)
    checks.equal("the interface is promiscuous after that", bool(flags & 0x100), True)
    guest.run("ip link set eth0 mtu 9000")
    guest.send([violation(9003).ljust(8000, b"x")])
    late(checks, watch, 9003)
    guest.run("ip link set eth0 mtu 1500")
    guest.send([violation(9004, [(0x8100, 20)]), violation(9005, [(0x88A8, 30), (0x8100, 40)])])
    late(checks, watch, 9004)
    late(checks, watch, 9005)
    ended, said = watch.end()
    checks.equal("status", ended, 1)
    quiet(checks, said)
    report = watch.report()
    sums(checks, report, 5)
    checks.equal("bytes in the report", report["accounting"]["frame_bytes_read"], 8000 + 4 * 60)
    flows = map(json.loads, guest.run("cat /data/flows.ndjson").splitlines())
    vlans = {flow["dst_port"]: flow["src_vlan"] for flow in flows}
    expected = {9001: None, 9002: None, 9003: None, 9004: 20, 9005: 40}
    checks.equal("VLANs of the flows", vlans, expected)


def taken_away(guest, checks, take):
    watch = Watch(guest, "--report /data/report.json")
    guest.send([violation(9001)])
    late(checks, watch, 9001)
    take()
    ended, said = watch.ended()
    checks.equal("status", ended, 2)
    checks("it says why", "eth0" in said and "taken away" in said, said.strip())
    told = [event["up"] for event in watch.events("interface")]
    checks.equal("told of the interface", told, [False])
    checks.equal("the last event", [event["packets"] for event in watch.events("stopped")], [1])
    sums(checks, watch.report(), 1)


@scenario
def driver_unbound(guest, checks):
    """The driver lets go of the card."""
    device = "$(basename $(readlink /sys/class/net/eth0/device))"
    unbind = f"echo {device} > /sys/class/net/eth0/device/driver/unbind"
    taken_away(guest, checks, lambda: guest.run(unbind))


@scenario
def card_unplugged(guest, checks):
    """The card is taken out of the running machine."""
    taken_away(guest, checks, guest.unplug)


BOTH_FAILED = ["checkpoint-failed", "state-failed"]


def hanging(guest, checks, hang, events, told=(), seconds=45):
    """All that is written goes to a disk that answers nothing for a while."""
    guest.run("mount -t ext4 /dev/vda /data")
    watch = Watch(guest, FILES, events)
    guest.send(quickstart(), 0.002)
    sent, port = len(quickstart()), 9000
    late(checks, watch, 1026)
    watch.signal("USR1")
    guest.wait_for("ls /data/report.json")
    guest.run("rm /data/report.json; sync")
    before = watch.memory()
    hang(True)
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        port += 1
        # With twenty ports it would be a scan.
        frames = [violation(port)] + [violation(53)] * 1000
        guest.send(frames, 0.004)
        sent += len(frames)
        if port == 9002:
            watch.signal("USR1")
        if events.startswith("/events"):
            late(checks, watch, port)
    packets = watch.metrics()["portolan_packets_total"]
    checks(f"packets are read, of {sent}", sent - 1100 <= packets <= sent, int(packets))
    grown = watch.memory() - before
    checks("memory grew by less than 30 MiB", grown < 30, f"{grown:.1f}")
    if events.startswith("/events"):
        failed = [event for event in watch.events() if event["event"].endswith("-failed")]
        for event in failed:
            print(f"        {event['event']}: {event['reason']}")
        kinds = sorted(event["event"] for event in failed)
        # Whether a write that nobody waits for is taken depends on the kernel.
        holds = kinds in (["checkpoint-failed"], BOTH_FAILED) and set(told) <= set(kinds)
        checks("what is told of the disk", holds, kinds)
        watch.signal("HUP")
        checks("rules are read again meanwhile", watch.told("reload", accepted=True) is not None)
    hang(False)
    guest.wait_for("ls /data/report.json", 60)
    for one in range(9001, port + 1):
        if not events.startswith("/events") or one > port - 2:
            checks(f"the finding about port {one} is told", watch.finding(one) is not None)
    remembered = guest.wait_for(f"cat /data/state | grep '\"ports\":\"{port}\"'", 60)
    checks("the state holds the last finding", bool(remembered))
    ended, said = watch.end(60)
    checks.equal("status", ended, 1)
    quiet(checks, said)
    sums(checks, watch.report(), sent)


def freeze(guest):
    """Makes whoever writes to /data wait, or go on."""
    return lambda frozen: guest.run(f"fsfreeze {'--freeze' if frozen else '--unfreeze'} /data")


@scenario
def disk_hangs(guest, checks):
    """The disk answers nothing: what waits is whoever wants to know that something is on it."""
    hanging(guest, checks, guest.hang_disk, "/events/events.ndjson", ["checkpoint-failed"])


@scenario
def disk_of_events_hangs(guest, checks):
    hanging(guest, checks, guest.hang_disk, "/data/events.ndjson")


@scenario
def disk_frozen(guest, checks):
    """Whoever writes at all waits, as with a server of files that answers nothing."""

    hanging(guest, checks, freeze(guest), "/events/events.ndjson", BOTH_FAILED)


@scenario
def disk_frozen_at_the_end(guest, checks):
    """The watch is told to end while nothing can be written."""
    guest.run("mount -t ext4 /dev/vda /data")
    watch = Watch(guest, FILES)
    freeze(guest)(True)
    frames = [*quickstart(), violation(9001)]
    guest.send(frames, 0.002)
    late(checks, watch, 9001)
    watch.signal("TERM")
    time.sleep(5)
    ended = guest.run("cat /run-of-watch/status", check=False)
    checks("it waits for the disk", not ended.strip().isdigit())
    freeze(guest)(False)
    ended, said = watch.ended()
    checks.equal("status", ended, 1)
    quiet(checks, said)
    sums(checks, watch.report(), len(frames))
    remembered = guest.run("grep -c '\"ports\":\"9001\"' /data/state", check=False)
    checks("the state holds the last finding", remembered.strip() not in ("", "0"))
