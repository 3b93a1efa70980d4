"""Puts the notifier together: the one place that chooses implementations."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient

from video2mp3_contracts.runtime import mongo
from video2mp3_notifier.compose import Composer
from video2mp3_notifier.consumer import Consumer
from video2mp3_notifier.health import BEAT_SECONDS, Health, serving
from video2mp3_notifier.ledger import LedgerClaims
from video2mp3_notifier.metrics import NotifierMetrics
from video2mp3_notifier.notify import Notify
from video2mp3_notifier.settings import NotifierSettings
from video2mp3_notifier.smtp import MailServer, SmtpMailer, TimeLimits, tls_context


def run(settings: NotifierSettings) -> None:
    """Consume and serve until SIGTERM or SIGINT. Raises OSError where the CA file or the port cannot be used."""
    server = mail_server(settings)
    health, metrics = Health(), NotifierMetrics()
    with (
        serving(settings.http_port, health, metrics.registry),
        mongo.connect(settings.mongodb_uri.get_secret_value(), "video2mp3-notifier") as client,
        ThreadPoolExecutor(settings.prefetch, thread_name_prefix="send") as threads,
    ):
        notify = build_notify(settings, server, client)
        consumer = Consumer(settings.rabbitmq_uri.get_secret_value(), notify.handle, threads, metrics, health)
        asyncio.run(_consume(consumer, settings.prefetch, health))


def mail_server(settings: NotifierSettings) -> MailServer:
    """The mail server of the settings. Raises OSError where the CA file cannot be read."""
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        limits=TimeLimits.within(settings.claim_lease),
        tls=tls_context(settings.smtp_ca_file) if settings.encrypted else None,
        tls_first=settings.tls_first,
        ehlo_name=settings.ehlo_name,
        username=settings.smtp_username or "",
        password=password,
    )


def build_notify(settings: NotifierSettings, server: MailServer, client: MongoClient[dict[str, Any]]) -> Notify:
    """Decisions over the real ledger and the real mail server."""
    claims = LedgerClaims(mongo.ledger(client), settings.claim_lease)
    composer = Composer(settings.sender, settings.public_url)
    return Notify(claims, SmtpMailer(server, _now), composer.compose, _now)


def _now() -> datetime:
    return datetime.now(UTC)


async def _consume(consumer: Consumer, prefetch: int, health: Health) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    beats = loop.create_task(_beat(health))
    try:
        await consumer.run(prefetch, stop)
    finally:
        beats.cancel()


async def _beat(health: Health) -> None:
    while True:
        health.beat()
        await asyncio.sleep(BEAT_SECONDS)
