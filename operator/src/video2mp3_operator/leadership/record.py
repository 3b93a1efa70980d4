"""④ What a Lease says of who leads, as client-go writes it: read, taken, renewed, given up. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any


def leader_name(instance: str) -> str:
    """The name of an installation's Lease."""
    return f"{instance}-leader"


@dataclass(frozen=True)
class LeaderRecord:
    """A Lease's spec. Its times are for people: whoever judges its age does so by a stopwatch of their own."""

    holder: str = ""
    """"" while nobody leads."""

    seconds: int = 0
    """For how long nobody else may lead after a renewal."""

    acquired: str = ""
    renewed: str = ""
    transitions: int = 0

    @property
    def spec(self) -> dict[str, Any]:
        """As it stands in the Lease."""
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": self.seconds,
            "acquireTime": self.acquired,
            "renewTime": self.renewed,
            "leaseTransitions": self.transitions,
        }


def record_of(lease: Mapping[str, Any]) -> LeaderRecord:
    """Read a Lease, whoever wrote it; what is missing or makes no sense is as if it were not there."""
    spec = lease.get("spec") or {}
    return LeaderRecord(
        str(spec.get("holderIdentity") or ""),
        _count(spec.get("leaseDurationSeconds")),
        str(spec.get("acquireTime") or ""),
        str(spec.get("renewTime") or ""),
        _count(spec.get("leaseTransitions")),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def renewed(before: LeaderRecord, holder: str, seconds: int, now: datetime) -> LeaderRecord:
    """The record with which a holder leads on, or begins to."""
    moment = _micro_time(now)
    if before.holder == holder:
        return replace(before, seconds=seconds, renewed=moment)
    # The Lease's first holder is no transition.
    transitions = before.transitions + 1 if before.renewed else 0
    return LeaderRecord(holder, seconds, moment, moment, transitions)


def given_up(before: LeaderRecord, now: datetime) -> LeaderRecord:
    """The record of whoever ends and has stopped writing: anybody may lead at once."""
    moment = _micro_time(now)
    return LeaderRecord("", 1, moment, moment, before.transitions)


def _micro_time(moment: datetime) -> str:
    """As metav1.MicroTime is written."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
