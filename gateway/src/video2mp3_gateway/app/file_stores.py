"""Chooses what stands behind the two file stores, as `bootstrap` does for the rest.

Apart from it, since a command that runs beside the service shares its memory, and needs no Kubernetes and no Flask.
"""

from dataclasses import dataclass

from video2mp3_contracts.ledger.storage import MP3S_DATABASE, VIDEOS_DATABASE
from video2mp3_contracts.runtime import mongo
from video2mp3_gateway.adapters import mongodb
from video2mp3_gateway.app.settings import GatewaySettings
from video2mp3_gateway.ports.systems import Mp3Store, SourceStore


@dataclass(frozen=True)
class FileStores:
    """What comes in, and what goes out."""

    sources: SourceStore
    mp3s: Mp3Store


def connect(settings: GatewaySettings) -> FileStores:
    """The real stores. Nothing is contacted before it is needed."""
    databases = mongo.connect(settings.mongodb_uri.get_secret_value(), "video2mp3-gateway")
    return FileStores(
        sources=mongodb.GridFSSources(databases[VIDEOS_DATABASE], settings.installation),
        mp3s=mongodb.GridFSMp3s(databases[MP3S_DATABASE]),
    )
