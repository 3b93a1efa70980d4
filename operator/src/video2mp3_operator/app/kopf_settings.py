"""④ kopf's own settings, each with the trap that it keeps us out of."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any, Final

import kopf

from video2mp3_operator.policy.settings import Settings

_CLIENTS_PATIENCE: Final = 1.1
"""A watch that its server should have closed is closed by us a tenth later."""


BACKOFFS: Final = (1, 1, 2, 3, 5, 8, 13, 21)
"""Seconds between the tries of a request, kopf's own; the last one is repeated."""


class Unending(Iterable[float]):
    """Pauses that never end: kopf ends the whole process where a watch was refused too often in a row.

    Where one watched namespace is deleted, its Role goes, and its watches are refused from then on. They are tried
    again as long as we live, and find their way by themselves when the namespace is there again.
    """

    def __iter__(self) -> Iterator[float]:
        """From the first pause on, for each request."""
        return chain(BACKOFFS, repeat(BACKOFFS[-1]))


class NoDiffBase(kopf.DiffBaseStorage):
    """Keeps no last-handled state: only change handlers need it, and kopf would copy every document to compute it."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None) -> kopf.BodyEssence:
        """Answer nothing."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Answer nothing."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Store nothing."""


def configure_kopf(settings: kopf.OperatorSettings, ours: Settings, selectors: Mapping[str, str]) -> None:
    """Set what kopf leaves open; `selectors` are the label selectors of its watches by resource."""
    # A namespaced operator may neither list namespaces nor CRDs.
    settings.scanning.disabled = True
    # Nobody else runs; a peering object would be one more thing to grant and to go wrong.
    settings.peering.standalone = True
    # Watches can go deaf: the server closes them regularly, and the client does when the server has forgotten to.
    settings.watching.server_timeout = ours.watch_seconds
    settings.watching.client_timeout = ours.watch_seconds * _CLIENTS_PATIENCE
    settings.watching.connect_timeout = ours.kubernetes_timeout_seconds
    settings.networking.error_backoffs = Unending()
    settings.networking.request_timeout = ours.kubernetes_timeout_seconds
    # A list of ten thousand at once is a peak of memory, here and in the API server.
    settings.watching.chunk_size = 500
    for resource, selector in selectors.items():
        settings.watching.label_selectors[resource] = selector
    # Our handlers answer at once: a worker that waits for the object's next event only costs memory.
    settings.queueing.idle_timeout = 1.0
    # Events are ours to word and to deduplicate.
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDiffBase()
    # Should a handler of changes ever be added, what it leaves on objects carries our own prefix.
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix="operator.video2mp3.dev")
    settings.persistence.finalizer = "operator.video2mp3.dev/kopf"
    # After SIGTERM the pod has 30 s.
    settings.process.ultimate_exiting_timeout = 25.0
