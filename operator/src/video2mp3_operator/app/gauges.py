"""④ What an operator tells at the moment of a scrape: of itself, and if it leads of what all operators see alike."""

from typing import TYPE_CHECKING

from video2mp3_operator.telemetry.metrics import Gauges, Values

if TYPE_CHECKING:
    from video2mp3_operator.app.bootstrap import Operator


def gauges_of(operator: "Operator") -> Gauges:
    """All gauges of an operator."""
    return Gauges(_own(operator), _leaders(operator), lambda: _phases(operator), lambda: operator.leads)


def _own(operator: "Operator") -> Values:
    return {
        "leader": (
            "Whether it is this operator that works: 1, or 0 while it stands by.",
            lambda: float(operator.leads),
        ),
        "namespaces_unlisted": (
            "Watched namespaces that the last round of lists could not see.",
            lambda: len(operator.resync.unlisted),
        ),
        "heartbeat_age_seconds": ("Age of the oldest heartbeat that has not come back.", operator.heartbeat.age),
    }


def _leaders(operator: "Operator") -> Values:
    return {
        "jobs_live": ("Jobs that take up a place.", lambda: len(operator.cache.live())),
        "queued": ("Conversions that wait for their turn.", lambda: len(operator.admission_queue)),
        "queue_wait_seconds": (
            "Age of the oldest Conversion that waits for its turn.",
            lambda: operator.admission_queue.longest_wait(operator.clock()),
        ),
        "work_queue_length": ("Conversions due for a reconcile.", lambda: len(operator.queue)),
        "outbox_messages": ("Messages not yet published or marked.", lambda: len(operator.outbox)),
    }


def _phases(operator: "Operator") -> list[str]:
    return [str(document["status"].get("phase", "Pending")) for document in operator.cache.documents()]
