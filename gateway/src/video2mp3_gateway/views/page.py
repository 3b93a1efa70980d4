"""GET /: a web page for those who do not use curl. Plain files, served as they are."""

from typing import Final

from flask import Blueprint

_FILES: Final = {"/": ("index.html", "text/html; charset=utf-8")}


def page_routes() -> Blueprint:
    """The routes."""
    return Blueprint("page", __name__)
