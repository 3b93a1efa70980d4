"""Cases against a running gateway, many at a time, and what they leave in it, in the store and in the cluster."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from tests.fuzz.gateway.case import Case, Ending
from tests.fuzz.gateway.client import CLOSE_SECONDS, SPARE_SECONDS, Exchange, exchange
from tests.fuzz.gateway.judge import accepted, wrong_with
from tests.integration.gateway.conftest import Installation
from tests.servers.process import await_condition

AT_ONCE: Final = 4
"""Impatient cases: as many uploads as one gateway takes of one account, and half of all that it takes."""

_SHOWN: Final = 2000
_PULSE_SECONDS: Final = 0.2
_OVER: Final = frozenset({"06", "0A"})
"""States of sockets (the kernel's tcp_states.h) that serve nobody: TIME_WAIT and LISTEN."""

_GRAVE: Final = frozenset({"error", "critical"})


@dataclass(frozen=True)
class Finding:
    """Something wrong, and the cases of which one or all did it."""

    cases: tuple[Case, ...]
    wrong: str
    received: bytes = b""

    def __str__(self) -> str:
        numbers = ", ".join(str(case.number) for case in self.cases)
        text = f"seed {self.cases[0].seed}, number {numbers}: {self.wrong}"
        if len(self.cases) > 1:
            return text
        return f"{text}\n  sent: {self.cases[0].sent[:_SHOWN]!r}\n  answered: {self.received[:_SHOWN]!r}"


class Trial:
    """One gateway, round by round; each begins and ends with nothing stored."""

    def __init__(self, installation: Installation, codes: Mapping[str, int]) -> None:
        """`codes` are the documented ones, with their status."""
        self._installation = installation
        self._codes = codes
        self._worker = installation.gateway.worker_pid
        self._log_bytes = installation.gateway.log_file.stat().st_size
        self.answers: Counter[str] = Counter()
        """How many of each status, "closed" where none came."""

    def round(self, cases: Sequence[Case], at_once: int = AT_ONCE) -> list[Finding]:
        """Try all of them, and clear away what they left. What no answer shows is looked for one by one."""
        answered, of_all = self._tried(cases, at_once)
        if not of_all:
            return answered
        alone = [finding for case in cases if case.ending is not Ending.WAIT for finding in self._alone(case)]
        return alone or [*answered, Finding(tuple(cases), "; ".join(of_all))]

    def _alone(self, case: Case) -> list[Finding]:
        answered, others = self._tried([case], 1)
        wrong = [*(finding.wrong for finding in answered), *others]
        received = b"".join(finding.received for finding in answered)
        return [Finding((case,), "; ".join(wrong), received)] if wrong else []

    def _tried(self, cases: Sequence[Case], at_once: int) -> tuple[list[Finding], list[str]]:
        """What is wrong with an answer, and what is wrong besides."""
        found: list[Finding] = []
        exchanges: list[Exchange] = []
        with self._pulse() as missed, ThreadPoolExecutor(at_once) as clients:
            for case, done in zip(cases, clients.map(self._exchange, cases), strict=True):
                exchanges.append(done)
                if wrong := wrong_with(case, done, self._codes):
                    found.append(Finding((case,), wrong, done.received))
        self._count(exchanges)
        others = [*missed, *self._aftermath(cases, exchanges)]
        self._clear()
        return found, others

    def _exchange(self, case: Case) -> Exchange:
        gateway = self._installation.gateway
        token = self._installation.auth.token(f"case-{case.number % AT_ONCE}@example.com")
        return exchange((gateway.host, gateway.port), case, token)

    def _count(self, exchanges: Sequence[Exchange]) -> None:
        self.answers.update(done.received[9:12].decode("latin-1") or str(done.end) for done in exchanges)

    @contextmanager
    def _pulse(self) -> Iterator[list[str]]:
        """Ask for a sign of life all along; answers what was wrong, as soon as it was."""
        wrong: list[str] = []
        over = threading.Event()

        def ask() -> None:
            while not wrong:
                try:
                    answer = requests.get(f"{self._installation.gateway.url}/healthz", timeout=SPARE_SECONDS)
                except requests.RequestException as error:
                    wrong.append(f"/healthz: {error}")
                else:
                    wrong.extend([f"/healthz: {answer.status_code}"] if answer.status_code != 200 else [])
                if over.wait(_PULSE_SECONDS):
                    return

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield wrong
        finally:
            over.set()
            asking.join()

    def _aftermath(self, cases: Sequence[Case], exchanges: Sequence[Exchange]) -> Iterator[str]:
        """What is wrong once all have been answered."""
        gateway = self._installation.gateway
        if not gateway.running or gateway.worker_pid != self._worker:
            self._worker = gateway.worker_pid
            yield "the process that serves died"
        yield from self._logged()
        await_condition(self._alone_at_last, seconds=CLOSE_SECONDS, what="the gateway still holds connections")
        told = {(each["fileId"], each["conversion"]) for done in exchanges for each in accepted(done)}
        some_left = any(case.ending is Ending.HANG_UP for case in cases)
        if left := self._left(told, some_left):
            yield left

    def _alone_at_last(self) -> bool:
        """Whether the gateway serves nobody any more, those that went away included."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        port = f":{self._installation.gateway.port:04X}"
        return not any(row[1].endswith(port) and row[3] not in _OVER for row in rows)

    def _logged(self) -> Iterator[str]:
        """Lines of the log, since it was looked at last, that tell of a fault."""
        with self._installation.gateway.log_file.open("rb") as file:
            file.seek(self._log_bytes)
            new = file.read()
        self._log_bytes += len(new)
        yield from filter(None, map(_grave, new.splitlines()))

    def _left(self, told: set[tuple[str, str]], some_left: bool) -> str:
        """What is there and was not accepted, or the other way round; "" if nothing."""
        videos, conversions = self._installation.videos, self._installation.kubernetes.objects
        named = {(each["spec"]["source"]["gridfs"]["fileId"], name) for name, each in list(conversions.items())}
        files = {str(key) for key in videos.fs.files.distinct("_id")}
        chunks = {str(key) for key in videos.fs.chunks.distinct("files_id")}
        if not files == chunks == {file for file, _ in named}:
            return f"half of something is left: files {files}, chunks of {chunks}, Conversions {named}"
        if told - named:
            return f"accepted, and not there: {told - named}"
        return f"there, and never accepted: {named - told}" if named - told and not some_left else ""

    def _clear(self) -> None:
        self._installation.kubernetes.reset()
        for collection in (self._installation.videos.fs.files, self._installation.videos.fs.chunks):
            collection.delete_many({})


def _grave(line: bytes) -> str:
    """What a line of the log tells of a fault, shortly; "" where it tells of none."""
    try:
        entry = json.loads(line)
        if entry["level"] not in _GRAVE:
            return ""
        raised = [f"{each['exc_type']}: {each['exc_value'][:200]}" for each in entry.get("exception", ())]
        return f"the log: {entry['event']} {' from '.join(raised)}"
    except (ValueError, KeyError, TypeError):
        return f"the log: {line[:300].decode(errors='replace')}"
