"""A virtual machine: started, sent commands and packets, and its devices changed under it."""
import base64
import contextlib
import json
import shlex
import socket
import subprocess
import time

MAC = "02:00:00:00:00:01"
BOOT_SECONDS = 300


class Guest:
    """A running machine with an interface, `eth0`, and a disk, `/dev/vda`."""

    def __init__(self, folder, architecture, kernel, initramfs, disk, options):
        self.folder = folder
        self.listeners = {name: self._listen(name) for name in ("control", "qmp")}
        self.wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.wire.bind(str(folder / "wire"))
        # A queue that is full makes the sender wait: no packet is lost on this wire.
        machine = {
            "amd64": ("qemu-system-x86_64", "-machine", "pc", "-cpu", "max", "-append"),
            "arm64": ("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57", "-append"),
        }[architecture]
        # Cards can be taken out of every slot of the one, and of special slots of the other.
        slot = {"amd64": [], "arm64": ["-device", "pcie-root-port,id=port1"]}[architecture]
        bus = ",bus=port1" if slot else ""
        console = {"amd64": "ttyS0", "arm64": "ttyAMA0"}[architecture]
        ends = {"local": folder / "guest", "remote": folder / "wire"}
        wire = ",".join(f"{end}.type=unix,{end}.path={path}" for end, path in ends.items())
        self.process = subprocess.Popen(
            [
                *machine, f"console={console} quiet panic=-1",
                "-accel", options.accelerator, "-m", "1024", "-smp", "2", "-nodefaults", "-no-reboot",
                "-display", "none", "-serial", f"file:{folder}/console",
                "-kernel", kernel, "-initrd", initramfs,
                "-chardev", f"socket,id=qmp,path={folder}/qmp", "-mon", "qmp,mode=control",
                "-chardev", f"socket,id=control,path={folder}/control",
                "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=control",
                *slot, "-netdev", f"dgram,id=wire,{wire}",
                "-device", f"{options.card},id=nic,netdev=wire,mac={MAC}{bus}",
                "-drive", f"if=none,id=disk,format=raw,cache=unsafe,file={disk}",
                "-device", "virtio-blk-pci,drive=disk",
            ],
            stdin=subprocess.DEVNULL,
        )
        self.control, self.qmp = (self._accept(name) for name in ("control", "qmp"))
        json.loads(self.qmp.readline())
        self.ask("qmp_capabilities")
        if self.control.readline() != b"ready\n":
            said = (folder / "console").read_text(errors="replace")
            raise SystemExit(f"the guest did not start:\n{said[-4000:]}")

    def _listen(self, name):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / name))
        listener.listen()
        return listener

    def _accept(self, name):
        self.listeners[name].settimeout(30)
        connection, _ = self.listeners[name].accept()
        connection.settimeout(BOOT_SECONDS)
        return connection.makefile("rwb")

    def close(self):
        self.process.kill()
        self.process.wait()

    def ask(self, command, **arguments):
        """A command to the machine itself (QEMU Machine Protocol)."""
        request = {"execute": command, "arguments": arguments}
        self.qmp.write(json.dumps(request).encode() + b"\n")
        self.qmp.flush()
        while True:
            answer = json.loads(self.qmp.readline())
            if "error" in answer:
                raise SystemExit(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def run(self, line, check=True):
        """Has the guest's shell do a line, and answers what it printed."""
        self.control.write(line.encode() + b"\n")
        self.control.flush()
        output, status = self.control.readline().rsplit(b" ", 1)
        output = base64.b64decode(output).decode(errors="replace")
        if check and int(status) != 0:
            raise SystemExit(f"in the guest, {line!r} ended with {int(status)}: {output}")
        return output

    def start(self, command, folder):
        """Starts a program and answers its process; what it says and its status go to `folder`."""
        inner = f"{command} >{folder}/said 2>&1 & echo $! >{folder}/process; wait $!; "
        inner += f"echo $? >{folder}/status"
        self.run(f"mkdir -p {folder}; rm -f {folder}/*; setsid sh -c {shlex.quote(inner)} &")
        return int(self.wait_for(f"cat {folder}/process"))

    def wait_for(self, line, seconds=30):
        """Repeats a line until it prints something with success."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            output = self.run(f"{line} || true", check=False)
            if output.strip() and "No such file" not in output:
                return output
            time.sleep(0.1)
        raise SystemExit(f"in the guest, {line!r} printed nothing in {seconds} seconds")

    def send(self, frames, pause=0.0):
        """Puts frames on the wire to `eth0`."""
        for frame in frames:
            self.wire.sendto(frame, str(self.folder / "guest"))
            if pause:
                time.sleep(pause)

    def hang_disk(self, hangs):
        """Makes the disk answer nothing any more, or answer again."""
        # One byte a second: a page would take more than an hour.
        limits = {name: 0 for name in ("bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr")}
        self.ask("block_set_io_throttle", device="disk", bps=int(hangs), **limits)

    def set_carrier(self, there):
        self.ask("set_link", name="nic", up=there)

    def unplug(self):
        """Takes the network card away."""
        self.ask("device_del", id="nic")


@contextlib.contextmanager
def guest(*arguments):
    machine = Guest(*arguments)
    try:
        yield machine
    finally:
        machine.close()
