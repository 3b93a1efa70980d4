"""④ Whether what outlived its Conversion is what another Conversion asks for. Pure.

`deletionPolicy: Retain` keeps an mp3 when its Conversion goes, when Git prunes it for example. Made anew, the same
Conversion gets that mp3 again, without a Job and even when the source is gone. The file stays the retained entry's: who
adopts it never removes it, so two Conversions that share it cannot take it from each other.

A Conversion that is not there any more though nobody deleted it was lost: its cluster was rebuilt, or its etcd set
back. Made again under its name from the same source, it gets the verdict that was given, a failure too, takes over all
files, and its owner is told nothing again.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_contracts.messaging.message import ConversionRef

_CHOICES_ADDED_LATER: Final = {("tags", "id3Version"): "2.3", ("loudness", "mode"): "gain"}
"""Fields of `output` with their defaults. What was made before there was such a choice stays what it is."""


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
    how = {"allowTruncated": True} if spec.source.allow_truncated else {}  # a choice added later too
    said = spec.output.model_dump(mode="json", by_alias=True, exclude_none=True) | {"filename": filename}
    # And as some entries have it, which were noted with the defaults said.
    outputs = (_without_later_defaults(said), said)
    digests = [_digest(spec.owner, source | how, output) for output in outputs for source in sources]
    return tuple(dict.fromkeys(digests))


def _without_later_defaults(output: dict[str, Any]) -> dict[str, Any]:
    return {
        part: {field: value for field, value in said.items() if _CHOICES_ADDED_LATER.get((part, field)) != value}
        if isinstance(said, dict)
        else said
        for part, said in output.items()
    }


def _digest(owner: str, source: dict[str, Any], output: dict[str, Any]) -> str:
    made_of = {"owner": owner, "source": source, "output": output}
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def description(spec: ConversionSpec, filename: str) -> str:
    """What a Conversion asks for, as a hex digest: its owner, options and name with where its source is.

    Unlike `fingerprints` this is also known of an address, and enough for a Conversion of the same name. Fields that
    say what is the default anyway are left out, so that a later version with more of them finds the same.
    """
    asked = {"source": spec.source, "output": spec.output}
    said = {part: model.model_dump(mode="json", by_alias=True, exclude_defaults=True) for part, model in asked.items()}
    described = {"owner": spec.owner, "filename": filename} | said
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def lost_one(
    ref: ConversionRef, owner: str, made_of: Iterable[str], *, source_gone: bool, entries: Iterable[LedgerEntry]
) -> LedgerEntry | None:
    """Of the ledger's verdicts about this name, that of the lost Conversion whose place `ref` takes.

    `made_of` are its description and fingerprints. An entry that noted none, as older versions did, is taken where the
    source is gone: that could only fail. Of several the one with a result, else any.
    """
    known = frozenset(made_of)
    candidates = [
        entry
        for entry in entries
        if (entry.namespace, entry.name, entry.owner) == (ref.namespace, ref.name, owner)
        and entry.uid != ref.uid
        and (known & set(entry.fingerprints) or (source_gone and not entry.fingerprints))
    ]
    return max(candidates, key=lambda entry: entry.result is not None, default=None)


def adoptable(spec: ConversionSpec | None, entry: LedgerEntry | None, found: LedgerEntry | None) -> bool:
    """Whether a verdict that was found may be taken over by a Conversion that nobody has begun to work for."""
    if spec is None or found is None or (found.result is None and found.failure is None):
        return False
    untouched = entry is None or (
        entry.attempt is None and not entry.parts and entry.result is None and entry.failure is None
    )
    return untouched and found.owner == spec.owner
