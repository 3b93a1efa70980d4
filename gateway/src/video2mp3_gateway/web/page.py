"""GET /: a web page for those who do not use curl: log in, upload, watch, download.

One document without anything from elsewhere. Its policy allows the one script and the one style that it holds, by
their hashes, and requests to this server; nothing else can run in it, whatever it is made to show.
"""

import base64
import hashlib
from importlib import resources

from flask import Blueprint, Response


def page_routes() -> Blueprint:
    """The route."""
    routes = Blueprint("page", __name__)
    document, policy = _page()

    @routes.get("/")
    def page() -> Response:
        response = Response(document, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = policy
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-cache"
        return response

    return routes


def _page() -> tuple[str, str]:
    """The document and the policy that fits it."""
    files = resources.files("video2mp3_gateway") / "static"
    style, script = ((files / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    template = (files / "page.html").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return template.replace("{style}", style).replace("{script}", script), policy


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
