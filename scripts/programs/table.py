"""What a row of the table of programs is."""

from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Program:
    """One recording."""

    # Its name on the command line and in the table.
    name: str
    # Commands that must be installed.
    needs: tuple
    # What they are made to speak, in words.
    speaks: str
    # Drives them; takes the scene.
    drive: Callable
    # The command that prints the version.
    version: tuple


def program(table, name, needs, speaks, version=()):
    """Adds the function below it to the table."""

    def add(drive):
        table.append(Program(name, tuple(needs.split()), speaks, drive, tuple(version)))
        return drive

    return add
