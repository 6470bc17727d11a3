#!/usr/bin/env python3
"""Validates what portolan reads and writes against the published JSON Schemas.

An independent check: TOML is read by Python's tomllib and judged by the jsonschema package
(`pip install jsonschema`). Faulty variants of each file must be refused.

usage: scripts/validate-schemas.py [PORTOLAN]

The shipped packs and the example files are always checked; with the path of the program, also the
report, the events and every tenth flow line that it writes of the fixtures.
"""

import copy
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parent.parent
# Of so many flow lines one is checked: there are thousands, and they are alike.
LINES = 10
FILES = {
    "policy": ["rules/*.toml", "docs/examples/policy.toml"],
    "site": ["docs/examples/site.toml", "fixtures/*/site.toml"],
    "waivers": ["docs/examples/waivers.toml", "fixtures/*/waivers.toml"],
}


def faulty(document):
    """Variants that a validator must refuse, each with its name."""
    unknown = copy.deepcopy(document)
    unknown["unheard-of"] = 1
    yield "an unknown key at the top", unknown
    version = copy.deepcopy(document)
    version["schema"] = 2
    yield "another schema version", version
    for key, entries in document.items():
        if not (isinstance(entries, list) and isinstance(entries[0], dict)):
            continue
        extra = copy.deepcopy(document)
        extra[key][0]["unheard-of"] = 1
        yield f"an unknown key in [[{key}]]", extra
        for field, value in entries[0].items():
            if isinstance(value, str):
                number = copy.deepcopy(document)
                number[key][0][field] = 5
                yield f"a number for {field} in [[{key}]]", number
    for section in range(min(1, len(document.get("section", [])))):
        transport = copy.deepcopy(document)
        transport["section"][section]["row"][0]["transport"] = "sctp"
        yield "a transport that the format does not have", transport
        missing = copy.deepcopy(document)
        del missing["section"][section]["citation"]
        yield "a section without citation", missing
    if document.get("waiver"):
        missing = copy.deepcopy(document)
        del missing["waiver"][0]["expires"]
        yield "a waiver without expiry", missing


def faulty_output(document, required):
    """Variants of a report or a flow line that a validator must refuse."""
    unknown = copy.deepcopy(document)
    unknown["unheard-of"] = 1
    yield "an unknown key at the top", unknown
    for key, value in document.items():
        other = copy.deepcopy(document)
        other[key] = 1.5
        yield f"a fraction for {key}", other
        if key in required:
            missing = copy.deepcopy(document)
            del missing[key]
            yield f"no {key}", missing
        entries = value if isinstance(value, list) else [value]
        if entries and isinstance(entries[0], dict):
            extra = copy.deepcopy(document)
            inner = extra[key][0] if isinstance(value, list) else extra[key]
            inner["unheard-of"] = 1
            yield f"an unknown key in {key}", extra


def written(program):
    """The reports and flow lines of the fixtures: schema, name, document."""
    with tempfile.TemporaryDirectory() as folder:
        report, flows = Path(folder) / "report.json", Path(folder) / "flows.ndjson"
        for site in sorted(ROOT.glob("fixtures/*/site*.toml")):
            for reading in ("inferred", "literal"):
                name = f"{site.relative_to(ROOT)} ({reading})"
                command = [program, "check", site.parent / "capture.pcap", "--site", site]
                command += ["--quiet", "--reading", reading, "--report", report, "--flows", flows]
                done = subprocess.run(command, check=False)
                if done.returncode != 1:
                    sys.exit(f"{name}: exit status {done.returncode}, expected 1: it has findings")
                yield "report", name, json.loads(report.read_text())
                watch = [program, "watch", "--replay", *command[2:-4], "--events", "-"]
                events = subprocess.run(watch, check=False, capture_output=True, text=True)
                for line in events.stdout.splitlines():
                    yield "event", name, json.loads(line)
                for line in flows.read_text().splitlines()[::LINES]:
                    yield "flow", name, json.loads(line)


def validators():
    """A validator for each published schema, which must be valid itself."""
    for path in (ROOT / "docs/schema").glob("*.json"):
        schema = json.loads(path.read_text())
        Draft202012Validator.check_schema(schema)
        yield path.stem, Draft202012Validator(schema)


def documents(program, required):
    """What is to be checked: schema, name, document, faulty variants. `required` tells the keys
    without which a document of a schema is none."""
    for schema, patterns in FILES.items():
        for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
            document = tomllib.loads(path.read_text())
            yield schema, path.relative_to(ROOT), document, faulty(document)
    if program is None:
        return
    seen = set()
    for schema, name, document in written(program):
        # The variants of one flow line are as good as those of a thousand.
        # Readers of events must expect fields that they do not know.
        first = (schema, name) not in seen and schema != "event"
        variants = faulty_output(document, required[schema]) if first else ()
        seen.add((schema, name))
        yield schema, name, document, variants


def main():
    by_name = dict(validators())
    required = {name: validator.schema.get("required", []) for name, validator in by_name.items()}
    wrong = checked = refused = 0
    for schema, name, document, variants in documents(sys.argv[1] if sys.argv[1:] else None, required):
        validator = by_name[schema]
        checked += 1
        for error in validator.iter_errors(document):
            wrong += 1
            print(f"{name}: {error.json_path}: {error.message}")
        for what, variant in variants:
            refused += 1
            if validator.is_valid(variant):
                wrong += 1
                print(f"{name}: {what} is not refused")
    print(f"{checked} documents valid, {refused} faulty variants refused" if not wrong else "FAILED")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
