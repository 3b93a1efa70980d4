"""Strikes the release's pods, the local cluster's processes and its second node, and nothing else."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from tests.chaos import processes
from tests.chaos.api import Pods
from tests.chaos.outages import Outages
from tests.chaos.patience import TooLongError, persistently, until_nothing
from tests.chaos.plan import PROCESSES, STORES, Kill, Kind, Manner
from video2mp3_contracts.api.names import LABEL_COMPONENT
from video2mp3_localcluster.node.readiness import Probes, problem_of
from video2mp3_localcluster.steps.layout import NodeFiles

_BACK_SECONDS: Final = 150.0
"""For what was struck to be back before the next store is."""

_TARGET_SECONDS: Final = 20.0
"""For a pod to strike: workers come and go, and the API server may be away."""

_API_SECONDS: Final = 60.0

_GRACE_SECONDS: Final = {
    # Its processes are dead; one second is what makes the API server wait for the kubelet to say so. Without it, a
    # StatefulSet's next pod could meet the old one on the volume.
    Manner.KILLED: 1,
    Manner.DELETED: None,
    Manner.FORCED: 0,
}


class Killer:
    """Carries a plan out."""

    def __init__(self, instance: str, pods: Pods, files: NodeFiles, outages: Outages | None = None) -> None:
        self._instance = instance
        self._outages = outages
        self._pods = pods
        self._files = files
        self._struck: set[str] = set()
        """The uids of pods, which may seem to be well for a moment after they were struck."""

    def strike(self, kill: Kill) -> str:
        """Strike once; whom, or "" where nobody was there. Raises TooLongError where a store does not come back."""
        if kill.kind is Kind.NODE:
            return self._outages.begin(kill) if self._outages else ""
        if kill.kind in STORES:
            self.await_stores()
        if kill.kind in PROCESSES:
            return kill.kind if self._kill_all(processes.of_component(self._files, kill.kind)) else ""
        try:
            pod = persistently(lambda: self._target(kill), seconds=_TARGET_SECONDS, what=f"a pod of {kill.kind}")
        except TooLongError:
            return ""
        return self._end(pod, kill.manner)

    def await_stores(self) -> None:
        """Wait until every store serves. Raises TooLongError."""
        said = until_nothing(self._store_away, seconds=_BACK_SECONDS)
        if said:
            raise TooLongError(f"not within {_BACK_SECONDS:g} s: every store is back: {said}")

    def _store_away(self) -> str:
        # Without etcd the API server is not ready.
        if said := problem_of(Probes(self._files, ingress_port=0).api_server()):
            return said
        pods = [pod for pod in self._pods.labelled(LABEL_COMPONENT) if pod["metadata"]["uid"] not in self._struck]
        there = {pod["metadata"]["labels"][LABEL_COMPONENT] for pod in alive(pods) if is_ready(pod)}
        return ", ".join(sorted(STORES - PROCESSES - there))

    def _target(self, kill: Kill) -> dict[str, Any]:
        pods = alive(self._pods.labelled(selector(self._instance, kill.kind)))
        assert pods, "none is there"
        return pods[int(kill.chance * len(pods))]

    def _end(self, pod: dict[str, Any], manner: Manner) -> str:
        name = str(pod["metadata"]["name"])
        self._struck.add(pod["metadata"]["uid"])
        if manner is Manner.KILLED and not self._kill_all(processes.of_pod(self._files, pod["metadata"]["uid"])):
            return ""
        # After a kill as well: where a container ends often, the kubelet waits for minutes before it starts it again.
        delete = partial(self._pods.delete, name, _GRACE_SECONDS[manner])
        persistently(delete, seconds=_API_SECONDS, what=f"{name} is deleted")
        return name

    @staticmethod
    def _kill_all(found: Sequence[processes.Process]) -> bool:
        return sum(map(processes.kill, found)) > 0


def selector(instance: str, kind: Kind) -> str:
    """By which the release's pods of a kind are found, and no others."""
    return f"app.kubernetes.io/instance={instance},{LABEL_COMPONENT}={kind}"


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether it serves."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))


def alive(pods: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that have not ended and are not about to, by name."""
    there = [pod for pod in pods if pod["status"].get("phase") in ("Pending", "Running")]
    there = [pod for pod in there if "deletionTimestamp" not in pod["metadata"]]
    return sorted(there, key=lambda pod: str(pod["metadata"]["name"]))
