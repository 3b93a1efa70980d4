"""④ Into how many parts audio is split, each made by a pod of its own. Pure.

`spec.parallelism` says so, or leaves it to the duration (`auto`). Nobody knows that before a worker has looked: so the
first Job has one pod, which converts short audio, and of long audio notes in the ledger how many parts it is worth.
Then a Job of the next generation makes those.
"""

from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.jobs.worker import Division
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.policy.settings import Settings


def parts_of(spec: ConversionSpec | None, entry: LedgerEntry | None) -> int:
    """How many parts there are, as far as it is known; 1 where the audio is not split."""
    if entry is not None and entry.parallelism is not None:
        return entry.parallelism
    return spec.parallelism if spec is not None and isinstance(spec.parallelism, int) else 1


def division_of(spec: ConversionSpec, parts: int, settings: Settings) -> Division | None:
    """What the worker of whole audio is to look for; None where that is settled."""
    if spec.parallelism != "auto" or parts > 1:
        return None
    return Division(part_seconds=settings.worker_part_seconds, max_parts=settings.worker_max_parts)
