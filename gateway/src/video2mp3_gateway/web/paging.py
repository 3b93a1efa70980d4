"""How many things of a list one answer holds."""

from flask import request

from video2mp3_gateway.http import problems
from video2mp3_gateway.ports.listing import DEFAULT_PAGE, MAX_PAGE


def page_limit() -> int:
    """The parameter `limit`."""
    text = request.args.get("limit", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE):
        raise problems.bad_request("bad-parameter", f"The parameter 'limit' must be a number from 1 to {MAX_PAGE}.")
    return int(text)
