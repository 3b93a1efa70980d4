"""④ The ConversionClasses, listed every few seconds: a handful, that seldom change.

A list needs no watch to go deaf, and it does not matter whether the cluster knows the kind, or lets us see it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion_class import ANNOTATION_DEFAULT
from video2mp3_operator.cache.classes import ClassCache
from video2mp3_operator.cache.documents import is_finished, key_of
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.classes import ConversionClass, parse_class
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.unreadable import read_or_skip
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import GoneError, InvalidError, RefusedError, UnavailableError
from video2mp3_operator.ports.systems import ClassesApi, Lister
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)


@dataclass
class ClassPolling:
    """`wake` makes a Conversion due for a reconcile."""

    settings: Settings
    classes: ClassCache
    cache: Cache
    lister: Lister
    api: ClassesApi
    metrics: Metrics
    wake: Callable[[Key], None]
    _complaint: str = field(default="", init=False)
    _made: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Make those of the settings, then list all again and again, until cancelled.

        What is known stays known while they cannot be listed.
        """
        while True:
            try:
                await self.make()
                await self.once()
            except UnavailableError as error:
                _log.warning("classes_unavailable", error=str(error))
            await asyncio.sleep(self.settings.class_seconds)

    async def make(self) -> None:
        """Make the classes of the settings, once; one that is refused stops no other. Raises UnavailableError."""
        if self._made:
            return
        for name, spec in self.settings.classes.items():
            if spec is None:
                continue
            try:
                await self.api.apply_class(manifest(name, spec, is_default=name == self.settings.default_class))
            except (GoneError, InvalidError, RefusedError) as error:
                _log.error("class_not_made", conversionclass=name, error=str(error))
        self._made = True

    async def once(self) -> None:
        """List them once; who waits for one is due where something has changed. Raises UnavailableError."""
        found: list[ConversionClass] = []
        try:
            async for document in self.lister.classes():
                read = read_or_skip("conversionclass", document, parse_class, self.metrics.skip)
                found += [read] if read else []
        except (GoneError, RefusedError) as error:
            # No such kind, or none of ours to see: then no Conversion has a class. Said once, until it changes.
            if str(error) != self._complaint:
                _log.warning("classes_not_served", error=str(error))
            self._complaint = str(error)
            return
        self._complaint = ""
        if self.classes.replace(found):
            for document in self.cache.documents():
                if not is_finished(document) and "resolved" not in document["status"]:
                    self.wake(key_of(document))


def manifest(name: str, spec: Mapping[str, Any], *, is_default: bool) -> dict[str, Any]:
    """A class as a document."""
    marks = {"annotations": {ANNOTATION_DEFAULT: "true"}} if is_default else {}
    metadata = {"name": name, "labels": {"app.kubernetes.io/managed-by": "video2mp3-operator"}} | marks
    return {"apiVersion": names.API_VERSION, "kind": names.CLASS_KIND, "metadata": metadata, "spec": dict(spec)}
