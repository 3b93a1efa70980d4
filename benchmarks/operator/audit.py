"""What the operator asked of the API server, from the server's audit log."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

_READS = frozenset({"get", "list", "watch"})


@dataclass
class Requests:
    """Counts of requests by what was asked for, and when some of them were answered."""

    counts: Counter[str] = field(default_factory=Counter)
    """By verb and resource, such as `patch conversions/status`; what was not granted also by its status code."""

    reads: int = 0
    writes: int = 0
    jobs: dict[str, datetime] = field(default_factory=dict)
    """When each Job was there, by its name."""

    last_status: datetime | None = None
    """When the last status was written."""


def read_requests(file: Path, since: datetime) -> Requests:
    """All requests that were received from then on."""
    requests = Requests()
    for event in _events(file):
        reference = event.get("objectRef") or {}
        if _moment(event["requestReceivedTimestamp"]) < since or reference.get("resource") == "leases":
            continue  # the heartbeat's number follows from the time, not from the conversions
        _count(requests, event, reference)
    return requests


def _events(file: Path) -> Iterator[dict[str, Any]]:
    with file.open() as lines:
        for line in lines:
            event = json.loads(line)
            # A watch is told of when it is answered, everything else when that is done.
            if (event["verb"] == "watch") == (event["stage"] == "ResponseStarted"):
                yield event


def _count(requests: Requests, event: dict[str, Any], reference: dict[str, Any]) -> None:
    resource = "/".join(filter(None, (reference.get("resource", event["requestURI"]), reference.get("subresource"))))
    asked, code = f"{event['verb']} {resource}", event["responseStatus"]["code"]
    requests.counts[asked if code < 300 else f"{asked} ({code})"] += 1
    if event["verb"] in _READS:
        requests.reads += 1
    else:
        requests.writes += 1
    answered = _moment(event["stageTimestamp"])
    if asked == "create jobs" and code < 300:
        requests.jobs[reference["name"]] = answered
    if asked == "patch conversions/status":
        requests.last_status = answered


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
