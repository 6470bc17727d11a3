"""The first and only file system of a guest: a shell, some kernel modules, and the programs to be
tried with the libraries that they need.
"""
import lzma
import re
import shutil
import subprocess

# What a guest needs that may not be built into its kernel; those that it has not are left out.
MODULES = (
    *("virtio_pci", "virtio_console", "virtio_net", "virtio_blk", "e1000"),
    *("crc32c_generic", "ext4", "8021q", "veth"),
)

# Lines come in over a port of the host, are carried out, and end with their status.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /data /events
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod /modules/$module; done
ip link set lo up
sysctl -qw kernel.printk="1 1 1 1" net.ipv6.conf.all.disable_ipv6=1
sysctl -qw net.ipv6.conf.default.disable_ipv6=1
while [ ! -e /dev/vport*p1 ]; do sleep 0.1; done
exec 3<>$(echo /dev/vport*p1)
echo ready >&3
while IFS= read -r line <&3; do
    eval "$line" >/output 2>&1 </dev/null
    status=$?
    { base64 -w0 </output; echo " $status"; } >&3
done
"""


def build(target, kernel, busybox, programs, files, library_folders):
    """Packs the folder `target` into a file and answers it.

    `kernel` is an unpacked package; `programs` are the names in /bin of files of this machine;
    `files` are names with their bytes.
    """
    shutil.rmtree(target, ignore_errors=True)
    for name in ("bin", "lib", "modules"):
        (target / name).mkdir(parents=True)
    shutil.copy(busybox, target / "bin/busybox")
    write(target / "init", INIT.encode(), 0o755)
    write(target / "etc/passwd", b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    write(target / "etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files\n")
    for name, data in files.items():
        write(target / name, data)
    for name, program in programs.items():
        shutil.copy(program, target / "bin" / name)
        for name, library in libraries(program, library_folders).items():
            write(target / name, library.read_bytes(), 0o755)
    (target / "modules/order").write_text("\n".join(copy_modules(kernel, target / "modules")))
    names = subprocess.run(["find", "."], cwd=target, check=True, capture_output=True).stdout
    packed = target.with_suffix(".cpio")
    with packed.open("wb") as out:
        command = ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"]
        subprocess.run(command, cwd=target, input=names, stdout=out, check=True)
    return packed


def write(path, data, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def libraries(program, folders):
    """The shared libraries that a program needs, by the names under which it looks for them."""
    found, wanted = {}, [program]
    while wanted:
        said = subprocess.run(
            ["readelf", "-ld", wanted.pop()], check=True, capture_output=True, text=True
        ).stdout
        names = {f"lib/{name}": name for name in re.findall(r"\(NEEDED\).*\[(.+)\]", said)}
        for loader in re.findall(r"interpreter: /(.+)\]", said):
            names[loader] = loader.rsplit("/", 1)[-1]
        for place, name in names.items():
            if place in found:
                continue
            paths = [folder / name for folder in folders if (folder / name).exists()]
            if not paths:
                raise SystemExit(f"{program} needs {name}, which is not there")
            found[place] = paths[0]
            wanted.append(paths[0])
    return found


def copy_modules(kernel, target):
    """Copies modules and all that they need; answers their names in the order to load them."""
    files = {path.name.split(".ko")[0].replace("-", "_"): path for path in kernel.rglob("*.ko*")}
    order = []

    def add(name):
        path = files.get(name)
        if path is None or f"{name}.ko" in order:
            return
        data = path.read_bytes()
        data = lzma.decompress(data) if path.suffix == ".xz" else data
        needs = re.search(rb"\0depends=([^\0]*)\0", data)
        for other in filter(None, needs[1].decode().split(",")) if needs else ():
            add(other.replace("-", "_"))
        (target / f"{name}.ko").write_bytes(data)
        order.append(f"{name}.ko")

    for name in MODULES:
        add(name)
    return order
