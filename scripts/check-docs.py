#!/usr/bin/env python3
"""Checks that the documentation speaks of what is there.

- Every relative link, and every path in backticks, leads to a file.
- The README shows what its first command prints.
- docs/report.md names every field of the report and of the flow list; docs/verdicts.md names every
  verdict, reason, state and status.

usage: scripts/check-docs.py
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = r"(?:src|tests|scripts|docs|fixtures|rules|benches|fuzz)"
FIELD = re.compile(r"^    pub (\w+):", re.MULTILINE)
# `Variant = "name",` and `Type::Variant => "name",`
NAME = re.compile(r'= "([a-z?-]+)",|=> "([a-z?-]+)",')
NAMED = {
    "docs/report.md": (FIELD, ["src/report/model/*.rs", "src/report/flows.rs"]),
    "docs/verdicts.md": (
        NAME,
        [
            "src/judge/verdict.rs",
            "src/judge/finding.rs",
            "src/judge/coverage.rs",
            "src/judge/grade.rs",
            "src/judge/assessment.rs",
            "src/flow/record.rs",
        ],
    ),
}


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def manuals():
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return listed.stdout.split()


def dead_paths(manual):
    """What a manual points at and is not there."""
    content = text(manual)
    prose = re.sub(r"^```.*?^```", "", content, flags=re.MULTILINE | re.DOTALL)
    beside = (ROOT / manual).parent
    for link in re.findall(r"\]\(([^)#:]+)\)", prose):
        if not (beside / link).exists():
            yield f"{manual}: the link to {link} is dead"
    for path in re.findall(rf"`({FOLDERS}/[\w./-]+)`", prose):
        if not (ROOT / path).exists():
            yield f"{manual}: there is no {path}"


def unnamed(manual, pattern, sources):
    """Names of the sources that a manual does not have in backticks."""
    described = set(re.findall(r"`([^`\n]+)`", text(manual)))
    for source in (path for named in sources for path in sorted(ROOT.glob(named))):
        for found in pattern.findall(text(source)):
            name = found if isinstance(found, str) else "".join(found)
            if name not in described:
                yield f"{manual}: `{name}` of {source.relative_to(ROOT)} is not described"


def main():
    problems = [problem for manual in manuals() for problem in dead_paths(manual)]
    for manual, (pattern, sources) in NAMED.items():
        problems.extend(unnamed(manual, pattern, sources))
    if text("fixtures/quickstart/summary.txt") not in text("README.md"):
        problems.append("README.md: the summary is not fixtures/quickstart/summary.txt")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
