"""The mail sink as it runs in the cluster: a Deployment, a Service, and a login and certificate made for it.

It asks for STARTTLS and a login as a provider does, so that the notifier is shown to do both.
"""

import secrets
import tempfile
from pathlib import Path
from typing import Any

from video2mp3_localcluster.node.pki import create_self_signed

NAME = "mailsink"
LOGIN_SECRET = "mailsink-login"  # noqa: S105 - a Secret's name
TLS_SECRET = "mailsink-tls"  # noqa: S105 - a Secret's name
SMTP_PORT = 1025
HTTP_PORT = 8025

_LABELS = {"app.kubernetes.io/name": NAME}


def build_secrets() -> list[dict[str, Any]]:
    """A fresh login and a self-signed certificate, which is its own authority (key ca.crt)."""
    login = {"username": "video2mp3", "password": secrets.token_urlsafe(24)}
    with tempfile.TemporaryDirectory() as folder:
        create_self_signed(Path(folder), "tls", NAME)
        tls = {path.name: path.read_text() for path in Path(folder).iterdir()}
    tls["ca.crt"] = tls["tls.crt"]
    return [_secret(LOGIN_SECRET, login), _secret(TLS_SECRET, tls)]


def build_mail_server(image: str) -> list[dict[str, Any]]:
    """The Deployment and the Service; the Secrets must be there."""
    ports = [{"name": "smtp", "containerPort": SMTP_PORT}, {"name": "http", "containerPort": HTTP_PORT}]
    service_ports = [{"name": port["name"], "port": port["containerPort"]} for port in ports]
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "labels": _LABELS},
            "spec": {
                "selector": {"matchLabels": _LABELS},
                "template": {"metadata": {"labels": _LABELS}, "spec": _build_pod(image, ports)},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME, "labels": _LABELS},
            "spec": {"selector": _LABELS, "ports": service_ports},
        },
    ]


def _build_pod(image: str, ports: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": NAME,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "env": [
                    {"name": "MAILSINK_USERNAME", "valueFrom": _from_secret("username")},
                    {"name": "MAILSINK_PASSWORD", "valueFrom": _from_secret("password")},
                ],
                "ports": ports,
                "readinessProbe": {"httpGet": {"path": "/messages", "port": "http"}, "periodSeconds": 2},
                "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "192Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "tls", "mountPath": "/tls", "readOnly": True},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the container's own
                ],
            }
        ],
        "volumes": [{"name": "tls", "secret": {"secretName": TLS_SECRET}}, {"name": "tmp", "emptyDir": {}}],
    }


def _from_secret(key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": LOGIN_SECRET, "key": key}}


def _secret(name: str, values: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": _LABELS}, "stringData": values}
