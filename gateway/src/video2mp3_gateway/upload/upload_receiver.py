"""① From the connection into the store: reads one video out of a form and streams it, checking as it goes."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.validation_errors import field_errors
from video2mp3_contracts.runtime.problem import Problem
from video2mp3_gateway.http import problems
from video2mp3_gateway.ports.systems import SourceStore, SourceUpload, StoredSource
from video2mp3_gateway.server.drain import Drain
from video2mp3_gateway.upload.filenames import display_name
from video2mp3_gateway.upload.multipart import FileBegins, FileData, FormField, MalformedBody, Part, parts

FILE_FIELD: Final = "file"
OUTPUT_FIELD: Final = "output"
TRUNCATED_FIELD: Final = "allowTruncated"
_FIELDS: Final = (FILE_FIELD, OUTPUT_FIELD, TRUNCATED_FIELD)
_WORDS: Final = {b"true": True, b"false": False}
FORM_BYTES: Final = 256 * 1024
"""What a form may hold besides the video, so that a Content-Length tells early that the video is too large."""

_DEFAULT_CONTENT_TYPE: Final = "application/octet-stream"
_MAX_CONTENT_TYPE: Final = 128


@dataclass(frozen=True)
class ReceivedVideo:
    """A video that is stored, and what is to become of it."""

    source: StoredSource
    filename: str
    """The name the sender gave it, made safe."""

    output: Output
    allow_truncated: bool = False
    """Whether what is there of a video that was cut short or damaged is to be converted."""


@dataclass(frozen=True)
class UploadLimits:
    """When an upload is given up."""

    max_bytes: int
    seconds: float


class UploadReceiver:
    """Receives videos into a store."""

    def __init__(
        self,
        sources: SourceStore,
        limits: UploadLimits,
        drain: Drain,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = sources
        self._limits = limits
        self._drain = drain
        self._clock = clock

    def check_length(self, content_length: int | None) -> None:
        """Refuse a body that is too large by its own words. Raises Problem."""
        if content_length is not None and content_length > self._limits.max_bytes + FORM_BYTES:
            raise problems.too_large(self._limits.max_bytes)

    def receive(
        self,
        owner: str,
        read: Callable[[int], bytes],
        boundary: bytes,
        check: Callable[[Output], None] = lambda _output: None,
    ) -> ReceivedVideo:
        """Take the whole form in. What goes wrong raises Problem or DependencyUnavailable; nothing stays stored.

        `check` raises Problem for options that are not to be had.
        """
        with ExitStack() as stack:
            form = _Form(self._sources, owner, self._limits.max_bytes, check, stack)
            for part in self._parts(read, boundary):
                form.take(part)
            return form.finish()

    def _parts(self, read: Callable[[int], bytes], boundary: bytes) -> Iterator[Part]:
        deadline = self._clock() + self._limits.seconds

        def read_in_time(size: int) -> bytes:
            if self._drain.over:
                raise problems.draining()
            if self._clock() > deadline:
                raise problems.stalled()
            return _received(read, size)

        try:
            yield from parts(read_in_time, boundary)
        except MalformedBody as error:
            detail = f"The upload cannot be read: {error}. Nothing was stored."
            raise problems.bad_request("malformed-body", detail) from error


def _received(read: Callable[[int], bytes], size: int) -> bytes:
    try:
        return read(size)
    except TimeoutError as error:
        raise problems.stalled() from error
    except OSError as error:
        detail = "The connection broke before the upload was complete. Nothing was stored."
        raise problems.bad_request("upload-incomplete", detail) from error


class _Form:
    """What has come of one form so far."""

    def __init__(
        self,
        sources: SourceStore,
        owner: str,
        max_bytes: int,
        check: Callable[[Output], None],
        stack: ExitStack,
    ) -> None:
        """`stack` holds the upload; leaving it removes one that is not finished."""
        self._sources = sources
        self._owner = owner
        self._max_bytes = max_bytes
        self._check = check
        self._stack = stack
        self._upload: SourceUpload | None = None
        self._filename = ""
        self._size = 0
        self._output: Output | None = None
        self._allow_truncated: bool | None = None

    def take(self, part: Part) -> None:
        """Take the next part in. Raises Problem for one that is not wanted."""
        match part:
            case FileData(data):
                self._write(data)
            case FileBegins(field=name) | FormField(name=name) if name not in _FIELDS:
                raise _unknown_field(name)
            case FileBegins(field=name, filename=filename, content_type=content_type) if name == FILE_FIELD:
                self._begin(filename, content_type)
            case FormField(name=name, value=value) if name == OUTPUT_FIELD:
                self._set_output(value)
            case FormField(name=name, value=value) if name == TRUNCATED_FIELD:
                self._set_allow_truncated(value)
            case FormField():
                raise problems.bad_request("no-file", "The field 'file' holds text. Send the video as a file in it.")
            case FileBegins(field=name):
                detail = f"The field {name!r} is a file. Send the options as text in it."
                raise problems.bad_request("malformed-body", detail)

    def finish(self) -> ReceivedVideo:
        """Make the video a stored file. Raises Problem if there is none."""
        if self._upload is None:
            raise problems.bad_request("no-file", "The form holds no file. Send the video in the field 'file'.")
        if self._size == 0:
            raise problems.bad_request("empty-file", "The file is empty. Nothing was stored.")
        wanted = self._output or Output(), bool(self._allow_truncated)
        return ReceivedVideo(self._upload.finish(), self._filename, *wanted)

    def _begin(self, filename: str, content_type: str) -> None:
        if self._upload is not None:
            raise problems.bad_request("several-files", "The form holds several files. Send one video in each upload.")
        self._filename = display_name(filename)
        if not self._filename:
            detail = "The file has no name, or none that can be shown. Choose a file, and send its name along."
            raise problems.bad_request("no-filename", detail)
        kind = content_type if _is_content_type(content_type) else _DEFAULT_CONTENT_TYPE
        self._upload = self._stack.enter_context(self._sources.begin(self._owner, self._filename, kind))

    def _write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._max_bytes:
            raise problems.too_large(self._max_bytes)
        assert self._upload is not None, "multipart.parts gives a file's head before its data"  # noqa: S101
        self._upload.write(data)

    def _set_output(self, value: bytes) -> None:
        if self._output is not None:
            raise problems.bad_request("malformed-body", "The field 'output' is there twice. Send it once.")
        try:
            self._output = Output.model_validate_json(value)
        except ValidationError as error:
            raise _invalid_output(error) from error
        self._check(self._output)

    def _set_allow_truncated(self, value: bytes) -> None:
        if self._allow_truncated is not None:
            raise problems.bad_request("malformed-body", f"The field {TRUNCATED_FIELD!r} is there twice. Send it once.")
        if value not in _WORDS:
            detail = f"The field {TRUNCATED_FIELD!r} is neither true nor false. Nothing was stored."
            raise problems.invalid_options(detail, [{"field": TRUNCATED_FIELD, "message": "must be true or false"}])
        self._allow_truncated = _WORDS[value]


def _is_content_type(text: str) -> bool:
    return len(text) <= _MAX_CONTENT_TYPE and text.isascii() and text.isprintable() and "/" in text


def _unknown_field(name: str) -> Problem:
    shown = display_name(name) or "(a name that cannot be shown)"
    detail = f"The form has a field {shown!r}, which is not known. Known are 'file', 'output' and 'allowTruncated'."
    return problems.invalid_options(detail, [{"field": shown, "message": "unknown field"}])


def _invalid_output(error: ValidationError) -> Problem:
    found = field_errors(error, OUTPUT_FIELD)
    errors = [{"field": each.field, "message": each.message} for each in found]
    return problems.invalid_options(f"The options are not supported: {found[0]}. Nothing was stored.", errors)
