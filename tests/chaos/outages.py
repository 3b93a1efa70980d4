"""The second node dies or is cut off, and comes back, beside all else."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from tests.chaos.patience import persistently
from tests.chaos.plan import Kill, Manner
from tests.e2e.nodes import Nodes
from video2mp3_localcluster.node import node
from video2mp3_localcluster.node.addresses import FIRST, SECOND
from video2mp3_localcluster.steps.step_log import StepFailed

Say = Callable[[str], None]

_API_SECONDS = 60.0
"""For the API server, which may just have been killed."""


class Outages:
    """One at a time."""

    def __init__(self, nodes: Nodes, say: Say) -> None:
        self._say = say
        self._ways = {Manner.KILLED: (nodes.kill, nodes.start_again), Manner.CUT_OFF: (nodes.cut, nodes.mend)}
        self._beside = ThreadPoolExecutor(1)
        self._return: Future[None] | None = None
        self._ended = threading.Event()

    def begin(self, kill: Kill) -> str:
        """Strike, and have the node back after its time; whom, or "" where the last outage is not over."""
        if self._return and not self._return.done():
            return ""
        strike, bring_back = self._ways[kill.manner]
        try:
            strike()
        finally:
            # Also where half of it was done.
            self._return = self._beside.submit(self._wait, kill.away, bring_back)
        return f"{SECOND.name}, for {kill.away:.0f} s"

    def _wait(self, seconds: float, bring_back: Callable[[], None]) -> None:
        self._ended.wait(seconds)
        try:
            bring_back()
            self._say(f"        {SECOND.name} is let back")
        except (StepFailed, OSError, subprocess.SubprocessError) as error:
            # The next outage's end, or the end of all, brings it back.
            self._say(f"        {SECOND.name} does not come back: {error}")

    def end(self) -> None:
        """Bring back at once what is away."""
        self._ended.set()
        self._beside.shutdown()


@contextmanager
def outages_of(nodes: Nodes, say: Say) -> Iterator[Outages | None]:
    """Let pods start on both nodes; at the end the second one is well, whatever happened to it. None on one node alone.

    All pods begin on the first one. Two kinds stay there: those with data, whose volumes are on its disk, and the mail
    server's, which has its mails in memory and is never struck.
    """
    if nodes.files.second not in node.running(nodes.files):
        yield None
        return
    outages = Outages(nodes, say)
    try:
        nodes.gather()
        nodes.only(FIRST.name, SECOND.name)
        yield outages
    finally:
        outages.end()
        nodes.start_second()
        persistently(partial(nodes.only, FIRST.name, SECOND.name), seconds=_API_SECONDS, what="both nodes take pods")
