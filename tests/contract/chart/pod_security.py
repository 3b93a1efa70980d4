"""The restricted Pod Security Standard, as far as these pods can break it.

Source: Kubernetes documentation, "Pod Security Standards", profile Restricted (which includes Baseline).
"""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]

VOLUME_TYPES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")


def violations(spec: Document) -> list[str]:
    """What a pod's spec does that the restricted profile forbids."""
    return [*_of_pod(spec), *(problem for container in _containers(spec) for problem in _of_container(container, spec))]


def _containers(spec: Document) -> list[Document]:
    return [
        *spec.get("initContainers", []),
        *spec["containers"],
        *spec.get("ephemeralContainers", []),
    ]


def _of_pod(spec: Document) -> Iterator[str]:
    for field in HOST_FIELDS:
        if spec.get(field):
            yield f"{field} is set"
    for volume in spec.get("volumes", []):
        for kind in volume.keys() - {"name"} - VOLUME_TYPES:
            yield f"volume {volume['name']} is a {kind}"
    context = spec.get("securityContext", {})
    for field in ("sysctls", "seLinuxOptions", "windowsOptions", "appArmorProfile"):
        if field in context:
            yield f"securityContext.{field} is set"
    if context.get("runAsUser") == 0:
        yield "runs as root"


def _of_container(container: Document, spec: Document) -> Iterator[str]:
    own = container.get("securityContext", {})
    problems = [*_of_user({**spec.get("securityContext", {}), **own}), *_of_privileges(own)]
    if any("hostPort" in port for port in container.get("ports", [])):
        problems.append("has a host port")
    return (f"{container['name']}: {problem}" for problem in problems)


def _of_user(effective: Document) -> Iterator[str]:
    """What a pod's context, overridden by the container's, says of the user."""
    if effective.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if not isinstance(effective.get("runAsUser"), int) or effective["runAsUser"] == 0:
        yield "runAsUser is not a number above 0"
    if effective.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "no seccomp profile"


def _of_privileges(own: Document) -> Iterator[str]:
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if own.get("privileged"):
        yield "is privileged"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "keeps capabilities"
    if own.get("procMount", "Default") != "Default":
        yield "procMount"
