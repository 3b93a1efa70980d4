"""④ Keeps background loops going: one that fails is told of, and begun anew after a pause."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

_log = structlog.get_logger(__name__)

RESTART_SECONDS: Final = 5.0
"""Between a loop's failure and its next start: long enough that a bug which comes each time floods no log."""


async def supervise(name: str, loop: Callable[[], Awaitable[None]], failed: Callable[[str], None]) -> None:
    """Run `loop` until cancelled, whatever it ends by; `failed` is told of each end."""
    while True:
        task = asyncio.ensure_future(loop())
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            raise
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        failed(name)
        _log.error("background_loop_failed", loop=name, exc_info=error)
        await asyncio.sleep(RESTART_SECONDS)
