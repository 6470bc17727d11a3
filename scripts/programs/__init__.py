"""Real programs, what they are made to speak, and the wire between them."""

from . import mail, names, windows

TABLE = [*names.TABLE, *windows.TABLE, *mail.TABLE]
