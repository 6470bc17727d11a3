"""Real programs, what they are made to speak, and the wire between them."""

from . import files, mail, names, voice, windows

TABLE = [*names.TABLE, *windows.TABLE, *mail.TABLE, *files.TABLE, *voice.TABLE]
