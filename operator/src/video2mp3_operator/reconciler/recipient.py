"""⑦ Who is told of a success, and until when the mp3 is there: what the ledger does not know. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from video2mp3_contracts.api.conversion import ObjectMeta
from video2mp3_contracts.api.retention import mp3_ttl
from video2mp3_operator.objects.spec_reading import effective_reading, read_spec
from video2mp3_operator.reconciler.status import stored_status


@dataclass(frozen=True)
class Recipient:
    """Who a message is for."""

    email: str = ""
    """"" for nobody."""

    expires_at: datetime | None = None
    """When the mp3 goes with its Conversion; None where it stays."""


def recipient_of(document: Mapping[str, Any], now: datetime) -> Recipient:
    """The recipient that a Conversion which has succeeded names, also where its status does not say so yet."""
    meta, status = ObjectMeta.model_validate(document["metadata"]), stored_status(document)
    reading = effective_reading(read_spec(document["spec"]), status.resolved)
    ttl = mp3_ttl(meta, reading.spec) if reading.spec and not reading.keeps_mp3 else None
    finished_at = status.completion_time or now
    email = (document["spec"].get("notify") or {}).get("email") or ""
    return Recipient(email, finished_at + ttl if ttl is not None else None)
