"""Who is killed when. Pure: all of it follows from the seed."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What can be killed: the release's pods by their component, and two processes of the local cluster."""

    GATEWAY = "gateway"
    AUTH = "auth"
    OPERATOR = "operator"
    NOTIFIER = "notifier"
    WORKER = "worker"
    MYSQL = "mysql"
    MONGODB = "mongodb"
    RABBITMQ = "rabbitmq"
    API_SERVER = "kube-apiserver"
    ETCD = "etcd"


PROCESSES: Final = frozenset({Kind.API_SERVER, Kind.ETCD})
"""Of the local cluster, which starts them again; all others are pods."""

STORES: Final = frozenset({Kind.MYSQL, Kind.MONGODB, Kind.RABBITMQ, Kind.ETCD})
"""One of them is away at a time: before the next goes, all are waited for."""


class Manner(StrEnum):
    """How it ends."""

    KILLED = "killed"
    """SIGKILL for all of its processes at once, as when the power fails."""

    DELETED = "deleted"
    """By the API server, as a drain does: SIGTERM, and time to end."""

    FORCED = "forced"
    """By the API server without time to end; nobody waits for its node."""


MANNERS: Final = dict.fromkeys(Kind, (Manner.KILLED, Manner.DELETED)) | {
    Kind.API_SERVER: (Manner.KILLED,),
    Kind.ETCD: (Manner.KILLED,),
    # One that is only killed counts as an attempt that failed, and few of those are allowed.
    Kind.WORKER: (Manner.FORCED, Manner.DELETED),
}


@dataclass(frozen=True)
class Kill:
    """One blow."""

    at: float
    """Seconds from the start. It may come later: a store waits until the others are back."""

    kind: Kind
    manner: Manner
    chance: float
    """From 0 to 1: which of the pods, where there are several."""


def build_plan(seed: int, seconds: float, gap: float) -> tuple[Kill, ...]:
    """Blows about `gap` seconds apart. Every kind comes once before any comes again."""
    chance = random.Random(seed)
    plan: list[Kill] = []
    bag: list[Kind] = []
    at = 0.0
    while True:
        at += gap * chance.uniform(0.5, 1.5)
        if at >= seconds:
            return tuple(plan)
        if not bag:
            bag = chance.sample(list(Kind), k=len(Kind))
        kind = bag.pop()
        plan.append(Kill(at, kind, chance.choice(MANNERS[kind]), chance.random()))
