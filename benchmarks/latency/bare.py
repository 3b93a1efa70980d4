"""The peer: as many Jobs that run nothing but ffmpeg, in the worker's image, on the same node and as many at a time."""

import base64
import json
import time
from pathlib import Path
from typing import Any, Final

from tests.e2e.release import Release

_PATIENCE: Final = 600
_LABEL: Final = "bench"


def bare_seconds(release: Release, clip: Path, count: int) -> float:
    """Seconds from the first Job's creation to the last one's end; the clip comes from a ConfigMap."""
    worker = release.objects("deployments", "app.kubernetes.io/component=operator")[0]
    variables = worker["spec"]["template"]["spec"]["containers"][0]["env"]
    settings = {each["name"]: each.get("value", "") for each in variables}
    content = base64.b64encode(clip.read_bytes()).decode()
    release.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "clip"}, "binaryData": {"clip.mp4": content}}
    )
    jobs = [_job(number, settings) for number in range(count)]
    begun = time.monotonic()
    release.kubectl("create", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": jobs}))
    release.kubectl("wait", "jobs", f"--selector=app={_LABEL}", "--for=condition=Complete", f"--timeout={_PATIENCE}s")
    took = time.monotonic() - begun
    release.kubectl("delete", "jobs", f"--selector=app={_LABEL}", "--wait=false")
    return took


def _job(number: int, settings: dict[str, str]) -> dict[str, Any]:
    container = {
        "name": "ffmpeg",
        "image": settings["OPERATOR_WORKER_IMAGE"],
        "command": ["ffmpeg", "-loglevel", "error", "-i", "/clip/clip.mp4", "-q:a", "2", "/tmp/out.mp3"],
        "resources": json.loads(settings["OPERATOR_WORKER_RESOURCES"]),
        "volumeMounts": [{"name": "clip", "mountPath": "/clip"}, {"name": "tmp", "mountPath": "/tmp"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "clip", "configMap": {"name": "clip"}}, {"name": "tmp", "emptyDir": {}}],
    }
    labels = {"app": _LABEL}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"bare-{number}", "labels": labels},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": pod}},
    }
