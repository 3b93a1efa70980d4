"""The ConversionClass resource: what administrators decide for the Conversions that name it, as a StorageClass does.

Cluster-scoped. A Conversion that names none gets the one default class, where there is one. What comes of both is
`resolution`'s.
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from video2mp3_contracts.api import names
from video2mp3_contracts.api.model import Model, rule, with_rules
from video2mp3_contracts.api.output import (
    RATES_COMPLAINT,
    RATES_RULE,
    Channels,
    Encoding,
    Loudness,
    SampleRate,
    rates_fit,
)
from video2mp3_contracts.api.tags import Id3Version
from video2mp3_contracts.api.timeouts import Timeouts, Ttl

ANNOTATION_DEFAULT: Final = f"{names.GROUP}/is-default-class"
"""On the class of Conversions that name none, as "true"."""

Overridable = Literal["output", "retryLimit", "timeouts", "ttlSecondsAfterFinished", "deletionPolicy", "sourcePolicy"]
OVERRIDABLE: Final[tuple[Overridable, ...]] = Overridable.__args__  # type: ignore[attr-defined]

_QUANTITIES: Final = {
    "type": "object",
    "maxProperties": 8,
    "additionalProperties": {"x-kubernetes-int-or-string": True, "maxLength": 32},
}
_LABELS: Final = {
    "type": "object",
    "maxProperties": 32,
    "additionalProperties": {"type": "string", "maxLength": 63},
}


class ClassTags(Model):
    """What of the tag is the administrator's to choose."""

    id3_version: Annotated[Id3Version | None, Field(description="Of the tag.")] = None


class ClassOutput(Model):
    """The mp3 that a Conversion gets where it says nothing."""

    model_config = ConfigDict(json_schema_extra=with_rules(rule(RATES_RULE, RATES_COMPLAINT)))

    encoding: Annotated[Encoding | None, Field(description="A quality or a bit rate.")] = None
    sample_rate: Annotated[SampleRate | None, Field(description="Hz.")] = None
    channels: Annotated[Channels | None, Field(description="One, two, or as the source.")] = None
    loudness: Annotated[Loudness | None, Field(description="Bring it to a loudness, or tell players of it.")] = None
    tags: Annotated[ClassTags, Field(description="The ID3 tag.")] = ClassTags()

    @model_validator(mode="after")
    def _rates_fit(self) -> Self:
        if not rates_fit(self.sample_rate, self.encoding.cbr if self.encoding else None):
            raise ValueError(RATES_COMPLAINT)
        return self


class Defaults(Model):
    """What holds for a Conversion where it says nothing."""

    output: Annotated[ClassOutput, Field(description="The mp3.")] = ClassOutput()
    retry_limit: Annotated[int | None, Field(ge=0, le=10, description="Attempts after the first.")] = None
    timeouts: Annotated[Timeouts, Field(description="How long each stage may take.")] = Timeouts()
    ttl_seconds_after_finished: Ttl = None
    deletion_policy: Annotated[
        Literal["Delete", "Retain"] | None, Field(description="Whether files go with their Conversion.")
    ] = None
    source_policy: Annotated[
        Literal["DeleteAfterSuccess", "Retain"] | None,
        Field(description="What becomes of a GridFS source once it is converted."),
    ] = None


def _most(unit: str) -> Any:
    return Field(ge=1, le=2**53, description=f"{unit}; never more than the installation allows.")


class ClassLimits(Model):
    """Bounds that no Conversion of the class can change. What is unset is the installation's."""

    max_source_bytes: Annotated[int | None, _most("Bytes of a source")] = None
    max_output_bytes: Annotated[int | None, _most("Bytes of an mp3")] = None
    max_duration_seconds: Annotated[int | None, _most("Seconds that a source plays")] = None


class Resources(Model):
    """As of a container."""

    requests: Annotated[
        dict[str, str | int], Field(default_factory=dict, description="Of its node.", json_schema_extra=_QUANTITIES)
    ]
    limits: Annotated[
        dict[str, str | int], Field(default_factory=dict, description="At the most.", json_schema_extra=_QUANTITIES)
    ]


class Toleration(Model):
    """As `core/v1` has it."""

    key: Annotated[str | None, Field(max_length=316, description="The taint's key; every one without.")] = None
    operator: Annotated[Literal["Exists", "Equal"] | None, Field(description="Equal by default.")] = None
    value: Annotated[str | None, Field(max_length=63, description="The taint's value.")] = None
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None, Field(description="Every effect without.")
    ] = None
    toleration_seconds: Annotated[
        int | None, Field(ge=0, le=10**9, description="How long, of NoExecute; for ever without.")
    ] = None


class WorkerSettings(Model):
    """Where its workers run, and with what. What is unset is the installation's."""

    resources: Annotated[
        Resources | None, Field(description="In the place of worker.resources, with a memory request and limit.")
    ] = None
    memory_ceiling: Annotated[
        str | None, Field(max_length=32, description="Up to which memory is doubled where it was not enough.")
    ] = None
    node_selector: Annotated[
        dict[str, str] | None, Field(description="Labels of the nodes.", json_schema_extra=_LABELS)
    ] = None
    tolerations: Annotated[
        list[Toleration] | None, Field(max_length=32, description="Taints that their pods tolerate.")
    ] = None
    priority_class_name: Annotated[str | None, Field(max_length=253, description="Their PriorityClass.")] = None


class Quota(Model):
    """How many workers' pods of the class run at a time. The others wait."""

    max_running: Annotated[int | None, Field(ge=1, le=100_000, description="In all namespaces.")] = None
    max_running_per_owner: Annotated[int | None, Field(ge=1, le=100_000, description="Of one account.")] = None


class ConversionClassSpec(Model):
    """What administrators decide."""

    model_config = ConfigDict(
        json_schema_extra=with_rules(
            rule(
                "!has(self.worker) || !has(self.worker.resources) || "
                "(has(self.worker.resources.requests) && 'memory' in self.worker.resources.requests"
                " && has(self.worker.resources.limits) && 'memory' in self.worker.resources.limits)",
                "worker.resources must have a memory request and a memory limit: what was not enough is doubled",
            )
        )
    )

    description: Annotated[str, Field(max_length=200, description="What it is for, for people who choose one.")] = ""
    offered: Annotated[bool, Field(description="Whether uploads may choose it: the gateway and its page offer it.")] = (
        False
    )
    instance: Annotated[
        str,
        Field(
            max_length=63, description="The release whose operator serves it; whichever watches the namespace if empty."
        ),
    ] = ""
    defaults: Annotated[Defaults, Field(description="What holds where a Conversion says nothing.")] = Defaults()
    overrides: Annotated[
        list[Overridable] | None,
        Field(
            max_length=len(OVERRIDABLE),
            description="Which fields a Conversion may set itself; all of them by default.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = None
    limits: Annotated[ClassLimits, Field(description="Bounds that no Conversion can change.")] = ClassLimits()
    worker: Annotated[WorkerSettings, Field(description="Where its workers run, and with what.")] = WorkerSettings()
    quota: Annotated[Quota, Field(description="How many run at a time.")] = Quota()
