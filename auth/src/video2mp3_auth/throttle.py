"""The throttle of floods: how many logins, right or wrong, one client may begin.

Each login costs 0.1 s of a core whatever its outcome, and the cores are this replica's own; so it counts in its own
memory, and refuses without asking the database. How often a password may be wrong is another question: see `guesses`.
"""

import time
from collections.abc import Callable

from flask import Flask, Response, request
from flask_limiter import Limiter, RequestLimit

from video2mp3_auth.errors import Throttled
from video2mp3_auth.networks import client

View = Callable[[], Response]


def throttle(app: Flask, view: View, *, per_address: str, on_throttled: Callable[[Throttled], None]) -> View:
    """The view behind the limit."""
    # The fixed window is the one strategy whose memory storage forgets every key that it has seen.
    limiter = Limiter(_client, app=app, strategy="fixed-window", storage_uri="memory://")

    def refuse(limit: RequestLimit) -> None:
        error = Throttled(max(1, limit.reset_at - int(time.time())))
        on_throttled(error)
        raise error

    limited: View = limiter.limit(per_address, on_breach=refuse)(view)
    return limited


def _client() -> str:
    return client(request.remote_addr or "")
