"""④ Settings of the election: how long a leader lasts. They are read together with all others, see `settings`."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings


class LeaseSettings(BaseSettings):
    """The part of the settings that says which of several operators works, and when another takes over."""

    leader_election: bool = True
    """Whether the Lease `<instance>-leader` in `namespace` says which of several operators works. Off only where
    somebody else sees to it that there is one."""

    lease_seconds: Annotated[int, Field(ge=1)] = 8
    """From a leader's last sign of life to the moment when another one leads."""

    lease_deadline_seconds: Annotated[float, Field(gt=0)] = 6.0
    """From the beginning of a leader's last renewal to its end. What was on its way by then has the rest of
    `lease_seconds` to arrive."""

    lease_renew_seconds: Annotated[float, Field(gt=0)] = 1.5
    """How often a leader renews the Lease. Who stands by looks twice as often."""

    @model_validator(mode="after")
    def _lease_times(self) -> Self:
        if not self.lease_renew_seconds < self.lease_deadline_seconds < self.lease_seconds:
            raise ValueError(
                "lease_renew_seconds must be less than lease_deadline_seconds, and that than lease_seconds"
            )
        return self
