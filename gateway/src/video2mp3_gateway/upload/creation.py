"""③ From a stored video to a Conversion: both are there in the end, or neither.

The Conversion's name follows from the file, so asking for it again after an answer that got lost is still one
Conversion. What a crash between the two leaves is a file without a Conversion, which a sweep can tell by its age.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from video2mp3_contracts.api.conversion import Conversion, ConversionSpec, GridFSSource, Notify, ObjectMeta, Source
from video2mp3_contracts.api.names import ANNOTATION_REQUEST_ID, FINALIZER, conversion_name_for_upload
from video2mp3_contracts.api.output import Output
from video2mp3_gateway.classes.known_classes import NO_CLASS, ClassOfUpload
from video2mp3_gateway.http import problems
from video2mp3_gateway.ports.systems import ConversionClient, ConversionRefused, DependencyUnavailable, SourceStore
from video2mp3_gateway.upload.filenames import display_name, mp3_name
from video2mp3_gateway.upload.upload_receiver import ReceivedVideo

_PAUSES_SECONDS: Final = (0.2, 1.0)
"""Between tries. Longer would keep the uploader waiting, who can send the video again."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Wishes:
    """What a Conversion says of how it is treated."""

    ttl_seconds: int | None = None
    """It goes so long after it has finished, and the mp3 with it; None keeps both, unless its class says otherwise."""

    class_name: str | None = None
    """None leaves the class to the operator."""


def conversion_for(
    owner: str, video: ReceivedVideo, namespace: str, wishes: Wishes = Wishes(), request_id: str = ""
) -> Conversion:
    """The Conversion of an uploaded video: its owner's, told by email, named after the file."""
    wanted = display_name(video.output.filename or "") or mp3_name(video.filename)
    file_id = video.source.file_id
    spec = ConversionSpec(
        source=_source(file_id, allow_truncated=video.allow_truncated),
        output=_with_filename(video.output, wanted),
        owner=owner,
        notify=Notify(email=owner),
        class_name=wishes.class_name,
        ttl_seconds_after_finished=wishes.ttl_seconds,
    )
    # With the finalizer from its first moment on: deleted before an operator has seen it, it would leave its video.
    meta = ObjectMeta(
        name=conversion_name_for_upload(file_id),
        namespace=namespace,
        finalizers=(FINALIZER,),
        annotations={ANNOTATION_REQUEST_ID: request_id} if request_id else {},
    )
    return Conversion(metadata=meta, spec=spec)


def _source(file_id: str, *, allow_truncated: bool) -> Source:
    gridfs = GridFSSource(file_id=file_id)
    # A default is left to the API server.
    return Source(gridfs=gridfs, allow_truncated=True) if allow_truncated else Source(gridfs=gridfs)


def _with_filename(output: Output, filename: str) -> Output:
    return Output.model_validate(output.model_dump(exclude_unset=True) | {"filename": filename})


class Creation:
    """Creates Conversions for stored videos, and removes the video if that cannot be done."""

    def __init__(
        self,
        conversions: ConversionClient,
        sources: SourceStore,
        namespace: str,
        ttl_seconds: int | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._conversions = conversions
        self._sources = sources
        self._namespace = namespace
        self._ttl_seconds = ttl_seconds
        self._pause = pause

    def kept_seconds(self, decided: ClassOfUpload) -> int | None:
        """How long an upload's Conversion and its mp3 stay once it has finished; None keeps them."""
        holds = decided.holds
        return holds.ttl_seconds if holds and holds.decides_ttl else self._ttl_seconds

    def create(
        self, owner: str, video: ReceivedVideo, decided: ClassOfUpload = NO_CLASS, request_id: str = ""
    ) -> Conversion:
        """Create the video's Conversion. Raises Problem, and then neither it nor the video is there."""
        # What the class decides is left to it: a Conversion that says it itself might be refused.
        ttl_seconds = None if decided.holds and decided.holds.decides_ttl else self._ttl_seconds
        conversion = conversion_for(owner, video, self._namespace, Wishes(ttl_seconds, decided.name), request_id)
        file_id = video.source.file_id
        try:
            self._persistently(conversion)
        except DependencyUnavailable as error:
            # It may exist for all we know: a time-out does not tell.
            self._undo_conversion(conversion)
            self._undo_source(file_id, error)
            raise problems.not_converted() from error
        except ConversionRefused as error:
            self._undo_source(file_id, error)
            raise problems.not_converted() from error
        return conversion

    def _persistently(self, conversion: Conversion) -> None:
        for seconds in _PAUSES_SECONDS:
            try:
                return self._conversions.create(conversion)
            except DependencyUnavailable as error:
                _log.warning("conversion_creation_retried", conversion=conversion.metadata.name, error=str(error))
                self._pause(seconds)
        return self._conversions.create(conversion)

    def _undo_conversion(self, conversion: Conversion) -> None:
        try:
            self._conversions.delete(conversion.metadata.name)
        except DependencyUnavailable as error:
            _log.warning("conversion_left_behind", conversion=conversion.metadata.name, error=str(error))

    def _undo_source(self, file_id: str, cause: Exception) -> None:
        _log.error("conversion_not_created", file_id=file_id, error=str(cause))
        try:
            self._sources.delete(file_id)
        except DependencyUnavailable as error:
            _log.warning("source_left_behind", file_id=file_id, error=str(error))
