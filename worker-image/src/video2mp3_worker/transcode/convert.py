"""⑥ The conversion itself, on local files: look, decide, encode, check. Knows no store and no cluster."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.encoder.frame_copy import Copied, NotCopyableError
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.inspection import BrokenMp3Error, inspect
from video2mp3_worker.encoder.pieces import Span
from video2mp3_worker.limits import bounds
from video2mp3_worker.limits.bounds import Budget, budget
from video2mp3_worker.limits.disk import enough_space
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.limits.watch import Clock, Watch
from video2mp3_worker.ports.errors import Refused, cut_short
from video2mp3_worker.probe.chapters import Chapter, fitted, limited
from video2mp3_worker.probe.classify import look_into
from video2mp3_worker.probe.media import Media
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode import replaygain, tags
from video2mp3_worker.transcode.copy_decision import in_words
from video2mp3_worker.transcode.cover import cover_of
from video2mp3_worker.transcode.damage import Damage
from video2mp3_worker.transcode.encode import BROKEN_OFF, CUT_SHORT, Encoded, encode, join
from video2mp3_worker.transcode.images import Picture
from video2mp3_worker.transcode.levelling import Level
from video2mp3_worker.transcode.loudness import level
from video2mp3_worker.transcode.mp3_ending import MISSING_SECONDS, is_cut_mp3
from video2mp3_worker.transcode.mp3_file import Mp3File
from video2mp3_worker.transcode.parallelism import start_seconds
from video2mp3_worker.transcode.plan import Plan, decide
from video2mp3_worker.transcode.stream_copy import StreamCopy

_TOLERANCE_SECONDS: Final = 0.001
_COUNTED: Final = frozenset({"flac", "tta", "wv"})
"""Formats, none of them with a size of the whole file."""

_ON_ENDING: Final = frozenset({CUT_SHORT, BROKEN_OFF})


@dataclass(frozen=True)
class Mp3:
    """A finished mp3: the tag's bytes, then the file's. Whoever gets it closes `content`."""

    file: Path
    """Where it lies, without the tag. What was checked, and is to be stored, is `content`."""

    content: Mp3File
    tag: bytes
    duration_seconds: float
    sha256: str
    size: int
    """Bytes, of tag and file together."""

    encoding: str
    """How it is encoded, for people."""

    notes: tuple[str, ...] = ()
    """What was not done with the source as it might have been, and why, in sentences."""


@dataclass(frozen=True)
class Preview:
    """What a file holds, and what would be made of it."""

    media: Media
    plan: Plan
    copied: Copied | None
    """What is passed on without encoding."""

    cover: Picture | None
    chapters: list[Chapter]
    notes: tuple[str, ...]
    """As in `Mp3`."""


@dataclass(frozen=True)
class Converter:
    """Converts local files. `report` is told the media seconds done and expected."""

    stop: Stop
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    report: Callable[[float, float | None], None] = lambda _done, _expected: None
    clock: Clock = time.monotonic
    allow_truncated: bool = False
    """Whether what is there of a source that was cut short or damaged is enough."""

    def preview(self, source: LocalSource, output: Output) -> Preview:
        """Say what `convert` would do. Raises Refused or TryAgain."""
        media, plan = self.plan(source, output)
        cover, notes = self._cover(source, media)
        with Path(os.devnull).open("w+b") as nowhere:
            copied, obstacle = self._copied(source, nowhere, media, plan)
        longest = plan.duration_seconds or float("inf")
        chapters, left_out = _chapters(media, plan, longest if copied is None else copied.seconds)
        return Preview(media, plan, copied, cover, chapters, (*plan.notes, *obstacle, *notes, *left_out))

    def plan(self, source: LocalSource, output: Output) -> tuple[Media, Plan]:
        """Say what the source is and what would be done. Raises Refused or TryAgain."""
        watch = self._watch(source, bounds.PROBE_WALL_SECONDS)

        def look() -> None:
            watch.check()
            if source.is_partial():
                # What ffprobe looks for may come last, and much later: whoever follows the attempt sees a sign of life.
                self.report(0.0, None)

        media = look_into(source, look, allow_truncated=self.allow_truncated)
        return media, replace(decide(media, output, self.limits), allow_truncated=self.allow_truncated)

    def convert(self, source: LocalSource, destination: Path, output: Output) -> Mp3:
        """Make the mp3 that `output` describes. Raises Refused or TryAgain."""
        media, plan = self.plan(source, output)
        audio = self._audio(source, destination, media, plan, lambda: self._encoded(source, destination, plan))
        return self._checked(audio, source, media, plan, output)

    def _audio(
        self, source: LocalSource, destination: Path, media: Media, plan: Plan, encode_it: Callable[[], Encoded]
    ) -> "_Untagged":
        """The mp3 without its tag: copied, or made by `encode_it`."""
        content = Mp3File(destination)
        with enough_space(), content.opened() as file:
            copied, obstacle = self._copied(source, file, media, plan)
        if copied is not None:
            as_copied, heard = f"copied: {in_words(copied)}, {plan.shape}", self._level(source, plan, is_encoded=False)
            notes = (CUT_SHORT,) if copied.is_cut_short else ()
            return _Untagged(destination, content, copied.seconds, as_copied, notes, heard, is_copied=True)
        content.empty()
        made = encode_it()
        said = (*obstacle, *made.notes)
        return _Untagged(destination, content, made.seconds, plan.summary, said, made.level, damage=made.damage)

    def _level(self, source: LocalSource, plan: Plan, *, is_encoded: bool) -> Level | None:
        allowed, watch = self._bounded(source, plan)

        def report(done: float) -> None:
            self.report(done, plan.duration_seconds)

        return level(source, plan, allowed, watch, report, is_encoded=is_encoded)

    def _encoded(self, source: LocalSource, destination: Path, plan: Plan) -> Encoded:
        allowed, watch = self._bounded(source, plan)
        return encode(source, destination, plan, allowed, watch, lambda done: self.report(done, plan.duration_seconds))

    def _copied(self, source: LocalSource, file: BinaryIO, media: Media, plan: Plan) -> tuple[Copied | None, list[str]]:
        """What was passed on into `file`; None where it is to be encoded, and why, if it might have been copied."""
        if not plan.may_copy:
            return None, []
        allowed, watch = self._bounded(source, plan)
        copy = StreamCopy(source, media, plan, allowed, watch, lambda done: self.report(done, plan.duration_seconds))
        try:
            return copy.write(file), []
        except NotCopyableError as error:
            return None, [f"The sound is an mp3 already, but is encoded anew, since {error}."]

    def convert_part(self, source: LocalSource, destination: Path, media: Media, plan: Plan, span: Span) -> Encoded:
        """Encode a span of the audio, to be joined later; answer how many seconds it holds. Raises as `convert`.

        Of audio that is copied as a whole there are no parts: it is empty.
        """
        with Path(os.devnull).open("w+b") as nowhere:
            if self._copied(source, nowhere, media, plan)[0] is not None:
                destination.touch()
                return Encoded(0.0)
        start = start_seconds(plan, span)
        allowed, watch = self._bounded(source, plan)

        def report(done: float) -> None:
            self.report(max(done - start, 0.0), plan.duration_seconds)

        made = encode(source, destination, plan, allowed, watch, report, span)
        return replace(made, seconds=max(made.seconds - start, 0.0))

    def join(
        self,
        parts: Iterable[bytes],
        source: LocalSource,
        destination: Path,
        media: Media,
        plan: Plan,
        output: Output,
        heard: Level | None = None,
    ) -> Mp3:
        """Make one mp3 of all parts, in order: the same as `convert` makes. Raises as `convert`.

        `heard` is what `convert_part` answered, if it is at hand: else the audio is listened to again.
        """
        audio = self._audio(
            source, destination, media, plan, lambda: self._joined(parts, source, destination, plan, heard)
        )
        return self._checked(audio, source, media, plan, output)

    def _joined(
        self, parts: Iterable[bytes], source: LocalSource, destination: Path, plan: Plan, heard: Level | None
    ) -> Encoded:
        allowed, watch = self._bounded(source, plan)
        seconds = join(parts, destination, plan, allowed, watch, lambda done: self.report(done, plan.duration_seconds))
        return Encoded(seconds, level=heard or self._level(source, plan, is_encoded=True))

    def _checked(self, audio: "_Untagged", source: LocalSource, media: Media, plan: Plan, output: Output) -> Mp3:
        source_notes = _notes_on_source(source, media, plan, audio)
        # The last child. From here on nobody else is there who could change what is checked before it is stored.
        cover, notes = self._cover(source, media)
        if audio.level is not None:
            replaygain.note(audio.content, Layout(plan.sample_rate, plan.channels), audio.level.reached)
        _verify(audio.content, plan, audio.seconds)
        chapters, left_out = _chapters(media, plan, audio.seconds)
        tag = _tag(
            media, output, cover, chapters, replaygain.tags(audio.level, plan, output, is_copied=audio.is_copied)
        )
        levelled = () if audio.level is None else audio.level.notes
        return Mp3(
            file=audio.file,
            content=audio.content,
            tag=tag,
            duration_seconds=round(audio.seconds, 3),
            sha256=_sha256(tag, audio.content),
            size=len(tag) + audio.content.size,
            encoding=audio.encoding,
            notes=(*plan.notes, *source_notes, *levelled, *notes, *left_out),
        )

    def _cover(self, source: LocalSource, media: Media) -> tuple[Picture | None, list[str]]:
        return cover_of(source, media, self._watch(source, bounds.PROBE_WALL_SECONDS).check)

    def _bounded(self, source: LocalSource, plan: Plan) -> tuple[Budget, Watch]:
        allowed = budget(self.limits, plan.duration_seconds, source.size)
        return allowed, self._watch(source, allowed.wall_seconds, bounds.STALL_SECONDS)

    def _watch(self, source: LocalSource, wall_seconds: float, stall_seconds: float | None = None) -> Watch:
        return Watch(self.stop, self.clock, wall_seconds, stall_seconds, source.is_partial)


@dataclass(frozen=True)
class _Untagged:
    """An mp3 without its tag."""

    file: Path
    content: Mp3File
    seconds: float
    encoding: str
    notes: tuple[str, ...] = ()
    level: Level | None = None
    is_copied: bool = False
    damage: Damage = field(default_factory=Damage)


def _chapters(media: Media, plan: Plan, seconds: float) -> tuple[list[Chapter], list[str]]:
    """The chapters of an mp3 of a length, and what is to be said of those that it cannot have."""
    return limited(fitted(media.chapters, plan.start_seconds, seconds))


def _tag(
    media: Media, output: Output, cover: Picture | None, chapters: list[Chapter], on_loudness: dict[str, str]
) -> bytes:
    texts = tags.free_texts(tags.words_beside(media.tags, output.tags) | on_loudness, output.tags)
    version = int(output.tags.id3_version.removeprefix("2."))
    return tags.render(tags.merged(media.tags, output.tags), cover, chapters, texts, version)


def _notes_on_source(source: LocalSource, media: Media, plan: Plan, audio: _Untagged) -> tuple[str, ...]:
    """What is to be said of a source that lacks its end, or is damaged: one note for one fault."""
    lacks = media.format in _COUNTED and audio.seconds < (plan.duration_seconds or 0.0) - MISSING_SECONDS
    if lacks and not plan.allow_truncated:
        raise cut_short()
    is_told = not _ON_ENDING.isdisjoint(audio.notes)
    is_cut = is_told or lacks or media.is_cut_short or is_cut_mp3(source, media, plan, audio.seconds)
    ending = (CUT_SHORT,) if is_cut and not is_told else ()
    return (*audio.notes, *ending, *audio.damage.notes(beside_a_cut=is_cut))


def _verify(content: Mp3File, plan: Plan, seconds: float) -> None:
    """Look at the mp3 as a player would, before anybody is told of it. From the same source it would come out again."""
    try:
        with content.opened() as file:
            made = inspect(file)
    except BrokenMp3Error as error:
        raise Refused(Reason.WORKER_CRASHED, "The mp3 came out broken.", detail=str(error)) from error
    if (made.layout.sample_rate, made.layout.channels) != (plan.sample_rate, plan.channels):
        raise Refused(Reason.WORKER_CRASHED, "The mp3 came out other than it was asked for.", detail=str(made))
    if abs(made.seconds - seconds) > _TOLERANCE_SECONDS:
        raise Refused(Reason.WORKER_CRASHED, "The mp3 came out with a wrong length.", detail=str(made))


def _sha256(tag: bytes, content: Mp3File) -> str:
    digest = hashlib.sha256(tag)
    for block in content.blocks():
        digest.update(block)
    return digest.hexdigest()
