"""Installs the chart on the local cluster, with the images built here and a mail sink beside it."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from video2mp3_localcluster.demo import mail_server
from video2mp3_localcluster.images.references import chart_values, image_references
from video2mp3_localcluster.programs.earlier_release import earlier_release
from video2mp3_localcluster.steps.layout import NodeFiles, repository_root
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

CHART = "charts/video2mp3"
VALUES = "localcluster/values.yaml"
CRD = "conversions.video2mp3.dev"
SET_CRD = "conversionsets.video2mp3.dev"
INSTALL_SECONDS = 300


@dataclass(frozen=True)
class Release:
    """One installation of the chart."""

    namespace: str
    host: str
    """The host name its Ingress answers to; "*" for every name that no other Ingress claims."""

    url: str
    """Where the ingress controller listens."""

    account: str
    """The first account's email address."""

    values: tuple[Path, ...] = ()
    """More values files; later ones win."""

    watched: tuple[str, ...] = ()
    """More namespaces whose Conversions it serves."""

    earlier: bool = False
    """Of the earlier release that tests upgrade from: its chart and its images."""

    name: str = "video2mp3"
    files: NodeFiles = field(default_factory=NodeFiles)

    def install(self, log: StepLog) -> None:
        """Install or upgrade it, and wait until every pod is ready."""
        self.prepare_namespace(log)
        self.install_mail_server(log)
        values = [repository_root() / VALUES, *self.values]
        log.command(
            [
                *self._helm("upgrade", self.name, self.sources / CHART, "--install", "--namespace", self.namespace),
                "--take-ownership",
                *(word for path in values for word in ("--values", path)),
                *("--values", "-"),
            ],
            stdin=json.dumps(self._run_values()).encode(),
            timeout_seconds=INSTALL_SECONDS,
        )
        for workload in self.kubectl(log, "get", "deployments,statefulsets", "--output", "name").split():
            # Not helm's own waiting, which gives up on the first pod that has to start twice on a busy machine.
            argv = [*self._kubectl(), "rollout", "status", workload, f"--timeout={INSTALL_SECONDS}s"]
            log.command(argv, timeout_seconds=INSTALL_SECONDS + 30)

    def uninstall(self, log: StepLog) -> None:
        """Remove the release with its namespace, volumes included, in whatever state an interrupted run left it."""
        self._delete_conversions(log)
        self._end_pods(log)
        self.kubectl(log, "delete", "namespace", self.namespace, "--ignore-not-found", "--timeout=150s")

    def _delete_conversions(self, log: StepLog) -> None:
        """Delete them while the operator is there to take its finalizer off; without one, take it off here."""
        known = self.kubectl(log, "get", "crd", "--output", "name")
        if SET_CRD in known:
            # A set would make its Conversions again.
            self.kubectl(log, "delete", SET_CRD, "--all", "--timeout=60s")
        if CRD not in known:
            return
        try:
            self.kubectl(log, "delete", CRD, "--all", "--timeout=60s")
        except StepFailed:
            for name in self.kubectl(log, "get", CRD, "--output", "name").split():
                self.kubectl(log, "patch", name, "--type=merge", "--patch", '{"metadata":{"finalizers":[]}}')

    def _end_pods(self, log: StepLog) -> None:
        """End them at once: with pods that take their time, Kubernetes looks at a namespace again after half of it."""
        self.kubectl(log, "delete", "deployments,statefulsets,replicasets,jobs", "--all", "--cascade=orphan")
        self.kubectl(log, "delete", "pods", "--all", "--grace-period=1", "--timeout=60s")

    def kubectl(self, log: StepLog, *arguments: str, stdin: bytes | None = None) -> str:
        """Run kubectl in the release's namespace; answers what it printed."""
        return log.output([*self._kubectl(), *arguments], stdin=stdin, timeout_seconds=180)

    def secret(self, log: StepLog, name: str) -> dict[str, str]:
        """A Secret's values."""
        document = json.loads(self.kubectl(log, "get", "secret", name, "--output", "json"))
        return {key: base64.b64decode(value).decode() for key, value in document["data"].items()}

    def address(self, log: StepLog, service: str) -> str:
        """A Service's address, which this machine reaches."""
        return self.kubectl(log, "get", "service", service, "--output", "jsonpath={.spec.clusterIP}")

    def _kubectl(self) -> list[str | Path]:
        program = self.files.programs / "kubectl"
        return [program, "--kubeconfig", self.files.kubeconfig, "--namespace", self.namespace]

    def _helm(self, *arguments: str | Path) -> list[str | Path]:
        return [self.files.programs / "helm", "--kubeconfig", self.files.kubeconfig, *arguments]

    @property
    def sources(self) -> Path:
        """Where the chart is: the checkout, or what lay there when the earlier release was made."""
        return earlier_release().folder if self.earlier else repository_root()

    def _run_values(self) -> dict[str, Any]:
        return {
            **chart_values(earlier=self.earlier),
            "ingress": {"host": self.host},
            "publicUrl": self.url,
            "account": {"email": self.account},
            "operator": {"watchNamespaces": [self.namespace, *self.watched]},
        }

    def prepare_namespace(self, log: StepLog) -> None:
        """Make the namespace, in which only restricted pods run."""
        labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
        metadata = {"name": self.namespace, "labels": labels}
        self._apply(log, [{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])

    def install_mail_server(self, log: StepLog) -> None:
        """Bring the mail server into the namespace, with a login that stays once it is made."""
        if not self.kubectl(log, "get", "secret", mail_server.TLS_SECRET, "--ignore-not-found", "--output", "name"):
            self._apply(log, mail_server.build_secrets())
        self._apply(log, mail_server.build_mail_server(image_references()[mail_server.NAME]))

    def _apply(self, log: StepLog, documents: Sequence[dict[str, Any]]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self.kubectl(log, "apply", "--server-side", "--filename=-", stdin=json.dumps(listed).encode())


def require_cluster(files: NodeFiles) -> None:
    """Raise StepFailed where no local cluster was set up."""
    if not files.kubeconfig.exists():
        raise StepFailed("there is no local cluster: run `make demo` or `localcluster up` first")
