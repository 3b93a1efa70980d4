"""Tells a person who follows a link from a program."""

from flask import request


def is_a_click() -> bool:
    """Whether a browser follows a link, as the emails hold: it has no token, and wants to show something."""
    return "Authorization" not in request.headers and "text/html" in request.headers.get("Accept", "")
