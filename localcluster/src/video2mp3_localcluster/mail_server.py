"""The mail sink as it runs in the cluster: a Deployment, a Service, and a login and certificate made for it.

It asks for STARTTLS and a login as a provider does, so that the notifier is shown to do both.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NAME = "mailsink"
LOGIN_SECRET = "mailsink-login"  # noqa: S105 - a Secret's name
TLS_SECRET = "mailsink-tls"  # noqa: S105 - a Secret's name
SMTP_PORT = 1025
HTTP_PORT = 8025

_LABELS = {"app.kubernetes.io/name": NAME}
_LIFETIME = timedelta(days=3650)


def build_secrets() -> list[dict[str, Any]]:
    """A fresh login and a self-signed certificate, which is its own authority (key ca.crt)."""
    certificate, key = _self_signed(NAME)
    login = {"username": "video2mp3", "password": secrets.token_urlsafe(24)}
    tls = {"tls.crt": certificate, "tls.key": key, "ca.crt": certificate}
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


def _self_signed(host: str) -> tuple[str, str]:
    """A certificate for `host` and its key, as PEM."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), private.decode()
