"""The HTTP side: a JSON API for tests and a page for people."""

from aiohttp import web
from jinja2 import Environment, PackageLoader, select_autoescape
from pydantic import ValidationError

from video2mp3_mailsink.behaviour import Behaviour, Treatment
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
        html = self._templates.get_template("page.html").render(
            messages=messages, mode=self._behaviour.treatment.mode.value
        )
        return web.Response(text=html, content_type="text/html", headers=PAGE_HEADERS)

    async def messages(self, _request: web.Request) -> web.Response:
        """`GET /messages`: every message, oldest first."""
        return web.json_response([message.summary() for message in self._mailbox.all()])

    async def content(self, request: web.Request) -> web.Response:
        """`GET /messages/ID`: one message, byte for byte as it came."""
        for message in self._mailbox.all():
            if str(message.id) == request.match_info["id"]:
                return web.Response(body=message.content, content_type="message/rfc822")
        raise web.HTTPNotFound

    async def clear(self, _request: web.Request) -> web.Response:
        """`DELETE /messages`: forget every message."""
        self._mailbox.clear()
        return web.Response(status=204)

    async def behaviour(self, _request: web.Request) -> web.Response:
        """`GET /behaviour`: the treatment in force."""
        return self._treatment()

    async def switch(self, request: web.Request) -> web.Response:
        """`PUT /behaviour` with a `Treatment` as JSON: put it in force."""
        try:
            treatment = Treatment.model_validate_json(await request.read())
        except ValidationError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        await self._behaviour.switch_to(treatment)
        return self._treatment()

    def _treatment(self) -> web.Response:
        return web.json_response(self._behaviour.treatment.model_dump(mode="json"))

    async def healthz(self, _request: web.Request) -> web.Response:
        """`GET /healthz`: every server listens, since this one is started last."""
        return web.Response(text="ok\n")


def web_application(mailbox: Mailbox, behaviour: Behaviour) -> web.Application:
    """Route the pages."""
    pages = Pages(mailbox, behaviour)
    application = web.Application()
    application.add_routes(
        [
            web.get("/", pages.page),
            web.get("/messages", pages.messages),
            web.get("/messages/{id}", pages.content),
            web.delete("/messages", pages.clear),
            web.get("/behaviour", pages.behaviour),
            web.put("/behaviour", pages.switch),
            web.get("/healthz", pages.healthz),
        ]
    )
    return application
