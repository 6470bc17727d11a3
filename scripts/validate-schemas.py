#!/usr/bin/env python3
"""Validates the shipped packs and the example files against the published JSON Schemas.

An independent check: TOML is read by Python's tomllib and judged by the jsonschema package
(`pip install jsonschema`). Faulty variants of each file must be refused.

usage: scripts/validate-schemas.py
"""

import copy
import json
import sys
import tomllib
from pathlib import Path

from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parent.parent
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


def main():
    wrong = checked = refused = 0
    for name, patterns in FILES.items():
        schema = json.loads((ROOT / "docs/schema" / f"{name}.json").read_text())
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema)
        for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
            document = tomllib.loads(path.read_text())
            checked += 1
            for error in validator.iter_errors(document):
                wrong += 1
                print(f"{path.relative_to(ROOT)}: {error.json_path}: {error.message}")
            for what, variant in faulty(document):
                refused += 1
                if validator.is_valid(variant):
                    wrong += 1
                    print(f"{path.relative_to(ROOT)}: {what} is not refused")
    print(f"{checked} files valid, {refused} faulty variants refused" if not wrong else "FAILED")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
