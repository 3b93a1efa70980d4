"""④ How long a finished Conversion stays: `spec.ttlSecondsAfterFinished`. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from video2mp3_contracts.api.conversion import ConversionSpec, ObjectMeta
from video2mp3_contracts.api.retention import managed_by, ttl_ends_at
from video2mp3_contracts.api.status import ConversionStatus


@dataclass(frozen=True)
class Lifetime:
    """What is left of a finished Conversion's time."""

    remaining: timedelta
    """Zero or less: it is over."""

    managed_by: str = ""
    """The label or annotation by which Git manages it, which keeps it; "" for none."""

    @property
    def over(self) -> bool:
        """Whether its time is over."""
        return self.remaining <= timedelta(0)


def lifetime(meta: ObjectMeta, spec: ConversionSpec | None, status: ConversionStatus, now: datetime) -> Lifetime | None:
    """The time that a finished Conversion has left; None where it may stay for ever."""
    end = ttl_ends_at(spec, status) if spec else None
    return Lifetime(end - now, managed_by(meta)) if end else None
