"""④ A Conversion's `status`: what the operator has seen and done.

Lenient where the spec is strict: what a newer version of the operator wrote there is passed over, so that an older one
can follow it.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Report(BaseModel):
    """A part of `status`: as the spec's models, but what a newer version wrote there is passed over."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Condition(Report):
    """As `metav1.Condition`."""

    type: str
    status: Literal["True", "False", "Unknown"]
    observed_generation: int = 0
    last_transition_time: datetime
    reason: str
    message: str = ""


class QueueReport(Report):
    """Where a waiting Conversion stands."""

    position: Annotated[int | None, Field(description="1 is next. Updated coarsely.")] = None
    since: Annotated[datetime | None, Field(description="When it was first seen to wait.")] = None


class Progress(Report):
    """How far the running attempt is."""

    percent: Annotated[int, Field(ge=0, le=100)] = 0
    processed_seconds: float = 0
    duration_seconds: float | None = None
    speed: Annotated[float | None, Field(description="Media seconds per second.")] = None
    eta_seconds: float | None = None
    updated_at: datetime | None = None


class Attempt(Report):
    """One run of a worker that has ended or is running."""

    number: int
    part: Annotated[int | None, Field(description="Which part of the sound it makes, where that is divided.")] = None
    generation: Annotated[
        int | None, Field(description="Which of the Conversion's Jobs it belongs to, where the sound is divided.")
    ] = None
    pod: str = ""
    node: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    detail: Annotated[str, Field(description="The last lines of ffmpeg's complaint.")] = ""


class OutputReport(Report):
    """The mp3 that was made."""

    file_id: str
    filename: str
    size: Annotated[int, Field(alias="bytes")]
    duration_seconds: float
    sha256: str
    encoding: str


class ConversionStatus(Report):
    """What the operator has seen and done."""

    observed_generation: int | None = None
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    queue: QueueReport | None = None
    progress: Progress | None = None
    attempts: Annotated[tuple[Attempt, ...], Field(max_length=200, description="The last ones, oldest first.")] = ()
    start_time: datetime | None = None
    completion_time: datetime | None = None
    output: OutputReport | None = None
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = ()
