#!/usr/bin/env python3
"""Writes the captures under `fixtures/` and what must be said about them.

usage: make-fixtures.py [FOLDER]

FOLDER defaults to the `fixtures` folder of this repository. The same bytes come out every time:
to check the committed files, write into another folder and compare. Needs Python 3.10 or later
and nothing else.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True

from fixtures import quickstart, voicemail  # noqa: E402

FIXTURES = {"quickstart": quickstart, "voicemail": voicemail}


def main(arguments):
    """Writes every fixture and prints one line for each."""
    folder = (
        Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent / "fixtures"
    )
    for name, fixture in FIXTURES.items():
        totals = fixture.write(folder / name)
        print(f"{name}: {totals['packets']} packets, {totals['flows']} flows")


if __name__ == "__main__":
    main(sys.argv[1:])
