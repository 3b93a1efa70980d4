"""When what happened to a Conversion, by the clock of who watches: Kubernetes' own times are whole seconds."""

import json
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

from tests.e2e.release import Release
from video2mp3_contracts.api import names

Moments = dict[str, float]
"""By what happened, seconds of the monotonic clock."""

_PATIENCE: Final = 300
_KINDS: Final = ("conversions", "jobs", "pods")


class Watcher:
    """Watches Conversions, Jobs and pods of a release, and its ledger."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._moments: dict[str, Moments] = defaultdict(dict)
        self._changed = threading.Condition()
        self._watches: list[subprocess.Popen[str]] = []
        self._ended = False

    def __enter__(self) -> Self:
        for kind in _KINDS:
            argv = [
                str(self._release.kubectl_program), "--kubeconfig", str(self._release.kubeconfig),
                "--namespace", self._release.namespace, "get", kind, "--watch", "--output=json",
            ]  # fmt: skip
            watch = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self._watches.append(watch)
            threading.Thread(target=self._read, args=(watch,), daemon=True).start()
        threading.Thread(target=self._poll_ledger, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        for watch in self._watches:
            watch.terminate()
            watch.wait(timeout=10)

    def until_succeeded(self, name: str, accepted: float) -> Moments:
        """Wait for a Conversion's success; raises TimeoutError, and AssertionError where it failed."""
        with self._changed:
            done = self._changed.wait_for(lambda: {"Succeeded", "Failed"} & self._moments[name].keys(), _PATIENCE)
            if not done:
                raise TimeoutError(f"{name} did not end")
            assert "Failed" not in self._moments[name], name
            return {"accepted": accepted} | self._moments[name]

    def _note(self, name: str, what: str) -> None:
        with self._changed:
            self._moments[name].setdefault(what, time.monotonic())
            self._changed.notify_all()

    def _read(self, watch: "subprocess.Popen[str]") -> None:
        for document in _documents(watch):
            metadata = document["metadata"]
            worked_for = metadata.get("labels", {}).get(names.LABEL_CONVERSION)
            if document["kind"] == names.KIND:
                self._note(metadata["name"], "Conversion seen")
                phase = document.get("status", {}).get("phase")
                if phase in ("Succeeded", "Failed"):
                    self._note(metadata["name"], phase)
            elif worked_for and document["kind"] == "Job":
                self._note(worked_for, "Job made")

    def _poll_ledger(self) -> None:
        """What the worker writes there is known to the hundredth of a second."""
        while not self._ended:
            for entry in self._release.mongodb.mp3s.conversions.find({}, {"name": 1, "attempt": 1, "result.fileId": 1}):
                if entry.get("attempt"):
                    self._note(entry["name"], "worker runs")
                if entry.get("result"):
                    self._note(entry["name"], "result stored")
            time.sleep(0.02)


def _documents(watch: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """The JSON documents that kubectl prints one after the other, each as soon as it is whole."""
    assert watch.stdout is not None
    text: list[str] = []
    for line in watch.stdout:
        text.append(line)
        if line.startswith("}"):
            yield json.loads("".join(text))
            text.clear()
