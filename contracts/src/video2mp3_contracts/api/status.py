"""④ A Conversion's `status`: what the operator has seen and done.

Lenient where the spec is strict: what a newer version of the operator wrote there is passed over, so that an older one
can follow it.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from video2mp3_contracts.messaging.notes import Notes

_OPEN: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
"""What a newer version records, an older one keeps."""

LONGEST_RETRY_REQUEST: Final = 128
"""Characters of the annotation that asks for a retry; what is beyond them is passed over."""


class Report(BaseModel):
    """A part of `status`: as the spec's models, but what a newer version wrote there is passed over."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Condition(Report):
    """One thing that programs wait for, as metav1.Condition."""

    type: Annotated[str, Field(description="Ready, Reconciling, Stalled, Complete, Failed or Expired.")]
    status: Annotated[Literal["True", "False", "Unknown"], Field(description="Whether it holds.")]
    observed_generation: Annotated[int, Field(description="The generation of the spec that it speaks of.")] = 0
    last_transition_time: Annotated[
        datetime | None,
        Field(description="When its status last became another. None before an operator has seen the Conversion."),
    ] = None
    reason: Annotated[str, Field(description="Why, in one word.")]
    message: Annotated[str, Field(description="Why, in a sentence.")] = ""


Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        max_length=16,
        description="What programs wait for.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]

HandledRetry = Annotated[
    str | None,
    Field(
        max_length=LONGEST_RETRY_REQUEST,
        description="The value of the annotation video2mp3.dev/retryRequestedAt that was last dealt with.",
    ),
]


class QueueReport(Report):
    """Where a waiting Conversion stands."""

    position: Annotated[int | None, Field(description="1 is next. Updated coarsely.")] = None
    since: Annotated[datetime | None, Field(description="When it was first seen to wait.")] = None


class Progress(Report):
    """How far the running attempt is."""

    percent: Annotated[int, Field(ge=0, le=100, description="Of the part that is wanted.")] = 0
    processed_seconds: Annotated[float, Field(description="Seconds of the sound that are done.")] = 0
    duration_seconds: Annotated[float | None, Field(description="Seconds of the sound that are to be done.")] = None
    speed: Annotated[float | None, Field(description="Seconds of the sound that are done in a second.")] = None
    eta_seconds: Annotated[float | None, Field(description="Seconds until the encoding is done, at this speed.")] = None
    updated_at: Annotated[datetime | None, Field(description="When the worker noted this.")] = None


class Attempt(Report):
    """One run of a worker that has ended or is running."""

    number: Annotated[int, Field(description="Counted from 1 over all Jobs of the Conversion.")]
    part: Annotated[int | None, Field(description="Which part of the sound it makes, where that is divided.")] = None
    generation: Annotated[
        int | None, Field(description="Which of the Conversion's Jobs it belongs to, where the sound is divided.")
    ] = None
    pod: Annotated[str, Field(description="The pod's name, for kubectl logs.")] = ""
    node: Annotated[str, Field(description="The node it ran on.")] = ""
    start_time: Annotated[datetime | None, Field(description="When the worker began.")] = None
    end_time: Annotated[datetime | None, Field(description="When it ended; absent while it runs.")] = None
    exit_code: Annotated[int | None, Field(description="The worker's exit code, once it has ended.")] = None
    reason: Annotated[str, Field(description="Running, Succeeded, or why it failed.")] = ""
    message: Annotated[str, Field(description="How it ended, in a sentence.")] = ""
    detail: Annotated[str, Field(description="The last lines of ffmpeg's complaint.")] = ""
    landlock: Annotated[
        bool | None,
        Field(
            description="Whether its node's kernel has Landlock, which leaves ffmpeg no file but those it needs; "
            "absent where the worker did not say."
        ),
    ] = None


class OutputReport(Report):
    """The mp3 that was made."""

    file_id: Annotated[str, Field(description="Its id in the database mp3s, for GET /download?fid=.")]
    filename: Annotated[str, Field(description="What it is called when it is downloaded.")]
    size: Annotated[int, Field(alias="bytes", description="Its size.")]
    duration_seconds: Annotated[float, Field(description="How long it plays.")]
    sha256: Annotated[str, Field(description="Of its content, in hex.")]
    encoding: Annotated[str, Field(description="How it is encoded, for people.")]
    notes: Annotated[
        Notes,
        Field(description="What was not done with the source as one might have expected, and why, in sentences."),
    ] = ()


class Resolved(Report):
    """What the ConversionClass says, as it was when an operator first saw the Conversion: it changes no more."""

    class_name: Annotated[str, Field(description="The ConversionClass.")]
    class_generation: Annotated[int, Field(description="Its generation, of which the rest is.")] = 0
    instance: Annotated[str, Field(description="The release whose operator serves it.")] = ""
    fixed: Annotated[
        tuple[Annotated[str, Field(description="A field of the spec.")], ...],
        Field(max_length=16, description="Fields that the class does not let a Conversion set."),
    ] = ()
    output: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            description="The mp3: the class's words and the Conversion's.",
            json_schema_extra=_OPEN,
        ),
    ]
    defaults: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            description="What else holds where the Conversion says nothing: retries, timeouts, ttl and policies.",
            json_schema_extra=_OPEN,
        ),
    ]
    limits: Annotated[
        dict[str, Any], Field(default_factory=dict, description="The class's bounds.", json_schema_extra=_OPEN)
    ]
    worker: Annotated[
        dict[str, Any],
        Field(default_factory=dict, description="Where its workers run, and with what.", json_schema_extra=_OPEN),
    ]


class ConversionStatus(Report):
    """What the operator has seen and done."""

    observed_generation: Annotated[
        int | None,
        Field(description="The metadata.generation that the status speaks of; -1 before anybody has seen it."),
    ] = None
    phase: Annotated[
        str, Field(description="One word for people: Pending, Queued, Running, Succeeded, Failed or Suspended.")
    ] = "Pending"
    reason: Annotated[str, Field(description="Why it is so, in one word: the Ready condition's.")] = ""
    message: Annotated[str, Field(description="Why it is so, in a sentence: the Ready condition's.")] = ""
    queue: Annotated[QueueReport | None, Field(description="Where it stands while it waits for its turn.")] = None
    progress: Annotated[Progress | None, Field(description="How far the running attempt is.")] = None
    attempts: Annotated[tuple[Attempt, ...], Field(max_length=200, description="The last ones, oldest first.")] = ()
    attempts_before_retry: Annotated[
        int | None,
        Field(description="The number of the last attempt before it was tried anew: those up to it count no more."),
    ] = None
    last_handled_retry_at: HandledRetry = None
    resolved: Annotated[
        Resolved | None, Field(description="What its ConversionClass says; absent where there is none.")
    ] = None
    start_time: Annotated[datetime | None, Field(description="When the first attempt began.")] = None
    completion_time: Annotated[datetime | None, Field(description="When it succeeded or failed; absent before.")] = None
    output: Annotated[OutputReport | None, Field(description="The mp3 that was made.")] = None
    conditions: Conditions = ()
