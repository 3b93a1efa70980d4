"""The Conversions of uploads, as the gateway makes them, by its own code."""

from tests.contract.chart.helm import NAMESPACE
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.output import Output
from video2mp3_gateway.ports.systems import StoredSource
from video2mp3_gateway.upload.creation import conversion_for
from video2mp3_gateway.upload.upload_receiver import ReceivedVideo

CONTENT = b"video" * 100
"""Of every video."""


def upload_of(owner: str, file_id: str) -> Conversion:
    """The Conversion of an owner's stored video."""
    stored = StoredSource(file_id=file_id, size=len(CONTENT), sha256="")
    return conversion_for(owner, ReceivedVideo(stored, "talk.mp4", Output()), NAMESPACE)
