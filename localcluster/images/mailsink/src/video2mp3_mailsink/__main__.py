"""Starts the servers and runs until it is told to stop."""

import asyncio
import signal
import ssl
from functools import partial

from aiohttp import web

from video2mp3_mailsink.behaviour import Behaviour
from video2mp3_mailsink.mailbox import Mailbox
from video2mp3_mailsink.settings import MailsinkSettings
from video2mp3_mailsink.smtp import SinkHandler, SinkProtocol, smtp_protocol
from video2mp3_mailsink.tls import server_context
from video2mp3_mailsink.web import web_application


async def serve(settings: MailsinkSettings) -> None:
    """Serve SMTP and HTTP until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    mailbox = Mailbox(settings.max_messages, settings.max_total_bytes)
    behaviour = Behaviour()
    handler = SinkHandler(mailbox, behaviour)
    tls = server_context(settings.tls_directory)
    if tls is None and settings.username is not None:
        raise SystemExit(f"a login needs a certificate: {settings.tls_directory} has no tls.crt and tls.key")
    servers = await _listen(settings, handler, behaviour, tls)
    runner = web.AppRunner(web_application(mailbox, behaviour), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.http_port).start()
    try:
        await stopped.wait()
    finally:
        for server in servers:
            server.close()
        await runner.cleanup()


async def _listen(
    settings: MailsinkSettings, handler: SinkHandler, behaviour: Behaviour, tls: ssl.SSLContext | None
) -> list[asyncio.Server]:
    loop = asyncio.get_running_loop()

    def protocol(*, tls_first: bool = False) -> SinkProtocol:
        return smtp_protocol(settings, handler, behaviour, tls, tls_first=tls_first)

    servers = [await loop.create_server(protocol, settings.host, settings.smtp_port)]
    if tls is not None:
        encrypted = partial(protocol, tls_first=True)
        servers.append(await loop.create_server(encrypted, settings.host, settings.smtps_port, ssl=tls))
    return servers


def main() -> None:
    """Run the mail sink as the environment says."""
    asyncio.run(serve(MailsinkSettings()))


if __name__ == "__main__":
    main()
