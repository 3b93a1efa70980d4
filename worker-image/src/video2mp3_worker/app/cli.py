"""The command line for people: the same conversion on local files, without stores or a cluster.

    video2mp3-worker convert holiday.mp4 holiday.mp3 --cbr 192 --title "Holiday"
    video2mp3-worker probe holiday.mp4

Same code, same limits and same exit codes as in a Job.
"""

import argparse
import contextlib
import math
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from video2mp3_contracts.api.output import MPEG1_BITRATES, SAMPLE_RATES, Output
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.tags import MAX_TAG, TAG_FIELDS
from video2mp3_contracts.api.validation_errors import field_errors
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_contracts.text.harm import harmless
from video2mp3_worker.limits.disk import enough_space
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused, WorkerError
from video2mp3_worker.probe.media import AudioTrack
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter, Mp3, Preview
from video2mp3_worker.transcode.copy_decision import in_words

_BAR_WIDTH: Final = 30
_WHY_COPIED: Final = "the sound is the mp3 that was asked for, so its frames are passed on as they are"
_OPTIONS: Final = {
    "source.allowTruncated": "--allow-truncated",
    "output.encoding.vbr": "--vbr",
    "output.encoding.cbr": "--cbr",
    "output.sampleRate": "--sample-rate",
    "output.trim.start": "--start",
    "output.trim.end": "--end",
    "output.loudness.integratedLufs": "--loudness",
    "output.loudness.mode": "--loudness-mode",
    "output.audioTrack.index": "--audio-track",
    "output.audioTrack.language": "--language",
    "output.tags.custom": "--custom",
    "output.tags.id3Version": "--id3-version",
} | {f"output.tags.{to_camel(name)}": f"--{name.replace('_', '-')}" for name in TAG_FIELDS}
"""Which option stands for which field."""

_LOUDNESS_MODES: Final = ("gain", "limit", "measureOnly")


def command_line(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for; answer the exit code. What is wrong is said on standard error."""
    options = _parser().parse_args(arguments)
    stop = Stop()
    stop.listen()
    try:
        run: Callable[[argparse.Namespace, Stop], None] = options.run
        run(options, stop)
    except WorkerError as error:
        sys.stderr.write(f"{error.reason}: {_of_options(error.message)}\n")
        return error.exit_code
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="video2mp3-worker", description="Convert videos to mp3.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    convert = commands.add_parser("convert", help="make an mp3 of a video or audio file")
    convert.add_argument("source", type=Path, metavar="IN")
    convert.add_argument("destination", type=Path, metavar="OUT")
    convert.set_defaults(run=_convert)
    probe = commands.add_parser("probe", help="say what would be done, and why")
    probe.add_argument("source", type=Path, metavar="IN")
    probe.set_defaults(run=_probe)
    for command in (convert, probe):
        _add_options(command)
    return parser


def _add_options(command: argparse.ArgumentParser) -> None:
    encoding = command.add_mutually_exclusive_group()
    encoding.add_argument("--vbr", type=int, choices=range(10), help="LAME's quality level, 0 is best (default: 2)")
    encoding.add_argument("--cbr", type=int, choices=MPEG1_BITRATES, metavar="KBIT", help="constant bit rate in kbit/s")
    command.add_argument("--sample-rate", type=int, choices=SAMPLE_RATES, metavar="HZ", help="default: the source's")
    command.add_argument("--channels", choices=("source", "mono", "stereo"), default="source")
    command.add_argument("--start", metavar="TIME", help="seconds or HH:MM:SS.mmm")
    command.add_argument("--end", metavar="TIME", help="seconds or HH:MM:SS.mmm")
    command.add_argument("--loudness", metavar="LUFS", help="integrated loudness to reach (EBU R128)")
    command.add_argument("--loudness-mode", choices=_LOUDNESS_MODES, help="what for, and how (default: gain)")
    command.add_argument(
        "--allow-truncated", action="store_true", help="convert what is there of a file that was cut short or damaged"
    )
    track = command.add_mutually_exclusive_group()
    track.add_argument("--audio-track", type=int, metavar="INDEX", help="audio track, counted from 0")
    track.add_argument("--language", metavar="TAG", help="audio track in a language, for example de")
    for name in TAG_FIELDS:
        command.add_argument(f"--{name.replace('_', '-')}", metavar="TEXT", help=f"the tag's {name.replace('_', ' ')}")
    command.add_argument("--custom", action="append", metavar="NAME=TEXT", help="a further text; may be repeated")
    command.add_argument("--id3-version", choices=("2.3", "2.4"), help="the tag's version (default: 2.3)")


def _named_text(argument: str) -> tuple[str, str]:
    name, separator, text = argument.partition("=")
    if not separator:
        raise Refused(Reason.BAD_REQUEST, "--custom must be NAME=TEXT, for example MOOD=calm")
    return name, text


def _lufs(argument: str) -> float:
    with contextlib.suppress(ValueError):
        if math.isfinite(number := float(argument)):
            return number
    raise Refused(Reason.BAD_REQUEST, "--loudness must be a number of LUFS, for example -16")


def _output(options: argparse.Namespace) -> Output:
    tags = {to_camel(name): getattr(options, name) for name in TAG_FIELDS if getattr(options, name) is not None}
    tags |= {"custom": dict(map(_named_text, options.custom))} if options.custom else {}
    tags |= {"id3Version": options.id3_version} if options.id3_version else {}
    wanted: dict[str, Any] = {"channels": options.channels, "sampleRate": options.sample_rate, "tags": tags}
    if options.vbr is not None or options.cbr is not None:
        wanted["encoding"] = {"vbr": options.vbr, "cbr": options.cbr}
    if options.start is not None or options.end is not None:
        wanted["trim"] = {"start": options.start, "end": options.end}
    if options.loudness is not None or options.loudness_mode is not None:
        lufs = None if options.loudness is None else _lufs(options.loudness)
        wanted["loudness"] = {"integratedLufs": lufs, "mode": options.loudness_mode or "gain"}
    if options.audio_track is not None or options.language is not None:
        wanted["audioTrack"] = {"index": options.audio_track, "language": options.language}
    try:
        return Output.model_validate(wanted)
    except ValidationError as error:
        raise Refused(Reason.BAD_REQUEST, _of_options("; ".join(map(str, field_errors(error, "output"))))) from error


def _of_options(words: str) -> str:
    """What is said of a Conversion's fields, said of the options that stand for them."""
    for field, option in _OPTIONS.items():
        words = re.sub(rf"\b{re.escape(field)}\b", option, words)
    return words


def _convert(options: argparse.Namespace, stop: Stop) -> None:
    output = _output(options)
    with _given(options.source) as source:
        destination: Path = options.destination.absolute()
        # Beside the destination, so that moving it there is one step and never leaves half an mp3.
        with (
            _writable(destination, options.source),
            tempfile.TemporaryDirectory(prefix=".video2mp3-", dir=destination.parent) as folder,
        ):
            bar = _Bar()
            converter = Converter(stop, report=bar.show, allow_truncated=options.allow_truncated)
            mp3 = converter.convert(source, Path(folder, "output.mp3"), output)
            bar.clear()
            for note in mp3.notes:
                sys.stderr.write(f"{_of_options(note)}\n")
            _join(mp3, Path(folder, "tagged.mp3")).replace(destination)
    print(f"{_shown(destination)}: {mp3.encoding}, {mp3.duration_seconds:.3f} s, {mp3.size} bytes")  # noqa: T201


def _probe(options: argparse.Namespace, stop: Stop) -> None:
    output = _output(options)
    converter = Converter(stop, allow_truncated=options.allow_truncated)
    with _given(options.source) as source:
        for line in describe(converter.preview(source, output)):
            print(line)  # noqa: T201


def describe(preview: Preview) -> list[str]:
    """What a file holds and what would be done with it, in lines for people."""
    media, plan = preview.media, preview.plan
    length = "unknown" if media.duration_seconds is None else f"{media.duration_seconds:.3f} s"
    lines = [f"format    {media.format}, {media.size} bytes, {length}, {media.streams} streams"]
    for track in media.tracks:
        chosen = "  <- this one" if track is plan.track else ""
        lines.append(f"audio {track.index}   {_in_words(track)}{chosen}")
    lines += [f"tag       {name}: {harmless(value)[:MAX_TAG]}" for name, value in media.tags.items()]
    lines += [f"cover     {preview.cover}: carried over"] if preview.cover else []
    if media.chapters:
        lines.append(f"chapters  {len(media.chapters)}, of which the mp3 gets {len(preview.chapters)}")
    lines += [f"note      {note}" for note in preview.notes]
    part = "" if plan.end_seconds is None and not plan.start_seconds else f", from {plan.start_seconds:g} s"
    part += "" if plan.end_seconds is None else f" to {plan.end_seconds:g} s"
    if preview.copied is None:
        lines.append(f"mp3       {plan.summary}{part}: {plan.why}")
    else:
        lines.append(f"mp3       copied: {in_words(preview.copied)}, {plan.shape}: {_WHY_COPIED}")
    return lines


def _in_words(track: AudioTrack) -> str:
    parts = [track.codec or "unknown", f"{track.sample_rate} Hz", f"{track.channels} channels"]
    parts += [track.language] if track.language else []
    parts += ["default"] if track.default else []
    return ", ".join(parts)


@contextlib.contextmanager
def _given(path: Path) -> Iterator[LocalSource]:
    """The file that is to be read, under a name of ours: people's may be in any encoding, or look like an option."""
    _refuse_unreadable(path)
    with tempfile.TemporaryDirectory(prefix="video2mp3-") as folder:
        name = Path(folder, "source")
        name.symlink_to(path.absolute())
        yield LocalSource.whole(name)


def _refuse_unreadable(path: Path) -> None:
    try:
        if path.is_dir():
            raise Refused(Reason.SOURCE_NOT_FOUND, f"{_shown(path)} is a folder; IN is a file.")
        if not path.is_file():
            raise Refused(Reason.SOURCE_NOT_FOUND, f"There is no file {_shown(path)}.")
        path.open("rb").close()
    except OSError as error:
        raise Refused(Reason.SOURCE_REFUSED, f"{_shown(path)} cannot be read: {error.strerror}.") from error


@contextlib.contextmanager
def _writable(destination: Path, source: Path) -> Iterator[None]:
    """Say in words what keeps an mp3 from being written there."""
    try:
        with enough_space():
            if destination.is_dir():
                raise Refused(Reason.BAD_REQUEST, f"{_shown(destination)} is a folder; OUT is the mp3 itself.")
            if destination.exists() and not destination.is_file():
                raise Refused(Reason.BAD_REQUEST, f"{_shown(destination)} is no file; OUT is one that may be replaced.")
            if destination.exists() and destination.samefile(source):
                raise Refused(Reason.BAD_REQUEST, f"{_shown(destination)} is IN itself, which would be lost.")
            if not destination.parent.is_dir():
                raise Refused(Reason.BAD_REQUEST, f"There is no folder {_shown(destination.parent)}.")
            yield
    except OSError as error:
        raise Refused(Reason.BAD_REQUEST, f"{_shown(destination)} cannot be written: {error.strerror}.") from error


def _shown(path: Path) -> str:
    return os.fsencode(path).decode(errors="replace")


def _join(mp3: Mp3, destination: Path) -> Path:
    with destination.open("wb") as joined, contextlib.closing(mp3.content) as content:
        joined.write(mp3.tag)
        joined.writelines(content.blocks())
    return destination


class _Bar:
    """A progress bar on a terminal, and nothing anywhere else."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    def show(self, done: float, expected: float | None) -> None:
        """Draw the bar anew."""
        if not self._terminal:
            return
        share = min(done / expected, 1.0) if expected else 0.0
        filled = int(share * _BAR_WIDTH)
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {share:4.0%} {done:.0f} s")
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the bar."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
