"""④ Many look-ups at once become one query, so that the cost of a Conversion does not grow with their number."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

_V = TypeVar("_V")
_LARGEST_BATCH = 500


class DataLoader(Generic[_V]):
    """Looks values up by id: all that are asked for while a query is under way, or in the same turn, share the next."""

    def __init__(self, fetch: Callable[[Collection[str]], Awaitable[Mapping[str, _V]]]) -> None:
        self._fetch = fetch
        self._asked: dict[str, asyncio.Future[_V | None]] = {}
        self._running: asyncio.Task[None] | None = None

    async def get(self, key: str) -> _V | None:
        """The value; None when there is none. Raises what the query raises."""
        if key not in self._asked:
            self._asked[key] = asyncio.get_running_loop().create_future()
        future = self._asked[key]
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        # Shielded: one that gives up must not take the answer away from the others.
        return await asyncio.shield(future)

    async def _run(self) -> None:
        while self._asked:
            batch = dict(list(self._asked.items())[:_LARGEST_BATCH])
            for key in batch:
                del self._asked[key]
            query = asyncio.ensure_future(self._fetch(batch.keys()))
            await asyncio.wait([query])
            for key, future in batch.items():
                if future.done():
                    continue
                error = query.exception()
                if error is not None:
                    future.set_exception(error)
                else:
                    future.set_result(query.result().get(key))
