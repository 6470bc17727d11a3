"""Real programs, what they are made to speak, and the wire between them."""

from . import databases, files, mail, names, others, tunnels, voice, windows

TABLE = [
    *names.TABLE,
    *windows.TABLE,
    *mail.TABLE,
    *files.TABLE,
    *voice.TABLE,
    *databases.TABLE,
    *tunnels.TABLE,
    *others.TABLE,
]
