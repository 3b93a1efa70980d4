"""What a worker is told by its environment. Read once, at the entry point."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Json, SecretStr

from video2mp3_contracts.jobs.worker import SCRATCH_PATH, TERMINATION_MESSAGE_PATH, WorkerRequest


class WorkerSettings(BaseModel):
    """Environment variables with the prefix WORKER_. Without pydantic-settings: importing that takes too long here."""

    model_config = ConfigDict(alias_generator=lambda name: f"WORKER_{name.upper()}", frozen=True, extra="ignore")

    request: Json[WorkerRequest]
    """The conversion, as JSON. The operator writes it into the Job."""

    mongodb_uri: SecretStr
    """Where sources, mp3s and the ledger are. A secret, since it carries a password."""

    rabbitmq_uri: SecretStr
    """Where the message goes. A secret, since it carries a password."""

    pod_name: str = ""
    """Written into the ledger, so that people find the pod of an attempt. Empty outside of Kubernetes."""

    part: int = 0
    """Which part of the audio to make, from 0, where the request says that it is split."""

    scratch: Path = Path(SCRATCH_PATH)
    """A folder of the pod's own for the source and the mp3; what is in it from before is removed."""

    termination_message_path: Path = Path(TERMINATION_MESSAGE_PATH)
    """Where Kubernetes looks for the worker's last words."""

    require_landlock: bool = False
    """Whether to refuse to work where the kernel has no Landlock."""

    log_level: str = "INFO"
    """Least severe level that is logged."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises pydantic.ValidationError."""
        return cls.model_validate(dict(environment))
