"""The ConversionSet resource: one template and many sources, each of which becomes a Conversion.

What the template and a source say is kept as it was written: each Conversion that is made of them is judged by itself,
so that one bad source stops no other.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field

from video2mp3_contracts.api import names
from video2mp3_contracts.api.model import Model
from video2mp3_contracts.api.status import Conditions, HandledRetry, Report
from video2mp3_contracts.api.timeouts import Ttl

MAX_SOURCES: Final = 1000
MOST_TOLD: Final = 20
"""Failures that the status names."""

LABEL_SET: Final = f"{names.GROUP}/set"
"""On Conversions: the name of the ConversionSet that made them."""

SOURCE_FIELDS: Final = frozenset({"gridfs", "url", "sha256", "allowTruncated"})
"""Of an entry of `sources`: what is the Conversion's `source`. The rest is `output`."""

_ROOM: Final = 48
_DIGITS: Final = 10


class ConfigMapKey(Model):
    """A list that lies in a ConfigMap of the same namespace: an address or a file's id in each line."""

    name: Annotated[str, Field(max_length=253, description="The ConfigMap.")]
    key: Annotated[str, Field(max_length=253, description="Its key.")] = "sources"


class SourcesFrom(Model):
    """Where more sources are listed."""

    config_map: Annotated[ConfigMapKey | None, Field(description="In a ConfigMap of the same namespace.")] = None


class Template(Model):
    """What all of its Conversions have in common."""

    spec: Annotated[
        dict[str, Any], Field(default_factory=dict, description="As a Conversion's spec, without source and suspend.")
    ]


class ConversionSetSpec(Model):
    """What somebody wants converted."""

    template: Annotated[
        Template, Field(default_factory=Template, description="What all Conversions have in common. It never changes.")
    ]
    sources: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list,
            max_length=MAX_SOURCES,
            description="Each becomes a Conversion. Their order is that in which they begin.",
        ),
    ]
    sources_from: Annotated[SourcesFrom | None, Field(description="More of them, listed elsewhere.")] = None
    parallelism: Annotated[
        int | None,
        Field(ge=1, le=MAX_SOURCES, description="How many are not finished at a time; all at once by default."),
    ] = None
    max_failures: Annotated[
        int | None,
        Field(
            ge=0, le=MAX_SOURCES, description="With more failures than that no further one begins; no bound by default."
        ),
    ] = None
    fail_fast: Annotated[
        bool, Field(description="Whether those that have begun are suspended too, once no further one begins.")
    ] = False
    suspend: Annotated[bool, Field(description="Suspends all of its Conversions, until it is false again.")] = False
    ttl_seconds_after_finished: Ttl = None


class SetReason(StrEnum):
    """Why a set's conditions are what they are."""

    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    SOME_FAILED = "SomeFailed"
    TOO_MANY_FAILURES = "TooManyFailures"
    SOURCES_NOT_FOUND = "SourcesNotFound"
    INVALID_SPEC = "InvalidSpec"


class SetFailure(Report):
    """One source that was not converted."""

    conversion: Annotated[str, Field(description="The Conversion; absent where none could be made.")] = ""
    source: Annotated[str, Field(description="The address, or the file's id.")] = ""
    reason: Annotated[str, Field(description="Why, in one word.")] = ""
    message: Annotated[str, Field(description="Why, in a sentence.")] = ""


class Counts(Report):
    """How many there are in each state."""

    total: Annotated[int, Field(description="Sources; one that is listed twice counts once.")] = 0
    waiting: Annotated[int, Field(description="Without a Conversion yet.")] = 0
    active: Annotated[int, Field(description="Queued or running.")] = 0
    suspended: Annotated[int, Field(description="Suspended.")] = 0
    succeeded: Annotated[int, Field(description="Converted.")] = 0
    failed: Annotated[int, Field(description="Failed, or not a source that a Conversion could be made of.")] = 0


class ConversionSetStatus(Report):
    """What the operator has seen and done."""

    observed_generation: Annotated[
        int | None,
        Field(description="The metadata.generation that the status speaks of; -1 before anybody has seen it."),
    ] = None
    phase: Annotated[
        str, Field(description="One word for people: Pending, Running, Succeeded, Failed or Suspended.")
    ] = "Pending"
    reason: Annotated[str, Field(description="Why it is so, in one word: the Ready condition's.")] = ""
    message: Annotated[str, Field(description="Why it is so, in a sentence: the Ready condition's.")] = ""
    counts: Annotated[Counts, Field(description="How many there are in each state.")] = Counts()
    failures: Annotated[
        tuple[SetFailure, ...], Field(max_length=MOST_TOLD, description="The first of those that were not converted.")
    ] = ()
    last_handled_retry_at: HandledRetry = None
    sources_digest: Annotated[
        str | None,
        Field(max_length=64, description="Of all its sources when it was done: what else changes begins nothing."),
    ] = None
    start_time: Annotated[datetime | None, Field(description="When it was first seen.")] = None
    completion_time: Annotated[datetime | None, Field(description="When the last one was done; absent before.")] = None
    conditions: Conditions = ()


def child_name(set_name: str, source: Mapping[str, Any]) -> str:
    """The name of the Conversion of a source: it follows from what the source says, so the list may be reordered."""
    digest = hashlib.sha256(json.dumps([set_name, source], sort_keys=True).encode()).hexdigest()[:_DIGITS]
    return f"{set_name[:_ROOM].rstrip('-.')}-{digest}"
