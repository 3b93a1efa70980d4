"""⑥ The source's cover, taken out of the file as it is. Nothing here decodes a pixel.

A source without a good cover is converted all the same: what was left out, and why, is said and no error.
"""

from collections.abc import Callable
from typing import Final

from video2mp3_worker.limits import bounds
from video2mp3_worker.probe.media import AttachedPicture, Media
from video2mp3_worker.processes import child
from video2mp3_worker.processes.child import Confinement
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode import commands
from video2mp3_worker.transcode.images import NotAPictureError, Picture, picture

_TRIES: Final = 3
"""Pictures of one file that are looked at."""


def cover_of(source: LocalSource, media: Media, watch: Callable[[], None]) -> tuple[Picture | None, list[str]]:
    """The first picture that can be carried over, those that call themselves the front before others.

    Answers a sentence for each that was looked at and left out, too. Raises what `watch` raises.
    """
    left_out: list[str] = []
    for attached in sorted(media.pictures, key=lambda known: not known.is_front)[:_TRIES]:
        try:
            return picture(_extracted(source, attached, watch)), left_out
        except NotAPictureError as error:
            left_out.append(f"The cover in stream {attached.stream} {error}: it is left out.")
    return None, left_out


def _extracted(source: LocalSource, attached: AttachedPicture, watch: Callable[[], None]) -> bytes:
    content = bytearray()

    def take(piece: bytes) -> None:
        content.extend(piece)
        if len(content) > bounds.COVER_BYTES:
            raise NotAPictureError(f"has more than {bounds.COVER_BYTES} bytes")

    confinement = Confinement(reads=(source.path,), cpu_seconds=bounds.COVER_CPU_SECONDS, data_bytes=bounds.DATA_BYTES)
    ended = child.run(commands.attached_picture(source, attached.stream), confinement, output=take, watch=watch)
    if ended.status != 0:
        raise NotAPictureError("cannot be read")
    return bytes(content)
