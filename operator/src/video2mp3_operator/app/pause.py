"""④ The operator that does nothing: it answers probes, so that its pod stays and commands can be run in it."""

import asyncio
import signal

import structlog
from prometheus_client import CollectorRegistry

from video2mp3_operator.telemetry.health import HealthServer

_log = structlog.get_logger(__name__)


async def pause(port: int) -> None:
    """Answer that all is well until the process is asked to end."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    health = HealthServer(lambda: "", lambda: "", CollectorRegistry())
    await health.start(port)
    _log.warning("paused")
    await ended.wait()
    await health.close()
