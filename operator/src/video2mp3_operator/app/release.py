"""④ The last of a namespace that is not watched any more: what is deleted there is let go, as the operator would."""

import asyncio
from collections.abc import Iterator
from typing import Final, NamedTuple

from video2mp3_contracts.api import names
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.cache.documents import key_of
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.ports.errors import ConflictError

ROUND_SECONDS: Final = 1.0
"""Between two looks at workers that are still ending."""


class Released(NamedTuple):
    """How many Conversions went, and how many stay since nobody has deleted them."""

    gone: int
    staying: int


async def release_deleted(operator: Operator, round_seconds: float = ROUND_SECONDS) -> Released:
    """End the workers and deal with the files of all that are being deleted, and take our finalizer off.

    Nothing else is begun. Raises UnavailableError where a server is away, RefusedError where the operator's Role in
    the namespace is gone.
    """
    gone: set[Key] = set()
    while True:
        await _look(operator)
        going = [*_going(operator)]
        if not going:
            return Released(len(gone), sum(1 for _ in operator.cache.documents()))
        for key in going:
            await _bring_on(operator, key)
        gone.update(going)
        await operator.outbox.flush()
        if [*_going(operator)]:
            await asyncio.sleep(round_seconds)


async def _look(operator: Operator) -> None:
    """Kopf's watches do not run here: each round lists everything."""
    await operator.resync.once()
    for error in operator.resync.unlisted.values():
        raise error


def _going(operator: Operator) -> Iterator[Key]:
    for document in operator.cache.documents():
        metadata = document["metadata"]
        if metadata.get("deletionTimestamp") and names.FINALIZER in metadata.get("finalizers", ()):
            yield key_of(document)


async def _bring_on(operator: Operator, key: Key) -> None:
    try:
        await operator.reconciler.reconcile(key)
    except ConflictError:
        return  # somebody changed it meanwhile: the next round sees how
