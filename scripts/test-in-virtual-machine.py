#!/usr/bin/env python3
"""Tries `portolan watch --interface` in a virtual machine: on other kernels and another processor,
with a clock that is set, a disk that hangs, and an interface that comes and goes.

    scripts/test-in-virtual-machine.py [--release bookworm] [--architecture amd64] [SCENARIO...]

Builds portolan with the feature `live`, takes the kernel of a release of Debian (bullseye: 5.10,
bookworm: 6.1, trixie: 6.12), starts it once for each scenario with portolan in its first file
system, sends frames to its network card, and compares what portolan tells with what it must. Says
what holds and what does not; the status is 0 if everything holds, 1 if not.

Nothing is installed and nothing runs as root. Needs qemu-system-x86 or qemu-system-arm, cpio,
binutils and e2fsprogs, and apt to get kernels; for another processor also a Rust target and a C
compiler for it. Works without hardware support for virtual machines: all scenarios then take about
six minutes on a machine that is not busy otherwise. On a busy one what must be told within a second
may come later. What was got stays in target/machine.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

from machine import initramfs, scenarios  # noqa: E402
from machine.guest import guest  # noqa: E402
from machine.packages import Packages  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "target/machine"
DISK_BYTES = 64 << 20
PROGRAMS = ("portolan", "tests")
TRIPLES = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
# Where the programs for another processor come from: the release that the compiler is of.
LIBRARIES = ("libc6", "libgcc-s1", "libpcap0.8", "libpcap0.8-dev", "libdbus-1-3", "libsystemd0")
LIBRARIES += ("libcap2", "liblzma5", "libzstd1", "liblz4-1", "libgcrypt20", "libgpg-error0")


def own_architecture():
    return subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()


def userland(architecture):
    """busybox, and the folders in which libraries for the guest lie."""
    triple = TRIPLES[architecture]
    if architecture == own_architecture():
        root = pathlib.Path("/")
    else:
        root = Packages(FOLDER, "bookworm", architecture).unpacked(*LIBRARIES)
    folders = [root / place / triple for place in ("lib", "usr/lib")] + [root / "lib64"]
    busybox = Packages(FOLDER, "bookworm", architecture).unpacked("busybox-static")
    return busybox / "bin/busybox", folders


def build(architecture, folders):
    """Builds portolan, and the tests, of which one tries what a watch has given up."""
    triple = TRIPLES[architecture]
    target = triple.replace("linux", "unknown-linux")
    environment = dict(os.environ)
    for profile in ("DEV", "TEST"):
        environment[f"CARGO_PROFILE_{profile}_DEBUG"] = "0"
        environment[f"CARGO_PROFILE_{profile}_STRIP"] = "symbols"
    if architecture != own_architecture():
        name = target.upper().replace("-", "_")
        flags = "-C link-arg=-Wl,--unresolved-symbols=ignore-in-shared-libs"
        environment |= {
            f"CARGO_TARGET_{name}_LINKER": f"{triple}-gcc",
            f"CARGO_TARGET_{name}_RUSTFLAGS": f"-L {folders[1]} {flags}",
            "LIBPCAP_LIBDIR": str(folders[1]),
            "LIBPCAP_VER": "1.10.3",
        }
    command = "cargo test --no-run --test tests --features live --message-format json --target"
    done = subprocess.run(
        [*command.split(), target], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    )
    if done.returncode != 0:
        raise SystemExit("portolan cannot be built")
    said = map(json.loads, done.stdout.splitlines())
    built = (one for one in said if one.get("executable"))
    return {one["target"]["name"]: pathlib.Path(one["executable"]) for one in built}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--release", default="bookworm", help="of Debian, whose kernel is taken")
    parser.add_argument("--architecture", choices=TRIPLES, default=own_architecture())
    parser.add_argument("--accelerator", default="tcg", help="for QEMU; `kvm` where that works")
    card = "of QEMU; `e1000` is one that takes VLAN tags off by itself"
    parser.add_argument("--card", default="virtio-net-pci", help=card)
    parser.add_argument(
        "--programs", type=pathlib.Path, help="a folder with `portolan` and `tests`, built already"
    )
    parser.add_argument("scenario", nargs="*", choices=[[], *scenarios.ALL], help="all by default")
    return parser.parse_args()


def main():
    options = arguments()
    busybox, folders = userland(options.architecture)
    if options.programs:
        programs = {name: options.programs / name for name in PROGRAMS}
    else:
        programs = build(options.architecture, folders)
    kernel = Packages(FOLDER, options.release, options.architecture)
    # The kernel for virtual machines is smaller, and has no drivers of real cards.
    kind = "cloud-" if options.card.startswith("virtio") else ""
    kernel = kernel.unpacked(f"linux-image-{kind}{options.architecture}")
    files = {
        "etc/portolan/site.toml": (ROOT / "fixtures/quickstart/site.toml").read_bytes(),
    }
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        packed = initramfs.build(folder / "root", kernel, busybox, programs, files, folders)
        image = next((kernel / "boot").glob("vmlinuz-*"))
        for name in options.scenario or scenarios.ALL:
            print(f"{name}, Linux {image.name.removeprefix('vmlinuz-')}", flush=True)
            disk, place = folder / "disk", folder / name
            place.mkdir()
            disk.unlink(missing_ok=True)
            with disk.open("wb") as file:
                file.truncate(DISK_BYTES)
            subprocess.run(["mke2fs", "-q", "-t", "ext4", disk], check=True)
            with guest(place, options.architecture, image, packed, disk, options) as it:
                failures += scenarios.run(name, it)
    print(f"{failures} failures" if failures else "all holds")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
