"""What there is in the stores, the queues and the namespace, and what of it nobody needs."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.chaos.tally import Found
from tests.e2e.release import Release
from video2mp3_contracts.ledger.documents import ORPHANED_AT
from video2mp3_contracts.ledger.storage import LEDGER_COLLECTION, MP3S_DATABASE, VIDEOS_DATABASE

_DATABASES: Final = (VIDEOS_DATABASE, MP3S_DATABASE)


@dataclass(frozen=True)
class Stock:
    """Ids by kind. Messages have none: their number by queue."""

    files: frozenset[str]
    """Videos, mp3s and parts of one, as `database/id`."""

    torn: frozenset[str]
    """Files of which there are only chunks."""

    entries: frozenset[str]
    """Of the ledger, but those that only keep a Conversion that is gone from being told of twice."""

    jobs: frozenset[str]
    messages: Mapping[str, int]


def take(release: Release) -> Stock:
    """Look at everything once."""
    files, torn = set(), set()
    for database in _DATABASES:
        stored = release.mongodb[database]
        files |= {f"{database}/{each['_id']}" for each in stored["fs.files"].find({}, {"_id": True})}
        torn |= {f"{database}/{each}" for each in release.orphaned_chunks(database)}
    live = {ORPHANED_AT: {"$exists": False}}
    entries = release.mongodb[MP3S_DATABASE][LEDGER_COLLECTION].find(live, {"_id": True})
    jobs = frozenset(each["metadata"]["uid"] for each in release.objects("jobs"))
    uids = frozenset(str(each["_id"]) for each in entries)
    return Stock(frozenset(files), frozenset(torn), uids, jobs, messages(release))


def messages(release: Release) -> dict[str, int]:
    """How many there are, by queue."""
    listing = ("rabbitmqctl", "--quiet", "--formatter", "json", "list_queues", "name", "messages")
    said = release.kubectl("exec", f"statefulset/{release.component('rabbitmq')}", "--", *listing)
    return {str(queue["name"]): int(queue["messages"]) for queue in json.loads(said)}


def left_over(before: Stock, after: Stock, conversions: Iterable[Found]) -> dict[str, int]:
    """What is there since `before` and no Conversion needs, by kind."""
    conversions = list(conversions)
    mp3s = {f"{MP3S_DATABASE}/{each.file_id}" for each in conversions if each.file_id}
    return {
        "files": len(after.files - before.files - mp3s),
        "files' chunks": len(after.torn - before.torn),
        "ledger entries": len(after.entries - before.entries - {each.uid for each in conversions}),
        "Jobs": len(after.jobs - before.jobs),
        "messages": sum(max(0, count - before.messages.get(name, 0)) for name, count in after.messages.items()),
    }


def found(document: Mapping[str, Any]) -> Found:
    """What counts of a Conversion."""
    spec, status, metadata = document["spec"], document.get("status", {}), document["metadata"]
    return Found(
        name=metadata["name"],
        uid=metadata["uid"],
        owner=spec.get("owner", ""),
        mp3=spec.get("output", {}).get("filename", ""),
        phase=status.get("phase", "Pending"),
        reason=status.get("reason", ""),
        file_id=(status.get("output") or {}).get("fileId", ""),
    )


def conversions_of(release: Release, owners: Iterable[str]) -> list[Found]:
    """All Conversions of some accounts."""
    wanted = set(owners)
    return [each for each in map(found, release.objects("conversions")) if each.owner in wanted]
