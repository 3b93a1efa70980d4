"""One video through all nine steps, as a person with curl would send it, told as it happens."""

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from video2mp3_localcluster.demo import mail_server
from video2mp3_localcluster.demo.release import Release
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

SAMPLE_SECONDS = 12
_LIMIT_SECONDS = 180
_POLL_SECONDS = 0.3
_T = TypeVar("_T")


@dataclass
class Journey:
    """The demo's video on its way; each method is one leg and prints what a person sees of it."""

    release: Release
    log: StepLog
    folder: Path
    """Where the sample video and the mp3 are put."""

    say: Callable[[str], None]

    def run(self) -> None:
        """All nine steps."""
        video = self.make_sample()
        email, password = self.account()
        token = self.login(email, password)
        uploaded = self.upload(video, token)
        self.watch(uploaded["conversion"])
        message = self.read_email(email, uploaded["conversion"])
        self.download(message, token, uploaded["conversion"])

    def make_sample(self) -> Path:
        """A short video with a test picture and a chord."""
        video = self.folder / "sample.mp4"
        picture = f"testsrc2=size=640x360:rate=25:duration={SAMPLE_SECONDS}"
        chord = f"aevalsrc='0.2*sin(262*2*PI*t)+0.2*sin(330*2*PI*t)+0.2*sin(392*2*PI*t)':d={SAMPLE_SECONDS}"
        inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", chord]
        self.log.command(["ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, "-c:v", "mpeg4", "-c:a", "aac", video])
        return video

    def account(self) -> tuple[str, str]:
        """The first account, whose password the chart made."""
        values = self.release.secret(self.log, f"{self.release.name}-account")
        return values["email"], values["password"]

    def login(self, email: str, password: str) -> str:
        """The first call."""
        url = f"{self.release.url}/login"
        self.say(f"   $ curl -X POST -u {email}:PASSWORD {url}")
        token = self._curl("-X", "POST", "-u", f"{email}:{password}", url).strip()
        self.say(f"     {token[:24]}…")
        return token

    def upload(self, video: Path, token: str) -> dict[str, Any]:
        """① ② ③ The second call."""
        url = f"{self.release.url}/upload"
        self.say(f"① $ curl -X POST -F 'file=@{video.name}' -H 'Authorization: Bearer …' {url}")
        answer: dict[str, Any] = json.loads(
            self._curl("-X", "POST", "-F", f"file=@{video}", "-H", f"Authorization: Bearer {token}", url)
        )
        self.say(f"② stored in GridFS as {answer['fileId']} ({video.stat().st_size:,} bytes)")
        self.say(f"③ created Conversion {answer['conversion']}")
        return answer

    def watch(self, name: str) -> None:
        """④ ⑤ ⑥ The Conversion until it is over."""
        shown: list[str] = []

        def over() -> dict[str, Any] | None:
            status = self._conversion(name)["status"]
            line = self._progress_line(status)
            if line not in shown:
                shown.append(line)
                self.say(line)
            return status if status["phase"] in ("Succeeded", "Failed") else None

        status = self._await(over, "the conversion is over")
        if status["phase"] == "Failed":
            raise StepFailed(f"the conversion failed: {status.get('message', '')}")
        self.say(f"   $ kubectl get conversions --namespace {self.release.namespace}")
        self._say_indented(self.release.kubectl(self.log, "get", "conversions"))

    def read_email(self, email: str, name: str) -> dict[str, Any]:
        """⑦ ⑧ ⑨ The email."""
        file_id = self._conversion(name)["status"]["output"]["fileId"]
        self.say(f"⑦ published to the mp3 queue  ⑧ consumed by the notifier  ⑨ emailed to {email}:")

        def arrived() -> dict[str, Any] | None:
            return next((message for message in self._messages() if file_id in str(message["text"])), None)

        message = self._await(arrived, f"an email to {email}")
        self._say_indented(f"Subject: {message['subject']}\n\n{message['text']}")
        return message | {"fileId": file_id}

    def download(self, message: dict[str, Any], token: str, name: str) -> None:
        """The third call, and what ffprobe says of the mp3."""
        url = f"{self.release.url}/download?fid={message['fileId']}"
        mp3 = self.folder / "sample.mp3"
        self.say(f"   $ curl -o {mp3.name} -H 'Authorization: Bearer …' '{url}'")
        self._curl("-o", str(mp3), "-H", f"Authorization: Bearer {token}", url)
        entries = "stream=codec_name,sample_rate,channels:format=duration,size"
        probed = self.log.output(["ffprobe", "-v", "error", "-show_entries", entries, "-of", "compact=nk=0", mp3])
        line = " ".join(probed.split())
        self.say(f"   $ ffprobe {mp3}\n     {line}")
        found = float(line.partition("duration=")[2].partition("|")[0])
        if "codec_name=mp3" not in line or abs(found - SAMPLE_SECONDS) > 0.2:
            raise StepFailed(f"{name}: the mp3 is not the {SAMPLE_SECONDS} s of sound that were uploaded: {line}")

    def _progress_line(self, status: dict[str, Any]) -> str:
        number = {"Pending": "④", "Queued": "④", "Running": "⑤"}.get(status["phase"], "⑥")
        percent = status.get("progress", {}).get("percent")
        said = dict.fromkeys([status["phase"], status.get("reason", ""), f"{percent} %" if percent is not None else ""])
        return f"{number} {', '.join(word for word in said if word)}"

    def _conversion(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(
            self.release.kubectl(self.log, "get", "conversion", name, "--output", "json")
        )
        return document

    def _messages(self) -> list[dict[str, Any]]:
        address = self.release.address(self.log, mail_server.NAME)
        with urllib.request.urlopen(f"http://{address}:{mail_server.HTTP_PORT}/messages", timeout=10) as answer:
            messages: list[dict[str, Any]] = json.load(answer)
        return messages

    def _curl(self, *arguments: str) -> str:
        # The arguments hold the password and the token; they go by standard input, which is not logged.
        config = "".join(f"{_config_line(name, value)}\n" for name, value in _options(arguments))
        return self.log.output(
            ["curl", "-sS", "--fail-with-body", "--max-time", "120", "-K", "-"], stdin=config.encode()
        )

    def _say_indented(self, text: str) -> None:
        self.say("\n".join(f"     {line}" for line in text.rstrip().splitlines()))

    def _await(self, look: Callable[[], _T | None], what: str) -> _T:
        deadline = time.monotonic() + _LIMIT_SECONDS
        while (seen := look()) is None:
            if time.monotonic() > deadline:
                raise StepFailed(f"not within {_LIMIT_SECONDS} s: {what}")
            time.sleep(_POLL_SECONDS)
        return seen


_LONG = {"-X": "request", "-u": "user", "-F": "form", "-H": "header", "-o": "output"}


def _options(arguments: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of a long option and its value, from a command line of short options that ends with the address."""
    *options, url = arguments
    pairs = [(_LONG[name], value) for name, value in zip(options[::2], options[1::2], strict=True)]
    return [*pairs, ("url", url)]


def _config_line(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name} = "{escaped}"'
