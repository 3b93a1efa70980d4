"""⑤→⑥ What the operator tells a worker, and what a worker tells back when it ends.

The request travels as JSON in the environment variable REQUEST_VARIABLE. Credentials come beside it from a Secret, in
MONGODB_URI_VARIABLE and RABBITMQ_URI_VARIABLE.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from video2mp3_contracts.api.conversion import Source
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.messaging.message import ConversionRef

REQUEST_VARIABLE: Final = "WORKER_REQUEST"
MONGODB_URI_VARIABLE: Final = "WORKER_MONGODB_URI"
RABBITMQ_URI_VARIABLE: Final = "WORKER_RABBITMQ_URI"
POD_NAME_VARIABLE: Final = "WORKER_POD_NAME"
PART_VARIABLE: Final = "WORKER_PART"
"""Which part of the audio this worker makes, from 0; where the request says that it is split."""

REQUIRE_LANDLOCK_VARIABLE: Final = "WORKER_REQUIRE_LANDLOCK"
"""`true` where a worker is to refuse to work on a node whose kernel has no Landlock."""

SCRATCH_VARIABLE: Final = "WORKER_SCRATCH"
"""A folder of the pod's own (an emptyDir) for the source and the mp3 while they are worked on."""

SCRATCH_PATH: Final = "/scratch"
TERMINATION_MESSAGE_PATH: Final = "/dev/termination-log"
TERMINATION_MESSAGE_LIMIT: Final = 4096
"""Bytes; Kubernetes cuts what is longer."""


class _Document(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class WorkerLimits(_Document):
    """What a worker refuses, whatever the source says of itself."""

    max_source_bytes: Annotated[int, Field(gt=0)] = 20 * 1024**3
    max_duration_seconds: Annotated[int, Field(gt=0)] = 24 * 3600
    max_output_bytes: Annotated[int, Field(gt=0)] = 4 * 1024**3
    run_seconds: Annotated[int | None, Field(gt=0, description="The attempt's deadline; None: from the duration.")] = (
        None
    )
    allowed_hosts: Annotated[
        tuple[str, ...], Field(description="Hosts that sources are fetched from, see `source_urls`.")
    ] = ()


class Division(_Document):
    """When audio is worth splitting among several workers."""

    part_seconds: Annotated[int, Field(gt=0)]
    """Each part is at least as long."""

    max_parts: Annotated[int, Field(ge=2)]


class WorkerRequest(_Document):
    """One conversion, as the worker needs to know it."""

    conversion: ConversionRef
    owner: str = ""
    installation: str = ""
    """Whose the mp3 and the ledger's entry are, see `storage.FileMetadata`."""

    email: str = ""
    source: Source
    output: Output
    filename: str
    """What the mp3 is called."""

    ttl_seconds: Annotated[int | None, Field(ge=0)] = None
    """How long the mp3 stays once the Conversion has finished, to be told; None: until its owner deletes it."""

    limits: WorkerLimits = WorkerLimits()
    parts: Annotated[int | None, Field(ge=1)] = None
    """Into how many parts the audio is split, each made by a worker of its own. None: it is not."""

    division: Division | None = None
    """Look whether the audio is worth splitting, and if so note that in the ledger instead of converting."""


class TerminationMessage(BaseModel):
    """What the worker leaves at TERMINATION_MESSAGE_PATH, as JSON of at most TERMINATION_MESSAGE_LIMIT bytes."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    exit_code: int
    reason: str
    message: str
    """A sentence that a person understands; it reaches `status` and the email."""

    detail: str = ""
    """The last lines of ffmpeg's complaint, for those who run the installation."""

    landlock: bool | None = None
    """Whether the node's kernel has Landlock. None: it was not looked."""
