"""Two hosts on one wire, and a recording of what passes between them.

In: commands. Out: a capture file. Network namespaces, the wire and all processes are made here and
end here; nothing is left behind and no interface of the machine is touched. What is said of the
capture is not decided here.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
SERVER6, CLIENT6 = "fd77::1", "fd77::2"
PATIENCE = 15.0


def run(*command, **more):
    """Runs a command of the machine itself, which must succeed."""
    return subprocess.run(command, check=True, capture_output=True, text=True, **more)


class Lab:
    """The two namespaces, `server` and `client`."""

    def __enter__(self):
        mark = os.getpid()
        self.server, self.client = f"portolan-{mark}-server", f"portolan-{mark}-client"
        for name in (self.server, self.client):
            run("ip", "netns", "add", name)
        run(
            "ip",
            "link",
            "add",
            "wire",
            "netns",
            self.server,
            "type",
            "veth",
            "peer",
            "name",
            "wire",
            "netns",
            self.client,
        )
        for name, four, six in ((self.server, SERVER, SERVER6), (self.client, CLIENT, CLIENT6)):
            run("ip", "-n", name, "link", "set", "lo", "up")
            # What passes must be what a network would show: no segments of 64 KiB.
            run("ip", "-n", name, "link", "set", "wire", "gso_max_segs", "1")
            run("ip", "-n", name, "address", "add", f"{four}/24", "dev", "wire")
            run("ip", "-n", name, "address", "add", f"{six}/64", "dev", "wire", "nodad")
            run("ip", "-n", name, "link", "set", "wire", "up")
        return self

    def __exit__(self, *_):
        for name in (self.server, self.client):
            subprocess.run(["ip", "netns", "delete", name], check=False)


class Scene:
    """One recording: servers that are started, clients that are run, what they are to speak."""

    def __init__(self, lab, folder, capture):
        self.lab, self.folder, self.capture = lab, Path(folder), Path(capture)
        self.expected, self.complaints, self.running = {}, [], []

    def __enter__(self):
        command = [
            "tcpdump",
            "-i",
            "wire",
            "-n",
            "--immediate-mode",
            "-U",
            "-w",
            str(self.capture),
            "not icmp6 and not arp and not igmp",
        ]
        self.recorder = self._start(self.lab.server, command)
        self.until(self.capture.exists, "no recording")
        return self

    def __exit__(self, *_):
        time.sleep(0.5)
        for process in reversed(self.running):
            if process is not self.recorder:
                self.end(process)
        self._sweep()
        time.sleep(0.3)
        self.end(self.recorder)

    def file(self, name, text="", mode=0o644):
        """A file in the folder of the scene; answers its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def expect(self, transport, port, name, either=False):
        """What flows to this port speak; with `either`, no matter who begins."""
        self.expected[transport, port] = (name, either)

    def serve(self, *command, port=None, env=None):
        """Starts a program on the server, and waits until it listens."""
        process = self._start(self.lab.server, command, env)
        if port is not None:
            self.until(lambda: self.listens(port), f"{command[0]} does not listen on {port}")
        return process

    def behind(self, *command, env=None):
        """Starts a program on the client and does not wait for it."""
        return self._start(self.lab.client, command, env)

    def client(self, *command, text=None, env=None, patience=PATIENCE, fails=False):
        """Runs a program on the client to its end; answers what it printed."""
        full = ["ip", "netns", "exec", self.lab.client, *map(str, command)]
        try:
            done = subprocess.run(
                full,
                input=text,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=patience,
                cwd=self.folder,
                env={**os.environ, **(env or {})},
                check=False,
            )
        except subprocess.TimeoutExpired:
            if not fails:
                self.complaints.append(f"{' '.join(map(str, command))[:60]}: did not end")
            return ""
        if done.returncode and not fails:
            said = (done.stderr or done.stdout).strip().splitlines()
            self.complaints.append(f"{' '.join(map(str, command))[:60]}: {said[-1:]}")
        return done.stdout

    def host(self, *command, text=None, env=None):
        """Runs a preparing command, on no network."""
        done = subprocess.run(
            list(map(str, command)),
            input=text,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            check=False,
        )
        if done.returncode:
            self.complaints.append(f"{command[0]}: {done.stderr.strip().splitlines()[-1:]}")
        return done.stdout

    def certificate(self):
        """Paths of a certificate and its key for the server."""
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        if not key.exists():
            self.host(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=server.test",
                "-addext",
                f"subjectAltName=DNS:server.test,IP:{SERVER}",
                "-keyout",
                key,
                "-out",
                certificate,
            )
            key.chmod(0o644)
        return str(certificate), str(key)

    def _start(self, namespace, command, env=None):
        log = open(self.folder / f"{Path(command[0]).name}.{len(self.running)}.log", "w")
        full = ["ip", "netns", "exec", namespace, *map(str, command)]
        process = subprocess.Popen(
            full,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.folder,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )
        self.running.append(process)
        return process

    def listens(self, port):
        done = run("ip", "netns", "exec", self.lab.server, "ss", "-Htuln")
        return any(line.split()[4].endswith(f":{port}") for line in done.stdout.splitlines())

    def until(self, true, complaint):
        end = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > end:
                self.complaints.append(complaint)
                return
            time.sleep(0.05)

    def _sweep(self):
        """Ends what went into the background of the two namespaces."""
        for name in (self.lab.server, self.lab.client):
            for number in run("ip", "netns", "pids", name).stdout.split():
                if int(number) != self.recorder.pid:
                    os.kill(int(number), signal.SIGKILL)

    @staticmethod
    def end(process):
        """Ends a program and what it started."""
        for sign, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
            try:
                os.killpg(process.pid, sign)
                process.wait(patience)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def missing(needs):
    """Those of the commands, and of the modules of Python, that are not installed."""

    def lacks(one):
        module = one.removeprefix("python:")
        return shutil.which(one) is None if module == one else find_spec(module) is None

    return [one for one in needs if lacks(one)]


def version_of(command):
    """The version that a program prints."""
    if not command or shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+[\w.+~-]*", done.stdout + done.stderr)
    return found.group() if found else ""
