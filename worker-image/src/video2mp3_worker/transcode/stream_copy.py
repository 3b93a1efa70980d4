"""⑥ From a source that has an mp3 in it to an mp3, without encoding: its frames are passed on as they are.

A plain mp3 is read as it is; out of every other container ffmpeg takes the frames. Whatever is wrong with them ends in
NotCopyableError, and the audio is encoded instead: that also says what is wrong with the source, if it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.encoder.frame_copy import Copied, FrameCopy, NotCopyableError
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.limits import bounds
from video2mp3_worker.limits.bounds import Budget
from video2mp3_worker.limits.watch import Watch
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.probe.media import Media
from video2mp3_worker.processes import child
from video2mp3_worker.processes.child import Confinement
from video2mp3_worker.processes.failures import is_partial
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode import commands
from video2mp3_worker.transcode.copy_decision import difference
from video2mp3_worker.transcode.packets import PacketLines
from video2mp3_worker.transcode.plan import Plan

_BLOCK_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class StreamCopy:
    """One try. `report` is told how far it is, in seconds."""

    source: LocalSource
    media: Media
    plan: Plan
    budget: Budget
    watch: Watch
    report: Callable[[float], None]

    def write(self, file: BinaryIO) -> Copied:
        """Write the mp3, without tags, into an empty file. Raises NotCopyableError, Refused or TryAgain."""
        layout = Layout(self.plan.sample_rate, self.plan.channels)
        packets = None if self.media.format == "mp3" else self._packets(layout)
        beside = (0, 0) if packets is None else (packets.skipped, packets.discarded)
        copy = FrameCopy(file, layout, self.plan.encoding.cbr, *beside)
        if packets is None:
            self._read(copy)
        else:
            self._run(commands.extract(self.source, self.plan), lambda piece: self._feed(copy, piece))
        copied = copy.finish()
        if packets is not None:
            packets.refuse_pauses(copy.seconds)
        unlike = difference(copied, self.plan.encoding, self.plan.sample_rate, self.plan.channels)
        if unlike:
            raise NotCopyableError(unlike)
        return copied

    def _read(self, copy: FrameCopy) -> None:
        with self.source.path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                self._feed(copy, block)
                self.watch.check()

    def _packets(self, layout: Layout) -> PacketLines:
        lines = PacketLines(layout.samples / layout.sample_rate, has_times=self.plan.timing.fills_gaps)

        def take(piece: bytes) -> None:
            lines.feed(piece)
            self.watch.moved_to(lines.seconds)

        self._run(commands.packets(self.source, self.plan), take)
        self.watch.start_over()
        return lines

    def _run(self, command: list[str], output: Callable[[bytes], None]) -> None:
        confinement = Confinement(
            reads=(self.source.path,), cpu_seconds=self.budget.cpu_seconds, data_bytes=bounds.DATA_BYTES
        )
        ended = child.run(command, confinement, output=output, watch=self.watch.check)
        if ended.status != 0 or is_partial(ended):
            raise NotCopyableError("its frames cannot be taken out of the file")

    def _feed(self, copy: FrameCopy, piece: bytes) -> None:
        copy.feed(piece)
        self.watch.moved_to(copy.seconds)
        self.report(copy.seconds)
        if copy.size > self.budget.output_bytes:
            raise Refused(Reason.LIMIT_EXCEEDED, "The mp3 would be larger than worker.maxOutputBytes allows.")
        if copy.seconds > self.budget.media_seconds:
            hours = self.budget.media_seconds / 3600
            raise Refused(Reason.TOO_LONG, f"The sound plays for more than {hours:g} hours, which is the limit.")
