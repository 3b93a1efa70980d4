"""③ What the gateway makes of the ConversionClasses there are: which it offers, and which holds by default. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import structlog
from pydantic import ValidationError

from video2mp3_contracts.api.conversion_class import ANNOTATION_DEFAULT, ConversionClassSpec
from video2mp3_gateway.ports.systems import Document

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class KnownClass:
    """One that is understood."""

    name: str
    spec: ConversionClassSpec

    @property
    def decides_ttl(self) -> bool:
        """Whether how long its Conversions are kept is the class's to say, and not the gateway's."""
        allowed = self.spec.overrides
        return self.ttl_seconds is not None or (allowed is not None and "ttlSecondsAfterFinished" not in allowed)

    @property
    def ttl_seconds(self) -> int | None:
        """How long they are kept where they say nothing; None for ever."""
        return self.spec.defaults.ttl_seconds_after_finished


@dataclass(frozen=True)
class ClassOfUpload:
    """What an upload says of its class, and which one holds for all that is known."""

    name: str | None = None
    """What it asks for; None leaves it to the operator."""

    holds: KnownClass | None = None


NO_CLASS: Final = ClassOfUpload()


@dataclass(frozen=True)
class KnownClasses:
    """All of them, as they were last listed."""

    offered: tuple[KnownClass, ...] = ()
    """Those that uploads may choose, by name."""

    default: KnownClass | None = None
    """That of uploads that choose none, offered or not; None also for one that is not understood."""

    @classmethod
    def read(cls, documents: Iterable[Document], instance: str) -> Self:
        """What these documents say to the gateway of a release. Of several default ones the newest counts."""
        documents = sorted(documents, key=lambda each: str(each["metadata"]["name"]))
        understood = {name: found for each in documents if (found := _read(each)) for name in [found.name]}
        marked = [each for each in documents if _is_default(each)]
        default = max(marked, key=_age, default=None)
        return cls(
            offered=tuple(
                each for each in understood.values() if each.spec.offered and each.spec.instance in ("", instance)
            ),
            default=understood.get(default["metadata"]["name"]) if default else None,
        )

    def choose(self, name: str) -> KnownClass | None:
        """The offered one of this name."""
        return next((each for each in self.offered if each.name == name), None)


def _read(document: Document) -> KnownClass | None:
    """The class; None for one that a newer version wrote: it may forbid something."""
    name = document["metadata"]["name"]
    try:
        return KnownClass(name, ConversionClassSpec.model_validate(document.get("spec") or {}))
    except ValidationError as error:
        _log.warning("class_not_understood", conversionclass=name, errors=error.error_count())
        return None


def _is_default(document: Document) -> bool:
    return (document["metadata"].get("annotations") or {}).get(ANNOTATION_DEFAULT) == "true"


def _age(document: Document) -> tuple[str, str]:
    return document["metadata"].get("creationTimestamp") or "", document["metadata"]["name"]
