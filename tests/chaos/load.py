"""Four people who upload, one video after the other, whatever happens around them."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import requests

from tests.chaos.sound import sound_of
from tests.chaos.tally import Answer, Upload
from tests.e2e import media
from tests.e2e.release import Account, Release

LOGIN_SECONDS: Final = 45.0
"""A token is used for so long; all logins together stay below the limit of one address."""

_TRY_SECONDS: Final = 60
"""For one call."""


@dataclass
class Load:
    """All clients, each in a thread of its own, and what they were told."""

    release: Release
    accounts: list[Account]
    pause: float
    """Seconds from one answer to the next upload."""

    folder: Path
    label: str
    """In all names, so that no two runs share one."""

    uploads: list[Upload] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin."""
        for account in self.accounts:
            thread = threading.Thread(target=self._work, args=(account,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let every upload that is under way end, and begin none."""
        self._ended.set()
        for thread in self._threads:
            thread.join(4 * _TRY_SECONDS)
            assert not thread.is_alive(), "an upload did not end"

    def _work(self, account: Account) -> None:
        client = _Client(self.release, account)
        while not self._ended.is_set():
            self.uploads.append(self._one(client))
            self._ended.wait(self.pause)

    def _one(self, client: "_Client") -> Upload:
        number = next(self._numbers)
        name, sound = f"{self.label}-{number:05}", sound_of(number)
        video = media.make_video(self.folder / f"{name}.mp4", sound.seconds, hertz=sound.hertz)
        try:
            answer, told = client.upload(video)
        finally:
            video.unlink()
        return Upload(number, client.account.email, f"{name}.mp3", answer, told)


class _Client:
    """One person with curl."""

    def __init__(self, release: Release, account: Account) -> None:
        self.account = account
        self._release = release
        self._headers: dict[str, str] = {}
        self._logged_in_at = 0.0

    def upload(self, video: Path) -> tuple[Answer, str]:
        """Log in where it is time to, and send one video; what was answered, and the Conversion's name."""
        self._log_in()
        if not self._headers:
            return Answer.REFUSED, "no login yet"
        try:
            with video.open("rb") as content:
                files = {"file": (video.name, content)}
                answer = self._call("/upload", headers=self._headers, files=files)
        except requests.RequestException as error:
            return Answer.UNANSWERED, type(error).__name__
        return read_answer(answer.status_code, answer.headers.get("Content-Type", ""), answer.content)

    def _log_in(self) -> None:
        """Where it is refused, the old token is still good."""
        if time.monotonic() - self._logged_in_at < LOGIN_SECONDS and self._headers:
            return
        account = self.account
        try:
            answer = self._call("/login", auth=(account.email, account.password))
        except requests.RequestException:
            return
        if answer.ok:
            self._headers = {"Authorization": f"Bearer {answer.text.strip()}"}
            self._logged_in_at = time.monotonic()

    def _call(self, path: str, **arguments: object) -> requests.Response:
        return self._release.request("POST", path, timeout=_TRY_SECONDS, **arguments)


def read_answer(status: int, media_type: str, body: bytes) -> tuple[Answer, str]:
    """What an answer to an upload means."""
    if status == 202:
        return Answer.ACCEPTED, str(json.loads(body)["conversion"])
    if media_type.startswith("application/problem+json"):
        return Answer.REFUSED, str(json.loads(body)["code"])
    return Answer.UNANSWERED, f"{status} by the proxy"
