"""What one process holds at a time, and for how long. Imports nothing large: gunicorn's own process reads it too."""

import resource
from typing import Final

HEAD_SECONDS: Final = 20
"""A request's head is whole within this time of its first byte, a first one of the connection's begin."""

SOCKET_SECONDS: Final = 30
"""A client that neither sends nor takes a byte for this long is given up; so is one that takes longer than this to take
the end of an answer."""

LINGER_SECONDS: Final = 10
"""How long a client that is answered, and still sends, is listened to before the connection is closed: it shall read
the answer, and a close with bytes unread would take it away (RFC 9112, section 9.6)."""

MAX_HEAD_BYTES: Final = 16 * 1024
"""A request's head. gunicorn has limits of its own below it: 4 KiB for the first line, 8 KiB for each header."""

OUTGOING_BYTES: Final = 256 * 1024
"""So much of an answer waits without a thread for a client that reads slowly."""

ALL_OUTGOING_BYTES: Final = 16 * 1024**2
"""The same for all clients. Beyond it, who has waited longest is given up."""

MAX_CONNECTIONS: Final = 4096
"""Beyond it, a new one takes the place of the one that has waited longest for what most of them wait for: a head, the
next request, a client that reads, or one that closes."""

_OTHER_FILES: Final = 256
"""What else a process has open: connections to stores, pipes, modules."""


def connections() -> int:
    """How many connections this process may hold; raises its limit of open files as far as it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, soft - _OTHER_FILES))
