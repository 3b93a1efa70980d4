"""One run: the load begins, the plan is carried out, the load ends, and what came of it is counted."""

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.chaos import stock
from tests.chaos.api import Pods
from tests.chaos.ending import Finish, Inbox
from tests.chaos.kills import Killer
from tests.chaos.load import Load
from tests.chaos.patience import OUTAGES, TooLongError
from tests.chaos.plan import Kill, build_plan
from tests.chaos.tally import Tally, tally
from tests.e2e.release import Release
from video2mp3_localcluster.layout import NodeFiles

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
    gap: float = 8.0
    """Between two kills."""

    clients: int = 4
    pause: float = 8.0
    """From one answer to the same client's next upload."""

    settle_seconds: float = 900.0
    """More than the ten minutes for which the Job controller may wait between two attempts."""


def run(release: Release, files: NodeFiles, options: Options, say: Say) -> Tally:
    """Do it all. What was still planned when the time is up is left."""
    plan = build_plan(options.seed, options.seconds, options.gap)
    accounts = [release.create_account() for _ in range(options.clients)]
    before = stock.take(release)
    pods = Pods(files, release.namespace)
    killer = Killer(release.name, pods, files)
    inbox = Inbox(release)
    with tempfile.TemporaryDirectory() as folder:
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
    """Carry the plan out until it is done or the time is up; what was struck."""
    began, struck = time.monotonic(), []
    rest = threading.Event()
    for kill in plan:
        rest.wait(max(0.0, began + kill.at - time.monotonic()))
        if time.monotonic() > began + seconds:
            break
        whom = _struck(killer, kill, say)
        with suppress(*OUTAGES):
            inbox.look()
        if whom:
            struck.append(kill)
        at = time.monotonic() - began
        said = f"{kill.manner} {whom}" if whom else f"no {kill.kind} to be {kill.manner}"
        say(f"{at:5.0f} s  {said:<60} {len(load.uploads)} uploads")
    rest.wait(max(0.0, began + seconds - time.monotonic()))
    return struck


def _struck(killer: Killer, kill: Kill, say: Say) -> str:
    try:
        return killer.strike(kill)
    except TooLongError as error:
        say(f"        {error}")
        return ""
