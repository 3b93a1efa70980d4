"""How long things may take or stay: fields that a Conversion and its class share."""

from typing import Annotated, Any, Final

from pydantic import Field

from video2mp3_contracts.api.model import Model

_WEEK_SECONDS: Final = 7 * 24 * 3600
_YEAR_SECONDS: Final = 366 * 24 * 3600


def _limit(description: str) -> Any:
    return Field(ge=1, le=_WEEK_SECONDS, description=description)


class Timeouts(Model):
    """How long each stage may take. Unset ones are the installation's defaults."""

    queue_seconds: Annotated[
        int | None, _limit("Waiting for its turn, in seconds; operator.queueSeconds by default.")
    ] = None
    start_seconds: Annotated[
        int | None,
        _limit("From its turn to the worker's first sign of life, in seconds; worker.startSeconds by default."),
    ] = None
    run_seconds: Annotated[
        int | None, _limit("One attempt's run, in seconds; worker.runSeconds by default, and less for a short sound.")
    ] = None


Ttl = Annotated[
    int | None,
    Field(ge=0, le=_YEAR_SECONDS, description="Deletes it so many seconds after it has finished; kept when unset."),
]
