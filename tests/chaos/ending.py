"""Waits until all is settled, and looks at what came of it."""

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.chaos import stock
from tests.chaos.patience import OUTAGES, persistently, until_nothing
from tests.chaos.sound import fault_of, listen, sound_of
from tests.chaos.stock import Stock
from tests.chaos.tally import Ending, Found, Mail, Upload
from tests.e2e.later import sweep_later
from tests.e2e.release import Account, Release
from video2mp3_contracts.ledger.storage import LEDGER_COLLECTION, MP3S_DATABASE
from video2mp3_localcluster.node import cluster
from video2mp3_localcluster.steps.layout import NodeFiles

_LOOK_SECONDS: Final = 60.0
_KINDS: Final = {"Succeeded": "succeeded", "Failed": "failed"}
"""Of the message that tells of a Conversion's end."""


class Inbox:
    """All emails, also those that the mail server forgets, which keeps the last thousand."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._mails: dict[int, Mail] = {}

    @property
    def mails(self) -> list[Mail]:
        """Those that were seen."""
        return list(self._mails.values())

    def look(self) -> None:
        """See what is new."""
        for each in self._release.emails():
            self._mails[each["id"]] = Mail(each["messageId"], str(each["to"]), each["subject"])


class Finish:
    """The end of one run."""

    def __init__(
        self, release: Release, files: NodeFiles, accounts: Sequence[Account], before: Stock, inbox: "Inbox"
    ) -> None:
        self._release = release
        self._files = files
        self._accounts = {account.email: account for account in accounts}
        self._before = before
        self._inbox = inbox

    def look(self, uploads: Sequence[Upload], limit: float, say: Callable[[str], None]) -> Ending:
        """Wait until all is settled, for `limit` seconds at the most; then count."""
        began = time.monotonic()
        said = until_nothing(lambda: self._unsettled(say), seconds=limit)
        took = time.monotonic() - began
        say(f"settled after {took:.0f} s" if not said else f"not settled after {took:.0f} s: {said}")
        conversions = self._patiently(self._conversions, "the Conversions are listed")
        mails = self._patiently(self._mails, "the mails are listed")
        say(f"listening to {len(conversions)} mp3s")
        wrong = self._wrong(uploads, conversions)
        for_sweep, left = self._sweep(conversions)
        counts = self._patiently(self._mp3_counts, "the mp3s are counted")
        return Ending(conversions, mails, counts, wrong, for_sweep, left, said, took)

    def _patiently(self, ask: Callable[[], Any], what: str) -> Any:
        return persistently(ask, seconds=_LOOK_SECONDS, what=what)

    # --- settled? ---

    def _unsettled(self, say: Callable[[str], None]) -> str:
        """What is not, in words; "" when all is. What is asked for easily comes first."""
        looks = (self._cluster_ill, self._pods_missing, self._unfinished, self._untold, self._jobs, self._queued)
        said = next((said for look in looks if (said := look())), "")
        say(f"waits: {said}" if said else "settled")
        return said

    def _cluster_ill(self) -> str:
        return ", ".join(name for name, problem in cluster.problems(self._files).items() if problem)

    def _pods_missing(self) -> str:
        workloads = self._release.objects("deployments") + self._release.objects("statefulsets")
        return ", ".join(each["metadata"]["name"] for each in workloads if not is_complete(each))

    def _unfinished(self) -> str:
        phases = Counter(each.phase for each in self._conversions() if each.phase not in _KINDS)
        return ", ".join(f"{count} {phase}" for phase, count in phases.items())

    def _untold(self) -> str:
        ledger = self._release.mongodb[MP3S_DATABASE][LEDGER_COLLECTION]
        wanted = {each.uid: _KINDS[each.phase] for each in self._conversions()}
        entries = {entry["_id"]: entry for entry in ledger.find({"_id": {"$in": list(wanted)}})}
        untold = sum(not is_told(entries.get(uid, {}), kind) for uid, kind in wanted.items())
        return f"{untold} mails not sent" if untold else ""

    def _jobs(self) -> str:
        jobs = {each["metadata"]["uid"] for each in self._release.objects("jobs")} - self._before.jobs
        return f"{len(jobs)} Jobs" if jobs else ""

    def _queued(self) -> str:
        """Messages, but for those that were given up: nobody takes them, and they are counted at the end."""
        waiting = {name: count for name, count in stock.messages(self._release).items() if "dead" not in name}
        left = sum(max(0, count - self._before.messages.get(name, 0)) for name, count in waiting.items())
        return f"{left} messages" if left else ""

    # --- what came of it ---

    def _conversions(self) -> list[Found]:
        return stock.conversions_of(self._release, self._accounts)

    def _mails(self) -> list[Mail]:
        self._inbox.look()
        return [mail for mail in self._inbox.mails if any(owner in mail.to for owner in self._accounts)]

    def _mp3_counts(self) -> dict[str, int]:
        files = self._release.mongodb[MP3S_DATABASE]["fs.files"].find({"metadata.kind": "mp3"})
        return Counter(str(file["metadata"].get("conversionUid")) for file in files)

    def _wrong(self, uploads: Sequence[Upload], conversions: Sequence[Found]) -> dict[str, str]:
        """Download every mp3 as its owner does, decode it, and listen."""
        numbers = {each.mp3: each.number for each in uploads}
        tokens: dict[str, Mapping[str, str]] = {}
        wrong = {}
        for each in conversions:
            if each.phase != "Succeeded":
                continue
            if each.owner not in tokens:
                login = partial(self._release.login, self._accounts[each.owner])
                tokens[each.owner] = self._patiently(login, "a login")
            if said := self._fault(each, numbers.get(each.mp3), tokens[each.owner]):
                wrong[each.mp3] = said
        return wrong

    def _fault(self, conversion: Found, number: int | None, headers: Mapping[str, str]) -> str:
        if number is None:
            return "nobody uploaded it"
        path = f"/download?fid={conversion.file_id}"
        try:
            answer = self._release.request("GET", path, headers=headers, timeout=60)
        except OUTAGES as error:
            return f"no download: {error}"
        if answer.status_code != 200:
            return f"no download: {answer.status_code}"
        with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
            file.write(answer.content)
            file.flush()
            try:
                return fault_of(listen(Path(file.name)), sound_of(number))
            except subprocess.CalledProcessError as error:
                return f"cannot be decoded: {error.stderr.decode(errors='replace').strip()}"

    def _sweep(self, conversions: Sequence[Found]) -> tuple[dict[str, int], dict[str, int]]:
        """What is left over, before and after the sweep of orphans at its time."""
        earlier = self._left(conversions)
        if any(earlier.values()):
            self._patiently(lambda: sweep_later(self._release), "the sweep of orphans")
        swept = {kind: count for kind, count in earlier.items() if count}
        return swept, self._left(conversions)

    def _left(self, conversions: Sequence[Found]) -> dict[str, int]:
        after = self._patiently(lambda: stock.take(self._release), "the stock is taken")
        return stock.left_over(self._before, after, conversions)


def is_complete(workload: Mapping[str, Any]) -> bool:
    """Whether all of a Deployment's or StatefulSet's pods are there and ready, and no others."""
    wanted, status = workload["spec"]["replicas"], workload["status"]
    observed = status.get("observedGeneration") == workload["metadata"]["generation"]
    return bool(observed and status.get("replicas", 0) == wanted == status.get("readyReplicas", 0))


def is_told(entry: Mapping[str, Any], kind: str) -> bool:
    """Whether the ledger says that an email was sent."""
    return bool(entry.get("messages", {}).get(kind, {}).get("sentAt"))
