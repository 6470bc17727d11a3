"""Packages of Debian, unpacked into folders and not installed: kernels, and programs and libraries
for another processor.

apt works in a folder of its own here, so that the machine's sources and packages stay as they are.
"""
import os
import shutil
import subprocess

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SERVER = "http://deb.debian.org/debian"


class Packages:
    """One release of Debian for one processor."""

    def __init__(self, folder, release, architecture):
        self.folder = folder / f"{release}-{architecture}"
        self.release, self.architecture = release, architecture

    def unpacked(self, *names):
        """A folder with what is in the packages, or in the kernels that they stand for."""
        done = self.folder / "-".join(names)
        if not done.exists():
            self._update()
            partial = done.with_suffix(".unfinished")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            for name in map(self._followed, names):
                self._apt("apt-get", "download", name, cwd=partial)
            for package in sorted(partial.glob("*.deb")):
                subprocess.run(["dpkg", "-x", package, partial], check=True)
                package.unlink()
            partial.rename(done)
        return done

    def _followed(self, name):
        """The kernel that a package without a version stands for."""
        said = self._apt("apt-cache", "depends", f"{name}:{self.architecture}")
        depends = [line.split()[-1] for line in said.splitlines() if "Depends:" in line]
        kernel = [one for one in depends if one.startswith("linux-image-")]
        return f"{(kernel or [name])[0].split(':')[0]}:{self.architecture}"

    def _update(self):
        if self.folder.exists():
            return
        for name in ("lists/partial", "cache/archives/partial", "state"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "status").touch()
        options = f"[arch={self.architecture} signed-by={KEYRING}]"
        source = f"deb {options} {SERVER} {self.release} main\n"
        (self.folder / "sources.list").write_text(source)
        settings = {
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": self.folder / "state",
            "Dir::State::lists": self.folder / "lists",
            "Dir::State::status": self.folder / "status",
            "Dir::Cache": self.folder / "cache",
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Sandbox::User": "root",
        }
        lines = (f'{name} "{value}";\n' for name, value in settings.items())
        (self.folder / "apt.conf").write_text("".join(lines))
        try:
            self._apt("apt-get", "update")
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def _apt(self, *command, cwd=None):
        environment = {**os.environ, "APT_CONFIG": str(self.folder / "apt.conf"), "LC_ALL": "C"}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout
