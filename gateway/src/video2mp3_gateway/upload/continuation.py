"""Answers `Expect: 100-continue` (RFC 9110, section 10.1.1) when the body is wanted.

curl and proxies ask this way before they send a large body. A request that is refused by its head alone then costs
neither side the body. gunicorn would invite the body before the application has seen the request; its configuration
leaves the invitation to us.
"""

from werkzeug.wrappers import Request

_INVITATION = b"HTTP/1.1 100 Continue\r\n\r\n"


def invite_body(request: Request) -> None:
    """Send the interim answer, if the client waits for it and the server lets us."""
    socket = request.environ.get("gunicorn.socket")
    waits = request.headers.get("Expect", "").lower() == "100-continue"
    if waits and socket is not None and request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
        socket.sendall(_INVITATION)
