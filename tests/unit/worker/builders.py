"""What a worker meets, as a test needs it."""

from typing import Any

from video2mp3_contracts.api.conversion import GridFSSource, Source
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.jobs.worker import WorkerLimits, WorkerRequest
from video2mp3_contracts.messaging.message import ConversionRef
from video2mp3_worker.probe.media import AudioTrack, Media

CONVERSION = ConversionRef(uid="uid-1", namespace="media", name="upload-1")
SOURCE_ID = "a" * 24
OWNER = "ada@example.org"


def a_track(index: int = 0, **changes: Any) -> AudioTrack:
    """An AAC track as phones record it."""
    return AudioTrack(
        **({"index": index, "codec": "aac", "sample_rate": 44100, "channels": 2, "duration_seconds": 60.0} | changes)
    )


def a_media(*tracks: AudioTrack, **changes: Any) -> Media:
    """A minute of mp4."""
    wanted = {"format": "mov,mp4,m4a,3gp,3g2,mj2", "size": 1_000_000, "duration_seconds": 60.0, "streams": 2}
    return Media(**(wanted | {"tracks": tracks} | changes))


def a_request(**changes: Any) -> WorkerRequest:
    """A request as the operator writes it."""
    wanted: dict[str, Any] = {
        "conversion": CONVERSION,
        "owner": OWNER,
        "email": OWNER,
        "source": Source(gridfs=GridFSSource(file_id=SOURCE_ID)),
        "output": Output(),
        "filename": "film.mp3",
        "limits": WorkerLimits(),
    }
    return WorkerRequest(**(wanted | changes))
