"""The Secrets that a release needs and nobody named: made in the cluster once, as the command `secrets` does it.

The chart says what they hold and knows no password; what has to be made is made here, and then stays. What is composed
of it (addresses, RabbitMQ's users) follows the chart at each upgrade. Pure but for `ensure`, which asks the port.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict
from pydantic_settings import BaseSettings, SettingsConfigDict

from video2mp3_operator.ports.errors import AlreadyExistsError, ConflictError

PREFIX: Final = "SECRETS_"
"""Of the variables that the command reads."""

KEEP: Final = {
    "helm.sh/resource-policy": "keep",
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
}
"""Helm and Argo CD remove what an older chart had as a template as soon as there is none any more, but for these
annotations, which they look for in the cluster. With the last one Argo CD does not call the application OutOfSync for
it for ever."""

Kind = Literal["password", "fernet"]
Values = Mapping[str, str]
Known = Mapping[str, Values]
"""The values of Secrets, by their names."""

_REFERENCE: Final = re.compile(r"\$\{(?:([a-z0-9.-]+)/)?([a-z0-9.-]+)\}")
"""`${key}` of the same Secret, `${name/key}` of one before it."""

_TRIES: Final = 10
"""Each is lost only to somebody who wrote the same Secret at the same moment."""


class PlannedSecret(BaseModel):
    """What one Secret holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    labels: Mapping[str, str] = {}

    random: Mapping[str, Kind]
    """Made once; what is there is kept."""

    fixed: Mapping[str, str | Mapping[str, Any]] = {}
    """Text, or what becomes JSON, with references to values."""

    belongs_to: str = ""
    """The key of a fixed value with which all random ones are made anew: another person never gets a password that
    somebody else knows."""


class SecretsSettings(BaseSettings):
    """Where the Secrets are made, and which."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    namespace: str
    plan: tuple[PlannedSecret, ...]
    """As JSON. Nothing in it is a secret."""


@dataclass(frozen=True)
class FoundSecret:
    """A Secret that is in the cluster."""

    values: Values
    annotations: Mapping[str, str]
    version: str
    """Its resourceVersion."""


class SecretsApi(Protocol):
    """The Secrets of the release's namespace. All methods raise OutsideError."""

    async def find(self, name: str) -> FoundSecret | None:
        """The Secret of that name, if there is one."""
        ...

    async def create(
        self, name: str, labels: Mapping[str, str], annotations: Mapping[str, str], values: Values
    ) -> None:
        """Make it. Raises AlreadyExistsError."""
        ...

    async def change(self, name: str, annotations: Mapping[str, str], values: Values, version: str) -> None:
        """Set these values and annotations and leave all others. Raises ConflictError if it was changed since."""
        ...


async def ensure(
    plan: Sequence[PlannedSecret], api: SecretsApi, new: Callable[[Kind], str], report: Callable[[str], object]
) -> None:
    """Make what is missing, one after the other. Where it is killed, the next one goes on; two at once agree."""
    known: dict[str, Values] = {}
    for planned in plan:
        what, known[planned.name] = await _ensure(planned, api, known, new)
        report(f"{planned.name} {what}.")


async def _ensure(
    planned: PlannedSecret, api: SecretsApi, known: Known, new: Callable[[Kind], str]
) -> tuple[str, Values]:
    for _ in range(_TRIES):
        found = await api.find(planned.name)
        values = completed(planned, found.values if found else {}, known, new)
        try:
            if found is None:
                await api.create(planned.name, planned.labels, KEEP, values)
                return "is made", values
            changed = dict(values.items() - found.values.items())
            unmarked = {key: value for key, value in KEEP.items() if key not in found.annotations}
            if not changed and not unmarked:
                return "is there already", values
            await api.change(planned.name, unmarked, changed, found.version)
        except (AlreadyExistsError, ConflictError):
            continue  # somebody was quicker: what they made counts
        return f"is brought up to date: {', '.join(sorted(changed))}" if changed else "is kept from now on", values
    raise ConflictError(f"the Secret {planned.name} was changed by somebody else {_TRIES} times meanwhile")


def completed(planned: PlannedSecret, there: Values, known: Known, new: Callable[[Kind], str]) -> dict[str, str]:
    """What the Secret has to hold, by what it holds. Values that the plan does not name are not looked at."""
    anew = bool(planned.belongs_to) and not _same_owner(planned, there)
    values = {key: new(kind) if anew or key not in there else there[key] for key, kind in planned.random.items()}
    plain = {key: each for key, each in planned.fixed.items() if isinstance(each, str) and not _REFERENCE.search(each)}
    sources = {**known, "": {**values, **plain}}
    return values | {key: _composed(each, sources) for key, each in planned.fixed.items()}


def _same_owner(planned: PlannedSecret, there: Values) -> bool:
    return there.get(planned.belongs_to, "").lower() == str(planned.fixed[planned.belongs_to]).lower()


def _composed(template: str | Mapping[str, Any], sources: Known) -> str:
    """The value of a template. JSON is written as Helm writes it, which older charts did."""
    if isinstance(template, str):
        return _resolved(template, sources)
    return json.dumps(_filled(template, sources), indent=2, sort_keys=True, ensure_ascii=False)


def _filled(template: Any, sources: Known) -> Any:
    match template:
        case str():
            return _resolved(template, sources)
        case Mapping():
            return {key: _filled(each, sources) for key, each in template.items()}
        case list():
            return [_filled(each, sources) for each in template]
        case _:
            return template


def _resolved(text: str, sources: Known) -> str:
    return _REFERENCE.sub(lambda found: sources[found[1] or ""][found[2]], text)
