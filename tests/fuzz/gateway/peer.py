"""How many requests another server sees in what was sent: h11, which shares no code with gunicorn.

Pure.
"""

import h11


def whole_requests(sent: bytes) -> int:
    """So many come whole before anything is wrong. Empty lines between them do not count (RFC 9112, section 2.2)."""
    found = 0
    while sent := sent.lstrip(b"\r\n"):
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(sent)
        if not _ends(connection):
            break
        found += 1
        sent, _ = connection.trailing_data
    return found


def _ends(connection: h11.Connection) -> bool:
    """Whether the first request that came on it is whole."""
    try:
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if event in (h11.NEED_DATA, h11.PAUSED):
                return False
    except h11.RemoteProtocolError:
        return False
    return True
