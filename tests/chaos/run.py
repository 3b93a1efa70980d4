"""One run: the load begins, the plan is carried out, the load ends, and what came of it is counted."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.chaos import stock
from tests.chaos.api import Pods
from tests.chaos.ending import Finish, Inbox
from tests.chaos.kills import Killer
from tests.chaos.load import Load
from tests.chaos.outages import outages_of
from tests.chaos.patience import OUTAGES, TooLongError
from tests.chaos.plan import STORES, Kill, build_plan
from tests.chaos.tally import Tally, tally
from tests.e2e.nodes import Nodes
from tests.e2e.release import Release
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed

Say = Callable[[str], None]


def speaker() -> Say:
    """Prints lines with the time as they come, but none twice in a row."""
    last = ""

    def say(line: str) -> None:
        nonlocal last
        if line != last:
            sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
            sys.stdout.flush()
        last = line

    return say


@dataclass(frozen=True)
class Options:
    """How long and how hard; times in seconds."""

    seconds: float
    seed: int
    gap: float = 6.0
    """Between two kills."""

    clients: int = 4
    pause: float = 8.0
    """From one answer to the same client's next upload."""

    settle_seconds: float = 900.0
    """More than the ten minutes for which the Job controller may wait between two attempts, with `worker.startSeconds`
    of the tests: a Job that the controller has forgotten is made anew after both."""


def run(release: Release, files: NodeFiles, options: Options, say: Say) -> Tally:
    """Do it all. What was still planned when the time is up is left."""
    inbox = Inbox(release)
    with tempfile.TemporaryDirectory() as folder, outages_of(Nodes(release, files), say) as outages:
        plan = build_plan(options.seed, options.seconds, options.gap, nodes=2 if outages else 1)
        accounts = [release.create_account() for _ in range(options.clients)]
        before = stock.take(release)
        pods = Pods(files, release.namespace)
        killer = Killer(release.name, pods, files, outages)
        label = f"{options.seed}-{int(time.time())}"
        load = Load(release, accounts, options.pause, Path(folder), label)
        load.start()
        try:
            struck = _strike(plan, killer, load, inbox, options.seconds, say)
        finally:
            load.stop()
            pods.close()
    say(f"{len(struck)} of {len(plan)} kills; waiting until all is settled")
    # With connections of its own, none of which is to a pod that was killed.
    release = replace(release)
    try:
        ending = Finish(release, files, accounts, before, inbox).look(load.uploads, options.settle_seconds, say)
    finally:
        release.mongodb.close()
    return tally(plan, struck, load.uploads, ending)


def _strike(plan: Sequence[Kill], killer: Killer, load: Load, inbox: Inbox, seconds: float, say: Say) -> list[Kill]:
    """Carry the plan out until it is done or the time is up; what was struck.

    Stores have a lane of their own: one waits until the others are back, and nobody else waits for that.
    """
    lane = _Lane(killer, load, inbox, seconds, say)
    stores = [kill for kill in plan if kill.kind in STORES]
    others = [kill for kill in plan if kill.kind not in STORES]
    with ThreadPoolExecutor(1) as beside:
        elsewhere = beside.submit(lane.carry_out, others)
        struck = lane.carry_out(stores)
        return sorted(struck + elsewhere.result(), key=lambda kill: kill.at)


@dataclass(frozen=True)
class _Lane:
    """Carries parts of a plan out, each in a thread, by one clock; when one ends, all do."""

    killer: Killer
    load: Load
    inbox: Inbox
    seconds: float
    say: Say
    began: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)

    def carry_out(self, plan: Sequence[Kill]) -> list[Kill]:
        """Strike what is due until the time is up; what was struck."""
        struck = []
        try:
            for kill in plan:
                self._rest_until(kill.at)
                if self.ended.is_set() or self._elapsed() > self.seconds:
                    break
                if self._strike(kill):
                    struck.append(kill)
            self._rest_until(self.seconds)
        finally:
            self.ended.set()
        return struck

    def _elapsed(self) -> float:
        return time.monotonic() - self.began

    def _rest_until(self, at: float) -> None:
        self.ended.wait(max(0.0, at - self._elapsed()))

    def _strike(self, kill: Kill) -> bool:
        whom = _struck(self.killer, kill, self.say)
        with suppress(*OUTAGES):
            self.inbox.look()
        said = f"{kill.manner} {whom}" if whom else f"no {kill.kind} to be {kill.manner}"
        self.say(f"{self._elapsed():5.0f} s  {said:<60} {len(self.load.uploads)} uploads")
        return bool(whom)


def _struck(killer: Killer, kill: Kill, say: Say) -> str:
    try:
        return killer.strike(kill)
    except (TooLongError, StepFailed, subprocess.SubprocessError) as error:
        say(f"        {error}")
        return ""
