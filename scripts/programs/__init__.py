"""Real programs, what they are made to speak, and the wire between them."""

from . import names

TABLE = names.TABLE
