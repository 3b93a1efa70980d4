"""④ Whether an mp3 that outlived its Conversion is what another Conversion asks for. Pure.

`deletionPolicy: Retain` keeps an mp3 when its Conversion goes, when Git prunes it for example. Made anew, the same
Conversion gets that mp3 again, without a Job and even when the source is gone. The file stays the retained entry's: who
adopts it never removes it, so two Conversions that share it cannot take it from each other.
"""

import hashlib
import json
from typing import Any

from video2mp3_contracts.conversion import ConversionSpec
from video2mp3_contracts.ledger import LedgerEntry


def fingerprints(spec: ConversionSpec, filename: str, content_sha256: str | None) -> tuple[str, ...]:
    """What an mp3 is made of, as hex digests: its owner, options and name with the source's id, and with its content.

    An address alone is no source: what it answers may change. `content_sha256` is the stored source's, if known.
    """
    sources: list[dict[str, Any]] = []
    if spec.source.gridfs:
        sources.append({"fileId": spec.source.gridfs.file_id})
    sha256 = spec.source.sha256 or content_sha256
    if sha256:
        sources.append({"sha256": sha256})
    # Only where it is set: what was made before there was such a choice stays what it is.
    how = {"allowTruncated": True} if spec.source.allow_truncated else {}
    return tuple(_digest(spec, filename, source | how) for source in sources)


def _digest(spec: ConversionSpec, filename: str, source: dict[str, Any]) -> str:
    output = spec.output.model_dump(mode="json", by_alias=True, exclude_none=True) | {"filename": filename}
    made_of = {"owner": spec.owner, "source": source, "output": output}
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def adoptable(spec: ConversionSpec | None, entry: LedgerEntry | None, found: LedgerEntry | None) -> bool:
    """Whether a retained entry may be taken over by a Conversion that nobody has begun to work for."""
    if spec is None or found is None or found.result is None or found.retained_at is None:
        return False
    untouched = entry is None or (
        entry.attempt is None and not entry.parts and entry.result is None and entry.failure is None
    )
    return untouched and found.owner == spec.owner
