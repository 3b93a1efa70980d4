"""The operator's own way to MongoDB, asked from a test."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.integration.operator.operator_process import INSTALLATION
from tests.servers import MongoDBServer
from video2mp3_operator.adapters.mongodb import MongoStore
from video2mp3_operator.app.connections import utc_now

_Answer = TypeVar("_Answer")


def ask(
    mongodb: MongoDBServer, question: Callable[[MongoStore], Awaitable[_Answer]], installation: str = INSTALLATION
) -> _Answer:
    """Ask one question for an installation, over a connection of its own; answers the answer."""

    async def run() -> _Answer:
        store = MongoStore(mongodb.uri_of("operator"), timeout_seconds=30, clock=utc_now, installation=installation)
        try:
            return await question(store)
        finally:
            await store.close()

    return asyncio.run(run())
