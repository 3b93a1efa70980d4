"""The HTTP side: a JSON API for tests and a page for people."""

import json

from aiohttp import web
from jinja2 import Environment, PackageLoader, select_autoescape

from video2mp3_mailsink.behaviour import Behaviour, Mode
from video2mp3_mailsink.mailbox import Mailbox

PAGE_HEADERS = {
    # Mail is foreign text: its HTML is shown in a sandboxed frame, and nothing on the page may run or load.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Pages:
    """The request handlers, over one mailbox and one behaviour."""

    def __init__(self, mailbox: Mailbox, behaviour: Behaviour) -> None:
        self._mailbox = mailbox
        self._behaviour = behaviour
        self._templates = Environment(loader=PackageLoader("video2mp3_mailsink"), autoescape=select_autoescape())

    async def page(self, _request: web.Request) -> web.Response:
        """`GET /`: every message, newest first, as text and HTML."""
        messages = [message.summary() for message in reversed(self._mailbox.all())]
        html = self._templates.get_template("page.html").render(messages=messages, mode=self._behaviour.mode.value)
        return web.Response(text=html, content_type="text/html", headers=PAGE_HEADERS)

    async def messages(self, _request: web.Request) -> web.Response:
        """`GET /messages`: every message, oldest first."""
        return web.json_response([message.summary() for message in self._mailbox.all()])

    async def clear(self, _request: web.Request) -> web.Response:
        """`DELETE /messages`: forget every message."""
        self._mailbox.clear()
        return web.Response(status=204)

    async def behaviour(self, _request: web.Request) -> web.Response:
        """`GET /behaviour`: the mode in force."""
        return web.json_response({"mode": self._behaviour.mode.value})

    async def switch(self, request: web.Request) -> web.Response:
        """`PUT /behaviour` with `{"mode": …}`: put a mode in force."""
        try:
            mode = Mode((await request.json())["mode"])
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            modes = ", ".join(mode.value for mode in Mode)
            raise web.HTTPBadRequest(text=f'send {{"mode": M}} with M one of {modes}\n') from error
        await self._behaviour.switch_to(mode)
        return web.json_response({"mode": mode.value})

    async def healthz(self, _request: web.Request) -> web.Response:
        """`GET /healthz`: both servers listen, since SMTP is started first."""
        return web.Response(text="ok\n")


def web_application(mailbox: Mailbox, behaviour: Behaviour) -> web.Application:
    """Route the pages."""
    pages = Pages(mailbox, behaviour)
    application = web.Application()
    application.add_routes(
        [
            web.get("/", pages.page),
            web.get("/messages", pages.messages),
            web.delete("/messages", pages.clear),
            web.get("/behaviour", pages.behaviour),
            web.put("/behaviour", pages.switch),
            web.get("/healthz", pages.healthz),
        ]
    )
    return application
