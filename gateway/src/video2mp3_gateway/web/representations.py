"""What the gateway says about Conversions, as JSON. docs/api.md describes it field by field."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.resolution import ttl_of
from video2mp3_contracts.api.retention import expires_at
from video2mp3_contracts.api.status import OutputReport
from video2mp3_gateway.classes.known_classes import KnownClasses
from video2mp3_gateway.ports.listing import Page
from video2mp3_gateway.ports.systems import KeptMp3
from video2mp3_gateway.upload.upload_receiver import ReceivedVideo


@dataclass(frozen=True)
class Links:
    """Addresses of things, under the address that people use."""

    public_url: str
    """Without a slash at the end; "" makes relative links."""

    def conversion(self, name: str) -> str:
        """Where a Conversion's state is."""
        return f"{self.public_url}/conversions/{quote(name)}"

    def download(self, file_id: str) -> str:
        """Where an mp3 is."""
        return f"{self.public_url}/download?{urlencode({'fid': file_id})}"

    def page(self, limit: int, position: str) -> str:
        """Where a list goes on."""
        return f"{self.public_url}/conversions?{urlencode({'limit': limit, 'continue': position})}"

    def kept(self, limit: int, position: str) -> str:
        """Where a list of kept mp3s goes on."""
        return f"{self.public_url}/mp3s?{urlencode({'limit': limit, 'continue': position})}"


def upload_representation(
    conversion: Conversion, video: ReceivedVideo, ttl_seconds: int | None, links: Links
) -> dict[str, Any]:
    """What an uploader needs to know."""
    return {
        "fileId": video.source.file_id,
        "conversion": conversion.metadata.name,
        "filename": conversion.filename,
        "className": conversion.spec.class_name,
        "bytes": video.source.size,
        "sha256": video.source.sha256,
        "ttlSecondsAfterFinished": ttl_seconds,
        "statusUrl": links.conversion(conversion.metadata.name),
    }


def retry_representation(conversion: Conversion, requested_at: str, links: Links) -> dict[str, Any]:
    """What somebody who has a conversion tried anew needs to know."""
    name = conversion.metadata.name
    return {"name": name, "retryRequestedAt": requested_at, "statusUrl": links.conversion(name)}


def classes_representation(known: KnownClasses) -> dict[str, Any]:
    """The classes that an upload may choose."""
    return {
        "classes": [
            {"name": each.name, "description": each.spec.description, "default": each == known.default}
            for each in known.offered
        ]
    }


def conversion_representation(conversion: Conversion, links: Links) -> dict[str, Any]:
    """One Conversion's state. What is not known (yet) is null."""
    status, resolved = conversion.status, conversion.status.resolved
    deleting = conversion.metadata.deletion_timestamp is not None
    return {
        "name": conversion.metadata.name,
        "filename": conversion.filename,
        "className": resolved.class_name if resolved else conversion.spec.class_name,
        "phase": status.phase,
        "reason": "Deleting" if deleting else status.reason,
        "message": status.message,
        "progress": status.progress and status.progress.model_dump(mode="json", by_alias=True),
        "queuePosition": status.queue and status.queue.position,
        "output": status.output and _output(status.output, links),
        "createdAt": _time(conversion.metadata.creation_timestamp),
        "startedAt": _time(status.start_time),
        "finishedAt": _time(status.completion_time),
        "ttlSecondsAfterFinished": ttl_of(conversion.spec, resolved),
        "expiresAt": _time(expires_at(conversion)),
        "statusUrl": links.conversion(conversion.metadata.name),
    }


def page_representation(page: Page, limit: int, links: Links) -> dict[str, Any]:
    """A list of Conversions, and how it goes on."""
    position = page.following and page.following.as_token()
    return {
        "conversions": [conversion_representation(conversion, links) for conversion in page.conversions],
        "continue": position,
        "nextUrl": links.page(limit, position) if position else None,
    }


def kept_mp3_representation(page: list[KeptMp3], limit: int, links: Links) -> dict[str, Any]:
    """A list of mp3s that outlived their Conversion, and how it goes on: after a full page there may be another."""
    position = page[-1].file_id if len(page) == limit else None
    return {
        "mp3s": [
            {
                "fileId": each.file_id,
                "filename": each.filename,
                "bytes": each.size,
                "keptAt": _time(each.kept_at),
                "downloadUrl": links.download(each.file_id),
            }
            for each in page
        ],
        "continue": position,
        "nextUrl": links.kept(limit, position) if position else None,
    }


def _output(output: OutputReport, links: Links) -> dict[str, Any]:
    return output.model_dump(mode="json", by_alias=True) | {"downloadUrl": links.download(output.file_id)}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
