"""Who is killed when. Pure: all of it follows from the seed."""

import heapq
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What can be killed: the release's pods by their component, and of the local cluster two processes and a node."""

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
    NODE = "node"
    """The second one, where there is one."""


IN_TURN: Final = tuple(kind for kind in Kind if kind is not Kind.NODE)
"""Each comes once before any comes again. A node is away for longer, and its blows have times of their own."""

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

    CUT_OFF = "cut off"
    """From the network: all of it runs on, and reaches nobody."""


MANNERS: Final = dict.fromkeys(Kind, (Manner.KILLED, Manner.DELETED)) | {
    Kind.API_SERVER: (Manner.KILLED,),
    Kind.ETCD: (Manner.KILLED,),
    # One that is only killed counts as an attempt that failed, and few of those are allowed.
    Kind.WORKER: (Manner.FORCED, Manner.DELETED),
    Kind.NODE: (Manner.KILLED, Manner.CUT_OFF),
}

FIRST_OUTAGE: Final = (60.0, 180.0)
"""Seconds from the start within which a node dies. A run that is longer has a node's death in it."""

OUTAGE_GAP: Final = (150.0, 300.0)
"""Seconds from one node's outage to the next: it is well again, and has pods again, before that."""

AWAY: Final = (5.0, 60.0)
"""Seconds for which a node is away: some end before Kubernetes notices, after others its workers have been replaced."""


@dataclass(frozen=True)
class Kill:
    """One blow."""

    at: float
    """Seconds from the start. It may come later: a store waits until the others are back."""

    kind: Kind
    manner: Manner
    chance: float
    """From 0 to 1: which of the pods, where there are several."""

    away: float = 0.0
    """Seconds until a node is brought back."""


def build_plan(seed: int, seconds: float, gap: float, nodes: int = 1) -> tuple[Kill, ...]:
    """Blows about `gap` seconds apart, and where there are two nodes the outages of the second."""
    outages = _outages(seed) if nodes > 1 else ()
    blows = heapq.merge(_blows(seed, gap), outages, key=lambda kill: kill.at)
    return tuple(itertools.takewhile(lambda kill: kill.at < seconds, blows))


def _blows(seed: int, gap: float) -> Iterator[Kill]:
    chance = random.Random(seed)
    bag: list[Kind] = []
    at = 0.0
    while True:
        at += gap * chance.uniform(0.5, 1.5)
        if not bag:
            bag = chance.sample(IN_TURN, k=len(IN_TURN))
        kind = bag.pop()
        yield Kill(at, kind, chance.choice(MANNERS[kind]), chance.random())


def _outages(seed: int) -> Iterator[Kill]:
    """The first is a death, so that every run of some minutes has one."""
    chance = random.Random(f"{seed} nodes")
    at, manner = chance.uniform(*FIRST_OUTAGE), Manner.KILLED
    while True:
        yield Kill(at, Kind.NODE, manner, chance.random(), chance.uniform(*AWAY))
        at += chance.uniform(*OUTAGE_GAP)
        manner = chance.choice(MANNERS[Kind.NODE])
